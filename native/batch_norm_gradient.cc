// Gradient of batch norm by the batch's own moments, in two visits of the feature map.

#include <algorithm>
#include <cmath>

#include "loops.h"

namespace nni_cream {
namespace {

// Rows that are added up before their sum goes to memory.
constexpr int64_t kRows = 4;

template <int64_t Rows>
inline __attribute__((always_inline)) void AddRows(const BatchNorm& norm, int64_t first,
                                                   float* __restrict sums) {
  const int64_t channels = norm.channels;
  const float* __restrict dy = norm.dy + first * channels;
  const float* __restrict x = norm.x + first * channels;
  const float* __restrict mean = norm.mean;
  for (int64_t c = 0; c < channels; ++c) {
    float sum = 0.0f, product = 0.0f;
    for (int64_t row = 0; row < Rows; ++row) {
      const float d = dy[row * channels + c];
      sum += d;
      product += d * (x[row * channels + c] - mean[c]);
    }
    sums[c] += sum;
    sums[channels + c] += product;
  }
}

}  // namespace

NNI_CREAM_VECTORISED void SumBatchNormBlock(const BatchNorm& norm, int64_t block, float* sums) {
  std::fill(sums, sums + 2 * norm.channels, 0.0f);
  int64_t row = block * norm.block_pixels();
  const int64_t end = std::min(row + norm.block_pixels(), norm.pixels);
  for (; row + kRows <= end; row += kRows) AddRows<kRows>(norm, row, sums);
  for (; row < end; ++row) AddRows<1>(norm, row, sums);
}

void FinishBatchNormSums(const BatchNorm& norm, const float* sums, float* d_gamma, float* d_beta,
                         float* coefficients) {
  const int64_t channels = norm.channels;
  for (int64_t c = 0; c < channels; ++c) {
    double sum = 0.0, product = 0.0;
    for (int64_t block = 0; block < norm.blocks(); ++block) {
      sum += sums[2 * block * channels + c];
      product += sums[(2 * block + 1) * channels + c];
    }
    const double inverse = 1.0 / std::sqrt(static_cast<double>(norm.variance[c]) + norm.epsilon);
    const double scale = norm.gamma[c] * inverse;
    d_gamma[c] = static_cast<float>(product * inverse);
    d_beta[c] = static_cast<float>(sum);
    // dx = gamma inverse (dy - mean(dy) - xhat mean(dy xhat)), xhat = (x - mean) inverse
    coefficients[c] = static_cast<float>(scale);
    coefficients[channels + c] =
        static_cast<float>(-scale * inverse * inverse * product / norm.pixels);
    coefficients[2 * channels + c] = static_cast<float>(-scale * sum / norm.pixels);
  }
}

NNI_CREAM_VECTORISED void BatchNormInputGradient(const BatchNorm& norm,
                                                 const float* __restrict coefficients,
                                                 int64_t begin, int64_t end,
                                                 float* __restrict dx) {
  const int64_t channels = norm.channels;
  const float* __restrict slopes = coefficients + channels;
  const float* __restrict offsets = coefficients + 2 * channels;
  const float* __restrict mean = norm.mean;
  for (int64_t row = begin; row < end; ++row) {
    const float* __restrict dy = norm.dy + row * channels;
    const float* __restrict x = norm.x + row * channels;
    float* __restrict out = dx + row * channels;
    for (int64_t c = 0; c < channels; ++c) {
      out[c] = coefficients[c] * dy[c] + slopes[c] * (x[c] - mean[c]) + offsets[c];
    }
  }
}

}  // namespace nni_cream

// Batch norm with the activation behind it, each way in two visits of the feature map: one that sums
// and one that writes. What the activation got is computed again where its gradient needs it, which
// is cheaper than to read it from memory.

#include <algorithm>
#include <type_traits>

#include "loops.h"
#include "sigmoid.h"

namespace nni_cream {
namespace {

template <Activation Kind>
inline __attribute__((always_inline)) float Activate(float z) {
  // What is not a number stays so.
  if constexpr (Kind == Activation::kRelu) return z < 0.0f ? 0.0f : z;
  if constexpr (Kind == Activation::kSwish) return z * Sigmoid(z);
  return z;
}

template <Activation Kind>
inline __attribute__((always_inline)) float ActivationGradient(float z) {
  if constexpr (Kind == Activation::kRelu) return z > 0.0f ? 1.0f : 0.0f;
  if constexpr (Kind == Activation::kSwish) {
    const float s = Sigmoid(z);
    return s + z * s * (1.0f - s);
  }
  return 1.0f;
}

// Rows that are added up before their sum goes to memory.
constexpr int64_t kRows = 4;

// Calls work(row, rows) for the rows of one block, kRows at a time and the rest one by one.
template <typename Work>
inline __attribute__((always_inline)) void VisitBlock(const BatchNorm& norm, int64_t block,
                                                      Work work) {
  int64_t row = block * norm.block_pixels();
  const int64_t end = std::min(row + norm.block_pixels(), norm.pixels);
  for (; row + kRows <= end; row += kRows) work(row, std::integral_constant<int64_t, kRows>());
  for (; row < end; ++row) work(row, std::integral_constant<int64_t, 1>());
}

template <int64_t Rows>
inline __attribute__((always_inline)) void AddMoments(const float* __restrict x,
                                                      const float* __restrict origin,
                                                      int64_t channels, float* __restrict sums) {
  for (int64_t c = 0; c < channels; ++c) {
    float sum = 0.0f, square = 0.0f;
    for (int64_t row = 0; row < Rows; ++row) {
      const float d = x[row * channels + c] - origin[c];
      sum += d;
      square += d * d;
    }
    sums[c] += sum;
    sums[channels + c] += square;
  }
}

template <Activation Kind, int64_t Rows>
inline __attribute__((always_inline)) void AddGradients(const BatchNorm& norm,
                                                        const float* __restrict dy, int64_t first,
                                                        float* __restrict sums) {
  const int64_t channels = norm.channels;
  const float* __restrict x = norm.x + first * channels;
  const float* __restrict mean = norm.mean;
  const float* __restrict scale = norm.scale;
  const float* __restrict beta = norm.beta;
  dy += first * channels;
  for (int64_t c = 0; c < channels; ++c) {
    float sum = 0.0f, product = 0.0f;
    for (int64_t row = 0; row < Rows; ++row) {
      const float d = x[row * channels + c] - mean[c];
      const float dz =
          dy[row * channels + c] * ActivationGradient<Kind>(scale[c] * d + beta[c]);
      sum += dz;
      product += dz * d;
    }
    sums[c] += sum;
    sums[channels + c] += product;
  }
}

template <Activation Kind>
inline __attribute__((always_inline)) void SumGradientsOf(const BatchNorm& norm, const float* dy,
                                                          int64_t block, float* sums) {
  std::fill(sums, sums + 2 * norm.channels, 0.0f);
  VisitBlock(norm, block, [&](int64_t row, auto rows) __attribute__((always_inline)) {
    AddGradients<Kind, rows()>(norm, dy, row, sums);
  });
}

template <Activation Kind>
inline __attribute__((always_inline)) void NormaliseOf(const BatchNorm& norm, int64_t begin,
                                                       int64_t end, float* y) {
  const int64_t channels = norm.channels;
  const float* __restrict mean = norm.mean;
  const float* __restrict scale = norm.scale;
  const float* __restrict beta = norm.beta;
  for (int64_t row = begin; row < end; ++row) {
    const float* __restrict x = norm.x + row * channels;
    float* __restrict out = y + row * channels;
    for (int64_t c = 0; c < channels; ++c) {
      out[c] = Activate<Kind>(scale[c] * (x[c] - mean[c]) + beta[c]);
    }
  }
}

template <Activation Kind>
inline __attribute__((always_inline)) void NormaliseGradientOf(
    const BatchNorm& norm, const float* dy, const float* __restrict slopes,
    const float* __restrict offsets, int64_t begin, int64_t end, float* dx) {
  const int64_t channels = norm.channels;
  const float* __restrict mean = norm.mean;
  const float* __restrict scale = norm.scale;
  const float* __restrict beta = norm.beta;
  for (int64_t row = begin; row < end; ++row) {
    const float* __restrict x = norm.x + row * channels;
    const float* __restrict gradient = dy + row * channels;
    float* __restrict out = dx + row * channels;
    for (int64_t c = 0; c < channels; ++c) {
      const float d = x[c] - mean[c];
      const float dz = gradient[c] * ActivationGradient<Kind>(scale[c] * d + beta[c]);
      out[c] = scale[c] * dz + slopes[c] * d + offsets[c];
    }
  }
}

}  // namespace

NNI_CREAM_VECTORISED void SumMoments(const BatchNorm& norm, int64_t block, float* sums) {
  std::fill(sums, sums + 2 * norm.channels, 0.0f);
  VisitBlock(norm, block, [&](int64_t row, auto rows) __attribute__((always_inline)) {
    AddMoments<rows()>(norm.x + row * norm.channels, norm.x, norm.channels, sums);
  });
}

void FinishMoments(const BatchNorm& norm, const float* sums, float* mean, float* variance) {
  for (int64_t c = 0; c < norm.channels; ++c) {
    double sum = 0.0, square = 0.0;
    for (int64_t block = 0; block < norm.blocks(); ++block) {
      sum += sums[2 * block * norm.channels + c];
      square += sums[(2 * block + 1) * norm.channels + c];
    }
    const double shift = sum / norm.pixels;
    mean[c] = static_cast<float>(norm.x[c] + shift);
    variance[c] = static_cast<float>(std::max(square / norm.pixels - shift * shift, 0.0));
  }
}

NNI_CREAM_VECTORISED void Normalise(const BatchNorm& norm, int64_t begin, int64_t end, float* y) {
  switch (norm.activation) {
    case Activation::kNone: return NormaliseOf<Activation::kNone>(norm, begin, end, y);
    case Activation::kRelu: return NormaliseOf<Activation::kRelu>(norm, begin, end, y);
    case Activation::kSwish: return NormaliseOf<Activation::kSwish>(norm, begin, end, y);
  }
}

NNI_CREAM_VECTORISED void SumGradients(const BatchNorm& norm, const float* dy, int64_t block,
                                       float* sums) {
  switch (norm.activation) {
    case Activation::kNone: return SumGradientsOf<Activation::kNone>(norm, dy, block, sums);
    case Activation::kRelu: return SumGradientsOf<Activation::kRelu>(norm, dy, block, sums);
    case Activation::kSwish: return SumGradientsOf<Activation::kSwish>(norm, dy, block, sums);
  }
}

NNI_CREAM_VECTORISED void NormaliseGradient(const BatchNorm& norm, const float* dy,
                                            const float* slopes, const float* offsets,
                                            int64_t begin, int64_t end, float* dx) {
  switch (norm.activation) {
    case Activation::kNone:
      return NormaliseGradientOf<Activation::kNone>(norm, dy, slopes, offsets, begin, end, dx);
    case Activation::kRelu:
      return NormaliseGradientOf<Activation::kRelu>(norm, dy, slopes, offsets, begin, end, dx);
    case Activation::kSwish:
      return NormaliseGradientOf<Activation::kSwish>(norm, dy, slopes, offsets, begin, end, dx);
  }
}

}  // namespace nni_cream

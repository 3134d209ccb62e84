// Operations that treat every element by itself.

#include <cstring>

#include "loops.h"

namespace nni_cream {
namespace {

// exp(x) to two units in the last place, clamped to the range of normal floats; not a number stays
// so. The library's function is called for one number at a time, this one is vectorised.
inline __attribute__((always_inline)) float Exp(float x) {
  x = x > 88.0f ? 88.0f : x;
  x = x < -87.0f ? -87.0f : x;
  // exp(x) = 2^n exp(r). Adding 1.5 * 2^23 rounds to an integer, and leaves it in the low bits.
  constexpr float kRound = 12582912.0f;
  const float shifted = x * 1.44269504f + kRound;
  const float n = shifted - kRound;
  // ln 2 in two parts: the product of n and the first is exact.
  const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  int32_t bits, power;
  std::memcpy(&bits, &p, sizeof bits);
  std::memcpy(&power, &shifted, sizeof power);
  bits += static_cast<int32_t>(static_cast<uint32_t>(power) << 23);
  std::memcpy(&p, &bits, sizeof p);
  return p;
}

inline __attribute__((always_inline)) float Sigmoid(float x) { return 1.0f / (1.0f + Exp(-x)); }

}  // namespace

NNI_CREAM_VECTORISED void Swish(const float* __restrict x, int64_t count, float* __restrict y) {
  for (int64_t i = 0; i < count; ++i) y[i] = x[i] * Sigmoid(x[i]);
}

NNI_CREAM_VECTORISED void SwishGradient(const float* __restrict dy, const float* __restrict x,
                                        int64_t count, float* __restrict dx) {
  for (int64_t i = 0; i < count; ++i) {
    const float s = Sigmoid(x[i]);
    dx[i] = dy[i] * (s + x[i] * s * (1.0f - s));
  }
}

NNI_CREAM_VECTORISED void Nesterov(const NesterovStep& step, const NesterovRates& rates,
                                   int64_t begin, int64_t end) {
  const float* __restrict value = step.value;
  const float* __restrict velocity = step.velocity;
  const float* __restrict gradient = step.gradient;
  float* __restrict new_value = step.new_value;
  float* __restrict new_velocity = step.new_velocity;
  const auto [lr, momentum, decay] = rates;
  for (int64_t i = begin; i < end; ++i) {
    const float g = gradient[i] + decay * value[i];
    const float v = momentum * velocity[i] + g;
    new_velocity[i] = v;
    new_value[i] = value[i] - lr * (g + momentum * v);
  }
}

}  // namespace nni_cream

// The logistic function, inlined into loops so that the compiler vectorises them.

#ifndef NNI_CREAM_SIGMOID_H_
#define NNI_CREAM_SIGMOID_H_

#include <cstdint>
#include <cstring>

namespace nni_cream {

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

}  // namespace nni_cream

#endif  // NNI_CREAM_SIGMOID_H_

// Gradient of a depthwise convolution with respect to its images.
//
// Every pixel of the result gathers the outputs that it took part in, so that each is written once.

#include <cstring>

#include "loops.h"

namespace nni_cream {
namespace {

typedef float Floats __attribute__((vector_size(32)));
constexpr int64_t kLanes = sizeof(Floats) / sizeof(float);

// One product that a pixel gathers: [channels] each.
struct Tap {
  const float* filter;
  const float* dy;
};

// Sums Vectors * kLanes channels from `first` on, in registers.
template <int Vectors>
inline __attribute__((always_inline)) void SumTaps(const Tap* taps, int64_t count, int64_t first,
                                                   float* out) {
  Floats sums[Vectors] = {};
  for (int64_t tap = 0; tap < count; ++tap) {
    for (int i = 0; i < Vectors; ++i) {
      Floats weight, dy;
      std::memcpy(&weight, taps[tap].filter + first + i * kLanes, sizeof weight);
      std::memcpy(&dy, taps[tap].dy + first + i * kLanes, sizeof dy);
      sums[i] += weight * dy;
    }
  }
  std::memcpy(out + first, sums, sizeof sums);
}

inline __attribute__((always_inline)) void SumPixel(const Tap* taps, int64_t count,
                                                    int64_t channels, float* out) {
  int64_t c = 0;
  for (; c + 8 * kLanes <= channels; c += 8 * kLanes) SumTaps<8>(taps, count, c, out);
  for (; c + kLanes <= channels; c += kLanes) SumTaps<1>(taps, count, c, out);
  for (; c < channels; ++c) {
    float sum = 0.0f;
    for (int64_t tap = 0; tap < count; ++tap) sum += taps[tap].filter[c] * taps[tap].dy[c];
    out[c] = sum;
  }
}

// Places along one axis that took `position` in: output places and the filter's places for them.
struct Places {
  int64_t count = 0;
  int64_t output[kLargestKernel];
  int64_t filter[kLargestKernel];
};

inline __attribute__((always_inline)) Places PlacesOf(const Depthwise& conv, int64_t position,
                                                      int64_t outputs) {
  Places places;
  for (int64_t i = 0; i < conv.kernel; ++i) {
    const int64_t shifted = position + (conv.kernel - 1) / 2 - i;
    if (shifted < 0 || shifted % conv.stride != 0 || shifted / conv.stride >= outputs) continue;
    places.output[places.count] = shifted / conv.stride;
    places.filter[places.count++] = i;
  }
  return places;
}

}  // namespace

NNI_CREAM_VECTORISED void DepthwiseInputGradient(const Depthwise& conv, const float* filter,
                                                 const float* dy, int64_t begin, int64_t end,
                                                 float* dx) {
  Tap taps[kLargestKernel * kLargestKernel];
  for (int64_t row = begin; row < end; ++row) {
    const Places rows = PlacesOf(conv, row % conv.height, conv.out_height);
    const int64_t first_output_row = row / conv.height * conv.out_height;
    for (int64_t x = 0; x < conv.width; ++x) {
      const Places columns = PlacesOf(conv, x, conv.out_width);
      int64_t count = 0;
      for (int64_t i = 0; i < rows.count; ++i) {
        const int64_t output_row = first_output_row + rows.output[i];
        for (int64_t j = 0; j < columns.count; ++j) {
          const int64_t place = rows.filter[i] * conv.kernel + columns.filter[j];
          const int64_t output = output_row * conv.out_width + columns.output[j];
          taps[count++] = {filter + place * conv.channels, dy + output * conv.channels};
        }
      }
      SumPixel(taps, count, conv.channels, dx + (row * conv.width + x) * conv.channels);
    }
  }
}

}  // namespace nni_cream

// Gradient of a depthwise convolution with respect to its filter, for processors.
//
// TensorFlow's own kernel is slow for windows of 5x5 and more (for 3x3 it is as fast). Here every
// channel is summed by one thread, in an order that the shapes alone decide, so that the result
// does not depend on the number of threads.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "tensorflow/core/framework/common_shape_fns.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_kernel.h"

namespace {

// Channels that are summed together: a pair of cache lines, which processors fetch as one.
constexpr int64_t kBlock = 32;

struct Geometry {
  int64_t batch, height, width, channels;  // of the images, NHWC
  int64_t out_height, out_width;           // of the convolution's output
  int64_t kernel, stride;                  // padded by (kernel - 1) / 2 on every side

  int64_t padding() const { return (kernel - 1) / 2; }
  int64_t padded_width() const { return width + 2 * padding(); }
  int64_t padded_height() const { return height + 2 * padding(); }
};

// One image's block of channels, packed so that neighbouring columns are kBlock floats apart.
struct Planes {
  const float* images;         // [padded_height, padded_width, kBlock]
  const float* gradients;      // [out_height, out_width], gradient_stride floats apart
  int64_t gradient_stride;
  float* sums;                 // [kernel, kernel, kBlock], added to
};

// Sums Rows filter rows from `first_row` on, with all their columns held in registers.
template <typename Vector, int Kernel, int Stride, int Rows>
inline __attribute__((always_inline)) void SumRows(const Geometry& g, const Planes& p,
                                                   int first_row, int64_t lane) {
  Vector sums[Rows][Kernel] = {};
  const int64_t row_floats = g.padded_width() * kBlock;
  for (int64_t y = 0; y < g.out_height; ++y) {
    const float* image = p.images + (y * Stride + first_row) * row_floats + lane;
    const float* gradient = p.gradients + y * g.out_width * p.gradient_stride + lane;
    for (int64_t x = 0; x < g.out_width; ++x) {
      Vector dy;
      std::memcpy(&dy, gradient + x * p.gradient_stride, sizeof dy);
      for (int row = 0; row < Rows; ++row) {
        for (int column = 0; column < Kernel; ++column) {
          Vector value;
          std::memcpy(&value, image + row * row_floats + (x * Stride + column) * kBlock,
                      sizeof value);
          sums[row][column] += value * dy;
        }
      }
    }
  }
  for (int row = 0; row < Rows; ++row) {
    for (int column = 0; column < Kernel; ++column) {
      float* total = p.sums + ((first_row + row) * Kernel + column) * kBlock + lane;
      Vector value;
      std::memcpy(&value, total, sizeof value);
      value += sums[row][column];
      std::memcpy(total, &value, sizeof value);
    }
  }
}

// Visits all filter rows, as many at a time as the accumulators of one visit fit in registers.
template <typename Vector, int Registers, int Kernel, int Stride>
inline __attribute__((always_inline)) void SumKernel(const Geometry& g, const Planes& p) {
  constexpr int kRows = std::min(Kernel, Registers / Kernel);
  constexpr int kRest = Kernel % kRows;
  for (int64_t lane = 0; lane < kBlock; lane += sizeof(Vector) / sizeof(float)) {
    for (int row = 0; row + kRows <= Kernel; row += kRows) {
      SumRows<Vector, Kernel, Stride, kRows>(g, p, row, lane);
    }
    if constexpr (kRest > 0) {
      SumRows<Vector, Kernel, Stride, kRest>(g, p, Kernel - kRest, lane);
    }
  }
}

template <typename Vector, int Registers>
inline __attribute__((always_inline)) void Sum(const Geometry& g, const Planes& p) {
  switch (g.kernel * 10 + g.stride) {
    case 51: return SumKernel<Vector, Registers, 5, 1>(g, p);
    case 52: return SumKernel<Vector, Registers, 5, 2>(g, p);
    case 71: return SumKernel<Vector, Registers, 7, 1>(g, p);
    case 72: return SumKernel<Vector, Registers, 7, 2>(g, p);
  }
}

typedef float Floats8 __attribute__((vector_size(32)));
typedef float Floats16 __attribute__((vector_size(64)));

// The processor is asked at run time, because the compiler's machine may be another one.
__attribute__((target("avx512f"))) void SumAvx512(const Geometry& g, const Planes& p) {
  Sum<Floats16, 28>(g, p);
}
__attribute__((target("avx2,fma"))) void SumAvx2(const Geometry& g, const Planes& p) {
  Sum<Floats8, 14>(g, p);
}
void SumPortable(const Geometry& g, const Planes& p) { Sum<Floats8, 7>(g, p); }

using SumFunction = void (*)(const Geometry&, const Planes&);

SumFunction ChooseSum() {
  if (__builtin_cpu_supports("avx512f")) return SumAvx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return SumAvx2;
  return SumPortable;
}

// Copies `count` channels of a row of pixels to pixels of kBlock floats.
void PackRow(const float* from, int64_t channels, int64_t width, int64_t count, float* to) {
  for (int64_t x = 0; x < width; ++x) {
    std::memcpy(to + x * kBlock, from + x * channels, count * sizeof(float));
  }
}

// Computes the gradient of one block of channels, over all images.
void SumBlock(const Geometry& g, const float* x, const float* dy, int64_t first, float* out) {
  static const SumFunction sum = ChooseSum();
  const int64_t count = std::min(kBlock, g.channels - first);
  const int64_t out_pixels = g.out_height * g.out_width;
  // The zeros of the border, and of the channels that fill up the last block, are never overwritten.
  std::vector<float> images(g.padded_height() * g.padded_width() * kBlock);
  std::vector<float> gradients(count < kBlock ? out_pixels * kBlock : 0);
  std::vector<float> sums(g.kernel * g.kernel * kBlock);
  for (int64_t n = 0; n < g.batch; ++n) {
    for (int64_t y = 0; y < g.height; ++y) {
      PackRow(x + (n * g.height + y) * g.width * g.channels + first, g.channels, g.width, count,
              images.data() +
                  ((y + g.padding()) * g.padded_width() + g.padding()) * kBlock);
    }
    Planes planes{images.data(), dy + n * out_pixels * g.channels + first, g.channels, sums.data()};
    if (count < kBlock) {
      PackRow(planes.gradients, g.channels, out_pixels, count, gradients.data());
      planes.gradients = gradients.data();
      planes.gradient_stride = kBlock;
    }
    sum(g, planes);
  }
  for (int64_t tap = 0; tap < g.kernel * g.kernel; ++tap) {
    std::memcpy(out + tap * g.channels + first, sums.data() + tap * kBlock, count * sizeof(float));
  }
}

class DepthwiseFilterGradient : public tensorflow::OpKernel {
 public:
  explicit DepthwiseFilterGradient(tensorflow::OpKernelConstruction* context) : OpKernel(context) {
    std::vector<int64_t> window;
    OP_REQUIRES_OK(context, context->GetAttr("window", &window));
    OP_REQUIRES(context, window.size() == 2,
                tensorflow::errors::InvalidArgument("window must be [kernel, stride]"));
    kernel_ = window[0];
    stride_ = window[1];
    OP_REQUIRES(context, kernel_ == 5 || kernel_ == 7,
                tensorflow::errors::InvalidArgument("kernel must be 5 or 7, not ", kernel_));
    OP_REQUIRES(context, stride_ == 1 || stride_ == 2,
                tensorflow::errors::InvalidArgument("stride must be 1 or 2, not ", stride_));
  }

  void Compute(tensorflow::OpKernelContext* context) override {
    const tensorflow::Tensor& x = context->input(0);
    const tensorflow::Tensor& dy = context->input(1);
    OP_REQUIRES(context, x.dims() == 4 && dy.dims() == 4,
                tensorflow::errors::InvalidArgument("x and dy must have four dimensions"));
    const Geometry g{x.dim_size(0),  x.dim_size(1), x.dim_size(2), x.dim_size(3),
                     dy.dim_size(1), dy.dim_size(2), kernel_,      stride_};
    const bool matches = dy.dim_size(0) == g.batch && dy.dim_size(3) == g.channels &&
                         g.out_height == (g.height - 1) / g.stride + 1 &&
                         g.out_width == (g.width - 1) / g.stride + 1;
    OP_REQUIRES(context, matches,
                tensorflow::errors::InvalidArgument("dy ", dy.shape().DebugString(),
                                                    " does not belong to x ",
                                                    x.shape().DebugString()));
    tensorflow::Tensor* out = nullptr;
    OP_REQUIRES_OK(context,
                   context->allocate_output(0, {kernel_, kernel_, g.channels, 1}, &out));
    const float* images = x.flat<float>().data();
    const float* gradients = dy.flat<float>().data();
    float* result = out->flat<float>().data();
    const int64_t blocks = (g.channels + kBlock - 1) / kBlock;
    const int64_t cost = g.batch * g.out_height * g.out_width * g.kernel * g.kernel;
    context->device()->tensorflow_cpu_worker_threads()->workers->ParallelFor(
        blocks, cost, [&](int64_t begin, int64_t end) {
          for (int64_t block = begin; block < end; ++block) {
            SumBlock(g, images, gradients, block * kBlock, result);
          }
        });
  }

 private:
  int64_t kernel_;
  int64_t stride_;
};

REGISTER_OP("NniCreamDepthwiseFilterGradient")
    .Input("x: float")
    .Input("dy: float")
    .Output("filter_gradient: float")
    .Attr("window: list(int)")
    .SetShapeFn(tensorflow::shape_inference::UnknownShape);

REGISTER_KERNEL_BUILDER(
    Name("NniCreamDepthwiseFilterGradient").Device(tensorflow::DEVICE_CPU),
    DepthwiseFilterGradient);

}  // namespace

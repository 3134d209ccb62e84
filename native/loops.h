// The arithmetic of this project's operations: plain loops over a part of the work, free of
// TensorFlow, so that `operations.cc` can share the parts out over its threads.
//
// No result depends on how the work is shared out: every sum has an order that shapes alone decide.

#ifndef NNI_CREAM_LOOPS_H_
#define NNI_CREAM_LOOPS_H_

#include <cstdint>

namespace nni_cream {

// x sigmoid(x), and its gradient times dy, of `count` floats.
void Swish(const float* x, int64_t count, float* y);
void SwishGradient(const float* dy, const float* x, int64_t count, float* dx);

struct NesterovRates {
  float lr, momentum, decay;
};

// One parameter's numbers before and after a step.
struct NesterovStep {
  const float* value;
  const float* velocity;
  const float* gradient;
  float* new_value;
  float* new_velocity;
};

// g += decay w; v = momentum v + g; w -= lr (g + momentum v), of elements [begin, end).
void Nesterov(const NesterovStep& step, const NesterovRates& rates, int64_t begin, int64_t end);

// Batch norm of `pixels` rows of `channels` floats, by the batch's own moments.
struct BatchNorm {
  int64_t pixels, channels;
  const float* dy;
  const float* x;
  const float* mean;      // [channels]
  const float* variance;  // [channels], biased
  const float* gamma;     // [channels]
  float epsilon;

  // Rows are summed in blocks: first within each, then over the blocks.
  int64_t block_pixels() const { return (pixels + 63) / 64; }
  int64_t blocks() const { return (pixels + block_pixels() - 1) / block_pixels(); }
};

// Sums of one block: dy to sums[0, channels), dy (x - mean) to sums[channels, 2 channels).
void SumBatchNormBlock(const BatchNorm& norm, int64_t block, float* sums);

// Gradients to gamma and beta, and what takes the block to dx = scale dy + slope (x - mean) + offset.
// `sums` holds the sums of all blocks; coefficients are scale, slope and offset, [channels] each.
void FinishBatchNormSums(const BatchNorm& norm, const float* sums, float* d_gamma, float* d_beta,
                         float* coefficients);
void BatchNormInputGradient(const BatchNorm& norm, const float* coefficients, int64_t begin,
                            int64_t end, float* dx);

// A depthwise convolution, NHWC, padded by (kernel - 1) / 2 on every side.
struct Depthwise {
  int64_t batch, height, width, channels;
  int64_t out_height, out_width;
  int64_t kernel, stride;
};

// The largest window that DepthwiseInputGradient takes.
constexpr int64_t kLargestKernel = 7;

// Rows [begin, end) of the batch * height rows of the gradient to the images.
// `filter` is [kernel, kernel, channels].
void DepthwiseInputGradient(const Depthwise& conv, const float* filter, const float* dy,
                            int64_t begin, int64_t end, float* dx);

}  // namespace nni_cream

// Compiles a function for several processors, of which the running one takes its best when the
// module is loaded: the compiler's machine may be another one.
#define NNI_CREAM_VECTORISED \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))

#endif  // NNI_CREAM_LOOPS_H_

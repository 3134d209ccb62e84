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

// What follows a batch norm within the same operation.
enum class Activation { kNone, kRelu, kSwish };

// Batch norm of `pixels` rows of `channels` floats by the batch's own moments: activation(z) with
// z = scale (x - mean) + beta and scale = gamma / sqrt(variance + epsilon).
struct BatchNorm {
  int64_t pixels, channels;
  Activation activation;
  const float* x;
  const float* mean;   // [channels], as all that follow
  const float* scale;
  const float* beta;

  // Rows are summed in blocks: first within each, then over the blocks.
  int64_t block_pixels() const { return (pixels + 63) / 64; }
  int64_t blocks() const { return (pixels + block_pixels() - 1) / block_pixels(); }
};

// Sums over one block, [2, channels]: x - origin and its square, origin being the first row of x.
void SumMoments(const BatchNorm& norm, int64_t block, float* sums);

// Mean and biased variance out of the sums of all blocks.
void FinishMoments(const BatchNorm& norm, const float* sums, float* mean, float* variance);

// Rows [begin, end) of the result.
void Normalise(const BatchNorm& norm, int64_t begin, int64_t end, float* y);

// Sums over one block, [2, channels]: dz and dz (x - mean), dz being dy times activation'(z).
void SumGradients(const BatchNorm& norm, const float* dy, int64_t block, float* sums);

// Rows [begin, end) of dx = scale dz + slope (x - mean) + offset; slopes and offsets: [channels].
void NormaliseGradient(const BatchNorm& norm, const float* dy, const float* slopes,
                       const float* offsets, int64_t begin, int64_t end, float* dx);

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

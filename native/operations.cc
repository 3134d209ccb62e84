// Registers this project's operations on processors with TensorFlow; `loops.h` says what they
// compute.

#include <cstdint>
#include <vector>

#include "loops.h"
#include "tensorflow/core/framework/common_shape_fns.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_kernel.h"

namespace {

using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;
using tensorflow::errors::InvalidArgument;
using tensorflow::shape_inference::UnknownShape;

const float* Data(const Tensor& tensor) { return tensor.flat<float>().data(); }
float* Data(Tensor* tensor) { return tensor->flat<float>().data(); }

// Shares `count` items out over the threads; an item costs about `cost` processor cycles.
template <typename Work>
void Share(OpKernelContext* context, int64_t count, int64_t cost, Work work) {
  context->device()->tensorflow_cpu_worker_threads()->workers->ParallelFor(count, cost, work);
}

class Swish : public OpKernel {
 public:
  using OpKernel::OpKernel;

  void Compute(OpKernelContext* context) override {
    const Tensor& x = context->input(0);
    Tensor* y = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, x.shape(), &y));
    Share(context, x.NumElements(), 4, [&](int64_t begin, int64_t end) {
      nni_cream::Swish(Data(x) + begin, end - begin, Data(y) + begin);
    });
  }
};

class SwishGradient : public OpKernel {
 public:
  using OpKernel::OpKernel;

  void Compute(OpKernelContext* context) override {
    const Tensor& dy = context->input(0);
    const Tensor& x = context->input(1);
    OP_REQUIRES(context, dy.shape() == x.shape(), InvalidArgument("dy and x differ in shape"));
    Tensor* dx = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, x.shape(), &dx));
    Share(context, x.NumElements(), 6, [&](int64_t begin, int64_t end) {
      nni_cream::SwishGradient(Data(dy) + begin, Data(x) + begin, end - begin, Data(dx) + begin);
    });
  }
};

class Nesterov : public OpKernel {
 public:
  explicit Nesterov(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, context->GetAttr("N", &count_));
  }

  void Compute(OpKernelContext* context) override {
    const Tensor& rates = context->input(0);
    OP_REQUIRES(context, rates.NumElements() == 2 + count_,
                InvalidArgument("rates must be lr, momentum and a decay for each value"));
    for (int i = 0; i < count_; ++i) Step(context, i, Data(rates));
  }

 private:
  void Step(OpKernelContext* context, int i, const float* rates) {
    const Tensor& value = context->input(1 + i);
    const Tensor& velocity = context->input(1 + count_ + i);
    const Tensor& gradient = context->input(1 + 2 * count_ + i);
    OP_REQUIRES(context, velocity.shape() == value.shape() && gradient.shape() == value.shape(),
                InvalidArgument("value, velocity and gradient ", i, " differ in shape"));
    Tensor* new_value = nullptr;
    Tensor* new_velocity = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(i, value.shape(), &new_value));
    OP_REQUIRES_OK(context, context->allocate_output(count_ + i, value.shape(), &new_velocity));
    const nni_cream::NesterovStep step{Data(value), Data(velocity), Data(gradient),
                                       Data(new_value), Data(new_velocity)};
    const nni_cream::NesterovRates own{rates[0], rates[1], rates[2 + i]};
    Share(context, value.NumElements(), 2, [&](int64_t begin, int64_t end) {
      nni_cream::Nesterov(step, own, begin, end);
    });
  }

  int count_;
};

class BatchNormGradient : public OpKernel {
 public:
  explicit BatchNormGradient(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, context->GetAttr("epsilon", &epsilon_));
  }

  void Compute(OpKernelContext* context) override {
    const Tensor& dy = context->input(0);
    const Tensor& x = context->input(1);
    OP_REQUIRES(context, x.dims() == 4 && dy.shape() == x.shape() && x.NumElements() > 0,
                InvalidArgument("dy and x must be alike, have four dimensions and elements"));
    const int64_t channels = x.dim_size(3);
    for (int i = 2; i < 5; ++i) {
      OP_REQUIRES(context, context->input(i).NumElements() == channels,
                  InvalidArgument("input ", i, " must have ", channels, " elements"));
    }
    Tensor* outputs[3];
    OP_REQUIRES_OK(context, context->allocate_output(0, x.shape(), &outputs[0]));
    OP_REQUIRES_OK(context, context->allocate_output(1, {channels}, &outputs[1]));
    OP_REQUIRES_OK(context, context->allocate_output(2, {channels}, &outputs[2]));
    Run(context,
        {x.NumElements() / channels, channels, Data(dy), Data(x), Data(context->input(3)),
         Data(context->input(4)), Data(context->input(2)), epsilon_},
        outputs);
  }

 private:
  static void Run(OpKernelContext* context, const nni_cream::BatchNorm& norm, Tensor** outputs) {
    std::vector<float> sums(norm.blocks() * 2 * norm.channels);
    std::vector<float> coefficients(3 * norm.channels);
    Share(context, norm.blocks(), norm.block_pixels() * norm.channels,
          [&](int64_t begin, int64_t end) {
            for (int64_t block = begin; block < end; ++block) {
              SumBatchNormBlock(norm, block, sums.data() + block * 2 * norm.channels);
            }
          });
    FinishBatchNormSums(norm, sums.data(), Data(outputs[1]), Data(outputs[2]),
                        coefficients.data());
    Share(context, norm.pixels, norm.channels, [&](int64_t begin, int64_t end) {
      BatchNormInputGradient(norm, coefficients.data(), begin, end, Data(outputs[0]));
    });
  }

  float epsilon_;
};

class DepthwiseInputGradient : public OpKernel {
 public:
  explicit DepthwiseInputGradient(OpKernelConstruction* context) : OpKernel(context) {
    OP_REQUIRES_OK(context, context->GetAttr("window", &window_));
    OP_REQUIRES(context,
                window_.size() == 2 && window_[0] > 0 && window_[0] % 2 == 1 &&
                    window_[0] <= nni_cream::kLargestKernel && window_[1] > 0,
                InvalidArgument("window must be [odd kernel up to ", nni_cream::kLargestKernel,
                                ", stride]"));
  }

  void Compute(OpKernelContext* context) override {
    const Tensor& x = context->input(0);
    const Tensor& filter = context->input(1);
    const Tensor& dy = context->input(2);
    OP_REQUIRES(context, x.dims() == 4 && dy.dims() == 4,
                InvalidArgument("x and dy must have four dimensions"));
    const nni_cream::Depthwise conv{x.dim_size(0),  x.dim_size(1),  x.dim_size(2), x.dim_size(3),
                                    dy.dim_size(1), dy.dim_size(2), window_[0],    window_[1]};
    const bool matches = dy.dim_size(0) == conv.batch && dy.dim_size(3) == conv.channels &&
                         conv.out_height == (conv.height - 1) / conv.stride + 1 &&
                         conv.out_width == (conv.width - 1) / conv.stride + 1 &&
                         filter.NumElements() == conv.kernel * conv.kernel * conv.channels;
    OP_REQUIRES(context, matches,
                InvalidArgument("filter ", filter.shape().DebugString(), " and dy ",
                                dy.shape().DebugString(), " do not belong to x ",
                                x.shape().DebugString()));
    Tensor* dx = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, x.shape(), &dx));
    const int64_t taps = conv.kernel * conv.kernel / (conv.stride * conv.stride) + 1;
    Share(context, conv.batch * conv.height, conv.width * conv.channels * taps / 8 + 1,
          [&](int64_t begin, int64_t end) {
            nni_cream::DepthwiseInputGradient(conv, Data(filter), Data(dy), begin, end, Data(dx));
          });
  }

 private:
  std::vector<int64_t> window_;
};

#define NNI_CREAM_KERNEL(name) \
  REGISTER_KERNEL_BUILDER(Name("NniCream" #name).Device(tensorflow::DEVICE_CPU), name)

REGISTER_OP("NniCreamSwish").Input("x: float").Output("y: float").SetShapeFn(UnknownShape);
NNI_CREAM_KERNEL(Swish);

REGISTER_OP("NniCreamSwishGradient")
    .Input("dy: float")
    .Input("x: float")
    .Output("dx: float")
    .SetShapeFn(UnknownShape);
NNI_CREAM_KERNEL(SwishGradient);

REGISTER_OP("NniCreamNesterov")
    .Input("rates: float")
    .Input("values: N * float")
    .Input("velocities: N * float")
    .Input("gradients: N * float")
    .Output("new_values: N * float")
    .Output("new_velocities: N * float")
    .Attr("N: int >= 1")
    .SetShapeFn(UnknownShape);
NNI_CREAM_KERNEL(Nesterov);

REGISTER_OP("NniCreamBatchNormGradient")
    .Input("dy: float")
    .Input("x: float")
    .Input("gamma: float")
    .Input("mean: float")
    .Input("variance: float")
    .Output("dx: float")
    .Output("d_gamma: float")
    .Output("d_beta: float")
    .Attr("epsilon: float")
    .SetShapeFn(UnknownShape);
NNI_CREAM_KERNEL(BatchNormGradient);

REGISTER_OP("NniCreamDepthwiseInputGradient")
    .Input("x: float")
    .Input("filter: float")
    .Input("dy: float")
    .Output("dx: float")
    .Attr("window: list(int)")
    .SetShapeFn(UnknownShape);
NNI_CREAM_KERNEL(DepthwiseInputGradient);

}  // namespace

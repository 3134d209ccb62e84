// Registers this project's operations on processors with TensorFlow; `loops.h` says what they
// compute. Loading the Node addon (`module.cc`) is all that it takes.

#include <cmath>
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

// What batch norm's two directions share: their settings, their scale and their sums.
class BatchNormKernel : public OpKernel {
 public:
  explicit BatchNormKernel(OpKernelConstruction* context) : OpKernel(context) {
    int activation;
    OP_REQUIRES_OK(context, context->GetAttr("epsilon", &epsilon_));
    OP_REQUIRES_OK(context, context->GetAttr("activation", &activation));
    activation_ = static_cast<nni_cream::Activation>(activation);
  }

 protected:
  // Whether x is a map and inputs [first, end) have one number for each of its channels.
  static bool Fits(OpKernelContext* context, const Tensor& x, int first, int end) {
    if (x.dims() != 4 || x.NumElements() == 0) return false;
    for (int i = first; i < end; ++i) {
      if (context->input(i).NumElements() != x.dim_size(3)) return false;
    }
    return true;
  }

  nni_cream::BatchNorm NormOf(const Tensor& x) const {
    nni_cream::BatchNorm norm{};
    norm.channels = x.dim_size(3);
    norm.pixels = x.NumElements() / norm.channels;
    norm.activation = activation_;
    norm.x = Data(x);
    return norm;
  }

  std::vector<float> InverseDeviations(const float* variance, int64_t channels) const {
    std::vector<float> inverses(channels);
    for (int64_t c = 0; c < channels; ++c) inverses[c] = 1.0f / std::sqrt(variance[c] + epsilon_);
    return inverses;
  }

  // Calls sum(block, sums) for every block.
  template <typename Sum>
  static std::vector<float> SumBlocks(OpKernelContext* context, const nni_cream::BatchNorm& norm,
                                      Sum sum) {
    std::vector<float> sums(norm.blocks() * 2 * norm.channels);
    Share(context, norm.blocks(), norm.block_pixels() * norm.channels,
          [&](int64_t begin, int64_t end) {
            for (int64_t block = begin; block < end; ++block) {
              sum(block, sums.data() + block * 2 * norm.channels);
            }
          });
    return sums;
  }

 private:
  float epsilon_;
  nni_cream::Activation activation_;
};

class BatchNorm : public BatchNormKernel {
 public:
  explicit BatchNorm(OpKernelConstruction* context) : BatchNormKernel(context) {
    OP_REQUIRES_OK(context, context->GetAttr("factor", &factor_));
  }

  void Compute(OpKernelContext* context) override {
    const Tensor& x = context->input(0);
    // Moments that the batch's replace altogether may be left empty.
    OP_REQUIRES(context, Fits(context, x, 1, factor_ == 1.0f ? 3 : 5),
                InvalidArgument("x must be a map, the other inputs have its channels"));
    Tensor* outputs[5];
    for (int i = 0; i < 5; ++i) {
      const tensorflow::TensorShape shape =
          i == 0 ? x.shape() : tensorflow::TensorShape({x.dim_size(3)});
      OP_REQUIRES_OK(context, context->allocate_output(i, shape, &outputs[i]));
    }
    Run(context, NormOf(x), outputs);
  }

 private:
  void Run(OpKernelContext* context, nni_cream::BatchNorm norm, Tensor** outputs) const {
    float* mean = Data(outputs[3]);
    float* variance = Data(outputs[4]);
    const std::vector<float> sums = SumBlocks(
        context, norm, [&](int64_t block, float* sum) { SumMoments(norm, block, sum); });
    FinishMoments(norm, sums.data(), mean, variance);
    std::vector<float> scale = InverseDeviations(variance, norm.channels);
    for (int64_t c = 0; c < norm.channels; ++c) scale[c] *= Data(context->input(1))[c];
    norm.mean = mean;
    norm.scale = scale.data();
    norm.beta = Data(context->input(2));
    Share(context, norm.pixels, norm.channels, [&](int64_t begin, int64_t end) {
      Normalise(norm, begin, end, Data(outputs[0]));
    });
    // The moving variance is the unbiased one.
    const float bias = norm.pixels > 1 ? norm.pixels / (norm.pixels - 1.0f) : 1.0f;
    Blend(norm.channels, Data(context->input(3)), mean, factor_, Data(outputs[1]));
    Blend(norm.channels, Data(context->input(4)), variance, factor_ * bias, Data(outputs[2]));
  }

  void Blend(int64_t channels, const float* old, const float* batch, float factor,
             float* moving) const {
    for (int64_t c = 0; c < channels; ++c) {
      moving[c] = factor * batch[c];
      if (factor_ != 1.0f) moving[c] += (1.0f - factor_) * old[c];
    }
  }

  float factor_;
};

class BatchNormGradient : public BatchNormKernel {
 public:
  using BatchNormKernel::BatchNormKernel;

  void Compute(OpKernelContext* context) override {
    const Tensor& dy = context->input(0);
    const Tensor& x = context->input(1);
    OP_REQUIRES(context, dy.shape() == x.shape() && Fits(context, x, 2, 6),
                InvalidArgument("dy and x must be alike, the other inputs have their channels"));
    Tensor* outputs[3];
    for (int i = 0; i < 3; ++i) {
      const tensorflow::TensorShape shape =
          i == 0 ? x.shape() : tensorflow::TensorShape({x.dim_size(3)});
      OP_REQUIRES_OK(context, context->allocate_output(i, shape, &outputs[i]));
    }
    Run(context, NormOf(x), outputs);
  }

 private:
  void Run(OpKernelContext* context, nni_cream::BatchNorm norm, Tensor** outputs) const {
    const float* dy = Data(context->input(0));
    const int64_t channels = norm.channels;
    const std::vector<float> inverses = InverseDeviations(Data(context->input(5)), channels);
    std::vector<float> scale(channels), slopes(channels), offsets(channels);
    for (int64_t c = 0; c < channels; ++c) scale[c] = Data(context->input(2))[c] * inverses[c];
    norm.beta = Data(context->input(3));
    norm.mean = Data(context->input(4));
    norm.scale = scale.data();
    const std::vector<float> sums = SumBlocks(
        context, norm, [&](int64_t block, float* sum) { SumGradients(norm, dy, block, sum); });
    for (int64_t c = 0; c < channels; ++c) {
      double sum = 0.0, product = 0.0;
      for (int64_t block = 0; block < norm.blocks(); ++block) {
        sum += sums[2 * block * channels + c];
        product += sums[(2 * block + 1) * channels + c];
      }
      Data(outputs[1])[c] = static_cast<float>(product * inverses[c]);
      Data(outputs[2])[c] = static_cast<float>(sum);
      // dx = scale (dz - mean(dz) - xhat mean(dz xhat)), xhat = (x - mean) inverse
      slopes[c] = static_cast<float>(-product * scale[c] * inverses[c] * inverses[c] / norm.pixels);
      offsets[c] = static_cast<float>(-sum * scale[c] / norm.pixels);
    }
    Share(context, norm.pixels, channels, [&](int64_t begin, int64_t end) {
      NormaliseGradient(norm, dy, slopes.data(), offsets.data(), begin, end, Data(outputs[0]));
    });
  }
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

REGISTER_OP("NniCreamBatchNorm")
    .Input("x: float")
    .Input("gamma: float")
    .Input("beta: float")
    .Input("moving_mean: float")
    .Input("moving_variance: float")
    .Output("y: float")
    .Output("new_moving_mean: float")
    .Output("new_moving_variance: float")
    .Output("mean: float")
    .Output("variance: float")
    .Attr("factor: float")
    .Attr("epsilon: float")
    .Attr("activation: int")
    .SetShapeFn(UnknownShape);
NNI_CREAM_KERNEL(BatchNorm);

REGISTER_OP("NniCreamBatchNormGradient")
    .Input("dy: float")
    .Input("x: float")
    .Input("gamma: float")
    .Input("beta: float")
    .Input("mean: float")
    .Input("variance: float")
    .Output("dx: float")
    .Output("d_gamma: float")
    .Output("d_beta: float")
    .Attr("epsilon: float")
    .Attr("activation: int")
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

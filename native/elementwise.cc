// Operations that treat every element by itself.

#include "loops.h"
#include "sigmoid.h"

namespace nni_cream {

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

// The Node module around this project's operations: loading it registers them with TensorFlow.

#include <malloc.h>
#include <node_api.h>

namespace {

// Keeps freed memory in the process. Every step allocates activations of the same sizes; without
// this, glibc returns the large ones to the kernel and page faults cost a good part of the step.
napi_value KeepFreedMemory(napi_env env, napi_callback_info) {
  const bool accepted = mallopt(M_MMAP_MAX, 0) && mallopt(M_TRIM_THRESHOLD, -1) &&
                        mallopt(M_TOP_PAD, 64 << 20);
  napi_value result;
  napi_get_boolean(env, accepted, &result);
  return result;
}

}  // namespace

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "keepFreedMemory", NAPI_AUTO_LENGTH, KeepFreedMemory, nullptr,
                       &function);
  napi_set_named_property(env, exports, "keepFreedMemory", function);
  return exports;
}

// The Node addon. Loading it registers the operations and keeps signals off the threads that
// compute; it exports `endBySignalWithin(limitMs, copyMs)`.

#include <node_api.h>
#include <signal.h>

#include "signals.h"

namespace {

// V8's profiler sends SIGPROF to the thread of JavaScript, which computes too. Its handler asks
// for a stack of its own (SA_ONSTACK): there it harms no heap.
void GiveProfilerStack() {
  static char memory[1 << 16];
  stack_t stack = {};
  stack.ss_sp = memory;
  stack.ss_size = sizeof(memory);
  sigaltstack(&stack, nullptr);
}

napi_value EndBySignalWithin(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2];
  int times[2];
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  for (int i = 0; i < 2; i++) {
    if (napi_get_value_int32(env, arguments[i], &times[i]) == napi_ok) continue;
    napi_throw_type_error(env, nullptr, "endBySignalWithin wants two numbers of milliseconds");
    return nullptr;
  }
  nni_cream::EndBySignalWithin(times[0], times[1]);
  return nullptr;
}

}  // namespace

NAPI_MODULE_INIT() {
  nni_cream::KeepSignalsOffComputation();
  GiveProfilerStack();
  napi_value function;
  napi_create_function(env, "endBySignalWithin", NAPI_AUTO_LENGTH, EndBySignalWithin, nullptr, &function);
  napi_set_named_property(env, exports, "endBySignalWithin", function);
  return exports;
}

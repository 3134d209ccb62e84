// The Node addon. Loading it registers the operations and keeps signals off the threads that
// compute; it exports `endBySignalWithin(milliseconds)`.

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
  size_t count = 1;
  napi_value argument;
  int milliseconds = 0;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  if (napi_get_value_int32(env, argument, &milliseconds) != napi_ok) {
    napi_throw_type_error(env, nullptr, "endBySignalWithin wants milliseconds");
    return nullptr;
  }
  nni_cream::EndBySignalWithin(milliseconds);
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

// The Node addon. Loading it is all that it takes: it exports nothing, the operations register
// themselves, and signals are kept off the threads that compute.

#include <node_api.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <system_error>
#include <thread>

namespace {

// Raised by the thread's own instructions, or sent to one thread by V8's profiler (SIGPROF).
constexpr int kOfTheThread[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGPROF};

// TensorFlow's matrix kernels (oneDNN) point the stack pointer into a buffer on the heap while
// they compute. A signal that arrives then writes its frame there, over the heap. This thread and
// all that it starts from now on, TensorFlow's among them, therefore block the signals that are
// sent to the process. One thread that never computes takes them, so that Node hears of them and
// a default action ends the process as ever.
void KeepSignalsOffComputation() {
  try {
    std::thread([] {
      for (;;) pause();
    }).detach();
  } catch (const std::system_error&) {
    return;  // no thread can be had: a process that hears signals is worth more
  }
  sigset_t sent;
  sigfillset(&sent);
  for (const int signal : kOfTheThread) sigdelset(&sent, signal);
  pthread_sigmask(SIG_BLOCK, &sent, nullptr);
}

// V8's profiler sends SIGPROF to the thread of JavaScript, which computes too. Its handler asks
// for a stack of its own (SA_ONSTACK): there it harms no heap.
void GiveProfilerStack() {
  static char memory[1 << 16];
  stack_t stack = {};
  stack.ss_sp = memory;
  stack.ss_size = sizeof(memory);
  sigaltstack(&stack, nullptr);
}

}  // namespace

NAPI_MODULE_INIT() {
  KeepSignalsOffComputation();
  GiveProfilerStack();
  return exports;
}

#include "signals.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <system_error>
#include <thread>

namespace nni_cream {
namespace {

// Raised by the thread's own instructions, or sent to one thread by V8's profiler (SIGPROF).
constexpr int kOfTheThread[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGPROF};

constexpr std::int64_t kSignals = 128;  // more than there are

std::atomic<int> limit_ms;
std::atomic<int> copy_ms;
// When the first signal came, in milliseconds, times kSignals, and which it was; 0 before.
std::atomic<std::int64_t> first_heard;
static_assert(std::atomic<std::int64_t>::is_always_lock_free, "signal handlers use it");
sem_t asked_to_end;

// Node's handlers, by signal.
struct sigaction heard_by[SIGTERM + 1];

// All that follows up to EndBySignalWithin may run in a signal handler.

void EndBy(int signal) {
  struct sigaction death = {};
  death.sa_handler = SIG_DFL;
  sigaction(signal, &death, nullptr);
  kill(getpid(), signal);
}

std::int64_t NowMs() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * std::int64_t{1000} + now.tv_nsec / 1'000'000;
}

void Hear(int signal, siginfo_t* info, void* context) {
  const int saved_errno = errno;
  const std::int64_t now = NowMs();
  std::int64_t first = 0;
  if (first_heard.compare_exchange_strong(first, now * kSignals + signal)) {
    sem_post(&asked_to_end);
    const struct sigaction& node = heard_by[signal];
    if (node.sa_flags & SA_SIGINFO) node.sa_sigaction(signal, info, context);
    else node.sa_handler(signal);
  } else if (first % kSignals != signal || now - first / kSignals >= copy_ms) {
    EndBy(signal);
  }
  errno = saved_errno;
}

void SayWhy() {
  static constexpr char kText[] =
      "nni-cream: ends without waiting for what is being computed; the last checkpoint holds\n";
  if (write(STDERR_FILENO, kText, sizeof(kText) - 1) < 0) return;
}

// A thread that never computes: it takes signals, so that Node hears of them and a default action
// ends the process as ever, and ends the process that JavaScript does not end in time.
void TakeSignals() {
  while (sem_wait(&asked_to_end) != 0) continue;  // a signal was handled on this thread
  std::this_thread::sleep_for(std::chrono::milliseconds(limit_ms));
  SayWhy();
  EndBy(static_cast<int>(first_heard % kSignals));
}

}  // namespace

// TensorFlow's matrix kernels (oneDNN) point the stack pointer into a buffer on the heap while
// they compute. A signal that arrives then writes its frame there, over the heap. This thread and
// all that it starts from now on, TensorFlow's among them, therefore block the signals that are
// sent to the process.
void KeepSignalsOffComputation() {
  sem_init(&asked_to_end, 0, 0);
  try {
    std::thread(TakeSignals).detach();
  } catch (const std::system_error&) {
    return;  // no thread can be had: a process that hears signals is worth more
  }
  sigset_t sent;
  sigfillset(&sent);
  for (const int signal : kOfTheThread) sigdelset(&sent, signal);
  pthread_sigmask(SIG_BLOCK, &sent, nullptr);
}

// JavaScript hears of a signal between two operations only, and one may take longer than whoever
// sent the signal waits. What was saved is whole at every instant, so the process may just end.
void EndBySignalWithin(int limit, int copy) {
  limit_ms = limit;
  copy_ms = copy;
  for (const int signal : {SIGINT, SIGTERM}) {
    struct sigaction node = {};
    sigaction(signal, nullptr, &node);
    // The two constants and the two kinds of handlers share their place.
    const bool isHandled = node.sa_handler != SIG_DFL && node.sa_handler != SIG_IGN;
    if (!isHandled || node.sa_sigaction == Hear) continue;
    heard_by[signal] = node;
    node.sa_flags |= SA_SIGINFO;
    node.sa_sigaction = Hear;
    sigaction(signal, &node, nullptr);
  }
}

}  // namespace nni_cream

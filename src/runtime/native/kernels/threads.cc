#include "threads.h"

#include <fenv.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace halftone {
namespace {

// How long a thread without work waits before it sleeps: about as long as it takes to wake it up.
constexpr std::chrono::microseconds patience(50);

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

class Pool {
 public:
  void start(int threads) {
    std::lock_guard<std::mutex> guard(oneAtATime_);
    if (workers_ > 0) return;
    // Threads inherit the mask: signals belong to Node's threads.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (int i = 1; i < threads; i++) {
      std::thread([this] { serve(); }).detach();
      workers_++;
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  int threads() const { return workers_ + 1; }

  void run(int64_t count, const std::function<void(int64_t)>& work) {
    std::lock_guard<std::mutex> guard(oneAtATime_);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      work_ = &work;
      count_ = count;
      fegetenv(&arithmetic_);
      next_.store(0);
      const int places = static_cast<int>(std::min<int64_t>(workers_, count - 1));
      places_ = places;
      if (places > 1) wake_.notify_all();
      if (places == 1) wake_.notify_one();
    }
    take(work, count);
    {
      // A worker that has not woken up by now is no longer needed.
      std::lock_guard<std::mutex> lock(mutex_);
      places_ = 0;
    }
    for (int spins = 0; inside_.load(std::memory_order_acquire) > 0; spins++)
      if (spins > 1000) sched_yield();
  }

 private:
  void take(const std::function<void(int64_t)>& work, int64_t count) {
    for (int64_t i; (i = next_.fetch_add(1, std::memory_order_relaxed)) < count;) work(i);
  }

  // The next op of a step mostly comes sooner than a sleeping thread wakes up.
  void expectWork() const {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (places_.load(std::memory_order_relaxed) == 0 && std::chrono::steady_clock::now() < end)
      for (int i = 0; i < 8; i++) relax();
  }

  void serve() {
    for (;;) {
      const std::function<void(int64_t)>* work;
      int64_t count;
      expectWork();
      {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [this] { return places_ > 0; });
        places_--;
        inside_.fetch_add(1);
        work = work_;
        count = count_;
        fesetenv(&arithmetic_);
      }
      take(*work, count);
      inside_.fetch_sub(1, std::memory_order_release);
    }
  }

  std::mutex oneAtATime_;
  int workers_ = 0;

  std::mutex mutex_;
  std::condition_variable wake_;
  // How many more workers may join, and how many work.
  std::atomic<int> places_{0};
  std::atomic<int> inside_{0};
  const std::function<void(int64_t)>* work_ = nullptr;
  int64_t count_ = 0;
  // The caller's rounding and treatment of subnormal numbers, which TensorFlow sets for its ops: a result may not depend on the
  // thread that computed it.
  fenv_t arithmetic_;
  std::atomic<int64_t> next_{0};
};

// Never destroyed, because its threads run until the process ends.
Pool& pool() {
  static Pool* const one = new Pool();
  return *one;
}

}  // namespace

void setThreads(int count) { pool().start(count); }

int threadCount() { return pool().threads(); }

void inThreads(int64_t count, const std::function<void(int64_t)>& work) {
  if (count == 1) return work(0);
  if (count > 1) pool().run(count, work);
}

}  // namespace halftone

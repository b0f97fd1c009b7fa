// Holds back what is written to file descriptor 2 while TensorFlow's libraries are loaded: their static initializers
// write log lines before any log level can be set. Only JavaScript decides what of it is passed on; see quiet-load.ts.
#include "stderr.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

namespace {

// The real stderr, and the file that stands in its place meanwhile.
int real_stderr = -1;
int held_file = -1;

// A fault that ends the process during the load must still say why.
const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
const int fault_count = sizeof(faults) / sizeof(faults[0]);
struct sigaction actions_before[fault_count];

// Only calls that are safe in a signal handler.
void PassAllOn() {
  if (real_stderr < 0) return;
  char bytes[4096];
  off_t at = 0;
  for (ssize_t count; (count = pread(held_file, bytes, sizeof(bytes), at)) > 0; at += count)
    for (ssize_t done = 0, written; done < count; done += written)
      if ((written = write(real_stderr, bytes + done, static_cast<size_t>(count - done))) <= 0) return;
}

void OnFault(int signal) {
  PassAllOn();
  for (int i = 0; i < fault_count; i++)
    if (faults[i] == signal) sigaction(signal, &actions_before[i], nullptr);
  raise(signal);
}

void OnExit() { PassAllOn(); }

void Throw(napi_env env, const char* message) { napi_throw_error(env, nullptr, message); }

}  // namespace

// holdStderr(): from now on file descriptor 2 is a temporary file.
napi_value HoldStderr(napi_env env, napi_callback_info) {
  if (real_stderr >= 0) {
    Throw(env, "holdStderr: stderr is already held");
    return nullptr;
  }
  FILE* file = tmpfile();
  int copy = file ? fcntl(fileno(file), F_DUPFD_CLOEXEC, 3) : -1;
  if (file) fclose(file);
  int real = copy >= 0 ? fcntl(2, F_DUPFD_CLOEXEC, 3) : -1;
  if (real < 0 || dup2(copy, 2) < 0) {
    if (copy >= 0) close(copy);
    if (real >= 0) close(real);
    Throw(env, "holdStderr: there is no stderr, or no temporary file can be made");
    return nullptr;
  }
  held_file = copy;
  real_stderr = real;
  struct sigaction action = {};
  action.sa_handler = OnFault;
  for (int i = 0; i < fault_count; i++) sigaction(faults[i], &action, &actions_before[i]);
  static bool registered = false;
  if (!registered) atexit(OnExit);
  registered = true;
  return nullptr;
}

// releaseStderr(): gives stderr back, and returns the bytes that were written meanwhile.
napi_value ReleaseStderr(napi_env env, napi_callback_info) {
  if (real_stderr < 0) {
    Throw(env, "releaseStderr: stderr is not held");
    return nullptr;
  }
  for (int i = 0; i < fault_count; i++) sigaction(faults[i], &actions_before[i], nullptr);
  fflush(stderr);
  dup2(real_stderr, 2);
  close(real_stderr);
  real_stderr = -1;
  off_t size = lseek(held_file, 0, SEEK_END);
  void* data = nullptr;
  napi_value bytes = nullptr;
  if (napi_create_buffer(env, static_cast<size_t>(size), &data, &bytes) == napi_ok && size > 0)
    pread(held_file, data, static_cast<size_t>(size), 0);
  close(held_file);
  held_file = -1;
  return bytes;
}

// Tells JavaScript which objects have died, within a synchronous loop too: FinalizationRegistry and WeakRef wait for the
// event loop. Compiled against the experimental Node-API, whose finalizers run inside the garbage collection itself;
// there they may touch neither JavaScript nor TensorFlow, so a finalizer only writes down a number.
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <vector>

#include "stderr.h"

namespace {

struct State {
  // Shared with JavaScript, which looks at it before every op: how many keys wait in `dead`.
  int32_t* waiting;
  std::vector<uint32_t> dead;
  std::vector<napi_ref> weak;
  std::vector<uint32_t> unused;
  // The signals that were held back before `hold`.
  sigset_t before;
};

// Lives as long as the thread: finalizers run until the very end of its environment.
State* StateOf(napi_env env) {
  void* state = nullptr;
  napi_get_instance_data(env, &state);
  return static_cast<State*>(state);
}

// Two numbers travel as the finalizer's two pointers, so nothing is allocated for one.
void Died(node_api_basic_env, void* key, void* state_pointer) {
  State* state = static_cast<State*>(state_pointer);
  state->dead.push_back(static_cast<uint32_t>(reinterpret_cast<uintptr_t>(key)));
  *state->waiting = static_cast<int32_t>(state->dead.size());
}

// watch(object, key): when the object dies, `key` waits to be taken.
napi_value Watch(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2];
  void* state;
  napi_get_cb_info(env, info, &count, arguments, nullptr, &state);
  uint32_t key = 0;
  napi_get_value_uint32(env, arguments[1], &key);
  if (napi_add_finalizer(env, arguments[0], reinterpret_cast<void*>(static_cast<uintptr_t>(key)), Died, state, nullptr) != napi_ok)
    napi_throw_type_error(env, nullptr, "watch: expected an object and a number");
  return nullptr;
}

// take(): the keys of the objects that died since the last call.
napi_value Take(napi_env env, napi_callback_info) {
  State* state = StateOf(env);
  napi_value buffer, keys;
  void* data;
  size_t bytes = state->dead.size() * sizeof(uint32_t);
  // Making the buffer may collect garbage, whose keys then wait for the next call.
  size_t taken = state->dead.size();
  if (napi_create_arraybuffer(env, bytes, &data, &buffer) != napi_ok) return nullptr;
  if (taken > 0) std::memcpy(data, state->dead.data(), bytes);
  state->dead.erase(state->dead.begin(), state->dead.begin() + static_cast<std::ptrdiff_t>(taken));
  *state->waiting = static_cast<int32_t>(state->dead.size());
  napi_create_typedarray(env, napi_uint32_array, taken, buffer, 0, &keys);
  return keys;
}

// weaken(object): a number by which `reach` finds the object while it lives. Unlike WeakRef, looking keeps nothing alive.
napi_value Weaken(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value object, number;
  napi_get_cb_info(env, info, &count, &object, nullptr, nullptr);
  State* state = StateOf(env);
  napi_ref reference;
  if (napi_create_reference(env, object, 0, &reference) != napi_ok) {
    napi_throw_type_error(env, nullptr, "weaken: expected an object");
    return nullptr;
  }
  uint32_t at;
  if (state->unused.empty()) {
    at = static_cast<uint32_t>(state->weak.size());
    state->weak.push_back(reference);
  } else {
    at = state->unused.back();
    state->unused.pop_back();
    state->weak[at] = reference;
  }
  napi_create_uint32(env, at, &number);
  return number;
}

bool NumberOf(napi_env env, napi_callback_info info, uint32_t* at) {
  size_t count = 1;
  napi_value number;
  napi_get_cb_info(env, info, &count, &number, nullptr, nullptr);
  return napi_get_value_uint32(env, number, at) == napi_ok && *at < StateOf(env)->weak.size();
}

// reach(number): the object, or undefined when it has died.
napi_value Reach(napi_env env, napi_callback_info info) {
  uint32_t at;
  napi_value object = nullptr;
  if (NumberOf(env, info, &at) && StateOf(env)->weak[at]) napi_get_reference_value(env, StateOf(env)->weak[at], &object);
  return object;
}

// forget(number): gives the number back.
napi_value Forget(napi_env env, napi_callback_info info) {
  uint32_t at;
  if (!NumberOf(env, info, &at)) return nullptr;
  State* state = StateOf(env);
  if (!state->weak[at]) return nullptr;
  napi_delete_reference(env, state->weak[at]);
  state->weak[at] = nullptr;
  state->unused.push_back(at);
  return nullptr;
}

// Seconds from a signal of `endAfter` to the end of the process, and what was done on each before.
unsigned int end_seconds = 0;
struct sigaction before_end[NSIG];

void OnEndingSignal(int signal) {
  // SIGALRM ends the process, whatever its threads do.
  alarm(end_seconds);
  void (*before)(int) = before_end[signal].sa_handler;
  if (before != SIG_DFL && before != SIG_IGN) before(signal);
}

// endAfter(signal, seconds): a process that does not end by itself within that time after the signal is ended.
// What listens to the signal must listen already.
napi_value EndAfter(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2];
  int32_t signal = 0;
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  if (napi_get_value_int32(env, arguments[0], &signal) != napi_ok || signal <= 0 || signal >= NSIG ||
      napi_get_value_uint32(env, arguments[1], &end_seconds) != napi_ok) {
    napi_throw_type_error(env, nullptr, "endAfter: expected the number of a signal and seconds");
    return nullptr;
  }
  struct sigaction action;
  if (sigaction(signal, nullptr, &action) != 0 || action.sa_handler == OnEndingSignal) return nullptr;
  before_end[signal] = action;
  action.sa_handler = OnEndingSignal;
  sigaction(signal, &action, nullptr);
  return nullptr;
}

// hold(true) keeps signals from this thread, and from threads that it starts, until hold(false); see signals.ts.
napi_value Hold(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  void* state_pointer;
  napi_get_cb_info(env, info, &count, &argument, nullptr, &state_pointer);
  State* state = static_cast<State*>(state_pointer);
  bool on = false;
  napi_get_value_bool(env, argument, &on);
  if (!on) {
    pthread_sigmask(SIG_SETMASK, &state->before, nullptr);
    return nullptr;
  }
  sigset_t all;
  sigfillset(&all);
  // What the thread itself does wrong must still end it.
  for (int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS}) sigdelset(&all, fault);
  pthread_sigmask(SIG_BLOCK, &all, &state->before);
  return nullptr;
}

}  // namespace

NAPI_MODULE_INIT() {
  State* state = new State();
  napi_value waiting_buffer, waiting;
  void* data;
  napi_create_arraybuffer(env, sizeof(int32_t), &data, &waiting_buffer);
  state->waiting = static_cast<int32_t*>(data);
  *state->waiting = 0;
  napi_create_typedarray(env, napi_int32_array, 1, waiting_buffer, 0, &waiting);
  // The numbers must outlive every finalizer, whatever JavaScript drops.
  napi_ref held;
  napi_create_reference(env, waiting_buffer, 1, &held);
  napi_set_named_property(env, exports, "waiting", waiting);
  napi_set_instance_data(env, state, nullptr, nullptr);

  const struct {
    const char* name;
    napi_callback call;
  } functions[] = {{"watch", Watch},
                   {"take", Take},
                   {"weaken", Weaken},
                   {"reach", Reach},
                   {"forget", Forget},
                   {"hold", Hold},
                   {"endAfter", EndAfter},
                   {"holdStderr", HoldStderr},
                   {"releaseStderr", ReleaseStderr}};
  for (const auto& function : functions) {
    napi_value value;
    napi_create_function(env, function.name, NAPI_AUTO_LENGTH, function.call, state, &value);
    napi_set_named_property(env, exports, function.name, value);
  }
  return exports;
}

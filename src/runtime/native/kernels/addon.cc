// The Node addon: `register(threads)` makes the kernels known to TensorFlow.
#include <node_api.h>

#include <mutex>
#include <string>

#include "kernel.h"
#include "threads.h"

namespace {

napi_value registerAll(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  int32_t threads = 1;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  napi_get_value_int32(env, argument, &threads);
  // Once in a process, which may load the addon in several threads.
  static std::once_flag once;
  static std::string fault;
  std::call_once(once, [&] {
    halftone::setThreads(threads);
    fault = halftone::registerKernels();
  });
  if (!fault.empty()) napi_throw_error(env, nullptr, fault.c_str());
  return nullptr;
}

}  // namespace

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "register", NAPI_AUTO_LENGTH, registerAll, nullptr, &function);
  napi_set_named_property(env, exports, "register", function);
  return exports;
}

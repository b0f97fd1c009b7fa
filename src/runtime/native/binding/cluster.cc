#include "cluster.h"

#include <dlfcn.h>

#include <atomic>

namespace {

// A ServerDef (tensorflow/core/protobuf/tensorflow_server.proto); empty where there is none.
thread_local std::string server_def;
// The context that is in the cluster; a process has one at most.
std::atomic<TFE_Context*> member{nullptr};

}  // namespace

napi_value halftone::JoinCluster(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  size_t length = 0;
  void* bytes = nullptr;
  napi_get_typedarray_info(env, argument, nullptr, &length, &bytes, nullptr, nullptr);
  server_def.assign(static_cast<const char*>(bytes), length);
  return nullptr;
}

napi_value halftone::AbortCollectives(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  TFE_Context* context = member.load();
  if (!context) return nullptr;
  TF_Status* status = TF_NewStatus();
  TF_SetStatus(status, TF_ABORTED, Text(env, argument).c_str());
  TFE_AbortCollectiveOps(context, status);
  TF_DeleteStatus(status);
  return nullptr;
}

void halftone::EnableCluster(TFE_Context* context, TF_Status* status) {
  if (!server_def.empty() && context && TF_GetCode(status) == TF_OK) {
    TFE_EnableCollectiveOps(context, server_def.data(), server_def.size(), status);
    if (TF_GetCode(status) == TF_OK) member.store(context);
  }
  server_def.clear();
}

// In place of TensorFlow's: the server's threads use the context of a cluster until the process ends.
extern "C" __attribute__((visibility("default"))) void TFE_DeleteContext(TFE_Context* context) {
  static const auto original = reinterpret_cast<void (*)(TFE_Context*)>(dlsym(RTLD_NEXT, "TFE_DeleteContext"));
  if (context != member.load() && original) original(context);
}

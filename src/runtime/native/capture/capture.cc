// The Node addon: `addFunction` makes a graph callable in the context of tfjs' binding, like an op.
//
// The binding does not give its context away. This library is loaded before it, with its symbols visible, so that the
// binding's call of TFE_NewContext arrives here.
#include <dlfcn.h>
#include <node_api.h>

#include <map>
#include <string>
#include <vector>

#include "allocator.h"
#include "graph-options.h"
#include "tensorflow.h"

namespace {

// Every thread that loads the binding has a context of its own.
thread_local TFE_Context* context = nullptr;
// Functions that other functions call, by name.
thread_local std::map<std::string, TF_Function*> called;

class Status {
 public:
  ~Status() { TF_DeleteStatus(status_); }
  TF_Status* get() { return status_; }
  bool ok() const { return TF_GetCode(status_) == TF_OK; }
  std::string message() const { return TF_Message(status_); }

 private:
  TF_Status* status_ = TF_NewStatus();
};

std::string Text(napi_env env, napi_value value) {
  size_t length = 0;
  napi_get_value_string_utf8(env, value, nullptr, 0, &length);
  std::string text(length, '\0');
  napi_get_value_string_utf8(env, value, &text[0], length + 1, &length);
  return text;
}

// The operations that a list of "name:output" names. Returns what is wrong, or nothing.
std::string Endpoints(napi_env env, napi_value list, TF_Graph* graph, std::vector<TF_Output>* endpoints) {
  uint32_t count = 0;
  napi_get_array_length(env, list, &count);
  for (uint32_t i = 0; i < count; i++) {
    napi_value element;
    napi_get_element(env, list, i, &element);
    const std::string text = Text(env, element);
    const size_t colon = text.rfind(':');
    if (colon == std::string::npos) return "expected name:output, got " + text;
    TF_Operation* operation = TF_GraphOperationByName(graph, text.substr(0, colon).c_str());
    if (!operation) return "the graph has no node " + text;
    endpoints->push_back({operation, std::stoi(text.substr(colon + 1))});
  }
  return "";
}

std::string AddGraph(napi_env env, napi_value* arguments, TF_Graph* graph) {
  void* data = nullptr;
  size_t length = 0;
  napi_get_typedarray_info(env, arguments[1], nullptr, &length, &data, nullptr, nullptr);
  Status status;
  for (const auto& each : called) TF_GraphCopyFunction(graph, each.second, nullptr, status.get());
  if (!status.ok()) return status.message();
  TF_Buffer* graph_def = TF_NewBufferFromString(data, length);
  TF_ImportGraphDefOptions* options = TF_NewImportGraphDefOptions();
  TF_GraphImportGraphDef(graph, graph_def, options, status.get());
  TF_DeleteImportGraphDefOptions(options);
  TF_DeleteBuffer(graph_def);
  if (!status.ok()) return status.message();

  std::vector<TF_Output> inputs, outputs;
  std::string fault = Endpoints(env, arguments[2], graph, &inputs);
  if (fault.empty()) fault = Endpoints(env, arguments[3], graph, &outputs);
  if (!fault.empty()) return fault;

  const std::string name = Text(env, arguments[0]);
  TF_Function* function = TF_GraphToFunction(graph, name.c_str(), 0, -1, nullptr, static_cast<int>(inputs.size()),
                                             inputs.data(), static_cast<int>(outputs.size()), outputs.data(), nullptr,
                                             nullptr, nullptr, status.get());
  if (!status.ok()) return status.message();
  bool is_called = false;
  napi_get_value_bool(env, arguments[4], &is_called);
  if (is_called) {
    // AttrValue { b: true }
    const char yes[] = {0x28, 1};
    TF_FunctionSetAttrValueProto(function, "_noinline", yes, sizeof(yes), status.get());
  }
  if (status.ok()) TFE_ContextAddFunction(context, function, status.get());
  if (status.ok() && is_called)
    called[name] = function;
  else
    TF_DeleteFunction(function);
  return status.ok() ? "" : status.message();
}

// addFunction(name, graphDef, ["node:0", ...] inputs, ["node:0", ...] outputs, isCalled): with isCalled, graphs that are added
// later may have nodes that call it, and it stays a graph of its own.
napi_value AddFunction(napi_env env, napi_callback_info info) {
  size_t count = 5;
  napi_value arguments[5];
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  TF_Graph* graph = TF_NewGraph();
  const std::string fault = AddGraph(env, arguments, graph);
  TF_DeleteGraph(graph);
  if (!fault.empty()) napi_throw_error(env, nullptr, fault.c_str());
  return nullptr;
}

// removeFunction(name)
napi_value RemoveFunction(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value name;
  napi_get_cb_info(env, info, &count, &name, nullptr, nullptr);
  Status status;
  TFE_ContextRemoveFunction(context, Text(env, name).c_str(), status.get());
  if (!status.ok()) napi_throw_error(env, nullptr, status.message().c_str());
  return nullptr;
}

// cpuMemory(reset): bytes in use and their peak since the last reset; undefined where they are not counted.
napi_value CpuMemory(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  bool reset = false;
  napi_get_value_bool(env, argument, &reset);
  int64_t bytes[2];
  if (!halftone::CpuMemory(reset, &bytes[0], &bytes[1])) return nullptr;
  napi_value list;
  napi_create_array_with_length(env, 2, &list);
  for (uint32_t i = 0; i < 2; i++) {
    napi_value number;
    napi_create_int64(env, bytes[i], &number);
    napi_set_element(env, list, i, number);
  }
  return list;
}

// hasContext(): whether the binding's context is known in this thread. The quick binding, which is loaded before, may have seen it.
napi_value HasContext(napi_env env, napi_callback_info) {
  if (!context) {
    const auto seen = reinterpret_cast<TFE_Context* (*)()>(dlsym(RTLD_DEFAULT, "halftone_context"));
    if (seen) context = seen();
  }
  napi_value result;
  napi_get_boolean(env, context != nullptr, &result);
  return result;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) TFE_Context* TFE_NewContext(const TFE_ContextOptions* options,
                                                                             TF_Status* status) {
  using New = TFE_Context* (*)(const TFE_ContextOptions*, TF_Status*);
  static const New original = reinterpret_cast<New>(dlsym(RTLD_NEXT, "TFE_NewContext"));
  halftone::SetGraphOptions(options);
  context = original(options, status);
  return context;
}

NAPI_MODULE_INIT() {
  const struct {
    const char* name;
    napi_callback call;
  } functions[] = {{"addFunction", AddFunction}, {"removeFunction", RemoveFunction}, {"cpuMemory", CpuMemory}, {"hasContext", HasContext}};
  for (const auto& each : functions) {
    napi_value function;
    napi_create_function(env, each.name, NAPI_AUTO_LENGTH, each.call, nullptr, &function);
    napi_set_named_property(env, exports, each.name, function);
  }
  return exports;
}

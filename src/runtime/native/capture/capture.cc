// The part of the addon that makes a graph callable in the context of tfjs' binding, like an op.
#include "capture.h"

#include <map>
#include <string>
#include <vector>

#include "../binding/addon.h"

namespace halftone {
namespace {

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
  if (status.ok()) TFE_ContextAddFunction(CurrentContext(), function, status.get());
  if (status.ok() && is_called)
    called[name] = function;
  else
    TF_DeleteFunction(function);
  return status.ok() ? "" : status.message();
}

}  // namespace

// ConfigProto { graph_options { optimizer_options { opt_level: L0 } } }: otherwise TensorFlow merges equal ops of a graph, so that a
// result that is computed twice to save memory, in the forward and in the backward pass, is kept from one to the other.
void SetGraphOptions(const TFE_ContextOptions* options) {
  const unsigned char config[] = {0x52, 13, 0x1a, 11, 0x18, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1};
  Status ignored;
  TFE_ContextOptionsSetConfig(const_cast<TFE_ContextOptions*>(options), config, sizeof(config), ignored.get());
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
  TFE_ContextRemoveFunction(CurrentContext(), Text(env, name).c_str(), status.get());
  if (!status.ok()) napi_throw_error(env, nullptr, status.message().c_str());
  return nullptr;
}

}  // namespace halftone

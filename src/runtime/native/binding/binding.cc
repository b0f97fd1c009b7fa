// The Node addon: makes, frees, reads and computes tensors of numbers in the context of tfjs' binding, with few calls between
// JavaScript and C++. An op's name and attributes are given once, and the numbers of its inputs and the shapes of its results
// pass through memory that both see. The capture's functions are in capture.cc and allocator.cc.
//
// This library is loaded before tfjs' binding, with its symbols visible, so that the binding's calls of TFE_NewContext,
// TFE_NewOp, TFE_OpAddInput and TFE_Execute arrive here. They tell the context, and hand a tensor from one binding to the other.
#include <dlfcn.h>
#include <node_api.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "../capture/allocator.h"
#include "../capture/capture.h"
#include "addon.h"
#include "cluster.h"
#include "small-op.h"
#include "tensorflow.h"

namespace {

using halftone::Text;

// Every thread that loads the binding has a context of its own.
thread_local TFE_Context* context = nullptr;
// The result of tfjs' next op, which is then not computed.
thread_local TFE_TensorHandle* given = nullptr;
// Whether tfjs' next op is not computed, but its input is kept in `taken`.
thread_local bool is_taking = false;
thread_local TFE_TensorHandle* taken = nullptr;
// While an op runs that has donated inputs: those that its kernel gave back because it failed, by their numbers.
thread_local std::unordered_map<int32_t, TFE_TensorHandle*>* returned = nullptr;
thread_local const int32_t* running_inputs = nullptr;

template <typename Function>
Function Original(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}
using NewContext = TFE_Context* (*)(const TFE_ContextOptions*, TF_Status*);
using NewOp = TFE_Op* (*)(TFE_Context*, const char*, TF_Status*);
using AddInput = void (*)(TFE_Op*, TFE_TensorHandle*, TF_Status*);
using Execute = void (*)(TFE_Op*, TFE_TensorHandle**, int*, TF_Status*);
const NewContext new_context = Original<NewContext>("TFE_NewContext");
const NewOp new_op = Original<NewOp>("TFE_NewOp");
const AddInput add_input = Original<AddInput>("TFE_OpAddInput");
const Execute execute = Original<Execute>("TFE_Execute");

struct Attribute {
  // Interned, because TensorFlow keeps the pointer.
  const char* name;
  TF_AttrType type;
  bool is_list = false;
  std::string text;
  std::vector<int64_t> whole;
  std::vector<float> real;
  std::vector<unsigned char> truth;
};

struct Prepared {
  std::string name;
  std::vector<Attribute> attributes;
  halftone::SmallOp small = halftone::SmallOp::none;
};

// Numbers of tensors are below this, and used again only after all others.
constexpr int32_t kLimit = 1 << 29;
// Of `shared`, in numbers of 32 bits.
constexpr size_t kShared = 1 << 20;
constexpr int kMaxRank = 254;

struct State {
  std::unordered_map<int32_t, TFE_TensorHandle*> handles;
  int32_t next = 0;
  std::vector<std::unique_ptr<Prepared>> prepared;
  std::set<std::string> names;
  std::string device;
  int32_t* shared = nullptr;
  TFE_Op* op = nullptr;
  TF_Status* status = TF_NewStatus();

  int32_t Insert(TFE_TensorHandle* handle) {
    while (!handles.emplace(next, handle).second) next = (next + 1) % kLimit;
    const int32_t id = next;
    next = (next + 1) % kLimit;
    return id;
  }
  TFE_TensorHandle* Find(int32_t id) const {
    const auto found = handles.find(id);
    return found == handles.end() ? nullptr : found->second;
  }
};

State* StateOf(napi_env env) {
  void* state = nullptr;
  napi_get_instance_data(env, &state);
  return static_cast<State*>(state);
}

// Throws TensorFlow's error in the form of tfjs' binding.
bool Failed(napi_env env, TF_Status* status) {
  if (TF_GetCode(status) == TF_OK) return false;
  const std::string text =
      "Invalid TF_Status: " + std::to_string(TF_GetCode(status)) + "\nMessage: " + TF_Message(status);
  napi_throw_error(env, nullptr, text.c_str());
  return true;
}

napi_value Unknown(napi_env env, int32_t id) {
  const std::string text = "Input Tensor ID not referenced (tensor_id: " + std::to_string(id) + ")";
  napi_throw_error(env, nullptr, text.c_str());
  return nullptr;
}

napi_value Number(napi_env env, int32_t value) {
  napi_value result;
  napi_create_int32(env, value, &result);
  return result;
}

int32_t Whole(napi_env env, napi_value value) {
  int32_t number = -1;
  napi_get_value_int32(env, value, &number);
  return number;
}

napi_value Property(napi_env env, napi_value object, const char* name) {
  napi_value value;
  napi_get_named_property(env, object, name, &value);
  return value;
}

void AddValue(napi_env env, napi_value value, Attribute* attribute) {
  double number = 0;
  bool truth = false;
  if (attribute->type == TF_ATTR_BOOL) {
    napi_get_value_bool(env, value, &truth);
    attribute->truth.push_back(truth);
  } else if (attribute->type == TF_ATTR_STRING) {
    attribute->text = Text(env, value);
  } else {
    napi_get_value_double(env, value, &number);
    if (attribute->type == TF_ATTR_FLOAT)
      attribute->real.push_back(static_cast<float>(number));
    else
      attribute->whole.push_back(static_cast<int64_t>(number));
  }
}

Attribute AttributeOf(napi_env env, napi_value given, State* state) {
  Attribute attribute;
  attribute.name = state->names.insert(Text(env, Property(env, given, "name"))).first->c_str();
  attribute.type = static_cast<TF_AttrType>(Whole(env, Property(env, given, "type")));
  const napi_value value = Property(env, given, "value");
  napi_is_array(env, value, &attribute.is_list);
  if (!attribute.is_list) {
    AddValue(env, value, &attribute);
    return attribute;
  }
  uint32_t count = 0;
  napi_get_array_length(env, value, &count);
  for (uint32_t i = 0; i < count; i++) {
    napi_value element;
    napi_get_element(env, value, i, &element);
    AddValue(env, element, &attribute);
  }
  return attribute;
}

void SetAttribute(TFE_Op* op, const Attribute& a, TF_Status* status) {
  switch (a.type) {
    case TF_ATTR_STRING:
      return TFE_OpSetAttrString(op, a.name, a.text.data(), a.text.size());
    case TF_ATTR_INT:
      if (a.is_list) return TFE_OpSetAttrIntList(op, a.name, a.whole.data(), static_cast<int>(a.whole.size()));
      return TFE_OpSetAttrInt(op, a.name, a.whole[0]);
    case TF_ATTR_FLOAT:
      if (a.is_list) return TFE_OpSetAttrFloatList(op, a.name, a.real.data(), static_cast<int>(a.real.size()));
      return TFE_OpSetAttrFloat(op, a.name, a.real[0]);
    case TF_ATTR_BOOL:
      if (a.is_list) return TFE_OpSetAttrBoolList(op, a.name, a.truth.data(), static_cast<int>(a.truth.size()));
      return TFE_OpSetAttrBool(op, a.name, a.truth[0]);
    case TF_ATTR_TYPE:
      return TFE_OpSetAttrType(op, a.name, static_cast<TF_DataType>(a.whole[0]));
    case TF_ATTR_SHAPE:
      return TFE_OpSetAttrShape(op, a.name, a.whole.data(), static_cast<int>(a.whole.size()), status);
  }
}

// prepare(name, attributes): a number for `execute`.
napi_value Prepare(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2];
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  State* state = StateOf(env);
  auto prepared = std::make_unique<Prepared>();
  prepared->name = Text(env, arguments[0]);
  uint32_t length = 0;
  napi_get_array_length(env, arguments[1], &length);
  for (uint32_t i = 0; i < length; i++) {
    napi_value attribute;
    napi_get_element(env, arguments[1], i, &attribute);
    prepared->attributes.push_back(AttributeOf(env, attribute, state));
  }
  for (const Attribute& attribute : prepared->attributes)
    if (std::strcmp(attribute.name, "T") == 0 && attribute.type == TF_ATTR_TYPE && !attribute.is_list)
      prepared->small = halftone::SmallOpOf(prepared->name, attribute.whole[0]);
  state->prepared.push_back(std::move(prepared));
  return Number(env, static_cast<int32_t>(state->prepared.size() - 1));
}

// forget(): makes the numbers that `prepare` gave invalid.
napi_value Forget(napi_env env, napi_callback_info) {
  StateOf(env)->prepared.clear();
  return nullptr;
}

// Writes the number, type, rank and sizes of a tensor.
bool Describe(napi_env env, State* state, TFE_TensorHandle* handle, size_t* at) {
  const int rank = TFE_TensorHandleNumDims(handle, state->status);
  if (Failed(env, state->status)) return false;
  int32_t* out = state->shared + *at;
  out[1] = TFE_TensorHandleDataType(handle);
  out[2] = rank;
  for (int i = 0; i < rank; i++) {
    const int64_t size = TFE_TensorHandleDim(handle, i, state->status);
    if (Failed(env, state->status)) return false;
    if (size > INT32_MAX) {
      napi_throw_error(env, nullptr, "an axis of a result has more than 2147483647 elements");
      return false;
    }
    out[3 + i] = static_cast<int32_t>(size);
  }
  out[0] = state->Insert(handle);
  *at += static_cast<size_t>(3 + rank);
  return true;
}

// The op's result without TensorFlow, or null.
TFE_TensorHandle* Small(State* state, const Prepared& prepared, int32_t inputs) {
  if (prepared.small == halftone::SmallOp::none || inputs != 2 || !state->device.empty()) return nullptr;
  TFE_TensorHandle* const found[] = {state->Find(state->shared[0]), state->Find(state->shared[1])};
  if (!found[0] || !found[1]) return nullptr;
  return halftone::ComputeSmall(prepared.small, found, state->status);
}

// Runs an op with donated inputs. TensorFlow lets a kernel write over an input that nothing but the op holds, so they are deleted
// before it, and the op deletes them when it has run.
void ExecuteDonating(State* state, TFE_TensorHandle** made, int* outputs, const std::vector<int32_t>& donated) {
  for (const int32_t id : donated) {
    TFE_DeleteTensorHandle(state->handles.at(id));
    state->handles.erase(id);
  }
  std::unordered_map<int32_t, TFE_TensorHandle*> failed;
  returned = &failed;
  running_inputs = state->shared;
  execute(state->op, made, outputs, state->status);
  returned = nullptr;
  for (const auto& [id, handle] : failed) {
    const bool is_donated = std::find(donated.begin(), donated.end(), id) != donated.end();
    if (!is_donated || !state->handles.emplace(id, handle).second) TFE_DeleteTensorHandle(handle);
  }
}

// execute(prepared, inputs, outputs, donated): reads the numbers of the inputs, and after them those of the donated ones, from
// `shared`, and writes the descriptions of the outputs there.
napi_value Run(napi_env env, napi_callback_info info) {
  size_t count = 4;
  napi_value arguments[4];
  void* data;
  napi_get_cb_info(env, info, &count, arguments, nullptr, &data);
  State* state = static_cast<State*>(data);
  TF_Status* status = state->status;
  const Prepared& prepared = *state->prepared[static_cast<size_t>(Whole(env, arguments[0]))];
  const int32_t inputs = Whole(env, arguments[1]);
  int outputs = Whole(env, arguments[2]);
  const int32_t donated = Whole(env, arguments[3]);
  size_t at = 0;
  if (TFE_TensorHandle* made = Small(state, prepared, inputs)) {
    if (!Describe(env, state, made, &at)) TFE_DeleteTensorHandle(made);
    return nullptr;
  }
  if (state->op)
    TFE_OpReset(state->op, prepared.name.c_str(), nullptr, status);
  else
    state->op = new_op(context, prepared.name.c_str(), status);
  if (Failed(env, status)) return nullptr;
  for (int32_t i = 0; i < inputs; i++) {
    TFE_TensorHandle* handle = state->Find(state->shared[i]);
    if (!handle) return Unknown(env, state->shared[i]);
    add_input(state->op, handle, status);
    if (Failed(env, status)) return nullptr;
  }
  for (const Attribute& attribute : prepared.attributes) {
    SetAttribute(state->op, attribute, status);
    if (Failed(env, status)) return nullptr;
  }
  TFE_TensorHandle* few[8] = {};
  std::vector<TFE_TensorHandle*> many(outputs > 8 ? static_cast<size_t>(outputs) : 0, nullptr);
  TFE_TensorHandle** made = outputs > 8 ? many.data() : few;
  if (donated == 0)
    execute(state->op, made, &outputs, status);
  else
    ExecuteDonating(state, made, &outputs, {state->shared + inputs, state->shared + inputs + donated});
  if (Failed(env, status)) return nullptr;
  for (int i = 0; i < outputs; i++) {
    if (Describe(env, state, made[i], &at)) continue;
    for (; i < outputs; i++) TFE_DeleteTensorHandle(made[i]);
    return nullptr;
  }
  return nullptr;
}

// create(type, rank, values): a tensor with the sizes in `shared` and a copy of the values.
napi_value Create(napi_env env, napi_callback_info info) {
  size_t count = 3;
  napi_value arguments[3];
  void* data;
  napi_get_cb_info(env, info, &count, arguments, nullptr, &data);
  State* state = static_cast<State*>(data);
  const TF_DataType type = static_cast<TF_DataType>(Whole(env, arguments[0]));
  const int rank = Whole(env, arguments[1]);
  int64_t dimensions[kMaxRank];
  for (int i = 0; i < rank; i++) dimensions[i] = state->shared[i];
  napi_typedarray_type kind;
  size_t length = 0;
  void* values = nullptr;
  napi_get_typedarray_info(env, arguments[2], &kind, &length, &values, nullptr, nullptr);
  const size_t bytes = length * (kind == napi_uint8_array ? 1 : 4);
  TF_Tensor* tensor = TF_AllocateTensor(type, dimensions, rank, bytes);
  if (!tensor) {
    napi_throw_error(env, nullptr, "Invalid TF_Status: 8\nMessage: there is no memory for the values of a tensor");
    return nullptr;
  }
  if (bytes > 0) std::memcpy(TF_TensorData(tensor), values, bytes);
  TFE_TensorHandle* handle = TFE_NewTensorHandle(tensor, state->status);
  TF_DeleteTensor(tensor);
  if (Failed(env, state->status)) return nullptr;
  // Most kernels of a GPU expect int32 tensors in the host's memory.
  if (!state->device.empty() && type != TF_INT32) {
    TFE_TensorHandle* moved = TFE_TensorHandleCopyToDevice(handle, context, state->device.c_str(), state->status);
    TFE_DeleteTensorHandle(handle);
    if (Failed(env, state->status)) return nullptr;
    handle = moved;
  }
  return Number(env, state->Insert(handle));
}

// remove(number)
napi_value Remove(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  void* data;
  napi_get_cb_info(env, info, &count, &argument, nullptr, &data);
  State* state = static_cast<State*>(data);
  const int32_t id = Whole(env, argument);
  const auto found = state->handles.find(id);
  if (found == state->handles.end()) {
    const std::string text = "Delete called on a Tensor not referenced (tensor_id: " + std::to_string(id) + ")";
    napi_throw_error(env, nullptr, text.c_str());
    return nullptr;
  }
  TFE_DeleteTensorHandle(found->second);
  state->handles.erase(found);
  return nullptr;
}

// read(number): a typed array with the values.
napi_value Read(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  void* data;
  napi_get_cb_info(env, info, &count, &argument, nullptr, &data);
  State* state = static_cast<State*>(data);
  TFE_TensorHandle* handle = state->Find(Whole(env, argument));
  if (!handle) return Unknown(env, Whole(env, argument));
  napi_typedarray_type kind;
  size_t width = 4;
  switch (const TF_DataType type = TFE_TensorHandleDataType(handle)) {
    case TF_FLOAT:
    case TF_COMPLEX64:
      kind = napi_float32_array;
      break;
    case TF_INT32:
      kind = napi_int32_array;
      break;
    case TF_INT64:
      kind = napi_bigint64_array;
      width = 8;
      break;
    case TF_BOOL:
      kind = napi_uint8_array;
      width = 1;
      break;
    default: {
      const std::string text = "Unhandled TF_DataType: " + std::to_string(type);
      napi_throw_error(env, nullptr, text.c_str());
      return nullptr;
    }
  }
  TF_Tensor* tensor = TFE_TensorHandleResolve(handle, state->status);
  if (Failed(env, state->status)) return nullptr;
  const size_t bytes = TF_TensorByteSize(tensor);
  napi_value buffer, array = nullptr;
  void* copy = nullptr;
  if (napi_create_arraybuffer(env, bytes, &copy, &buffer) == napi_ok) {
    if (bytes > 0) std::memcpy(copy, TF_TensorData(tensor), bytes);
    napi_create_typedarray(env, kind, bytes / width, buffer, 0, &array);
  }
  TF_DeleteTensor(tensor);
  return array;
}

// give(number): tfjs' next op is not computed, and its result is this tensor.
napi_value Give(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  State* state = StateOf(env);
  TFE_TensorHandle* handle = state->Find(Whole(env, argument));
  if (!handle) return Unknown(env, Whole(env, argument));
  given = TFE_TensorHandleCopySharingTensor(handle, state->status);
  Failed(env, state->status);
  return nullptr;
}

// take(): tfjs' next op fails.
napi_value Take(napi_env, napi_callback_info) {
  is_taking = true;
  return nullptr;
}

// takenTensor(): the number of a tensor with the input of that op, or -1.
napi_value Taken(napi_env env, napi_callback_info) {
  is_taking = false;
  if (!taken) return Number(env, -1);
  const int32_t id = StateOf(env)->Insert(taken);
  taken = nullptr;
  return Number(env, id);
}

// Before tfjs' binding deletes the context.
void End(void* data) {
  State* state = static_cast<State*>(data);
  if (state->op) TFE_DeleteOp(state->op);
  for (const auto& each : state->handles) TFE_DeleteTensorHandle(each.second);
  state->handles.clear();
  state->op = nullptr;
}

// open(id): called when tfjs' binding is loaded, with a tensor that `take` has fetched from it. Returns whether the context is
// known.
napi_value Open(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  State* state = StateOf(env);
  TFE_TensorHandle* handle = state->Find(Whole(env, argument));
  bool is_known = context != nullptr && handle != nullptr && new_op && add_input && execute;
  if (is_known) {
    const char* device = TFE_TensorHandleBackingDeviceName(handle, state->status);
    if (Failed(env, state->status)) return nullptr;
    if (device && std::strstr(device, "GPU")) state->device = device;
    napi_add_env_cleanup_hook(env, End, state);
  }
  napi_value result;
  napi_get_boolean(env, is_known, &result);
  return result;
}

// size(): the number of tensors.
napi_value Size(napi_env env, napi_callback_info) {
  return Number(env, static_cast<int32_t>(StateOf(env)->handles.size()));
}

}  // namespace

TFE_Context* halftone::CurrentContext() { return context; }

std::string halftone::Text(napi_env env, napi_value value) {
  size_t length = 0;
  napi_get_value_string_utf8(env, value, nullptr, 0, &length);
  std::string text(length, '\0');
  napi_get_value_string_utf8(env, value, &text[0], length + 1, &length);
  return text;
}

#define VISIBLE extern "C" __attribute__((visibility("default")))

VISIBLE TFE_Context* TFE_NewContext(const TFE_ContextOptions* options, TF_Status* status) {
  halftone::SetGraphOptions(options);
  context = new_context(options, status);
  halftone::EnableCluster(context, status);
  return context;
}

VISIBLE TFE_Op* TFE_NewOp(TFE_Context* of, const char* name, TF_Status* status) {
  context = of;
  return new_op(of, name, status);
}

VISIBLE void TFE_OpAddInput(TFE_Op* op, TFE_TensorHandle* handle, TF_Status* status) {
  if (is_taking)
    taken = TFE_TensorHandleCopySharingTensor(handle, status);
  else
    add_input(op, handle, status);
}

VISIBLE void TFE_Execute(TFE_Op* op, TFE_TensorHandle** outputs, int* count, TF_Status* status) {
  if (is_taking) {
    TF_SetStatus(status, TF_ABORTED, "the input was taken");
  } else if (given) {
    outputs[0] = given;
    *count = 1;
    given = nullptr;
  } else {
    execute(op, outputs, count, status);
  }
}

// Called by a kernel of this package that fails, before it has changed anything, for each of its inputs.
VISIBLE void HalftoneReturnInput(int input, const TF_Tensor* tensor) {
  if (!returned) return;
  TF_Status* status = TF_NewStatus();
  TFE_TensorHandle* handle = TFE_NewTensorHandle(tensor, status);
  if (TF_GetCode(status) == TF_OK && !returned->emplace(running_inputs[input], handle).second) TFE_DeleteTensorHandle(handle);
  TF_DeleteStatus(status);
}

NAPI_MODULE_INIT() {
  State* state = new State();
  napi_set_instance_data(env, state, [](napi_env, void* data, void*) { delete static_cast<State*>(data); }, nullptr);
  napi_value buffer, shared;
  void* memory;
  napi_create_arraybuffer(env, kShared * sizeof(int32_t), &memory, &buffer);
  state->shared = static_cast<int32_t*>(memory);
  // It must stay, whatever JavaScript drops.
  napi_ref held;
  napi_create_reference(env, buffer, 1, &held);
  napi_create_typedarray(env, napi_int32_array, kShared, buffer, 0, &shared);
  napi_set_named_property(env, exports, "shared", shared);
  const struct {
    const char* name;
    napi_callback call;
  } functions[] = {{"prepare", Prepare},
                   {"forget", Forget},
                   {"execute", Run},
                   {"create", Create},
                   {"remove", Remove},
                   {"read", Read},
                   {"give", Give},
                   {"take", Take},
                   {"takenTensor", Taken},
                   {"open", Open},
                   {"size", Size},
                   {"joinCluster", halftone::JoinCluster},
                   {"abortCollectives", halftone::AbortCollectives},
                   {"addFunction", halftone::AddFunction},
                   {"removeFunction", halftone::RemoveFunction},
                   {"cpuMemory", halftone::CpuMemory}};
  for (const auto& each : functions) {
    napi_value function;
    napi_create_function(env, each.name, NAPI_AUTO_LENGTH, each.call, state, &function);
    napi_set_named_property(env, exports, each.name, function);
  }
  return exports;
}

// What every kernel uses: its inputs and outputs, its attributes, and its registration with TensorFlow.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "storage.h"
#include "tensorflow.h"

namespace halftone {

using Shape = std::vector<int64_t>;

// A tensor of the running op.
class Tensor {
 public:
  explicit Tensor(TF_Tensor* tensor) : tensor_(tensor) {}
  Tensor(Tensor&& other) : tensor_(other.tensor_) { other.tensor_ = nullptr; }
  Tensor(const Tensor&) = delete;
  Tensor& operator=(const Tensor&) = delete;
  ~Tensor() {
    if (tensor_) TF_DeleteTensor(tensor_);
  }

  TF_DataType type() const { return TF_TensorType(tensor_); }
  int rank() const { return TF_NumDims(tensor_); }
  // The size of an axis; a negative one counts from the end.
  int64_t size(int axis) const { return TF_Dim(tensor_, axis < 0 ? rank() + axis : axis); }
  int64_t size() const { return TF_TensorElementCount(tensor_); }
  Shape shape() const {
    Shape shape(rank());
    for (int i = 0; i < rank(); i++) shape[i] = size(i);
    return shape;
  }
  template <class T>
  T* data() const {
    return static_cast<T*>(TF_TensorData(tensor_));
  }

 private:
  TF_Tensor* tensor_;
};

// One run of an op. A fault is thrown as a message.
class Run {
 public:
  explicit Run(TF_OpKernelContext* context);
  ~Run();
  int inputs() const { return TF_NumInputs(context_); }
  Tensor input(int i);
  Tensor output(int i, TF_DataType type, const Shape& shape);
  // Output i in the type and shape of the first of some inputs, and in the memory of one of them if the running op is the last that
  // uses it, as in a captured step. Each element may be written once it has been read. To be called before those inputs are taken,
  // which counts as a use.
  Tensor outputOver(const std::vector<int>& inputs, int i);
  // Ends the op with an error. Nothing may have been written yet.
  void fail(const std::string& message);

 private:
  void check();
  TF_OpKernelContext* context_;
  TF_Status* status_;
};

void require(bool condition, const char* message);

// The attributes of an op, read once for all of its runs.
class Attributes {
 public:
  explicit Attributes(TF_OpKernelConstruction* construction);
  ~Attributes();
  bool flag(const char* name);
  float number(const char* name);
  int64_t integer(const char* name);
  TF_DataType type(const char* name);

 private:
  TF_OpKernelConstruction* construction_;
  TF_Status* status_;
};

// An op's declaration in TensorFlow's notation ("x: T").
struct Declaration {
  const char* name;
  std::vector<const char*> attributes, inputs, outputs;
};

using Create = void* (*)(TF_OpKernelConstruction*);
using Compute = void (*)(void*, TF_OpKernelContext*);
using Destroy = void (*)(void*);

void declare(const Declaration&, Create, Compute, Destroy);

// Declares the op that `Kernel` computes: it is made of `Attributes`, and has `void operator()(Run&) const`.
template <class Kernel>
struct Registration {
  explicit Registration(const Declaration& declaration) {
    declare(
        declaration,
        [](TF_OpKernelConstruction* construction) -> void* {
          Attributes attributes(construction);
          return new Kernel(attributes);
        },
        [](void* kernel, TF_OpKernelContext* context) {
          Run run(context);
          try {
            (*static_cast<const Kernel*>(kernel))(run);
          } catch (const std::string& message) {
            run.fail(message);
          }
        },
        [](void* kernel) { delete static_cast<Kernel*>(kernel); });
  }
};

// Registers every declared op with TensorFlow; returns what went wrong, or an empty text.
std::string registerKernels();

// The type of a list of attributes for every storage type.
#define ANY_STORAGE "{float, bfloat16, half}"

// Calls work with a null pointer to the storage type: byStorage(type, [&](auto* t) { using T = Pointee<decltype(t)>; ... }).
template <class Work>
void byStorage(TF_DataType type, const Work& work) {
  if (type == TF_FLOAT) work(static_cast<float*>(nullptr));
  if (type == TF_BFLOAT16) work(static_cast<bfloat16*>(nullptr));
  if (type == TF_HALF) work(static_cast<float16*>(nullptr));
}
template <class Pointer>
using Pointee = typename std::remove_pointer<Pointer>::type;

}  // namespace halftone

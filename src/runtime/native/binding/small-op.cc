#include "small-op.h"

#include <algorithm>
#include <memory>
#include <type_traits>

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

namespace halftone {
namespace {

// More numbers are worth TensorFlow's threads.
constexpr int64_t kMost = 8192;
constexpr int kMaxRank = 8;

// Takes and gives 0 for numbers that float32 holds with fewer digits (subnormal ones), as TensorFlow's ops do.
#if defined(__SSE2__)
class FlushSubnormals {
 public:
  FlushSubnormals() : before_(_mm_getcsr()) { _mm_setcsr(before_ | 0x8040); }
  ~FlushSubnormals() { _mm_setcsr(before_); }

 private:
  unsigned before_;
};
#elif defined(__aarch64__)
class FlushSubnormals {
 public:
  FlushSubnormals() {
    asm volatile("mrs %0, fpcr" : "=r"(before_));
    asm volatile("msr fpcr, %0" : : "r"(before_ | 1ull << 24));
  }
  ~FlushSubnormals() { asm volatile("msr fpcr, %0" : : "r"(before_)); }

 private:
  uint64_t before_;
};
#endif

struct Shape {
  int rank = -1;
  int64_t sizes[kMaxRank], size = 1;
};

// The rank is -1 where the tensor has too many axes.
Shape ShapeOf(TFE_TensorHandle* x, TF_Status* status) {
  Shape shape;
  const int rank = TFE_TensorHandleNumDims(x, status);
  if (TF_GetCode(status) != TF_OK || rank < 0 || rank > kMaxRank) return shape;
  for (int i = 0; i < rank; i++) {
    shape.sizes[i] = TFE_TensorHandleDim(x, i, status);
    if (TF_GetCode(status) != TF_OK) return shape;
    shape.size *= shape.sizes[i];
  }
  shape.rank = rank;
  return shape;
}

// Whether the sizes of `b` are the last ones of `a`, so that the numbers of `b` repeat along `a`.
bool Repeats(const Shape& b, const Shape& a) {
  return b.rank <= a.rank && std::equal(b.sizes, b.sizes + b.rank, a.sizes + (a.rank - b.rank));
}

struct DeleteTensor {
  void operator()(TF_Tensor* tensor) const { TF_DeleteTensor(tensor); }
};
using OwnTensor = std::unique_ptr<TF_Tensor, DeleteTensor>;

template <class Operation>
void Apply(const float* a, int64_t a_size, const float* b, int64_t b_size, float* y, int64_t size, Operation of) {
  const int64_t width = std::min(a_size, b_size);
  if (a_size == b_size) {
    for (int64_t i = 0; i < size; i++) y[i] = of(a[i], b[i]);
  } else if (width == 1 && a_size == 1) {
    for (int64_t i = 0; i < size; i++) y[i] = of(a[0], b[i]);
  } else if (width == 1) {
    for (int64_t i = 0; i < size; i++) y[i] = of(a[i], b[0]);
  } else {
    for (int64_t from = 0; from < size; from += width) {
      const float* one = a + (a_size == width ? 0 : from);
      const float* other = b + (b_size == width ? 0 : from);
      for (int64_t i = 0; i < width; i++) y[from + i] = of(one[i], other[i]);
    }
  }
}

TFE_TensorHandle* Arithmetic(SmallOp op, TFE_TensorHandle* const* inputs, TF_Status* status) {
  for (int i = 0; i < 2; i++)
    if (TFE_TensorHandleDataType(inputs[i]) != TF_FLOAT) return nullptr;
  const Shape a = ShapeOf(inputs[0], status), b = ShapeOf(inputs[1], status);
  if (a.rank < 0 || b.rank < 0) return nullptr;
  const bool is_first = Repeats(b, a);
  if (!is_first && !Repeats(a, b)) return nullptr;
  const Shape& shape = is_first ? a : b;
  if (shape.size == 0 || shape.size > kMost) return nullptr;
  const float* x = static_cast<const float*>(TFE_TensorHandleDevicePointer(inputs[0], status));
  const float* z = static_cast<const float*>(TFE_TensorHandleDevicePointer(inputs[1], status));
  if (TF_GetCode(status) != TF_OK) return nullptr;
  const OwnTensor result(TF_AllocateTensor(TF_FLOAT, shape.sizes, shape.rank, static_cast<size_t>(shape.size) * 4));
  if (!result) return nullptr;
  float* y = static_cast<float*>(TF_TensorData(result.get()));
  const auto apply = [&](auto of) { Apply(x, a.size, z, b.size, y, shape.size, of); };
  {
    const FlushSubnormals flush;
    if (op == SmallOp::add) apply([](float p, float q) { return p + q; });
    if (op == SmallOp::subtract) apply([](float p, float q) { return p - q; });
    if (op == SmallOp::multiply) apply([](float p, float q) { return p * q; });
    if (op == SmallOp::divide) apply([](float p, float q) { return p / q; });
  }
  return TFE_NewTensorHandle(result.get(), status);
}

// The result shares the memory of the input, as TensorFlow's does.
TFE_TensorHandle* Reshape(TFE_TensorHandle* const* inputs, TF_Status* status) {
  const Shape from = ShapeOf(inputs[0], status), given = ShapeOf(inputs[1], status);
  if (from.rank < 0 || from.size == 0 || given.rank != 1 || given.size > kMaxRank) return nullptr;
  if (TFE_TensorHandleDataType(inputs[1]) != TF_INT32) return nullptr;
  const int32_t* sizes = static_cast<const int32_t*>(TFE_TensorHandleDevicePointer(inputs[1], status));
  if (TF_GetCode(status) != TF_OK) return nullptr;
  int64_t shape[kMaxRank], size = 1;
  int unknown = -1;
  for (int i = 0; i < given.size; i++) {
    shape[i] = sizes[i];
    if (sizes[i] >= 0) {
      size *= sizes[i];
    } else {
      if (sizes[i] != -1 || unknown >= 0) return nullptr;
      unknown = i;
    }
  }
  if (size == 0) return nullptr;
  if (unknown >= 0) size *= shape[unknown] = from.size / size;
  if (size != from.size) return nullptr;
  const OwnTensor source(TFE_TensorHandleResolve(inputs[0], status));
  if (TF_GetCode(status) != TF_OK) return nullptr;
  const int64_t none = 0;
  const TF_DataType type = TFE_TensorHandleDataType(inputs[0]);
  const OwnTensor view(TF_AllocateTensor(type, &none, 1, 0));
  TF_TensorBitcastFrom(source.get(), type, view.get(), shape, static_cast<int>(given.size), status);
  return TF_GetCode(status) == TF_OK ? TFE_NewTensorHandle(view.get(), status) : nullptr;
}

int BytesOf(TF_DataType type) {
  switch (static_cast<int>(type)) {
    case TF_BOOL:
      return 1;
    case 14:  // bfloat16
    case 19:  // half
      return 2;
    case TF_FLOAT:
    case TF_INT32:
      return 4;
    case 2:  // double
      return 8;
    default:
      return 0;
  }
}

template <class T>
void Permute(const T* x, T* y, const Shape& shape, const int64_t* steps) {
  const int last = shape.rank - 1;
  const int64_t width = shape.sizes[last], step = steps[last];
  int64_t at[kMaxRank] = {}, from = 0;
  for (int64_t row = 0; row < shape.size / width; row++) {
    for (int64_t i = 0; i < width; i++) *y++ = x[from + i * step];
    for (int axis = last - 1; axis >= 0; axis--) {
      from += steps[axis];
      if (++at[axis] < shape.sizes[axis]) break;
      from -= steps[axis] * shape.sizes[axis];
      at[axis] = 0;
    }
  }
}

TFE_TensorHandle* Transpose(TFE_TensorHandle* const* inputs, TF_Status* status) {
  const Shape from = ShapeOf(inputs[0], status), given = ShapeOf(inputs[1], status);
  const TF_DataType type = TFE_TensorHandleDataType(inputs[0]);
  const int bytes = BytesOf(type);
  if (bytes == 0 || from.rank < 1 || from.size == 0 || from.size > kMost) return nullptr;
  if (given.rank != 1 || given.size != from.rank || TFE_TensorHandleDataType(inputs[1]) != TF_INT32) return nullptr;
  const int32_t* axes = static_cast<const int32_t*>(TFE_TensorHandleDevicePointer(inputs[1], status));
  const void* x = TFE_TensorHandleDevicePointer(inputs[0], status);
  if (TF_GetCode(status) != TF_OK) return nullptr;
  int64_t strides[kMaxRank], steps[kMaxRank];
  for (int i = from.rank - 1, stride = 1; i >= 0; stride *= static_cast<int>(from.sizes[i--])) strides[i] = stride;
  Shape shape;
  shape.rank = from.rank;
  shape.size = from.size;
  unsigned seen = 0;
  for (int i = 0; i < from.rank; i++) {
    const int32_t axis = axes[i];
    if (axis < 0 || axis >= from.rank) return nullptr;
    seen |= 1u << axis;
    shape.sizes[i] = from.sizes[axis];
    steps[i] = strides[axis];
  }
  if (seen != (1u << from.rank) - 1) return nullptr;
  const OwnTensor result(TF_AllocateTensor(type, shape.sizes, shape.rank, static_cast<size_t>(shape.size * bytes)));
  if (!result) return nullptr;
  const auto permute = [&](auto* of) {
    using T = std::remove_pointer_t<decltype(of)>;
    Permute(static_cast<const T*>(x), static_cast<T*>(TF_TensorData(result.get())), shape, steps);
  };
  if (bytes == 1) permute(static_cast<uint8_t*>(nullptr));
  if (bytes == 2) permute(static_cast<uint16_t*>(nullptr));
  if (bytes == 4) permute(static_cast<uint32_t*>(nullptr));
  if (bytes == 8) permute(static_cast<uint64_t*>(nullptr));
  return TFE_NewTensorHandle(result.get(), status);
}

}  // namespace
}  // namespace halftone

halftone::SmallOp halftone::SmallOpOf(const std::string& name, int64_t type) {
  // Strings, resources and variants are no numbers.
  if (name == "Reshape") return type == 7 || type == 20 || type == 21 ? SmallOp::none : SmallOp::reshape;
  if (name == "Transpose") return SmallOp::transpose;
  if (type != TF_FLOAT) return SmallOp::none;
#if defined(__SSE2__) || defined(__aarch64__)
  if (name == "Add" || name == "AddV2") return SmallOp::add;
  if (name == "Sub") return SmallOp::subtract;
  if (name == "Mul") return SmallOp::multiply;
  if (name == "RealDiv") return SmallOp::divide;
#endif
  return SmallOp::none;
}

TFE_TensorHandle* halftone::ComputeSmall(SmallOp op, TFE_TensorHandle* const* inputs, TF_Status* status) {
  TFE_TensorHandle* result = op == SmallOp::reshape     ? Reshape(inputs, status)
                             : op == SmallOp::transpose ? Transpose(inputs, status)
                                                        : Arithmetic(op, inputs, status);
  // TensorFlow will say what is wrong.
  if (!result) TF_SetStatus(status, TF_OK, "");
  return result;
}

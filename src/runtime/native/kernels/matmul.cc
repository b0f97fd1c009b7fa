// The op of matrix products: [..., m, k] by [..., k, n], each stored transposed where said so; batch axes broadcast. A float32 bias
// [n] may be added to each row, and a rectifier follow.
#include <optional>

#include "product.h"

namespace halftone {
namespace {

// The batch axes of a result, and where each of its matrices begins in an operand.
struct Batches {
  Batches(const Tensor& a, const Tensor& b) {
    const Shape x = a.shape(), y = b.shape();
    const int rank = std::max(a.rank(), b.rank()) - 2;
    shape.resize(rank);
    for (int i = 0; i < rank; i++) {
      const int64_t one = sizeAt(x, rank, i), other = sizeAt(y, rank, i);
      require(one == other || one == 1 || other == 1, "the batch axes of the matrices do not broadcast");
      shape[i] = one == 1 ? other : one;
    }
    ofA = begins(x);
    ofB = begins(y);
  }
  Shape shape;
  std::vector<int64_t> ofA, ofB;

 private:
  static int64_t sizeAt(const Shape& x, int rank, int axis) {
    const int own = axis - rank + static_cast<int>(x.size()) - 2;
    return own < 0 ? 1 : x[own];
  }
  std::vector<int64_t> begins(const Shape& x) const {
    const int rank = static_cast<int>(shape.size());
    std::vector<int64_t> all{0};
    int64_t stride = x[x.size() - 1] * x[x.size() - 2];
    // From the last axis on, each repeats what is within it.
    for (int i = rank - 1; i >= 0; i--) {
      const int64_t own = sizeAt(x, rank, i);
      const std::vector<int64_t> within = std::move(all);
      all.clear();
      for (int64_t j = 0; j < shape[i]; j++)
        for (const int64_t begin : within) all.push_back(begin + (own == 1 ? 0 : j * stride));
      stride *= own;
    }
    return all;
  }
};

struct MatMul {
  explicit MatMul(Attributes& attributes)
      : transposesA(attributes.flag("transpose_a")),
        transposesB(attributes.flag("transpose_b")),
        rectifies(attributes.flag("rectifies")),
        biases(attributes.integer("biases") > 0) {}
  void operator()(Run& run) const {
    const Tensor a = run.input(0), b = run.input(1);
    require(a.rank() >= 2 && b.rank() >= 2, "a matrix has two axes at least");
    const Batches batches(a, b);
    Product p{};
    p.type = a.type();
    p.rows = a.size(transposesA ? -1 : -2);
    p.depth = a.size(transposesA ? -2 : -1);
    p.columns = b.size(transposesB ? -2 : -1);
    require(p.depth == b.size(transposesB ? -1 : -2), "Matrix size-incompatible");
    p.transposesA = transposesA;
    p.transposesB = transposesB;
    p.aBegins = batches.ofA;
    p.bBegins = batches.ofB;
    Shape shape = batches.shape;
    shape.insert(shape.end(), {p.rows, p.columns});
    const Tensor y = run.output(0, p.type, shape);
    if (y.size() == 0) return;
    std::optional<Tensor> bias;
    if (biases) {
      bias.emplace(run.input(2));
      require(bias->size() == p.columns, "the bias must have one element for each column");
      p.bias = bias->data<float>();
    }
    p.rectifies = rectifies;
    p.a = a.data<void>();
    p.b = b.data<void>();
    p.y = y.data<void>();
    multiply(p);
  }
  bool transposesA, transposesB, rectifies, biases;
};

const Registration<MatMul> matMul(
    {"HalftoneMatMul",
     {"T: " ANY_STORAGE, "transpose_a: bool", "transpose_b: bool", "rectifies: bool", "biases: int >= 0"},
     {"a: T", "b: T", "bias: biases * float"},
     {"y: T"}});

}  // namespace
}  // namespace halftone

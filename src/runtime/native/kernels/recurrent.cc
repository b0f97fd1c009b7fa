// One step of a recurrent cell, apart from its products with weights, and its gradient. Gates stand side by side, as in PyTorch:
// input, forget, content and output of an LSTM (Hochreiter and Schmidhuber 1997), reset, update and content of a GRU (Cho et al. 2014).
#include "functions.h"
#include "kernel.h"
#include "threads.h"

namespace halftone {
namespace {

struct Rows {
  int64_t from, to, width;
};

INLINE float slopeOfSigmoid(float y) { return y * (1.f - y); }
INLINE float slopeOfTanh(float y) { return 1.f - y * y; }

// `bias` may be null. `kept` has the gates and the hyperbolic tangent of the new cell.
EVERY_PROCESSOR void lstm(Rows rows, const float* input, const float* product, const float* bias, const float* cell,
                          float* hidden, float* next, float* kept) {
  const int64_t n = rows.width;
  for (int64_t row = rows.from; row < rows.to; row++) {
    const float *x = input + row * 4 * n, *p = product + row * 4 * n, *c = cell + row * n;
    float *h = hidden + row * n, *to = next + row * n, *k = kept + row * 5 * n;
    for (int64_t j = 0; j < 4 * n; j++) k[j] = x[j] + p[j];
    if (bias)
      for (int64_t j = 0; j < 4 * n; j++) k[j] += bias[j];
    for (int64_t j = 0; j < 2 * n; j++) k[j] = sigmoid(k[j]);
    for (int64_t j = 2 * n; j < 3 * n; j++) k[j] = hyperbolicTangent(k[j]);
    for (int64_t j = 3 * n; j < 4 * n; j++) k[j] = sigmoid(k[j]);
    for (int64_t j = 0; j < n; j++) {
      to[j] = k[n + j] * c[j] + k[j] * k[2 * n + j];
      k[4 * n + j] = hyperbolicTangent(to[j]);
      h[j] = k[3 * n + j] * k[4 * n + j];
    }
  }
}

EVERY_PROCESSOR void lstmGradient(Rows rows, const float* dHidden, const float* dNext, const float* kept,
                                  const float* cell, float* dGates, float* dCell) {
  const int64_t n = rows.width;
  for (int64_t row = rows.from; row < rows.to; row++) {
    const float *dh = dHidden + row * n, *dn = dNext + row * n, *k = kept + row * 5 * n, *c = cell + row * n;
    float *d = dGates + row * 4 * n, *dc = dCell + row * n;
    for (int64_t j = 0; j < n; j++) {
      const float in = k[j], forget = k[n + j], content = k[2 * n + j], out = k[3 * n + j], squashed = k[4 * n + j];
      const float slope = dn[j] + dh[j] * out * slopeOfTanh(squashed);
      d[j] = slope * content * slopeOfSigmoid(in);
      d[n + j] = slope * c[j] * slopeOfSigmoid(forget);
      d[2 * n + j] = slope * in * slopeOfTanh(content);
      d[3 * n + j] = dh[j] * squashed * slopeOfSigmoid(out);
      dc[j] = slope * forget;
    }
  }
}

// `bias` may be null; it is added to the product. `kept` has the gates and the product of the content.
EVERY_PROCESSOR void gru(Rows rows, const float* input, const float* product, const float* bias, const float* hidden,
                         float* next, float* kept) {
  const int64_t n = rows.width;
  for (int64_t row = rows.from; row < rows.to; row++) {
    const float *x = input + row * 3 * n, *p = product + row * 3 * n, *h = hidden + row * n;
    float *to = next + row * n, *k = kept + row * 4 * n;
    for (int64_t j = 0; j < 2 * n; j++) k[j] = x[j] + p[j];
    for (int64_t j = 0; j < n; j++) k[3 * n + j] = p[2 * n + j];
    if (bias) {
      for (int64_t j = 0; j < 2 * n; j++) k[j] += bias[j];
      for (int64_t j = 0; j < n; j++) k[3 * n + j] += bias[2 * n + j];
    }
    for (int64_t j = 0; j < 2 * n; j++) k[j] = sigmoid(k[j]);
    for (int64_t j = 0; j < n; j++) {
      const float content = hyperbolicTangent(x[2 * n + j] + k[j] * k[3 * n + j]);
      k[2 * n + j] = content;
      to[j] = content + k[n + j] * (h[j] - content);
    }
  }
}

// `dStay` is the gradient of the hidden state apart from what reaches it through the product.
EVERY_PROCESSOR void gruGradient(Rows rows, const float* dNext, const float* kept, const float* hidden, float* dInput,
                                 float* dProduct, float* dStay) {
  const int64_t n = rows.width;
  for (int64_t row = rows.from; row < rows.to; row++) {
    const float *dn = dNext + row * n, *k = kept + row * 4 * n, *h = hidden + row * n;
    float *dx = dInput + row * 3 * n, *dp = dProduct + row * 3 * n, *ds = dStay + row * n;
    for (int64_t j = 0; j < n; j++) {
      const float reset = k[j], update = k[n + j], content = k[2 * n + j], product = k[3 * n + j];
      ds[j] = dn[j] * update;
      const float slope = (dn[j] - ds[j]) * slopeOfTanh(content);
      dx[j] = dp[j] = slope * product * slopeOfSigmoid(reset);
      dx[n + j] = dp[n + j] = dn[j] * (h[j] - content) * slopeOfSigmoid(update);
      dx[2 * n + j] = slope;
      dp[2 * n + j] = slope * reset;
    }
  }
}

// A matrix with a number of columns for each element of the state `[batch, hidden]`.
void checkColumns(const Tensor& x, const Tensor& state, int64_t columns) {
  require(x.rank() == 2 && state.rank() == 2 && x.size(0) == state.size(0) && x.size(1) == columns * state.size(1),
          "the shapes of a recurrent step do not fit");
}

template <class Work>
void inRows(const Tensor& state, const Work& work) {
  const int64_t width = state.size(1);
  inParts(state.size(0), rowsPerPart(4 * width), [&](int64_t from, int64_t to) { work(Rows{from, to, width}); });
}

template <int gates>
struct Cell {
  explicit Cell(Attributes& attributes) : hasBias(attributes.integer("biases") > 0) {}
  // The pointer of the bias, which is the input after the others.
  const float* biasOf(Run& run, const Tensor& state) const {
    if (!hasBias) return nullptr;
    const Tensor bias = run.input(3);
    require(bias.size() == gates * state.size(1), "the bias of a recurrent step has another size");
    return bias.data<float>();
  }
  bool hasBias;
};

struct LstmCell : Cell<4> {
  using Cell::Cell;
  void operator()(Run& run) const {
    const Tensor input = run.input(0), product = run.input(1), cell = run.input(2);
    checkColumns(input, cell, 4);
    checkColumns(product, cell, 4);
    const float* bias = biasOf(run, cell);
    const Tensor hidden = run.output(0, TF_FLOAT, cell.shape()), next = run.output(1, TF_FLOAT, cell.shape());
    const Tensor kept = run.output(2, TF_FLOAT, {cell.size(0), 5 * cell.size(1)});
    inRows(cell, [&](Rows rows) {
      lstm(rows, input.data<float>(), product.data<float>(), bias, cell.data<float>(), hidden.data<float>(),
           next.data<float>(), kept.data<float>());
    });
  }
};

struct LstmCellGrad {
  explicit LstmCellGrad(Attributes&) {}
  void operator()(Run& run) const {
    const Tensor dHidden = run.input(0), dNext = run.input(1), kept = run.input(2), cell = run.input(3);
    checkColumns(dHidden, cell, 1);
    checkColumns(dNext, cell, 1);
    checkColumns(kept, cell, 5);
    const Tensor dGates = run.output(0, TF_FLOAT, {cell.size(0), 4 * cell.size(1)});
    const Tensor dCell = run.output(1, TF_FLOAT, cell.shape());
    inRows(cell, [&](Rows rows) {
      lstmGradient(rows, dHidden.data<float>(), dNext.data<float>(), kept.data<float>(), cell.data<float>(),
                   dGates.data<float>(), dCell.data<float>());
    });
  }
};

struct GruCell : Cell<3> {
  using Cell::Cell;
  void operator()(Run& run) const {
    const Tensor input = run.input(0), product = run.input(1), hidden = run.input(2);
    checkColumns(input, hidden, 3);
    checkColumns(product, hidden, 3);
    const float* bias = biasOf(run, hidden);
    const Tensor next = run.output(0, TF_FLOAT, hidden.shape());
    const Tensor kept = run.output(1, TF_FLOAT, {hidden.size(0), 4 * hidden.size(1)});
    inRows(hidden, [&](Rows rows) {
      gru(rows, input.data<float>(), product.data<float>(), bias, hidden.data<float>(), next.data<float>(),
          kept.data<float>());
    });
  }
};

struct GruCellGrad {
  explicit GruCellGrad(Attributes&) {}
  void operator()(Run& run) const {
    const Tensor dNext = run.input(0), kept = run.input(1), hidden = run.input(2);
    checkColumns(dNext, hidden, 1);
    checkColumns(kept, hidden, 4);
    const Shape wide = {hidden.size(0), 3 * hidden.size(1)};
    const Tensor dInput = run.output(0, TF_FLOAT, wide), dProduct = run.output(1, TF_FLOAT, wide);
    const Tensor dStay = run.output(2, TF_FLOAT, hidden.shape());
    inRows(hidden, [&](Rows rows) {
      gruGradient(rows, dNext.data<float>(), kept.data<float>(), hidden.data<float>(), dInput.data<float>(),
                  dProduct.data<float>(), dStay.data<float>());
    });
  }
};

const Registration<LstmCell> lstmCell({"HalftoneLstmCell",
                                       {"biases: int >= 0"},
                                       {"input: float", "product: float", "cell: float", "bias: biases * float"},
                                       {"hidden: float", "next: float", "kept: float"}});
const Registration<LstmCellGrad> lstmCellGrad({"HalftoneLstmCellGrad",
                                               {},
                                               {"dhidden: float", "dnext: float", "kept: float", "cell: float"},
                                               {"dgates: float", "dcell: float"}});
const Registration<GruCell> gruCell({"HalftoneGruCell",
                                     {"biases: int >= 0"},
                                     {"input: float", "product: float", "hidden: float", "bias: biases * float"},
                                     {"next: float", "kept: float"}});
const Registration<GruCellGrad> gruCellGrad({"HalftoneGruCellGrad",
                                             {},
                                             {"dnext: float", "kept: float", "hidden: float"},
                                             {"dinput: float", "dproduct: float", "dstay: float"}});

}  // namespace
}  // namespace halftone

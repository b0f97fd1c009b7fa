#include "attention.h"

#include <limits>
#include <optional>

#include "dropout-rule.h"

namespace halftone {

Span Attention::seen(int64_t b, int64_t h, int64_t query, Span span) const {
  if (isCausal) span.to = std::clamp(query + 1, span.from, span.to);
  const float* row = biasKey == 0 ? nullptr : biasOf(b, h, query);
  if (!row) return span;
  constexpr float hidden = -std::numeric_limits<float>::infinity();
  while (span.to > span.from && row[span.to - 1] == hidden) span.to--;
  while (span.to > span.from && row[span.from] == hidden) span.from++;
  return span;
}

Span Attention::seenByAny(int64_t b, int64_t h, int64_t query, int64_t count, int64_t step) const {
  Span all{keys, 0};
  // Where one row of the bias is for all queries, the last of them sees what the others do.
  for (int64_t i = biasBy.row == 0 ? query + count - 1 : query; i < query + count; i++) {
    const Span own = seen(b, h, i, {0, keys});
    if (own.from == own.to) continue;
    all.from = std::min(all.from, own.from);
    all.to = std::max(all.to, own.to);
  }
  if (all.to == 0) return {0, 0};
  return {all.from / step * step, all.to};
}

namespace {

// The inputs: "x" is [batch * time, 3 * features] alone, of `heads` heads, after which comes the batch, or queries, keys and values
// [batch, heads, time, features]; then bias, sees and seed where there is one.
struct Given {
  Given(Run& run, int count) {
    for (int i = 0; i < count; i++) x.push_back(run.input(i));
  }
  std::vector<Tensor> x;
  std::optional<Tensor> rows, bias, sees, seed;
  std::optional<Dropout> dropout;
};

struct Rule : DropoutRule {
  explicit Rule(Attributes& attributes)
      : DropoutRule(attributes),
        parts(static_cast<int>(attributes.integer("N"))),
        heads(attributes.integer("heads")),
        scoreScale(attributes.number("score_scale")),
        isCausal(attributes.flag("causal")),
        hasRows(attributes.integer("batches") > 0),
        hasBias(attributes.integer("biases") > 0),
        hasSees(attributes.integer("sights") > 0),
        hasSeed(attributes.integer("seeds") > 0) {}

  Given given(Run& run) const {
    Given given(run, parts);
    int at = parts;
    if (hasRows) given.rows.emplace(run.input(at++));
    if (hasBias) given.bias.emplace(run.input(at++));
    if (hasSees) given.sees.emplace(run.input(at++));
    if (hasSeed) given.seed.emplace(run.input(at++));
    return given;
  }
  int inputs() const { return parts + hasRows + hasBias + hasSees + hasSeed; }

  Attention geometry(Given& given) const {
    Attention a{};
    a.scale = scoreScale;
    a.isCausal = isCausal;
    if (parts == 1) {
      const Tensor& x = given.x[0];
      require(given.rows && given.rows->size() == 1, "of projections side by side the batch must be given");
      const int64_t batch = given.rows->data<int32_t>()[0];
      require(x.rank() == 2 && x.size(1) % (3 * heads) == 0 && batch > 0 && x.size(0) % batch == 0,
              "the projections must be [batch * time, 3 * features]");
      const int64_t time = x.size(0) / batch, row = x.size(1), size = row / 3 / heads;
      a.batch = batch, a.heads = a.keyHeads = heads, a.queries = a.keys = time, a.features = a.width = size;
      a.q = a.k = a.v = {time * row, size, row};
      a.y = {time * row / 3, size, row / 3};
    } else {
      const Tensor &q = given.x[0], &k = given.x[1], &v = given.x[2];
      require(q.rank() == 4 && k.rank() == 4 && v.rank() == 4, "queries, keys and values must have four axes");
      a.batch = q.size(0), a.heads = q.size(1), a.queries = q.size(2), a.features = q.size(3);
      a.keyHeads = k.size(1), a.keys = k.size(2), a.width = v.size(3);
      require(k.size(0) == a.batch && v.size(0) == a.batch && v.size(1) == a.keyHeads && v.size(2) == a.keys &&
                  k.size(3) == a.features && a.keyHeads > 0 && a.heads % a.keyHeads == 0,
              "queries, keys and values do not fit");
      a.q = {a.heads * a.queries * a.features, a.queries * a.features, a.features};
      a.k = {a.keyHeads * a.keys * a.features, a.keys * a.features, a.features};
      a.v = {a.keyHeads * a.keys * a.width, a.keys * a.width, a.width};
      a.y = {a.heads * a.queries * a.width, a.queries * a.width, a.width};
    }
    if (given.bias) {
      a.bias = given.bias->data<float>();
      a.biasBy = strides(*given.bias, a, a.keys, &a.biasKey);
    }
    if (given.sees) {
      int64_t key;
      a.sees = given.sees->data<float>();
      a.seesBy = strides(*given.sees, a, 1, &key);
    }
    if (given.seed) {
      given.dropout.emplace(of(*given.seed, a.batch * a.heads * a.queries * a.keys));
      a.dropout = &*given.dropout;
    }
    return a;
  }

  int parts;
  int64_t heads;
  float scoreScale;
  bool isCausal, hasRows, hasBias, hasSees, hasSeed;

 private:
  // Of what broadcasts to [batch, heads, queries, keys].
  static Layout strides(const Tensor& x, const Attention& a, int64_t keys, int64_t* key) {
    const int64_t full[4] = {a.batch, a.heads, a.queries, keys};
    int64_t found[4] = {0, 0, 0, 0}, stride = 1;
    require(x.rank() <= 4, "a mask has four axes at most");
    for (int i = 1; i <= x.rank(); i++) {
      const int64_t size = x.size(-i);
      require(size == 1 || size == full[4 - i], "a mask does not broadcast to the scores");
      found[4 - i] = size == 1 ? 0 : stride;
      stride *= size;
    }
    *key = found[3];
    return {found[0], found[1], found[2]};
  }
};

Rows rowsOf(const Tensor& x) { return {x.type(), x.data<char>()}; }

// Queries, keys or values: a tensor of their own, or columns of one.
Rows rowsOf(const std::vector<Tensor>& x, int part) {
  if (x.size() == 3) return rowsOf(x[part]);
  const int64_t bytes = x[0].type() == TF_FLOAT ? 4 : 2;
  return {x[0].type(), x[0].data<char>() + part * (x[0].size(1) / 3) * bytes};
}

Shape resultShape(const Given& given, const Attention& a) {
  if (given.x.size() == 1) return {given.x[0].size(0), given.x[0].size(1) / 3};
  return {a.batch, a.heads, a.queries, a.width};
}

struct Attend : Rule {
  using Rule::Rule;
  void operator()(Run& run) const {
    Given given = this->given(run);
    const Attention a = geometry(given);
    const TF_DataType type = given.x[0].type();
    const Tensor y = run.output(0, type, resultShape(given, a));
    const Tensor logSums = run.output(1, TF_FLOAT, {a.batch, a.heads, a.queries});
    attend(a, {rowsOf(given.x, 0), rowsOf(given.x, 1), rowsOf(given.x, 2), rowsOf(y), logSums.data<float>()});
  }
};

struct AttendGrad : Rule {
  explicit AttendGrad(Attributes& attributes) : Rule(attributes), hasScores(attributes.integer("scores") > 0) {}
  void operator()(Run& run) const {
    Given given = this->given(run);
    const Attention a = geometry(given);
    const TF_DataType type = given.x[0].type();
    const Tensor y = run.input(inputs()), logSums = run.input(inputs() + 1), dy = run.input(inputs() + 2);
    int64_t size = 1;
    for (int64_t axis : resultShape(given, a)) size *= axis;
    require(y.size() == size && dy.size() == size, "result and gradient do not have the shape that attention gives");
    require(logSums.size() == a.batch * a.heads * a.queries, "there must be one sum for each query and head");
    std::vector<Tensor> slopes;
    for (int i = 0; i < parts; i++) slopes.push_back(run.output(i, type, given.x[i].shape()));
    std::optional<Tensor> scores;
    if (hasScores) scores.emplace(run.output(parts, TF_FLOAT, {a.batch, a.heads, a.queries, a.keys}));
    attendGradient(a, {rowsOf(given.x, 0), rowsOf(given.x, 1), rowsOf(given.x, 2), rowsOf(y), rowsOf(dy),
                       logSums.data<float>(), rowsOf(slopes, 0), rowsOf(slopes, 1), rowsOf(slopes, 2),
                       scores ? scores->data<float>() : nullptr});
  }
  bool hasScores;
};

#define RULE                                                                                                       \
  "T: " ANY_STORAGE, "N: int >= 1", "batches: int >= 0", "heads: int", "score_scale: float", "causal: bool",             \
      "biases: int >= 0", "sights: int >= 0", "seeds: int >= 0", "dropped: int", "scale: float"

const Registration<Attend> attend_({"HalftoneAttention",
                                    {RULE},
                                    {"x: N * T", "rows: batches * int32", "bias: biases * float", "sees: sights * float",
                                     "seed: seeds * int32"},
                                    {"y: T", "log_sums: float"}});
const Registration<AttendGrad> attendGrad_({"HalftoneAttentionGrad",
                                            {RULE, "scores: int >= 0"},
                                            {"x: N * T", "rows: batches * int32", "bias: biases * float",
                                             "sees: sights * float", "seed: seeds * int32", "y: T", "log_sums: float", "dy: T"},
                                            {"dx: N * T", "dscores: scores * float"}});

}  // namespace
}  // namespace halftone

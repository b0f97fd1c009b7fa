// Layer norm (Ba, Kiros and Hinton 2016) and RMS norm (Zhang and Sennrich 2019) over the last axis, and their gradients.
#include <cmath>
#include <vector>

#include "convert.h"
#include "kernel.h"
#include "threads.h"
#include "workspace.h"

namespace halftone {
namespace {

// The mean of a row, 0 where it is not centred, and the inverse of its deviation. In two passes, so that nothing cancels.
struct Statistics {
  float mean, inverse;
};

INLINE Statistics statisticsOf(const float* x, int64_t width, bool isCentred, float epsilon) {
  float sum = 0;
  if (isCentred) {
#pragma omp simd reduction(+ : sum)
    for (int64_t k = 0; k < width; k++) sum += x[k];
  }
  const float mean = sum / width;
  float squares = 0;
#pragma omp simd reduction(+ : squares)
  for (int64_t k = 0; k < width; k++) squares += (x[k] - mean) * (x[k] - mean);
  return {mean, 1.f / std::sqrt(squares / width + epsilon)};
}

struct Rows {
  int64_t count, width;
};

// scale, offset and kept may be null.
template <class K>
EVERY_PROCESSOR void normalize(Rows rows, const float* x, const float* scale, const float* offset, bool isCentred,
                               float epsilon, float* y, float* means, float* inverses, K* kept) {
  const int64_t width = rows.width;
  for (int64_t i = 0; i < rows.count; i++) {
    const float* row = x + i * width;
    float* out = y + i * width;
    const Statistics s = statisticsOf(row, width, isCentred, epsilon);
    if (isCentred) means[i] = s.mean;
    inverses[i] = s.inverse;
    if (kept)
      for (int64_t k = 0; k < width; k++) kept[i * width + k] = Stored<K>::from((row[k] - s.mean) * s.inverse);
    if (scale && offset)
      for (int64_t k = 0; k < width; k++) out[k] = (row[k] - s.mean) * s.inverse * scale[k] + offset[k];
    else if (scale)
      for (int64_t k = 0; k < width; k++) out[k] = (row[k] - s.mean) * s.inverse * scale[k];
    else if (offset)
      for (int64_t k = 0; k < width; k++) out[k] = (row[k] - s.mean) * s.inverse + offset[k];
    else
      for (int64_t k = 0; k < width; k++) out[k] = (row[k] - s.mean) * s.inverse;
  }
}

// `source` is the input where there are statistics of it to normalize by, else the normalized rows themselves. `dScale` and
// `dOffset` are sums over these rows alone.
template <class K>
EVERY_PROCESSOR void gradients(Rows rows, const float* dy, const K* source, const float* means, const float* inverses,
                               const float* scale, bool isNormalized, bool isCentred, float* dx, float* dScale,
                               float* dOffset) {
  const int64_t width = rows.width;
  for (int64_t i = 0; i < rows.count; i++) {
    const float* g = dy + i * width;
    const K* row = source + i * width;
    float* out = dx + i * width;
    const float mean = means ? means[i] : 0.f, factor = isNormalized ? 1.f : inverses[i];
    float sum = 0, along = 0;
    if (scale) {
#pragma omp simd reduction(+ : sum, along)
      for (int64_t k = 0; k < width; k++) {
        const float normal = (toFloat(row[k]) - mean) * factor, slope = g[k] * scale[k];
        sum += slope;
        along += slope * normal;
        dScale[k] += g[k] * normal;
        dOffset[k] += g[k];
      }
    } else {
#pragma omp simd reduction(+ : sum, along)
      for (int64_t k = 0; k < width; k++) {
        sum += g[k];
        along += g[k] * ((toFloat(row[k]) - mean) * factor);
        dOffset[k] += g[k];
      }
    }
    sum = isCentred ? sum / width : 0.f;
    along /= width;
    if (scale)
      for (int64_t k = 0; k < width; k++)
        out[k] = (g[k] * scale[k] - sum - (toFloat(row[k]) - mean) * factor * along) * inverses[i];
    else
      for (int64_t k = 0; k < width; k++) out[k] = (g[k] - sum - (toFloat(row[k]) - mean) * factor * along) * inverses[i];
  }
}

// A tensor of any storage type, in blocks of float32 numbers.
const float* readBlock(const Tensor& x, int64_t at, float* space, int64_t count) {
  const float* block = nullptr;
  byStorage(x.type(), [&](auto* t) { block = readTile(x.data<Pointee<decltype(t)>>() + at, space, count); });
  return block;
}

// Where to compute a block; `writeBlock` then stores it.
float* blockOf(const Tensor& y, int64_t at, float* space) {
  return y.type() == TF_FLOAT ? y.data<float>() + at : space;
}
void writeBlock(const float* space, const Tensor& y, int64_t at, int64_t count) {
  byStorage(y.type(), [&](auto* t) { writeTile(space, y.data<Pointee<decltype(t)>>() + at, count); });
}

// Calls work(first row, rows) for blocks of [from, to) of about 2048 elements.
template <class Work>
void inBlocks(int64_t from, int64_t to, int64_t width, const Work& work) {
  const int64_t most = rowsPerPart(width, 2048);
  for (int64_t i = from; i < to; i += most) work(i, std::min(most, to - i));
}
int64_t blockSize(int64_t width) { return rowsPerPart(width, 2048) * width; }

// A vector as float32 numbers.
class Vector {
 public:
  explicit Vector(const Tensor& x) : copy_(x.type() == TF_FLOAT ? 0 : x.size()), values_(readBlock(x, 0, copy_.data(), x.size())) {}
  const float* data() const { return values_; }

 private:
  std::vector<float> copy_;
  const float* values_;
};

Shape statisticsShape(const Tensor& x) {
  Shape shape = x.shape();
  shape.back() = 1;
  return shape;
}

void checkWidth(const Tensor& given, int64_t width) {
  require(given.rank() == 1 && given.size() == width, "scale and offset must have one element for each feature");
}

struct Norm {
  explicit Norm(Attributes& attributes)
      : isCentred(attributes.integer("centred") > 0),
        scales(attributes.integer("scales") > 0),
        offsets(attributes.integer("offsets") > 0),
        keeps(attributes.integer("keeps") > 0),
        result(attributes.type("Y")),
        kept(attributes.type("K")),
        epsilon(attributes.number("epsilon")) {}

  void operator()(Run& run) const {
    const Tensor x = run.input(0);
    require(x.rank() > 0, "a scalar has no features");
    const int64_t width = x.size(-1);
    int at = 1;
    std::vector<Vector> given;
    given.reserve(2);
    for (int i = 0; i < scales + offsets; i++) {
      const Tensor one = run.input(at++);
      checkWidth(one, width);
      given.emplace_back(one);
    }
    const float* scale = scales ? given[0].data() : nullptr;
    const float* offset = offsets ? given[scales].data() : nullptr;
    int out = 0;
    const Tensor y = run.output(out++, result, x.shape());
    const Tensor inverses = run.output(out++, TF_FLOAT, statisticsShape(x));
    std::vector<Tensor> more;
    if (isCentred) more.push_back(run.output(out++, TF_FLOAT, statisticsShape(x)));
    if (keeps) more.push_back(run.output(out++, kept, x.shape()));
    if (x.size() == 0) return;
    byStorage(kept, [&](auto* t) {
      using K = Pointee<decltype(t)>;
      inParts(x.size() / width, rowsPerPart(width), [&](int64_t from, int64_t to) {
        Workspace space(2 * blockSize(width), 2);
        float *xs = space.part(blockSize(width)), *ys = space.part(blockSize(width));
        inBlocks(from, to, width, [&](int64_t row, int64_t count) {
          const int64_t at = row * width;
          normalize<K>({count, width}, readBlock(x, at, xs, count * width), scale, offset, isCentred, epsilon,
                       blockOf(y, at, ys), isCentred ? more[0].data<float>() + row : nullptr,
                       inverses.data<float>() + row, keeps ? more[isCentred].data<K>() + at : nullptr);
          writeBlock(ys, y, at, count * width);
        });
      });
    });
  }
  bool isCentred, scales, offsets, keeps;
  TF_DataType result, kept;
  float epsilon;
};

struct NormGrad {
  explicit NormGrad(Attributes& attributes)
      : isCentred(attributes.flag("centred")),
        scales(attributes.integer("scales") > 0),
        means(attributes.integer("means") > 0),
        isNormalized(attributes.flag("normalized")),
        result(attributes.type("X")) {}

  void operator()(Run& run) const {
    const Tensor dy = run.input(0), source = run.input(1), inverses = run.input(2);
    require(dy.rank() > 0 && source.size() == dy.size(), "the gradient does not have the shape of the input");
    const int64_t width = dy.size(-1), rows = width == 0 ? 0 : dy.size() / width;
    require(inverses.size() == rows, "there must be one deviation for each row");
    std::vector<Tensor> more;
    for (int i = 0; i < means + scales; i++) more.push_back(run.input(3 + i));
    if (scales) checkWidth(more[means], width);
    std::vector<Vector> scale;
    if (scales) scale.emplace_back(more[means]);
    const Tensor dx = run.output(0, result, dy.shape());
    const Tensor dScale = run.output(1, TF_FLOAT, {width}), dOffset = run.output(2, TF_FLOAT, {width});
    std::fill_n(dScale.data<float>(), width, 0.f);
    std::fill_n(dOffset.data<float>(), width, 0.f);
    if (rows == 0) return;
    const int64_t part = rowsPerPart(width, 32768), parts = (rows + part - 1) / part;
    std::vector<float> sums(parts * 2 * width, 0.f);
    byStorage(source.type(), [&](auto* t) {
      using K = Pointee<decltype(t)>;
      inParts(rows, part, [&](int64_t from, int64_t to) {
        float* own = sums.data() + from / part * 2 * width;
        Workspace space(2 * blockSize(width), 2);
        float *gs = space.part(blockSize(width)), *xs = space.part(blockSize(width));
        inBlocks(from, to, width, [&](int64_t row, int64_t count) {
          const int64_t at = row * width;
          gradients<K>({count, width}, readBlock(dy, at, gs, count * width), source.data<K>() + at,
                       means ? more[0].data<float>() + row : nullptr, inverses.data<float>() + row,
                       scales ? scale[0].data() : nullptr, isNormalized, isCentred, blockOf(dx, at, xs), own, own + width);
          writeBlock(xs, dx, at, count * width);
        });
      });
    });
    for (int64_t i = 0; i < parts; i++)
      for (int64_t k = 0; k < width; k++) {
        dScale.data<float>()[k] += sums[i * 2 * width + k];
        dOffset.data<float>()[k] += sums[i * 2 * width + width + k];
      }
  }
  bool isCentred, scales, means, isNormalized;
  TF_DataType result;
};

const Registration<Norm> norm({"HalftoneNorm",
                               {"centred: int >= 0", "scales: int >= 0", "offsets: int >= 0", "keeps: int >= 0",
                                "X: " ANY_STORAGE, "S: " ANY_STORAGE, "O: " ANY_STORAGE, "Y: " ANY_STORAGE, "K: " ANY_STORAGE,
                                "epsilon: float"},
                               {"x: X", "scale: scales * S", "offset: offsets * O"},
                               {"y: Y", "inverse: float", "mean: centred * float", "kept: keeps * K"}});
const Registration<NormGrad> normGrad(
    {"HalftoneNormGrad",
     {"centred: bool", "scales: int >= 0", "means: int >= 0", "normalized: bool", "Y: " ANY_STORAGE, "K: " ANY_STORAGE,
      "S: " ANY_STORAGE, "X: " ANY_STORAGE},
     {"dy: Y", "source: K", "inverse: float", "mean: means * float", "scale: scales * S"},
     {"dx: X", "dscale: float", "doffset: float"}});

}  // namespace
}  // namespace halftone

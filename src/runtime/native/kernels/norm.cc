// Layer norm (Ba, Kiros and Hinton 2016) and RMS norm (Zhang and Sennrich 2019) over the last axis, and their gradients.
#include <cmath>
#include <vector>

#include "kernel.h"
#include "threads.h"

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
  int64_t from, to, width;
};

// scale, offset and kept may be null.
template <class K>
EVERY_PROCESSOR void normalize(Rows rows, const float* x, const float* scale, const float* offset, bool isCentred,
                               float epsilon, float* y, float* means, float* inverses, K* kept) {
  const int64_t width = rows.width;
  for (int64_t i = rows.from; i < rows.to; i++) {
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
  for (int64_t i = rows.from; i < rows.to; i++) {
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
        kept(attributes.type("K")),
        epsilon(attributes.number("epsilon")) {}

  void operator()(Run& run) const {
    const Tensor x = run.input(0);
    require(x.rank() > 0, "a scalar has no features");
    const int64_t width = x.size(-1);
    int at = 1;
    std::vector<Tensor> given;
    for (int i = 0; i < scales + offsets; i++) {
      given.push_back(run.input(at++));
      checkWidth(given.back(), width);
    }
    int out = 0;
    const Tensor y = run.output(out++, TF_FLOAT, x.shape());
    const Tensor inverses = run.output(out++, TF_FLOAT, statisticsShape(x));
    std::vector<Tensor> more;
    if (isCentred) more.push_back(run.output(out++, TF_FLOAT, statisticsShape(x)));
    if (keeps) more.push_back(run.output(out++, kept, x.shape()));
    if (x.size() == 0) return;
    byStorage(kept, [&](auto* t) {
      using K = Pointee<decltype(t)>;
      inParts(x.size() / width, rowsPerPart(width), [&](int64_t from, int64_t to) {
        normalize<K>({from, to, width}, x.data<float>(), scales ? given[0].data<float>() : nullptr,
                     offsets ? given[scales].data<float>() : nullptr, isCentred, epsilon, y.data<float>(),
                     isCentred ? more[0].data<float>() : nullptr, inverses.data<float>(),
                     keeps ? more[isCentred].data<K>() : nullptr);
      });
    });
  }
  bool isCentred, scales, offsets, keeps;
  TF_DataType kept;
  float epsilon;
};

struct NormGrad {
  explicit NormGrad(Attributes& attributes)
      : isCentred(attributes.flag("centred")),
        scales(attributes.integer("scales") > 0),
        means(attributes.integer("means") > 0),
        isNormalized(attributes.flag("normalized")) {}

  void operator()(Run& run) const {
    const Tensor dy = run.input(0), source = run.input(1), inverses = run.input(2);
    require(dy.rank() > 0 && source.size() == dy.size(), "the gradient does not have the shape of the input");
    const int64_t width = dy.size(-1), rows = width == 0 ? 0 : dy.size() / width;
    require(inverses.size() == rows, "there must be one deviation for each row");
    std::vector<Tensor> more;
    for (int i = 0; i < means + scales; i++) more.push_back(run.input(3 + i));
    if (scales) checkWidth(more[means], width);
    const Tensor dx = run.output(0, TF_FLOAT, dy.shape());
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
        gradients<K>({from, to, width}, dy.data<float>(), source.data<K>(), means ? more[0].data<float>() : nullptr,
                     inverses.data<float>(), scales ? more[means].data<float>() : nullptr, isNormalized, isCentred,
                     dx.data<float>(), own, own + width);
      });
    });
    for (int64_t i = 0; i < parts; i++)
      for (int64_t k = 0; k < width; k++) {
        dScale.data<float>()[k] += sums[i * 2 * width + k];
        dOffset.data<float>()[k] += sums[i * 2 * width + width + k];
      }
  }
  bool isCentred, scales, means, isNormalized;
};

const Registration<Norm> norm({"HalftoneNorm",
                               {"centred: int >= 0", "scales: int >= 0", "offsets: int >= 0", "keeps: int >= 0",
                                "K: " ANY_STORAGE, "epsilon: float"},
                               {"x: float", "scale: scales * float", "offset: offsets * float"},
                               {"y: float", "inverse: float", "mean: centred * float", "kept: keeps * K"}});
const Registration<NormGrad> normGrad(
    {"HalftoneNormGrad",
     {"centred: bool", "scales: int >= 0", "means: int >= 0", "normalized: bool", "K: " ANY_STORAGE},
     {"dy: float", "source: K", "inverse: float", "mean: means * float", "scale: scales * float"},
     {"dx: float", "dscale: float", "doffset: float"}});

}  // namespace
}  // namespace halftone

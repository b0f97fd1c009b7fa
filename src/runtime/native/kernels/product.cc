#include "product.h"

#include <vector>

#include "product-block.h"
#include "threads.h"
#include "workspace.h"

namespace halftone {
namespace {

// Rows and columns of b that lie in the caches at a time.
constexpr int64_t deepest = 256, broadest = 256;
// Floats from a copied row of a to the next; not a power of two, because those compete for the same places of a cache.
constexpr int64_t stripStride = deepest + 16;
// Floating-point operations that are worth a thread.
constexpr int64_t worthwhile = 4'000'000;
// Tiles beside which the depth is not divided.
constexpr int64_t enough = 8;

int64_t partsOf(int64_t size, int64_t part) { return std::max<int64_t>(1, (size + part - 1) / part); }

// The size of equal parts, none larger than `most`, in multiples of `step`.
int64_t evenPart(int64_t size, int64_t most, int64_t step) {
  const int64_t part = (size + partsOf(size, most) - 1) / partsOf(size, most);
  return std::max(step, (part + step - 1) / step * step);
}

// How a product is divided into tiles.
struct Plan {
  int64_t rows, depth, columns;

  explicit Plan(const Product& p) {
    const int64_t work = 2 * p.rows * p.depth * p.columns, batches = std::max<int64_t>(1, p.batches());
    columns = evenPart(p.columns, broadest, 32);
    const int64_t each = std::max<int64_t>(1, 2 * p.depth * std::min(columns, p.columns));
    rows = evenPart(p.rows, p.transposesA ? 240 : std::clamp<int64_t>(worthwhile / each, 480, 960), 24);
    depth = std::max<int64_t>(1, p.depth);
    const auto tiles = [&] { return batches * partsOf(p.rows, rows) * partsOf(p.depth, depth) * partsOf(p.columns, columns); };
    const auto isLarge = [&](int64_t wanted) { return tiles() < wanted && batches * work > worthwhile * tiles(); };
    // Each operand is packed once when the depth is divided, but the parts of the result need memory. By the sizes alone, because
    // this decides the order of the sums.
    while (isLarge(enough) && depth >= 2 * deepest && p.rows * p.columns * partsOf(p.depth, depth) <= 1 << 18)
      depth = evenPart(p.depth, depth / 2, deepest);
    const int64_t wanted = 4 * threadCount();
    while (isLarge(wanted) && columns >= 128) columns = evenPart(p.columns, columns / 2, 32);
    while (isLarge(wanted) && rows >= 96) rows = evenPart(p.rows, rows / 2, 24);
  }
};

struct Span {
  int64_t from, to;
  int64_t size() const { return to - from; }
};

Span partOf(int64_t i, int64_t part, int64_t size) { return {i * part, std::min(size, (i + 1) * part)}; }

EVERY_PROCESSOR void add(const float* x, float* sums, int64_t count) {
  for (int64_t i = 0; i < count; i++) sums[i] += x[i];
}

// What comes after the sums of `height` rows, from column `from` on; `y` may be the sums themselves.
template <class T>
EVERY_PROCESSOR void finish(const Steps& steps, const Product& p, int64_t from, int64_t count, int64_t height, float* sums,
                            int64_t stride, T* y) {
  const float* bias = p.bias ? p.bias + from : nullptr;
  const bool isInPlace = static_cast<void*>(y) == sums;
  if (!bias && count == stride && count == p.columns) count *= height, height = 1;
  for (; height > 0; height--, sums += stride, y += p.columns) {
    if (bias)
      for (int64_t j = 0; j < count; j++) sums[j] += bias[j];
    if (p.rectifies)
      for (int64_t j = 0; j < count; j++) sums[j] = sums[j] > 0 ? sums[j] : sums[j] == sums[j] ? 0.f : sums[j];
    if (isInPlace) continue;
    if constexpr (Stored<T>::type == TF_BFLOAT16)
      if (steps.round) {
        steps.round(sums, count, y);
        continue;
      }
    for (int64_t j = 0; j < count; j++) y[j] = Stored<T>::from(sums[j]);
  }
}

// Floats from a panel to the next: a cache line more than it has, because powers of two compete for the same places of a cache.
int64_t panelSize(int64_t count, int64_t width) { return count * width + 16; }

// An operand as the floats that steps multiply, each of them one number. `depth` is how many numbers are multiplied for a sum.
template <class T>
struct Numbers {
  const T* data;
  int64_t stride, depth;
  static constexpr int64_t each = 1;
  static constexpr bool isInMemory = Stored<T>::type == TF_FLOAT;

  // Part of a row, where the depth lies along the columns.
  const float* along(int64_t row, int64_t k, int64_t count, float* space) const {
    return readTile(data + row * stride + k, space, count);
  }
  bool isAlong(int64_t, int64_t) const { return isInMemory; }
  const float* at(int64_t row, int64_t column) const { return reinterpret_cast<const float*>(data + row * stride + column); }
  int64_t rowStride() const { return stride; }
};

// The same of bfloat16 numbers, each float two that follow each other along the depth.
struct Pairs {
  const bfloat16* data;
  int64_t stride, depth;
  static constexpr int64_t each = 2;
  static constexpr bool isInMemory = false;

  const float* along(int64_t row, int64_t k, int64_t count, float* space) const {
    const int64_t numbers = std::min(2 * count, depth - 2 * k);
    if (count > 0) space[count - 1] = 0;
    memcpy(space, data + row * stride + 2 * k, numbers * sizeof(bfloat16));
    return space;
  }
  bool isAlong(int64_t k, int64_t count) const {
    return stride % 2 == 0 && reinterpret_cast<uintptr_t>(data) % sizeof(float) == 0 && 2 * (k + count) <= depth;
  }
  const float* at(int64_t row, int64_t k) const { return reinterpret_cast<const float*>(data + row * stride + 2 * k); }
  int64_t rowStride() const { return stride / 2; }
};

// Rows of a matrix to panels.
template <class T>
void pack(const Packing& packing, const Numbers<T>& from, int64_t k, int64_t count, int64_t column, int64_t columns,
          float* panels) {
  const int64_t width = packing.width, panel = panelSize(count, width), step = width * (tile / width);
  float space[tile];
  for (int64_t i = 0; i < count; i++)
    for (int64_t j = 0; j < columns; j += step) {
      const int64_t wide = std::min(step, columns - j);
      const float* row = readTile(from.data + (k + i) * from.stride + column + j, space, wide);
      packing.spread(row, wide, panels + j / width * panel + i * width, panel);
    }
}
void pack(const Packing& packing, const Pairs& from, int64_t k, int64_t count, int64_t column, int64_t columns, float* panels) {
  const int64_t width = packing.width, panel = panelSize(count, width);
  for (int64_t i = 0; i < count; i++) {
    const bfloat16* row = from.data + 2 * (k + i) * from.stride + column;
    packing.zip(row, 2 * (k + i) + 1 < from.depth ? row + from.stride : nullptr, columns, panels + i * width, panel);
  }
}

// The same of the matrix's transpose [columns][depth].
template <class M>
void packTransposed(const Steps& steps, const M& from, int64_t k, int64_t count, int64_t column, int64_t columns, float* panels) {
  const int64_t lanes = steps.lanes, width = steps.width();
  float space[16 * tile];
  for (int64_t j = 0; j < columns; j += lanes) {
    float* to = panels + j / width * panelSize(count, width) + j % width;
    if (j + lanes <= columns && from.isAlong(k, count)) {
      steps.turn(from.at(column + j, k), from.rowStride(), count, to, width);
      continue;
    }
    for (int64_t i = 0; i < lanes; i++) {
      float* row = space + i * tile;
      if (j + i >= columns)
        std::fill_n(row, count, 0.f);
      else if (const float* read = from.along(column + j + i, k, count, row); read != row)
        std::copy_n(read, count, row);
    }
    steps.turn(space, tile, count, to, width);
  }
}

// Rows of a near each other, and how far apart they are: those in memory, or copies in `space`.
struct Strip {
  const float* data;
  int64_t stride;
};
template <class M>
Strip stripOf(const M& a, int64_t from, int64_t height, int64_t k, int64_t count, bool isCopied, float* space) {
  if (a.isAlong(k, count) && !isCopied) return {a.at(from, k), a.rowStride()};
  for (int64_t i = 0; i < height; i++) {
    float* row = space + i * stripStride;
    if (const float* read = a.along(from + i, k, count, row); read != row) std::copy_n(read, count, row);
  }
  return {space, stripStride};
}

// Where a tile's rows are summed, and what then becomes of them.
struct Target {
  float* sums;
  int64_t stride;
  // The rows of a tile may be summed in the same place if `finish` is called for them before the next ones.
  int64_t kept;
};

template <class M, class Finish>
void multiplyTile(const Steps& steps, const Product& p, const M& a, const M& b, Span rows, Span depth, Span columns,
                  const Target& target, const Finish& finish) {
  const int64_t first = depth.from / M::each, last = (depth.to + M::each - 1) / M::each;
  const int64_t high = steps.rows(), width = steps.width(), deep = std::min(deepest, last - first);
  const int64_t panelFloats = partsOf(columns.size(), width) * panelSize(deep, width);
  const int64_t stripFloats = p.transposesA ? partsOf(rows.size(), high) * panelSize(deep, high) : high * stripStride;
  static_assert(deepest <= tile, "a tile of the conversion holds the depth of a block");
  Workspace space(panelFloats + stripFloats + high * width, 3);
  float *panels = space.part(panelFloats), *strips = space.part(stripFloats), *edge = space.part(high * width);
  // Few rows take b where it lies, and more do where its rows are short.
  const int64_t few = b.stride <= 128 ? 128 : 2 * high;
  const bool packsB = !M::isInMemory || p.transposesB || rows.size() > few || columns.size() % steps.lanes;
  // Rows a power of two apart compete for the same places of a cache.
  const bool isCopied = a.rowStride() > 2 * deepest && columns.size() > 2 * width;
  int64_t k = first;
  do {
    const int64_t count = std::min(deepest, last - k);
    const bool adds = k > first;
    if (p.transposesB)
      packTransposed(steps, b, k, count, columns.from, columns.size(), panels);
    else if (packsB)
      pack(steps.b, b, k, count, columns.from, columns.size(), panels);
    if (p.transposesA) pack(steps.a, a, k, count, rows.from, rows.size(), strips);
    for (int64_t i = 0; i < rows.size(); i += high) {
      const int64_t height = std::min(high, rows.size() - i);
      const Strip strip = p.transposesA ? Strip{strips + i / high * panelSize(count, high), 0}
                                        : stripOf(a, rows.from + i, height, k, count, isCopied, strips);
      float* to = target.sums + i % target.kept * target.stride;
      for (int64_t j = 0; j < columns.size(); j += width) {
        const int64_t wide = std::min(width, columns.size() - j);
        const bool isWide = wide > steps.lanes, isWhole = wide == (isWide ? width : steps.lanes);
        const bool isDirect = !packsB && isWhole;
        const float* panel = isDirect ? b.at(k, columns.from + j) : panels + j / width * panelSize(count, width);
        const auto step = [&](float* c, int64_t cRow) {
          steps.multiply(height, strip.data, strip.stride, count, panel, isDirect ? b.stride : width, isWide, c, cRow, adds);
        };
        if (isWhole) {
          step(to + j, target.stride);
          continue;
        }
        if (adds)
          for (int64_t r = 0; r < height; r++) std::copy_n(to + r * target.stride + j, wide, edge + r * width);
        step(edge, width);
        for (int64_t r = 0; r < height; r++) std::copy_n(edge + r * width, wide, to + r * target.stride + j);
      }
      if (k + count >= last) finish(i, height, to);
    }
    k += deepest;
  } while (k < last);
}

// Of operands M, with results T.
template <class M, class T>
void multiplyIn(const Steps& steps, const Product& p) {
  const Plan plan(p);
  const int64_t rowParts = partsOf(p.rows, plan.rows), columnParts = partsOf(p.columns, plan.columns);
  const int64_t depthParts = partsOf(p.depth, plan.depth), size = p.batches() * p.rows * p.columns;
  const int64_t tiles = p.batches() * depthParts * rowParts * columnParts;
  const bool isDivided = depthParts > 1, isInPlace = !isDivided && Stored<T>::type == TF_FLOAT;
  T* const y = static_cast<T*>(p.y);
  // Kept from op to op, because new memory costs as much as a small product.
  static thread_local std::vector<float> space;
  if (isDivided && static_cast<int64_t>(space.size()) < depthParts * size) space.resize(depthParts * size);
  float* const parts = space.data();
  const auto compute = [&](int64_t t) {
    const Span columns = partOf(t % columnParts, plan.columns, p.columns);
    const Span rows = partOf(t / columnParts % rowParts, plan.rows, p.rows);
    const int64_t part = t / columnParts / rowParts % depthParts, batch = t / columnParts / rowParts / depthParts;
    const Span depth = partOf(part, plan.depth, p.depth);
    const M a{static_cast<const T*>(p.a) + p.aBegins[batch], p.transposesA ? p.rows : p.depth, p.depth};
    const M b{static_cast<const T*>(p.b) + p.bBegins[batch], p.transposesB ? p.depth : p.columns, p.depth};
    const int64_t begin = (batch * p.rows + rows.from) * p.columns + columns.from;
    const auto nothing = [](int64_t, int64_t, float*) {};
    const auto finishRows = [&](int64_t i, int64_t height, float* sums) {
      const int64_t stride = isInPlace ? p.columns : columns.size();
      finish(steps, p, columns.from, columns.size(), height, sums, stride, y + begin + i * p.columns);
    };
    if (isDivided)
      return multiplyTile(steps, p, a, b, rows, depth, columns, {parts + part * size + begin, p.columns, p.rows}, nothing);
    if (isInPlace)
      return multiplyTile(steps, p, a, b, rows, depth, columns, {reinterpret_cast<float*>(y) + begin, p.columns, p.rows}, finishRows);
    const int64_t kept = p.depth <= M::each * deepest ? steps.rows() : roundedUp(rows.size(), steps.rows());
    static thread_local std::vector<float> sums;
    if (static_cast<int64_t>(sums.size()) < kept * columns.size()) sums.resize(kept * columns.size());
    multiplyTile(steps, p, a, b, rows, depth, columns, {sums.data(), columns.size(), kept}, finishRows);
  };
  const int64_t each = 2 * plan.rows * plan.depth * plan.columns;
  inParts(tiles, std::max<int64_t>(1, worthwhile / std::max<int64_t>(1, each)), [&](int64_t from, int64_t to) {
    for (int64_t t = from; t < to; t++) compute(t);
  });
  if (isDivided)
    inParts(p.batches() * p.rows, rowsPerPart(p.columns, 1 << 16), [&](int64_t from, int64_t to) {
      float* total = parts + from * p.columns;
      for (int64_t i = 1; i < depthParts; i++) add(total + i * size, total, (to - from) * p.columns);
      finish(steps, p, 0, p.columns, to - from, total, p.columns, y + from * p.columns);
    });
}

}  // namespace

void multiply(const Product& p) {
  if (const Steps* steps = p.type == TF_BFLOAT16 ? stepsOfPairs() : nullptr) return multiplyIn<Pairs, bfloat16>(*steps, p);
  const Steps& steps = stepsOf(vectorsOfProcessor());
  byStorage(p.type, [&](auto* t) {
    using T = Pointee<decltype(t)>;
    multiplyIn<Numbers<T>, T>(steps, p);
  });
}

}  // namespace halftone

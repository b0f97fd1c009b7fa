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

EVERY_PROCESSOR void rectify(float* x, int64_t count) {
  for (int64_t i = 0; i < count; i++) x[i] = x[i] > 0 ? x[i] : x[i] == x[i] ? 0.f : x[i];
}

// What comes after the sums of columns [from, from + count) of a row.
void finishRow(const Product& p, int64_t from, int64_t count, float* row) {
  if (p.bias) add(p.bias + from, row, count);
  if (p.rectifies) rectify(row, count);
}

// Floats from a panel to the next: a cache line more than it has, because powers of two compete for the same places of a cache.
int64_t panelSize(int64_t count, int64_t width) { return count * width + 16; }

// Rows of a matrix to panels.
template <class T>
void pack(const T* from, int64_t stride, int64_t count, int64_t columns, decltype(Steps::spreadA) spread, int64_t width,
          float* panels) {
  float space[tile];
  for (int64_t k = 0; k < count; k++)
    for (int64_t j = 0; j < columns; j += width * (tile / width)) {
      const int64_t wide = std::min(width * (tile / width), columns - j);
      const float* row = readTile(from + k * stride + j, space, wide);
      spread(row, wide, panels + j / width * panelSize(count, width) + k * width, panelSize(count, width));
    }
}

// The same of the matrix's transpose [columns][depth].
template <class T>
void packTransposed(const Steps& steps, const T* from, int64_t stride, int64_t count, int64_t columns, float* panels) {
  const int64_t lanes = steps.lanes, width = steps.width();
  float space[16 * tile];
  for (int64_t j = 0; j < columns; j += lanes) {
    float* to = panels + j / width * panelSize(count, width) + j % width;
    const bool isWhole = j + lanes <= columns;
    if (isWhole && Stored<T>::type == TF_FLOAT) {
      steps.turn(reinterpret_cast<const float*>(from + j * stride), stride, count, to, width);
      continue;
    }
    for (int64_t i = 0; i < lanes; i++) {
      float* row = space + i * tile;
      if (j + i >= columns)
        std::fill_n(row, count, 0.f);
      else if (const float* read = readTile(from + (j + i) * stride, row, count); read != row)
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
template <class T>
Strip stripOf(const T* rows, int64_t stride, int64_t height, int64_t count, bool isCopied, float* space) {
  if (Stored<T>::type == TF_FLOAT && !isCopied) return {reinterpret_cast<const float*>(rows), stride};
  for (int64_t i = 0; i < height; i++) {
    float* row = space + i * stripStride;
    if (const float* read = readTile(rows + i * stride, row, count); read != row) std::copy_n(read, count, row);
  }
  return {space, stripStride};
}

template <class T>
const float* floats(const T* x) {
  return reinterpret_cast<const float*>(x);
}

// Where a tile's rows are summed, and what then becomes of them.
struct Target {
  float* sums;
  int64_t stride;
  // The rows of a tile may be summed in the same place if `finish` is called for them before the next ones.
  int64_t kept;
};

template <class T, class Finish>
void multiplyTile(const Steps& steps, const Product& p, const T* a, const T* b, Span rows, Span depth, Span columns,
                  const Target& target, const Finish& finish) {
  const int64_t aStride = p.transposesA ? p.rows : p.depth, bStride = p.transposesB ? p.depth : p.columns;
  const int64_t high = steps.rows, width = steps.width(), deep = std::min(deepest, depth.size());
  const int64_t panelFloats = partsOf(columns.size(), width) * panelSize(deep, width);
  const int64_t stripFloats = p.transposesA ? partsOf(rows.size(), high) * panelSize(deep, high) : high * stripStride;
  static_assert(deepest <= tile, "a tile of the conversion holds the depth of a block");
  Workspace space(panelFloats + stripFloats + high * width, 3);
  float *panels = space.part(panelFloats), *strips = space.part(stripFloats), *edge = space.part(high * width);
  // Few rows take b where it lies, and more do where its rows are short.
  const int64_t few = bStride <= 128 ? 128 : 2 * high;
  const bool packsB = Stored<T>::type != TF_FLOAT || p.transposesB || rows.size() > few || columns.size() % steps.lanes;
  // Rows a power of two apart compete for the same places of a cache.
  const bool isCopied = aStride > 2 * deepest && columns.size() > 2 * width;
  int64_t k = depth.from;
  do {
    const int64_t count = std::min(deepest, depth.to - k);
    const bool adds = k > depth.from;
    if (p.transposesB)
      packTransposed(steps, b + columns.from * bStride + k, bStride, count, columns.size(), panels);
    else if (packsB)
      pack(b + k * bStride + columns.from, bStride, count, columns.size(), steps.spreadB, width, panels);
    if (p.transposesA)
      pack(a + k * aStride + rows.from, aStride, count, rows.size(), steps.spreadA, high, strips);
    for (int64_t i = 0; i < rows.size(); i += high) {
      const int64_t height = std::min(high, rows.size() - i);
      const Strip strip = p.transposesA ? Strip{strips + i / high * panelSize(count, high), 0}
                                        : stripOf(a + (rows.from + i) * aStride + k, aStride, height, count, isCopied, strips);
      float* to = target.sums + i % target.kept * target.stride;
      for (int64_t j = 0; j < columns.size(); j += width) {
        const int64_t wide = std::min(width, columns.size() - j);
        const bool isWide = wide > steps.lanes, isWhole = wide == (isWide ? width : steps.lanes);
        const bool isDirect = !packsB && isWhole;
        const float* panel = isDirect ? floats(b + k * bStride + columns.from + j) : panels + j / width * panelSize(count, width);
        const auto step = [&](float* c, int64_t cRow) {
          steps.multiply(height, strip.data, strip.stride, count, panel, isDirect ? bStride : width, isWide, c, cRow, adds);
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
      if (k + count >= depth.to) finish(i, height, to);
    }
    k += deepest;
  } while (k < depth.to);
}

template <class T>
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
    const T *a = static_cast<const T*>(p.a) + p.aBegins[batch], *b = static_cast<const T*>(p.b) + p.bBegins[batch];
    const int64_t begin = (batch * p.rows + rows.from) * p.columns + columns.from;
    const auto nothing = [](int64_t, int64_t, float*) {};
    const auto finish = [&](int64_t i, int64_t height, float* sums) {
      const int64_t stride = isInPlace ? p.columns : columns.size();
      for (int64_t r = 0; r < height; r++) {
        finishRow(p, columns.from, columns.size(), sums + r * stride);
        if (!isInPlace) writeRow(sums + r * stride, y + begin + (i + r) * p.columns, columns.size());
      }
    };
    if (isDivided)
      return multiplyTile(steps, p, a, b, rows, depth, columns, {parts + part * size + begin, p.columns, p.rows}, nothing);
    if (isInPlace)
      return multiplyTile(steps, p, a, b, rows, depth, columns, {reinterpret_cast<float*>(y) + begin, p.columns, p.rows}, finish);
    const int64_t kept = p.depth <= deepest ? steps.rows : roundedUp(rows.size(), steps.rows);
    static thread_local std::vector<float> sums;
    if (static_cast<int64_t>(sums.size()) < kept * columns.size()) sums.resize(kept * columns.size());
    multiplyTile(steps, p, a, b, rows, depth, columns, {sums.data(), columns.size(), kept}, finish);
  };
  const int64_t each = 2 * plan.rows * plan.depth * plan.columns;
  inParts(tiles, std::max<int64_t>(1, worthwhile / std::max<int64_t>(1, each)), [&](int64_t from, int64_t to) {
    for (int64_t t = from; t < to; t++) compute(t);
  });
  if (isDivided)
    inParts(p.batches() * p.rows, rowsPerPart(p.columns, 1 << 16), [&](int64_t from, int64_t to) {
      float* total = parts + from * p.columns;
      for (int64_t i = 1; i < depthParts; i++) add(total + i * size, total, (to - from) * p.columns);
      for (int64_t i = from; i < to; i++, total += p.columns) {
        finishRow(p, 0, p.columns, total);
        writeRow(total, y + i * p.columns, p.columns);
      }
    });
}

}  // namespace

void multiply(const Product& p) {
  const Steps& steps = stepsOf(vectorsOfProcessor());
  byStorage(p.type, [&](auto* t) { multiplyIn<Pointee<decltype(t)>>(steps, p); });
}

}  // namespace halftone

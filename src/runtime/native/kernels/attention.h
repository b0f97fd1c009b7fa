// Attention by head without the scores in memory (Dao et al. 2022, arXiv 2205.14135): what the forward and the backward pass share.
#pragma once

#include "convert.h"
#include "philox.h"
#include "vectors.h"
#include "workspace.h"

namespace halftone {

// Queries, keys, values or results of all heads; features lie next to each other.
struct Layout {
  int64_t batch, head, row;
};

// Keys [from, to).
struct Span {
  int64_t from, to;
};

struct Attention {
  int64_t batch, heads, keyHeads, queries, keys, features, width;
  float scale;
  // Query i sees the keys 0 to i.
  bool isCausal;
  Layout q, k, v, y;
  // Added to the scores, and the factor of each result; null for none. Strides are 0 along an axis that is broadcast.
  const float* bias;
  Layout biasBy;
  int64_t biasKey;
  const float* sees;
  Layout seesBy;
  // Of the weights [batch, heads, queries, keys]; null for none.
  const Dropout* dropout;

  const float* biasOf(int64_t b, int64_t h, int64_t query) const {
    return bias ? bias + b * biasBy.batch + h * biasBy.head + query * biasBy.row : nullptr;
  }
  // The keys from the first to the last that a query sees, of those `within`.
  Span seen(int64_t b, int64_t h, int64_t query, Span within) const;
  // Those that any of some queries see, from a multiple of `step` on.
  Span seenByAny(int64_t b, int64_t h, int64_t query, int64_t count, int64_t step) const;
  int64_t work() const { return batch * heads * queries * keys * (features + width); }
};

template <class T>
INLINE void readRows(const T* rows, int64_t stride, int64_t count, int64_t features, float* to, int64_t width) {
  for (int64_t i = 0; i < count; i++, rows += stride, to += width) {
    for (int64_t k = 0; k < features; k++) to[k] = toFloat(rows[k]);
    for (int64_t k = features; k < width; k++) to[k] = 0;
  }
}

template <class T>
INLINE void writeRows(T* rows, int64_t stride, int64_t count, int64_t features, const float* from, int64_t width) {
  for (int64_t i = 0; i < count; i++, rows += stride, from += width)
    for (int64_t k = 0; k < features; k++) rows[k] = Stored<T>::from(from[k]);
}

// Rows of features in one of the storage types.
struct Rows {
  TF_DataType type;
  void* data;

  // `count` rows from an element on, `stride` elements apart, as rows of `width` floats with zeros beyond `features`. Within the
  // caller, because rows are short and a call would take longer than they do.
  __attribute__((always_inline)) void read(int64_t from, int64_t stride, int64_t count, int64_t features, float* to,
                                           int64_t width) const {
    if (type == TF_FLOAT) return readRows(static_cast<float*>(data) + from, stride, count, features, to, width);
    if (type == TF_BFLOAT16) return readRows(static_cast<bfloat16*>(data) + from, stride, count, features, to, width);
    readRows(static_cast<float16*>(data) + from, stride, count, features, to, width);
  }
  __attribute__((always_inline)) void write(int64_t to, int64_t stride, int64_t count, int64_t features, const float* from,
                                            int64_t width) const {
    if (type == TF_FLOAT) return writeRows(static_cast<float*>(data) + to, stride, count, features, from, width);
    if (type == TF_BFLOAT16) return writeRows(static_cast<bfloat16*>(data) + to, stride, count, features, from, width);
    writeRows(static_cast<float16*>(data) + to, stride, count, features, from, width);
  }
};

// `logSums` is [batch, heads, queries].
struct Forward {
  Rows q, k, v, y;
  float* logSums;
};

struct Backward {
  Rows q, k, v, y, dy;
  const float* logSums;
  Rows dq, dk, dv;
  // The gradient of the scores [batch, heads, queries, keys], or null.
  float* scores;
};

void attend(const Attention&, const Forward&);
void attendGradient(const Attention&, const Backward&);
// The same of bfloat16 numbers where the processor multiplies pairs of them; false where it does not, or the rows are no whole pairs.
bool attendPairs(const Attention&, const Forward&);
bool attendPairsGradient(const Attention&, const Backward&);

// With as many rows of a product as fit into the registers of a processor.
template <class Group, class Given>
void plainly(const Attention& a, const Given& x, int64_t b, int64_t g) {
  Group::template run<Float4, 4>(a, x, b, g);
}
#if defined(__x86_64__)
template <class Group, class Given>
__attribute__((target("arch=x86-64-v3"))) void by256(const Attention& a, const Given& x, int64_t b, int64_t g) {
  Group::template run<Float8, 6>(a, x, b, g);
}
template <class Group, class Given>
__attribute__((target("arch=x86-64-v4"))) void by512(const Attention& a, const Given& x, int64_t b, int64_t g) {
  Group::template run<Float16, 8>(a, x, b, g);
}
#endif

// Calls run(a, x, batch, head of the keys) for all of them, in several threads where there is enough work.
template <class Given>
void forGroups(const Attention& a, const Given& x, void (*run)(const Attention&, const Given&, int64_t, int64_t)) {
  const int64_t groups = a.batch * a.keyHeads, each = a.work() / std::max<int64_t>(1, groups);
  inParts(groups, rowsPerPart(each, 1 << 18), [&](int64_t from, int64_t to) {
    for (int64_t i = from; i < to; i++) run(a, x, i / a.keyHeads, i % a.keyHeads);
  });
}

// The same of Group::run with the widest vectors.
template <class Group, class Given>
void inGroups(const Attention& a, const Given& x) {
  auto* run = plainly<Group, Given>;
#if defined(__x86_64__)
  if (vectorsOfProcessor() == Vectors::eight) run = by256<Group, Given>;
  if (vectorsOfProcessor() == Vectors::sixteen) run = by512<Group, Given>;
#endif
  forGroups(a, x, run);
}

}  // namespace halftone

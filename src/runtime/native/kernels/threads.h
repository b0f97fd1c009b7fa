// The threads that kernels share. An op with little work runs in the thread that called it; another one waits until the pool is
// free, so that there are never more busy threads than the pool has.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>

namespace halftone {

// The number of threads, the caller's included; before the first op.
void setThreads(int count);
int threadCount();

// Calls work(i) for every i below count, in any order and in several threads.
void inThreads(int64_t count, const std::function<void(int64_t)>& work);

// Calls work(from, to) for consecutive parts of [0, size) of `part` elements each. The parts do not depend on the number of
// threads, so that sums of their results do not either.
template <class Work>
void inParts(int64_t size, int64_t part, const Work& work) {
  const int64_t count = (size + part - 1) / part;
  if (count == 1) return work(int64_t{0}, size);
  inThreads(count, [&](int64_t i) { work(i * part, std::min(size, (i + 1) * part)); });
}

// How many rows of a width make a part that is worth a thread.
inline int64_t rowsPerPart(int64_t width, int64_t elements = 16384) { return std::max<int64_t>(1, elements / std::max<int64_t>(1, width)); }

}  // namespace halftone

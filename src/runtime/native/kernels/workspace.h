#pragma once

#include <cstdint>
#include <vector>

namespace halftone {

// Floats of one thread, kept from op to op; parts begin at cache lines.
class Workspace {
 public:
  // The parts may not be more than `parts`, nor all together more than `floats`.
  Workspace(int64_t floats, int64_t parts) {
    static thread_local std::vector<float> space;
    const size_t needed = floats + 16 * (parts + 1);
    if (space.size() < needed) space.resize(needed);
    next_ = reinterpret_cast<float*>((reinterpret_cast<uintptr_t>(space.data()) + 63) / 64 * 64);
  }
  float* part(int64_t floats) {
    float* begin = next_;
    next_ += (floats + 15) / 16 * 16;
    return begin;
  }

 private:
  float* next_;
};

}  // namespace halftone

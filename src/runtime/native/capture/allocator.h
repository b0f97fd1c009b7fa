#pragma once

#include <cstdint>

namespace halftone {

// Bytes of TensorFlow's CPU allocator that are in use, and the most since the last call with `reset`. False where the allocator
// is not the one that counts (TF_CPU_ALLOCATOR_USE_BFC).
bool CpuMemory(bool reset, int64_t* in_use, int64_t* peak);

}  // namespace halftone

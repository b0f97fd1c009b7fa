// The statistics of TensorFlow's CPU allocator. Its C interface has no call for them, and its C++ headers are not kept, so the C++
// functions are found by their symbols. The library is pinned to one version, whose layout this is.
#include "allocator.h"

#include <dlfcn.h>

#include <cstdint>

namespace halftone {
namespace {

// The beginning of tsl::AllocatorStats, and room for the rest.
struct Stats {
  int64_t allocations;
  int64_t bytes_in_use;
  int64_t peak_bytes_in_use;
  int64_t largest_allocation;
  char rest[512];
};

struct Functions {
  void* (*singleton)();
  void* (*cpu_allocator)(void* state, int numa_node);
  Stats (*stats)(void* allocator);
  bool (*clear)(void* allocator);
  void** table;
};

template <typename Function>
void Find(void* library, const char* symbol, Function* function) {
  *function = reinterpret_cast<Function>(dlsym(library, symbol));
}

#ifdef __APPLE__
constexpr const char* kLibrary = "@rpath/libtensorflow_framework.2.dylib";
#else
constexpr const char* kLibrary = "libtensorflow_framework.so.2";
#endif

Functions FindFunctions() {
  Functions found = {};
  void* library = dlopen(kLibrary, RTLD_LAZY | RTLD_NOLOAD);
  if (!library) return found;
  Find(library, "_ZN10tensorflow12ProcessState9singletonEv", &found.singleton);
  Find(library, "_ZN10tensorflow12ProcessState15GetCPUAllocatorEi", &found.cpu_allocator);
  Find(library, "_ZN3tsl12BFCAllocator8GetStatsEv", &found.stats);
  Find(library, "_ZN3tsl12BFCAllocator10ClearStatsEv", &found.clear);
  Find(library, "_ZTVN3tsl12BFCAllocatorE", &found.table);
  return found;
}

// Bytes that are in use, and the most since the last call with `reset`. False where the allocator is not the one that counts
// (TF_CPU_ALLOCATOR_USE_BFC).
bool CountBytes(bool reset, int64_t* in_use, int64_t* peak) {
  static const Functions functions = FindFunctions();
  if (!functions.singleton || !functions.cpu_allocator || !functions.stats || !functions.clear || !functions.table)
    return false;
  void* allocator = functions.cpu_allocator(functions.singleton(), 0);
  // The functions are called without the object's table, so it must be of this class. The table's first two entries are not functions.
  if (!allocator || *static_cast<void***>(allocator) != functions.table + 2) return false;
  if (reset) functions.clear(allocator);
  const Stats stats = functions.stats(allocator);
  *in_use = stats.bytes_in_use;
  *peak = stats.peak_bytes_in_use;
  return true;
}

}  // namespace

// cpuMemory(reset): bytes in use and their peak since the last reset; undefined where they are not counted.
napi_value CpuMemory(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  bool reset = false;
  napi_get_value_bool(env, argument, &reset);
  int64_t bytes[2];
  if (!CountBytes(reset, &bytes[0], &bytes[1])) return nullptr;
  napi_value list;
  napi_create_array_with_length(env, 2, &list);
  for (uint32_t i = 0; i < 2; i++) {
    napi_value number;
    napi_create_int64(env, bytes[i], &number);
    napi_set_element(env, list, i, number);
  }
  return list;
}

}  // namespace halftone

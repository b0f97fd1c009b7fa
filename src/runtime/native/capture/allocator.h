#pragma once
#include <node_api.h>

namespace halftone {

napi_value CpuMemory(napi_env env, napi_callback_info info);

}  // namespace halftone

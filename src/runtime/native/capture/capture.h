#pragma once
#include <node_api.h>

#include "../binding/tensorflow.h"

namespace halftone {

// To be called with the options of a context before it is made.
void SetGraphOptions(const TFE_ContextOptions* options);

napi_value AddFunction(napi_env env, napi_callback_info info);
napi_value RemoveFunction(napi_env env, napi_callback_info info);

}  // namespace halftone

#pragma once
#define NODE_API_EXPERIMENTAL_NO_WARNING
#include <node_api.h>

napi_value HoldStderr(napi_env env, napi_callback_info info);
napi_value ReleaseStderr(napi_env env, napi_callback_info info);

// What the parts of the addon share.
#pragma once
#include <node_api.h>

#include <string>

#include "tensorflow.h"

namespace halftone {

// The context of tfjs' binding in this thread; null before it is known.
TFE_Context* CurrentContext();

std::string Text(napi_env env, napi_value value);

}  // namespace halftone

// The cluster of workers that TensorFlow's context joins when it is made.
#pragma once
#include "addon.h"

namespace halftone {

// joinCluster(serverDef): the next context of this thread joins the cluster.
napi_value JoinCluster(napi_env env, napi_callback_info info);

// abortCollectives(reason): what the process waits for in its cluster fails, and all exchanges after it. In any thread.
napi_value AbortCollectives(napi_env env, napi_callback_info info);

// Joins the cluster, if one was given, before anything asks the context for its devices.
void EnableCluster(TFE_Context* context, TF_Status* status);

}  // namespace halftone

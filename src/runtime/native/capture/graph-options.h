#pragma once

#include <cstddef>

extern "C" {
typedef struct TF_Status TF_Status;
typedef struct TFE_ContextOptions TFE_ContextOptions;
TF_Status* TF_NewStatus();
void TF_DeleteStatus(TF_Status*);
void TFE_ContextOptionsSetConfig(TFE_ContextOptions*, const void* proto, size_t length, TF_Status*);
}

namespace halftone {

// ConfigProto { graph_options { optimizer_options { opt_level: L0 } } }: otherwise TensorFlow merges equal ops of a graph, so that a
// result that is computed twice to save memory, in the forward and in the backward pass, is kept from one to the other.
inline void SetGraphOptions(const TFE_ContextOptions* options) {
  const unsigned char config[] = {0x52, 13, 0x1a, 11, 0x18, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1};
  TF_Status* ignored = TF_NewStatus();
  TFE_ContextOptionsSetConfig(const_cast<TFE_ContextOptions*>(options), config, sizeof(config), ignored);
  TF_DeleteStatus(ignored);
}

}  // namespace halftone

// Ops that this library computes itself where a few numbers on the CPU are concerned, because TensorFlow needs some microseconds
// to prepare any op. The results have the bits of TensorFlow's.
#pragma once

#include <string>

#include "tensorflow.h"

namespace halftone {

enum class SmallOp { none, add, subtract, multiply, divide, reshape, transpose };

// `type` is TensorFlow's number in the attribute T.
SmallOp SmallOpOf(const std::string& name, int64_t type);

// The result of an op of two inputs, or null where TensorFlow is to compute it.
TFE_TensorHandle* ComputeSmall(SmallOp op, TFE_TensorHandle* const* inputs, TF_Status* status);

}  // namespace halftone

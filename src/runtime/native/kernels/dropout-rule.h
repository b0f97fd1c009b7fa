// Dropout as ops declare it: by the attributes "dropped" and "scale", and by an input of two words, the seed.
#pragma once

#include "kernel.h"
#include "philox.h"

namespace halftone {

struct DropoutRule {
  explicit DropoutRule(Attributes& attributes)
      : dropped(attributes.integer("dropped")), scale(attributes.number("scale")) {}
  Dropout of(const Tensor& seed, int64_t size) const {
    require(seed.size() == 2, "a seed has two words");
    return Dropout(seed.data<int32_t>(), dropped, scale, size);
  }
  int64_t dropped;
  float scale;
};

}  // namespace halftone

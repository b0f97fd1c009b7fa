#include "convert.h"

namespace halftone {

EVERY_PROCESSOR void toFloats(const bfloat16* x, float* y, int64_t count) {
  for (int64_t i = 0; i < count; i++) y[i] = toFloat(x[i]);
}
EVERY_PROCESSOR void toFloats(const float16* x, float* y, int64_t count) {
  for (int64_t i = 0; i < count; i++) y[i] = toFloat(x[i]);
}
EVERY_PROCESSOR void fromFloats(const float* x, bfloat16* y, int64_t count) {
  for (int64_t i = 0; i < count; i++) y[i] = Stored<bfloat16>::from(x[i]);
}
EVERY_PROCESSOR void fromFloats(const float* x, float16* y, int64_t count) {
  for (int64_t i = 0; i < count; i++) y[i] = Stored<float16>::from(x[i]);
}

}  // namespace halftone

/* Seeded input data: the same seed gives the same bytes on every device.
 *
 *   float16, bfloat16, float32, float64    uniform in [0, 1), as images are
 *   int8, uint8, int16, uint16             uniform over the whole range: these are quantized values
 *   int32, int64, uint32, uint64           0 or 1: these are indices, and nearly every table has two rows
 *   bool                                   false or true
 */
#ifndef RANDOM_INPUT_H
#define RANDOM_INPUT_H

#include "tensor.h"

void random_fill(void *target, const struct tensor *tensor, uint64_t seed, size_t index);

#endif

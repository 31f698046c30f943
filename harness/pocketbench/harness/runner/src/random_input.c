#include "random_input.h"

#include <string.h>

/* splitmix64 (Steele, Lea and Flood 2014): one addition and three mixes a number, no state to warm up. */
static uint64_t next(uint64_t *state) {
  uint64_t z = (*state += 0x9e3779b97f4a7c15u);
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

/* The float16 of k/1024, exact for k < 1024: ten fraction bits hold it. */
static uint16_t half_of(unsigned k) {
  if (k == 0) return 0;
  int top = 31 - __builtin_clz(k);
  return (uint16_t)((unsigned)(top - 10 + 15) << 10 | ((k << (10 - top)) & 0x3ff));
}

static uint32_t bits_of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static void put(void *target, enum dtype dtype, uint64_t random) {
  float unit = (float)(random >> 40) * 0x1p-24f;
  double fine_unit = (double)(random >> 11) * 0x1p-53;
  uint64_t index = random >> 63;
  switch (dtype) {
    case DTYPE_FLOAT32: memcpy(target, &unit, 4); return;
    case DTYPE_FLOAT64: memcpy(target, &fine_unit, 8); return;
    case DTYPE_FLOAT16: memcpy(target, &(uint16_t){half_of((unsigned)(random >> 54))}, 2); return;
    case DTYPE_BFLOAT16: memcpy(target, &(uint16_t){(uint16_t)(bits_of(unit) >> 16)}, 2); return;
    case DTYPE_INT8:
    case DTYPE_UINT8: memcpy(target, &(uint8_t){(uint8_t)(random >> 56)}, 1); return;
    case DTYPE_INT16:
    case DTYPE_UINT16: memcpy(target, &(uint16_t){(uint16_t)(random >> 48)}, 2); return;
    case DTYPE_INT32:
    case DTYPE_UINT32: memcpy(target, &(uint32_t){(uint32_t)index}, 4); return;
    case DTYPE_INT64:
    case DTYPE_UINT64: memcpy(target, &index, 8); return;
    case DTYPE_BOOL: memcpy(target, &(uint8_t){(uint8_t)index}, 1); return;
    case DTYPE_COUNT: return;
  }
}

void random_fill(void *target, const struct tensor *tensor, uint64_t seed, size_t index) {
  uint64_t state = seed ^ (uint64_t)index << 32;
  size_t size = dtype_size(tensor->dtype);
  for (size_t offset = 0; offset < tensor->bytes; offset += size)
    put((char *)target + offset, tensor->dtype, next(&state));
}

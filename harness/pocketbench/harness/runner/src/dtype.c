#include "dtype.h"

#include <string.h>

static const struct {
  const char *name;
  size_t size;
} table[DTYPE_COUNT] = {
    [DTYPE_BFLOAT16] = {"bfloat16", 2}, [DTYPE_BOOL] = {"bool", 1},       [DTYPE_FLOAT16] = {"float16", 2},
    [DTYPE_FLOAT32] = {"float32", 4},   [DTYPE_FLOAT64] = {"float64", 8}, [DTYPE_INT8] = {"int8", 1},
    [DTYPE_INT16] = {"int16", 2},       [DTYPE_INT32] = {"int32", 4},     [DTYPE_INT64] = {"int64", 8},
    [DTYPE_UINT8] = {"uint8", 1},       [DTYPE_UINT16] = {"uint16", 2},   [DTYPE_UINT32] = {"uint32", 4},
    [DTYPE_UINT64] = {"uint64", 8},
};

const char *dtype_name(enum dtype dtype) { return table[dtype].name; }

size_t dtype_size(enum dtype dtype) { return table[dtype].size; }

enum dtype dtype_named(const char *name) {
  enum dtype dtype = 0;
  while (dtype < DTYPE_COUNT && strcmp(table[dtype].name, name) != 0) dtype++;
  return dtype;
}

/* Element types, named as numpy names them. */
#ifndef DTYPE_H
#define DTYPE_H

#include <stddef.h>

enum dtype {
  DTYPE_BFLOAT16,
  DTYPE_BOOL,
  DTYPE_FLOAT16,
  DTYPE_FLOAT32,
  DTYPE_FLOAT64,
  DTYPE_INT8,
  DTYPE_INT16,
  DTYPE_INT32,
  DTYPE_INT64,
  DTYPE_UINT8,
  DTYPE_UINT16,
  DTYPE_UINT32,
  DTYPE_UINT64,
  DTYPE_COUNT
};

const char *dtype_name(enum dtype dtype);
size_t dtype_size(enum dtype dtype);
/* DTYPE_COUNT for an unknown name. */
enum dtype dtype_named(const char *name);

#endif

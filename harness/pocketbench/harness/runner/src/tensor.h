/* One input or output of a model. */
#ifndef TENSOR_H
#define TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dtype.h"

#define MAX_RANK 16

struct tensor {
  const char *name;
  enum dtype dtype;
  size_t rank;
  int64_t declared[MAX_RANK]; /* as the model says; negative where dynamic */
  int64_t shape[MAX_RANK];    /* as one inference uses it */
  size_t bytes;               /* of `shape` */
  bool quantized;
  double scale;
  int64_t zero_point;
};

bool tensor_is_dynamic(const struct tensor *tensor);

/* Make an input's shape concrete: from `given` where there is one, else a dynamic batch (the first dimension) is 1.
 * Fails by name where another dimension is dynamic, and where `given` does not fit what the model declares. */
void tensor_resolve(struct tensor *tensor, const int64_t *given, size_t given_rank);

/* Set `bytes` from `shape`; fails by name where a dimension is negative or the product too large. */
void tensor_measure(struct tensor *tensor);

/* "1x3x?" into a static buffer. */
const char *shape_text(const int64_t *shape, size_t rank);

#endif

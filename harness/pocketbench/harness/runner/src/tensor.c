#include "tensor.h"

#include <stdio.h>
#include <string.h>

#include "events.h"

bool tensor_is_dynamic(const struct tensor *tensor) {
  for (size_t i = 0; i < tensor->rank; i++)
    if (tensor->declared[i] < 0) return true;
  return false;
}

const char *shape_text(const int64_t *shape, size_t rank) {
  static char text[MAX_RANK * 22];
  size_t used = 0;
  text[0] = 0;
  if (rank == 0) return "scalar";
  for (size_t i = 0; i < rank && i < MAX_RANK; i++) {
    const char *join = i ? "x" : "";
    int written = shape[i] < 0 ? snprintf(text + used, sizeof text - used, "%s?", join)
                               : snprintf(text + used, sizeof text - used, "%s%lld", join, (long long)shape[i]);
    used += (size_t)written;
  }
  return text;
}

static void check_given(const struct tensor *tensor, const int64_t *given, size_t given_rank) {
  bool fits = given_rank == tensor->rank;
  for (size_t i = 0; fits && i < given_rank; i++) fits = tensor->declared[i] < 0 || tensor->declared[i] == given[i];
  if (fits) return;
  char expected[MAX_RANK * 22];
  snprintf(expected, sizeof expected, "%s", shape_text(tensor->declared, tensor->rank));
  fail("expected data of shape %s for the input '%s', got %s", expected, tensor->name,
       shape_text(given, given_rank));
}

void tensor_resolve(struct tensor *tensor, const int64_t *given, size_t given_rank) {
  if (given) check_given(tensor, given, given_rank);
  for (size_t i = 0; i < tensor->rank; i++) {
    tensor->shape[i] = given ? given[i] : tensor->declared[i];
    if (tensor->shape[i] >= 0) continue;
    if (i > 0)
      fail("expected no dynamic dimension but the batch in the input '%s', got shape %s: give data of the shape to run with (--input; pocketbench bench: --evaluation)",
           tensor->name, shape_text(tensor->declared, tensor->rank));
    tensor->shape[i] = 1;
  }
  tensor_measure(tensor);
}

void tensor_measure(struct tensor *tensor) {
  size_t bytes = dtype_size(tensor->dtype);
  for (size_t i = 0; i < tensor->rank; i++)
    if (tensor->shape[i] < 0 || __builtin_mul_overflow(bytes, (size_t)tensor->shape[i], &bytes) || bytes > PTRDIFF_MAX)
      fail("expected a shape of known size for the tensor '%s', got %s", tensor->name,
           shape_text(tensor->shape, tensor->rank));
  tensor->bytes = bytes;
}

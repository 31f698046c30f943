/* The part of ONNX Runtime's C API that the runner uses, by slot of the table OrtApi.
 *
 * OrtApi only ever grows at its end, so a slot is ABI. Source: onnxruntime_c_api.h (Debian's libonnxruntime-dev 1.21,
 * and the repository's master), counted by script; ran with 1.28.2, 1.30 and 1.32.
 */
#ifndef ONNXRUNTIME_API_H
#define ONNXRUNTIME_API_H

#include <stddef.h>
#include <stdint.h>

typedef struct ort_object *object;
typedef struct ort_status *problem; /* NULL is success */

/* Version of the table to ask for: 1.17 (2024) has all slots below, and later libraries still hand it out. */
enum { ORT_API_VERSION = 17 };

enum {
  ORT_LOG_WARNING = 2,
  ORT_OPTIMISE_ALL = 99,
  ORT_DEVICE_ALLOCATOR = 0, /* what the header's own example uses for memory of the caller */
  ORT_MEMORY_DEFAULT = 0,
  ORT_TYPE_TENSOR = 1
};

struct ort_base {
  const void *const *(*get_api)(uint32_t version);
  const char *(*version)(void);
};

/* name in the struct, slot, result, arguments */
#define ORT_FUNCTIONS(F)                                                                                         \
  F(error_message, 2, const char *, problem)                                                                     \
  F(create_env, 3, problem, int, const char *, object *)                                                         \
  F(create_session, 7, problem, object, const char *, object, object *)                                          \
  F(run, 9, problem, object, object, const char *const *, const object *, size_t, const char *const *, size_t,   \
    object *)                                                                                                    \
  F(create_session_options, 10, problem, object *)                                                               \
  F(enable_profiling, 14, problem, object, const char *)                                                         \
  F(set_optimisation, 23, problem, object, int)                                                                  \
  F(set_intra_op_threads, 24, problem, object, int)                                                              \
  F(count_inputs, 30, problem, object, size_t *)                                                                 \
  F(count_outputs, 31, problem, object, size_t *)                                                                \
  F(input_type, 33, problem, object, size_t, object *)                                                           \
  F(output_type, 34, problem, object, size_t, object *)                                                          \
  F(input_name, 36, problem, object, size_t, object, char **)                                                    \
  F(output_name, 37, problem, object, size_t, object, char **)                                                   \
  F(create_tensor, 49, problem, object, void *, size_t, const int64_t *, size_t, int, object *)                  \
  F(is_tensor, 50, problem, object, int *)                                                                       \
  F(tensor_data, 51, problem, object, void **)                                                                   \
  F(as_tensor_type, 55, problem, object, object *)                                                               \
  F(onnx_type, 56, problem, object, int *)                                                                       \
  F(element_type, 60, problem, object, int *)                                                                    \
  F(rank, 61, problem, object, size_t *)                                                                         \
  F(dimensions, 62, problem, object, int64_t *, size_t)                                                          \
  F(type_of_value, 65, problem, object, object *)                                                                \
  F(cpu_memory, 69, problem, int, int, object *)                                                                 \
  F(default_allocator, 78, problem, object *)                                                                    \
  F(release_value, 96, void, object)                                                                             \
  F(release_type, 98, void, object)                                                                              \
  F(release_tensor_type, 99, void, object)                                                                       \
  F(end_profiling, 110, problem, object, object, char **)                                                        \
  F(append_provider, 216, problem, object, const char *, const char *const *, const char *const *, size_t)

struct ort_api {
#define F(name, slot, result, ...) result (*name)(__VA_ARGS__);
  ORT_FUNCTIONS(F)
#undef F
};

#endif

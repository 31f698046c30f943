/* The part of LiteRT's C API that the runner uses, as function types and ABI-stable structs.
 *
 * Source: github.com/google-ai-edge/LiteRT, litert/c/litert_{model,model_types,layout,options,opaque_options,
 * compiled_model,tensor_buffer}.h, checked by running against libLiteRt.so of ai-edge-litert 2.3.0.
 * Since 2.x LiteRtCreateModelFromFile takes the environment first.
 */
#ifndef LITERT_API_H
#define LITERT_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct litert_handle *handle;
typedef int status; /* 0 is success */

/* LiteRtProfiledEventData of litert_profiler_event.h, with the three sizes of memory that 2.3.0 has on each side. */
struct profiler_event {
  const char *tag;
  int32_t type;
  uint64_t start_us, elapsed_us;
  size_t memory_begin[3], memory_end[3];
  uint64_t node, metadata;
  int32_t source;
};

enum { LITERT_MAX_RANK = 8, LITERT_CPU = 1, LITERT_GPU = 2, LITERT_NPU = 4, LITERT_LOCK_READ = 0, LITERT_LOCK_WRITE = 1, LITERT_PER_TENSOR = 1 };

struct layout {
  unsigned rank : 7;
  bool has_strides : 1;
  int32_t dimensions[LITERT_MAX_RANK]; /* negative where dynamic */
  uint32_t strides[LITERT_MAX_RANK];
};

struct ranked_type {
  int32_t element_type;
  struct layout layout;
};

struct per_tensor {
  float scale;
  int64_t zero_point;
};

/* The library's own headers assert the same sizes. */
_Static_assert(sizeof(struct ranked_type) == 72, "LiteRtRankedTensorType");
_Static_assert(sizeof(struct per_tensor) == 16, "LiteRtQuantizationPerTensor");
_Static_assert(sizeof(struct profiler_event) == 104, "ProfiledEventData");

/* name in the struct, name in the library, arguments */
#define LITERT_FUNCTIONS(F)                                                                           \
  F(create_environment, LiteRtCreateEnvironment, int, const void *, handle *)                         \
  F(create_model, LiteRtCreateModelFromFile, handle, const char *, handle *)                          \
  F(create_options, LiteRtCreateOptions, handle *)                                                    \
  F(set_accelerators, LiteRtSetOptionsHardwareAccelerators, handle, int)                              \
  F(create_opaque, LiteRtCreateOpaqueOptions, const char *, void *, void (*)(void *), handle *)       \
  F(add_opaque, LiteRtAddOpaqueOptions, handle, handle)                                               \
  F(compile, LiteRtCreateCompiledModel, handle, handle, handle, handle *)                             \
  F(get_signature, LiteRtGetModelSignature, handle, size_t, handle *)                                 \
  F(count_inputs, LiteRtGetNumSignatureInputs, handle, size_t *)                                      \
  F(count_outputs, LiteRtGetNumSignatureOutputs, handle, size_t *)                                    \
  F(input_name, LiteRtGetSignatureInputName, handle, size_t, const char **)                           \
  F(output_name, LiteRtGetSignatureOutputName, handle, size_t, const char **)                         \
  F(input_tensor, LiteRtGetSignatureInputTensorByIndex, handle, size_t, handle *)                     \
  F(output_tensor, LiteRtGetSignatureOutputTensorByIndex, handle, size_t, handle *)                   \
  F(ranked_type, LiteRtGetRankedTensorType, handle, struct ranked_type *)                             \
  F(quantization_type, LiteRtGetQuantizationTypeId, handle, int *)                                    \
  F(per_tensor, LiteRtGetPerTensorQuantization, handle, struct per_tensor *)                          \
  F(resize_input, LiteRtCompiledModelResizeInputTensor, handle, size_t, size_t, const int *, size_t)  \
  F(output_layouts, LiteRtGetCompiledModelOutputTensorLayouts, handle, size_t, size_t, struct layout *, bool) \
  F(input_needs, LiteRtGetCompiledModelInputBufferRequirements, handle, size_t, size_t, handle *)     \
  F(output_needs, LiteRtGetCompiledModelOutputBufferRequirements, handle, size_t, size_t, handle *)   \
  F(create_buffer, LiteRtCreateManagedTensorBufferFromRequirements, handle, const struct ranked_type *, handle, handle *) \
  F(packed_size, LiteRtGetTensorBufferPackedSize, handle, size_t *)                                   \
  F(lock, LiteRtLockTensorBuffer, handle, void **, int)                                               \
  F(unlock, LiteRtUnlockTensorBuffer, handle)                                                         \
  F(run, LiteRtRunCompiledModel, handle, size_t, size_t, handle *, size_t, handle *)

/* Looked up when a profile is asked for: not every build has them. */
#define LITERT_PROFILER_FUNCTIONS(F)                                          \
  F(get_profiler, LiteRtCompiledModelGetProfiler, handle, handle *)           \
  F(start, LiteRtStartProfiler, handle)                                       \
  F(stop, LiteRtStopProfiler, handle)                                         \
  F(reset, LiteRtResetProfiler, handle)                                       \
  F(count_events, LiteRtGetNumProfilerEvents, handle, int *)                  \
  F(events, LiteRtGetProfilerEvents, handle, int, struct profiler_event *)

struct litert_profiler_api {
#define F(name, symbol, ...) status (*name)(__VA_ARGS__);
  LITERT_PROFILER_FUNCTIONS(F)
#undef F
};

struct litert_api {
#define F(name, symbol, ...) status (*name)(__VA_ARGS__);
  LITERT_FUNCTIONS(F)
#undef F
};

#endif

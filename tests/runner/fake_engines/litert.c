/* A libLiteRt.so with one input and one output of 2 float32; the name of the "model" file says how it misbehaves:
 * ranks-of-100, layouts-of-100, nameless, small-buffer, threads, dynamic. It has all functions that the runner looks for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "litert_api.h"

static const char *way = "";
static char options_text[64];
static float buffers[2][2];

status LiteRtCreateEnvironment(int count, const void *options, handle *out) {
  return (void)count, (void)options, *out = NULL, 0;
}

status LiteRtCreateModelFromFile(handle environment, const char *path, handle *out) {
  (void)environment;
  const char *name = strrchr(path, '/');
  way = strdup(name ? name + 1 : path);
  *out = NULL;
  return 0;
}

status LiteRtCreateOptions(handle *out) { return *out = NULL, 0; }
status LiteRtSetOptionsHardwareAccelerators(handle options, int which) { return (void)options, which == 1 ? 0 : 1; }

status LiteRtCreateOpaqueOptions(const char *name, void *payload, void (*release)(void *), handle *out) {
  snprintf(options_text, sizeof options_text, "%s: %s", name, (const char *)payload);
  release(payload);
  *out = NULL;
  return 0;
}

status LiteRtAddOpaqueOptions(handle options, handle opaque) { return (void)options, (void)opaque, 0; }

status LiteRtCreateCompiledModel(handle environment, handle model, handle options, handle *out) {
  (void)environment, (void)model, (void)options, *out = NULL;
  if (strcmp(way, "threads") != 0) return 0;
  fprintf(stderr, "ERROR: %s", options_text);
  return 504;
}

status LiteRtGetModelSignature(handle model, size_t index, handle *out) { return (void)model, (void)index, *out = NULL, 0; }
status LiteRtGetNumSignatureInputs(handle signature, size_t *out) { return (void)signature, *out = 1, 0; }
status LiteRtGetNumSignatureOutputs(handle signature, size_t *out) { return (void)signature, *out = 1, 0; }

static status name_of(const char *name, const char **out) {
  *out = strcmp(way, "nameless") == 0 ? NULL : name;
  return 0;
}

status LiteRtGetSignatureInputName(handle s, size_t i, const char **out) { return (void)s, (void)i, name_of("x", out); }
status LiteRtGetSignatureOutputName(handle s, size_t i, const char **out) { return (void)s, (void)i, name_of("y", out); }
status LiteRtGetSignatureInputTensorByIndex(handle s, size_t i, handle *out) { return (void)s, (void)i, *out = NULL, 0; }
status LiteRtGetSignatureOutputTensorByIndex(handle s, size_t i, handle *out) { return (void)s, (void)i, *out = NULL, 0; }

status LiteRtGetRankedTensorType(handle tensor, struct ranked_type *out) {
  (void)tensor;
  *out = (struct ranked_type){.element_type = 1, .layout = {.rank = 1, .dimensions = {2}}};
  if (strcmp(way, "ranks-of-100") == 0) out->layout.rank = 100;
  if (strcmp(way, "dynamic") == 0) out->layout.dimensions[0] = -1;
  return 0;
}

status LiteRtGetQuantizationTypeId(handle tensor, int *out) { return (void)tensor, *out = 0, 0; }
status LiteRtGetPerTensorQuantization(handle tensor, struct per_tensor *out) { return (void)tensor, (void)out, 1; }

status LiteRtCompiledModelResizeInputTensor(handle compiled, size_t signature, size_t index, const int *shape,
                                            size_t rank) {
  (void)compiled, (void)signature, (void)index;
  return rank == 1 && shape[0] == 2 ? 0 : 1;
}

status LiteRtGetCompiledModelOutputTensorLayouts(handle compiled, size_t signature, size_t count,
                                                 struct layout *layouts, bool update) {
  (void)compiled, (void)signature, (void)count, (void)update;
  layouts[0] = (struct layout){.rank = 1, .dimensions = {2}};
  if (strcmp(way, "layouts-of-100") == 0) layouts[0].rank = 100;
  return 0;
}

status LiteRtGetCompiledModelInputBufferRequirements(handle c, size_t s, size_t i, handle *out) {
  return (void)c, (void)s, (void)i, *out = NULL, 0;
}

status LiteRtGetCompiledModelOutputBufferRequirements(handle c, size_t s, size_t i, handle *out) {
  return (void)c, (void)s, (void)i, *out = NULL, 0;
}

status LiteRtCreateManagedTensorBufferFromRequirements(handle environment, const struct ranked_type *type,
                                                       handle needs, handle *out) {
  static int made;
  (void)environment, (void)type, (void)needs;
  *out = (handle)buffers[made++ % 2];
  return 0;
}

status LiteRtGetTensorBufferPackedSize(handle buffer, size_t *out) {
  return (void)buffer, *out = strcmp(way, "small-buffer") == 0 ? 4 : sizeof buffers[0], 0;
}

status LiteRtLockTensorBuffer(handle buffer, void **out, int mode) { return (void)mode, *out = buffer, 0; }
status LiteRtUnlockTensorBuffer(handle buffer) { return (void)buffer, 0; }

status LiteRtRunCompiledModel(handle compiled, size_t signature, size_t input_count, handle *inputs,
                              size_t output_count, handle *outputs) {
  (void)compiled, (void)signature, (void)input_count, (void)output_count;
  memcpy(outputs[0], inputs[0], sizeof buffers[0]);
  return 0;
}

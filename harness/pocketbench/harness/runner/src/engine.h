/* What an inference engine does for the runner. All functions fail() with the engine's own words. */
#ifndef ENGINE_H
#define ENGINE_H

#include <stddef.h>

#include "tensor.h"

struct model {
  size_t input_count, output_count;
  struct tensor *inputs, *outputs;
};

struct engine_options {
  int threads;
  const char *profile;     /* file for what each operator took; NULL where nobody asks */
  const char *accelerator; /* in the engine's words; what it cannot take runs on the CPU */
};

struct engine {
  const char *name;
  /* dlopen the library and find its functions; returns the version that it reports, NULL where it cannot say. */
  const char *(*load)(const char *library);
  /* Read and compile the model, and describe its inputs and outputs as declared. */
  void (*open)(const char *path, const struct engine_options *options, struct model *model);
  /* After open(): 1 where all of the model runs on the accelerator, 0 where a part does not, -1 if it cannot say. */
  int (*fully_accelerated)(void);
  /* Make ready to run with the `shape` of each input. */
  void (*prepare)(struct model *model);
  void (*write_input)(size_t index, const void *data, size_t bytes);
  /* One inference: the call that is timed. */
  void (*run)(void);
  /* What has to happen between two inferences and belongs to neither. */
  void (*settle)(void);
  /* After a run: set `shape` and `bytes` of each output to what came out. */
  void (*measure_outputs)(struct model *model);
  void (*read_output)(size_t index, void *target, size_t bytes);
  /* So many inferences with the engine's own profiler; it writes what each operator took to the file of open(). */
  void (*profile)(int64_t runs);
};

extern const struct engine litert;
extern const struct engine onnxruntime;

/* NULL for an unknown name. */
const struct engine *engine_named(const char *name);

/* Shared by the engines: open a library, find a function in it; fail with dlerror(). */
void *library_open(const char *path);
void *library_function(void *library, const char *name);

#endif

/* LiteRT through the C API of libLiteRt.so, on the CPU with XNNPACK as its own Python CompiledModel does. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "events.h"
#include "litert_api.h"

static struct litert_api api;
static struct litert_profiler_api profiler_api;
static const char *profile_path;
static void *library;
static handle environment, source, signature, compiled;
static size_t input_count, output_count;
static handle *inputs, *outputs;

/* LiteRT's C library has no function for this; from litert_common.h. */
static const char *status_name(status code) {
  switch (code) {
    case 1: return "invalid argument";
    case 2: return "memory allocation failure";
    case 3: return "runtime failure";
    case 4: return "missing input tensor";
    case 5: return "unsupported";
    case 6: return "not found";
    case 7: return "timeout expired";
    case 8: return "wrong version";
    case 9: return "unknown";
    case 500: return "file I/O";
    case 501: return "invalid flatbuffer";
    case 502: return "dynamic loading";
    case 503: return "serialization";
    case 504: return "compilation";
    case 1000: return "index out of bounds";
    case 1001: return "invalid IR type";
    default: return "see litert_common.h";
  }
}

static void check(status code, const char *what) {
  if (code != 0) fail("LiteRT failed to %s: status %d (%s)", what, code, status_name(code));
}

static const char *load(const char *path) {
  library = library_open(path);
#define F(name, symbol, ...) *(void **)&api.name = library_function(library, #symbol);
  LITERT_FUNCTIONS(F)
#undef F
  return NULL; /* the library does not tell its version */
}

static enum dtype dtype_of(const char *name, int element_type) {
  static const struct {
    int code;
    enum dtype dtype;
  } table[] = {{1, DTYPE_FLOAT32}, {2, DTYPE_INT32},  {3, DTYPE_UINT8},    {4, DTYPE_INT64},   {6, DTYPE_BOOL},
               {7, DTYPE_INT16},   {9, DTYPE_INT8},   {10, DTYPE_FLOAT16}, {11, DTYPE_FLOAT64}, {13, DTYPE_UINT64},
               {16, DTYPE_UINT32}, {17, DTYPE_UINT16}, {19, DTYPE_BFLOAT16}};
  static const char *const refused[] = {[0] = "none",     [5] = "string",     [8] = "complex64", [12] = "complex128",
                                        [14] = "resource", [15] = "variant", [18] = "int4",      [20] = "int2"};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    if (table[i].code == element_type) return table[i].dtype;
  size_t known = sizeof refused / sizeof *refused;
  const char *what = element_type >= 0 && (size_t)element_type < known ? refused[element_type] : NULL;
  fail("expected plain numbers in the tensor '%s', got the element type %s (%d), which the runner cannot feed or read",
       name, what ? what : "unknown", element_type);
}

static size_t rank_of(const struct layout *layout, const char *name) {
  if (layout->rank > LITERT_MAX_RANK)
    fail("expected at most %d dimensions in '%s', got %u", LITERT_MAX_RANK, name, layout->rank);
  return layout->rank;
}

static void describe(handle tensor, const char *name, struct tensor *described) {
  struct ranked_type type = {0};
  described->name = name = name ? name : ""; /* a name is optional in a .tflite */
  check(api.ranked_type(tensor, &type), "get a tensor's type");
  described->dtype = dtype_of(name, type.element_type);
  described->rank = rank_of(&type.layout, name);
  for (size_t i = 0; i < described->rank; i++) described->declared[i] = type.layout.dimensions[i];
  int kind = 0;
  struct per_tensor quantization = {0};
  check(api.quantization_type(tensor, &kind), "get a tensor's quantization");
  if (kind != LITERT_PER_TENSOR) return;
  check(api.per_tensor(tensor, &quantization), "get a tensor's scale");
  described->quantized = true;
  described->scale = (double)quantization.scale;
  described->zero_point = quantization.zero_point;
}

/* Options of a part of LiteRT are TOML text under its name; the library frees it. */
static __attribute__((format(printf, 3, 4))) void add_options(handle options, const char *part, const char *format, ...) {
  enum { LONGEST = 64 };
  handle opaque;
  char *text = allocate(LONGEST, 1);
  va_list values;
  va_start(values, format);
  vsnprintf(text, LONGEST, format, values);
  va_end(values);
  check(api.create_opaque(part, text, free, &opaque), "create options");
  check(api.add_opaque(options, opaque), "set options");
}

static int hardware(const char *accelerator) {
  if (strcmp(accelerator, "cpu") == 0) return LITERT_CPU;
  if (strcmp(accelerator, "gpu") == 0) return LITERT_GPU | LITERT_CPU;
  if (strcmp(accelerator, "npu") == 0) return LITERT_NPU | LITERT_CPU;
  fail("expected one of LiteRT's accelerators cpu, gpu and npu, got '%s'", accelerator);
}

static int fully_accelerated(void) {
  status (*ask)(handle, bool *);
  bool fully = false;
  *(void **)&ask = library_function(library, "LiteRtCompiledModelIsNonCpuFullyAccelerated");
  check(ask(compiled, &fully), "say what runs on the accelerator");
  return fully;
}

static void open_model(const char *path, const struct engine_options *wanted, struct model *model) {
  handle options;
  check(api.create_environment(0, NULL, &environment), "create an environment");
  check(api.create_model(environment, path, &source), "read the model");
  check(api.create_options(&options), "create options");
  check(api.set_accelerators(options, hardware(wanted->accelerator)), "choose the accelerator");
  add_options(options, "xnnpack", "num_threads = %d\n", wanted->threads);
  profile_path = wanted->profile;
  if (profile_path) {
#define F(name, symbol, ...) *(void **)&profiler_api.name = library_function(library, #symbol);
    LITERT_PROFILER_FUNCTIONS(F)
#undef F
    add_options(options, "runtime_options_string", "%s", "enable_profiling = true\n");
  }
  check(api.compile(environment, source, options, &compiled), "compile the model");

  check(api.get_signature(source, 0, &signature), "get the first signature");
  check(api.count_inputs(signature, &input_count), "count inputs");
  check(api.count_outputs(signature, &output_count), "count outputs");
  *model = (struct model){input_count, output_count, allocate(input_count, sizeof(struct tensor)),
                          allocate(output_count, sizeof(struct tensor))};
  for (size_t i = 0; i < input_count; i++) {
    const char *name;
    handle tensor;
    check(api.input_name(signature, i, &name), "get an input's name");
    check(api.input_tensor(signature, i, &tensor), "get an input");
    describe(tensor, name, &model->inputs[i]);
  }
  for (size_t i = 0; i < output_count; i++) {
    const char *name;
    handle tensor;
    check(api.output_name(signature, i, &name), "get an output's name");
    check(api.output_tensor(signature, i, &tensor), "get an output");
    describe(tensor, name, &model->outputs[i]);
  }
}

static handle create_buffer(const struct tensor *tensor, int element_type, handle needs) {
  struct ranked_type type = {.element_type = element_type, .layout = {.rank = (unsigned)tensor->rank & 0x7f}};
  for (size_t i = 0; i < tensor->rank; i++) type.layout.dimensions[i] = (int32_t)tensor->shape[i];
  handle buffer;
  size_t size = 0;
  check(api.create_buffer(environment, &type, needs, &buffer), "create a tensor buffer");
  check(api.packed_size(buffer, &size), "get a buffer's size");
  if (size < tensor->bytes)
    fail("expected a buffer of %zu bytes for '%s', LiteRT made one of %zu", tensor->bytes, tensor->name, size);
  return buffer;
}

static int element_type_of(handle tensor) {
  struct ranked_type type = {0};
  check(api.ranked_type(tensor, &type), "get a tensor's type");
  return type.element_type;
}

static void prepare(struct model *model) {
  bool resized = false;
  handle tensor, needs;
  inputs = allocate(input_count, sizeof *inputs);
  outputs = allocate(output_count, sizeof *outputs);
  for (size_t i = 0; i < input_count; i++) {
    if (!tensor_is_dynamic(&model->inputs[i])) continue;
    int shape[LITERT_MAX_RANK];
    for (size_t k = 0; k < model->inputs[i].rank; k++) {
      if (model->inputs[i].shape[k] > INT32_MAX)
        fail("expected dimensions below 2^31 for the input '%s', got %s", model->inputs[i].name,
             shape_text(model->inputs[i].shape, model->inputs[i].rank));
      shape[k] = (int)model->inputs[i].shape[k];
    }
    check(api.resize_input(compiled, 0, i, shape, model->inputs[i].rank), "give an input its shape");
    resized = true;
  }
  struct layout *layouts = allocate(output_count, sizeof *layouts);
  check(api.output_layouts(compiled, 0, output_count, layouts, resized), "get the shapes of the outputs");
  for (size_t i = 0; i < input_count; i++) {
    check(api.input_tensor(signature, i, &tensor), "get an input");
    check(api.input_needs(compiled, 0, i, &needs), "get what an input's buffer needs");
    inputs[i] = create_buffer(&model->inputs[i], element_type_of(tensor), needs);
  }
  for (size_t i = 0; i < output_count; i++) {
    struct tensor *output = &model->outputs[i];
    output->rank = rank_of(&layouts[i], output->name);
    for (size_t k = 0; k < output->rank; k++) output->shape[k] = layouts[i].dimensions[k];
    tensor_measure(output);
    check(api.output_tensor(signature, i, &tensor), "get an output");
    check(api.output_needs(compiled, 0, i, &needs), "get what an output's buffer needs");
    outputs[i] = create_buffer(output, element_type_of(tensor), needs);
  }
  free(layouts);
}

static void write_input(size_t index, const void *data, size_t bytes) {
  void *memory;
  check(api.lock(inputs[index], &memory, LITERT_LOCK_WRITE), "lock an input");
  memcpy(memory, data, bytes);
  check(api.unlock(inputs[index]), "unlock an input");
}

static void run(void) {
  check(api.run(compiled, 0, input_count, inputs, output_count, outputs), "run the model");
}

static void settle(void) {} /* outputs are written in place */

static void measure_outputs(struct model *model) { (void)model; /* known since prepare() */ }

static void read_output(size_t index, void *target, size_t bytes) {
  void *memory;
  check(api.lock(outputs[index], &memory, LITERT_LOCK_READ), "lock an output");
  memcpy(target, memory, bytes);
  check(api.unlock(outputs[index]), "unlock an output");
}

/* A line: run, type, source, node, time in us, tag. litert_profiler_event.h has the numbers. */
static void write_event(FILE *file, int64_t run, const struct profiler_event *event) {
  fprintf(file, "%lld\t%d\t%d\t%lld\t%lld\t", (long long)run, event->type, event->source, (long long)event->node,
          (long long)event->elapsed_us);
  for (const char *c = event->tag ? event->tag : ""; *c; c++) putc((unsigned char)*c < ' ' ? ' ' : *c, file);
  putc('\n', file);
}

static void profile(int64_t runs) {
  FILE *file = fopen(profile_path, "wb");
  if (file == NULL) fail("cannot create the profile %s: %s", profile_path, strerror(errno));
  handle profiler;
  check(profiler_api.get_profiler(compiled, &profiler), "get its profiler");
  for (int64_t run_number = 0; run_number < runs; run_number++) {
    int count = 0;
    check(profiler_api.start(profiler), "start its profiler");
    run();
    check(profiler_api.stop(profiler), "stop its profiler");
    check(profiler_api.count_events(profiler, &count), "count its profiler's events");
    struct profiler_event *events = allocate(count < 0 ? 0 : (size_t)count, sizeof *events);
    check(profiler_api.events(profiler, count, events), "get its profiler's events");
    for (int i = 0; i < count; i++) write_event(file, run_number, &events[i]);
    free(events);
    check(profiler_api.reset(profiler), "empty its profiler");
  }
  if (fclose(file) != 0) fail("cannot write the profile %s: %s", profile_path, strerror(errno));
}

const struct engine litert = {.name = "litert",
                              .load = load,
                              .open = open_model,
                              .fully_accelerated = fully_accelerated,
                              .prepare = prepare,
                              .write_input = write_input,
                              .run = run,
                              .settle = settle,
                              .measure_outputs = measure_outputs,
                              .read_output = read_output,
                              .profile = profile};

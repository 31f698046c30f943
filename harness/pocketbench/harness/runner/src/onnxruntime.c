/* ONNX Runtime through its C API, with the defaults of its own Python InferenceSession: all graph optimisations,
 * memory arena and pattern, sequential execution, spinning threads. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "events.h"
#include "onnxruntime_api.h"

static struct ort_api api;
static object session, memory_info, allocator;
static const char *profile_path;
static void *library;
static size_t input_count, output_count;
static const char **input_names, **output_names;
static object *input_values, *output_values;
static void **input_data;
static int *input_types;

static void check(problem problem, const char *what) {
  if (problem != NULL) fail("ONNX Runtime failed to %s: %s", what, api.error_message(problem));
}

static const char *load(const char *path) {
  const struct ort_base *(*get_base)(void);
  library = library_open(path);
  *(void **)&get_base = library_function(library, "OrtGetApiBase");
  const struct ort_base *base = get_base();
  const void *const *table = base->get_api(ORT_API_VERSION);
  if (table == NULL)
    fail("expected ONNX Runtime 1.%d or later, got %s", ORT_API_VERSION, base->version());
#define F(name, slot, result, ...) memcpy(&api.name, &table[slot], sizeof api.name);
  ORT_FUNCTIONS(F)
#undef F
  return base->version();
}

static enum dtype dtype_of(const char *name, int element_type) {
  static const struct {
    int code;
    enum dtype dtype;
  } table[] = {{1, DTYPE_FLOAT32}, {2, DTYPE_UINT8},    {3, DTYPE_INT8},    {4, DTYPE_UINT16},  {5, DTYPE_INT16},
               {6, DTYPE_INT32},   {7, DTYPE_INT64},    {9, DTYPE_BOOL},    {10, DTYPE_FLOAT16}, {11, DTYPE_FLOAT64},
               {12, DTYPE_UINT32}, {13, DTYPE_UINT64}, {16, DTYPE_BFLOAT16}};
  static const char *const refused[] = {[0] = "undefined",      [8] = "string",          [14] = "complex64",
                                        [15] = "complex128",    [17] = "float8e4m3fn",   [18] = "float8e4m3fnuz",
                                        [19] = "float8e5m2",    [20] = "float8e5m2fnuz", [21] = "uint4",
                                        [22] = "int4",          [23] = "float4e2m1",     [24] = "float8e8m0",
                                        [25] = "uint2",         [26] = "int2"};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    if (table[i].code == element_type) return table[i].dtype;
  size_t known = sizeof refused / sizeof *refused;
  const char *what = element_type >= 0 && (size_t)element_type < known ? refused[element_type] : NULL;
  fail("expected plain numbers in the tensor '%s', got the element type %s (%d), which the runner cannot feed or read",
       name, what ? what : "unknown", element_type);
}

static int describe(object type, const char *name, struct tensor *described) {
  int onnx_type = 0, element_type = 0;
  object tensor_type = NULL;
  check(api.onnx_type(type, &onnx_type), "get a type");
  check(api.as_tensor_type(type, &tensor_type), "get a tensor's type");
  if (onnx_type != ORT_TYPE_TENSOR || tensor_type == NULL)
    fail("expected a tensor as '%s', got the ONNX type %d (a sequence, map, sparse tensor or optional), which the "
         "runner cannot feed or read", name, onnx_type);
  described->name = name;
  check(api.element_type(tensor_type, &element_type), "get a tensor's element type");
  described->dtype = dtype_of(name, element_type);
  check(api.rank(tensor_type, &described->rank), "get a tensor's rank");
  if (described->rank > MAX_RANK)
    fail("expected at most %d dimensions in '%s', got %zu", MAX_RANK, name, described->rank);
  check(api.dimensions(tensor_type, described->declared, described->rank), "get a tensor's shape");
  api.release_type(type);
  return element_type;
}

/* NNAPI has a function of its own, in builds for Android only (nnapi_provider_factory.h). */
static void append_nnapi(object options) {
  problem (*append)(object, uint32_t);
  *(void **)&append = library_function(library, "OrtSessionOptionsAppendExecutionProvider_Nnapi");
  check(append(options, 0), "turn NNAPI on");
}

/* What a provider cannot take runs on the CPU, as is ONNX Runtime's default. */
static void accelerate(object options, const struct engine_options *wanted) {
  char threads[16];
  snprintf(threads, sizeof threads, "%d", wanted->threads);
  const char *accelerator = wanted->accelerator;
  const char *const xnnpack_keys[] = {"intra_op_num_threads"}, *const xnnpack_values[] = {threads};
  const char *const qnn_keys[] = {"backend_path"}, *const qnn_values[] = {"libQnnHtp.so"};
  if (strcmp(accelerator, "cpu") == 0) return;
  if (strcmp(accelerator, "nnapi") == 0) append_nnapi(options);
  else if (strcmp(accelerator, "xnnpack") == 0)
    check(api.append_provider(options, "XNNPACK", xnnpack_keys, xnnpack_values, 1), "turn XNNPACK on");
  else if (strcmp(accelerator, "qnn") == 0)
    check(api.append_provider(options, "QNN", qnn_keys, qnn_values, 1), "turn QNN on");
  else fail("expected one of ONNX Runtime's accelerators cpu, xnnpack, nnapi and qnn, got '%s'", accelerator);
}

static int fully_accelerated(void) { return -1; } /* its profile tells */

static void open_model(const char *path, const struct engine_options *wanted, struct model *model) {
  object env, options, type;
  check(api.create_env(ORT_LOG_WARNING, "pocketbench", &env), "create an environment");
  check(api.create_session_options(&options), "create options");
  check(api.set_intra_op_threads(options, wanted->threads), "set the number of threads");
  check(api.set_optimisation(options, ORT_OPTIMISE_ALL), "set the optimisation level");
  accelerate(options, wanted);
  profile_path = wanted->profile;
  if (profile_path) check(api.enable_profiling(options, profile_path), "turn its profiler on");
  check(api.create_session(env, path, options, &session), "load the model");
  check(api.default_allocator(&allocator), "get an allocator");
  check(api.cpu_memory(ORT_DEVICE_ALLOCATOR, ORT_MEMORY_DEFAULT, &memory_info), "describe CPU memory");
  check(api.count_inputs(session, &input_count), "count inputs");
  check(api.count_outputs(session, &output_count), "count outputs");
  *model = (struct model){input_count, output_count, allocate(input_count, sizeof(struct tensor)),
                          allocate(output_count, sizeof(struct tensor))};
  input_names = allocate(input_count, sizeof *input_names);
  output_names = allocate(output_count, sizeof *output_names);
  input_types = allocate(input_count, sizeof *input_types);
  for (size_t i = 0; i < input_count; i++) {
    char *name;
    check(api.input_name(session, i, allocator, &name), "get an input's name");
    check(api.input_type(session, i, &type), "get an input's type");
    input_names[i] = name;
    input_types[i] = describe(type, name, &model->inputs[i]);
  }
  for (size_t i = 0; i < output_count; i++) {
    char *name;
    check(api.output_name(session, i, allocator, &name), "get an output's name");
    check(api.output_type(session, i, &type), "get an output's type");
    output_names[i] = name;
    describe(type, name, &model->outputs[i]);
  }
}

static void prepare(struct model *model) {
  enum { ALIGNMENT = 64 }; /* a cache line, and what ORT's own allocator gives */
  input_values = allocate(input_count, sizeof *input_values);
  output_values = allocate(output_count, sizeof *output_values);
  input_data = allocate(input_count, sizeof *input_data);
  for (size_t i = 0; i < input_count; i++) {
    struct tensor *input = &model->inputs[i];
    if (posix_memalign(&input_data[i], ALIGNMENT, input->bytes ? input->bytes : 1) != 0)
      fail("expected %zu bytes of memory for the input '%s', got none", input->bytes, input->name);
    check(api.create_tensor(memory_info, input_data[i], input->bytes, input->shape, input->rank, input_types[i],
                            &input_values[i]),
          "create an input");
  }
}

static void write_input(size_t index, const void *data, size_t bytes) { memcpy(input_data[index], data, bytes); }

static void run(void) {
  check(api.run(session, NULL, input_names, input_values, input_count, output_names, output_count, output_values),
        "run the model");
}

/* Outputs are made anew by each run, as Python's session.run does: their shape may depend on the data. */
static void settle(void) {
  for (size_t i = 0; i < output_count; i++) {
    if (output_values[i]) api.release_value(output_values[i]);
    output_values[i] = NULL;
  }
}

static void measure_outputs(struct model *model) {
  for (size_t i = 0; i < output_count; i++) {
    struct tensor *output = &model->outputs[i];
    object type;
    int is_tensor = 0;
    check(api.is_tensor(output_values[i], &is_tensor), "look at an output");
    if (!is_tensor) fail("expected the output '%s' to be a tensor, got something else", output->name);
    check(api.type_of_value(output_values[i], &type), "get an output's type");
    check(api.rank(type, &output->rank), "get an output's rank");
    if (output->rank > MAX_RANK)
      fail("expected at most %d dimensions in '%s', got %zu", MAX_RANK, output->name, output->rank);
    check(api.dimensions(type, output->shape, output->rank), "get an output's shape");
    api.release_tensor_type(type);
    tensor_measure(output);
  }
}

static void read_output(size_t index, void *target, size_t bytes) {
  void *data;
  check(api.tensor_data(output_values[index], &data), "read an output");
  memcpy(target, data, bytes);
}

/* The file has a name of its own, which begins with ours and has the time in it. */
static void profile(int64_t runs) {
  char *written;
  for (int64_t i = 0; i < runs; i++) {
    settle();
    run();
  }
  check(api.end_profiling(session, allocator, &written), "end its profiler");
  if (rename(written, profile_path) != 0)
    fail("cannot rename the profile %s to %s: %s", written, profile_path, strerror(errno));
}

const struct engine onnxruntime = {.name = "onnxruntime",
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

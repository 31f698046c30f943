/* A libonnxruntime.so that does what its "model" says: a text file with one order a line.
 *
 *   input|output NAME TYPE RANK DIMENSION...   TYPE as in ONNXTensorElementDataType; -1 is dynamic
 *   at create_session|run WHAT                 segv, abort, hang, hostile (an error message of all kinds of bytes)
 *   tell threads|telemetry|cores               refuse the model with what was seen as the message
 *   shout                                      write to standard output and standard error at each step
 *   bulge                                      use 64 MiB of memory while the session is created, and give it back
 *   grow                                       the first dimension of each output is the number of the run
 *
 * A run appends the bytes of input N to MODEL.inputN, then gives them back as output N.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST = 8, MAX_RANK = 64, SLOTS = 300 };

struct value {
  char name[32];
  int type;
  long rank;
  int64_t dimensions[MAX_RANK];
  char *data;
  size_t bytes;
};

static struct value inputs[MOST], outputs[MOST];
static size_t input_count, output_count;
static char path[4096], at[32], what[32], tell[32], message[200000];
static int shout, grow, bulge, runs, threads;
static int64_t live_values;

typedef const char *problem;

static void act(const char *place) {
  if (shout) {
    puts("{\"schema\":1,\"event\":\"done\"}");
    fflush(stdout);
    fprintf(stderr, "the fake engine is at %s\n", place);
  }
  if (strcmp(place, at) != 0) return;
  if (strcmp(what, "segv") == 0) raise(SIGSEGV);
  if (strcmp(what, "abort") == 0) abort();
  if (strcmp(what, "hang") == 0) {
    FILE *file = fopen(strcat(path, ".pid"), "w");
    fprintf(file, "%d", getpid());
    fclose(file);
    for (;;) pause();
  }
}

static problem hostile(void) {
  strcpy(message, "no \x1b[31mred\x07 \"quotes\" \\ \xff\xfe \xed\xa0\x80 \xc3\xa9 \xe2\x80\xae\nline 2\r");
  memset(message + strlen(message), 'x', 100000);
  return message;
}

static const char *error_message(problem problem) { return problem; }

static problem create_any(void **out) {
  *out = inputs; /* any address that is not NULL */
  return NULL;
}

static problem create_env(int level, const char *id, void **out) {
  (void)level, (void)id;
  return create_any(out);
}

static problem set_threads(void *options, int count) {
  (void)options;
  threads = count;
  return NULL;
}

static problem set_level(void *options, int level) {
  (void)options;
  return level == 99 ? NULL : "expected all optimisations";
}

static void cores(char *text, size_t size) {
  char line[4096];
  FILE *file = fopen("/proc/self/status", "r");
  while (fgets(line, sizeof line, file))
    if (sscanf(line, "Cpus_allowed_list: %255s", line) == 1) snprintf(text, size, "cores %s", line);
  fclose(file);
}

static problem obey(char *line) {
  char kind[8], name[32], type[8];
  int used = 0;
  if (sscanf(line, "at %31s %31s", at, what) == 2) return NULL;
  if (sscanf(line, "tell %31s", tell) == 1) return NULL;
  if (strcmp(line, "shout\n") == 0) return shout = 1, NULL;
  if (strcmp(line, "bulge\n") == 0) return bulge = 1, NULL;
  if (strcmp(line, "grow\n") == 0) return grow = 1, NULL;
  struct value value = {0};
  if (sscanf(line, "%7s %31s %7s %ld%n", kind, name, type, &value.rank, &used) != 4) return "a bad order in the model";
  strcpy(value.name, name);
  value.type = atoi(type);
  char *rest = line + used;
  for (long i = 0; i < value.rank && i < MAX_RANK; i++) value.dimensions[i] = strtoll(rest, &rest, 10);
  if (strcmp(kind, "input") == 0) inputs[input_count++] = value;
  else outputs[output_count++] = value;
  return NULL;
}

static problem create_session(void *env, const char *model, void *options, void **out) {
  (void)env, (void)options;
  snprintf(path, sizeof path, "%s", model);
  FILE *file = fopen(model, "r");
  char line[1024];
  problem problem = NULL;
  while (fgets(line, sizeof line, file) && !problem) problem = obey(line);
  fclose(file);
  if (problem) return problem;
  act("create_session");
  if (bulge) {
    enum { SIZE = 64 << 20 };
    char *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(memory, 1, SIZE);
    munmap(memory, SIZE);
  }
  if (strcmp(at, "create_session") == 0) return hostile();
  const char *telemetry = getenv("ORT_DISABLE_TELEMETRY");
  if (strcmp(tell, "threads") == 0) snprintf(message, sizeof message, "threads %d", threads);
  if (strcmp(tell, "telemetry") == 0) snprintf(message, sizeof message, "telemetry %s", telemetry ? telemetry : "on");
  if (strcmp(tell, "cores") == 0) cores(message, sizeof message);
  return message[0] ? message : create_any(out);
}

static problem count_inputs(void *session, size_t *out) { return (void)session, *out = input_count, NULL; }
static problem count_outputs(void *session, size_t *out) { return (void)session, *out = output_count, NULL; }
static problem input_type(void *session, size_t i, void **out) { return (void)session, *out = &inputs[i], NULL; }
static problem output_type(void *session, size_t i, void **out) { return (void)session, *out = &outputs[i], NULL; }

static problem input_name(void *session, size_t i, void *allocator, char **out) {
  return (void)session, (void)allocator, *out = inputs[i].name, NULL;
}

static problem output_name(void *session, size_t i, void *allocator, char **out) {
  return (void)session, (void)allocator, *out = outputs[i].name, NULL;
}

static problem create_tensor(void *info, void *data, size_t bytes, const int64_t *shape, size_t rank, int type,
                             void **out) {
  (void)info;
  struct value *value = calloc(1, sizeof *value);
  *value = (struct value){.type = type, .rank = (long)rank, .data = data, .bytes = bytes};
  memcpy(value->dimensions, shape, rank * sizeof *shape);
  *out = value;
  return NULL;
}

static problem run(void *session, void *options, const char *const *input_names, const struct value *const *given,
                   size_t given_count, const char *const *output_names, size_t wanted_count, struct value **made) {
  (void)session, (void)options, (void)input_names, (void)output_names;
  act("run");
  if (strcmp(at, "run") == 0) return hostile();
  runs++;
  for (size_t i = 0; i < given_count; i++) {
    char name[4200];
    snprintf(name, sizeof name, "%s.input%zu", path, i);
    FILE *file = fopen(name, "a");
    fwrite(given[i]->data, 1, given[i]->bytes, file);
    fclose(file);
  }
  for (size_t i = 0; i < wanted_count; i++) {
    if (made[i] != NULL) return "expected outputs of the run before to be released";
    if (++live_values > (int64_t)output_count) return "expected at most one run's outputs to be alive";
    struct value *value = calloc(1, sizeof *value);
    *value = outputs[i];
    for (long k = 0; k < value->rank && k < MAX_RANK; k++)
      if (value->dimensions[k] == -1) value->dimensions[k] = given[i]->dimensions[k];
    if (grow) value->dimensions[0] = runs;
    value->data = calloc(1, 1 << 16);
    if (i < given_count) memcpy(value->data, given[i]->data, given[i]->bytes < 1 << 16 ? given[i]->bytes : 1 << 16);
    made[i] = value;
  }
  return NULL;
}

static problem is_tensor(void *value, int *out) { return (void)value, *out = 1, NULL; }
static problem tensor_data(struct value *value, void **out) { return *out = value->data, NULL; }
static problem same(void *type, void **out) { return *out = type, NULL; }
static problem onnx_type(struct value *type, int *out) { return *out = type->type < 0 ? -type->type : 1, NULL; }
static problem element_type(struct value *type, int *out) { return *out = type->type, NULL; }
static problem rank(struct value *type, size_t *out) { return *out = (size_t)type->rank, NULL; }

static problem dimensions(struct value *type, int64_t *out, size_t count) {
  memcpy(out, type->dimensions, count * sizeof *out);
  return NULL;
}

static problem cpu_memory(int allocator, int kind, void **out) { return (void)allocator, (void)kind, create_any(out); }
static void keep(void *object) { (void)object; }

static void release_value(struct value *value) {
  live_values--;
  free(value->data);
  free(value);
}

static const void *const *get_api(uint32_t version) {
  static const void *table[SLOTS];
  if (version > 1000) return NULL;
  const struct {
    int slot;
    const void *function;
  } known[] = {{2, error_message}, {3, create_env},  {7, create_session}, {9, run},           {10, create_any},
               {23, set_level},    {24, set_threads}, {30, count_inputs},  {31, count_outputs}, {33, input_type},
               {34, output_type},  {36, input_name},  {37, output_name},   {49, create_tensor}, {50, is_tensor},
               {51, tensor_data},  {55, same},        {56, onnx_type},     {60, element_type},  {61, rank},
               {62, dimensions},   {65, same},        {69, cpu_memory},    {78, create_any},    {96, release_value},
               {98, keep},         {99, keep}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) table[known[i].slot] = known[i].function;
  return table;
}

static const char *version(void) { return "0.17.fake"; }

const void *OrtGetApiBase(void) {
  static const struct {
    const void *const *(*get_api)(uint32_t);
    const char *(*version)(void);
  } base = {get_api, version};
  return &base;
}

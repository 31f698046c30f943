/* A libonnxruntime.so whose inferences take the time that the world (tests/devices/thermal_world.py) lets them.
 *
 * The model is a real .onnx whose doc_string says "work_us=6000": what an inference takes at full clock. It has one
 * input and one output of 64 and 32 float32, as tests/runner/tiny_models.py makes it, and the output is zeros.
 *
 * /run/world/page is shared with the world, which says how many times slower than that it is now. From the second run
 * to the end of the process it is locked, whatever ends it: the board is at work. A model that is run only once leaves
 * it cool.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <time.h>

enum { SLOTS = 300, INPUTS = 64, OUTPUTS = 32, FLOAT32 = 1, MODEL_LIMIT = 1 << 20 };
/* Who sleeps wakes up late: the last part of an inference is spent looking at the clock. */
enum { AWAKE_NS = 300000 };

struct page {
  volatile double slower;
};

struct value {
  int64_t size;
  float *data;
};

typedef const char *problem;

static const struct page *page;
static int64_t work_ns;
static int page_fd, runs;
static struct value input = {INPUTS, NULL}, output = {OUTPUTS, NULL};

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void work_until(int64_t end) {
  int64_t wake = end - AWAKE_NS;
  struct timespec until = {wake / 1000000000, wake % 1000000000};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
  while (now_ns() < end) continue;
}

static problem run(void *session, void *options, const char *const *input_names, const struct value *const *given,
                   size_t given_count, const char *const *output_names, size_t wanted_count, struct value **made) {
  (void)session, (void)options, (void)input_names, (void)given, (void)given_count, (void)output_names;
  (void)wanted_count;
  int64_t end = now_ns() + (int64_t)((double)work_ns * page->slower);
  if (++runs == 2) flock(page_fd, LOCK_SH);
  work_until(end);
  *made = calloc(1, sizeof **made);
  **made = (struct value){OUTPUTS, calloc(OUTPUTS, sizeof(float))};
  return NULL;
}

static problem create_any(void **out) {
  *out = &input; /* any address that is not NULL */
  return NULL;
}

static problem create_session(void *env, const char *model, void *options, void **out) {
  (void)env, (void)options;
  static const char KEY[] = "work_us=";
  page_fd = open("/run/world/page", O_RDONLY | O_CLOEXEC);
  void *mapped = page_fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *page, PROT_READ, MAP_SHARED, page_fd, 0);
  if (mapped == MAP_FAILED) return "expected a world at /run/world/page";
  page = mapped;
  char *content = calloc(MODEL_LIMIT + 1, 1);
  FILE *file = fopen(model, "rb");
  size_t length = file ? fread(content, 1, MODEL_LIMIT, file) : 0;
  char *found = memmem(content, length, KEY, sizeof KEY - 1);
  if (found == NULL) return "expected a model that says work_us=";
  work_ns = strtol(found + sizeof KEY - 1, NULL, 10) * 1000;
  return create_any(out);
}

static problem create_env(int level, const char *id, void **out) { return (void)level, (void)id, create_any(out); }
static problem set_number(void *options, int number) { return (void)options, (void)number, NULL; }
static problem count_one(void *session, size_t *out) { return (void)session, *out = 1, NULL; }
static problem input_type(void *s, size_t i, void **out) { return (void)s, (void)i, *out = &input, NULL; }
static problem output_type(void *s, size_t i, void **out) { return (void)s, (void)i, *out = &output, NULL; }

static problem input_name(void *session, size_t i, void *allocator, char **out) {
  return (void)session, (void)i, (void)allocator, *out = "x", NULL;
}

static problem output_name(void *session, size_t i, void *allocator, char **out) {
  return (void)session, (void)i, (void)allocator, *out = "y", NULL;
}

static problem cpu_memory(int allocator, int kind, void **out) { return (void)allocator, (void)kind, create_any(out); }
static problem is_tensor(void *value, int *out) { return (void)value, *out = 1, NULL; }
static problem tensor_data(struct value *value, void **out) { return *out = value->data, NULL; }
static problem same(void *type, void **out) { return *out = type, NULL; }
static problem onnx_type(void *type, int *out) { return (void)type, *out = 1, NULL; }
static problem element_type(void *type, int *out) { return (void)type, *out = FLOAT32, NULL; }
static problem rank(void *type, size_t *out) { return (void)type, *out = 2, NULL; }

static problem dimensions(struct value *type, int64_t *out, size_t count) {
  (void)count;
  out[0] = 1;
  out[1] = type->size;
  return NULL;
}

static const char *error_message(problem problem) { return problem; }
static void keep(void *object) { (void)object; }

static problem create_tensor(void *info, void *data, size_t bytes, const int64_t *shape, size_t rank_, int type,
                             void **out) {
  (void)info, (void)data, (void)bytes, (void)shape, (void)rank_, (void)type;
  return create_any(out);
}

static void release_value(struct value *value) {
  free(value->data);
  free(value);
}

static const void *const *get_api(uint32_t version) {
  static const void *table[SLOTS];
  const struct {
    int slot;
    const void *function;
  } known[] = {{2, error_message}, {3, create_env},  {7, create_session}, {9, run},        {10, create_any},
               {23, set_number},   {24, set_number}, {30, count_one},     {31, count_one}, {33, input_type},
               {34, output_type},  {36, input_name}, {37, output_name},   {49, create_tensor}, {50, is_tensor},
               {51, tensor_data},  {55, same},       {56, onnx_type},     {60, element_type},  {61, rank},
               {62, dimensions},   {65, same},       {69, cpu_memory},    {78, create_any},    {96, release_value},
               {98, keep},         {99, keep}};
  (void)version;
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) table[known[i].slot] = known[i].function;
  return table;
}

static const char *version(void) { return "0.17.paced"; }

const void *OrtGetApiBase(void) {
  static const struct {
    const void *const *(*get_api)(uint32_t);
    const char *(*version)(void);
  } base = {get_api, version};
  return &base;
}

#include "options.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "events.h"

const char usage[] =
    "usage: pocketbench-runner describe|bench|idle|infer|memory|profile --engine litert|onnxruntime --library FILE\n"
    "       --model FILE\n"
    "  --threads N             threads of the engine (1)\n"
    "  --accelerator NAME      cpu; litert: gpu, npu; onnxruntime: xnnpack, nnapi, qnn (cpu)\n"
    "  --cores LIST            pin to these CPU cores, e.g. 0,1\n"
    "  --seed N                seed of random input (0)\n"
    "  --input FILE            input from a tensor file instead (infer: required)\n"
    "  --output FILE           infer: tensor file to write\n"
    "  --samples FILE          bench: file for start and latency of each iteration\n"
    "  --warmup-iterations N   bench: at least this many iterations first, marked as warm-up (10)\n"
    "  --warmup-time-ms N      bench: and at least this long (0)\n"
    "  --iterations N          bench: at least this many iterations (100); memory, profile: exactly (10)\n"
    "  --min-time-ms N         bench: and at least this long (500); idle: exactly this long\n"
    "  --max-time-ms N         bench: but neither warm-up nor measurement longer than this (10000)\n"
    "  --interval-us N         bench: an inference begins every N us, as in an app; 0: at once after the last (0)\n"
    "  --streams N             bench: in so many processes at the same time, samples in FILE, FILE.1, ... (1)\n"
    "  --profile FILE          profile: file for what each operator took, as the engine writes it\n"
    "  --sensors FILE          read these sensors meanwhile, in a process of its own\n"
    "  --readings FILE         file for what they say\n"
    "  --sampler-cores LIST    cores of that process (all but those of --cores)\n"
    "Speaks JSON lines on standard output: see docs/runner.md.\n";

enum { NOT_GIVEN = -1 };

static int64_t number(const char *name, const char *text, int64_t low, int64_t high) {
  char *end;
  errno = 0;
  long long value = strtoll(text, &end, 10);
  if (end == text || *end || errno || value < low || value > high)
    fail("expected a whole number from %lld to %lld for %s, got '%s'", (long long)low, (long long)high, name, text);
  return value;
}

struct options options_parse(int count, char **arguments) {
  enum { MANY = 1 << 22, A_DAY_MS = 24 * 3600 * 1000 };
  struct options options = {.accelerator = "cpu", .threads = 1, .streams = 1, .warmup_iterations = 10,
                            .iterations = NOT_GIVEN, .min_time_ms = 500, .max_time_ms = 10000};
  const struct {
    const char *name;
    const char **text;
    int64_t *number, low, high;
  } table[] = {
      {"--accelerator", &options.accelerator, NULL, 0, 0},
      {"--cores", &options.cores, NULL, 0, 0},
      {"--engine", &options.engine, NULL, 0, 0},
      {"--input", &options.input, NULL, 0, 0},
      {"--interval-us", NULL, &options.interval_us, 0, 60000000},
      {"--iterations", NULL, &options.iterations, 1, MANY},
      {"--library", &options.library, NULL, 0, 0},
      {"--max-time-ms", NULL, &options.max_time_ms, 1, A_DAY_MS},
      {"--min-time-ms", NULL, &options.min_time_ms, 0, A_DAY_MS},
      {"--model", &options.model, NULL, 0, 0},
      {"--output", &options.output, NULL, 0, 0},
      {"--profile", &options.profile, NULL, 0, 0},
      {"--readings", &options.readings, NULL, 0, 0},
      {"--sampler-cores", &options.sampler_cores, NULL, 0, 0},
      {"--samples", &options.samples, NULL, 0, 0},
      {"--seed", NULL, &options.seed, 0, INT64_MAX},
      {"--sensors", &options.sensors, NULL, 0, 0},
      {"--streams", NULL, &options.streams, 1, 64},
      {"--threads", NULL, &options.threads, 1, 1024},
      {"--warmup-iterations", NULL, &options.warmup_iterations, 0, MANY},
      {"--warmup-time-ms", NULL, &options.warmup_time_ms, 0, A_DAY_MS},
  };
  if (count < 2) fail("expected a mode: describe, bench, idle, infer, memory or profile, got nothing");
  options.mode = arguments[1];
  for (int i = 2; i < count; i += 2) {
    size_t which = 0, known = sizeof table / sizeof *table;
    while (which < known && strcmp(table[which].name, arguments[i]) != 0) which++;
    if (which == known) fail("expected a known option, got '%s'", arguments[i]);
    if (i + 1 == count) fail("expected a value after %s, got nothing", arguments[i]);
    if (table[which].text) *table[which].text = arguments[i + 1];
    else *table[which].number = number(arguments[i], arguments[i + 1], table[which].low, table[which].high);
  }
  if (!options.engine || !options.library || !options.model) fail("expected --engine, --library and --model");
  bool infer = strcmp(options.mode, "infer") == 0, bench = strcmp(options.mode, "bench") == 0;
  bool idle = strcmp(options.mode, "idle") == 0;
  if (infer && (!options.input || !options.output)) fail("expected --input and --output with infer");
  if ((strcmp(options.mode, "profile") == 0) != (options.profile != NULL))
    fail("expected --profile with profile, and only there");
  if (bench && !options.samples) fail("expected --samples with bench");
  if ((options.sensors == NULL) != (options.readings == NULL)) fail("expected --sensors and --readings together");
  if (options.sampler_cores && !options.sensors) fail("expected --sensors with --sampler-cores");
  if (!idle && (options.max_time_ms < options.min_time_ms || options.max_time_ms < options.warmup_time_ms))
    fail("expected --max-time-ms to be at least --min-time-ms and --warmup-time-ms, got %lld ms",
         (long long)options.max_time_ms);
  if (options.streams > 1 && !bench) fail("expected --streams with bench only");
  if (options.iterations == NOT_GIVEN) options.iterations = bench ? 100 : 10;
  return options;
}

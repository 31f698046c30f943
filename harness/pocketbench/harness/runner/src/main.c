/* pocketbench-runner: loads an inference engine, runs a model, says what it cost.
 *
 * The order of work is the same in all modes; describe stops after the model, the others go on from the first
 * inference. docs/runner.md describes options, events and files.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "clock.h"
#include "cores.h"
#include "engine.h"
#include "events.h"
#include "infer.h"
#include "memory.h"
#include "options.h"
#include "random_input.h"
#include "sampler.h"
#include "streams.h"

/* End without destructors: engines join thread pools and flush telemetry in theirs, and some crash there. */
static _Noreturn void done(void) {
  event_begin("done");
  event_end();
  _exit(0);
}

static void feed_random(const struct engine *engine, const struct model *model, uint64_t seed) {
  for (size_t i = 0; i < model->input_count; i++) {
    void *data = allocate(model->inputs[i].bytes, 1);
    random_fill(data, &model->inputs[i], seed, i);
    engine->write_input(i, data, model->inputs[i].bytes);
    free(data);
  }
}

static void load_engine(const struct engine *engine, const char *library) {
  stage_enter("engine_load");
  int64_t start = clock_ns();
  const char *version = engine->load(library);
  int64_t end = clock_ns();
  event_begin("engine");
  event_text("name", engine->name);
  event_text("version", version);
  event_number("engine_load_ns", end - start);
  event_end();
}

/* The same process, doing nothing: what the device takes without the inferences. */
static void stay_idle(int64_t time_ms) {
  stage_enter("idle");
  int64_t start = clock_ns(), end = start + time_ms * 1000000;
  for (int64_t now; (now = clock_ns()) < end;) {
    struct timespec rest = {(end - now) / 1000000000, (end - now) % 1000000000};
    nanosleep(&rest, NULL);
  }
  event_begin("idle");
  event_number("start_ns", start);
  event_number("end_ns", clock_ns());
  event_end();
}

static void report_placement(const struct engine *engine, const char *accelerator) {
  if (strcmp(accelerator, "cpu") == 0) return;
  int fully = engine->fully_accelerated();
  event_begin("placement");
  event_text("accelerator", accelerator);
  if (fully < 0) event_unknown("fully_accelerated");
  else event_flag("fully_accelerated", fully);
  event_end();
}

static void report_model(const struct model *model, int64_t init_ns) {
  event_begin("model");
  event_number("model_init_ns", init_ns);
  event_tensors("inputs", model->inputs, model->input_count);
  event_tensors("outputs", model->outputs, model->output_count);
  event_end();
}

int main(int count, char **arguments) {
  if (count == 2 && (strcmp(arguments[1], "--help") == 0 || strcmp(arguments[1], "-h") == 0)) {
    fputs(usage, stdout);
    return 0;
  }
  events_open();
  stage_enter("options");
  struct options options = options_parse(count, arguments);
  const struct engine *engine = engine_named(options.engine);
  if (engine == NULL) fail("expected the engine litert or onnxruntime, got '%s'", options.engine);
  bool describe = strcmp(options.mode, "describe") == 0, infers = strcmp(options.mode, "infer") == 0;
  bool memory = strcmp(options.mode, "memory") == 0, benches = strcmp(options.mode, "bench") == 0;
  bool profiles = strcmp(options.mode, "profile") == 0;
  bool idles = strcmp(options.mode, "idle") == 0;
  if (!describe && !infers && !memory && !benches && !idles && !profiles)
    fail("expected the mode describe, bench, idle, infer, memory or profile, got '%s'", options.mode);
  sampler_start(&options);
  streams_start(&options);
  if (options.cores) cores_pin(options.cores);
  /* The official builds send usage data unless this is set before the library starts. */
  setenv("ORT_DISABLE_TELEMETRY", "1", 1);
  memory_report("start", memory);

  load_engine(engine, options.library);
  memory_report("engine_loaded", memory);

  stage_enter("model_load");
  if (access(options.model, R_OK) != 0) fail("expected a readable model file, got %s", options.model);
  struct model model;
  int64_t start = clock_ns();
  engine->open(options.model, &(struct engine_options){(int)options.threads, options.profile, options.accelerator}, &model);
  int64_t init_ns = clock_ns() - start;
  report_placement(engine, options.accelerator);
  if (describe) {
    report_model(&model, init_ns);
    sampler_stop();
    done();
  }
  stage_enter("input");
  struct tensor_file input = {0};
  if (options.input) {
    tensor_file_open(&input, options.input);
    check_input_file(&input, &model);
  }
  for (size_t i = 0; i < model.input_count; i++)
    tensor_resolve(&model.inputs[i], options.input ? input.tensors[i].shape : NULL,
                   options.input ? input.tensors[i].rank : 0);
  stage_enter("model_load");
  start = clock_ns();
  engine->prepare(&model);
  init_ns += clock_ns() - start;
  report_model(&model, init_ns);
  memory_report("model_loaded", memory);

  stage_enter("input");
  if (options.input) feed(engine, &model, &input, 0);
  else feed_random(engine, &model, (uint64_t)options.seed);

  stage_enter("first_inference");
  start = clock_ns();
  engine->run();
  int64_t first_ns = clock_ns() - start;
  event_begin("first_inference");
  event_number("first_inference_ns", first_ns);
  event_end();
  memory_report("first_inference", memory);

  if (benches) {
    streams_meet();
    bench(engine, &options);
    streams_join();
  }
  if (idles) stay_idle(options.min_time_ms);
  if (infers) infer(engine, &model, &input, options.output);
  if (profiles) {
    stage_enter("profile");
    engine->profile(options.iterations);
    event_begin("profile");
    event_number("runs", options.iterations);
    event_end();
  }
  if (memory) {
    stage_enter("run");
    for (int64_t i = 0; i < options.iterations; i++) {
      engine->settle();
      engine->run();
    }
  }
  memory_report("end", memory);
  sampler_stop();
  done();
}

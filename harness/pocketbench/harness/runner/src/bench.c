#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "events.h"

struct sample {
  int64_t start_ns, latency_ns;
};

_Static_assert(sizeof(struct sample) == 16, "the samples file is pairs of int64");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the samples file is little endian");

/* 64 MiB of samples: ten seconds of an inference of 2.4 us. The warm-up may take half of it, so that some is left. */
enum { SAMPLE_LIMIT = 1 << 22, WARMUP_LIMIT = SAMPLE_LIMIT / 2, FIRST_SPACE = 4096 };

struct samples {
  struct sample *all;
  size_t count, space;
};

/* New room is written to at once: a page fault between two inferences would cool the caches of the next one. */
static void make_room(struct samples *samples) {
  if (samples->count < samples->space) return;
  size_t space = samples->space ? samples->space * 2 : FIRST_SPACE;
  samples->all = realloc(samples->all, space * sizeof *samples->all);
  if (samples->all == NULL) fail("expected memory for %zu samples, got none", space);
  memset(samples->all + samples->space, 0xff, (space - samples->space) * sizeof *samples->all);
  samples->space = space;
}

enum end { ENOUGH, OUT_OF_TIME, OUT_OF_SPACE };

/* Turns come every interval; who is still at work misses some, and begins at the next, as with frames of a camera. */
static void await_turn(int64_t begin, int64_t interval_us) {
  if (interval_us == 0) return;
  int64_t interval = interval_us * 1000, turn = begin + (clock_ns() - begin + interval - 1) / interval * interval;
  struct timespec until = {turn / 1000000000, turn % 1000000000};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) continue;
}

static enum end collect(const struct engine *engine, struct samples *samples, size_t limit, int64_t iterations,
                        int64_t min_time_ms, int64_t max_time_ms, int64_t interval_us) {
  int64_t begin = clock_ns(), now = begin, done = 0;
  for (;; done++) {
    if (done >= iterations && now - begin >= min_time_ms * 1000000) return ENOUGH;
    if (done > 0 && now - begin >= max_time_ms * 1000000) return OUT_OF_TIME;
    if (samples->count == limit) return OUT_OF_SPACE;
    make_room(samples);
    engine->settle();
    await_turn(begin, interval_us);
    int64_t start = clock_ns();
    engine->run();
    now = clock_ns();
    samples->all[samples->count++] = (struct sample){start, now - start};
  }
}

static FILE *create(const char *path) {
  FILE *file = fopen(path, "wb");
  if (file == NULL) fail("cannot create the samples file %s: %s", path, strerror(errno));
  return file;
}

static void save(const struct samples *samples, FILE *file, const char *path) {
  size_t written = fwrite(samples->all, sizeof *samples->all, samples->count, file);
  if (written != samples->count || fclose(file) != 0)
    fail("cannot write the samples file %s: %s", path, strerror(errno));
}

void bench(const struct engine *engine, const struct options *options) {
  stage_enter("samples");
  FILE *file = create(options->samples); /* a path that cannot be written fails before the time is spent */
  struct samples samples = {0};
  make_room(&samples);
  stage_enter("warmup");
  enum end warmup_end = collect(engine, &samples, WARMUP_LIMIT, options->warmup_iterations, options->warmup_time_ms,
                                options->max_time_ms, options->interval_us);
  size_t warmup = samples.count;
  stage_enter("run");
  enum end end = collect(engine, &samples, SAMPLE_LIMIT, options->iterations, options->min_time_ms,
                         options->max_time_ms, options->interval_us);
  stage_enter("samples");
  save(&samples, file, options->samples);

  static const char *const names[] = {"warmup_max_time", "max_time", "sample_limit"};
  const bool set[] = {warmup_end == OUT_OF_TIME, end == OUT_OF_TIME,
                      warmup_end == OUT_OF_SPACE || end == OUT_OF_SPACE};
  event_begin("samples");
  event_number("warmup", (int64_t)warmup);
  event_number("steady", (int64_t)(samples.count - warmup));
  event_flags("flags", names, set, sizeof set / sizeof *set);
  event_end();
  free(samples.all);
}

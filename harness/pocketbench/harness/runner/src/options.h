/* The command line. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdint.h>

struct options {
  const char *mode, *engine, *library, *model;
  const char *cores, *input, *output, *samples, *sensors, *readings, *profile, *accelerator, *sampler_cores;
  int64_t threads, streams, seed;
  int64_t warmup_iterations, warmup_time_ms, iterations, min_time_ms, max_time_ms, interval_us;
};

extern const char usage[];

/* Fails in stage "options" with what was expected. */
struct options options_parse(int count, char **arguments);

#endif

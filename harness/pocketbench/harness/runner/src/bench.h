/* Latency: warm up, then time iterations until there are enough. */
#ifndef BENCH_H
#define BENCH_H

#include "engine.h"
#include "options.h"

/* Writes the samples file and reports the event "samples". */
void bench(const struct engine *engine, const struct options *options);

#endif

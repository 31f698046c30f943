/* A process of its own that reads sensors while the engine works; docs/runner.md describes its file. */
#ifndef SAMPLER_H
#define SAMPLER_H

#include "options.h"

/* Start it; nothing where no sensors are asked for. To be called before cores are pinned and the engine is loaded. */
void sampler_start(const struct options *options);

/* In a process that is forked later: the sampler is not its own. */
void sampler_leave(void);

/* Have it read everything once more and end; say what it did. Nothing where it was not started. */
void sampler_stop(void);

#endif

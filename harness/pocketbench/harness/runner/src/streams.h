/* Several processes that run the same model at the same time: an app that looks at many cameras, or a server. */
#ifndef STREAMS_H
#define STREAMS_H

#include "options.h"

/* Start the others; each goes on as this process does, with a samples file of its own (FILE.1, FILE.2, ...). To be
 * called after the sampler is started and before the engine is loaded. Nothing where one stream is asked for.
 */
void streams_start(struct options *options);

/* Wait until all are ready; they go on together. */
void streams_meet(void);

/* Wait until all have written their samples; fails where one has failed. */
void streams_join(void);

#endif

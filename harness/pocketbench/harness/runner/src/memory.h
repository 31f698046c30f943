/* Memory of this process at a named point, as the kernel counts it. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdbool.h>

/* Report the event "memory" for `stage`. The cheap figures come from /proc/self/status; with `exact` also those of
 * /proc/self/smaps_rollup, which walks all page tables: never in a launch that measures latency. */
void memory_report(const char *stage, bool exact);

#endif

/* Which CPU cores the process, and so every thread that an engine starts, may run on. */
#ifndef CORES_H
#define CORES_H

#include <sched.h>
#include <stdbool.h>

/* Pin to a list such as "0,4". Call before the engine is loaded: its threads inherit the set. */
void cores_pin(const char *list);

/* Where the sampler disturbs least: the cores `wanted`, else all that are allowed but those `measured`; true where
 * `set` says so, false where it may be anywhere. Both may be NULL.
 */
bool cores_for_sampler(const char *wanted, const char *measured, cpu_set_t *set);

#endif

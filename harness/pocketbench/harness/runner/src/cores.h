/* Which CPU cores the process, and so every thread that an engine starts, may run on. */
#ifndef CORES_H
#define CORES_H

/* Pin to a list such as "0,4". Call before the engine is loaded: its threads inherit the set. */
void cores_pin(const char *list);

#endif

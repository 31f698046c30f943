/* What the runner says: one JSON object a line, on the standard output that it was started with.
 *
 * docs/runner.md lists the events. Nothing else ever reaches that stream: events_open() moves it to a private
 * descriptor and points descriptor 1 at standard error, so an engine that prints does no harm.
 */
#ifndef EVENTS_H
#define EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tensor.h"

#define EVENT_SCHEMA 1

void events_open(void);
/* For processes that were forked: one must not hold the stream, one says nothing on it. */
void events_close(void);
void events_silence(void);

void event_begin(const char *name);
void event_text(const char *key, const char *text_or_null);
void event_number(const char *key, int64_t number);
void event_flag(const char *key, bool flag);
void event_unknown(const char *key);
void event_tensors(const char *key, const struct tensor *tensors, size_t count);
/* A list of the names whose flag is set. */
void event_flags(const char *key, const char *const *names, const bool *set, size_t count);
void event_end(void);

/* Say which stage starts; a crash or a failure from here on belongs to it. */
void stage_enter(const char *stage);

/* Report a failure of the current stage and end the process with exit code 1. */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Memory that is always there: fails where there is none. Zeroed. */
void *allocate(size_t count, size_t size);

#endif

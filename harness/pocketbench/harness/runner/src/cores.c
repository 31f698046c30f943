#include "cores.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "events.h"

void cores_pin(const char *list) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const char *rest = list;;) {
    char *end;
    errno = 0;
    long core = strtol(rest, &end, 10);
    if (end == rest || *rest < '0' || *rest > '9' || errno || core >= CPU_SETSIZE || (*end && *end != ','))
      fail("expected core numbers separated by commas, got '%s'", list);
    CPU_SET((size_t)core, &set);
    if (*end == 0) break;
    rest = end + 1;
  }
  if (sched_setaffinity(0, sizeof set, &set) != 0)
    fail("cannot pin the process to the cores %s: %s (are they all online and allowed here?)", list, strerror(errno));
  /* The kernel drops cores that it does not have or allow, as long as one is left: that is not what was asked for. */
  cpu_set_t real;
  CPU_ZERO(&real);
  if (sched_getaffinity(0, sizeof real, &real) != 0 || !CPU_EQUAL(&set, &real))
    fail("expected to run on the cores %s, but not all of them are online and allowed here", list);
}

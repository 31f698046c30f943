#include "cores.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "events.h"

static void parse(const char *list, cpu_set_t *set) {
  CPU_ZERO(set);
  for (const char *rest = list;;) {
    char *end;
    errno = 0;
    long core = strtol(rest, &end, 10);
    if (end == rest || *rest < '0' || *rest > '9' || errno || core >= CPU_SETSIZE || (*end && *end != ','))
      fail("expected core numbers separated by commas, got '%s'", list);
    CPU_SET((size_t)core, set);
    if (*end == 0) return;
    rest = end + 1;
  }
}

void cores_pin(const char *list) {
  cpu_set_t set, real;
  parse(list, &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0)
    fail("cannot pin the process to the cores %s: %s (are they all online and allowed here?)", list, strerror(errno));
  /* The kernel drops cores that it does not have or allow, as long as one is left: that is not what was asked for. */
  CPU_ZERO(&real);
  if (sched_getaffinity(0, sizeof real, &real) != 0 || !CPU_EQUAL(&set, &real))
    fail("expected to run on the cores %s, but not all of them are online and allowed here", list);
}

bool cores_for_sampler(const char *wanted, const char *measured, cpu_set_t *set) {
  cpu_set_t allowed, taken, rest;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
    fail("cannot tell which cores are allowed here: %s", strerror(errno));
  if (wanted) {
    parse(wanted, set);
    CPU_AND(&rest, set, &allowed);
    if (!CPU_EQUAL(&rest, set)) fail("expected the sampler's cores %s to be allowed here, but not all are", wanted);
    return true;
  }
  if (measured == NULL) return false;
  parse(measured, &taken);
  CPU_AND(&rest, &taken, &allowed);
  CPU_XOR(set, &allowed, &rest);
  return !CPU_EQUAL(&rest, &allowed);
}

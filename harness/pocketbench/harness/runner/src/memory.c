#include "memory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "events.h"

/* Both files have lines such as "VmHWM:\t    1744 kB"; either may be absent. */
static bool read_text(const char *path, char *text, size_t size) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  size_t used = 0;
  for (ssize_t got; used + 1 < size && (got = read(fd, text + used, size - 1 - used)) > 0;) used += (size_t)got;
  close(fd);
  text[used] = 0;
  return used > 0;
}

static void report_line(const char *key, const char *text, const char *label) {
  const char *line = text ? strstr(text, label) : NULL;
  char *end = NULL;
  long long kilobytes = line ? strtoll(line + strlen(label), &end, 10) : -1;
  if (kilobytes < 0 || end == NULL || strncmp(end, " kB", 3) != 0) event_unknown(key);
  else event_number(key, kilobytes * 1024);
}

void memory_report(const char *stage, bool exact) {
  char status[8192], rollup[4096];
  bool has_status = read_text("/proc/self/status", status, sizeof status);
  bool has_rollup = exact && read_text("/proc/self/smaps_rollup", rollup, sizeof rollup);
  event_begin("memory");
  event_text("stage", stage);
  report_line("resident_bytes", has_status ? status : NULL, "\nVmRSS:");
  report_line("peak_resident_bytes", has_status ? status : NULL, "\nVmHWM:");
  report_line("pss_bytes", has_rollup ? rollup : NULL, "\nPss:");
  report_line("private_clean_bytes", has_rollup ? rollup : NULL, "\nPrivate_Clean:");
  report_line("private_dirty_bytes", has_rollup ? rollup : NULL, "\nPrivate_Dirty:");
  event_end();
}

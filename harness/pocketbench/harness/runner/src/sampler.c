#include "sampler.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "cores.h"
#include "events.h"
#include "sensor.h"

static const char MAGIC[] = {'P', 'B', 'S', 'E', 'N', 'S', 'O', 'R'};
enum { VERSION = 1, READINGS_LIMIT = 64 << 20 };

/* Before the bytes of a reading in the file, little endian and without padding. */
struct __attribute__((packed)) header {
  int64_t start_ns;
  uint32_t duration_ns, length;
  uint16_t sensor, status;
};

_Static_assert(sizeof(struct header) == 20, "the readings file has 20 bytes before each reading");

/* What the sampler tells when it ends. */
struct report {
  int64_t readings, late, cpu_ns, wall_ns;
  bool full, failed;
};

struct sampler {
  struct sensor sensors[SENSOR_LIMIT];
  int64_t due_ns[SENSOR_LIMIT];
  size_t count, written;
  FILE *file;
  struct report report;
};

static pid_t process;
static int stop_end, report_end;

static void take(struct sampler *sampler, size_t which) {
  static char buffer[READING_LIMIT];
  size_t length;
  int64_t start = clock_ns();
  unsigned status = sensor_read(&sampler->sensors[which], buffer, sizeof buffer, &length);
  int64_t duration = clock_ns() - start;
  struct header header = {start, duration < UINT32_MAX ? (uint32_t)duration : UINT32_MAX, (uint32_t)length,
                          (uint16_t)which, (uint16_t)status};
  sampler->written += sizeof header + length;
  if (sampler->written > READINGS_LIMIT) {
    sampler->report.full = true;
    return;
  }
  bool well = fwrite(&header, sizeof header, 1, sampler->file) == 1 &&
              fwrite(buffer, 1, length, sampler->file) == length;
  if (!well) sampler->report.failed = true;
  sampler->report.readings++;
}

/* Read what is due; the time of the next. A sensor that could not be read in time skips to its next turn. */
static int64_t take_due(struct sampler *sampler) {
  int64_t next = INT64_MAX;
  for (size_t i = 0; i < sampler->count; i++) {
    int64_t period = sampler->sensors[i].period_ns;
    if (sampler->due_ns[i] <= clock_ns()) {
      take(sampler, i);
      int64_t missed = (clock_ns() - sampler->due_ns[i]) / period;
      sampler->report.late += missed;
      sampler->due_ns[i] += (missed + 1) * period;
    }
    if (sampler->due_ns[i] < next) next = sampler->due_ns[i];
  }
  return next;
}

/* True when the runner has closed its end: it is done, or dead. */
static bool stopped(int stop, int64_t until_ns) {
  for (;;) {
    int64_t left_ns = until_ns - clock_ns();
    struct pollfd waited = {.fd = stop, .events = POLLIN};
    int got = poll(&waited, 1, left_ns > 0 ? (int)((left_ns + 999999) / 1000000) : 0);
    if (got > 0) return true;
    if (got == 0) return false;
    if (errno != EINTR) return true;
  }
}

static int64_t own_cpu_ns(void) {
  int64_t sum = 0;
  static const int whose[] = {RUSAGE_SELF, RUSAGE_CHILDREN};
  for (size_t i = 0; i < 2; i++) {
    struct rusage usage;
    if (getrusage(whose[i], &usage) != 0) continue;
    sum += (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000LL;
    sum += (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000LL;
  }
  return sum;
}

static _Noreturn void sample(struct sampler *sampler, int stop, int report) {
  /* Whoever started the runner waits for the end of its streams: only the runner itself may hold them. */
  int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    if (dup2(nothing, fd) < 0) close(fd);
  events_close();
  int64_t start = clock_ns();
  for (size_t i = 0; i < sampler->count; i++) sampler->due_ns[i] = start;
  int64_t next = take_due(sampler);
  if (write(report, "", 1) != 1) _exit(1);
  while (!stopped(stop, next)) next = take_due(sampler);
  for (size_t i = 0; i < sampler->count; i++) take(sampler, i);
  if (fclose(sampler->file) != 0) sampler->report.failed = true;
  sampler->report.cpu_ns = own_cpu_ns();
  sampler->report.wall_ns = clock_ns() - start;
  ssize_t told = write(report, &sampler->report, sizeof sampler->report);
  _exit(told == (ssize_t)sizeof sampler->report ? 0 : 1);
}

static FILE *create(const char *path) {
  FILE *file = fopen(path, "wb");
  uint32_t version = VERSION;
  if (file == NULL || fwrite(MAGIC, sizeof MAGIC, 1, file) != 1 || fwrite(&version, sizeof version, 1, file) != 1 ||
      fflush(file) != 0)
    fail("cannot write the readings file %s: %s", path, strerror(errno));
  return file;
}

static bool receive(void *data, size_t size) {
  ssize_t got;
  do got = read(report_end, data, size);
  while (got < 0 && errno == EINTR);
  return got == (ssize_t)size;
}

void sampler_start(const struct options *options) {
  if (options->sensors == NULL) return;
  stage_enter("sensors");
  struct sampler *sampler = allocate(1, sizeof *sampler);
  sampler->count = sensors_load(options->sensors, sampler->sensors);
  sampler->file = create(options->readings);
  cpu_set_t cores;
  bool pinned = cores_for_sampler(options->sampler_cores, options->cores, &cores);
  int stop[2], report[2];
  if (pipe2(stop, O_CLOEXEC) != 0 || pipe2(report, O_CLOEXEC) != 0)
    fail("cannot make a pipe to the sampler: %s", strerror(errno));
  process = fork();
  if (process < 0) fail("cannot start the sampler: %s", strerror(errno));
  if (process == 0) {
    close(stop[1]);
    close(report[0]);
    if (pinned) sched_setaffinity(0, sizeof cores, &cores);
    sample(sampler, stop[0], report[1]);
  }
  close(stop[0]);
  close(report[1]);
  fclose(sampler->file); /* flushed before: nothing is written twice */
  free(sampler);
  stop_end = stop[1];
  report_end = report[0];
  /* The first reading of everything comes before all that is measured. */
  char ready;
  if (!receive(&ready, sizeof ready)) fail("expected the sampler to begin, but it was ended");
}

void sampler_leave(void) {
  if (process == 0) return;
  close(stop_end);
  close(report_end);
  process = 0;
}

void sampler_stop(void) {
  if (process == 0) return;
  stage_enter("sensors");
  struct report report;
  close(stop_end);
  bool told = receive(&report, sizeof report);
  int status = 0;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) continue;
  if (!told) fail("expected the sampler to say what it did, but it was ended");
  if (report.failed) fail("the sampler could not write all readings: is there space left?");
  static const char *const names[] = {"readings_limit"};
  event_begin("sensors");
  event_number("readings", report.readings);
  event_number("late", report.late);
  event_number("cpu_ns", report.cpu_ns);
  event_number("wall_ns", report.wall_ns);
  event_flags("flags", names, &report.full, 1);
  event_end();
}

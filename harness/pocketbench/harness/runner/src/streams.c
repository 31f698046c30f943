#include "streams.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "events.h"
#include "sampler.h"

static int64_t others;
static pid_t *processes;
static bool first = true;
/* A stream that is ready says so, and goes on when the first one gives it a byte; the end instead means that it failed. */
static int ready[2], go[2];

static void become_stream(struct options *options, int64_t number) {
  enum { ROOM = 4096 };
  static char samples[ROOM];
  first = false;
  close(go[1]);
  close(ready[0]);
  if (snprintf(samples, ROOM, "%s.%lld", options->samples, (long long)number) >= ROOM)
    fail("expected a shorter path than %s", options->samples);
  options->samples = samples;
  sampler_leave();
  events_silence();
}

void streams_start(struct options *options) {
  if (options->streams == 1) return;
  stage_enter("streams");
  others = options->streams - 1;
  processes = allocate((size_t)others, sizeof *processes);
  if (pipe2(ready, O_CLOEXEC) != 0 || pipe2(go, O_CLOEXEC) != 0) fail("cannot make a pipe: %s", strerror(errno));
  for (int64_t i = 0; i < others; i++) {
    processes[i] = fork();
    if (processes[i] < 0) fail("cannot start stream %lld: %s", (long long)i + 1, strerror(errno));
    if (processes[i] == 0) {
      become_stream(options, i + 1);
      return;
    }
  }
  close(ready[1]);
  close(go[0]);
}

static bool read_byte(int fd) {
  char byte;
  ssize_t got;
  do got = read(fd, &byte, 1);
  while (got < 0 && errno == EINTR);
  return got == 1;
}

void streams_meet(void) {
  if (others == 0) return;
  if (!first) {
    if (write(ready[1], "", 1) != 1) _exit(1);
    close(ready[1]);
    if (!read_byte(go[0])) _exit(1); /* the first one failed, or is dead */
    return;
  }
  stage_enter("streams");
  for (int64_t i = 0; i < others; i++)
    if (!read_byte(ready[0])) fail("expected %lld streams to get ready, but one failed", (long long)others + 1);
  for (int64_t i = 0; i < others; i++)
    if (write(go[1], "", 1) != 1) fail("cannot tell the streams to begin: %s", strerror(errno));
  close(go[1]);
}

void streams_join(void) {
  if (others == 0 || !first) return;
  stage_enter("streams");
  bool well = true;
  for (int64_t i = 0; i < others; i++) {
    int status = 0;
    while (waitpid(processes[i], &status, 0) < 0 && errno == EINTR) continue;
    well = well && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  if (!well) fail("expected %lld streams to end well, but one failed", (long long)others + 1);
}

#include "sensor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "events.h"

/* A list of SENSOR_LIMIT sensors with long paths is far shorter. */
enum { FILE_LIMIT = 1 << 18, LONGEST_PERIOD_MS = 3600 * 1000 };
/* dumpsys of a busy phone takes half a second; what takes longer would hold up the other sensors. */
enum { COMMAND_TIMEOUT_MS = 2000 };

static char *read_all(const char *path) {
  char *text = allocate(FILE_LIMIT + 1, 1);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  size_t length = 0;
  ssize_t got = -1;
  while (fd >= 0 && length < FILE_LIMIT && (got = read(fd, text + length, FILE_LIMIT - length)) > 0)
    length += (size_t)got;
  if (fd < 0 || got < 0) fail("cannot read the list of sensors %s: %s", path, strerror(errno));
  if (length == FILE_LIMIT) fail("expected a list of sensors of less than %d bytes in %s", FILE_LIMIT, path);
  close(fd);
  return text;
}

/* The next field: up to a tab, whose place is taken by an end; NULL after the last. */
static char *next_field(char **rest) {
  char *field = *rest;
  if (field == NULL) return NULL;
  char *end = strchr(field, '\t');
  if (end) *end = 0;
  *rest = end ? end + 1 : NULL;
  return field;
}

/* "1000 <tab> command <tab> dumpsys <tab> thermalservice" */
static void parse_line(char *line, size_t number, struct sensor *sensor) {
  static const char *const kinds[] = {[NODE] = "node", [COMMAND] = "command", [FIRMWARE] = "firmware"};
  char *rest = line, *end;
  const char *period = next_field(&rest), *kind = next_field(&rest);
  long period_ms = strtol(period, &end, 10);
  if (end == period || *end || period_ms < 1 || period_ms > LONGEST_PERIOD_MS)
    fail("expected a period of 1 to %d ms in line %zu of the sensors, got '%s'", LONGEST_PERIOD_MS, number, period);
  *sensor = (struct sensor){.period_ns = period_ms * 1000000, .fd = -1};
  size_t which = 0, count = 0;
  while (which < 3 && (kind == NULL || strcmp(kinds[which], kind) != 0)) which++;
  if (which == 3)
    fail("expected node, command or firmware in line %zu of the sensors, got '%s'", number, kind ? kind : "");
  for (char *word; (word = next_field(&rest)) != NULL; sensor->arguments[count++] = word)
    if (count == ARGUMENT_LIMIT || *word == 0)
      fail("expected 1 to %d words that are not empty in line %zu of the sensors", ARGUMENT_LIMIT, number);
  if (count == 0 || (which == NODE && count > 1))
    fail("expected %s in line %zu of the sensors, got %zu words", which == NODE ? "a path" : "words", number, count);
  sensor->kind = (enum sensor_kind)which;
}

size_t sensors_load(const char *path, struct sensor sensors[SENSOR_LIMIT]) {
  char *line = read_all(path);
  size_t count = 0;
  while (*line) {
    char *end = strchr(line, '\n');
    if (end == NULL) fail("expected a complete last line in the list of sensors %s", path);
    *end = 0;
    if (count == SENSOR_LIMIT) fail("expected at most %d sensors in %s", SENSOR_LIMIT, path);
    parse_line(line, count + 1, &sensors[count]);
    count++;
    line = end + 1;
  }
  if (count == 0) fail("expected sensors in %s, got none", path);
  return count;
}

/* A node that is not there, or cannot be read now, may be so at the next reading: it is opened again. */
static unsigned read_node(struct sensor *sensor, char *buffer, size_t size, size_t *length) {
  if (sensor->fd < 0) sensor->fd = open(sensor->arguments[0], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (sensor->fd < 0) return (unsigned)errno;
  while (*length < size) {
    ssize_t got = pread(sensor->fd, buffer + *length, size - *length, (off_t)*length);
    if (got == 0) return 0;
    if (got > 0) {
      *length += (size_t)got;
      continue;
    }
    unsigned reason = (unsigned)errno;
    close(sensor->fd);
    sensor->fd = -1;
    return reason;
  }
  return 0;
}

/* What the command writes until it closes its output, or the time is up; true where it closed it. */
static bool read_pipe(int fd, char *buffer, size_t size, size_t *length) {
  char rest[4096];
  for (int64_t deadline = clock_ns() + COMMAND_TIMEOUT_MS * 1000000LL;;) {
    int64_t left_ms = (deadline - clock_ns()) / 1000000;
    struct pollfd waited = {.fd = fd, .events = POLLIN};
    if (left_ms <= 0 || poll(&waited, 1, (int)left_ms) <= 0) return false;
    bool full = *length == size;
    ssize_t got = full ? read(fd, rest, sizeof rest) : read(fd, buffer + *length, size - *length);
    if (got <= 0) return true;
    if (!full) *length += (size_t)got;
  }
}

static _Noreturn void execute(char *const *arguments, int output) {
  int nothing = open("/dev/null", O_RDWR);
  dup2(nothing, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(nothing, STDERR_FILENO);
  execvp(arguments[0], arguments);
  _exit(127); /* as a shell says it */
}

static unsigned run_command(char *const *arguments, char *buffer, size_t size, size_t *length) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return (unsigned)errno;
  pid_t child = fork();
  if (child == 0) execute(arguments, ends[1]);
  unsigned reason = (unsigned)errno;
  close(ends[1]);
  bool closed = child > 0 && read_pipe(ends[0], buffer, size, length);
  close(ends[0]);
  if (child < 0) return reason;
  if (!closed) kill(child, SIGKILL);
  int status;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return (unsigned)errno;
  if (!closed) return STATUS_TIMEOUT;
  if (WIFSIGNALED(status)) return STATUS_SIGNAL | (unsigned)WTERMSIG(status);
  return WEXITSTATUS(status) ? STATUS_EXIT | (unsigned)WEXITSTATUS(status) : 0;
}

/* The mailbox of the Raspberry Pi's firmware: what vcgencmd does, without its start (raspberrypi/utils, vcgencmd.c).
 * Words: size of all, request code, tag, size of its buffer, length, code of the answer, buffer, end tag.
 */
enum { TEXT_BYTES = 4096, TEXT_WORDS = TEXT_BYTES / 4, HEADER_WORDS = 6 };
enum { TAG_GET_GENCMD_RESULT = 0x00030080 };
#define IOCTL_MBOX_PROPERTY _IOWR(100, 0, char *)

static bool ask_mailbox(int fd, char *const *arguments, char *buffer, size_t size, size_t *length) {
  uint32_t message[HEADER_WORDS + TEXT_WORDS + 1] = {sizeof message, 0, TAG_GET_GENCMD_RESULT, TEXT_BYTES};
  char *text = (char *)&message[HEADER_WORDS];
  size_t end = 0;
  for (size_t i = 0; arguments[i]; i++) {
    size_t more = strlen(arguments[i]);
    if (end + more + 2 > TEXT_BYTES) return false;
    if (i) text[end++] = ' ';
    memcpy(text + end, arguments[i], more);
    end += more;
  }
  if (ioctl(fd, IOCTL_MBOX_PROPERTY, message) < 0) return false;
  /* Lines of some answers end in a zero byte: all up to the last one that is not zero. */
  size_t answer = TEXT_BYTES;
  while (answer > 0 && text[answer - 1] == 0) answer--;
  *length = answer < size ? answer : size;
  memcpy(buffer, text, *length);
  return true;
}

/* Where the mailbox is not open to this user, the command that is allowed to use it may be. */
static unsigned ask_firmware(struct sensor *sensor, char *buffer, size_t size, size_t *length) {
  if (sensor->fd < 0) sensor->fd = open("/dev/vcio_gencmd", O_RDWR | O_CLOEXEC);
  if (sensor->fd < 0) sensor->fd = open("/dev/vcio", O_RDWR | O_CLOEXEC);
  if (sensor->fd >= 0 && ask_mailbox(sensor->fd, sensor->arguments, buffer, size, length)) return 0;
  char *words[ARGUMENT_LIMIT + 2] = {"vcgencmd"};
  memcpy(words + 1, sensor->arguments, sizeof sensor->arguments);
  return run_command(words, buffer, size, length);
}

unsigned sensor_read(struct sensor *sensor, char *buffer, size_t size, size_t *length) {
  *length = 0;
  if (sensor->kind == NODE) return read_node(sensor, buffer, size, length);
  if (sensor->kind == COMMAND) return run_command(sensor->arguments, buffer, size, length);
  return ask_firmware(sensor, buffer, size, length);
}

/* What the sampler reads: nodes, commands and the Raspberry Pi's firmware, out of the file of --sensors. */
#ifndef SENSOR_H
#define SENSOR_H

#include <stddef.h>
#include <stdint.h>

enum { SENSOR_LIMIT = 128, ARGUMENT_LIMIT = 16, READING_LIMIT = 1 << 16 };

enum sensor_kind { NODE, COMMAND, FIRMWARE };

struct sensor {
  int64_t period_ns;
  enum sensor_kind kind;
  char *arguments[ARGUMENT_LIMIT + 1]; /* a node's path, or a command's words; NULL after the last */
  int fd;                              /* of a node or of the firmware's mailbox; -1 while it is not open */
};

/* How a reading ended, besides 0 for well and an errno below STATUS_EXIT. */
enum { STATUS_EXIT = 0x1000, STATUS_SIGNAL = 0x2000, STATUS_TIMEOUT = 0x3000 };

/* The sensors of a file, whose number is returned; fails where a line is not as docs/runner.md has it. */
size_t sensors_load(const char *path, struct sensor sensors[SENSOR_LIMIT]);

/* Read once: up to `size` bytes into `buffer`, their number to `length`; how it ended is returned. Never fails. */
unsigned sensor_read(struct sensor *sensor, char *buffer, size_t size, size_t *length);

#endif

#include "events.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static FILE *out;
static const char *current_stage = "start";

void events_open(void) {
  int private_fd = dup(STDOUT_FILENO);
  out = private_fd < 0 ? NULL : fdopen(private_fd, "w");
  if (out == NULL || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
    perror("pocketbench-runner: cannot take over the standard output");
    _exit(1);
  }
}

void events_close(void) { fclose(out); }

void events_silence(void) {
  events_close();
  out = fopen("/dev/null", "w");
  if (out == NULL) _exit(1);
}

/* Engines hand out bytes of any kind as names and messages: what is no valid UTF-8 becomes U+FFFD. */
static size_t utf8_length(const unsigned char *s) {
  static const unsigned minimum[5] = {0, 0, 0x80, 0x800, 0x10000};
  size_t length = s[0] < 0x80 ? 1 : s[0] >> 5 == 6 ? 2 : s[0] >> 4 == 14 ? 3 : s[0] >> 3 == 30 ? 4 : 0;
  if (length < 2) return length;
  unsigned code = s[0] & (0x7f >> length);
  for (size_t i = 1; i < length; i++) {
    if (s[i] >> 6 != 2) return 0;
    code = code << 6 | (s[i] & 0x3f);
  }
  bool surrogate = code >= 0xd800 && code <= 0xdfff;
  return code < minimum[length] || code > 0x10ffff || surrogate ? 0 : length;
}

static void write_string(const char *text) {
  putc('"', out);
  for (const unsigned char *s = (const unsigned char *)text; *s;) {
    size_t length = utf8_length(s);
    if (length == 0) {
      fputs("\\ufffd", out);
      s++;
    } else if (length > 1) {
      fwrite(s, 1, length, out);
      s += length;
    } else {
      if (*s == '"' || *s == '\\') fprintf(out, "\\%c", *s);
      else if (*s < 0x20 || *s == 0x7f) fprintf(out, "\\u%04x", *s);
      else putc(*s, out);
      s++;
    }
  }
  putc('"', out);
}

static void write_key(const char *key) {
  putc(',', out);
  write_string(key);
  putc(':', out);
}

void event_begin(const char *name) {
  fprintf(out, "{\"schema\":%d", EVENT_SCHEMA);
  event_text("event", name);
}

void event_text(const char *key, const char *text) {
  write_key(key);
  if (text) write_string(text);
  else fputs("null", out);
}

void event_number(const char *key, int64_t number) {
  write_key(key);
  fprintf(out, "%lld", (long long)number);
}

void event_flag(const char *key, bool flag) {
  write_key(key);
  fputs(flag ? "true" : "false", out);
}

void event_unknown(const char *key) { event_text(key, NULL); }

static void write_tensor(const struct tensor *tensor) {
  fputs("{\"name\":", out);
  write_string(tensor->name);
  event_text("dtype", dtype_name(tensor->dtype));
  write_key("shape");
  putc('[', out);
  for (size_t i = 0; i < tensor->rank; i++)
    fprintf(out, "%s%lld", i ? "," : "", (long long)(tensor->declared[i] < 0 ? -1 : tensor->declared[i]));
  putc(']', out);
  if (tensor->quantized && isfinite(tensor->scale)) {
    write_key("scale");
    fprintf(out, "%.9g", tensor->scale); /* nine digits bring a float32 back exactly */
    event_number("zero_point", tensor->zero_point);
  } else {
    event_unknown("scale");
    event_unknown("zero_point");
  }
  putc('}', out);
}

void event_tensors(const char *key, const struct tensor *tensors, size_t count) {
  write_key(key);
  putc('[', out);
  for (size_t i = 0; i < count; i++) {
    if (i) putc(',', out);
    write_tensor(&tensors[i]);
  }
  putc(']', out);
}

void event_flags(const char *key, const char *const *names, const bool *set, size_t count) {
  write_key(key);
  putc('[', out);
  bool first = true;
  for (size_t i = 0; i < count; i++) {
    if (!set[i]) continue;
    if (!first) putc(',', out);
    write_string(names[i]);
    first = false;
  }
  putc(']', out);
}

void event_end(void) {
  fputs("}\n", out);
  if (fflush(out) != 0) _exit(1); /* nobody listens any more */
}

void stage_enter(const char *stage) {
  current_stage = stage;
  event_begin("stage");
  event_text("stage", stage);
  event_end();
}

_Noreturn void fail(const char *format, ...) {
  char message[8192];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  event_begin("error");
  event_text("stage", current_stage);
  event_text("message", message);
  event_end();
  fprintf(stderr, "pocketbench-runner: %s: %s\n", current_stage, message);
  _exit(1); /* no destructors: an engine in a bad state may crash in its own */
}

void *allocate(size_t count, size_t size) {
  void *memory = calloc(count ? count : 1, size ? size : 1);
  if (memory == NULL) fail("expected %zu x %zu bytes of memory, got none", count, size);
  return memory;
}

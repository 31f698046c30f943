#include "tensor_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "events.h"

static const char magic[8] = {'P', 'B', 'T', 'E', 'N', 'S', 'O', 'R'};
static const uint32_t version = 1;
enum { MAX_TENSORS = 4096 };

static void read_at(const struct tensor_file *file, int64_t offset, void *target, size_t bytes) {
  for (size_t done = 0; done < bytes;) {
    ssize_t got = pread(file->fd, (char *)target + done, bytes - done, offset + (int64_t)done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("cannot read the tensor file %s: %s", file->path, strerror(errno));
    if (got == 0) fail("expected a complete tensor file, got a truncated one: %s", file->path);
    done += (size_t)got;
  }
}

static void write_at(const struct tensor_file *file, int64_t offset, const void *source, size_t bytes) {
  for (size_t done = 0; done < bytes;) {
    ssize_t put = pwrite(file->fd, (const char *)source + done, bytes - done, offset + (int64_t)done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail("cannot write the tensor file %s: %s", file->path, strerror(errno));
    done += (size_t)put;
  }
}

static int64_t read_header(struct tensor_file *file, struct stored_tensor *tensor, int64_t offset) {
  char name[17] = {0};
  uint32_t rank_and_zero[2];
  read_at(file, offset, name, 16);
  read_at(file, offset + 16, rank_and_zero, sizeof rank_and_zero);
  offset += 24;
  tensor->dtype = dtype_named(name);
  char padded[sizeof name] = {0};
  memcpy(padded, name, strlen(name));
  if (tensor->dtype == DTYPE_COUNT || memcmp(padded, name, sizeof name) != 0)
    fail("expected a known dtype in the tensor file %s, got '%s'", file->path, name);
  if (rank_and_zero[0] < 1 || rank_and_zero[0] > MAX_RANK + 1 || rank_and_zero[1] != 0)
    fail("expected a rank of 1 to %d, then 0, in the tensor file %s, got %u and %u", MAX_RANK + 1, file->path,
         rank_and_zero[0], rank_and_zero[1]);
  int64_t runs;
  read_at(file, offset, &runs, sizeof runs);
  tensor->rank = rank_and_zero[0] - 1;
  read_at(file, offset + 8, tensor->shape, tensor->rank * sizeof(int64_t));
  offset += 8 * (int64_t)rank_and_zero[0];
  if (runs < 1 || (file->runs && runs != file->runs))
    fail("expected the same number of runs, at least 1, for all tensors in %s, got %lld", file->path, (long long)runs);
  file->runs = runs;
  tensor->bytes = dtype_size(tensor->dtype);
  int64_t all;
  for (size_t i = 0; i < tensor->rank; i++)
    if (tensor->shape[i] < 0 || __builtin_mul_overflow(tensor->bytes, (size_t)tensor->shape[i], &tensor->bytes))
      fail("expected a possible shape in the tensor file %s, got %s", file->path,
           shape_text(tensor->shape, tensor->rank));
  if (__builtin_mul_overflow(tensor->bytes, runs, &all) || __builtin_add_overflow(all, offset, &all))
    fail("expected a possible shape in the tensor file %s, got %s x %lld", file->path,
         shape_text(tensor->shape, tensor->rank), (long long)runs);
  tensor->offset = offset;
  return all;
}

void tensor_file_open(struct tensor_file *file, const char *path) {
  *file = (struct tensor_file){.path = path, .fd = open(path, O_RDONLY | O_CLOEXEC)};
  if (file->fd < 0) fail("cannot open the tensor file %s: %s", path, strerror(errno));
  char start[8];
  uint32_t numbers[2];
  read_at(file, 0, start, sizeof start);
  read_at(file, 8, numbers, sizeof numbers);
  if (memcmp(start, magic, sizeof magic) != 0 || numbers[0] != version || numbers[1] < 1 || numbers[1] > MAX_TENSORS)
    fail("expected a tensor file of version %u with 1 to %d tensors, got something else: %s", version, MAX_TENSORS,
         path);
  file->count = numbers[1];
  file->tensors = allocate(file->count, sizeof *file->tensors);
  int64_t offset = 16;
  for (size_t i = 0; i < file->count; i++) offset = read_header(file, &file->tensors[i], offset);
  struct stat facts;
  if (fstat(file->fd, &facts) != 0 || facts.st_size != offset)
    fail("expected %lld bytes in the tensor file %s, got %lld", (long long)offset, path, (long long)facts.st_size);
}

void tensor_file_create(struct tensor_file *file, const char *path, int64_t runs, const struct tensor *like,
                        size_t count) {
  *file = (struct tensor_file){.path = path, .runs = runs, .count = count};
  file->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file->fd < 0) fail("cannot create the tensor file %s: %s", path, strerror(errno));
  file->tensors = allocate(count, sizeof *file->tensors);
  uint32_t numbers[2] = {version, (uint32_t)count};
  write_at(file, 0, magic, sizeof magic);
  write_at(file, 8, numbers, sizeof numbers);
  int64_t offset = 16;
  for (size_t i = 0; i < count; i++) {
    char name[16] = {0};
    strncpy(name, dtype_name(like[i].dtype), sizeof name - 1);
    uint32_t rank_and_zero[2] = {(uint32_t)like[i].rank + 1, 0};
    write_at(file, offset, name, sizeof name);
    write_at(file, offset + 16, rank_and_zero, sizeof rank_and_zero);
    write_at(file, offset + 24, &runs, sizeof runs);
    write_at(file, offset + 32, like[i].shape, like[i].rank * sizeof(int64_t));
    offset += 32 + 8 * (int64_t)like[i].rank;
    file->tensors[i] = (struct stored_tensor){.dtype = like[i].dtype, .bytes = like[i].bytes, .offset = offset};
    int64_t all;
    if (__builtin_mul_overflow(like[i].bytes, runs, &all) || __builtin_add_overflow(offset, all, &offset))
      fail("expected outputs that fit into a file, got %zu bytes x %lld", like[i].bytes, (long long)runs);
  }
}

static int64_t place(const struct stored_tensor *tensor, int64_t run) {
  return tensor->offset + run * (int64_t)tensor->bytes;
}

void tensor_file_read(const struct tensor_file *file, size_t tensor, int64_t run, void *target) {
  read_at(file, place(&file->tensors[tensor], run), target, file->tensors[tensor].bytes);
}

void tensor_file_write(const struct tensor_file *file, size_t tensor, int64_t run, const void *source) {
  write_at(file, place(&file->tensors[tensor], run), source, file->tensors[tensor].bytes);
}

void tensor_file_close(struct tensor_file *file) {
  if (close(file->fd) != 0) fail("cannot finish the tensor file %s: %s", file->path, strerror(errno));
  free(file->tensors);
}

/* Tensor files: data for inputs, data from outputs. Little endian, no padding:
 *
 *   8 bytes    "PBTENSOR"
 *   uint32     version, 1
 *   uint32     number of tensors
 *   then for each tensor
 *   16 bytes   dtype as numpy names it, filled up with zeros
 *   uint32     rank
 *   uint32     0
 *   int64[]    shape; its first dimension counts the runs, the rest is the shape of one inference
 *   bytes      elements in C order
 *
 * The data stays on disk: one inference is read or written at a time, so a large data set needs no memory here.
 */
#ifndef TENSOR_FILE_H
#define TENSOR_FILE_H

#include "tensor.h"

struct stored_tensor {
  enum dtype dtype;
  size_t rank; /* without the runs */
  int64_t shape[MAX_RANK];
  size_t bytes; /* of one inference */
  int64_t offset;
};

struct tensor_file {
  const char *path;
  int fd;
  int64_t runs;
  size_t count;
  struct stored_tensor *tensors;
};

/* Open `path`, read its headers, check them and the file's size; fails with a sentence. */
void tensor_file_open(struct tensor_file *file, const char *path);

/* Write the headers of a new file for `runs` inferences of tensors that look like `like`. */
void tensor_file_create(struct tensor_file *file, const char *path, int64_t runs, const struct tensor *like,
                        size_t count);

void tensor_file_read(const struct tensor_file *file, size_t tensor, int64_t run, void *target);
void tensor_file_write(const struct tensor_file *file, size_t tensor, int64_t run, const void *source);

/* Fails where the data did not reach the disk. */
void tensor_file_close(struct tensor_file *file);

#endif

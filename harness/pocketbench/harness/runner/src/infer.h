/* Outputs for given inputs: a tensor file in, a tensor file out. */
#ifndef INFER_H
#define INFER_H

#include "engine.h"
#include "tensor_file.h"

/* Fails unless the file has the model's inputs: number and dtypes (shapes are tensor_resolve's). */
void check_input_file(const struct tensor_file *file, const struct model *model);

/* Give the engine the inputs of one run of the file. */
void feed(const struct engine *engine, const struct model *model, const struct tensor_file *file, int64_t run);

/* Run all of `input`, the first of which ran already, write `path` and report the event "inferred". */
void infer(const struct engine *engine, struct model *model, const struct tensor_file *input, const char *path);

#endif

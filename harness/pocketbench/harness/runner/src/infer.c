#include "infer.h"

#include <stdlib.h>
#include <string.h>

#include "events.h"

void check_input_file(const struct tensor_file *file, const struct model *model) {
  if (file->count != model->input_count)
    fail("expected data for the model's %zu inputs, got %zu tensors in %s", model->input_count, file->count,
         file->path);
  for (size_t i = 0; i < file->count; i++)
    if (file->tensors[i].dtype != model->inputs[i].dtype)
      fail("expected %s for the input '%s', got %s", dtype_name(model->inputs[i].dtype), model->inputs[i].name,
           dtype_name(file->tensors[i].dtype));
}

void feed(const struct engine *engine, const struct model *model, const struct tensor_file *file, int64_t run) {
  for (size_t i = 0; i < model->input_count; i++) {
    void *data = allocate(model->inputs[i].bytes, 1);
    tensor_file_read(file, i, run, data);
    engine->write_input(i, data, model->inputs[i].bytes);
    free(data);
  }
}

static void keep_outputs(const struct engine *engine, const struct model *model, const struct tensor_file *target,
                         int64_t run) {
  for (size_t i = 0; i < model->output_count; i++) {
    void *data = allocate(model->outputs[i].bytes, 1);
    engine->read_output(i, data, model->outputs[i].bytes);
    tensor_file_write(target, i, run, data);
    free(data);
  }
}

/* Stacking needs every run to give the same shapes. */
static void check_shapes(const struct engine *engine, struct model *model, const struct tensor *first) {
  engine->measure_outputs(model);
  for (size_t i = 0; i < model->output_count; i++) {
    const struct tensor *output = &model->outputs[i];
    if (output->rank != first[i].rank || memcmp(output->shape, first[i].shape, output->rank * sizeof(int64_t)) != 0)
      fail("expected the output '%s' to have the same shape for every input, got %s after another one", output->name,
           shape_text(output->shape, output->rank));
  }
}

void infer(const struct engine *engine, struct model *model, const struct tensor_file *input, const char *path) {
  struct tensor_file output;
  stage_enter("run");
  engine->measure_outputs(model);
  struct tensor *first = allocate(model->output_count, sizeof *first);
  memcpy(first, model->outputs, model->output_count * sizeof *first);
  tensor_file_create(&output, path, input->runs, first, model->output_count);
  keep_outputs(engine, model, &output, 0);
  for (int64_t run = 1; run < input->runs; run++) {
    engine->settle();
    feed(engine, model, input, run);
    engine->run();
    check_shapes(engine, model, first);
    keep_outputs(engine, model, &output, run);
  }
  tensor_file_close(&output);
  event_begin("inferred");
  event_number("runs", input->runs);
  event_end();
  free(first);
}

#include "engine.h"

#include <dlfcn.h>
#include <string.h>

#include "events.h"

const struct engine *engine_named(const char *name) {
  static const struct engine *const engines[] = {&litert, &onnxruntime};
  for (size_t i = 0; i < sizeof engines / sizeof *engines; i++)
    if (strcmp(engines[i]->name, name) == 0) return engines[i];
  return NULL;
}

void *library_open(const char *path) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) fail("cannot load the engine: %s", dlerror());
  return library;
}

void *library_function(void *library, const char *name) {
  void *function = dlsym(library, name);
  if (function == NULL) fail("expected an engine library with the function %s: %s", name, dlerror());
  return function;
}

/* A stand-in for Android's dynamic linker and C library, for tests without a phone.
 *
 * It loads a position-independent executable as /system/bin/linker64 does, and gives it the functions of the list
 * src/android/symbols.txt under bionic's names, and no others: behind them is the C library that this file is linked
 * with. It shows that an executable has the right form, asks for nothing else, and starts as bionic starts programs.
 * It does not show how bionic's own functions behave, nor what SELinux or a vendor's kernel says.
 *
 *   linker64 PROGRAM ARGUMENT...     by hand, as on Android 10 and later
 *   PT_INTERP /system/bin/linker64   by the kernel, where this file stands at that path (linked statically)
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined __aarch64__
enum { MACHINE = EM_AARCH64, RELATIVE = R_AARCH64_RELATIVE, ABSOLUTE = R_AARCH64_ABS64 };
enum { GLOBAL_DATA = R_AARCH64_GLOB_DAT, CALL = R_AARCH64_JUMP_SLOT };
#else
enum { MACHINE = EM_X86_64, RELATIVE = R_X86_64_RELATIVE, ABSOLUTE = R_X86_64_64 };
enum { GLOBAL_DATA = R_X86_64_GLOB_DAT, CALL = R_X86_64_JUMP_SLOT };
#endif

/* Pages of 16 KiB, as on newer phones: what shares one with read-only data becomes read-only too. */
enum { PAGE = 16384, MOST_LIBRARIES = 8, MOST_HEADERS = 32 };

struct object {
  char *base;
  const Elf64_Phdr *headers;
  size_t header_count, entry;
  const char *names;
  const Elf64_Sym *symbols;
  size_t symbol_count;
};

static char error_text[1024];
static const char *error;

static void *refuse(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(error_text, sizeof error_text, format, arguments);
  va_end(arguments);
  error = error_text;
  return NULL;
}

/* ---- what bionic has under other names ---- */

int *__errno(void) { return &errno; }

/* libc_init_dynamic.cpp: `stack` is what the kernel laid there; a program's own destructors come third. */
struct structors {
  void *preinit, *init, *fini;
};

_Noreturn void __libc_init(size_t *stack, void (*unused)(void), int (*start)(int, char **, char **),
                           const struct structors *structors) {
  (void)unused;
  if (structors->fini != NULL) abort(); /* the runner has none */
  char **arguments = (char **)(stack + 1);
  exit(start((int)stack[0], arguments, arguments + stack[0] + 1));
}

static void *linker_dlopen(const char *path, int flags);
static void *linker_dlsym(void *library, const char *name);
static char *linker_dlerror(void);

/* ---- names ---- */

struct offer {
  const char *name;
  void *address;
};

/* The list itself, made by android_stand_in.py from symbols.txt. */
static const struct offer offers[] = {
#define libc_so(name) {#name, (void *)&name},
#define libdl_so(name) {#name, (void *)&linker_##name},
#include "offers.h"
};

/* What the fake engines ask for beyond that. */
static const struct offer engine_offers[] = {
#define O(name) {#name, (void *)&name},
    O(abort) O(atoi) O(fgets) O(fputc) O(getenv) O(getpid) O(memmove) O(mmap) O(munmap) O(pause) O(puts) O(raise)
    O(sscanf) O(stpcpy) O(strcat) O(strchr) O(strcpy) O(strdup) O(strncmp) O(strrchr) O(strtoll)
};

static void *offered(const struct offer *table, size_t count, const char *name) {
  for (size_t i = 0; i < count; i++)
    if (strcmp(table[i].name, name) == 0) return table[i].address;
  return NULL;
}

static void *find(const char *name, int is_engine) {
  void *found = offered(offers, sizeof offers / sizeof *offers, name);
  if (found == NULL && is_engine) found = offered(engine_offers, sizeof engine_offers / sizeof *engine_offers, name);
  return found;
}

/* ---- loading ---- */

static int known_library(const char *name) {
  static const char *const known[] = {"libc.so", "libdl.so", "libm.so", "liblog.so"};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (strcmp(known[i], name) == 0) return 1;
  return 0;
}

static int relocate(struct object *object, const Elf64_Rela *table, size_t bytes, int is_engine) {
  for (const Elf64_Rela *r = table; r < table + bytes / sizeof *r; r++) {
    const Elf64_Sym *symbol = object->symbols + ELF64_R_SYM(r->r_info);
    const char *name = object->names + symbol->st_name;
    size_t value = (size_t)object->base + r->r_addend;
    if (ELF64_R_TYPE(r->r_info) != RELATIVE) {
      void *found = symbol->st_shndx ? object->base + symbol->st_value : find(name, is_engine);
      if (found == NULL && ELF64_ST_BIND(symbol->st_info) != STB_WEAK)
        return refuse("cannot locate symbol \"%s\"", name) != NULL;
      value = (size_t)found + r->r_addend;
      if (ELF64_R_TYPE(r->r_info) != ABSOLUTE && ELF64_R_TYPE(r->r_info) != GLOBAL_DATA &&
          ELF64_R_TYPE(r->r_info) != CALL)
        return refuse("unknown reloc type %d", (int)ELF64_R_TYPE(r->r_info)) != NULL;
    }
    memcpy(object->base + r->r_offset, &value, sizeof value);
  }
  return 1;
}

/* Relocate, protect, run constructors: for an object whose segments are in memory. */
static int link_object(struct object *object, int is_engine) {
  const Elf64_Dyn *dynamic = NULL;
  const Elf64_Phdr *read_only = NULL;
  size_t value[DT_FLAGS + 1] = {0};
  for (const Elf64_Phdr *h = object->headers; h < object->headers + object->header_count; h++) {
    if (h->p_type == PT_DYNAMIC) dynamic = (const Elf64_Dyn *)(object->base + h->p_vaddr);
    if (h->p_type == PT_GNU_RELRO) read_only = h;
    if (h->p_type == PT_TLS) return refuse("thread-local variables are not for this linker") != NULL;
    if (h->p_type == PT_LOAD && h->p_align % PAGE) return refuse("expected segments aligned for 16 KiB") != NULL;
  }
  if (dynamic == NULL) return refuse("has no dynamic section") != NULL;
  for (const Elf64_Dyn *d = dynamic; d->d_tag != DT_NULL; d++) {
    if (d->d_tag == DT_TEXTREL) return refuse("has text relocations") != NULL;
    if (d->d_tag >= 0 && d->d_tag <= DT_FLAGS) value[d->d_tag] = d->d_un.d_val;
  }
  if (!value[DT_HASH]) return refuse("expected DT_HASH") != NULL;
  object->names = object->base + value[DT_STRTAB];
  object->symbols = (const Elf64_Sym *)(object->base + value[DT_SYMTAB]);
  object->symbol_count = ((const uint32_t *)(object->base + value[DT_HASH]))[1];
  for (const Elf64_Dyn *d = dynamic; d->d_tag != DT_NULL; d++)
    if (d->d_tag == DT_NEEDED && !known_library(object->names + d->d_un.d_val))
      return refuse("library \"%s\" not found", object->names + d->d_un.d_val) != NULL;
  if (!relocate(object, (const Elf64_Rela *)(object->base + value[DT_RELA]), value[DT_RELASZ], is_engine)) return 0;
  if (!relocate(object, (const Elf64_Rela *)(object->base + value[DT_JMPREL]), value[DT_PLTRELSZ], is_engine)) return 0;
  if (read_only != NULL) {
    size_t start = (size_t)(object->base + read_only->p_vaddr) & -(size_t)PAGE;
    size_t end = ((size_t)(object->base + read_only->p_vaddr) + read_only->p_memsz + PAGE - 1) & -(size_t)PAGE;
    if (mprotect((void *)start, end - start, PROT_READ) != 0) return refuse("mprotect: %s", strerror(errno)) != NULL;
  }
  void (**constructors)(void) = (void (**)(void))(object->base + value[DT_INIT_ARRAY]);
  for (size_t i = 0; i < value[DT_INIT_ARRAYSZ] / sizeof *constructors; i++) constructors[i]();
  return 1;
}

static int read_segments(struct object *object, int fd) {
  size_t end = 0;
  for (const Elf64_Phdr *h = object->headers; h < object->headers + object->header_count; h++)
    if (h->p_type == PT_LOAD && h->p_vaddr + h->p_memsz > end) end = h->p_vaddr + h->p_memsz;
  char *space = mmap(NULL, end + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (space == MAP_FAILED) return refuse("mmap: %s", strerror(errno)) != NULL;
  object->base = (char *)(((size_t)space + PAGE - 1) & -(size_t)PAGE);
  for (const Elf64_Phdr *h = object->headers; h < object->headers + object->header_count; h++) {
    if (h->p_type != PT_LOAD) continue;
    size_t start = h->p_vaddr & -(size_t)PAGE, stop = (h->p_vaddr + h->p_memsz + PAGE - 1) & -(size_t)PAGE;
    int protection = (h->p_flags & PF_R ? PROT_READ : 0) | (h->p_flags & PF_W ? PROT_WRITE : 0) |
                     (h->p_flags & PF_X ? PROT_EXEC : 0);
    if (mprotect(object->base + start, stop - start, PROT_READ | PROT_WRITE) != 0 ||
        pread(fd, object->base + h->p_vaddr, h->p_filesz, (off_t)h->p_offset) != (ssize_t)h->p_filesz ||
        mprotect(object->base + start, stop - start, protection) != 0)
      return refuse("cannot load a segment: %s", strerror(errno)) != NULL;
  }
  return 1;
}

static int load(struct object *object, const char *path) {
  static Elf64_Phdr headers[1 + MOST_LIBRARIES][MOST_HEADERS];
  static size_t loaded;
  Elf64_Ehdr file;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return refuse("library \"%s\" not found", path) != NULL;
  if (read(fd, &file, sizeof file) != (ssize_t)sizeof file || memcmp(file.e_ident, ELFMAG, SELFMAG) != 0)
    return refuse("\"%s\" has bad ELF magic", path) != NULL;
  if (file.e_machine != MACHINE) return refuse("\"%s\" is for another machine (%d)", path, file.e_machine) != NULL;
  if (file.e_type != ET_DYN) return refuse("\"%s\" has unexpected e_type: %d", path, file.e_type) != NULL;
  if (loaded > MOST_LIBRARIES || file.e_phnum > MOST_HEADERS) return refuse("too much for this linker") != NULL;
  size_t bytes = file.e_phnum * sizeof(Elf64_Phdr);
  if (pread(fd, headers[loaded], bytes, (off_t)file.e_phoff) != (ssize_t)bytes) return refuse("truncated") != NULL;
  *object = (struct object){.headers = headers[loaded++], .header_count = file.e_phnum, .entry = file.e_entry};
  int done = read_segments(object, fd);
  close(fd);
  return done;
}

/* ---- libdl ---- */

static void *linker_dlopen(const char *path, int flags) {
  static struct object libraries[MOST_LIBRARIES];
  static size_t count;
  (void)flags;
  if (count == MOST_LIBRARIES) return refuse("too many libraries");
  struct object *library = &libraries[count];
  if (!load(library, path) || !link_object(library, 1)) {
    char reason[sizeof error_text];
    memcpy(reason, error_text, sizeof reason);
    return refuse("dlopen failed: %.500s", reason);
  }
  count++;
  return library;
}

static void *linker_dlsym(void *handle, const char *name) {
  struct object *library = handle;
  for (size_t i = 0; i < library->symbol_count; i++) {
    const Elf64_Sym *symbol = &library->symbols[i];
    if (symbol->st_shndx && strcmp(library->names + symbol->st_name, name) == 0) return library->base + symbol->st_value;
  }
  return refuse("undefined symbol: %s", name);
}

static char *linker_dlerror(void) {
  const char *last = error;
  error = NULL;
  return (char *)last;
}

/* ---- start ---- */

static _Noreturn void jump(size_t entry, size_t *stack) {
#if defined __aarch64__
  __asm__ volatile("mov sp, %1\n  mov x29, #0\n  mov x30, #0\n  br %0" ::"r"(entry), "r"(stack) : "memory");
#else
  __asm__ volatile("mov %1, %%rsp\n  xor %%edx, %%edx\n  jmp *%0" ::"r"(entry), "r"(stack) : "memory");
#endif
  __builtin_unreachable();
}

static void by_the_kernel(struct object *program) {
  program->headers = (const Elf64_Phdr *)getauxval(AT_PHDR);
  program->header_count = getauxval(AT_PHNUM);
  for (const Elf64_Phdr *h = program->headers; h < program->headers + program->header_count; h++)
    if (h->p_type == PT_PHDR) program->base = (char *)program->headers - h->p_vaddr;
  program->entry = getauxval(AT_ENTRY) - (size_t)program->base;
}

static int link_program(struct object *program, const char *name) {
  int done = link_object(program, 0);
  if (!done) fprintf(stderr, "CANNOT LINK EXECUTABLE \"%s\": %s\n", name, error);
  return done;
}

int main(int count, char **arguments, char **environment) {
  extern char _start[];
  struct object program = {0};
  if (getauxval(AT_ENTRY) != (size_t)_start) {
    by_the_kernel(&program);
    if (!link_program(&program, arguments[0])) return 1; /* bionic aborts */
    jump((size_t)program.base + program.entry, (size_t *)arguments - 1);
  }
  if (count < 2 || !load(&program, arguments[1])) {
    fprintf(stderr, "linker64: %s\n", count < 2 ? "expected a program" : error);
    return 1;
  }
  if (!link_program(&program, arguments[1])) return 1;
  /* The same as the kernel's, without our own name: the count, arguments, NULL, environment, NULL. */
  size_t words = (size_t)count + 2;
  for (char **e = environment; *e != NULL; e++) words++;
  _Alignas(16) size_t stack[words];
  stack[0] = (size_t)count - 1;
  memcpy(stack + 1, arguments + 1, (words - 1) * sizeof *stack);
  jump((size_t)program.base + program.entry, stack);
}

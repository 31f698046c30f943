/* Where an Android executable starts: what the NDK's crtbegin_dynamic.o does, for a program without constructors,
 * destructors and thread-local variables. Source: AOSP platform/bionic, libc/arch-common/bionic/{crtbegin.c,crtbrand.S}.
 */
#include <stddef.h>
#include <stdint.h>

/* structors_array_t of libc_init_common.h. Android 11 added the counts; older C libraries read only the first three. */
struct structors {
  void (**preinit)(void), (**init)(void), (**fini)(void);
  size_t preinit_count, init_count, fini_count;
};

int main(int count, char **arguments);
_Noreturn void __libc_init(void *stack, void (*unused)(void), int (*start)(int, char **), const struct structors *structors);

/* Called by _start with the stack as the kernel left it: the count of arguments, arguments, environment. */
__attribute__((used, visibility("hidden"))) _Noreturn void start_program(void *stack) {
  static const struct structors none;
  __libc_init(stack, NULL, main, &none);
}

#if defined __aarch64__
__asm__(".text\n.globl _start\n.type _start,%function\n_start:\n"
        "  bti j\n  mov x29, #0\n  mov x30, #0\n  mov x0, sp\n  b start_program\n.size _start, .-_start\n");
#elif defined __x86_64__
__asm__(".text\n.globl _start\n.type _start,%function\n_start:\n"
        "  xorl %ebp, %ebp\n  movq %rsp, %rdi\n  andq $-16, %rsp\n  call start_program\n.size _start, .-_start\n");
#else
#error "expected aarch64 or x86_64"
#endif

/* Marks the file as Android's, made for API level 24. */
__attribute__((section(".note.android.ident"), used, aligned(4))) static const struct {
  uint32_t name_size, content_size, type;
  char name[8];
  uint32_t api;
} note = {sizeof note.name, sizeof note.api, 1, "Android", 24};

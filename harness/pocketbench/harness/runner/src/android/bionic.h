/* Included before every file that is compiled for Android.
 *
 * The compiler has musl's headers, the program runs with Android's C library, bionic. For what the runner uses the two
 * agree, since both take it from the kernel on 64 bit; where that could break a program silently it is asserted here,
 * with bionic's values (AOSP platform/bionic, libc/include and libc/kernel/uapi). Known to differ, and not in symbols.txt
 * for that reason: the numbers of sysconf(), setjmp's jmp_buf, and all pthread_*_t.
 */
#ifndef BIONIC_H
#define BIONIC_H

/* errno is *__errno() there. */
#define __errno_location __errno

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* sys/stat.h: __STAT64_BODY */
#if defined __aarch64__
_Static_assert(sizeof(struct stat) == 128, "struct stat");
#else
_Static_assert(sizeof(struct stat) == 144, "struct stat");
#endif
_Static_assert(offsetof(struct stat, st_size) == 48 && sizeof(off_t) == 8, "st_size");
_Static_assert(sizeof(mode_t) == 4 && sizeof(pid_t) == 4 && sizeof(ssize_t) == 8, "sys/types.h");
_Static_assert(sizeof(struct timespec) == 16 && offsetof(struct timespec, tv_nsec) == 8, "bits/timespec.h");
_Static_assert(CLOCK_MONOTONIC == 1 && TIMER_ABSTIME == 1, "linux/time.h");
_Static_assert(O_RDONLY == 0 && O_WRONLY == 1 && O_CREAT == 0100 && O_TRUNC == 01000 && O_CLOEXEC == 02000000,
               "asm-generic/fcntl.h");
_Static_assert(R_OK == 4 && STDOUT_FILENO == 1 && STDERR_FILENO == 2, "unistd.h");
_Static_assert(RTLD_NOW == 2 && RTLD_LOCAL == 0, "dlfcn.h"); /* on 64 bit; on 32 bit RTLD_NOW is 0 */
_Static_assert(O_NONBLOCK == 04000 && O_RDWR == 2, "asm-generic/fcntl.h");
/* asm-generic/poll.h */
_Static_assert(sizeof(struct pollfd) == 8 && offsetof(struct pollfd, revents) == 6 && POLLIN == 1, "struct pollfd");
/* linux/resource.h; musl's structure has unused room behind what the kernel fills in. */
_Static_assert(RUSAGE_SELF == 0 && RUSAGE_CHILDREN == -1 && sizeof(struct timeval) == 16, "linux/resource.h");
_Static_assert(offsetof(struct rusage, ru_utime) == 0 && offsetof(struct rusage, ru_stime) == 16, "struct rusage");
_Static_assert(SIGKILL == 9 && _IOWR(100, 0, char *) == 0xc0086400, "asm-generic/signal.h, asm-generic/ioctl.h");
_Static_assert(WEXITSTATUS(0x0100) == 1 && WTERMSIG(0x0009) == 9, "bits/wait.h");
/* sched.h: 1024 bits of unsigned long. The functions get the size with the set. */
_Static_assert(CPU_SETSIZE == 1024 && sizeof(cpu_set_t) == 128, "sched.h");

#endif

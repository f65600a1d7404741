#pragma once
// What Swift's Glibc lacks: the stdio globals, and a file in memory.
#include <stdio.h>
#include <stdio_ext.h>

static inline FILE *hpc_stdin(void) { return stdin; }
static inline FILE *hpc_stdout(void) { return stdout; }
static inline size_t hpc_stdout_pending(void) { return __fpending(stdout); }

// sys/mman.h shows it under _GNU_SOURCE only, which a clang module cannot switch on for itself.
extern int memfd_create(const char *name, unsigned int flags);
enum { hpc_close_on_exec_file = 1 };  // MFD_CLOEXEC

// A descriptor that is readable once the process has ended; -1 where the kernel has none (< 5.3).
extern long syscall(long number, ...);
static inline int hpc_open_process(int pid) { return (int)syscall(434 /* pidfd_open */, pid, 0); }

// unistd.h shows it under _GNU_SOURCE only.
extern int pipe2(int *ends, int flags);

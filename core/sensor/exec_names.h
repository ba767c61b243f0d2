/* What is really run when the executable is only its vehicle: from the strings of an exec alone. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The script that an interpreter was started for by its first line (#!), execve(2).  The kernel puts the path that was given
 * to execve behind the interpreter and its option, and behind those of interpreters that are scripts again.  NULL for
 * none.  That also fits a program that is given its own name as an argument ("/bin/cat /bin/cat" through a link); *ret_is_sure
 * is false when the two look alike, and the files have to be compared.  Borrowed from argv. */
const char *mw_exec_script(const char *exe, const char *execfn, const char *argv, size_t argv_bytes, bool *ret_is_sure);

/* The program that a dynamic loader, started as a command, is told to load, ld.so(8): "/lib64/ld-linux-x86-64.so.2
 * --library-path /x /bin/true".  NULL for none.  Borrowed from argv. */
const char *mw_exec_loaded(const char *exe, const char *execfn, const char *argv, size_t argv_bytes);

/* A copy of `path` that is absolute when `cwd` is known; NULL when memory is exhausted. */
char *mw_exec_absolute(const char *path, const char *cwd);

/* "/proc/self/fd/N", "/proc/PID/fd/N", "/dev/fd/N", also with a path behind it, as fexecve(3) and execveat(2) give:
 * the number, or -1. */
int mw_exec_descriptor(const char *path);

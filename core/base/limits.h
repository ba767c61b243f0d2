/* Limits that more than one module must agree on.  A limit used by one module stands in that module. */
#pragma once

enum {
	/* A path as the kernel hands it out, with its NUL: PATH_MAX of linux/limits.h. */
	MW_PATH_BYTES = 4096,
	/* Argument list of one event, in bytes; what is longer is cut and marked truncated.  The kernel itself
	 * allows a quarter of the stack limit, up to 6 MiB (execve(2)). */
	MW_ARGV_BYTES = 4096,
	/* Environment kept of one exec, in bytes; further variables are left out. */
	MW_ENV_BYTES = 4096,
	/* What a descriptor is: the target of its link in /proc, cut after this. */
	MW_STDIO_BYTES = 256,
	/* struct sockaddr_un, the largest address we know; unix(7). */
	MW_SOCKADDR_BYTES = 112,
	/* Ancestors kept of a process. */
	MW_ANCESTORS = 16,
	/* A script, rule, policy or flag file. */
	MW_SCRIPT_BYTES = 1 << 20,
};

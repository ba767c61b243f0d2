#include "trace/program.h"

#include <string.h>

bool mw_program_stat(int procfd, pid_t pid, struct mw_proc_stat *ret)
{
	char path[MW_PROC_NAME_BYTES];
	char line[MW_PROC_STAT_BYTES];
	mw_procfs_name(pid, "stat", path);
	ssize_t n = mw_procfs_read_small(procfd, path, line, sizeof(line));
	return n > 0 && mw_procfs_parse_stat(line, (size_t)n, ret) == 0;
}

/* FNV-1a of the first arguments; 0 when there are none. */
static uint64_t hash_arguments(int procfd, pid_t pid)
{
	char path[MW_PROC_NAME_BYTES];
	char text[MW_ARGV_BYTES];
	mw_procfs_name(pid, "cmdline", path);
	ssize_t n = mw_procfs_read_small(procfd, path, text, sizeof(text));
	uint64_t hash = 0xcbf29ce484222325U;
	for (ssize_t i = 0; i < n; i++)
		hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3U;
	return n > 0 ? hash : 0;
}

struct mw_program mw_program_of(int procfd, const struct mw_proc_stat *stat)
{
	struct mw_program program = {.code = stat->start_code, .stack = stat->start_stack};
	memcpy(program.comm, stat->comm, sizeof(program.comm));
	if (!program.stack)
		program.arguments = hash_arguments(procfd, stat->pid);
	return program;
}

bool mw_program_is_same(const struct mw_program *a, const struct mw_program *b)
{
	bool has_same_name = memcmp(a->comm, b->comm, sizeof(a->comm)) == 0;
	if (a->stack && b->stack)
		return a->stack == b->stack && a->code == b->code;
	if (a->stack || b->stack)
		return has_same_name;
	/* Programs rename themselves and write over their arguments, but hardly ever both between two looks. */
	return a->arguments == b->arguments || has_same_name;
}

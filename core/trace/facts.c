/* Costs, one call each on a 2-core machine: stat 6 us, auxv 6, cmdline 5, environ 4, readlink and stat of exe 2 each, cwd
 * 2.  The ids come from the auxiliary vector and not from PID/status, which takes 15: at the exec stop both say the same,
 * saved and file system ids being equal to the effective ones (execve(2)).  The stack gives arguments, environment, ids and
 * AT_EXECFN for 3 us together, and the command name is the base of AT_EXECFN; that leaves exe and cwd to be read, and stat
 * when the session is another than the one last seen. */

#include "trace/facts.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "event/record.h"
#include "proc/procfs.h"
#include "trace/stack.h"

enum {
	/* The kernel gives about 22 pairs of 16 bytes. */
	AUXV_BYTES = 1024,
	/* Fields of PID/stat, proc(5): where the arguments lie. */
	FIELD_ARG_START = 48,
	FIELD_ARG_END = 49,
	/* What is looked through of an environment. */
	ENVIRON_BYTES = 1 << 20,
};

/* Bytes read, or -1. */
static ssize_t read_file(int procfd, pid_t pid, const char *name, void *out, size_t room)
{
	char path[MW_PROC_NAME_BYTES];
	mw_procfs_name(pid, name, path);
	MW_AUTO_FD fd = openat(procfd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	size_t have = 0;
	while (have < room) {
		ssize_t n = read(fd, (char *)out + have, room - have);
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

/* Bytes of the link's target, 0 when it cannot be read. */
static size_t read_link(int procfd, pid_t pid, const char *name, char *out)
{
	char path[MW_PROC_NAME_BYTES];
	mw_procfs_name(pid, name, path);
	ssize_t n = readlinkat(procfd, path, out, MW_PATH_BYTES - 1);
	return n < 0 ? 0 : (size_t)n;
}

/* The ids in the auxiliary vector, getauxval(3), whose words are those of the program: 64 or 32 bits. */
static bool read_ids(int procfd, pid_t pid, struct mw_record_exec *record)
{
	_Alignas(8) unsigned char bytes[AUXV_BYTES];
	ssize_t size = read_file(procfd, pid, "auxv", bytes, sizeof(bytes));
	if (size < (ssize_t)(2 * sizeof(uint64_t)))
		return false;
	/* No type is that large, so in a 64-bit vector the upper half of the first word is zero; in a 32-bit one it
	 * is the first value (the address of the vDSO, or the hardware capabilities), which is not. */
	uint64_t first;
	memcpy(&first, bytes, sizeof(first));
	size_t word = first >> 32 ? sizeof(uint32_t) : sizeof(uint64_t);
	unsigned found = 0;
	for (size_t at = 0; at + 2 * word <= (size_t)size; at += 2 * word) {
		uint64_t pair[2] = {0};
		memcpy(&pair[0], bytes + at, word);
		memcpy(&pair[1], bytes + at + word, word);
		uint32_t id = (uint32_t)pair[1];
		switch (pair[0]) {
		case AT_UID:
			record->uid = id;
			break;
		case AT_EUID:
			record->euid = id;
			break;
		case AT_GID:
			record->gid = id;
			break;
		case AT_EGID:
			record->egid = id;
			break;
		default:
			continue;
		}
		found++;
	}
	return found == 4;
}

/* Size of the whole argument list, from the addresses in PID/stat; 0 when it is not understood. */
static uint64_t argv_size(const char *line, size_t n)
{
	const char *at = memrchr(line, ')', n);
	if (!at)
		return 0;
	const char *end = line + n;
	uint64_t start = 0;
	for (int field = 3; at && at < end; field++) {
		at = memchr(at + 1, ' ', (size_t)(end - at - 1));
		if (at && field == FIELD_ARG_START)
			start = strtoull(at + 1, NULL, 10);
		if (at && field == FIELD_ARG_END) {
			uint64_t stop = strtoull(at + 1, NULL, 10);
			return stop > start ? stop - start : 0;
		}
	}
	return 0;
}

static bool read_stat(struct mw_record_exec *record, const char *line, ssize_t n)
{
	struct mw_proc_stat stat;
	if (n <= 0 || mw_procfs_parse_stat(line, (size_t)n, &stat) < 0)
		return false;
	record->ppid = stat.ppid;
	record->pgrp = stat.pgrp;
	record->session = stat.session;
	record->tty_nr = stat.tty_nr;
	record->start_ticks = stat.start_ticks;
	memcpy(record->name, stat.comm, sizeof(record->name));
	return true;
}

/* exe, its stat, cwd: the strings that come first.  Returns where the next go. */
static char *read_places(int procfd, struct mw_record_exec *record)
{
	pid_t pid = record->head.pid;
	char *strings = record->strings;
	record->exe_bytes = (uint16_t)read_link(procfd, pid, "exe", strings);
	strings += record->exe_bytes;
	if (!record->exe_bytes)
		record->head.flags |= MW_EXEC_INCOMPLETE;

	char path[MW_PROC_NAME_BYTES];
	struct stat exe;
	mw_procfs_name(pid, "exe", path);
	if (fstatat(procfd, path, &exe, 0) == 0) {
		record->inode = exe.st_ino;
		record->device = exe.st_dev;
		record->exe_ctime_ns = (int64_t)exe.st_ctim.tv_sec * MW_NS_PER_S + exe.st_ctim.tv_nsec;
		record->exe_mtime_ns = (int64_t)exe.st_mtim.tv_sec * MW_NS_PER_S + exe.st_mtim.tv_nsec;
		record->exe_atime_ns = (int64_t)exe.st_atim.tv_sec * MW_NS_PER_S + exe.st_atim.tv_nsec;
		record->exe_size = (uint64_t)exe.st_size;
		record->exe_nlink = (uint32_t)exe.st_nlink;
		record->exe_mode = exe.st_mode;
		record->exe_uid = exe.st_uid;
		record->exe_gid = exe.st_gid;
	}

	/* Empty for a working directory outside of what we can see; that is no defect of the record. */
	record->cwd_bytes = (uint16_t)read_link(procfd, pid, "cwd", strings);
	return strings + record->cwd_bytes;
}

/* Is this variable one that changes what programs load, or what shells write down? */
static bool is_listed(const char *variable, size_t n)
{
	static const char *const prefixes[] = {
		"LD_",         "HIST",           "BASH_ENV=",          "ENV=",        "PROMPT_COMMAND=",
		"PYTHONPATH=", "PYTHONSTARTUP=", "PYTHONHOME=",        "PERL5",       "RUBYOPT=",
		"RUBYLIB=",    "NODE_OPTIONS=",  "JAVA_TOOL_OPTIONS=", "GCONV_PATH=", "GLIBC_TUNABLES="};
	/* Most begin with other letters. */
	if (n == 0 || !strchr("LHBEPRNJG", variable[0]))
		return false;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		size_t length = strlen(prefixes[i]);
		if (n >= length && memcmp(variable, prefixes[i], length) == 0)
			return true;
	}
	return false;
}

/* Of the `n` bytes of environment at `strings`, keep what is wanted, whole variables only; returns their bytes. */
static size_t choose_variables(char *strings, size_t n, enum mw_environment environment)
{
	size_t kept = 0;
	for (size_t at = 0; at < n;) {
		const char *end = memchr(strings + at, '\0', n - at);
		if (!end)
			break; /* cut */
		size_t length = (size_t)(end - (strings + at)) + 1;
		if (length > 1 && (environment == MW_ENVIRONMENT_ALL || is_listed(strings + at, length))) {
			if (kept + length > MW_ENV_BYTES)
				break;
			memmove(strings + kept, strings + at, length);
			kept += length;
		}
		at += length;
	}
	return kept;
}

/* Go through the environment in pieces, so that nothing hides behind large variables; returns the bytes kept. */
static size_t take_environment(const struct mw_stack *stack, pid_t pid, char *strings, enum mw_environment environment)
{
	size_t kept = 0;
	uint64_t end = stack->env_end;
	if (end - stack->env_start > ENVIRON_BYTES)
		end = stack->env_start + ENVIRON_BYTES;
	for (uint64_t at = stack->env_start; at < end && kept < MW_ENV_BYTES;) {
		/* The room of the arguments, which come behind, is free as yet. */
		size_t n = mw_stack_copy(stack, pid, at, end, strings + kept, MW_ENV_BYTES - kept + MW_ARGV_BYTES);
		const char *last = n ? memrchr(strings + kept, '\0', n) : NULL;
		size_t whole = last ? (size_t)(last - (strings + kept)) + 1 : n; /* or a variable longer than a piece */
		if (whole == 0)
			break;
		size_t more = choose_variables(strings + kept, whole, environment);
		kept = kept + more <= MW_ENV_BYTES ? kept + more : kept;
		at += whole;
	}
	return kept;
}

/* A command name is the base of the path given to execve(2), cut (fs/exec.c of Linux); but for execveat(2) on a descriptor
 * alone, where it depends on the kernel's version. */
static bool name_from_execfn(struct mw_record_exec *record, const char *execfn)
{
	static const char descriptor[] = "/dev/fd/";
	size_t n = record->execfn_bytes;
	const char *slash = memrchr(execfn, '/', n);
	const char *base = slash ? slash + 1 : execfn;
	if (n == 0 || (n > sizeof(descriptor) - 1 && memcmp(execfn, descriptor, sizeof(descriptor) - 1) == 0))
		return false;
	size_t length = n - (size_t)(base - execfn);
	if (length >= sizeof(record->name))
		length = sizeof(record->name) - 1;
	memcpy(record->name, base, length);
	return true;
}

/* Session, group, terminal, parent, name: from what is known where that is enough, else from PID/stat. */
static void take_standing(int procfd, const struct mw_facts_known *known, const char *execfn,
			  struct mw_record_exec *record)
{
	pid_t pid = record->head.pid;
	record->session = getsid(pid);
	record->pgrp = getpgid(pid);
	record->ppid = known->ppid;
	record->tty_nr = known->tty_nr;
	/* A session leader may have got itself a terminal. */
	bool is_same_session = known->session && record->session == known->session && record->session != pid;
	if (is_same_session && name_from_execfn(record, execfn))
		return;
	char line[MW_PROC_STAT_BYTES];
	ssize_t n = read_file(procfd, pid, "stat", line, sizeof(line));
	if (!read_stat(record, line, n))
		record->head.flags |= MW_EXEC_INCOMPLETE;
}

size_t mw_facts_exec_stop(int procfd, pid_t pid, const struct mw_facts_known *known, enum mw_environment environment,
			  struct mw_record_exec *record)
{
	static struct mw_stack stack; /* one thread traces */
	if (mw_stack_read(pid, &stack) < 0)
		return mw_facts_exec(procfd, pid, environment, record);

	*record = (struct mw_record_exec){
		.head = {.pid = pid, .flags = stack.is_secure ? MW_EXEC_SECURE : 0},
		.uid = stack.uid,
		.euid = stack.euid,
		.gid = stack.gid,
		.egid = stack.egid,
	};
	char *strings = read_places(procfd, record);

	size_t n =
		mw_stack_copy(&stack, pid, stack.execfn, stack.execfn + MW_PATH_BYTES - 1, strings, MW_PATH_BYTES - 1);
	record->execfn_bytes = (uint16_t)strnlen(strings, n);
	take_standing(procfd, known, strings, record);
	strings += record->execfn_bytes;

	if (environment != MW_ENVIRONMENT_NONE)
		record->env_bytes = (uint16_t)take_environment(&stack, pid, strings, environment);
	strings += record->env_bytes;

	n = mw_stack_copy(&stack, pid, stack.arg_start, stack.arg_end, strings, MW_ARGV_BYTES);
	record->argv_bytes = (uint32_t)n;
	record->argv_total_bytes = (uint32_t)(stack.arg_end - stack.arg_start);
	if (n < stack.arg_end - stack.arg_start)
		record->head.flags |= n == MW_ARGV_BYTES ? MW_EXEC_ARGV_TRUNCATED : MW_EXEC_INCOMPLETE;
	strings += n;
	return (size_t)(strings - (char *)record);
}

size_t mw_facts_exec(int procfd, pid_t pid, enum mw_environment environment, struct mw_record_exec *record)
{
	char line[MW_PROC_STAT_BYTES];
	*record = (struct mw_record_exec){.head = {.pid = pid}};

	ssize_t line_bytes = read_file(procfd, pid, "stat", line, sizeof(line) - 1);
	line[line_bytes > 0 ? line_bytes : 0] = '\0';
	bool complete = read_stat(record, line, line_bytes);
	complete &= read_ids(procfd, pid, record);

	char *strings = read_places(procfd, record);
	if (environment != MW_ENVIRONMENT_NONE) {
		ssize_t n = read_file(procfd, pid, "environ", strings, MW_ENV_BYTES + MW_ARGV_BYTES);
		record->env_bytes = (uint16_t)choose_variables(strings, n > 0 ? (size_t)n : 0, environment);
		strings += record->env_bytes;
	}
	ssize_t argv_bytes = read_file(procfd, pid, "cmdline", strings, MW_ARGV_BYTES);
	complete &= argv_bytes >= 0;
	if (argv_bytes > 0) {
		record->argv_bytes = (uint32_t)argv_bytes;
		record->argv_total_bytes = (uint32_t)argv_bytes;
		strings += argv_bytes;
	}
	if (argv_bytes == MW_ARGV_BYTES) {
		uint64_t total = argv_size(line, (size_t)line_bytes);
		if (total > MW_ARGV_BYTES) {
			record->argv_total_bytes = (uint32_t)total;
			record->head.flags |= MW_EXEC_ARGV_TRUNCATED;
		}
	}
	if (!complete)
		record->head.flags |= MW_EXEC_INCOMPLETE;
	return (size_t)(strings - (char *)record);
}

size_t mw_facts_stdio(int procfd, struct mw_record_exec *record, size_t bytes)
{
	char *strings = (char *)record + bytes;
	for (int fd = 0; fd < 3; fd++) {
		char path[MW_PROC_NAME_BYTES];
		mw_procfs_fd_name(record->head.pid, "fd", fd, path);
		ssize_t n = readlinkat(procfd, path, strings, MW_STDIO_BYTES);
		record->stdio_bytes[fd] = n > 0 ? (uint16_t)n : 0;
		strings += record->stdio_bytes[fd];
	}
	record->head.flags |= MW_EXEC_HAS_STDIO;
	return (size_t)(strings - (char *)record);
}

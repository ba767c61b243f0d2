/* Costs, one call each on a 2-core machine: stat 6 us, auxv 6, cmdline 5, readlink and stat of exe 2 each, cwd 2.  The ids
 * come from the auxiliary vector and not from PID/status, which takes 15: at the exec stop both say the same, saved
 * and file system ids being equal to the effective ones (execve(2)). */

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

enum {
	/* "PID/cmdline" and the like. */
	NAME_BYTES = 32,
	/* The kernel gives about 22 pairs of 16 bytes. */
	AUXV_BYTES = 1024,
	/* Fields of PID/stat, proc(5): where the arguments lie. */
	FIELD_ARG_START = 48,
	FIELD_ARG_END = 49,
};

/* Bytes read, or -1. */
static ssize_t read_file(int procfd, pid_t pid, const char *name, void *out, size_t room)
{
	char path[NAME_BYTES];
	(void)snprintf(path, sizeof(path), "%d/%s", (int)pid, name);
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
	char path[NAME_BYTES];
	(void)snprintf(path, sizeof(path), "%d/%s", (int)pid, name);
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

size_t mw_facts_exec(int procfd, pid_t pid, struct mw_record_exec *record)
{
	char line[MW_PROC_STAT_BYTES];
	*record = (struct mw_record_exec){.head = {.pid = pid}};

	ssize_t line_bytes = read_file(procfd, pid, "stat", line, sizeof(line) - 1);
	line[line_bytes > 0 ? line_bytes : 0] = '\0';
	bool complete = read_stat(record, line, line_bytes);
	complete &= read_ids(procfd, pid, record);

	char *strings = record->strings;
	record->exe_bytes = (uint16_t)read_link(procfd, pid, "exe", strings);
	strings += record->exe_bytes;
	complete &= record->exe_bytes > 0;

	char path[NAME_BYTES];
	struct stat exe;
	(void)snprintf(path, sizeof(path), "%d/exe", (int)pid);
	if (fstatat(procfd, path, &exe, 0) == 0) {
		record->inode = exe.st_ino;
		record->device = exe.st_dev;
		record->exe_ctime_ns = (int64_t)exe.st_ctim.tv_sec * MW_NS_PER_S + exe.st_ctim.tv_nsec;
		record->exe_mtime_ns = (int64_t)exe.st_mtim.tv_sec * MW_NS_PER_S + exe.st_mtim.tv_nsec;
		record->exe_size = (uint64_t)exe.st_size;
		record->exe_nlink = (uint32_t)exe.st_nlink;
		record->exe_mode = exe.st_mode;
		record->exe_uid = exe.st_uid;
	}

	/* Empty for a working directory outside of what we can see; that is no defect of the record. */
	record->cwd_bytes = (uint16_t)read_link(procfd, pid, "cwd", strings);
	strings += record->cwd_bytes;

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

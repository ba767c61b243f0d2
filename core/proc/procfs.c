/* Formats: proc(5), and fs/proc/{array,base}.c of Linux where it is silent. */
#include "proc/procfs.h"

#include <dirent.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"

enum {
	NAME_BYTES = 32, /* "4194304" (PID_MAX_LIMIT), "fd/2147483647" */
	IO_BYTES = 512,
	CGROUP_BYTES = 16384, /* a dozen hierarchies, each with a path */
	STAT_FIELDS = 28,     /* the last we want */
	NEEDED_STAT_FIELDS = 24,
};

/* Append a number that is not negative. */
static char *put_number(char *at, int number)
{
	char digits[12];
	size_t n = 0;
	do
		digits[n++] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	while (n > 0)
		*at++ = digits[--n];
	return at;
}

static char *put_text(char *at, const char *end, const char *text)
{
	while (*text && at < end)
		*at++ = *text++;
	*at = '\0';
	return at;
}

void mw_procfs_name(pid_t pid, const char *name, char out[MW_PROC_NAME_BYTES])
{
	char *at = put_number(out, pid > 0 ? pid : 0);
	*at++ = '/';
	(void)put_text(at, out + MW_PROC_NAME_BYTES - 1, name);
}

void mw_procfs_fd_name(pid_t pid, const char *folder, int fd, char out[MW_PROC_NAME_BYTES])
{
	char *at = put_number(out, pid > 0 ? pid : 0);
	*at++ = '/';
	at = put_text(at, at + 8, folder);
	*at++ = '/';
	*put_number(at, fd > 0 ? fd : 0) = '\0';
}

/* A file of a process that has ended can still be opened through its folder, but no longer be read. */
static int gone(int error)
{
	return error == ENOENT || error == ENOTDIR ? -ESRCH : -error;
}

/* Read a small file from its start, without allocating.  These files are made whole at the first read, so that one that
 * gives less than asked for needs no second one to be known as ended.  Returns the bytes read, at most n, or -errno. */
ssize_t mw_procfs_read_small(int dirfd, const char *name, char *out, size_t n)
{
	MW_AUTO_FD fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return gone(errno);
	ssize_t got;
	do
		got = read(fd, out, n);
	while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

/* One decimal number at *at, which is moved behind it and one blank.  Numbers of 64 bit wrap, as the kernel's own do:
 * fields that may be negative are read by the same code and cast. */
static bool take_number(const char **at, const char *end, uint64_t *ret)
{
	const char *s = *at;
	bool is_negative = s < end && *s == '-';
	uint64_t value = 0;
	s += is_negative;
	const char *digits = s;
	for (; s < end && *s >= '0' && *s <= '9'; s++)
		value = value * 10 + (uint64_t)(*s - '0');
	if (s == digits || (s < end && *s != ' ' && *s != '\n' && *s != '\t'))
		return false;
	*ret = is_negative ? 0 - value : value;
	*at = s < end ? s + 1 : s;
	return true;
}

int mw_procfs_parse_stat(const char *line, size_t n, struct mw_proc_stat *ret)
{
	const char *end = line + n;
	const char *open = memchr(line, '(', n);
	/* No field behind comm has a parenthesis, so the last one ends it whatever comm holds. */
	const char *close = open ? memrchr(open, ')', (size_t)(end - open)) : NULL;
	if (!close || end - close < 4 || close[1] != ' ' || close[3] != ' ')
		return -EPROTO;

	uint64_t field[STAT_FIELDS + 1] = {0};
	const char *at = line;
	if (!take_number(&at, open, &field[1]))
		return -EPROTO;
	at = close + 4;
	for (unsigned i = 4; i <= STAT_FIELDS; i++)
		if (!take_number(&at, end, &field[i]) && i <= NEEDED_STAT_FIELDS)
			return -EPROTO;

	size_t length = (size_t)(close - open - 1);
	if (length >= sizeof(ret->comm))
		length = sizeof(ret->comm) - 1;
	memcpy(ret->comm, open + 1, length);
	memset(ret->comm + length, 0, sizeof(ret->comm) - length);
	ret->pid = (pid_t)field[1];
	ret->state = close[2];
	ret->ppid = (pid_t)field[4];
	ret->pgrp = (pid_t)field[5];
	ret->session = (pid_t)field[6];
	ret->tty_nr = (int)field[7];
	ret->flags = (unsigned)field[9];
	ret->utime_ticks = field[14];
	ret->stime_ticks = field[15];
	ret->nice = (int)field[19];
	ret->num_threads = (int)field[20];
	ret->start_ticks = field[22];
	ret->vsize_bytes = field[23];
	ret->rss_pages = (int64_t)field[24];
	ret->start_code = field[26];
	ret->start_stack = field[28];
	return 0;
}

/* What stands behind `key` (with its colon) and a tab, or NULL. */
static const char *status_line(const char *text, const char *end, const char *key)
{
	size_t length = strlen(key);
	for (const char *line = text; line && (size_t)(end - line) > length;) {
		if (memcmp(line, key, length) == 0)
			return line + length + 1;
		line = memchr(line, '\n', (size_t)(end - line));
		line = line ? line + 1 : NULL;
	}
	return NULL;
}

/* "Uid:\t1\t2\t3\t4\n" */
static bool status_numbers(const char *text, const char *end, const char *key, uint32_t *out, unsigned count)
{
	const char *at = status_line(text, end, key);
	if (!at)
		return false;
	for (unsigned i = 0; i < count; i++) {
		uint64_t value;
		if (at >= end || !take_number(&at, end, &value))
			return false;
		out[i] = (uint32_t)value;
	}
	return true;
}

/* "SigPnd:\t0000000000000100\n"; 0 when there is no such line. */
static uint64_t status_signals(const char *text, const char *end, const char *key)
{
	uint64_t set = 0;
	for (const char *at = status_line(text, end, key); at && at < end && isxdigit((unsigned char)*at); at++)
		set = set << 4 | (uint64_t)(*at <= '9' ? *at - '0' : (*at | 0x20) - 'a' + 10);
	return set;
}

/* "VmHWM:\t    1234 kB\n"; 0 when there is no such line. */
static uint64_t status_bytes(const char *text, const char *end, const char *key)
{
	const char *at = status_line(text, end, key);
	uint64_t kib = 0;
	while (at && at < end && *at == ' ')
		at++;
	return at && at < end && take_number(&at, end, &kib) ? kib * 1024 : 0;
}

int mw_procfs_parse_status(const char *text, size_t n, struct mw_proc_status *ret)
{
	const char *end = text + n;
	uint32_t uid[4];
	uint32_t gid[4];
	uint32_t tgid;
	uint32_t tracer;
	if (!status_numbers(text, end, "Tgid:", &tgid, 1) || !status_numbers(text, end, "TracerPid:", &tracer, 1) ||
	    !status_numbers(text, end, "Uid:", uid, 4) || !status_numbers(text, end, "Gid:", gid, 4))
		return -EPROTO;
	*ret = (struct mw_proc_status){
		.uid = uid[0],
		.euid = uid[1],
		.suid = uid[2],
		.fsuid = uid[3],
		.gid = gid[0],
		.egid = gid[1],
		.sgid = gid[2],
		.fsgid = gid[3],
		.tgid = (pid_t)tgid,
		.tracer_pid = (pid_t)tracer,
		.pending_signals = status_signals(text, end, "SigPnd:"),
		.peak_rss_bytes = status_bytes(text, end, "VmHWM:"),
	};
	return 0;
}

int mw_procfs_open_pid(int procfd, pid_t pid, int *ret_pidfd)
{
	char name[NAME_BYTES];
	*put_number(name, pid > 0 ? pid : 0) = '\0';
	int fd = openat(procfd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return gone(errno);
	*ret_pidfd = fd;
	return 0;
}

int mw_procfs_stat_named(int dirfd, const char *name, struct mw_proc_stat *ret)
{
	char line[MW_PROC_STAT_BYTES];
	ssize_t n = mw_procfs_read_small(dirfd, name, line, sizeof(line));
	return n < 0 ? (int)n : mw_procfs_parse_stat(line, (size_t)n, ret);
}

int mw_procfs_stat(int pidfd, struct mw_proc_stat *ret)
{
	return mw_procfs_stat_named(pidfd, "stat", ret);
}

int mw_procfs_status(int pidfd, struct mw_proc_status *ret)
{
	char text[MW_PROC_STATUS_BYTES];
	ssize_t n = mw_procfs_read_small(pidfd, "status", text, sizeof(text));
	return n < 0 ? (int)n : mw_procfs_parse_status(text, (size_t)n, ret);
}

int mw_procfs_io(int dirfd, const char *name, struct mw_proc_io *ret)
{
	char text[IO_BYTES];
	ssize_t n = mw_procfs_read_small(dirfd, name, text, sizeof(text) - 1);
	if (n < 0)
		return (int)n;
	text[n] = '\0';
	const char *in = strstr(text, "\nread_bytes: ");
	const char *out = strstr(text, "\nwrite_bytes: ");
	if (!in || !out)
		return -EPROTO;
	ret->read_bytes = strtoull(in + strlen("\nread_bytes: "), NULL, 10);
	ret->write_bytes = strtoull(out + strlen("\nwrite_bytes: "), NULL, 10);
	return 0;
}

int mw_procfs_link(int pidfd, const char *name, char out[MW_PATH_BYTES])
{
	ssize_t n = readlinkat(pidfd, name, out, MW_PATH_BYTES - 1);
	if (n < 0)
		return -errno;
	out[n] = '\0';
	return 0;
}

int mw_procfs_read(int pidfd, const char *name, struct mw_buf *out)
{
	MW_AUTO_FD fd = openat(pidfd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return gone(errno);
	return mw_file_read_fd(fd, out);
}

/* Lines "HIERARCHY:CONTROLLERS:PATH", cgroups(7); the unified hierarchy is 0 and has no controllers. */
int mw_procfs_cgroup(int dirfd, const char *name, char out[MW_PATH_BYTES])
{
	char text[CGROUP_BYTES];
	ssize_t n = mw_procfs_read_small(dirfd, name, text, sizeof(text) - 1);
	if (n < 0)
		return (int)n;
	text[n] = '\0';

	const char *found = NULL;
	char *rest = text;
	for (char *line; (line = strsep(&rest, "\n")) && *line;) {
		const char *path = strchr(line, ':');
		path = path ? strchr(path + 1, ':') : NULL;
		if (!path)
			continue;
		path++;
		bool is_unified = strncmp(line, "0::", 3) == 0;
		bool is_root = strcmp(path, "/") == 0;
		if (!found || (!is_root && (is_unified || strcmp(found, "/") == 0)))
			found = path;
	}
	(void)snprintf(out, MW_PATH_BYTES, "%s", found ? found : "");
	return 0;
}

struct mw_procfs_walk {
	DIR *dir;
};

int mw_procfs_walk_open(int procfd, struct mw_procfs_walk **ret_walk)
{
	struct mw_procfs_walk *walk = malloc(sizeof(*walk));
	if (!walk)
		return -ENOMEM;
	/* A descriptor of its own: the position must not be shared with another walk. */
	int fd = openat(procfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	walk->dir = fd < 0 ? NULL : fdopendir(fd);
	if (!walk->dir) {
		int error = errno;
		if (fd >= 0)
			(void)close(fd);
		free(walk);
		return -error;
	}
	*ret_walk = walk;
	return 0;
}

int mw_procfs_next(struct mw_procfs_walk *walk, pid_t *ret_pid)
{
	for (;;) {
		errno = 0;
		const struct dirent *entry = readdir(walk->dir); /* NOLINT(concurrency-mt-unsafe): own stream */
		if (!entry)
			return -errno;
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		char *end;
		long pid = strtol(entry->d_name, &end, 10);
		if (*end || pid > INT_MAX)
			continue;
		*ret_pid = (pid_t)pid;
		return 1;
	}
}

void mw_procfs_walk_close(struct mw_procfs_walk *walk)
{
	if (!walk)
		return;
	(void)closedir(walk->dir);
	free(walk);
}

int64_t mw_procfs_ticks_ns(uint64_t ticks)
{
	static atomic_long known; /* the same whoever sets it */
	long per_second = atomic_load_explicit(&known, memory_order_relaxed);
	if (!per_second) {
		long value = sysconf(_SC_CLK_TCK);
		per_second = value > 0 ? value : 100;
		atomic_store_explicit(&known, per_second, memory_order_relaxed);
	}
	uint64_t hz = (uint64_t)per_second;
	uint64_t seconds = ticks / hz;
	uint64_t rest = ticks % hz;
	return (int64_t)(seconds * MW_NS_PER_S + rest * MW_NS_PER_S / hz);
}

int64_t mw_procfs_boot_real_ns(void)
{
	/* start_ticks count on CLOCK_BOOTTIME, moved by a time namespace as that clock is, time_namespaces(7). */
	struct timespec boot = {0};
	(void)clock_gettime(CLOCK_BOOTTIME, &boot);
	return mw_clock_real_ns() - ((int64_t)boot.tv_sec * MW_NS_PER_S + boot.tv_nsec);
}

void mw_procfs_tty_name(int tty_nr, char out[16])
{
	enum {
		TTY_MAJOR = 4, /* consoles, then serial ports from minor 64 on: Documentation/admin-guide/devices.txt */
		FIRST_SERIAL = 64,
		CONSOLE_MAJOR = 5,
		FIRST_PTS_MAJOR = 136,
		LAST_PTS_MAJOR = 143,
		PTS_PER_MAJOR = 256,
	};
	/* Bits 31-20 and 7-0 are the minor, 15-8 the major: proc(5), new_encode_dev() of linux/kdev_t.h. */
	unsigned device = (unsigned)tty_nr;
	unsigned major_number = (device >> 8) & 0xFFF;
	unsigned minor_number = (device & 0xFF) | ((device >> 12) & 0xFFF00);
	if (!device)
		out[0] = '\0';
	else if (major_number >= FIRST_PTS_MAJOR && major_number <= LAST_PTS_MAJOR)
		(void)snprintf(out, 16, "pts/%u",
			       ((major_number - FIRST_PTS_MAJOR) * PTS_PER_MAJOR + minor_number) % 100000000);
	else if (major_number == TTY_MAJOR && minor_number < FIRST_SERIAL)
		(void)snprintf(out, 16, "tty%u", minor_number % 100);
	else if (major_number == TTY_MAJOR)
		(void)snprintf(out, 16, "ttyS%u", (minor_number - FIRST_SERIAL) % 100000000);
	else if (major_number == CONSOLE_MAJOR && minor_number == 1)
		(void)snprintf(out, 16, "console");
	else
		(void)snprintf(out, 16, "%u:%u", major_number, minor_number);
}

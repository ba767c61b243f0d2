#include "pkg/pkg.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"

int mw_package_emit(const struct mw_package_sink *sink, const struct mw_package *package)
{
	return package->name && *package->name ? sink->emit(sink->data, package) : 0;
}

void mw_package_warn(const struct mw_package_sink *sink, const char *format, ...)
{
	char line[MW_ERR_BYTES];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	for (char *c = line; *c; c++)
		if ((unsigned char)*c < ' ' || *c == '\x7f')
			*c = '?';
	sink->warn(sink->data, line);
}

int mw_package_check_time(const struct mw_package_sink *sink)
{
	bool is_over = mw_clock_mono_ns() > sink->deadline_ns || (sink->is_unwanted && sink->is_unwanted());
	return is_over ? -ETIME : 0;
}

int mw_package_open(int rootfd, const char *path, int flags, int *ret_fd)
{
	struct open_how how = {
		.flags = (unsigned)(flags | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	if (!(flags & O_PATH))
		how.flags |= O_NONBLOCK | O_NOCTTY;
	int fd = (int)syscall(SYS_openat2, rootfd, path, &how, sizeof(how));
	/* Before Linux 5.6, or a seccomp profile older than that. */
	if (fd < 0 && (errno == ENOSYS || errno == EPERM)) {
		while (*path == '/')
			path++;
		fd = openat(rootfd, *path ? path : ".", (int)how.flags);
	}
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

int mw_package_open_file(int rootfd, const char *path, int *ret_fd, struct stat *ret_stat)
{
	MW_AUTO_FD fd = -1;
	struct stat st;
	int r = mw_package_open(rootfd, path, O_RDONLY, &fd);
	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EPROTO;
	if (ret_stat)
		*ret_stat = st;
	*ret_fd = fd;
	fd = -1;
	return 0;
}

int mw_package_read_file(int rootfd, const char *path, struct mw_buf *buf)
{
	MW_AUTO_FD fd = -1;
	int r = mw_package_open_file(rootfd, path, &fd, NULL);
	return r < 0 ? r : mw_file_read_fd(fd, buf);
}

void mw_package_names_release(struct mw_package_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->list[i]);
	free(names->list);
	names->list = NULL;
	names->count = 0;
}

static int add_name(struct mw_package_names *names, const char *name)
{
	if ((names->count & (names->count - 1)) == 0) { /* the capacity is the power of two that holds `count` */
		size_t capacity = names->count ? names->count * 2 : 1;
		char **list = reallocarray(names->list, capacity, sizeof(*list));
		if (!list)
			return -ENOMEM;
		names->list = list;
	}
	char *copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	names->list[names->count++] = copy;
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void close_dir(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

int mw_package_list(int rootfd, const char *folder, struct mw_package_names *names, const struct mw_package_sink *sink)
{
	int fd = -1;
	if (mw_package_open(rootfd, folder, O_RDONLY | O_DIRECTORY, &fd) < 0)
		return 0;
	__attribute__((cleanup(close_dir))) DIR *dir = fdopendir(fd);
	if (!dir) {
		(void)close(fd);
		return -ENOMEM;
	}
	int r = 0;
	const struct dirent *entry;
	while (r == 0 && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		if (names->count == names->max) {
			mw_package_warn(sink, "%s: too many files; only %zu are looked at", folder, names->max);
			break;
		}
		r = add_name(names, entry->d_name);
		if (r == 0)
			r = mw_package_check_time(sink);
	}
	if (names->count)
		qsort(names->list, names->count, sizeof(*names->list), compare_names);
	return r;
}

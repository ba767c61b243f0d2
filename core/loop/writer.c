/* How not to wait, by kind of descriptor:
 *
 *   regular file   write(2) waits for the disk alone; by a duplicate, so that the offset stays shared with others who
 *                  write to it (`>file` for both standard output and error)
 *   pipe, tty …    O_NONBLOCK belongs to the open file description, which the application has too: it is opened anew by
 *                  /proc/self/fd/N.  Where that is not allowed (a tty of another user), poll(2) comes before each write,
 *                  and the write is no larger than what a descriptor that polls writable takes
 *   socket         send(2) with MSG_DONTWAIT
 *
 * To a pipe, whole lines that fit in PIPE_BUF go in one write, so that they do not mix with the application's. */
#include "loop/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"

enum {
	/* A tty polls writable from this many free bytes on (WAKEUP_CHARS of the kernel's n_tty.c). */
	TTY_BYTES = 256,
	/* Descriptors 0 to 2 are never ours, even when the application closed them. */
	FIRST_FD = 3,
	/* Memory kept for the next burst. */
	KEPT_BYTES = 64 << 10,
};

enum how {
	BY_WRITE,    /* regular file */
	BY_NONBLOCK, /* description of our own with O_NONBLOCK */
	BY_POLL,     /* shared description that cannot be opened anew */
	BY_SEND,     /* socket */
};

struct mw_writer {
	int fd;
	enum how how;
	bool is_stdio;
	bool is_within_line; /* the last byte written was not a newline */
	bool is_torn;        /* and what should follow it is lost */
	size_t chunk_bytes;  /* at most this much in one write; 0: any */
	size_t start;        /* what of the buffer is written */
	struct mw_buf waiting;
	uint64_t dropped;
	/* Rotation; `rotate_bytes` 0: none. */
	uint64_t rotate_bytes, size;
	unsigned rotate_count;
	int dir_fd;
	char name[NAME_MAX + 1];
};

static struct mw_writer *writer_new(int fd, enum how how, size_t chunk_bytes)
{
	struct mw_writer *writer = calloc(1, sizeof(*writer));
	if (!writer)
		return NULL;
	writer->fd = fd;
	writer->how = how;
	writer->chunk_bytes = chunk_bytes;
	writer->dir_fd = -1;
	writer->waiting = (struct mw_buf)MW_BUF(MW_WRITER_BYTES);
	return writer;
}

int mw_writer_open_fd(int fd, struct mw_writer **ret_writer, struct mw_err *err)
{
	struct stat st;
	int flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fstat(fd, &st) < 0)
		return mw_err_set(err, -errno, "descriptor %d: %s", fd, strerror(errno));
	if ((flags & O_ACCMODE) == O_RDONLY || (flags & O_PATH))
		return mw_err_set(err, -EBADF, "descriptor %d is not open for writing", fd);

	enum how how = S_ISREG(st.st_mode) ? BY_WRITE : S_ISSOCK(st.st_mode) ? BY_SEND : BY_NONBLOCK;
	MW_AUTO_FD own = -1;
	if (how == BY_NONBLOCK) {
		char path[64];
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		MW_AUTO_FD opened = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
		if (opened >= 0)
			own = fcntl(opened, F_DUPFD_CLOEXEC, FIRST_FD);
		else
			how = BY_POLL;
	}
	if (own < 0)
		own = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FD);
	if (own < 0)
		return mw_err_set(err, -errno, "descriptor %d: cannot be duplicated: %s", fd, strerror(errno));

	size_t chunk_bytes = S_ISFIFO(st.st_mode) ? PIPE_BUF : how == BY_POLL ? TTY_BYTES : 0;
	struct mw_writer *writer = writer_new(own, how, chunk_bytes);
	if (!writer)
		return mw_err_set(err, -ENOMEM, "no memory for an output");
	own = -1; /* the writer's now; NOLINT(clang-analyzer-deadcode.DeadStores): read by the clean-up */
	writer->is_stdio = true;
	*ret_writer = writer;
	return 0;
}

/* A writer before us may have been killed in the middle of a line: what we append is to begin on its own. */
static void end_last_line(int fd, const char *path, const struct stat *st)
{
	char last = '\n';
	if (!S_ISREG(st->st_mode) || st->st_size == 0)
		return;
	MW_AUTO_FD reader = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
	if (reader >= 0 && pread(reader, &last, 1, st->st_size - 1) == 1 && last != '\n') {
		ssize_t n = write(fd, "\n", 1);
		(void)n; /* a disk that is full is told of with the next line */
	}
}

int mw_writer_open_file(const char *path, struct mw_writer **ret_writer, struct mw_err *err)
{
	/* O_NONBLOCK: a FIFO without a reader is an error, not a wait. */
	MW_AUTO_FD opened =
		open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600);
	if (opened < 0 && errno == ELOOP)
		return mw_err_set(err, -ELOOP, "%s: is a symbolic link; name the file itself", path);
	if (opened < 0 && errno == ENXIO)
		return mw_err_set(err, -ENXIO, "%s: is a FIFO that nobody reads", path);
	if (opened < 0)
		return mw_err_set(err, -errno, "%s: cannot be opened: %s", path, strerror(errno));
	struct stat st;
	if (fstat(opened, &st) < 0)
		return mw_err_set(err, -errno, "%s: cannot be examined: %s", path, strerror(errno));
	if (S_ISREG(st.st_mode) && st.st_uid != geteuid() && st.st_uid != 0)
		return mw_err_set(err, -EPERM, "%s: belongs to user %u, who could read and change it; remove it", path,
				  (unsigned)st.st_uid);

	MW_AUTO_FD own = fcntl(opened, F_DUPFD_CLOEXEC, FIRST_FD);
	if (own < 0)
		return mw_err_set(err, -errno, "%s: cannot be duplicated: %s", path, strerror(errno));
	end_last_line(own, path, &st);
	enum how how = S_ISREG(st.st_mode) ? BY_WRITE : BY_NONBLOCK;
	struct mw_writer *writer = writer_new(own, how, S_ISFIFO(st.st_mode) ? PIPE_BUF : 0);
	if (!writer)
		return mw_err_set(err, -ENOMEM, "no memory for an output");
	own = -1; /* the writer's now; NOLINT(clang-analyzer-deadcode.DeadStores): read by the clean-up */
	*ret_writer = writer;
	return 0;
}

int mw_writer_rotate(struct mw_writer *writer, const char *path, uint64_t bytes, unsigned count, struct mw_err *err)
{
	struct stat st;
	if (writer->how != BY_WRITE || fstat(writer->fd, &st) < 0)
		return mw_err_set(err, -EINVAL, "%s: is no regular file, and cannot be rotated", path);
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) : 0;
	const char *name = slash ? slash + 1 : path;
	char dir[PATH_MAX];
	/* The name of an old one has a dot and digits more. */
	if (length >= sizeof(dir) || strlen(name) + sizeof(".4294967295") > sizeof(writer->name))
		return mw_err_set(err, -ENAMETOOLONG, "%s: the name is too long to be rotated", path);
	(void)snprintf(dir, sizeof(dir), "%.*s", (int)length, path);
	int opened = open(slash ? length ? dir : "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (opened < 0)
		return mw_err_set(err, -errno, "%s: its folder cannot be opened: %s", path, strerror(errno));
	writer->dir_fd = fcntl(opened, F_DUPFD_CLOEXEC, FIRST_FD);
	(void)close(opened);
	if (writer->dir_fd < 0)
		return mw_err_set(err, -errno, "%s: %s", path, strerror(errno));
	(void)snprintf(writer->name, sizeof(writer->name), "%s", name);
	writer->rotate_bytes = bytes;
	writer->rotate_count = count;
	writer->size = (uint64_t)st.st_size;
	return 0;
}

/* NAME.n; NAME itself for 0. */
static void name_of(const struct mw_writer *writer, unsigned n, char out[NAME_MAX + 1])
{
	int length = n ? snprintf(out, NAME_MAX + 1, "%s.%u", writer->name, n)
		       : snprintf(out, NAME_MAX + 1, "%s", writer->name);
	if (length < 0 || length > NAME_MAX)
		out[0] = '\0'; /* its length was checked; renaming nothing fails */
}

/* When it fails, the old file grows on until the next one would be due. */
static void rotate(struct mw_writer *writer)
{
	char from[NAME_MAX + 1];
	char to[NAME_MAX + 1];
	writer->size = 0;
	for (unsigned n = writer->rotate_count; n > 0; n--) {
		name_of(writer, n - 1, from);
		name_of(writer, n, to);
		if (renameat(writer->dir_fd, from, writer->dir_fd, to) < 0 && errno != ENOENT)
			return;
	}
	int flags = O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
	int opened = openat(writer->dir_fd, writer->name, flags, 0600);
	int own = opened < 0 ? -1 : fcntl(opened, F_DUPFD_CLOEXEC, FIRST_FD);
	if (opened >= 0)
		(void)close(opened);
	if (own < 0)
		return;
	(void)close(writer->fd);
	writer->fd = own;
}

void mw_writer_free(struct mw_writer *writer)
{
	if (!writer)
		return;
	mw_writer_close(writer);
	mw_buf_release(&writer->waiting);
	free(writer);
}

/* Count and forget all that waits. */
static void drop_waiting(struct mw_writer *writer)
{
	struct mw_buf *waiting = &writer->waiting;
	writer->is_torn = writer->is_within_line;
	for (size_t i = writer->start; i < waiting->size; i++)
		writer->dropped += waiting->data[i] == '\n';
	mw_buf_clear(waiting);
	writer->start = 0;
}

/* Nothing waits: begin the buffer anew, and give back what a burst made it take. */
static void reset_waiting(struct mw_writer *writer)
{
	if (writer->waiting.capacity > KEPT_BYTES)
		mw_buf_release(&writer->waiting);
	else
		mw_buf_clear(&writer->waiting);
	writer->start = 0;
}

void mw_writer_line(struct mw_writer *writer, const char *line, size_t n)
{
	struct mw_buf *waiting = &writer->waiting;
	bool has_newline = n && line[n - 1] == '\n';
	size_t size = n + !has_newline;
	if (waiting->size - writer->start + size > waiting->max)
		(void)mw_writer_pump(writer); /* a burst that came between two pumps: the sink may well take it */
	size_t unwritten = waiting->size - writer->start;
	if (writer->fd < 0 || unwritten + size > waiting->max) {
		writer->dropped++;
		return;
	}
	if (writer->start && waiting->size + size > waiting->max) {
		memmove(waiting->data, waiting->data + writer->start, unwritten + 1);
		waiting->size = unwritten;
		writer->start = 0;
	}
	if (!mw_buf_reserve(waiting, size)) {
		waiting->failed = false; /* no memory for this line; the others are whole */
		writer->dropped++;
		return;
	}
	mw_buf_add(waiting, line, n);
	if (!has_newline)
		mw_buf_char(waiting, '\n');
}

/* How much of what waits goes in the next write. */
static size_t next_chunk(const struct mw_writer *writer)
{
	const char *start = writer->waiting.data + writer->start;
	size_t size = writer->waiting.size - writer->start;
	if (writer->rotate_bytes) {
		uint64_t room = writer->size < writer->rotate_bytes ? writer->rotate_bytes - writer->size : 0;
		const char *end = size <= room ? start + size - 1 : room ? memrchr(start, '\n', (size_t)room) : NULL;
		if (!end)
			end = memchr(start, '\n', size);
		return (size_t)(end + 1 - start);
	}
	if (!writer->chunk_bytes || size <= writer->chunk_bytes)
		return size;
	const char *newline = memrchr(start, '\n', writer->chunk_bytes);
	return newline ? (size_t)(newline + 1 - start) : writer->chunk_bytes;
}

static ssize_t write_some(const struct mw_writer *writer, const char *bytes, size_t n)
{
	struct pollfd ready = {.fd = writer->fd, .events = POLLOUT};
	switch (writer->how) {
	case BY_SEND:
		return send(writer->fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	case BY_POLL:
		if (poll(&ready, 1, 0) <= 0 || !(ready.revents & (POLLOUT | POLLERR | POLLHUP))) {
			errno = EAGAIN;
			return -1;
		}
		return write(writer->fd, bytes, n);
	default:
		return write(writer->fd, bytes, n);
	}
}

/* Does the next line belong into another file? */
static bool is_full(const struct mw_writer *writer)
{
	if (!writer->rotate_bytes || writer->is_within_line || !writer->size)
		return false;
	const char *start = writer->waiting.data + writer->start;
	const char *end = memchr(start, '\n', writer->waiting.size - writer->start);
	return writer->size + (size_t)(end ? end + 1 - start : 0) > writer->rotate_bytes;
}

/* Returns 0, or -errno as write(2). */
static int write_next(struct mw_writer *writer)
{
	ssize_t n;
	if (writer->is_torn) {
		n = write_some(writer, "\n", 1);
		writer->is_torn = n <= 0;
	} else {
		if (is_full(writer))
			rotate(writer);
		n = write_some(writer, writer->waiting.data + writer->start, next_chunk(writer));
		writer->start += n > 0 ? (size_t)n : 0;
		writer->size += n > 0 ? (uint64_t)n : 0;
		if (n > 0)
			writer->is_within_line = writer->waiting.data[writer->start - 1] != '\n';
	}
	return n < 0 && errno != EINTR ? -errno : 0;
}

bool mw_writer_pump(struct mw_writer *writer)
{
	while (writer->start < writer->waiting.size) {
		int r = write_next(writer);
		if (r == -EAGAIN)
			return false;
		if (r < 0) {
			/* The disk is full, the reader has gone.  A pipe or socket will not come back, a disk may. */
			drop_waiting(writer);
			if (writer->how != BY_WRITE)
				mw_writer_close(writer);
			return true;
		}
	}
	if (writer->waiting.size)
		reset_waiting(writer);
	return true;
}

void mw_writer_close(struct mw_writer *writer)
{
	drop_waiting(writer);
	if (writer->fd >= 0)
		(void)close(writer->fd);
	if (writer->dir_fd >= 0)
		(void)close(writer->dir_fd);
	writer->fd = writer->dir_fd = -1;
}

int mw_writer_fd(const struct mw_writer *writer)
{
	return writer->fd;
}

bool mw_writer_is_stdio(const struct mw_writer *writer)
{
	return writer->is_stdio;
}

uint64_t mw_writer_dropped(const struct mw_writer *writer)
{
	return writer->dropped;
}

/* Writers: never waiting, whole lines or none, and nothing changed for whoever shares the descriptor. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/limits.h"
#include "loop/writer.h"

enum {
	LINES = 40000,
	LINE_BYTES = 100,
};

static char path[MW_PATH_BYTES];

static int make_path(void **state)
{
	(void)state;
	const char *above = getenv("TMPDIR");
	(void)snprintf(path, sizeof(path), "%s/writer-XXXXXX", above ? above : "/tmp");
	int fd = mkstemp(path);
	if (fd < 0)
		return -1;
	(void)close(fd);
	return unlink(path);
}

static int remove_path(void **state)
{
	(void)state;
	(void)unlink(path);
	return 0;
}

static void make_line(char line[LINE_BYTES], unsigned n)
{
	memset(line, '.', LINE_BYTES);
	(void)snprintf(line, LINE_BYTES, "%08u", n);
	line[8] = ' ';
}

/* Every line of `text` is one that make_line() made, in order.  Returns how many. */
static unsigned check_lines(const char *text, size_t size)
{
	unsigned count = 0;
	long last = -1;
	assert_int_equal(size % (LINE_BYTES + 1), 0);
	for (size_t at = 0; at < size; at += LINE_BYTES + 1, count++) {
		assert_int_equal(text[at + LINE_BYTES], '\n');
		assert_int_equal(text[at + 8], ' ');
		long n = strtol(text + at, NULL, 10);
		assert_true(n > last);
		last = n;
	}
	return count;
}

/* What can be read of `fd` now. */
static size_t read_all(int fd, char *out, size_t max)
{
	size_t size = 0;
	for (;;) {
		ssize_t n = read(fd, out + size, max - size);
		if (n <= 0)
			return size;
		size += (size_t)n;
	}
}

static void a_full_pipe_drops_whole_lines_and_counts(void **state)
{
	(void)state;
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	struct mw_writer *writer;
	struct mw_err err;
	assert_int_equal(mw_writer_open_fd(ends[1], &writer, &err), 0);

	/* The application's description stays as it was: it may block, ours may not. */
	assert_int_equal(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
	assert_true(mw_writer_fd(writer) > 2);
	assert_true(fcntl(mw_writer_fd(writer), F_GETFD) & FD_CLOEXEC);
	assert_true(mw_writer_is_stdio(writer));

	char line[LINE_BYTES];
	for (unsigned i = 0; i < LINES; i++) {
		make_line(line, i);
		mw_writer_line(writer, line, sizeof(line));
		(void)mw_writer_pump(writer);
	}
	assert_false(mw_writer_pump(writer));
	assert_true(mw_writer_dropped(writer) > 0);

	/* Then somebody reads: all that was not dropped arrives. */
	size_t max = (size_t)LINES * (LINE_BYTES + 1);
	char *text = malloc(max);
	assert_non_null(text);
	size_t size = 0;
	assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	bool is_done;
	do {
		is_done = mw_writer_pump(writer);
		size += read_all(ends[0], text + size, max - size);
	} while (!is_done);
	assert_int_equal(check_lines(text, size) + mw_writer_dropped(writer), LINES);
	free(text);

	/* And what comes later is taken again. */
	make_line(line, LINES);
	mw_writer_line(writer, line, sizeof(line));
	assert_true(mw_writer_pump(writer));
	mw_writer_free(writer);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void a_pipe_without_a_reader_ends_the_writer_alone(void **state)
{
	(void)state;
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	struct mw_writer *writer;
	assert_int_equal(mw_writer_open_fd(ends[1], &writer, NULL), 0);
	(void)close(ends[0]);
	mw_writer_line(writer, "one", 3);
	mw_writer_line(writer, "two\n", 4);
	assert_true(mw_writer_pump(writer));
	assert_int_equal(mw_writer_dropped(writer), 2);
	assert_int_equal(mw_writer_fd(writer), -1);
	mw_writer_line(writer, "three", 5);
	assert_int_equal(mw_writer_dropped(writer), 3);
	mw_writer_free(writer);
	(void)close(ends[1]);
}

static void a_socket_is_written_without_waiting(void **state)
{
	(void)state;
	int ends[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	struct mw_writer *writer;
	assert_int_equal(mw_writer_open_fd(ends[1], &writer, NULL), 0);
	char line[LINE_BYTES];
	for (unsigned i = 0; i < LINES; i++) {
		make_line(line, i);
		mw_writer_line(writer, line, sizeof(line));
		(void)mw_writer_pump(writer);
	}
	assert_false(mw_writer_pump(writer));
	assert_int_equal(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
	mw_writer_free(writer);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void a_file_keeps_the_offset_shared(void **state)
{
	(void)state;
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	struct mw_writer *writer;
	assert_int_equal(mw_writer_open_fd(fd, &writer, NULL), 0);
	assert_int_equal(write(fd, "app 1\n", 6), 6);
	mw_writer_line(writer, "ours", 4);
	assert_true(mw_writer_pump(writer));
	assert_int_equal(write(fd, "app 2\n", 6), 6);
	char text[64] = "";
	assert_int_equal(pread(fd, text, sizeof(text) - 1, 0), 17);
	assert_string_equal(text, "app 1\nours\napp 2\n");
	mw_writer_free(writer);
	(void)close(fd);
}

static void what_cannot_be_written_to_is_refused(void **state)
{
	(void)state;
	struct mw_writer *writer;
	struct mw_err err;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(mw_writer_open_fd(fd, &writer, &err), -EBADF);
	assert_non_null(strstr(err.text, "not open for writing"));
	(void)close(fd);
	assert_int_equal(mw_writer_open_fd(fd, &writer, &err), -EBADF);
}

static void a_file_sink_is_private_and_never_a_link(void **state)
{
	(void)state;
	struct mw_writer *writer;
	struct mw_err err;
	struct stat st;
	assert_int_equal(mw_writer_open_file(path, &writer, &err), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	mw_writer_line(writer, "a", 1);
	assert_true(mw_writer_pump(writer));
	mw_writer_free(writer);
	/* Appended to, not begun anew. */
	assert_int_equal(mw_writer_open_file(path, &writer, &err), 0);
	mw_writer_line(writer, "b", 1);
	assert_true(mw_writer_pump(writer));
	mw_writer_free(writer);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 4);
	/* Behind half a line, which a writer that was killed has left, a new one begins. */
	FILE *half = fopen(path, "ae");
	assert_non_null(half);
	assert_int_equal(fputs("{\"half", half), 1);
	assert_int_equal(fclose(half), 0);
	assert_int_equal(mw_writer_open_file(path, &writer, &err), 0);
	mw_writer_line(writer, "c", 1);
	assert_true(mw_writer_pump(writer));
	mw_writer_free(writer);
	char text[32] = "";
	FILE *whole = fopen(path, "re");
	assert_non_null(whole);
	assert_int_equal(fread(text, 1, sizeof(text) - 1, whole), 13);
	(void)fclose(whole);
	assert_string_equal(text, "a\nb\n{\"half\nc\n");

	char link[MW_PATH_BYTES + 8];
	(void)snprintf(link, sizeof(link), "%s.link", path);
	assert_int_equal(symlink(path, link), 0);
	assert_int_equal(mw_writer_open_file(link, &writer, &err), -ELOOP);
	assert_non_null(strstr(err.text, "symbolic link"));
	assert_int_equal(unlink(link), 0);

	/* A FIFO nobody reads is an error, not a wait. */
	assert_int_equal(mkfifo(link, 0600), 0);
	assert_int_equal(mw_writer_open_file(link, &writer, &err), -ENXIO);
	assert_int_equal(unlink(link), 0);
}

/* A file that may not grow stands for a full disk: EFBIG, within a line. */
static void a_full_disk_tears_one_line_and_no_other(void **state)
{
	(void)state;
	struct mw_writer *writer;
	assert_int_equal(mw_writer_open_file(path, &writer, NULL), 0);
	struct rlimit before;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	struct rlimit small = {.rlim_cur = 10, .rlim_max = before.rlim_max};
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	mw_writer_line(writer, "abcdefg", 7);
	mw_writer_line(writer, "hijklmn", 7);
	mw_writer_line(writer, "opqrstu", 7);
	bool is_done = mw_writer_pump(writer);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_true(is_done);
	assert_int_equal(mw_writer_dropped(writer), 2);

	mw_writer_line(writer, "again", 5);
	assert_true(mw_writer_pump(writer));
	mw_writer_free(writer);
	char text[64] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	(void)read_all(fd, text, sizeof(text) - 1);
	(void)close(fd);
	assert_string_equal(text, "abcdefg\nhi\nagain\n");
}

static void a_line_longer_than_the_buffer_is_dropped(void **state)
{
	(void)state;
	struct mw_writer *writer;
	assert_int_equal(mw_writer_open_file(path, &writer, NULL), 0);
	char *line = calloc(1, MW_WRITER_BYTES);
	assert_non_null(line);
	memset(line, 'x', MW_WRITER_BYTES);
	mw_writer_line(writer, line, MW_WRITER_BYTES);
	assert_int_equal(mw_writer_dropped(writer), 1);
	mw_writer_line(writer, line, MW_WRITER_BYTES - 1);
	assert_int_equal(mw_writer_dropped(writer), 1);
	mw_writer_close(writer);
	assert_int_equal(mw_writer_dropped(writer), 2);
	mw_writer_close(writer);
	assert_int_equal(mw_writer_dropped(writer), 2);
	mw_writer_free(writer);
	free(line);
}

static size_t size_of(unsigned n)
{
	char name[MW_PATH_BYTES + 8];
	struct stat st;
	(void)snprintf(name, sizeof(name), n ? "%s.%u" : "%s", path, n);
	return stat(name, &st) == 0 ? (size_t)st.st_size : 0;
}

static void a_file_is_rotated_by_whole_lines(void **state)
{
	(void)state;
	enum {
		BYTES = 1050, /* ten lines */
		OLD = 3,
	};
	struct mw_writer *writer;
	struct mw_err err;
	char line[LINE_BYTES + 1] = {0};
	assert_int_equal(mw_writer_open_file(path, &writer, &err), 0);
	assert_int_equal(mw_writer_rotate(writer, path, BYTES, OLD, &err), 0);
	for (unsigned n = 0; n < 64; n++) {
		make_line(line, n);
		line[LINE_BYTES - 1] = '\n';
		mw_writer_line(writer, line, LINE_BYTES);
		if (n % 7 == 0)
			assert_true(mw_writer_pump(writer));
	}
	assert_true(mw_writer_pump(writer));
	assert_int_equal(size_of(0), 4 * LINE_BYTES);
	for (unsigned n = 1; n <= OLD; n++)
		assert_int_equal(size_of(n), 10 * LINE_BYTES);
	assert_int_equal(size_of(OLD + 1), 0);
	/* A line that is longer than a file comes alone. */
	char *longer = calloc(1, 3 * BYTES);
	memset(longer, 'x', 3 * BYTES);
	mw_writer_line(writer, longer, 3 * BYTES);
	mw_writer_line(writer, line, LINE_BYTES);
	assert_true(mw_writer_pump(writer));
	assert_int_equal(size_of(1), 3 * BYTES + 1);
	assert_int_equal(size_of(2), 4 * LINE_BYTES);
	assert_int_equal(size_of(0), LINE_BYTES);
	assert_int_equal(mw_writer_dropped(writer), 0);
	free(longer);
	mw_writer_free(writer);

	/* It goes on with what is there; where nothing can be renamed it grows. */
	assert_int_equal(mw_writer_open_file(path, &writer, &err), 0);
	assert_int_equal(mw_writer_rotate(writer, path, BYTES, 1, &err), 0);
	for (unsigned n = 0; n < 10; n++)
		mw_writer_line(writer, line, LINE_BYTES);
	assert_true(mw_writer_pump(writer));
	assert_int_equal(size_of(0), LINE_BYTES);
	assert_int_equal(size_of(1), 10 * LINE_BYTES);
	mw_writer_free(writer);
	for (unsigned n = 1; n <= OLD; n++) {
		char name[MW_PATH_BYTES + 8];
		(void)snprintf(name, sizeof(name), "%s.%u", path, n);
		(void)unlink(name);
	}
}

int main(void)
{
	/* As the header asks of every user. */
	(void)signal(SIGPIPE, SIG_IGN);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_pipe_drops_whole_lines_and_counts),
		cmocka_unit_test(a_pipe_without_a_reader_ends_the_writer_alone),
		cmocka_unit_test(a_socket_is_written_without_waiting),
		cmocka_unit_test_setup_teardown(a_file_keeps_the_offset_shared, make_path, remove_path),
		cmocka_unit_test(what_cannot_be_written_to_is_refused),
		cmocka_unit_test_setup_teardown(a_file_sink_is_private_and_never_a_link, make_path, remove_path),
		cmocka_unit_test_setup_teardown(a_full_disk_tears_one_line_and_no_other, make_path, remove_path),
		cmocka_unit_test_setup_teardown(a_line_longer_than_the_buffer_is_dropped, make_path, remove_path),
		cmocka_unit_test_setup_teardown(a_file_is_rotated_by_whole_lines, make_path, remove_path),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Buffers, JSON strings, clocks, error texts, log lines and files, at their edges. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"

/* --- buf --- */

static void a_buffer_holds_its_maximum_and_no_more(void **state)
{
	(void)state;
	MW_AUTO(mw_buf) buf = MW_BUF(5);
	mw_buf_str(&buf, "12345");
	assert_int_equal(mw_buf_status(&buf), 0);
	assert_string_equal(buf.data, "12345");
	mw_buf_add(&buf, "", 0);
	assert_int_equal(mw_buf_status(&buf), 0);
	mw_buf_char(&buf, '6');
	assert_int_equal(mw_buf_status(&buf), -ENOBUFS);
	assert_string_equal(buf.data, "12345");
	mw_buf_clear(&buf);
	assert_int_equal(mw_buf_status(&buf), 0);
	assert_string_equal(buf.data, "");
	mw_buf_str(&buf, "ok");
	assert_string_equal(buf.data, "ok");
}

static void a_failed_append_leaves_no_hole(void **state)
{
	(void)state;
	MW_AUTO(mw_buf) buf = MW_BUF(8);
	mw_buf_str(&buf, "abc");
	mw_buf_str(&buf, "too long for it");
	mw_buf_str(&buf, "d"); /* would fit, but what came before it is missing */
	assert_int_equal(mw_buf_status(&buf), -ENOBUFS);
	assert_int_equal(buf.size, 3);
	assert_string_equal(buf.data, "abc");
}

static void a_buffer_of_nothing_takes_nothing(void **state)
{
	(void)state;
	MW_AUTO(mw_buf) buf = MW_BUF(0);
	mw_buf_str(&buf, "");
	assert_int_equal(mw_buf_status(&buf), 0);
	assert_string_equal(buf.data, "");
	mw_buf_char(&buf, 'x');
	assert_int_equal(mw_buf_status(&buf), -ENOBUFS);
}

static void a_length_that_wraps_is_refused(void **state)
{
	(void)state;
	MW_AUTO(mw_buf) buf = MW_BUF(100);
	mw_buf_str(&buf, "abc");
	assert_null(mw_buf_reserve(&buf, SIZE_MAX));
	assert_int_equal(mw_buf_status(&buf), -ENOBUFS);
	assert_string_equal(buf.data, "abc");
}

static void reserved_room_is_ended_before_it_is_used(void **state)
{
	(void)state;
	MW_AUTO(mw_buf) buf = MW_BUF(4096);
	assert_non_null(mw_buf_reserve(&buf, 1000));
	assert_string_equal(buf.data, "");
	mw_buf_str(&buf, "abc");
	assert_non_null(mw_buf_reserve(&buf, 3000));
	assert_string_equal(buf.data, "abc");
}

static void a_buffer_grows_over_many_appends(void **state)
{
	(void)state;
	MW_AUTO(mw_buf) buf = MW_BUF(100000);
	for (int i = 0; i < 100000; i++)
		mw_buf_char(&buf, (char)('a' + i % 26));
	assert_int_equal(mw_buf_status(&buf), 0);
	assert_int_equal(buf.size, 100000);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(buf.data[i], 'a' + i % 26);
	assert_int_equal(buf.data[100000], 0);
}

static void integers_are_written_whole(void **state)
{
	(void)state;
	static const int64_t values[] = {0, 1, -1, 9, 10, -10, INT64_MAX, INT64_MIN};
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		char expected[32];
		(void)snprintf(expected, sizeof(expected), "%lld", (long long)values[i]);
		MW_AUTO(mw_buf) buf = MW_BUF(32);
		mw_buf_int(&buf, values[i]);
		assert_string_equal(buf.data, expected);
	}
}

static void printf_fits_to_the_byte(void **state)
{
	(void)state;
	MW_AUTO(mw_buf) buf = MW_BUF(6);
	mw_buf_printf(&buf, "%s-%d", "abc", 42);
	assert_int_equal(mw_buf_status(&buf), 0);
	assert_string_equal(buf.data, "abc-42");
	mw_buf_printf(&buf, "%c", 'x');
	assert_int_equal(mw_buf_status(&buf), -ENOBUFS);
	assert_string_equal(buf.data, "abc-42");
}

static void release_may_come_twice(void **state)
{
	(void)state;
	struct mw_buf buf = MW_BUF(10);
	mw_buf_str(&buf, "x");
	mw_buf_release(&buf);
	mw_buf_release(&buf);
	assert_null(buf.data);
	mw_buf_str(&buf, "again"); /* and the buffer is as new */
	assert_string_equal(buf.data, "again");
	mw_buf_release(&buf);
}

/* --- json --- */

#define BAD "\xEF\xBF\xBD" /* U+FFFD */

static void json_is(const char *bytes, size_t n, const char *expected)
{
	MW_AUTO(mw_buf) buf = MW_BUF(4096);
	/* A copy of exactly n bytes, so that a sanitizer sees any look past the end. */
	char *copy = n ? malloc(n) : NULL;
	if (n)
		memcpy(copy, bytes, n);
	mw_json_string(&buf, copy, n);
	free(copy);
	assert_int_equal(mw_buf_status(&buf), 0);
	assert_string_equal(buf.data, expected);
}
#define JSON_IS(literal, expected) json_is(literal, sizeof(literal) - 1, expected)

static void json_escapes_what_it_must(void **state)
{
	(void)state;
	JSON_IS("", "\"\"");
	JSON_IS("plain", "\"plain\"");
	JSON_IS("a\"b\\c/d", "\"a\\\"b\\\\c/d\"");
	JSON_IS("\b\t\n\f\r", "\"\\b\\t\\n\\f\\r\"");
	JSON_IS("\0\x01\x0B\x1F\x7F", "\"\\u0000\\u0001\\u000b\\u001f\\u007f\"");
	JSON_IS("before\nafter", "\"before\\nafter\"");
}

static void json_keeps_good_utf8(void **state)
{
	(void)state;
	JSON_IS("\xC3\xA9", "\"\xC3\xA9\"");                                 /* U+00E9 */
	JSON_IS("\xE2\x82\xAC", "\"\xE2\x82\xAC\"");                         /* U+20AC */
	JSON_IS("\xF0\x9F\x90\x9A", "\"\xF0\x9F\x90\x9A\"");                 /* U+1F41A */
	JSON_IS("\xF4\x8F\xBF\xBF", "\"\xF4\x8F\xBF\xBF\"");                 /* U+10FFFF, the last */
	JSON_IS("\xED\x9F\xBF\xEE\x80\x80", "\"\xED\x9F\xBF\xEE\x80\x80\""); /* around the surrogates */
	JSON_IS("a\xC3\xA9\nb", "\"a\xC3\xA9\\nb\"");
}

static void json_mends_bad_utf8(void **state)
{
	(void)state;
	JSON_IS("\xFF", "\"" BAD "\"");
	JSON_IS("\x80", "\"" BAD "\"");                                 /* a continuation alone */
	JSON_IS("a\xC3", "\"a" BAD "\"");                               /* cut */
	JSON_IS("\xE2\x82", "\"" BAD BAD "\"");                         /* cut */
	JSON_IS("\xF0\x9F\x90", "\"" BAD BAD BAD "\"");                 /* cut */
	JSON_IS("\xC3(", "\"" BAD "(\"");                               /* wrong second byte */
	JSON_IS("\xE2\x82\"", "\"" BAD BAD "\\\"\"");                   /* a quote inside a sequence still is escaped */
	JSON_IS("\xC0\xAF", "\"" BAD BAD "\"");                         /* overlong / */
	JSON_IS("\xC1\xBF", "\"" BAD BAD "\"");                         /* overlong */
	JSON_IS("\xE0\x80\xAF", "\"" BAD BAD BAD "\"");                 /* overlong */
	JSON_IS("\xF0\x80\x80\xAF", "\"" BAD BAD BAD BAD "\"");         /* overlong */
	JSON_IS("\xED\xA0\x80", "\"" BAD BAD BAD "\"");                 /* surrogate */
	JSON_IS("\xF4\x90\x80\x80", "\"" BAD BAD BAD BAD "\"");         /* past U+10FFFF */
	JSON_IS("\xF8\x88\x80\x80\x80", "\"" BAD BAD BAD BAD BAD "\""); /* five bytes: never */
	JSON_IS("ok\xFFok", "\"ok" BAD "ok\"");
}

/* A second, slower reader of UTF-8: by decoding and encoding again. */
static bool is_utf8(const unsigned char *s, size_t n)
{
	for (size_t i = 0; i < n;) {
		unsigned length = s[i] < 0x80   ? 1
				  : s[i] < 0xC0 ? 0
				  : s[i] < 0xE0 ? 2
				  : s[i] < 0xF0 ? 3
				  : s[i] < 0xF8 ? 4
						: 0;
		if (length == 0 || i + length > n)
			return false;
		static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
		unsigned code = length == 1 ? s[i] : s[i] & (0x7Fu >> length);
		for (unsigned k = 1; k < length; k++) {
			if ((s[i + k] & 0xC0) != 0x80)
				return false;
			code = code << 6 | (s[i + k] & 0x3F);
		}
		if (code < least[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
			return false;
		i += length;
	}
	return true;
}

static void json_is_utf8_whatever_comes_in(void **state)
{
	(void)state;
	/* All pairs of bytes, and many random strings made of bytes near the borders of UTF-8. */
	for (unsigned pair = 0; pair < 65536; pair++) {
		char bytes[2] = {(char)(pair >> 8), (char)pair};
		MW_AUTO(mw_buf) buf = MW_BUF(64);
		mw_json_string(&buf, bytes, sizeof(bytes));
		assert_true(is_utf8((unsigned char *)buf.data, buf.size));
	}
	static const unsigned char border[] = {0x00, 0x1F, 0x22, 0x5C, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF,
					       0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xED, 0xEF, 0xF0, 0xF4, 0xF5, 0xFF};
	uint32_t seed = 1;
	for (int round = 0; round < 200000; round++) {
		char bytes[8];
		size_t n = 0;
		for (; n < sizeof(bytes); n++) {
			seed = seed * 1664525 + 1013904223; /* Numerical Recipes' generator */
			bytes[n] = (char)border[(seed >> 16) % sizeof(border)];
		}
		MW_AUTO(mw_buf) buf = MW_BUF(256);
		mw_json_string(&buf, bytes, n);
		assert_int_equal(mw_buf_status(&buf), 0);
		assert_true(is_utf8((unsigned char *)buf.data, buf.size));
		for (size_t i = 0; i < buf.size; i++)
			assert_true((unsigned char)buf.data[i] >= 0x20);
	}
}

static void json_past_the_maximum_is_marked(void **state)
{
	(void)state;
	MW_AUTO(mw_buf) buf = MW_BUF(4);
	mw_json_string(&buf, "abc", 3);
	assert_int_equal(mw_buf_status(&buf), -ENOBUFS);
}

/* --- clock --- */

static void time_is(int64_t ns, const char *expected)
{
	char text[MW_RFC3339_BYTES];
	mw_clock_rfc3339(ns, text);
	assert_string_equal(text, expected);
}

static void times_are_written_in_utc(void **state)
{
	(void)state;
	time_is(0, "1970-01-01T00:00:00.000000000Z");
	time_is(1, "1970-01-01T00:00:00.000000001Z");
	time_is(-1, "1969-12-31T23:59:59.999999999Z");
	time_is(951782400LL * MW_NS_PER_S, "2000-02-29T00:00:00.000000000Z");
	time_is(4102444799LL * MW_NS_PER_S + 999999999, "2099-12-31T23:59:59.999999999Z");
	time_is(INT64_MAX, "2262-04-11T23:47:16.854775807Z");
	time_is(INT64_MIN, "1677-09-21T00:12:43.145224192Z");
}

static void clocks_go_forward(void **state)
{
	(void)state;
	int64_t before = mw_clock_mono_ns();
	int64_t after = mw_clock_mono_ns();
	assert_true(after >= before);
	assert_true(mw_clock_real_ns() > 1600000000LL * MW_NS_PER_S);
}

/* --- err --- */

static void errors_carry_code_and_text(void **state)
{
	(void)state;
	struct mw_err err = {""};
	assert_int_equal(mw_err_set(&err, -ENOENT, "%s: %d", "file", 7), -ENOENT);
	assert_string_equal(err.text, "file: 7");
	assert_int_equal(mw_err_set(NULL, -EIO, "nobody listens"), -EIO);
	mw_err_prefix(NULL, "nobody");
	mw_err_prefix(&err, "line %d", 3);
	assert_string_equal(err.text, "line 3: file: 7");
}

static void long_errors_are_cut(void **state)
{
	(void)state;
	char big[2 * MW_ERR_BYTES];
	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	struct mw_err err;
	(void)mw_err_set(&err, -EINVAL, "%s", big);
	assert_int_equal(strlen(err.text), MW_ERR_BYTES - 1);

	mw_err_prefix(&err, "short");
	assert_int_equal(strlen(err.text), MW_ERR_BYTES - 1);
	assert_memory_equal(err.text, "short: xxx", 10);

	/* A prefix that leaves no room for the cause is not worth it. */
	mw_err_prefix(&err, "%s", big);
	assert_memory_equal(err.text, "short: xxx", 10);
}

static void errno_has_names(void **state)
{
	(void)state;
	assert_string_equal(mw_err_name(ENOENT), "ENOENT");
	assert_string_equal(mw_err_name(-EPERM), "EPERM");
	assert_string_equal(mw_err_name(99999), "EUNKNOWN");
}

/* --- log --- */

static void log_lines(const char *text, char *out, size_t out_bytes)
{
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	int saved = dup(STDERR_FILENO);
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	mw_log("%s", text);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	close(saved);
	close(ends[1]);
	ssize_t n = read(ends[0], out, out_bytes - 1);
	close(ends[0]);
	assert_true(n > 0);
	out[n] = '\0';
}

static void a_message_is_one_line(void **state)
{
	(void)state;
	char out[2 * MW_LOG_BYTES];
	log_lines("all is well", out, sizeof(out));
	assert_string_equal(out, "moonwatch: all is well\n");
	log_lines("a\nmoonwatch: forged\x1b[2J\r", out, sizeof(out));
	assert_string_equal(out, "moonwatch: a?moonwatch: forged?[2J?\n");

	char big[2 * MW_LOG_BYTES];
	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	log_lines(big, out, sizeof(out));
	assert_true(strlen(out) <= MW_LOG_BYTES);
	assert_int_equal(out[strlen(out) - 1], '\n');
}

/* --- file --- */

struct folder {
	char path[64];
};

static int make_folder(void **state)
{
	static struct folder folder;
	(void)snprintf(folder.path, sizeof(folder.path), "/tmp/moonwatch-base-XXXXXX");
	*state = &folder;
	return mkdtemp(folder.path) ? 0 : -1;
}

static int remove_folder(void **state)
{
	static const char *const names[] = {"f", "big", "empty", "fifo", "a/b/c", "a/b", "a"};
	const struct folder *folder = *state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char path[128];
		(void)snprintf(path, sizeof(path), "%s/%s", folder->path, names[i]);
		(void)remove(path);
	}
	return rmdir(folder->path);
}

static const char *in(const struct folder *folder, const char *name)
{
	static char path[128];
	(void)snprintf(path, sizeof(path), "%s/%s", folder->path, name);
	return path;
}

static void write_file(const char *path, size_t bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	for (size_t i = 0; i < bytes; i++)
		assert_int_equal(write(fd, &(char){(char)('a' + i % 26)}, 1), 1);
	close(fd);
}

static void files_are_read_whole_or_to_the_limit(void **state)
{
	const struct folder *folder = *state;
	const char *path = in(folder, "big");
	write_file(path, 10000);

	MW_AUTO(mw_buf) roomy = MW_BUF(20000);
	assert_int_equal(mw_file_read_at(AT_FDCWD, path, &roomy), 0);
	assert_int_equal(roomy.size, 10000);
	assert_int_equal(roomy.data[9999], 'a' + 9999 % 26);

	MW_AUTO(mw_buf) exact = MW_BUF(10000);
	assert_int_equal(mw_file_read_at(AT_FDCWD, path, &exact), 0);
	assert_int_equal(exact.size, 10000);

	MW_AUTO(mw_buf) tight = MW_BUF(9999);
	assert_int_equal(mw_file_read_at(AT_FDCWD, path, &tight), -EFBIG);
	assert_int_equal(tight.size, 9999);
	assert_int_equal(mw_buf_status(&tight), 0);
	assert_int_equal(tight.data[9999], 0);

	path = in(folder, "empty");
	write_file(path, 0);
	MW_AUTO(mw_buf) empty = MW_BUF(10);
	assert_int_equal(mw_file_read_at(AT_FDCWD, path, &empty), 0);
	assert_string_equal(empty.data, "");
	MW_AUTO(mw_buf) none = MW_BUF(0);
	assert_int_equal(mw_file_read_at(AT_FDCWD, path, &none), 0);

	MW_AUTO(mw_buf) endless = MW_BUF(5000);
	assert_int_equal(mw_file_read_at(AT_FDCWD, "/dev/zero", &endless), -EFBIG);
	assert_int_equal(endless.size, 5000);
}

static void unreadable_files_are_errors(void **state)
{
	const struct folder *folder = *state;
	MW_AUTO(mw_buf) buf = MW_BUF(100);
	assert_int_equal(mw_file_read_at(AT_FDCWD, in(folder, "nothing"), &buf), -ENOENT);
	assert_int_equal(mw_file_read_at(AT_FDCWD, folder->path, &buf), -EISDIR);
	assert_int_equal(buf.size, 0);
	assert_int_equal(mw_file_read_fd(-1, &buf), -EBADF);
}

static void a_fifo_without_a_writer_holds_nobody(void **state)
{
	const struct folder *folder = *state;
	const char *path = in(folder, "fifo");
	assert_int_equal(mkfifo(path, 0600), 0);
	(void)alarm(10); /* kills this program when the open waits for a writer */
	MW_AUTO(mw_buf) buf = MW_BUF(100);
	assert_int_equal(mw_file_read_at(AT_FDCWD, path, &buf), 0);
	assert_int_equal(buf.size, 0);
	(void)alarm(0);
}

static int trusted(const char *path, uid_t owner, mode_t mode, struct mw_err *err)
{
	assert_int_equal(chmod(path, mode), 0);
	if (geteuid() == 0)
		assert_int_equal(chown(path, owner, (gid_t)-1), 0);
	MW_AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return mw_file_trusted(fd, path, err);
}

static void what_others_can_write_is_not_trusted(void **state)
{
	const struct folder *folder = *state;
	const char *path = in(folder, "f");
	struct mw_err err = {""};
	write_file(path, 1);
	uid_t me = geteuid();
	assert_int_equal(trusted(path, me, 0644, &err), 0);
	assert_int_equal(trusted(path, me, 0600, &err), 0);
	assert_int_equal(trusted(path, me, 0646, &err), -EPERM);
	assert_non_null(strstr(err.text, path));
	assert_non_null(strstr(err.text, "chmod"));
	assert_int_equal(trusted(path, me, 0664, &err), me == 0 ? -EPERM : 0);

	/* A folder others may write to is no better: they put their own file there. */
	assert_int_equal(trusted(folder->path, me, 0777, &err), -EPERM);
	assert_int_equal(trusted(folder->path, me, 01777, &err), -EPERM);
	assert_int_equal(trusted(folder->path, me, 0700, &err), 0);

	MW_AUTO_FD null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(mw_file_trusted(null, "/dev/null", &err), 0);
	assert_int_equal(mw_file_trusted(-1, "nowhere", &err), -EBADF);
}

static void what_others_own_is_not_trusted(void **state)
{
	const struct folder *folder = *state;
	const char *path = in(folder, "f");
	struct mw_err err = {""};
	write_file(path, 1);
	if (geteuid() != 0) {
		/* Only root can give files away; what root owns is trusted by everybody. */
		MW_AUTO_FD fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
		assert_int_equal(mw_file_trusted(fd, "/etc/passwd", &err), 0);
		return;
	}
	assert_int_equal(trusted(path, 12345, 0600, &err), -EPERM);
	assert_non_null(strstr(err.text, "12345"));

	/* The owner trusts it, and what root owns; another user does not. */
	MW_AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(seteuid(12345), 0);
	int own = mw_file_trusted(fd, path, &err);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(seteuid(54321), 0);
	int other = mw_file_trusted(fd, path, &err);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(own, 0);
	assert_int_equal(other, -EPERM);
}

static void folders_are_made_with_their_parents(void **state)
{
	const struct folder *folder = *state;
	const char *path = in(folder, "a/b/c");
	assert_int_equal(mw_file_make_dirs(path, 0700), 0);
	assert_int_equal(mw_file_make_dirs(path, 0700), 0);
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(mw_file_make_dirs(in(folder, "a//b/c/"), 0700), 0);
	assert_int_equal(mw_file_make_dirs("/", 0700), 0);
}

static void folders_are_not_made_of_files(void **state)
{
	const struct folder *folder = *state;
	write_file(in(folder, "f"), 1);
	assert_int_equal(mw_file_make_dirs(in(folder, "f"), 0700), -ENOTDIR);
	assert_int_equal(mw_file_make_dirs(in(folder, "f/sub"), 0700), -ENOTDIR);
	assert_int_equal(mw_file_make_dirs("", 0700), -ENOENT);

	char big[2 * PATH_MAX];
	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	assert_int_equal(mw_file_make_dirs(big, 0700), -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_buffer_holds_its_maximum_and_no_more),
		cmocka_unit_test(a_failed_append_leaves_no_hole),
		cmocka_unit_test(a_buffer_of_nothing_takes_nothing),
		cmocka_unit_test(a_length_that_wraps_is_refused),
		cmocka_unit_test(reserved_room_is_ended_before_it_is_used),
		cmocka_unit_test(a_buffer_grows_over_many_appends),
		cmocka_unit_test(integers_are_written_whole),
		cmocka_unit_test(printf_fits_to_the_byte),
		cmocka_unit_test(release_may_come_twice),
		cmocka_unit_test(json_escapes_what_it_must),
		cmocka_unit_test(json_keeps_good_utf8),
		cmocka_unit_test(json_mends_bad_utf8),
		cmocka_unit_test(json_is_utf8_whatever_comes_in),
		cmocka_unit_test(json_past_the_maximum_is_marked),
		cmocka_unit_test(times_are_written_in_utc),
		cmocka_unit_test(clocks_go_forward),
		cmocka_unit_test(errors_carry_code_and_text),
		cmocka_unit_test(long_errors_are_cut),
		cmocka_unit_test(errno_has_names),
		cmocka_unit_test(a_message_is_one_line),
		cmocka_unit_test_setup_teardown(files_are_read_whole_or_to_the_limit, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(unreadable_files_are_errors, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(a_fifo_without_a_writer_holds_nobody, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(what_others_can_write_is_not_trusted, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(what_others_own_is_not_trusted, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(folders_are_made_with_their_parents, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(folders_are_not_made_of_files, make_folder, remove_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

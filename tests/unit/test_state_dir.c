/* The state folder: nobody else's is taken, and there is always a way on. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "spool/state_dir.h"

static char top[256];
static char fallback[512];
static char *old_tmpdir;

static const char *below(const char *name)
{
	static char path[4][512];
	static unsigned next;
	char *to = path[next++ % 4];
	(void)snprintf(to, sizeof(path[0]), "%s/%s", top, name);
	return to;
}

/* $TMPDIR is a folder of ours, so that the fallback is there. */
static int make_top(void **state)
{
	(void)state;
	const char *above = getenv("TMPDIR");
	old_tmpdir = above ? strdup(above) : NULL;
	(void)snprintf(top, sizeof(top), "%.200s/state-XXXXXX", above ? above : "/tmp");
	if (!mkdtemp(top))
		return -1;
	(void)snprintf(fallback, sizeof(fallback), "%s/moonwatch-%u", top, (unsigned)geteuid());
	return setenv("TMPDIR", top, 1);
}

static int remove_top(void **state)
{
	(void)state;
	if (old_tmpdir)
		setenv("TMPDIR", old_tmpdir, 1);
	else
		unsetenv("TMPDIR");
	free(old_tmpdir);
	static const char *const files[] = {"a/b/spool.db", "wanted/spool.db", "wanted", "link"};
	static const char *const folders[] = {"a/b", "a", "wanted", "elsewhere"};
	char path[sizeof(fallback) + 16];
	(void)snprintf(path, sizeof(path), "%s/spool.db", fallback);
	(void)unlink(path);
	(void)rmdir(fallback);
	for (size_t i = 0; i < 4; i++)
		(void)unlink(below(files[i]));
	for (size_t i = 0; i < 4; i++)
		(void)rmdir(below(folders[i]));
	return rmdir(top);
}

#define ASSERT_SAYS(err, part) \
	do { \
		if (!strstr((err).text, (part))) \
			fail_msg("\"%s\" does not say \"%s\"", (err).text, (part)); \
	} while (0)

static void touch(const char *folder)
{
	char path[1024];
	(void)snprintf(path, sizeof(path), "%s/spool.db", folder);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
}

static void the_wanted_folder_is_made(void **state)
{
	(void)state;
	char out[MW_PATH_BYTES];
	struct mw_err note;
	struct stat st;
	mw_state_dir_choose(below("a/b"), out, &note);
	assert_string_equal(out, below("a/b"));
	assert_string_equal(note.text, "");
	assert_int_equal(stat(out, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	mw_state_dir_choose(below("a/b"), out, NULL); /* again */
	assert_string_equal(out, below("a/b"));
}

static void expect_fallback(const char *wanted, const char *reason)
{
	char out[MW_PATH_BYTES];
	struct mw_err note;
	struct stat st;
	mw_state_dir_choose(wanted, out, &note);
	assert_string_equal(out, fallback);
	ASSERT_SAYS(note, wanted);
	ASSERT_SAYS(note, reason);
	ASSERT_SAYS(note, fallback);
	assert_int_equal(stat(out, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

static void a_link_is_not_taken(void **state)
{
	(void)state;
	assert_int_equal(mkdir(below("elsewhere"), 0700), 0);
	assert_int_equal(symlink(below("elsewhere"), below("link")), 0);
	expect_fallback(below("link"), "is a symbolic link");
}

static void a_folder_open_to_others_is_not_taken(void **state)
{
	(void)state;
	assert_int_equal(mkdir(below("wanted"), 0700), 0);
	assert_int_equal(chmod(below("wanted"), 0770), 0);
	expect_fallback(below("wanted"), "mode 0770");
	assert_int_equal(chmod(below("wanted"), 0702), 0);
	expect_fallback(below("wanted"), "mode 0702");
}

static void another_users_folder_is_not_taken(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip(); /* cannot make one */
	assert_int_equal(mkdir(below("wanted"), 0700), 0);
	assert_int_equal(chown(below("wanted"), 12345, 12345), 0);
	expect_fallback(below("wanted"), "owned by user 12345");
}

static void what_is_no_folder_is_not_taken(void **state)
{
	(void)state;
	int fd = open(below("wanted"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	expect_fallback(below("wanted"), "Not a directory");
	expect_fallback("/proc/nothing/here", "No such file");
}

static void a_prepared_fallback_is_not_taken(void **state)
{
	(void)state;
	char out[MW_PATH_BYTES];
	struct mw_err note;
	assert_int_equal(mkdir(fallback, 0700), 0);
	assert_int_equal(chmod(fallback, 0777), 0);
	mw_state_dir_choose("/proc/nothing", out, &note);
	assert_string_not_equal(out, fallback);
	if (*out) { /* made in /tmp or /dev/shm; another sensor may use it, so it stays unless empty */
		ASSERT_SAYS(note, out);
		(void)rmdir(out);
	}
	assert_int_equal(chmod(fallback, 0700), 0);
}

static void a_reader_finds_what_a_writer_chose(void **state)
{
	(void)state;
	char out[MW_PATH_BYTES];
	struct mw_err err;
	assert_int_equal(mw_state_dir_find(below("a/b"), out, &err), -ENOENT);
	ASSERT_SAYS(err, below("a/b"));
	ASSERT_SAYS(err, fallback);

	mw_state_dir_choose("/proc/nothing", out, NULL);
	assert_string_equal(out, fallback);
	touch(fallback);
	assert_int_equal(mw_state_dir_find(below("a/b"), out, &err), 0);
	assert_string_equal(out, fallback);

	mw_state_dir_choose(below("a/b"), out, NULL);
	assert_int_equal(mw_state_dir_find(below("a/b"), out, &err), 0);
	assert_string_equal(out, fallback); /* still nothing in the first */
	touch(below("a/b"));
	assert_int_equal(mw_state_dir_find(below("a/b"), out, &err), 0);
	assert_string_equal(out, below("a/b"));
}

static void a_reader_is_not_led_astray(void **state)
{
	(void)state;
	char out[MW_PATH_BYTES];
	struct mw_err err;
	assert_int_equal(mkdir(fallback, 0700), 0);
	touch(fallback);
	assert_int_equal(chmod(fallback, 0777), 0);
	assert_int_equal(mw_state_dir_find(below("a/b"), out, &err), -ENOENT);
	ASSERT_SAYS(err, "mode 0777 lets others write");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_top, remove_top)

int main(void)
{
	(void)umask(022);
	const struct CMUnitTest tests[] = {
		TEST(the_wanted_folder_is_made),
		TEST(a_link_is_not_taken),
		TEST(a_folder_open_to_others_is_not_taken),
		TEST(another_users_folder_is_not_taken),
		TEST(what_is_no_folder_is_not_taken),
		TEST(a_prepared_fallback_is_not_taken),
		TEST(a_reader_finds_what_a_writer_chose),
		TEST(a_reader_is_not_led_astray),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

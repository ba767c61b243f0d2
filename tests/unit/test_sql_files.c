/* SQL over files: which are found by what is said of their paths, and that there may be very many. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cmocka.h>

#include "spool/spool.h"
#include "sql/db.h"

#include "sql_world.h"

enum {
	MANY = 200000,
	FOLDERS = 4,
};

/* A query with @ for the folder of the test. */
static const char *ask(struct mw_sql *sql, const char *query, const char *folder)
{
	char text[2048];
	size_t n = 0;
	for (const char *c = query; *c && n < sizeof(text); c++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, *c == '@' ? "%s" : "%.1s", *c == '@' ? folder : c);
	assert_true(n < sizeof(text));
	return rows_of(sql, text);
}

static void make_tree(const char *top)
{
	static const char *const folders[] = {"a", "a/b", "a/b/c", "d"};
	static const char *const files[] = {"one", "a/two", "a/b/three", "a/b/c/four", "d/five", "a/[x]"};
	char path[600];
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", top, folders[i]);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", top, files[i]);
		write_file(path, "x");
	}
	(void)snprintf(path, sizeof(path), "%s/d/up", top);
	assert_int_equal(symlink("..", path), 0);
}

static void remove_tree(const char *top)
{
	static const char *const names[] = {"d/up", "a/[x]", "d/five", "a/b/c/four", "a/b/three", "a/two",
					    "one",  "d",     "a/b/c",  "a/b",        "a",         ""};
	char path[600];
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", top, names[i]);
		assert_int_equal(remove(path), 0);
	}
}

static void files_are_found_as_osquery_finds_them(void **state)
{
	(void)state;
	char top[512];
	(void)snprintf(top, sizeof(top), "%s/tree", dir);
	assert_int_equal(mkdir(top, 0700), 0);
	make_tree(top);
	struct mw_sql *sql = open_sql();
	static const struct {
		const char *where, *names;
	} cases[] = {
		{"path = '@/one'", "one"},
		{"path = '@/none'", NULL},
		{"path LIKE '@/%'", "a,d,one"},
		{"path LIKE '@/%/%'", "[x],b,five,two,up"},
		{"path LIKE '@/a/%%'", "[x],b,c,four,three,two"},
		{"path LIKE '@/%%'", "[x],a,b,c,d,five,four,one,three,two,up"},
		{"path LIKE '@/%/b/%'", "c,three"},
		{"path LIKE '@/a/b/c/four'", "four"},
		{"path LIKE '@/a/[x]'", "[x]"},
		{"path GLOB '@/?/t*'", "two"},
		{"directory = '@'", "a,d,one"},
		{"directory = '@/d'", "five,up"},
		{"directory IN ('@/d', '@/a/b', '@/none')", "c,five,three,up"},
		{"directory LIKE '@/%'", "[x],b,five,two,up"},
		{"directory LIKE '@/%%'", "[x],b,c,five,four,three,two,up"},
		{"path IN ('@/one', '@/none', '@/d/five', NULL)", "five,one"},
		{"path IN (SELECT '@/' || value FROM json_each('[\"one\", \"a/two\"]'))", "one,two"},
		{"path IN ('@/one', CAST('@/one' AS BLOB), CAST('@/d/five' AS BLOB))", "one"},
		{"path LIKE '@/%' AND path IN ('@/one', '@/a/two')", "one,two"},
		/* A link is gone through where it is named. */
		{"path LIKE '@/d/up/%'", "a,d,one"},
		{"path LIKE 'one'", NULL},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char query[512];
		(void)snprintf(query, sizeof(query),
			       "SELECT group_concat(n) FROM (SELECT filename n FROM file WHERE %s ORDER BY 1)",
			       cases[i].where);
		const char *names = ask(sql, query, top);
		if (strcmp(names, cases[i].names ? cases[i].names : "NULL") != 0)
			fail_msg("%s: %s", cases[i].where, names);
	}
	assert_string_equal(ask(sql, "SELECT count(*), count(DISTINCT sha256) FROM hash WHERE path LIKE '@/%%'", top),
			    "6,1");
	assert_string_equal(ask(sql, "SELECT count(*) FROM hash WHERE path IN ('@/one', '@/a', '@/a/two')", top), "2");
	mw_sql_close(sql);
	remove_tree(top);
}

/* A file system in memory, where making files is quick and links are not counted. */
static bool make_top(char top[512])
{
	struct statfs fs;
	if (statfs("/dev/shm", &fs) < 0 || fs.f_type != TMPFS_MAGIC || (fs.f_files && fs.f_ffree < MANY + 1000))
		return false;
	(void)snprintf(top, 512, "/dev/shm/moonwatch-files-XXXXXX");
	return mkdtemp(top) != NULL;
}

static void two_hundred_thousand_are_no_problem(void **state)
{
	(void)state;
	char top[512];
	char path[600];
	if (!make_top(top)) {
		print_message("no /dev/shm with room for %d files\n", MANY);
		skip();
	}
	for (unsigned i = 0; i < FOLDERS; i++) {
		(void)snprintf(path, sizeof(path), "%s/%u", top, i);
		assert_int_equal(mkdir(path, 0700), 0);
		int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		for (unsigned k = 0; k < MANY / FOLDERS; k++) {
			(void)snprintf(path, sizeof(path), "%u", k);
			assert_int_equal(mknodat(fd, path, S_IFREG | 0600, 0), 0);
		}
		close(fd);
	}
	struct mw_sql *sql = open_sql();
	assert_string_equal(ask(sql, "SELECT count(*) FROM file WHERE path LIKE '@/%%'", top), "200004");
	assert_string_equal(ask(sql, "SELECT count(*) FROM file WHERE directory = '@/1'", top), "50000");
	/* Hashed are a few only: that takes longer. */
	assert_string_equal(
		ask(sql, "SELECT count(sha256) FROM (SELECT sha256 FROM hash WHERE path LIKE '@/%%' LIMIT 2000)", top),
		"2000");
	assert_null(mw_sql_warnings(sql));
	mw_sql_close(sql);
	for (unsigned i = 0; i < FOLDERS; i++) {
		(void)snprintf(path, sizeof(path), "%s/%u", top, i);
		int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		for (unsigned k = 0; k < MANY / FOLDERS; k++) {
			char name[16];
			(void)snprintf(name, sizeof(name), "%u", k);
			(void)unlinkat(fd, name, 0);
		}
		close(fd);
		assert_int_equal(rmdir(path), 0);
	}
	assert_int_equal(rmdir(top), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, remove_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(files_are_found_as_osquery_finds_them),
		TEST(two_hundred_thousand_are_no_problem),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

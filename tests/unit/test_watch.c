/* Changes of files as they are told, with real files and the kernel's own inotify. */
#include "watched.h"

#include "base/buf.h"
#include "loop/loop.h"
#include "watch/watch.h"

static struct watched w;

static int setup(void **state)
{
	(void)state;
	char root[] = "/tmp/mw_watch_XXXXXX";
	assert_non_null(mkdtemp(root));
	watched_open(&w, root, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	watched_close(&w);
	watched_rm(w.root);
	return 0;
}

static void what_is_there_is_not_told(void **state)
{
	(void)state;
	watched_mkdir(&w, "a");
	watched_write(&w, "a/f", "x");
	watched_patterns(&w, PATTERNS("%%"), NULL, false);
	watched_expect(&w, "");
	struct mw_watch_counters counters;
	mw_watch_count(w.watch, &counters);
	assert_int_equal(counters.files, 1);
	assert_int_equal(counters.directories, 4); /* "/", "/tmp", root, a */
}

static void a_file_is_created_written_and_deleted(void **state)
{
	(void)state;
	watched_patterns(&w, PATTERNS("%%"), NULL, false);
	watched_write(&w, "f", "text");
	watched_expect(&w, "CREATE f\nMODIFY f closed\n");
	assert_int_equal(chmod(watched_path(&w, "f"), 0600), 0);
	watched_expect(&w, "ATTRIBUTES f\n");
	assert_int_equal(truncate(watched_path(&w, "f"), 0), 0);
	watched_settle(&w);
	assert_non_null(strstr(w.log, "MODIFY f"));
	watched_forget(&w);
	assert_int_equal(unlink(watched_path(&w, "f")), 0);
	watched_expect(&w, "DELETE f\n");
}

static void a_new_tree_is_watched_and_what_is_in_it_told(void **state)
{
	(void)state;
	watched_patterns(&w, PATTERNS("%%"), NULL, false);
	watched_mkdir(&w, "a");
	watched_mkdir(&w, "a/b");
	watched_mkdir(&w, "a/b/c");
	watched_write(&w, "a/b/c/f", "x");
	watched_expect(&w, "CREATE a/\nCREATE a/b/ scan\nCREATE a/b/c/ scan\nCREATE a/b/c/f scan\n"
			   "MODIFY a/b/c/f scan\n");
	watched_write(&w, "a/b/c/f", "y");
	watched_expect(&w, "MODIFY a/b/c/f closed\n");
}

static void a_rename_is_one_with_both_paths(void **state)
{
	(void)state;
	watched_mkdir(&w, "a");
	watched_mkdir(&w, "a/deep");
	watched_write(&w, "a/deep/f", "x");
	watched_mkdir(&w, "b");
	watched_patterns(&w, PATTERNS("a/%%", "b/%%"), NULL, false);
	watched_rename(&w, "a/deep/f", "a/deep/a much longer name than before");
	watched_expect(&w, "RENAME a/deep/f > a/deep/a much longer name than before\n");
	watched_rename(&w, "a/deep/a much longer name than before", "b/f");
	watched_expect(&w, "RENAME a/deep/a much longer name than before > b/f\n");
	watched_rename(&w, "b/f", "a/deep/f");
	watched_forget(&w);
	watched_settle(&w);
	watched_forget(&w);
	watched_rename(&w, "a/deep", "b/deeper");
	watched_expect(&w, "RENAME a/deep > b/deeper\n");
	watched_write(&w, "b/deeper/f", "y");
	watched_expect(&w, "MODIFY b/deeper/f closed\n");
}

static void moves_from_and_to_outside_are_deletions_and_creations(void **state)
{
	(void)state;
	watched_mkdir(&w, "in");
	watched_mkdir(&w, "out");
	watched_mkdir(&w, "in/a");
	watched_mkdir(&w, "in/a/b");
	watched_write(&w, "in/a/b/f", "x");
	watched_patterns(&w, PATTERNS("in/%%"), NULL, false);
	struct mw_watch_counters before, counters;
	mw_watch_count(w.watch, &before);
	watched_rename(&w, "in/a", "out/a");
	watched_expect(&w, "DELETE in/a/b/f\nDELETE in/a/b/\nDELETE in/a/\n");
	mw_watch_count(w.watch, &counters);
	assert_int_equal(counters.directories, before.directories - 2);
	watched_write(&w, "out/a/b/f", "not watched");
	watched_expect(&w, "");
	watched_rename(&w, "out/a", "in/c");
	watched_expect(&w, "CREATE in/c/\nCREATE in/c/b/ scan\nCREATE in/c/b/f scan\n"
			   "MODIFY in/c/b/f scan\n");
	watched_write(&w, "in/c/b/f", "y");
	watched_expect(&w, "MODIFY in/c/b/f closed\n");
}

static void a_base_that_comes_later_is_picked_up(void **state)
{
	(void)state;
	watched_patterns(&w, PATTERNS("x/y/%%", "x/file"), NULL, false);
	watched_mkdir(&w, "other");
	watched_mkdir(&w, "other/y");
	watched_write(&w, "other/y/f", "1");
	watched_write(&w, "other/file", "1");
	watched_expect(&w, "");
	watched_rename(&w, "other", "x");
	watched_settle(&w);
	assert_non_null(strstr(w.log, "CREATE x/y/f scan\n"));
	assert_non_null(strstr(w.log, "CREATE x/file scan\n"));
	watched_forget(&w);
	watched_rm(watched_path(&w, "x"));
	watched_settle(&w);
	assert_non_null(strstr(w.log, "DELETE x/y/f\n"));
	assert_non_null(strstr(w.log, "DELETE x/file\n"));
	watched_forget(&w);
	watched_mkdir(&w, "x");
	watched_mkdir(&w, "x/y");
	watched_settle(&w);
	watched_write(&w, "x/y/g", "2");
	watched_expect(&w, "CREATE x/y/g\nMODIFY x/y/g closed\n");
}

static void a_single_file_is_followed_by_its_name(void **state)
{
	(void)state;
	watched_write(&w, "passwd", "root");
	watched_patterns(&w, PATTERNS("passwd"), NULL, false);
	watched_write(&w, "passwd+", "root\nuser");
	watched_expect(&w, "");
	watched_rename(&w, "passwd+", "passwd");
	watched_expect(&w, "CREATE passwd\n");
	watched_write(&w, "passwd", "again");
	watched_expect(&w, "MODIFY passwd closed\n");
	assert_int_equal(unlink(watched_path(&w, "passwd")), 0);
	watched_expect(&w, "DELETE passwd\n");
	watched_write(&w, "passwd", "anew");
	watched_expect(&w, "CREATE passwd\nMODIFY passwd closed\n");
}

static void excluded_paths_take_no_watches(void **state)
{
	(void)state;
	watched_mkdir(&w, "cache");
	watched_mkdir(&w, "cache/1");
	watched_mkdir(&w, "keep");
	watched_patterns(&w, PATTERNS("%%"), PATTERNS("cache", "%/tmp/%%"), false);
	struct mw_watch_counters counters;
	mw_watch_count(w.watch, &counters);
	assert_int_equal(counters.directories, 4); /* "/", "/tmp", root, keep */
	watched_write(&w, "cache/f", "x");
	watched_mkdir(&w, "keep/tmp");
	watched_settle(&w);
	watched_write(&w, "keep/tmp/f", "x");
	watched_expect(&w, "CREATE keep/tmp/\n");
	mw_watch_count(w.watch, &counters);
	assert_int_equal(counters.directories, 4);
}

static void wildcards_in_the_middle(void **state)
{
	(void)state;
	watched_mkdir(&w, "alice");
	watched_mkdir(&w, "alice/.ssh");
	watched_mkdir(&w, "alice/docs");
	watched_patterns(&w, PATTERNS("%/.ssh/%"), NULL, false);
	watched_write(&w, "alice/.ssh/key", "x");
	watched_write(&w, "alice/docs/key", "x");
	watched_expect(&w, "CREATE alice/.ssh/key\nMODIFY alice/.ssh/key closed\n");
	watched_mkdir(&w, "bob");
	watched_mkdir(&w, "bob/.ssh");
	watched_write(&w, "bob/.ssh/key", "x");
	watched_expect(&w, "CREATE bob/.ssh/key scan\nMODIFY bob/.ssh/key scan\n");
}

static void links_are_not_followed_but_told(void **state)
{
	(void)state;
	watched_mkdir(&w, "in");
	watched_mkdir(&w, "out");
	watched_patterns(&w, PATTERNS("in/%%"), NULL, false);
	assert_int_equal(symlink("../out", watched_path(&w, "in/link")), 0);
	watched_expect(&w, "CREATE in/link\n");
	watched_write(&w, "out/f", "x");
	watched_expect(&w, "");
	assert_int_equal(symlink("../in", watched_path(&w, "in/next")), 0);
	watched_settle(&w);
	watched_forget(&w);
	watched_rename(&w, "in/next", "in/link");
	watched_expect(&w, "RENAME in/next > in/link\n");
}

static void a_link_in_the_base_is_resolved_and_followed_when_it_changes(void **state)
{
	(void)state;
	watched_mkdir(&w, "v1");
	watched_mkdir(&w, "v2");
	assert_int_equal(symlink("v1", watched_path(&w, "current")), 0);
	watched_patterns(&w, PATTERNS("current/%%"), NULL, false);
	watched_write(&w, "v1/f", "x");
	watched_expect(&w, "CREATE v1/f\nMODIFY v1/f closed\n");
	assert_int_equal(symlink("v2", watched_path(&w, "new")), 0);
	watched_rename(&w, "new", "current");
	watched_settle(&w);
	watched_forget(&w);
	watched_write(&w, "v2/f", "x");
	watched_write(&w, "v1/f", "x");
	watched_expect(&w, "CREATE v2/f\nMODIFY v2/f closed\n");
}

static void a_change_by_another_name_is_told(void **state)
{
	(void)state;
	watched_mkdir(&w, "in");
	watched_mkdir(&w, "out");
	watched_write(&w, "in/f", "x");
	assert_int_equal(link(watched_path(&w, "in/f"), watched_path(&w, "out/g")), 0);
	watched_patterns(&w, PATTERNS("in/%%"), NULL, false);
	watched_write(&w, "out/g", "by another name");
	watched_expect(&w, "MODIFY in/f closed\n");
	/* A second name that comes while we look. */
	watched_write(&w, "in/h", "1");
	assert_int_equal(link(watched_path(&w, "in/h"), watched_path(&w, "in/i")), 0);
	watched_settle(&w);
	watched_forget(&w);
	watched_write(&w, "in/h", "22");
	watched_settle(&w);
	assert_non_null(strstr(w.log, "MODIFY in/h closed\n"));
	assert_non_null(strstr(w.log, "MODIFY in/i closed\n"));
}

/* The kernel tells of the second name alone; what we know of the first is of before. */
static void a_change_before_the_second_name_was_seen_is_told_of_both(void **state)
{
	(void)state;
	watched_write(&w, "a", "1");
	watched_patterns(&w, PATTERNS("%%"), NULL, false);
	assert_int_equal(link(watched_path(&w, "a"), watched_path(&w, "b")), 0);
	assert_int_equal(chmod(watched_path(&w, "b"), 0600), 0);
	watched_expect(&w, "CREATE b\nATTRIBUTES b\nATTRIBUTES a scan\n");
}

/* Made and moved away before it was looked at: nothing else happens that would have us look again. */
static void a_directory_that_came_and_went_leaves_quiet(void **state)
{
	(void)state;
	watched_mkdir(&w, "in");
	watched_mkdir(&w, "out");
	watched_patterns(&w, PATTERNS("in/%%"), NULL, false);
	watched_mkdir(&w, "in/d");
	watched_rename(&w, "in/d", "out/d");
	watched_expect(&w, "CREATE in/d/\nDELETE in/d/\n");
}

static void names_are_bytes(void **state)
{
	(void)state;
	watched_patterns(&w, PATTERNS("%%"), NULL, false);
	watched_write(&w, "new\nline \xff\xfe %", "x");
	watched_expect(&w, "CREATE new\nline \xff\xfe %\nMODIFY new\nline \xff\xfe % closed\n");
}

static void opens_are_told_where_wanted_but_not_ours(void **state)
{
	(void)state;
	watched_write(&w, "secret", "x");
	watched_patterns(&w, PATTERNS("secret"), NULL, true);
	char path[WATCHED_PATH];
	(void)snprintf(path, sizeof(path), "%s", watched_path(&w, "secret"));
	char c;
	mw_watch_own_begin(w.watch, path);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, &c, 1), 1);
	(void)close(fd);
	mw_watch_own_end(w.watch, path);
	watched_expect(&w, "");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, &c, 1), 1);
	(void)close(fd);
	watched_expect(&w, "OPEN secret\nACCESS secret\n");
}

static void another_configuration_keeps_what_both_name(void **state)
{
	(void)state;
	watched_mkdir(&w, "a");
	watched_mkdir(&w, "b");
	watched_mkdir(&w, "c");
	watched_patterns(&w, PATTERNS("a/%%", "b/%%"), NULL, false);
	watched_write(&w, "b/1", "x"); /* not read yet */
	watched_patterns(&w, PATTERNS("b/%%", "c/%%"), NULL, false);
	watched_write(&w, "a/2", "x");
	watched_write(&w, "b/2", "x");
	watched_write(&w, "c/2", "x");
	watched_expect(&w,
		       "CREATE b/1\nMODIFY b/1 closed\nCREATE b/2\nMODIFY b/2 closed\nCREATE c/2\nMODIFY c/2 closed\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(what_is_there_is_not_told),
		TEST(a_file_is_created_written_and_deleted),
		TEST(a_new_tree_is_watched_and_what_is_in_it_told),
		TEST(a_rename_is_one_with_both_paths),
		TEST(moves_from_and_to_outside_are_deletions_and_creations),
		TEST(a_base_that_comes_later_is_picked_up),
		TEST(a_single_file_is_followed_by_its_name),
		TEST(excluded_paths_take_no_watches),
		TEST(wildcards_in_the_middle),
		TEST(links_are_not_followed_but_told),
		TEST(a_link_in_the_base_is_resolved_and_followed_when_it_changes),
		TEST(a_change_by_another_name_is_told),
		TEST(a_change_before_the_second_name_was_seen_is_told_of_both),
		TEST(a_directory_that_came_and_went_leaves_quiet),
		TEST(names_are_bytes),
		TEST(opens_are_told_where_wanted_but_not_ours),
		TEST(another_configuration_keeps_what_both_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

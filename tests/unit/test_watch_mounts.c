/* What is mounted on top of watched directories, mounted twice, or put together by an overlay.  In a mount namespace of its
 * own. */
#include "watched.h"

#include <sched.h>
#include <sys/mount.h>

#include "loop/loop.h"
#include "watch/watch.h"

static struct watched w;
static bool is_alone;

static void need_mounts(void)
{
	if (is_alone)
		return;
	print_message("no mount namespace of our own here (CAP_SYS_ADMIN is missing)\n");
	skip();
}

static void begin(void)
{
	need_mounts();
	/* On a file system of its own: an overlay takes not any as its upper one. */
	char root[] = "/tmp/mw_watch_XXXXXX";
	assert_non_null(mkdtemp(root));
	assert_int_equal(mount("tmpfs", root, "tmpfs", 0, "size=8m"), 0);
	watched_open(&w, root, NULL);
}

static void end(void)
{
	watched_close(&w);
	assert_int_equal(umount2(w.root, MNT_DETACH), 0);
	assert_int_equal(rmdir(w.root), 0);
}

static void what_a_mount_hides_and_shows(void **state)
{
	(void)state;
	begin();
	watched_mkdir(&w, "a");
	watched_mkdir(&w, "a/b");
	watched_write(&w, "a/below", "x");
	watched_write(&w, "a/b/below", "x");
	watched_patterns(&w, PATTERNS("%%"), NULL, false);
	assert_int_equal(mount("tmpfs", watched_path(&w, "a"), "tmpfs", 0, "size=1m"), 0);
	watched_await(&w, "DELETE a/below scan\n");
	assert_non_null(strstr(w.log, "DELETE a/b/below scan\n"));
	watched_forget(&w);
	watched_write(&w, "a/above", "x");
	watched_mkdir(&w, "a/new");
	watched_expect(&w, "CREATE a/above\nMODIFY a/above closed\nCREATE a/new/\n");
	assert_int_equal(umount(watched_path(&w, "a")), 0);
	watched_await(&w, "DELETE a/above scan\n");
	assert_non_null(strstr(w.log, "CREATE a/below scan\n"));
	assert_non_null(strstr(w.log, "CREATE a/b/below scan\n"));
	watched_forget(&w);
	watched_write(&w, "a/b/below", "y");
	watched_expect(&w, "MODIFY a/b/below closed\n");
	end();
}

static void a_file_system_that_is_unmounted_below(void **state)
{
	(void)state;
	begin();
	watched_mkdir(&w, "m");
	assert_int_equal(mount("tmpfs", watched_path(&w, "m"), "tmpfs", 0, "size=1m"), 0);
	watched_mkdir(&w, "m/d");
	watched_write(&w, "m/d/f", "x");
	watched_patterns(&w, PATTERNS("m/d/%%", "m/own"), NULL, false);
	assert_int_equal(umount(watched_path(&w, "m")), 0);
	watched_await(&w, "DELETE m/d/f scan\n");
	watched_forget(&w);
	watched_mkdir(&w, "m/d");
	watched_write(&w, "m/d/f", "x");
	watched_write(&w, "m/own", "x");
	watched_settle(&w);
	assert_non_null(strstr(w.log, "CREATE m/d/f"));
	assert_non_null(strstr(w.log, "CREATE m/own"));
	end();
}

static void a_directory_mounted_twice_is_told_by_both_paths(void **state)
{
	(void)state;
	begin();
	watched_mkdir(&w, "one");
	watched_mkdir(&w, "one/sub");
	watched_mkdir(&w, "two");
	assert_int_equal(mount(watched_path(&w, "one"), watched_path(&w, "two"), NULL, MS_BIND, NULL), 0);
	watched_patterns(&w, PATTERNS("%%"), NULL, false);
	watched_write(&w, "one/sub/f", "x");
	watched_settle(&w);
	assert_non_null(strstr(w.log, "CREATE one/sub/f\n"));
	assert_non_null(strstr(w.log, "CREATE two/sub/f\n"));
	watched_forget(&w);
	watched_rename(&w, "two/sub/f", "two/g");
	watched_settle(&w);
	assert_non_null(strstr(w.log, "RENAME one/sub/f > one/g\n"));
	assert_non_null(strstr(w.log, "RENAME two/sub/f > two/g\n"));
	watched_forget(&w);
	watched_rename(&w, "one/sub", "one/other");
	watched_settle(&w);
	watched_forget(&w);
	watched_write(&w, "two/other/h", "x");
	watched_settle(&w);
	assert_non_null(strstr(w.log, "CREATE one/other/h\n"));
	assert_non_null(strstr(w.log, "CREATE two/other/h\n"));
	end();
}

/* A directory within itself: no end of it may be looked for. */
static void a_directory_mounted_within_itself(void **state)
{
	(void)state;
	begin();
	watched_mkdir(&w, "a");
	watched_mkdir(&w, "a/b");
	assert_int_equal(mount(watched_path(&w, "a"), watched_path(&w, "a/b"), NULL, MS_BIND, NULL), 0);
	watched_patterns(&w, PATTERNS("%%"), NULL, false);
	watched_write(&w, "a/f", "x");
	watched_settle(&w);
	assert_non_null(strstr(w.log, "CREATE a/f\n"));
	end();
}

static void pseudo_file_systems_are_left_out(void **state)
{
	(void)state;
	begin();
	watched_mkdir(&w, "proc");
	assert_int_equal(mount("proc", watched_path(&w, "proc"), "proc", 0, NULL), 0);
	watched_patterns(&w, PATTERNS("%%"), NULL, false);
	struct mw_watch_counters counters;
	mw_watch_count(w.watch, &counters);
	assert_int_equal(counters.directories, 3); /* "/", "/tmp", root */
	end();
}

/* Copied up: the file that is changed is another than was there before, in the layer below. */
static void an_overlay_tells_of_files_copied_up(void **state)
{
	(void)state;
	begin();
	char options[3 * WATCHED_PATH];
	watched_mkdir(&w, "lower");
	watched_mkdir(&w, "lower/d");
	watched_mkdir(&w, "lower/d/e");
	watched_write(&w, "lower/d/e/f", "x");
	watched_write(&w, "lower/d/g", "x");
	watched_write(&w, "lower/d/h", "x");
	watched_mkdir(&w, "upper");
	watched_mkdir(&w, "work");
	watched_mkdir(&w, "all");
	(void)snprintf(options, sizeof(options), "lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work", w.root, w.root,
		       w.root);
	if (mount("overlay", watched_path(&w, "all"), "overlay", 0, options) < 0) {
		print_message("no overlay can be mounted here: %s\n", strerror(errno));
		end();
		skip();
	}
	watched_patterns(&w, PATTERNS("all/%%"), NULL, false);
	watched_write(&w, "all/d/e/f", "changed");
	watched_settle(&w);
	assert_non_null(strstr(w.log, "MODIFY all/d/e/f closed"));
	watched_forget(&w);
	watched_write(&w, "all/d/e/f", "changed again");
	watched_settle(&w);
	assert_non_null(strstr(w.log, "MODIFY all/d/e/f closed"));
	watched_forget(&w);
	assert_int_equal(chmod(watched_path(&w, "all/d/g"), 0600), 0);
	watched_settle(&w);
	assert_non_null(strstr(w.log, "ATTRIBUTES all/d/g\n"));
	watched_forget(&w);
	assert_int_equal(unlink(watched_path(&w, "all/d/h")), 0);
	watched_expect(&w, "DELETE all/d/h\n");
	watched_rename(&w, "all/d/g", "all/d/e/g");
	watched_expect(&w, "RENAME all/d/g > all/d/e/g\n");
	watched_write(&w, "all/d/e/new", "x");
	watched_expect(&w, "CREATE all/d/e/new\nMODIFY all/d/e/new closed\n");
	assert_int_equal(umount(watched_path(&w, "all")), 0);
	end();
}

int main(void)
{
	is_alone = unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_mount_hides_and_shows),
		cmocka_unit_test(a_file_system_that_is_unmounted_below),
		cmocka_unit_test(a_directory_mounted_twice_is_told_by_both_paths),
		cmocka_unit_test(a_directory_mounted_within_itself),
		cmocka_unit_test(pseudo_file_systems_are_left_out),
		cmocka_unit_test(an_overlay_tells_of_files_copied_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

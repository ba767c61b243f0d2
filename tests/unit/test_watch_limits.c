/* Where inotify does not suffice: no watches or instances left, a queue that was full, too many files.  In a user namespace
 * of its own, whose limits may be lowered. */
#include "watched.h"

#include <sched.h>
#include <signal.h>
#include <sys/inotify.h>

#include "loop/loop.h"
#include "watch/watch.h"

static struct watched w;
static bool is_alone;

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool is_written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	if (fd >= 0)
		(void)close(fd);
	return is_written;
}

static bool be_alone(void)
{
	char map[64];
	unsigned uid = getuid(), gid = getgid();
	if (unshare(CLONE_NEWUSER) < 0)
		return false;
	(void)write_file("/proc/self/setgroups", "deny");
	(void)snprintf(map, sizeof(map), "0 %u 1", uid);
	if (!write_file("/proc/self/uid_map", map))
		return false;
	(void)snprintf(map, sizeof(map), "0 %u 1", gid);
	return write_file("/proc/self/gid_map", map) && write_file("/proc/sys/user/max_inotify_watches", "100000");
}

static void limit(const char *what, const char *value)
{
	char path[64];
	if (!is_alone) {
		print_message("no user namespace of our own here: limits cannot be lowered\n");
		skip();
	}
	(void)snprintf(path, sizeof(path), "/proc/sys/user/max_inotify_%s", what);
	assert_true(write_file(path, value));
}

static void begin(const struct mw_watch_options *options)
{
	char root[] = "/tmp/mw_watch_XXXXXX";
	assert_non_null(mkdtemp(root));
	watched_open(&w, root, options);
}

static void end(void)
{
	watched_close(&w);
	watched_rm(w.root);
}

static struct mw_watch_counters count(void)
{
	struct mw_watch_counters counters;
	mw_watch_count(w.watch, &counters);
	return counters;
}

static bool has_none_polled(struct watched *watched)
{
	return count().polled == 0 && watched_is_quiet(watched);
}

static void without_watches_directories_are_polled_until_there_are(void **state)
{
	(void)state;
	limit("watches", "100000");
	begin(&(struct mw_watch_options){.share_percent = 100, .poll_ms = 20});
	limit("watches", "4");
	watched_mkdir(&w, "a");
	watched_mkdir(&w, "a/b");
	watched_write(&w, "a/b/old", "x");
	watched_patterns(&w, PATTERNS("%%"), NULL, false);
	struct mw_watch_counters counters = count();
	assert_int_equal(counters.directories, 4); /* "/", "/tmp", root, a */
	assert_int_equal(counters.polled, 1);
	assert_true(counters.refused > 0);
	assert_non_null(strstr(w.reports, "/a/b'"));
	assert_non_null(strstr(w.reports, "max_user_watches"));
	watched_write(&w, "a/b/f", "x");
	watched_await(&w, "CREATE a/b/f poll\n");
	watched_write(&w, "a/b/old", "longer");
	watched_await(&w, "MODIFY a/b/old poll\n");
	assert_int_equal(unlink(watched_path(&w, "a/b/f")), 0);
	watched_await(&w, "DELETE a/b/f poll\n");
	const char *said = strstr(w.reports, "max_user_watches");
	assert_null(strstr(said + 1, "max_user_watches")); /* once */
	limit("watches", "100000");
	watched_run(&w, has_none_polled, 20000);
	watched_forget(&w);
	watched_write(&w, "a/b/g", "x");
	watched_await(&w, "CREATE a/b/g\n");
	end();
}

static void without_an_instance_all_is_polled(void **state)
{
	(void)state;
	limit("instances", "0");
	begin(&(struct mw_watch_options){.poll_ms = 20});
	assert_non_null(strstr(w.reports, "max_user_instances"));
	watched_write(&w, "old", "x");
	watched_patterns(&w, PATTERNS("%%"), NULL, false);
	assert_int_equal(count().directories, 0);
	watched_mkdir(&w, "new");
	watched_write(&w, "new/f", "x");
	watched_await(&w, "CREATE new/f scan\n");
	assert_int_equal(chmod(watched_path(&w, "old"), 0600), 0);
	watched_await(&w, "ATTRIBUTES old poll\n");
	watched_rm(watched_path(&w, "new"));
	watched_await(&w, "DELETE new/ poll\n");
	limit("instances", "100");
	watched_run(&w, has_none_polled, 20000);
	watched_write(&w, "old", "y");
	watched_await(&w, "MODIFY old closed\n");
	end();
}

/* Nothing is read until the kernel's queue is full. */
static void after_an_overflow_the_difference_is_told(void **state)
{
	(void)state;
	limit("instances", "100");
	limit("watches", "100000");
	begin(NULL);
	watched_mkdir(&w, "d");
	watched_write(&w, "d/goes", "x");
	watched_write(&w, "d/changes", "x");
	watched_write(&w, "d/mode", "x");
	watched_write(&w, "d/stays", "x");
	watched_patterns(&w, PATTERNS("%%"), NULL, false);
	char text[32] = "";
	FILE *file = fopen("/proc/sys/fs/inotify/max_queued_events", "re");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	(void)fclose(file);
	unsigned events = (unsigned)strtoul(text, NULL, 10);
	if (events > 200000) {
		print_message("max_queued_events is %u: filling that takes too long\n", events);
		skip();
	}
	for (unsigned i = 0; i < events / 2; i++) { /* two names in turn, since the same event twice is one */
		assert_int_equal(chmod(watched_path(&w, "d/stays"), i % 2 ? 0600 : 0644), 0);
		assert_int_equal(chmod(watched_path(&w, "d/mode"), i % 2 ? 0600 : 0644), 0);
	}
	assert_int_equal(unlink(watched_path(&w, "d/goes")), 0);
	watched_write(&w, "d/changes", "longer");
	watched_write(&w, "d/comes", "x");
	watched_mkdir(&w, "d/new");
	watched_write(&w, "d/new/f", "x");
	watched_await(&w, "CREATE d/new/f scan\n");
	assert_non_null(strstr(w.log, "DELETE d/goes scan\n"));
	assert_non_null(strstr(w.log, "MODIFY d/changes scan\n"));
	assert_non_null(strstr(w.log, "CREATE d/comes scan\n"));
	assert_non_null(strstr(w.reports, "max_queued_events"));
	struct mw_watch_counters counters = count();
	assert_int_equal(counters.overflows, 1);
	assert_true(counters.scans >= 2);
	assert_true(counters.found >= 5);
	watched_forget(&w);
	watched_write(&w, "d/new/f", "y");
	watched_expect(&w, "MODIFY d/new/f closed\n");
	end();
}

enum {
	OTHERS = 200, /* watches */
	LIMIT = 1000,
};

/* Another process of this user, which has some watches; until it is killed. */
static pid_t start_other(void)
{
	int pipes[2];
	char byte;
	assert_int_equal(pipe(pipes), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int fd = inotify_init1(IN_CLOEXEC);
		unsigned count = 0;
		for (char name[32]; fd >= 0 && count < OTHERS; count++) {
			(void)snprintf(name, sizeof(name), "other%u", count);
			if (mkdir(watched_path(&w, name), 0755) < 0 ||
			    inotify_add_watch(fd, watched_path(&w, name), IN_MODIFY) < 0)
				break;
		}
		(void)!write(pipes[1], count == OTHERS ? "y" : "n", 1);
		for (;;)
			(void)pause();
	}
	(void)close(pipes[1]);
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	(void)close(pipes[0]);
	assert_int_equal(byte, 'y');
	return pid;
}

static void a_share_is_taken_of_what_others_leave(void **state)
{
	(void)state;
	char text[16], name[32], root[] = "/tmp/mw_watch_XXXXXX";
	assert_non_null(mkdtemp(root));
	(void)snprintf(w.root, sizeof(w.root), "%s", root);
	(void)snprintf(text, sizeof(text), "%d", LIMIT);
	limit("instances", "100");
	limit("watches", text);
	pid_t other = start_other();
	watched_open(&w, root, &(struct mw_watch_options){.poll_ms = 50});
	watched_mkdir(&w, "d");
	for (unsigned i = 0; i < LIMIT / 3; i++) {
		(void)snprintf(name, sizeof(name), "d/%u", i);
		watched_mkdir(&w, name);
	}
	watched_patterns(&w, PATTERNS("d/%%"), NULL, false);
	struct mw_watch_counters counters = count();
	assert_int_equal(counters.user_watches, LIMIT);
	/* A quarter, of what was left; there may be others of this user, too. */
	assert_true(counters.share > 0 && counters.share <= (LIMIT - OTHERS) / 4);
	assert_int_equal(counters.directories, counters.share);
	assert_true(counters.polled > LIMIT / 3 - counters.share);
	assert_non_null(strstr(w.reports, "inotify_watch_share"));
	/* None of them is lost. */
	(void)snprintf(name, sizeof(name), "d/%u/f", LIMIT / 3 - 1);
	watched_write(&w, name, "x");
	(void)snprintf(name, sizeof(name), "CREATE d/%u/f", LIMIT / 3 - 1);
	w.wanted = name;
	watched_run(&w, watched_has_told, 20000);
	(void)kill(other, SIGKILL);
	(void)waitpid(other, NULL, 0);
	limit("watches", "100000");
	end();
}

static void what_is_beyond_a_limit_is_said(void **state)
{
	(void)state;
	begin(&(struct mw_watch_options){.directory_limit = 6, .state_bytes = 2000});
	char name[32];
	for (unsigned i = 0; i < 10; i++) {
		(void)snprintf(name, sizeof(name), "d%u", i);
		watched_mkdir(&w, name);
	}
	for (unsigned i = 0; i < 100; i++) {
		(void)snprintf(name, sizeof(name), "f%u", i);
		watched_write(&w, name, "x");
	}
	watched_patterns(&w, PATTERNS("%%"), NULL, false);
	struct mw_watch_counters counters = count();
	assert_int_equal(counters.directories, 6);
	assert_int_equal(counters.beyond, 7);
	assert_true(counters.files < 30);
	assert_non_null(strstr(w.reports, "more than 6 directories"));
	assert_non_null(strstr(w.reports, "what is known of files"));
	/* What is not known is told all the same. */
	for (unsigned i = 0; i < 100; i++) {
		(void)snprintf(name, sizeof(name), "f%u", i);
		watched_write(&w, name, "yy");
	}
	watched_settle(&w);
	assert_non_null(strstr(w.log, "MODIFY f0 closed\n"));
	assert_non_null(strstr(w.log, "MODIFY f99 closed\n"));
	assert_int_equal(unlink(watched_path(&w, "f99")), 0);
	assert_int_equal(unlink(watched_path(&w, "f0")), 0);
	watched_settle(&w);
	assert_non_null(strstr(w.log, "DELETE f99\n"));
	assert_non_null(strstr(w.log, "DELETE f0\n"));
	end();
	begin(&(struct mw_watch_options){.entries_limit = 20});
	for (unsigned i = 0; i < 100; i++) {
		(void)snprintf(name, sizeof(name), "f%u", i);
		watched_write(&w, name, "x");
	}
	watched_patterns(&w, PATTERNS("%%"), NULL, false);
	assert_int_equal(count().files, 20);
	assert_non_null(strstr(w.reports, "more than 20 files"));
	end();
}

static void trees_deeper_than_a_path_are_said(void **state)
{
	(void)state;
	begin(NULL);
	char cwd[WATCHED_PATH], name[251];
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	assert_int_equal(chdir(w.root), 0);
	unsigned depth = 0;
	for (; depth < 20; depth++)
		if (mkdir(name, 0755) < 0 || chdir(name) < 0)
			break;
	assert_int_equal(depth, 20);
	watched_patterns(&w, PATTERNS("%%"), NULL, false);
	assert_true(count().beyond > 0);
	assert_non_null(strstr(w.reports, "paths are longer"));
	for (; depth > 0; depth--) { /* nftw would not get there */
		assert_int_equal(chdir(".."), 0);
		assert_int_equal(rmdir(name), 0);
	}
	assert_int_equal(chdir(cwd), 0);
	watched_settle(&w);
	end();
}

int main(void)
{
	is_alone = be_alone();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_watches_directories_are_polled_until_there_are),
		cmocka_unit_test(without_an_instance_all_is_polled),
		cmocka_unit_test(after_an_overflow_the_difference_is_told),
		cmocka_unit_test(a_share_is_taken_of_what_others_leave),
		cmocka_unit_test(what_is_beyond_a_limit_is_said),
		cmocka_unit_test(trees_deeper_than_a_path_are_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The walk for packages: what it looks at, what it remembers, where it stops. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "pkg/mounts.h"
#include "pkg/walk.h"

enum {
	ROUNDS = 50,
	PATH_BYTES = 600,
};

static char root[256];

static const char *at(const char *path)
{
	static char whole[PATH_BYTES];
	(void)snprintf(whole, sizeof(whole), "%s%s", root, path);
	return whole;
}

static void write_file(const char *path, const char *text)
{
	char folder[PATH_BYTES];
	(void)snprintf(folder, sizeof(folder), "%s%s", root, path);
	*strrchr(folder, '/') = '\0';
	assert_int_equal(mw_file_make_dirs(folder, 0700), 0);
	MW_AUTO_FD fd = open(at(path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void write_package(const char *path, const char *name)
{
	char text[256];
	(void)snprintf(text, sizeof(text), "Name: %s\nVersion: 1\n", name);
	write_file(path, text);
}

static int make_root(void **state)
{
	(void)state;
	const char *above = getenv("TMPDIR");
	(void)snprintf(root, sizeof(root), "%.200s/walk-XXXXXX", above ? above : "/tmp");
	return mkdtemp(root) ? 0 : -1;
}

static void remove_below(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	while (dir && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			remove_below(fd, entry->d_name);
	if (dir)
		closedir(dir);
	(void)unlinkat(dirfd, name, dir ? AT_REMOVEDIR : 0);
}

static int remove_root(void **state)
{
	(void)state;
	remove_below(AT_FDCWD, root);
	return 0;
}

struct seen {
	unsigned packages, warnings;
	int fail_with; /* of emit */
	char names[1024];
	char paths[4096];
	char warning[512];
	int nice;
	pid_t thread;
};

static void append(char *to, size_t size, const char *text)
{
	size_t n = strlen(to);
	(void)snprintf(to + n, size - n, "%s ", text);
}

static int emit(void *data, const struct mw_package *package)
{
	struct seen *seen = data;
	seen->packages++;
	append(seen->names, sizeof(seen->names), package->name);
	append(seen->paths, sizeof(seen->paths), package->path);
	seen->thread = (pid_t)syscall(SYS_gettid);
	seen->nice = getpriority(PRIO_PROCESS, (id_t)seen->thread);
	return seen->fail_with;
}

static void warn(void *data, const char *line)
{
	struct seen *seen = data;
	seen->warnings++;
	(void)snprintf(seen->warning, sizeof(seen->warning), "%s", line);
}

static int walk_with(struct mw_package_walk *walk, struct mw_package_walk_options options, struct seen *seen,
		     int64_t deadline_ns)
{
	const struct mw_package_sink sink = {.emit = emit, .warn = warn, .data = seen, .deadline_ns = deadline_ns};
	MW_AUTO_FD rootfd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(rootfd >= 0);
	options.rootfd = rootfd;
	if (!options.kinds)
		options.kinds = 1U << MW_PACKAGE_PYTHON;
	return mw_package_walk_find(walk, &options, &sink);
}

static struct seen walk_once(struct mw_package_walk *walk)
{
	struct seen seen = {0};
	const struct mw_package_walk_options options = {.is_foreground = true};
	assert_int_equal(walk_with(walk, options, &seen, INT64_MAX), 0);
	return seen;
}

/* Walk until nothing is too fresh to be remembered; returns what the last walk saw. */
static struct seen settle(struct mw_package_walk *walk)
{
	int64_t deadline_ns = mw_clock_mono_ns() + 20 * (int64_t)MW_NS_PER_S;
	struct seen seen;
	do
		seen = walk_once(walk);
	while ((mw_package_walk_stats(walk)->files_read || mw_package_walk_stats(walk)->folders_listed) &&
	       mw_clock_mono_ns() < deadline_ns);
	assert_int_equal(mw_package_walk_stats(walk)->files_read, 0);
	assert_int_equal(mw_package_walk_stats(walk)->folders_listed, 0);
	return seen;
}

static struct mw_package_walk *new_walk(void)
{
	struct mw_package_walk *walk;
	assert_int_equal(mw_package_walk_new(&walk), 0);
	return walk;
}

static void test_reads_again_only_what_changed(void **state)
{
	(void)state;
	struct mw_package_walk *walk = new_walk();
	write_package("/a/x.dist-info/METADATA", "x");
	write_package("/b/c/y.egg-info", "y");
	write_file("/b/other.txt", "");
	struct seen seen = walk_once(walk);
	assert_string_equal(seen.names, "x y ");
	assert_string_equal(seen.paths, "/a/x.dist-info /b/c/y.egg-info ");
	assert_int_equal(mw_package_walk_stats(walk)->files_read, 2);
	assert_int_equal(mw_package_walk_stats(walk)->folders, 5);

	seen = settle(walk);
	assert_string_equal(seen.names, "x y ");
	assert_int_equal(mw_package_walk_stats(walk)->files_kept, 2);
	assert_int_equal(mw_package_walk_stats(walk)->folders, 5);
	assert_true(mw_package_walk_stats(walk)->bytes > 0);

	/* A file with other contents, in a folder that stays as it is. */
	write_package("/b/c/y.egg-info", "yy");
	seen = walk_once(walk);
	assert_string_equal(seen.names, "x yy ");
	assert_int_equal(mw_package_walk_stats(walk)->files_read, 1);
	(void)settle(walk);

	/* A new one: its folder is listed, the others are not. */
	write_package("/b/c/z.egg-info", "z");
	seen = walk_once(walk);
	assert_string_equal(seen.names, "x yy z ");
	assert_int_equal(mw_package_walk_stats(walk)->folders_listed, 1);
	(void)settle(walk);

	assert_int_equal(unlink(at("/b/c/y.egg-info")), 0);
	remove_below(AT_FDCWD, at("/a"));
	seen = settle(walk);
	assert_string_equal(seen.names, "z ");
	mw_package_walk_free(walk);
}

/* What one kind was looked for, another finds again. */
static void test_kinds_do_not_disturb_each_other(void **state)
{
	(void)state;
	struct mw_package_walk *walk = new_walk();
	write_package("/a/x.dist-info/METADATA", "x");
	write_file("/a/node_modules/n/package.json", "{\"name\": \"n\"}");
	(void)settle(walk);
	struct seen seen = {0};
	const struct mw_package_walk_options npm = {.kinds = 1U << MW_PACKAGE_NPM, .is_foreground = true};
	assert_int_equal(walk_with(walk, npm, &seen, INT64_MAX), 0);
	assert_string_equal(seen.names, "n ");
	seen = walk_once(walk);
	assert_string_equal(seen.names, "x ");
	assert_int_equal(mw_package_walk_stats(walk)->folders_listed, 0);
	assert_int_equal(mw_package_walk_stats(walk)->files_read, 0);
	mw_package_walk_free(walk);
}

static void test_follows_no_links_and_reads_files_only(void **state)
{
	(void)state;
	struct mw_package_walk *walk = new_walk();
	write_package("/real/x.egg-info", "x");
	assert_int_equal(symlink("/", at("/all")), 0);
	assert_int_equal(symlink("real", at("/again")), 0);
	assert_int_equal(symlink("loop.egg-info", at("/real/loop.egg-info")), 0);
	assert_int_equal(symlink("x.egg-info", at("/real/y.egg-info")), 0);
	assert_int_equal(mkfifo(at("/real/fifo.egg-info"), 0600), 0);
	struct seen seen = walk_once(walk);
	assert_string_equal(seen.names, "x ");
	assert_int_equal(seen.warnings, 0);
	mw_package_walk_free(walk);
}

static void test_begins_below(void **state)
{
	(void)state;
	struct mw_package_walk *walk = new_walk();
	write_package("/a/x.egg-info", "x");
	write_package("/a/b/y.egg-info", "y");
	write_package("/a/b/c/z.egg-info", "z");
	assert_int_equal(symlink("a", at("/link")), 0);
	struct seen seen = {0};
	struct mw_package_walk_options options = {.start = "/a", .depth = 1, .is_foreground = true};
	assert_int_equal(walk_with(walk, options, &seen, INT64_MAX), 0);
	assert_string_equal(seen.paths, "/a/x.egg-info /a/b/y.egg-info ");
	assert_int_equal(seen.warnings, 0);
	seen = (struct seen){0};
	options = (struct mw_package_walk_options){.start = "/link/b", .is_foreground = true};
	assert_int_equal(walk_with(walk, options, &seen, INT64_MAX), 0);
	assert_string_equal(seen.paths, "/link/b/y.egg-info /link/b/c/z.egg-info ");
	seen = (struct seen){0};
	options = (struct mw_package_walk_options){.start = "/nowhere", .is_foreground = true};
	assert_int_equal(walk_with(walk, options, &seen, INT64_MAX), 0);
	assert_int_equal(seen.packages + seen.warnings, 0);
	/* More places than are remembered. */
	for (unsigned i = 0; i < 40; i++) {
		char start[32];
		(void)snprintf(start, sizeof(start), "/a/%u", i);
		options.start = start;
		assert_int_equal(walk_with(walk, options, &seen, INT64_MAX), 0);
	}
	mw_package_walk_free(walk);
}

static void test_is_bounded(void **state)
{
	(void)state;
	struct mw_package_walk *walk = new_walk();
	write_package("/a.egg-info", "a");
	for (unsigned i = 0; i < 50; i++) {
		char path[64];
		(void)snprintf(path, sizeof(path), "/many/%u.txt", i);
		write_file(path, "");
	}
	struct seen seen = {0};
	struct mw_package_walk_options options = {.entries = 20, .is_foreground = true};
	assert_int_equal(walk_with(walk, options, &seen, INT64_MAX), 0);
	assert_string_equal(seen.names, "a ");
	assert_int_equal(seen.warnings, 1);
	assert_non_null(strstr(seen.warning, "stopped: too many files; rows are missing"));

	/* Folders in folders, more than are gone into. */
	char deep[PATH_BYTES] = "/d";
	for (unsigned i = 0; i < 140; i++)
		(void)strncat(deep, "/d", sizeof(deep) - strlen(deep) - 1);
	(void)strncat(deep, "/deep.egg-info", sizeof(deep) - strlen(deep) - 1);
	write_package(deep, "deep");
	seen = walk_once(walk);
	assert_string_equal(seen.names, "a ");
	assert_int_equal(seen.warnings, 1);
	assert_non_null(strstr(seen.warning, "/d/d/d/d"));

	/* A deadline that has passed is noticed after some files. */
	remove_below(AT_FDCWD, at("/d"));
	seen = (struct seen){0};
	options = (struct mw_package_walk_options){.is_foreground = true};
	for (unsigned i = 0; i < 300; i++) {
		char path[64];
		(void)snprintf(path, sizeof(path), "/many/x%u.txt", i);
		write_file(path, "");
	}
	assert_int_equal(walk_with(walk, options, &seen, 0), 0);
	assert_int_equal(seen.warnings, 1);
	assert_non_null(strstr(seen.warning, " ms; rows are missing"));
	mw_package_walk_free(walk);
}

static void test_ends_when_the_sink_says_so(void **state)
{
	(void)state;
	struct mw_package_walk *walk = new_walk();
	write_package("/a.egg-info", "a");
	write_package("/b.egg-info", "b");
	const struct mw_package_walk_options options = {.is_foreground = true};
	static const int codes[] = {-ENOBUFS, -ETIME, -ECANCELED};
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		struct seen seen = {.fail_with = codes[i]};
		assert_int_equal(walk_with(walk, options, &seen, INT64_MAX), codes[i]);
		assert_int_equal(seen.packages, 1);
		assert_int_equal(seen.warnings, 0);
	}
	/* From memory as well. */
	(void)settle(walk);
	struct seen seen = {.fail_with = -ENOBUFS};
	assert_int_equal(walk_with(walk, options, &seen, INT64_MAX), -ENOBUFS);
	assert_int_equal(mw_package_walk_stats(walk)->files_kept, 1);
	mw_package_walk_free(walk);
}

static void test_is_humble(void **state)
{
	(void)state;
	struct mw_package_walk *walk = new_walk();
	write_package("/a.egg-info", "a");
	struct seen seen = {0};
	const struct mw_package_walk_options options = {0};
	int before = getpriority(PRIO_PROCESS, 0);
	assert_int_equal(walk_with(walk, options, &seen, INT64_MAX), 0);
	assert_int_equal(seen.packages, 1);
	assert_int_not_equal(seen.thread, syscall(SYS_gettid));
	assert_int_equal(seen.nice, before > 10 ? before : 10);
	/* And we are what we were. */
	assert_int_equal(getpriority(PRIO_PROCESS, 0), before);
	mw_package_walk_free(walk);
}

/* Is the beginning of a file in the page cache?  By mincore(2): reading, even if it must not wait, would bring it there. */
static bool is_cached(const char *path)
{
	unsigned char pages[1] = {0};
	MW_AUTO_FD fd = open(at(path), O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	void *mapping = mmap(NULL, 1, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(mapping, MAP_FAILED);
	assert_int_equal(mincore(mapping, 1, pages), 0);
	(void)munmap(mapping, 1);
	return pages[0] & 1;
}

static void test_leaves_the_page_cache_as_it_was(void **state)
{
	(void)state;
	write_package("/cold.egg-info", "cold");
	write_package("/warm.egg-info", "warm");
	MW_AUTO_FD fd = open(at("/cold.egg-info"), O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	(void)fsync(fd);
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	if (is_cached("/cold.egg-info") || !is_cached("/warm.egg-info")) {
		print_message("the file system of $TMPDIR keeps its files in memory\n");
		skip();
	}
	/* The kernel lets go what it can: not a page that another CPU is still busy with.  Not letting go is never seen to work. */
	bool is_let_go = false;
	for (unsigned round = 0; round < ROUNDS && !is_let_go; round++) {
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		if (is_cached("/cold.egg-info"))
			continue;
		struct mw_package_walk *walk = new_walk();
		struct seen seen = walk_once(walk);
		assert_string_equal(seen.names, "cold warm ");
		is_let_go = !is_cached("/cold.egg-info");
		mw_package_walk_free(walk);
	}
	assert_true(is_let_go);
	assert_true(is_cached("/warm.egg-info"));
}

static bool had_enough(void)
{
	return true;
}

static void test_ends_when_nobody_waits(void **state)
{
	(void)state;
	struct mw_package_walk *walk = new_walk();
	struct seen seen = {0};
	for (unsigned i = 0; i < 300; i++) {
		char path[64];
		(void)snprintf(path, sizeof(path), "/%u.txt", i);
		write_file(path, "");
	}
	write_package("/z/a.egg-info", "a");
	const struct mw_package_sink sink = {
		.emit = emit, .warn = warn, .data = &seen, .deadline_ns = INT64_MAX, .is_unwanted = had_enough};
	MW_AUTO_FD rootfd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct mw_package_walk_options options = {.rootfd = rootfd, .kinds = 1U << MW_PACKAGE_PYTHON};
	assert_int_equal(mw_package_walk_find(walk, &options, &sink), 0);
	assert_int_equal(seen.packages, 0);
	assert_int_equal(seen.warnings, 1);
	mw_package_walk_free(walk);
}

/* What a container's own /proc, /sys and the like are mounted as. */
static void test_stays_out_of_the_kernels_file_systems(void **state)
{
	(void)state;
	struct mw_mounts mounts;
	mw_mounts_read(&mounts);
	if (access("/proc/self/mountinfo", R_OK) == 0)
		assert_true(mw_mounts_has(&mounts, "/proc"));
	assert_false(mw_mounts_has(&mounts, "/"));
	assert_false(mw_mounts_has(&mounts, root));
	mw_mounts_release(&mounts);
	MW_AUTO_FD proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(mw_mounts_is_foreign(proc));
	MW_AUTO_FD here = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_false(mw_mounts_is_foreign(here));
}

static void test_warnings_are_repeated(void **state)
{
	(void)state;
	struct mw_package_walk *walk = new_walk();
	write_file("/a.egg-info", "no name\n");
	write_package("/b.egg-info", "b");
	assert_int_equal(walk_once(walk).warnings, 1);
	struct seen seen = settle(walk);
	assert_int_equal(seen.warnings, 1);
	assert_string_equal(seen.warning, "/a.egg-info: names no package");
	assert_string_equal(seen.names, "b ");
	mw_package_walk_free(walk);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_root, remove_root)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_reads_again_only_what_changed),
		TEST(test_kinds_do_not_disturb_each_other),
		TEST(test_follows_no_links_and_reads_files_only),
		TEST(test_begins_below),
		TEST(test_is_bounded),
		TEST(test_ends_when_the_sink_says_so),
		TEST(test_is_humble),
		TEST(test_leaves_the_page_cache_as_it_was),
		TEST(test_ends_when_nobody_waits),
		TEST(test_stays_out_of_the_kernels_file_systems),
		TEST(test_warnings_are_repeated),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

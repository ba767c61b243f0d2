/* What walks for packages remember outlives the program, where that is safe, and what is wrong with it hurts nobody. */
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

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "pkg/cache.h"
#include "pkg/tree.h"
#include "pkg/walk.h"

enum {
	PACKAGES = 3,
};

static char root[256];
static char dir[300];
static char file[400];

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static int make_root(void **state)
{
	(void)state;
	const char *above = getenv("TMPDIR");
	char path[400];
	(void)snprintf(root, sizeof(root), "%.200s/cache-XXXXXX", above ? above : "/tmp");
	if (!mkdtemp(root))
		return -1;
	(void)snprintf(dir, sizeof(dir), "%s/state", root);
	(void)snprintf(file, sizeof(file), "%s/" MW_PACKAGE_CACHE_FILE, dir);
	if (mkdir(dir, 0700) < 0)
		return -1;
	for (unsigned i = 0; i < PACKAGES; i++) {
		char text[128];
		(void)snprintf(path, sizeof(path), "%s/p%u.dist-info", root, i);
		if (mkdir(path, 0700) < 0)
			return -1;
		(void)snprintf(path, sizeof(path), "%s/p%u.dist-info/METADATA", root, i);
		(void)snprintf(text, sizeof(text), "Metadata-Version: 2.1\nName: p%u\nVersion: 1.%u\n", i, i);
		write_file(path, text);
	}
	return 0;
}

static int remove_root(void **state)
{
	(void)state;
	char path[400];
	(void)unlink(file);
	(void)rmdir(dir);
	for (unsigned i = 0; i < PACKAGES; i++) {
		(void)snprintf(path, sizeof(path), "%s/p%u.dist-info/METADATA", root, i);
		(void)unlink(path);
		(void)snprintf(path, sizeof(path), "%s/p%u.dist-info", root, i);
		(void)rmdir(path);
	}
	return rmdir(root);
}

static int emit(void *data, const struct mw_package *package)
{
	unsigned *seen = data;
	assert_int_equal(package->name[0], 'p');
	(*seen)++;
	return 0;
}

static void warn(void *data, const char *line)
{
	(void)data;
	fail_msg("%s", line);
}

/* Packages that a walk finds; how many files it read for that. */
static uint64_t walk_once(struct mw_package_walk *walk, int64_t since_ns)
{
	unsigned seen = 0;
	const struct mw_package_sink sink = {.emit = emit, .warn = warn, .data = &seen, .deadline_ns = INT64_MAX};
	MW_AUTO_FD rootfd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct mw_package_walk_options options = {
		.rootfd = rootfd, .kinds = 1U << MW_PACKAGE_PYTHON, .is_foreground = true, .since_ns = since_ns};
	assert_int_equal(mw_package_walk_find(walk, &options, &sink), 0);
	assert_int_equal(seen, PACKAGES);
	return mw_package_walk_stats(walk)->files_read;
}

/* With all of it old enough to be remembered. */
static struct mw_package_walk *settled(void)
{
	struct mw_package_walk *walk;
	int64_t deadline_ns = mw_clock_mono_ns() + 20 * (int64_t)MW_NS_PER_S;
	assert_int_equal(mw_package_walk_new(&walk), 0);
	do
		(void)walk_once(walk, 0);
	while ((mw_package_walk_stats(walk)->files_read || mw_package_walk_stats(walk)->folders_listed) &&
	       mw_clock_mono_ns() < deadline_ns);
	assert_int_equal(mw_package_walk_stats(walk)->files_read, 0);
	return walk;
}

static void save(struct mw_package_walk *walk)
{
	MW_AUTO_FD rootfd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	mw_package_cache_save(walk, dir, rootfd);
}

/* Files that the first walk reads which may use the cache. */
static uint64_t read_with_cache(void)
{
	struct mw_package_walk *walk;
	MW_AUTO_FD rootfd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mw_package_walk_new(&walk), 0);
	mw_package_cache_load(walk, dir, rootfd);
	uint64_t files = walk_once(walk, 0);
	mw_package_walk_free(walk);
	return files;
}

static void is_used_by_the_next(void **state)
{
	(void)state;
	struct stat st;
	struct mw_package_walk *walk = settled();
	assert_int_equal(read_with_cache(), PACKAGES);
	save(walk);
	mw_package_walk_free(walk);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(read_with_cache(), 0);
	/* What has changed meanwhile is read again. */
	char path[400];
	(void)snprintf(path, sizeof(path), "%s/p1.dist-info/METADATA", root);
	write_file(path, "Metadata-Version: 2.1\nName: p1\nVersion: 2\n");
	assert_int_equal(read_with_cache(), 1);
}

static void is_not_taken_from_others(void **state)
{
	(void)state;
	char other[500];
	struct mw_package_walk *walk = settled();
	save(walk);
	mw_package_walk_free(walk);
	assert_int_equal(chmod(dir, 0777), 0);
	assert_int_equal(read_with_cache(), PACKAGES);
	assert_int_equal(chmod(dir, 0700), 0);
	assert_int_equal(chmod(file, 0644), 0);
	assert_int_equal(read_with_cache(), PACKAGES);
	assert_int_equal(chmod(file, 0600), 0);
	assert_int_equal(read_with_cache(), 0);
	(void)snprintf(other, sizeof(other), "%s.other", file);
	assert_int_equal(rename(file, other), 0);
	assert_int_equal(symlink(other, file), 0);
	assert_int_equal(read_with_cache(), PACKAGES);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(mkfifo(file, 0600), 0);
	assert_int_equal(read_with_cache(), PACKAGES);
	assert_int_equal(unlink(file), 0);
	if (geteuid() == 0) {
		assert_int_equal(rename(other, file), 0);
		assert_int_equal(chown(file, 65534, 65534), 0);
		assert_int_equal(read_with_cache(), PACKAGES);
	}
	(void)unlink(other);
}

/* Nor is it put where others can write. */
static void is_not_given_to_others(void **state)
{
	(void)state;
	struct mw_package_walk *walk = settled();
	assert_int_equal(chmod(dir, 0722), 0);
	save(walk);
	assert_int_equal(access(file, F_OK), -1);
	assert_int_equal(chmod(dir, 0700), 0);
	assert_int_equal(symlink("/nowhere", file), 0);
	save(walk);
	mw_package_walk_free(walk);
	assert_int_equal(read_with_cache(), 0); /* the link was replaced */
}

static void what_is_damaged_is_not_read(void **state)
{
	(void)state;
	struct mw_package_walk *walk = settled();
	struct stat st;
	save(walk);
	mw_package_walk_free(walk);
	assert_int_equal(stat(file, &st), 0);
	MW_AUTO_FREE char *whole = malloc((size_t)st.st_size);
	MW_AUTO_FD fd = open(file, O_RDWR | O_CLOEXEC);
	assert_int_equal(read(fd, whole, (size_t)st.st_size), st.st_size);
	for (off_t at = 0; at < st.st_size; at += 13) {
		char flipped = (char)(whole[at] ^ 0x40);
		assert_int_equal(pwrite(fd, &flipped, 1, at), 1);
		assert_int_equal(read_with_cache(), PACKAGES);
		assert_int_equal(pwrite(fd, whole + at, 1, at), 1);
	}
	assert_int_equal(read_with_cache(), 0);
	for (off_t size = 0; size < st.st_size; size += 17) {
		assert_int_equal(ftruncate(fd, size), 0);
		assert_int_equal(read_with_cache(), PACKAGES);
		assert_int_equal(pwrite(fd, whole, (size_t)st.st_size, 0), st.st_size);
	}
}

static void bytes_are_those_that_were_written(void **state)
{
	(void)state;
	struct mw_package_walk *walk = settled();
	MW_AUTO(mw_buf) bytes = MW_BUF(1 << 20);
	MW_AUTO(mw_buf) again = MW_BUF(1 << 20);
	struct mw_tree tree = {.bytes = 0};
	mw_package_cache_write(mw_package_walk_news(walk), &bytes);
	assert_int_equal(mw_package_cache_parse(bytes.data, bytes.size, &tree), 0);
	mw_package_cache_write(&tree, &again);
	assert_int_equal(again.size, bytes.size);
	assert_memory_equal(again.data, bytes.data, bytes.size);
	assert_int_equal(tree.bytes, mw_package_walk_news(walk)->bytes);
	mw_tree_release(&tree);
	/* Without its sum: nothing that is read is past its end, and nothing is left. */
	for (size_t i = 0; i < bytes.size; i++) {
		tree = (struct mw_tree){.bytes = 0};
		assert_int_equal(mw_package_cache_parse(bytes.data, i, &tree), -EPROTO);
		assert_int_equal(tree.bytes, 0);
	}
	mw_package_walk_free(walk);
}

/* One statement that asks many times has one walk. */
static void a_walk_of_late_is_enough(void **state)
{
	(void)state;
	struct mw_package_walk *walk = settled();
	int64_t began_ns = mw_clock_mono_ns();
	(void)walk_once(walk, began_ns);
	assert_true(mw_package_walk_stats(walk)->folders > PACKAGES);
	(void)walk_once(walk, began_ns);
	assert_int_equal(mw_package_walk_stats(walk)->folders, 0);
	(void)walk_once(walk, mw_clock_mono_ns());
	assert_true(mw_package_walk_stats(walk)->folders > PACKAGES);
	mw_package_walk_free(walk);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_root, remove_root)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(is_used_by_the_next),
		TEST(is_not_taken_from_others),
		TEST(is_not_given_to_others),
		TEST(what_is_damaged_is_not_read),
		TEST(bytes_are_those_that_were_written),
		TEST(a_walk_of_late_is_enough),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

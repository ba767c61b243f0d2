/* dpkg's status file while somebody writes it without end. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "pkg/dpkg.h"

enum {
	FILE_BYTES = 64 << 20,
};

static char root[256];
static char status[600];

static int make_root(void **state)
{
	(void)state;
	const char *above = getenv("TMPDIR");
	char folder[512];
	(void)snprintf(root, sizeof(root), "%.200s/dpkg-XXXXXX", above ? above : "/tmp");
	if (!mkdtemp(root))
		return -1;
	(void)snprintf(folder, sizeof(folder), "%s/var/lib/dpkg", root);
	(void)snprintf(status, sizeof(status), "%s/status", folder);
	return mw_file_make_dirs(folder, 0700);
}

static int remove_root(void **state)
{
	(void)state;
	static const char *const names[] = {"/var/lib/dpkg/status", "/var/lib/dpkg", "/var/lib", "/var", ""};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[512];
		(void)snprintf(path, sizeof(path), "%s%s", root, names[i]);
		(void)remove(path);
	}
	return 0;
}

struct seen {
	unsigned packages, warnings;
	int fd; /* grows with each package, when not -1 */
	off_t size;
};

static int emit(void *data, const struct mw_package *package)
{
	static const char more[] = "Package: more\nVersion: 1\n\n";
	struct seen *seen = data;
	assert_non_null(package->name);
	seen->packages++;
	for (unsigned i = 0; seen->fd >= 0 && i < 2 && seen->size < FILE_BYTES; i++) {
		assert_int_equal(write(seen->fd, more, sizeof(more) - 1), sizeof(more) - 1);
		seen->size += (off_t)sizeof(more) - 1;
	}
	return 0;
}

static void warn(void *data, const char *line)
{
	struct seen *seen = data;
	(void)line;
	seen->warnings++;
}

static int read_packages(struct seen *seen, int64_t deadline_ns)
{
	const struct mw_package_sink sink = {.emit = emit, .warn = warn, .data = seen, .deadline_ns = deadline_ns};
	MW_AUTO_FD rootfd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(rootfd >= 0);
	return mw_dpkg_read(rootfd, MW_DPKG_ADMINDIR, &sink);
}

/* Each package that is read is followed by two more. */
static void test_a_file_that_grows_is_read_until_the_deadline(void **state)
{
	(void)state;
	MW_AUTO_FD fd = open(status, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	struct seen seen = {.fd = fd};
	assert_int_equal(write(fd, "Package: first\n\n", 16), 16);
	int64_t began_ns = mw_clock_mono_ns();
	assert_int_equal(read_packages(&seen, began_ns + 200 * (int64_t)MW_NS_PER_MS), -ETIME);
	assert_true(seen.packages > 1);
	assert_true(mw_clock_mono_ns() - began_ns < 20 * (int64_t)MW_NS_PER_S);
}

/* Holes read as zeros: a gigabyte without a newline costs no disk. */
static void test_a_file_without_an_end_is_read_to_a_bound(void **state)
{
	(void)state;
	MW_AUTO_FD fd = open(status, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	struct seen seen = {.fd = -1};
	assert_int_equal(write(fd, "Package: first\n\n", 16), 16);
	assert_int_equal(ftruncate(fd, (off_t)1 << 30), 0);
	assert_int_equal(read_packages(&seen, INT64_MAX), 0);
	assert_int_equal(seen.packages, 1);
	assert_int_equal(seen.warnings, 1);
}

static void test_no_database_is_no_package(void **state)
{
	(void)state;
	struct seen seen = {.fd = -1};
	assert_int_equal(read_packages(&seen, INT64_MAX), 0);
	assert_int_equal(seen.packages + seen.warnings, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_file_that_grows_is_read_until_the_deadline, make_root,
						remove_root),
		cmocka_unit_test_setup_teardown(test_a_file_without_an_end_is_read_to_a_bound, make_root, remove_root),
		cmocka_unit_test_setup_teardown(test_no_database_is_no_package, make_root, remove_root),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

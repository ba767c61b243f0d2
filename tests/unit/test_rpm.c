/* rpm's database in SQLite while rpm writes it: what is committed is seen, and nobody notices us. */
#include <dirent.h>
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
#include <sqlite3.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "pkg/rpm.h"

#define DATABASE "var/lib/rpm/rpmdb.sqlite"

static char root[256];
static char database[512];

static void copy(const char *from, const char *to)
{
	MW_AUTO(mw_buf) bytes = MW_BUF(1 << 20);
	assert_int_equal(mw_file_read_at(AT_FDCWD, from, &bytes), 0);
	MW_AUTO_FD fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes.data, bytes.size), bytes.size);
}

static int make_root(void **state)
{
	(void)state;
	const char *above = getenv("TMPDIR");
	char folder[512];
	(void)snprintf(root, sizeof(root), "%.200s/rpm-XXXXXX", above ? above : "/tmp");
	if (!mkdtemp(root))
		return -1;
	(void)snprintf(folder, sizeof(folder), "%s/var/lib/rpm", root);
	(void)snprintf(database, sizeof(database), "%s/%s", root, DATABASE);
	if (mw_file_make_dirs(folder, 0700) < 0)
		return -1;
	copy(MW_TEST_FIXTURES "/rpmdb/sqlite/" DATABASE, database);
	return 0;
}

static int remove_root(void **state)
{
	(void)state;
	static const char *const names[] = {
		"/" DATABASE,
		"/" DATABASE "-wal",
		"/" DATABASE "-shm",
		"/var/lib/rpm/lone",
		"/var/lib/rpm",
		"/var/lib",
		"/var",
		"",
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[512];
		(void)snprintf(path, sizeof(path), "%s%s", root, names[i]);
		(void)remove(path);
	}
	return 0;
}

struct seen {
	unsigned packages, warnings;
	char names[256];
	char warning[512];
};

static int emit(void *data, const struct mw_package *package)
{
	struct seen *seen = data;
	seen->packages++;
	size_t n = strlen(seen->names);
	(void)snprintf(seen->names + n, sizeof(seen->names) - n, "%s ", package->name);
	return 0;
}

static void warn(void *data, const char *line)
{
	struct seen *seen = data;
	seen->warnings++;
	(void)snprintf(seen->warning, sizeof(seen->warning), "%s", line);
}

static struct seen read_packages(void)
{
	struct seen seen = {0};
	const struct mw_package_sink sink = {.emit = emit, .warn = warn, .data = &seen, .deadline_ns = INT64_MAX};
	MW_AUTO_FD rootfd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(rootfd >= 0);
	assert_int_equal(mw_rpm_read(rootfd, &sink), 0);
	return seen;
}

static void run(sqlite3 *db, const char *sql)
{
	char *message = NULL;
	int r = sqlite3_exec(db, sql, NULL, NULL, &message);
	if (r != SQLITE_OK)
		print_error("%s: %s\n", sql, message);
	assert_int_equal(r, SQLITE_OK);
}

static sqlite3 *open_writer(void)
{
	sqlite3 *db = NULL;
	assert_int_equal(sqlite3_open(database, &db), SQLITE_OK);
	run(db, "PRAGMA journal_mode = WAL");
	run(db, "PRAGMA wal_autocheckpoint = 0");
	return db;
}

static unsigned count_files(void)
{
	char folder[512];
	unsigned count = 0;
	(void)snprintf(folder, sizeof(folder), "%s/var/lib/rpm", root);
	DIR *dir = opendir(folder);
	assert_non_null(dir);
	const struct dirent *entry;
	while ((entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

/* A third package, a copy of the first. */
#define INSERT "INSERT INTO Packages(blob) SELECT blob FROM Packages ORDER BY hnum LIMIT 1"

static void test_sees_the_log(void **state)
{
	(void)state;
	sqlite3 *writer = open_writer();
	run(writer, INSERT);
	struct seen seen = read_packages();
	assert_int_equal(seen.packages, 3);
	assert_int_equal(seen.warnings, 0);
	run(writer, "DELETE FROM Packages");
	assert_int_equal(read_packages().packages, 0);
	sqlite3_close(writer);
}

static void test_transaction_is_not_seen_before_its_end(void **state)
{
	(void)state;
	sqlite3 *writer = open_writer();
	run(writer, "BEGIN EXCLUSIVE");
	run(writer, INSERT);
	struct seen seen = read_packages();
	assert_int_equal(seen.packages, 2);
	assert_int_equal(seen.warnings, 0);
	/* A reader that took a lock would make this fail at once. */
	run(writer, "COMMIT");
	run(writer, "PRAGMA wal_checkpoint(TRUNCATE)");
	assert_int_equal(read_packages().packages, 3);
	sqlite3_close(writer);
}

static void test_changes_nothing(void **state)
{
	(void)state;
	struct stat before;
	struct stat after;
	sqlite3_close(open_writer()); /* says that it wants a log, and has none */
	assert_int_equal(stat(database, &before), 0);
	unsigned files = count_files();
	struct seen seen = read_packages();
	assert_int_equal(seen.packages, 2);
	assert_int_equal(seen.warnings, 0);
	assert_int_equal(stat(database, &after), 0);
	assert_int_equal(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
	assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	assert_int_equal(files, 1);
	assert_int_equal(count_files(), files);
}

static void test_a_torn_log_counts_to_its_last_transaction(void **state)
{
	(void)state;
	char log[600];
	struct stat st;
	sqlite3 *writer = open_writer();
	run(writer, INSERT);
	(void)snprintf(log, sizeof(log), "%s-wal", database);
	assert_int_equal(stat(log, &st), 0);
	run(writer, INSERT);
	assert_int_equal(read_packages().packages, 4);
	assert_int_equal(truncate(log, st.st_size + 100), 0);
	assert_int_equal(read_packages().packages, 3);
	/* Garbage is no log. */
	copy(MW_TEST_FIXTURES "/rpmdb/bdb.txt", log);
	assert_int_equal(read_packages().packages, 2);
	sqlite3_close(writer);
}

/* What a database may say instead of a table. */
static void test_runs_no_code_of_a_database(void **state)
{
	(void)state;
	sqlite3 *writer = NULL;
	assert_int_equal(sqlite3_open(database, &writer), SQLITE_OK);
	run(writer, "DROP TABLE Packages");
	run(writer, "CREATE VIEW Packages AS WITH RECURSIVE n(blob) AS (SELECT 1 UNION ALL SELECT blob + 1 FROM n) "
		    "SELECT blob FROM n");
	sqlite3_close(writer);
	struct seen seen = read_packages();
	assert_int_equal(seen.packages, 0);
	assert_int_equal(seen.warnings, 1);
	assert_non_null(strstr(seen.warning, "/" DATABASE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sees_the_log, make_root, remove_root),
		cmocka_unit_test_setup_teardown(test_transaction_is_not_seen_before_its_end, make_root, remove_root),
		cmocka_unit_test_setup_teardown(test_changes_nothing, make_root, remove_root),
		cmocka_unit_test_setup_teardown(test_a_torn_log_counts_to_its_last_transaction, make_root, remove_root),
		cmocka_unit_test_setup_teardown(test_runs_no_code_of_a_database, make_root, remove_root),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

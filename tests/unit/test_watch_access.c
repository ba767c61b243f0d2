/* What may not be read, and file systems where others change files: as a user that is not root. */
#include "watched.h"

#include <linux/magic.h>

#include "loop/loop.h"
#include "watch/state.h"
#include "watch/watch.h"

static struct watched w;

static int setup(void **state)
{
	(void)state;
	char root[] = "/tmp/mw_watch_XXXXXX";
	assert_non_null(mkdtemp(root));
	watched_open(&w, root, &(struct mw_watch_options){.poll_ms = 20});
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	watched_close(&w);
	watched_rm(w.root);
	return 0;
}

static void need_another_user(void)
{
	if (geteuid() != 0)
		return;
	print_message("this process cannot be another user than root, who may read everything\n");
	skip();
}

static void folders_that_may_not_be_read_are_said_and_looked_at(void **state)
{
	(void)state;
	need_another_user();
	watched_mkdir(&w, "closed");
	watched_write(&w, "closed/f", "x");
	assert_int_equal(chmod(watched_path(&w, "closed"), 0), 0);
	watched_write(&w, "open", "x");
	watched_patterns(&w, PATTERNS("%%"), NULL, false);
	struct mw_watch_counters counters;
	mw_watch_count(w.watch, &counters);
	assert_int_equal(counters.unreadable, 1);
	assert_int_equal(counters.polled, 1);
	assert_non_null(strstr(w.reports, "/closed' may not be read"));
	/* The others are watched all the same. */
	watched_write(&w, "open", "y");
	watched_await(&w, "MODIFY open closed\n");
	/* Once it may be read it is. */
	assert_int_equal(chmod(watched_path(&w, "closed"), 0755), 0);
	w.wanted = "closed/f poll\n";
	watched_run(&w, watched_has_told, 20000);
	watched_forget(&w);
	watched_write(&w, "closed/g", "x");
	watched_await(&w, "CREATE closed/g\n");
}

static void a_file_in_a_folder_that_may_not_be_read_is_looked_at_by_its_name(void **state)
{
	(void)state;
	need_another_user();
	watched_mkdir(&w, "closed");
	watched_write(&w, "closed/f", "x");
	assert_int_equal(chmod(watched_path(&w, "closed"), 0311), 0);
	watched_patterns(&w, PATTERNS("closed/f"), NULL, false);
	watched_write(&w, "closed/f", "longer");
	watched_await(&w, "MODIFY closed/f poll\n");
	watched_write(&w, "closed/other", "x");
	assert_int_equal(unlink(watched_path(&w, "closed/f")), 0);
	watched_await(&w, "DELETE closed/f poll\n");
	assert_null(strstr(w.log, "other"));
	assert_int_equal(chmod(watched_path(&w, "closed"), 0755), 0);
}

/* None of them can be mounted here: what statfs(2) says of them decides. */
static void file_systems_where_others_change_files_are_looked_at_too(void **state)
{
	(void)state;
	static const struct {
		unsigned long type;
		const char *name;
	} are[] = {
		{NFS_SUPER_MAGIC, "nfs"}, {0xff534d42, "cifs"},       {0xfe534d42, "smb2"},
		{V9FS_MAGIC, "9p"},       {FUSE_SUPER_MAGIC, "fuse"}, {0x00c36400, "ceph"},
	};
	for (size_t i = 0; i < sizeof(are) / sizeof(*are); i++) {
		assert_non_null(mw_scan_unheard(are[i].type));
		assert_string_equal(mw_scan_unheard(are[i].type), are[i].name);
	}
	static const unsigned long are_not[] = {EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC, TMPFS_MAGIC,
						OVERLAYFS_SUPER_MAGIC};
	for (size_t i = 0; i < sizeof(are_not) / sizeof(*are_not); i++)
		assert_null(mw_scan_unheard(are_not[i]));
}

int main(void)
{
	/* Nobody; it has a folder of its own in each test. */
	if (geteuid() == 0 && setresgid(65534, 65534, 65534) == 0)
		(void)!setresuid(65534, 65534, 65534);
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(folders_that_may_not_be_read_are_said_and_looked_at),
		TEST(a_file_in_a_folder_that_may_not_be_read_is_looked_at_by_its_name),
		TEST(file_systems_where_others_change_files_are_looked_at_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

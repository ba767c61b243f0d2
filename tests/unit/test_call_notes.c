/* Which change a system call explains, and which it must not. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "event/event.h"
#include "sensor/call_notes.h"
#include "watch/watch.h"

static struct {
	struct mw_call_notes *notes;
	struct mw_process *a, *b;
	int64_t now_ns;
	unsigned id;
} t;

static int start(void **state)
{
	(void)state;
	t.now_ns = mw_clock_real_ns();
	t.id = 0;
	t.a = mw_process_new(100, NULL, 1);
	t.b = mw_process_new(200, NULL, 1);
	return mw_call_notes_new(&t.notes);
}

static int stop(void **state)
{
	(void)state;
	mw_call_notes_free(t.notes);
	mw_process_unref(t.a);
	mw_process_unref(t.b);
	return 0;
}

static void call(struct mw_process *process, enum mw_event_kind kind, struct mw_file file, int64_t result)
{
	const struct mw_call call = {.name = "x", .result = result};
	struct mw_event event = {.kind = kind, .time_ns = t.now_ns, .process = process, .file = &file, .call = &call};
	(void)snprintf(event.id, sizeof(event.id), "%u", ++t.id);
	mw_call_notes_add(t.notes, &event, NULL);
}

static pid_t who(enum mw_change_kind kind, const char *path, struct mw_change more)
{
	struct mw_explained explained;
	more.kind = kind;
	more.path = path;
	more.times = more.times ? more.times : 1;
	more.time_ns = more.time_ns ? more.time_ns : t.now_ns;
	return mw_call_notes_explain(t.notes, &more, &explained) ? explained.process->pid : 0;
}

static const struct mw_change no_more;

static void each_call_explains_its_change_once(void **state)
{
	(void)state;
	call(t.a, MW_FILE_CREATE, (struct mw_file){.path = "/f", .size = -1}, 3);
	assert_int_equal(who(MW_CHANGE_DELETE, "/f", no_more), 0);
	assert_int_equal(who(MW_CHANGE_CREATE, "/g", no_more), 0);
	assert_int_equal(who(MW_CHANGE_CREATE, "/f", no_more), 100);
	assert_int_equal(who(MW_CHANGE_CREATE, "/f", no_more), 0);
	call(t.b, MW_FILE_DELETE, (struct mw_file){.path = "/f", .size = -1}, 0);
	assert_int_equal(who(MW_CHANGE_DELETE, "/f", no_more), 200);
	assert_int_equal(who(MW_CHANGE_DELETE, "/f", no_more), 0);
}

static void calls_of_several_processes_explain_in_their_order(void **state)
{
	(void)state;
	call(t.a, MW_FILE_DELETE, (struct mw_file){.path = "/f", .size = -1}, 0);
	call(t.b, MW_FILE_DELETE, (struct mw_file){.path = "/f", .size = -1}, 0);
	assert_int_equal(who(MW_CHANGE_DELETE, "/f", no_more), 100);
	assert_int_equal(who(MW_CHANGE_DELETE, "/f", no_more), 200);
}

static void a_failed_call_explains_nothing(void **state)
{
	(void)state;
	call(t.a, MW_FILE_DELETE, (struct mw_file){.path = "/f", .size = -1}, -1);
	assert_int_equal(who(MW_CHANGE_DELETE, "/f", no_more), 0);
}

static void who_opened_to_write_explains_changes_until_it_is_closed(void **state)
{
	(void)state;
	call(t.a, MW_FILE_OPEN, (struct mw_file){.path = "/f", .size = -1, .is_write = true, .open_flags = O_WRONLY},
	     3);
	assert_int_equal(who(MW_CHANGE_MODIFY, "/f", no_more), 100);
	assert_int_equal(who(MW_CHANGE_MODIFY, "/f", no_more), 100);
	assert_int_equal(who(MW_CHANGE_MODIFY, "/f", (struct mw_change){.is_closed = true}), 100);
	assert_int_equal(who(MW_CHANGE_MODIFY, "/f", no_more), 0);
	call(t.a, MW_FILE_OPEN, (struct mw_file){.path = "/f", .size = -1}, 3);
	assert_int_equal(who(MW_CHANGE_MODIFY, "/f", no_more), 0);
	assert_int_equal(who(MW_CHANGE_OPEN, "/f", no_more), 100);
}

static void two_writers_are_nobody(void **state)
{
	(void)state;
	call(t.a, MW_FILE_OPEN, (struct mw_file){.path = "/f", .size = -1, .is_write = true}, 3);
	call(t.b, MW_FILE_OPEN, (struct mw_file){.path = "/f", .size = -1, .is_write = true}, 3);
	assert_int_equal(who(MW_CHANGE_MODIFY, "/f", no_more), 0);
}

static void another_file_of_that_name_is_not_explained(void **state)
{
	(void)state;
	const struct mw_change other = {.has_stat = true, .stat = {.inode = 8, .device = 1}};
	call(t.a, MW_FILE_CREATE, (struct mw_file){.path = "/f", .size = -1, .inode = 7, .device = 1}, 3);
	assert_int_equal(who(MW_CHANGE_CREATE, "/f", other), 0);
}

static void another_name_of_that_file_is(void **state)
{
	(void)state;
	const struct mw_change same = {.has_stat = true, .stat = {.inode = 7, .device = 1}};
	call(t.a, MW_FILE_CREATE, (struct mw_file){.path = "/mnt/f", .size = -1, .inode = 7, .device = 1}, 3);
	assert_int_equal(who(MW_CHANGE_CREATE, "/link/f", same), 100);
}

static void renames_have_two_names(void **state)
{
	(void)state;
	call(t.a, MW_FILE_RENAME, (struct mw_file){.path = "/new", .old_path = "/old", .size = -1}, 0);
	assert_int_equal(who(MW_CHANGE_RENAME, "/new", (struct mw_change){.old_path = "/other"}), 0);
	assert_int_equal(who(MW_CHANGE_RENAME, "/new", (struct mw_change){.old_path = "/old"}), 100);
	/* Only one of them is watched. */
	call(t.a, MW_FILE_RENAME, (struct mw_file){.path = "/in", .old_path = "/x", .size = -1}, 0);
	assert_int_equal(who(MW_CHANGE_CREATE, "/in", no_more), 100);
	call(t.a, MW_FILE_RENAME, (struct mw_file){.path = "/x", .old_path = "/out", .size = -1}, 0);
	assert_int_equal(who(MW_CHANGE_DELETE, "/out", no_more), 100);
}

static void what_is_long_ago_or_was_found_explains_nothing(void **state)
{
	(void)state;
	call(t.a, MW_FILE_DELETE, (struct mw_file){.path = "/f", .size = -1}, 0);
	const struct mw_change late = {.time_ns = t.now_ns + 5 * (int64_t)MW_NS_PER_S};
	assert_int_equal(who(MW_CHANGE_DELETE, "/f", late), 0);
	assert_int_equal(who(MW_CHANGE_DELETE, "/f", (struct mw_change){.found_by = MW_FOUND_BY_SCAN}), 0);
	assert_int_equal(who(MW_CHANGE_DELETE, "/f", no_more), 0);
}

static void what_a_scan_finds_is_explained_by_who_made_it(void **state)
{
	(void)state;
	const struct mw_change scan = {.found_by = MW_FOUND_BY_SCAN};
	call(t.a, MW_FILE_CREATE, (struct mw_file){.path = "/d", .size = -1}, 0);
	assert_int_equal(who(MW_CHANGE_CREATE, "/d", scan), 100);
	assert_int_equal(who(MW_CHANGE_CREATE, "/d", scan), 0);
	/* Made again, by somebody. */
	call(t.a, MW_FILE_CREATE, (struct mw_file){.path = "/e", .size = -1}, 0);
	call(t.a, MW_FILE_DELETE, (struct mw_file){.path = "/e", .size = -1}, 0);
	assert_int_equal(who(MW_CHANGE_CREATE, "/e", scan), 0);
	/* By two. */
	call(t.a, MW_FILE_CREATE, (struct mw_file){.path = "/g", .size = -1}, 0);
	call(t.b, MW_FILE_CREATE, (struct mw_file){.path = "/g", .size = -1}, 0);
	assert_int_equal(who(MW_CHANGE_CREATE, "/g", scan), 0);
	assert_int_equal(who(MW_CHANGE_CREATE, "/g", no_more), 0);
}

static void a_call_without_its_change_does_not_explain_the_next(void **state)
{
	(void)state;
	call(t.a, MW_FILE_CREATE, (struct mw_file){.path = "/f", .size = -1}, 0);
	t.now_ns += 200 * (int64_t)MW_NS_PER_MS;
	call(t.b, MW_FILE_CREATE, (struct mw_file){.path = "/f", .size = -1}, 0);
	assert_int_equal(who(MW_CHANGE_CREATE, "/f", no_more), 200);
	assert_int_equal(who(MW_CHANGE_CREATE, "/f", no_more), 0);
}

static void changes_told_once_take_all_their_calls(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		call(t.a, MW_FILE_ATTRIBUTES, (struct mw_file){.path = "/f", .size = -1}, 0);
	assert_int_equal(who(MW_CHANGE_ATTRIBUTES, "/f", (struct mw_change){.times = 3}), 100);
	assert_int_equal(who(MW_CHANGE_ATTRIBUTES, "/f", no_more), 0);
}

static void only_the_last_thousands_are_kept(void **state)
{
	(void)state;
	call(t.a, MW_FILE_DELETE, (struct mw_file){.path = "/first", .size = -1}, 0);
	for (unsigned i = 0; i < 5000; i++) {
		char path[32];
		(void)snprintf(path, sizeof(path), "/%u", i);
		call(t.b, MW_FILE_CREATE, (struct mw_file){.path = path, .size = -1, .inode = i + 1, .device = 1}, 3);
	}
	assert_int_equal(who(MW_CHANGE_DELETE, "/first", no_more), 0);
	assert_int_equal(who(MW_CHANGE_CREATE, "/10", no_more), 0);
	assert_int_equal(who(MW_CHANGE_CREATE, "/4999", no_more), 200);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(each_call_explains_its_change_once),
		TEST(calls_of_several_processes_explain_in_their_order),
		TEST(a_failed_call_explains_nothing),
		TEST(who_opened_to_write_explains_changes_until_it_is_closed),
		TEST(two_writers_are_nobody),
		TEST(another_file_of_that_name_is_not_explained),
		TEST(another_name_of_that_file_is),
		TEST(renames_have_two_names),
		TEST(what_is_long_ago_or_was_found_explains_nothing),
		TEST(what_a_scan_finds_is_explained_by_who_made_it),
		TEST(a_call_without_its_change_does_not_explain_the_next),
		TEST(changes_told_once_take_all_their_calls),
		TEST(only_the_last_thousands_are_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What is made in a new directory before it is watched is found by its scan, and later it is told by the kernel.  Whoever was
 * faster, the same is told: each race is run both ways here. */
#include "watched.h"

#include "watch/watch.h"

static struct watched w;

enum {
	MANY = 2500, /* more than one slice of a scan goes through */
};

static int setup(void **state)
{
	(void)state;
	char root[] = "/tmp/mw_watch_XXXXXX";
	assert_non_null(mkdtemp(root));
	watched_open(&w, root, NULL);
	watched_patterns(&w, PATTERNS("%%"), NULL, false);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	watched_close(&w);
	watched_rm(w.root);
	return 0;
}

/* Lines without what says how it was found, which may differ. */
static void without_finder(char *text)
{
	static const char *const words[] = {" scan", " closed"};
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		for (char *at; (at = strstr(text, words[i]));)
			memmove(at, at + strlen(words[i]), strlen(at + strlen(words[i])) + 1);
}

static void expect_told(const char *lines)
{
	watched_settle(&w);
	without_finder(w.log);
	assert_string_equal(w.log, lines);
	watched_forget(&w);
}

static int create(const char *name)
{
	int fd = open(watched_path(&w, name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	return fd;
}

static void put(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* The steps of making a file in a new directory; before one of them the watcher looks. */
static void make(unsigned look_before)
{
	for (unsigned step = 0, fd = 0; step < 4; step++) {
		if (step == look_before)
			watched_settle(&w);
		switch (step) {
		case 0:
			watched_mkdir(&w, "d");
			break;
		case 1:
			fd = (unsigned)create("d/f");
			break;
		case 2:
			put((int)fd, "x");
			break;
		default:
			(void)close((int)fd);
		}
	}
}

static void a_file_of_a_new_directory_is_told_made_and_written_whenever_it_is_looked_at(void **state)
{
	(void)state;
	for (unsigned look_before = 1; look_before <= 4; look_before++) {
		make(look_before);
		watched_settle(&w);
		without_finder(w.log);
		/* The closing may be told by itself. */
		if (look_before == 3 && !strcmp(w.log, "CREATE d/\nCREATE d/f\nMODIFY d/f\nMODIFY d/f\n"))
			watched_forget(&w);
		else
			expect_told("CREATE d/\nCREATE d/f\nMODIFY d/f\n");
		watched_rm(watched_path(&w, "d"));
		watched_settle(&w);
		watched_forget(&w);
	}
}

static void one_that_is_empty_is_told_made(void **state)
{
	(void)state;
	watched_mkdir(&w, "d");
	(void)close(create("d/f"));
	expect_told("CREATE d/\nCREATE d/f\n");
}

static void a_second_name_is_told_made_but_not_written(void **state)
{
	(void)state;
	watched_mkdir(&w, "d");
	watched_write(&w, "d/a", "x");
	assert_int_equal(link(watched_path(&w, "d/a"), watched_path(&w, "d/b")), 0);
	watched_settle(&w);
	without_finder(w.log);
	/* The first name may be either. */
	bool is_a = !strcmp(w.log, "CREATE d/\nCREATE d/a\nMODIFY d/a\nCREATE d/b\n");
	bool is_b = !strcmp(w.log, "CREATE d/\nCREATE d/b\nMODIFY d/b\nCREATE d/a\n");
	if (!is_a && !is_b)
		fail_msg("%s", w.log);
}

static void what_is_written_to_anew_in_the_same_tick_is_told(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		watched_mkdir(&w, "d");
		watched_write(&w, "d/f", "x");
		mw_watch_read(w.watch); /* and the directory was gone through */
		watched_forget(&w);
		watched_write(&w, "d/f", "y"); /* size and, where the kernel's times are coarse, these as they were */
		watched_settle(&w);
		assert_non_null(strstr(w.log, "MODIFY d/f"));
		watched_rm(watched_path(&w, "d"));
		watched_settle(&w);
		watched_forget(&w);
	}
}

static unsigned char created[MANY], modified[MANY];

static void count_one(struct watched *watched, const struct mw_change *change)
{
	(void)watched;
	const char *name = strrchr(change->path, '/') + 1;
	unsigned i = (unsigned)strtoul(name + 1, NULL, 10);
	if (name[0] != 'f')
		return;
	assert_true(i < MANY);
	if (change->kind == MW_CHANGE_CREATE)
		created[i]++;
	else if (change->kind == MW_CHANGE_MODIFY)
		modified[i] = 1;
	else
		fail_msg("%s is told otherwise", name);
}

static void what_is_written_to_before_the_scan_comes_to_it_is_told_made(void **state)
{
	(void)state;
	char name[64];
	w.told = count_one;
	watched_mkdir(&w, "d");
	for (unsigned i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof(name), "d/f%u", i);
		(void)close(create(name));
	}
	mw_watch_read(w.watch); /* the watch is there, and a part was gone through */
	for (unsigned i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof(name), "d/f%u", i);
		watched_write(&w, name, "x");
		if (i % 100 == 0)
			mw_watch_read(w.watch);
	}
	watched_settle(&w);
	for (unsigned i = 0; i < MANY; i++) {
		if (created[i] != 1 || !modified[i])
			fail_msg("f%u is told %u times made, %s", i, created[i],
				 modified[i] ? "written" : "not written");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(a_file_of_a_new_directory_is_told_made_and_written_whenever_it_is_looked_at),
		TEST(one_that_is_empty_is_told_made),
		TEST(a_second_name_is_told_made_but_not_written),
		TEST(what_is_written_to_anew_in_the_same_tick_is_told),
		TEST(what_is_written_to_before_the_scan_comes_to_it_is_told_made),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

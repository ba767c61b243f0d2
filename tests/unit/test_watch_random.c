/* Some processes do random things to files in a tree, all at once; what was told, done again somewhere else in the order it
 * was told, must give the same tree. */
#include "watched.h"

#include <dirent.h>
#include <sched.h>
#include <sys/mman.h>

#include "loop/loop.h"
#include "watch/watch.h"

enum {
	WRITERS = 4,
	OPERATIONS = 100000, /* of all of them */
	TREES = 200,
	FOLDERS = 6,
	NAMES = 12,
	DEPTH = 4,
};

static struct watched w;
static char shadow[128]; /* where it is done again: a file's contents there are what was said of it */
static unsigned strays;  /* changes of what was not there */
static uint64_t seed;
static pid_t writers[WRITERS];
static unsigned running;

static uint32_t rnd(uint64_t *state, uint32_t below)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33) % below;
}

/* A path in the tree: some folders down, then a folder's or a file's name. */
static const char *any(uint64_t *state, bool is_folder)
{
	static char paths[2][512];
	static unsigned next;
	char *path = paths[next++ % 2];
	int n = snprintf(path, sizeof(paths[0]), "%s", w.root);
	for (uint32_t depth = rnd(state, DEPTH); depth > 0; depth--)
		n += snprintf(path + n, sizeof(paths[0]) - (size_t)n, "/d%u", rnd(state, FOLDERS));
	(void)snprintf(path + n, sizeof(paths[0]) - (size_t)n, is_folder ? "/d%u" : "/f%u",
		       rnd(state, is_folder ? FOLDERS : NAMES));
	return path;
}

static void write_some(uint64_t *state, const char *path, int flags)
{
	static const char bytes[256];
	int fd = open(path, flags | O_WRONLY | O_CLOEXEC, 0644);
	if (fd < 0)
		return;
	for (uint32_t i = rnd(state, 3); i > 0; i--)
		(void)!write(fd, bytes, 1 + rnd(state, sizeof(bytes) - 1));
	(void)close(fd);
}

static void make_tree(uint64_t *state)
{
	char path[512];
	int n = snprintf(path, sizeof(path), "%s", w.root);
	for (unsigned i = 0; i < DEPTH; i++) {
		n += snprintf(path + n, sizeof(path) - (size_t)n, "/d%u", rnd(state, FOLDERS));
		(void)mkdir(path, 0755);
	}
	(void)snprintf(path + n, sizeof(path) - (size_t)n, "/f%u", rnd(state, NAMES));
	write_some(state, path, O_CREAT);
}

static void save_atomically(uint64_t *state)
{
	char temporary[600];
	const char *path = any(state, false);
	(void)snprintf(temporary, sizeof(temporary), "%s~", path);
	write_some(state, temporary, O_CREAT | O_TRUNC);
	if (rename(temporary, path) < 0)
		(void)unlink(temporary);
}

/* A name that is made, changed through and removed before anybody can look leaves the file's other names wrong, and inotify says nothing
 * of it (core/watch/links.c).  What becomes of changes through a second name that stays is tested in test_watch.c. */
static bool has_several_names(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink > 1;
}

static void do_something(uint64_t *state)
{
	const char *path = any(state, false), *other;
	uint32_t what = rnd(state, 26);
	if (what < 10 && has_several_names(path))
		return;
	switch (what) {
	case 0 ... 4:
		write_some(state, path, O_CREAT);
		break;
	case 5 ... 6:
		write_some(state, path, O_APPEND);
		break;
	case 7:
		(void)!truncate(path, rnd(state, 100));
		break;
	case 8 ... 9:
		(void)chmod(path, 0600 + rnd(state, 0100));
		break;
	case 10 ... 12:
		other = any(state, false);
		(void)rename(path, other);
		break;
	case 13 ... 14:
		path = any(state, true);
		other = any(state, true);
		(void)rename(path, other);
		break;
	case 15:
		other = any(state, false);
		(void)!link(path, other);
		break;
	case 16:
		(void)!symlink("nowhere", path);
		break;
	case 17 ... 19:
		(void)unlink(path);
		break;
	case 20:
		(void)rmdir(any(state, true));
		break;
	case 21:
		(void)mkdir(any(state, true), 0700 + rnd(state, 0100));
		break;
	case 22 ... 23:
		make_tree(state);
		break;
	case 24:
		save_atomically(state);
		break;
	default:
		if (rnd(state, 20) == 0)
			watched_rm(any(state, true));
	}
}

/* How much is done, of all writers. */
static unsigned *done;

__attribute__((noreturn)) static void writer(uint64_t number)
{
	uint64_t state = seed + number * 7919;
	for (unsigned i = 0; i < OPERATIONS / WRITERS; i++) {
		do_something(&state);
		(void)__atomic_fetch_add(done, 1, __ATOMIC_RELAXED);
	}
	_exit(0);
}

/* With `is_stopped_reader` nothing is read until most is done, so that the kernel's queue becomes full. */
static void start(bool is_stopped_reader)
{
	running = WRITERS;
	__atomic_store_n(done, 0, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < WRITERS; i++) {
		writers[i] = fork();
		assert_true(writers[i] >= 0);
		if (writers[i] == 0)
			writer(i);
	}
	if (!is_stopped_reader)
		return;
	while (__atomic_load_n(done, __ATOMIC_RELAXED) < OPERATIONS / 4 * 3)
		(void)sched_yield();
}

static bool are_done(struct watched *watched)
{
	int status;
	while (running > 0 && waitpid(-1, &status, WNOHANG) > 0)
		running--;
	return running == 0 && watched_is_quiet(watched);
}

/* ---- doing it again ---- */

static const char *shadow_path(const char *path, char out[WATCHED_PATH])
{
	(void)snprintf(out, WATCHED_PATH, "%s/%s", shadow, watched_relative(&w, path));
	return out;
}

static bool is_directory_at(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void record(const char *path, const struct mw_change *change)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (change->has_stat ? O_TRUNC : 0), 0644);
	if (fd < 0) {
		strays++;
		return;
	}
	if (change->has_stat)
		(void)dprintf(fd, "%llu %llu %o", (unsigned long long)change->stat.inode,
			      (unsigned long long)change->stat.size, change->stat.mode);
	(void)close(fd);
}

static void put(const char *path, const struct mw_change *change)
{
	if (access(path, F_OK) == 0 && is_directory_at(path) != change->is_directory)
		watched_rm(path);
	if (!change->is_directory)
		record(path, change);
	else if (mkdir(path, 0755) < 0 && errno != EEXIST)
		strays++;
}

/* The tree as it is known before anything is told. */
static int put_known(void *data, const char *path, unsigned category, const struct mw_change_stat *stat)
{
	(void)data;
	char copy[WATCHED_PATH];
	assert_int_equal(category, 0);
	put(shadow_path(path, copy),
	    &(struct mw_change){.path = path, .is_directory = S_ISDIR(stat->mode), .has_stat = true, .stat = *stat});
	return 0;
}

static void do_again(struct watched *watched, const struct mw_change *change)
{
	char path[WATCHED_PATH], old[WATCHED_PATH];
	(void)watched;
	shadow_path(change->path, path);
	switch (change->kind) {
	case MW_CHANGE_CREATE:
		put(path, change);
		break;
	case MW_CHANGE_MODIFY:
	case MW_CHANGE_ATTRIBUTES:
		if (access(path, F_OK) < 0)
			strays++;
		put(path, change);
		break;
	case MW_CHANGE_DELETE:
		if (access(path, F_OK) < 0)
			strays++;
		watched_rm(path);
		break;
	case MW_CHANGE_RENAME:
		shadow_path(change->old_path, old);
		if (access(old, F_OK) == 0) {
			watched_rm(path);
			if (rename(old, path) < 0)
				strays++;
		}
		put(path, change);
		break;
	default:
		fail_msg("a change nobody asked for: %d", change->kind);
	}
}

static unsigned differences;

static void differs(const char *what, const char *path)
{
	if (differences++ < 10)
		(void)fprintf(stderr, "%s: %s\n", what, path);
}

/* Each name in `one` is in `other`, with the same type; for files of the real tree what was recorded is right. */
static void compare(const char *real, const char *copy, bool is_real)
{
	const char *one = is_real ? real : copy;
	DIR *dir = opendir(one);
	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));) {
		char a[WATCHED_PATH], b[WATCHED_PATH], said[128] = "", is[128];
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		(void)snprintf(a, sizeof(a), "%s/%s", real, entry->d_name);
		(void)snprintf(b, sizeof(b), "%s/%s", copy, entry->d_name);
		struct stat sa, sb;
		bool has_a = lstat(a, &sa) == 0, has_b = lstat(b, &sb) == 0;
		if (!has_a || !has_b) {
			differs(has_a ? "there, but not told" : "told, but not there", a);
			continue;
		}
		if (S_ISDIR(sa.st_mode) != S_ISDIR(sb.st_mode)) {
			differs("of another type", a);
		} else if (S_ISDIR(sa.st_mode)) {
			compare(a, b, is_real);
		} else if (is_real) {
			int fd = open(b, O_RDONLY | O_CLOEXEC);
			(void)!read(fd, said, sizeof(said) - 1);
			(void)close(fd);
			(void)snprintf(is, sizeof(is), "%llu %llu %o", (unsigned long long)sa.st_ino,
				       (unsigned long long)sa.st_size, sa.st_mode);
			if (strcmp(said, is) != 0) {
				differs(a, said);
				differs("   but it is", is);
			}
		}
	}
	(void)closedir(dir);
}

static void run(bool is_stopped_reader)
{
	char root[] = "/dev/shm/mw_watch_XXXXXX", copy[] = "/dev/shm/mw_again_XXXXXX";
	assert_non_null(mkdtemp(root));
	assert_non_null(mkdtemp(copy));
	(void)snprintf(shadow, sizeof(shadow), "%s", copy);
	const char *text = getenv("MOONWATCH_TEST_SEED");
	seed = text ? strtoull(text, NULL, 10) : 1;
	strays = differences = 0;
	uint64_t trees = seed;
	watched_open(&w, root, NULL);
	for (unsigned i = 0; i < TREES; i++) /* what is there before we look */
		make_tree(&trees);
	watched_patterns(&w, PATTERNS("%%"), NULL, false);
	assert_int_equal(w.logged, 0);
	assert_int_equal(mw_watch_visit(w.watch, INT64_MAX, put_known, NULL), 0);
	w.told = do_again;
	start(is_stopped_reader);
	watched_run(&w, are_done, 120000);
	compare(w.root, shadow, true);
	compare(w.root, shadow, false);
	struct mw_watch_counters counters;
	mw_watch_count(w.watch, &counters);
	print_message("seed %llu: %llu told, %llu folded, %llu found, %llu overflows, %u strays, %u differences\n",
		      (unsigned long long)seed, (unsigned long long)counters.told, (unsigned long long)counters.folded,
		      (unsigned long long)counters.found, (unsigned long long)counters.overflows, strays, differences);
	assert_int_equal(differences, 0);
	assert_int_equal(counters.dropped, 0);
	if (is_stopped_reader)
		assert_true(counters.overflows > 0);
	watched_close(&w);
	watched_rm(root);
	watched_rm(copy);
}

static void what_is_told_gives_the_same_tree(void **state)
{
	(void)state;
	run(false);
}

static void also_when_events_were_lost(void **state)
{
	(void)state;
	run(true);
}

int main(void)
{
	done = mmap(NULL, sizeof(*done), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (done == MAP_FAILED)
		return 1;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_told_gives_the_same_tree),
		cmocka_unit_test(also_when_events_were_lost),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

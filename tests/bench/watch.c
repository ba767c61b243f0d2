/* What it costs to follow files: the layer core/watch alone, with real files, in a folder of a temporary file system.
 *
 * usage: watch FOLDER [DIRECTORIES [CYCLES]]
 *
 * Prints each figure with its target; exit 1 when one is missed. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "loop/loop.h"
#include "watch/watch.h"

enum {
	WRITERS = 2,
	WIDTH = 50, /* directories in one */
	ROUNDS = 5,
	IDLE_MS = 1500,
	PATH = 512,
};

static const char *root;
static int missed;

struct seen {
	uint64_t kinds[MW_CHANGE_KINDS], lost;
	uint64_t times; /* events of the kernel */
	struct mw_watch_counters counters;
};

struct watcher {
	struct mw_loop *loop;
	struct mw_watch *watch;
	struct mw_timer timer;
	struct seen seen;
	bool (*is_done)(struct watcher *watcher);
	const volatile int *are_finished;
};

static void die(const char *what)
{
	(void)fprintf(stderr, "watch: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void verdict(const char *what, double value, const char *unit, double target, bool is_least)
{
	bool is_met = is_least ? value >= target : value <= target;
	missed += !is_met;
	printf("  %-58s %12.3f %-12s target %s %g: %s\n", what, value, unit, is_least ? ">=" : "<=", target,
	       is_met ? "met" : "MISSED");
	(void)fflush(stdout);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void make_directories(unsigned count)
{
	char path[PATH];
	for (unsigned i = 0; i < count; i++) {
		if (i % WIDTH == 0) {
			(void)snprintf(path, sizeof(path), "%s/d%u", root, i / WIDTH);
			if (mkdir(path, 0755) < 0)
				die(path);
		} else {
			(void)snprintf(path, sizeof(path), "%s/d%u/d%u", root, i / WIDTH, i % WIDTH);
			if (mkdir(path, 0755) < 0)
				die(path);
		}
	}
}

static void on_change(void *data, const struct mw_change *change)
{
	struct watcher *watcher = data;
	watcher->seen.kinds[change->kind]++;
	watcher->seen.times += change->times;
}

static void on_report(void *data, const char *line, bool is_urgent)
{
	(void)data;
	(void)is_urgent;
	(void)fprintf(stderr, "  said: %s\n", line);
}

static void tick(void *data)
{
	struct watcher *watcher = data;
	(void)mw_watch_tell(watcher->watch, 0);
	if (watcher->is_done(watcher))
		mw_loop_stop(watcher->loop);
	else
		mw_timer_set(watcher->loop, &watcher->timer, 20); /* as the sensor's batches */
}

static bool is_settled(struct watcher *watcher)
{
	return mw_watch_is_settled(watcher->watch);
}

static bool is_finished(struct watcher *watcher)
{
	return *watcher->are_finished && mw_watch_is_quiet(watcher->watch);
}

static void ignore_wake(void *data)
{
	(void)data;
}

static void on_settle(void *data)
{
	struct watcher *watcher = data;
	if (is_settled(watcher))
		mw_loop_stop(watcher->loop);
	else
		mw_timer_set(watcher->loop, &watcher->timer, 1);
}

static void open_watcher(struct watcher *watcher)
{
	char pattern[PATH];
	struct mw_err err;
	memset(watcher, 0, sizeof(*watcher));
	(void)snprintf(pattern, sizeof(pattern), "%s/%%%%", root);
	const char *patterns[] = {pattern, NULL};
	struct mw_watch_category category = {.name = "bench", .patterns = patterns};
	struct mw_watch_config config = {.categories = &category, .category_count = 1};
	if (mw_loop_new(&watcher->loop, &err) < 0)
		die(err.text);
	struct mw_watch_options options = {.loop = watcher->loop,
					   .share_percent = 100,
					   .change = on_change,
					   .report = on_report,
					   .wake = ignore_wake,
					   .data = watcher};
	if (mw_watch_new(&options, &watcher->watch, &err) < 0 || mw_watch_configure(watcher->watch, &config, &err) < 0)
		die(err.text);
	watcher->timer = (struct mw_timer){.fire = on_settle, .data = watcher};
	mw_timer_set(watcher->loop, &watcher->timer, 0);
	(void)mw_loop_run(watcher->loop);
}

static uint64_t rss_bytes(void)
{
	unsigned long total, resident;
	FILE *file = fopen("/proc/self/statm", "re");
	if (!file || fscanf(file, "%lu %lu", &total, &resident) != 2)
		die("/proc/self/statm");
	(void)fclose(file);
	return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void stop(void *data)
{
	struct watcher *watcher = data;
	mw_loop_stop(watcher->loop);
}

static double cpu_seconds(const struct rusage *usage)
{
	return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) +
	       (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1e6;
}

/* In a process of its own: seconds until all is watched, bytes of ours for each directory, CPU while nothing happens. */
struct setup {
	double seconds, bytes, idle_ms;
	uint64_t directories;
};

static void set_up(struct setup *ret, bool is_idle_measured)
{
	uint64_t before = rss_bytes();
	int64_t start = mw_clock_mono_ns();
	struct watcher watcher;
	open_watcher(&watcher);
	ret->seconds = (double)(mw_clock_mono_ns() - start) / MW_NS_PER_S;
	struct mw_watch_counters counters;
	mw_watch_count(watcher.watch, &counters);
	ret->directories = counters.directories;
	ret->bytes = (double)(rss_bytes() - before) / (double)counters.directories;
	if (!is_idle_measured)
		return;
	struct rusage a, b;
	watcher.timer.fire = stop;
	mw_timer_set(watcher.loop, &watcher.timer, IDLE_MS);
	(void)getrusage(RUSAGE_SELF, &a);
	(void)mw_loop_run(watcher.loop);
	(void)getrusage(RUSAGE_SELF, &b);
	ret->idle_ms = (cpu_seconds(&b) - cpu_seconds(&a)) * 1e3;
}

static struct setup set_up_apart(bool is_idle_measured)
{
	struct setup *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		die("mmap");
	pid_t pid = fork();
	if (pid == 0) {
		set_up(shared, is_idle_measured);
		_exit(0);
	}
	(void)waitpid(pid, NULL, 0);
	return *shared;
}

/* Seconds until `inotifywait -r` says that it watches. */
static double inotifywait_seconds(void)
{
	int pipes[2];
	if (pipe(pipes) < 0)
		die("pipe");
	int64_t start = mw_clock_mono_ns();
	pid_t pid = fork();
	if (pid == 0) {
		(void)dup2(pipes[1], STDERR_FILENO);
		(void)close(pipes[0]);
		execlp("inotifywait", "inotifywait", "-m", "-r", "-e", "create,delete,move,modify,close_write,attrib",
		       root, NULL);
		_exit(127);
	}
	(void)close(pipes[1]);
	FILE *said = fdopen(pipes[0], "r");
	char line[PATH];
	double seconds = -1;
	while (said && fgets(line, sizeof(line), said))
		if (strstr(line, "Watches established")) {
			seconds = (double)(mw_clock_mono_ns() - start) / MW_NS_PER_S;
			break;
		}
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	(void)fclose(said);
	return seconds;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static double median(double *values, unsigned count)
{
	qsort(values, count, sizeof(*values), by_size);
	return values[count / 2];
}

static void write_cycles(unsigned number, unsigned cycles)
{
	char path[PATH];
	for (unsigned i = 0; i < cycles; i++) {
		(void)snprintf(path, sizeof(path), "%s/d%u/f%u", root, number, i % 100);
		int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		if (fd < 0 || write(fd, "x", 1) != 1)
			die(path);
		(void)close(fd);
		(void)unlink(path);
	}
}

/* Seconds the writers take, each for itself. */
static double write_all(unsigned cycles)
{
	int64_t start = mw_clock_mono_ns();
	pid_t pids[WRITERS];
	for (unsigned i = 0; i < WRITERS; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			write_cycles(i, cycles);
			_exit(0);
		}
	}
	for (unsigned i = 0; i < WRITERS; i++)
		(void)waitpid(pids[i], NULL, 0);
	return (double)(mw_clock_mono_ns() - start) / MW_NS_PER_S;
}

struct load {
	double writers_s, all_s, cpu_s;
	struct seen seen;
	int are_watching, are_finished;
};

/* Seconds the writers take beside a reader that throws everything away: the least that being told can cost. */
static double write_beside_reader(unsigned cycles)
{
	static char buffer[64 << 10];
	char path[PATH];
	int fd = inotify_init1(IN_CLOEXEC);
	for (unsigned i = 0; i < WRITERS; i++) {
		(void)snprintf(path, sizeof(path), "%s/d%u", root, i);
		if (fd < 0 ||
		    inotify_add_watch(fd, path,
				      IN_CREATE | IN_DELETE | IN_MOVE | IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB) < 0)
			die(path);
	}
	pid_t pid = fork();
	while (pid == 0)
		if (read(fd, buffer, sizeof(buffer)) < 0)
			_exit(1);
	(void)close(fd);
	double seconds = write_all(cycles);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	return seconds;
}

static void watch_load(struct load *load)
{
	struct watcher watcher;
	open_watcher(&watcher);
	struct rusage before, usage;
	(void)getrusage(RUSAGE_SELF, &before);
	load->are_watching = 1;
	watcher.are_finished = &load->are_finished;
	watcher.is_done = is_finished;
	watcher.timer.fire = tick;
	mw_timer_set(watcher.loop, &watcher.timer, 20);
	(void)mw_loop_run(watcher.loop);
	(void)getrusage(RUSAGE_SELF, &usage);
	load->cpu_s = cpu_seconds(&usage) - cpu_seconds(&before);
	load->seen = watcher.seen;
	mw_watch_count(watcher.watch, &load->seen.counters);
}

static struct load run_load(unsigned cycles)
{
	struct load *load = mmap(NULL, sizeof(*load), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (load == MAP_FAILED)
		die("mmap");
	pid_t pid = fork();
	if (pid == 0) {
		watch_load(load);
		_exit(0);
	}
	while (!*(volatile int *)&load->are_watching)
		(void)usleep(1000);
	int64_t start = mw_clock_mono_ns();
	load->writers_s = write_all(cycles);
	load->are_finished = 1;
	(void)waitpid(pid, NULL, 0);
	load->all_s = (double)(mw_clock_mono_ns() - start) / MW_NS_PER_S;
	return *load;
}

static void bench_set_up(unsigned directories)
{
	double ours[ROUNDS], theirs[ROUNDS], bytes[ROUNDS], idle = 0;
	uint64_t watched = 0;
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct setup one = set_up_apart(i == 0);
		ours[i] = one.seconds;
		bytes[i] = one.bytes;
		watched = one.directories;
		idle = i == 0 ? one.idle_ms : idle;
		theirs[i] = inotifywait_seconds();
	}
	printf("  %u directories, %llu watched; medians of %d rounds, one after the other\n", directories,
	       (unsigned long long)watched, ROUNDS);
	double our = median(ours, ROUNDS), their = median(theirs, ROUNDS);
	printf("  set up in %.3f s; inotifywait -r: %.3f s\n", our, their);
	verdict("set-up, of inotifywait -r's time", their > 0 ? our / their : -1, "", 1, false);
	verdict("memory of ours for each directory watched", median(bytes, ROUNDS), "bytes", 200, false);
	verdict("CPU while nothing happens", idle * 1e3 / IDLE_MS, "ms/s", 0.05, false);
}

static void bench_events(unsigned cycles)
{
	double rates[ROUNDS], unwatched[ROUNDS], ratios[ROUNDS], floors[ROUNDS], cpu[ROUNDS];
	uint64_t unreported = 0, overflows = 0, folded = 0, told = 0;
	for (unsigned i = 0; i < ROUNDS; i++) {
		double alone = write_all(cycles);
		floors[i] = alone / write_beside_reader(cycles);
		struct load load = run_load(cycles);
		double events = 4.0 * cycles * WRITERS; /* create, modify, close, delete */
		rates[i] = events / load.all_s;
		unwatched[i] = events / alone;
		ratios[i] = alone / load.writers_s;
		cpu[i] = load.cpu_s / events * 1e6;
		uint64_t all = (uint64_t)cycles * WRITERS;
		overflows += load.seen.counters.overflows;
		told += load.seen.counters.told;
		folded += load.seen.counters.folded;
		/* Each must have been told, unless the kernel said that its queue was full, and all was compared. */
		if (load.seen.counters.overflows == 0)
			unreported += all - load.seen.kinds[MW_CHANGE_CREATE] + all - load.seen.kinds[MW_CHANGE_DELETE];
		unreported += load.seen.counters.dropped;
	}
	printf("  %d writers, %u times create, write, close and delete each; medians of %d rounds\n", WRITERS, cycles,
	       ROUNDS);
	printf("  %llu changes told, %llu events folded, %llu overflows of the kernel's queue, %.2f us of our CPU an event\n",
	       (unsigned long long)told, (unsigned long long)folded, (unsigned long long)overflows,
	       median(cpu, ROUNDS));
	printf("  unwatched the writers do what makes %.0f events/s\n", median(unwatched, ROUNDS));
	verdict("events, until all were told", median(rates, ROUNDS), "events/s", 100000, true);
	verdict("files whose creation or deletion was not told", (double)unreported, "", 0, false);
	verdict("overflows of the kernel's queue", (double)overflows, "", 0, false);
	verdict("speed of the writers, of theirs unwatched", median(ratios, ROUNDS), "", 0.95, true);
	printf("  (the writers want all processors, and a reader takes some; beside one that throws everything away: %.3f)\n",
	       median(floors, ROUNDS));
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		(void)fprintf(stderr, "usage: watch FOLDER [DIRECTORIES [CYCLES]]\n");
		return 2;
	}
	root = argv[1];
	unsigned directories = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 50000;
	unsigned cycles = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 50000;
	printf("files (core/watch):\n");
	make_directories(directories);
	bench_set_up(directories);
	bench_events(cycles);
	(void)nftw(root, remove_one, 64, FTW_DEPTH | FTW_PHYS);
	return missed ? 1 : 0;
}

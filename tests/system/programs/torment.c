/* Kill and stop the sensor's processes at random moments while an application works, and see whether the application
 * feels it, and whether the sensor recovers.
 *
 * usage: torment FILE SEED MOMENTS HOW[,HOW]… COMMAND ARG…
 *
 * COMMAND is `moonwatch run … labour FILE`.  HOW is one of `ways` below.  A seed gives the same moments again, as far as time can
 * be repeated.  Prints a line for each thing that happened:
 *
 *        moment HOW DELAY_US done NUMBER watched NUMBER after MS     of labour's numbers, all below the first were done
 *                            before it, all from the second on began under a tracer again (0: none is expected);
 *                            MS: until all workers had gone on and the tracer was back
 *        end exit|signal NUMBER
 *        worked NUMBER       of labour's numbers, all below were done
 *        signals SENT GOT
 *        failed WHAT         something is not as it should be; then what each process was doing
 *
 * Exit status: 0 when nothing failed. */

#include "torment.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

enum {
	/* However busy the machine is, what takes longer hangs. */
	DEADLINE_MS = 20000,
	DELAY_MAX_US = 60000,
	NAME_BYTES = 16,
	TASKS_MAX = 64,
};

static struct labour *labour;
static uint64_t random_state;
static pid_t root;
static bool has_failed;

static uint64_t random_below(uint64_t n) /* xorshift64*, Vigna 2014 */
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * 0x2545F4914F6CDD1DULL % n;
}

static int64_t now_ms(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Between two looks at something that is waited for. */
static void breathe(void)
{
	(void)usleep(500);
}

/* ---- /proc ---- */

static bool read_file(char *text, size_t bytes, const char *format, ...)
{
	char path[128];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(path, sizeof(path), format, arguments);
	va_end(arguments);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t n = read(fd, text, bytes - 1);
	(void)close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static long status_field(const char *status, const char *name)
{
	const char *at = strstr(status, name);
	return at ? strtol(at + strlen(name), NULL, 10) : -1;
}

static bool has_name(pid_t pid, const char *name)
{
	char text[64];
	return read_file(text, sizeof(text), "/proc/%d/comm", (int)pid) && strncmp(text, name, strlen(name)) == 0;
}

/* Call `body` for each process there is, until it returns true. */
static bool each_process(bool (*body)(pid_t pid, const char *status, void *data), void *data)
{
	DIR *dir = opendir("/proc");
	bool is_found = false;
	char status[4096];
	if (!dir)
		abort();
	for (struct dirent *entry; !is_found && (entry = readdir(dir));) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (pid > 0 && read_file(status, sizeof(status), "/proc/%d/status", (int)pid))
			is_found = body(pid, status, data);
	}
	(void)closedir(dir);
	return is_found;
}

struct search {
	const char *name;
	pid_t parent; /* 0: any */
	pid_t found;
};

static bool is_wanted(pid_t pid, const char *status, void *data)
{
	struct search *search = data;
	char name[64];
	(void)snprintf(name, sizeof(name), "Name:\t%s", search->name);
	if (strncmp(status, name, strlen(name)) != 0 || strstr(status, "\nState:\tZ"))
		return false;
	if (search->parent && status_field(status, "\nPPid:\t") != search->parent)
		return false;
	search->found = pid;
	return true;
}

/* 0: none. */
static pid_t find(const char *name, pid_t parent)
{
	struct search search = {.name = name, .parent = parent};
	return each_process(is_wanted, &search) ? search.found : 0;
}

static bool print_process(pid_t pid, const char *status, void *data)
{
	char where[64] = "?";
	char name[NAME_BYTES + 1] = "?";
	char state = '?';
	(void)data;
	(void)sscanf(status, "Name:\t%16[^\n]", name);
	const char *at = strstr(status, "\nState:\t");
	if (at)
		state = at[strlen("\nState:\t")];
	(void)read_file(where, sizeof(where), "/proc/%d/wchan", (int)pid);
	printf("  %d %s %c parent %ld tracer %ld at %s\n", (int)pid, name, state, status_field(status, "\nPPid:\t"),
	       status_field(status, "\nTracerPid:\t"), where);
	return false;
}

static void failed(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	has_failed = true;
	printf("failed ");
	(void)vprintf(format, arguments);
	printf("\n");
	va_end(arguments);
	(void)each_process(print_process, NULL);
	(void)fflush(stdout);
}

/* ---- the application ---- */

static unsigned long lowest_at(void)
{
	unsigned long lowest = (unsigned long)-1;
	for (int i = 0; i < WORKERS; i++) {
		unsigned long at = atomic_load(&labour->at[i]);
		lowest = at < lowest ? at : lowest;
	}
	return lowest;
}

/* Has every worker done what it was at when `next` was the number to be drawn next? */
static bool has_gone_on(unsigned long next)
{
	return lowest_at() > next;
}

/* Are all of its threads traced by one who is not `old`? */
static bool is_watched(pid_t old)
{
	char path[64];
	(void)snprintf(path, sizeof(path), "/proc/%d/task", (int)root);
	DIR *dir = opendir(path);
	if (!dir)
		return false;
	bool is = true;
	for (struct dirent *entry; is && (entry = readdir(dir));) {
		char status[4096];
		if (entry->d_name[0] == '.')
			continue;
		/* One that has just ended is no counter-example. */
		if (!read_file(status, sizeof(status), "/proc/%d/task/%.16s/status", (int)root, entry->d_name) ||
		    strstr(status, "\nState:\tZ") || strstr(status, "\nState:\tX"))
			continue;
		long tracer = status_field(status, "\nTracerPid:\t");
		is = tracer > 0 && tracer != old && has_name((pid_t)tracer, "moonwatch-trace");
	}
	(void)closedir(dir);
	return is;
}

/* ---- what is done to the sensor ---- */

enum victims {
	GUARD = 1,
	TRACER = 2,
	SENSOR = 4,
};

static const struct way {
	const char *name;
	unsigned kills,
		stops; /* enum victims; a guard is stopped before others are killed, and continued when that was survived */
} ways[] = {
	{"kill-tracer", TRACER, 0},
	{"kill-sensor", SENSOR, 0},
	{"kill-tracer-and-sensor", TRACER | SENSOR, 0},
	{"stop-tracer", 0, TRACER},
	{"stop-sensor", 0, SENSOR},
	{"stop-guard", 0, GUARD},
	{"kill-tracer-while-guard-is-stopped", TRACER, GUARD},
	{"kill-guard", GUARD, 0}, /* the last: nobody is left to recover */
};

struct cast {
	pid_t guard, tracer, sensor;
};

/* Wait until all three are there.  Who was found before, the dead included, may not be found again. */
static bool find_cast(struct cast *cast, const struct cast *dead)
{
	for (int64_t deadline = now_ms() + DEADLINE_MS; now_ms() < deadline; breathe()) {
		*cast = (struct cast){.guard = find("moonwatch-guard", root)};
		if (!cast->guard)
			continue;
		cast->tracer = find("moonwatch-trace", cast->guard);
		cast->sensor = find("moonwatch-sens", cast->guard);
		if (cast->tracer && cast->sensor && cast->tracer != dead->tracer && cast->sensor != dead->sensor)
			return true;
	}
	failed("guard %d, tracer %d, sensor %d are not there", (int)cast->guard, (int)cast->tracer, (int)cast->sensor);
	return false;
}

static void send(const struct cast *cast, unsigned victims, int signal)
{
	if (victims & GUARD)
		(void)kill(cast->guard, signal);
	if (victims & TRACER)
		(void)kill(cast->tracer, signal);
	if (victims & SENSOR)
		(void)kill(cast->sensor, signal);
}

/* The application goes on, whatever was done. */
static bool wait_until_gone_on(const char *what)
{
	unsigned long next = atomic_load(&labour->next);
	int64_t deadline = now_ms() + DEADLINE_MS;
	while (!has_gone_on(next)) {
		if (now_ms() > deadline) {
			failed("%s: the application does not go on", what);
			return false;
		}
		breathe();
	}
	return true;
}

static bool wait_until_watched(const char *what, pid_t old)
{
	for (int64_t deadline = now_ms() + DEADLINE_MS; !is_watched(old); breathe())
		if (now_ms() > deadline) {
			failed("%s: no tracer has come back", what);
			return false;
		}
	return true;
}

static bool wait_until_gone(pid_t pid, const char *name)
{
	for (int64_t deadline = now_ms() + DEADLINE_MS; has_name(pid, name); breathe()) {
		while (waitpid(-1, NULL, WNOHANG) > 0) /* orphans come to us */
			;
		if (now_ms() > deadline) {
			failed("%s is still there", name);
			return false;
		}
	}
	return true;
}

static bool moment(const struct way *way, struct cast *cast)
{
	/* Short ones as often as long ones: a delay evenly distributed on a logarithmic scale.  This is the one sleep that
	 * waits for nothing: it picks the moment. */
	uint64_t delay_us = random_below(1 + random_below(1 + random_below(DELAY_MAX_US)));
	(void)usleep((useconds_t)delay_us);
	unsigned long done = lowest_at();
	int64_t begin_ms = now_ms();

	if (way->stops & GUARD)
		send(cast, GUARD, SIGSTOP);
	send(cast, way->kills, SIGKILL);
	send(cast, way->stops & ~(unsigned)GUARD, SIGSTOP);
	if (!wait_until_gone_on(way->name))
		return false;
	if (way->stops & GUARD)
		send(cast, GUARD, SIGCONT);
	unsigned long watched = 0;
	if (way->kills & GUARD) {
		if (!wait_until_gone(cast->tracer, "moonwatch-trace") ||
		    !wait_until_gone(cast->sensor, "moonwatch-sens") || !wait_until_gone_on("after the sensor is gone"))
			return false;
	} else {
		bool is_tracer_lost = (way->kills | way->stops) & TRACER;
		if (!wait_until_watched(way->name, is_tracer_lost ? cast->tracer : 0))
			return false;
		watched = atomic_load(&labour->next);
		if (!wait_until_gone_on("after the recovery"))
			return false;
		const struct cast dead = {.tracer = is_tracer_lost ? cast->tracer : 0,
					  .sensor = way->kills & SENSOR ? cast->sensor : 0};
		if (!find_cast(cast, &dead))
			return false;
	}
	printf("moment %s %llu done %lu watched %lu after %lld\n", way->name, (unsigned long long)delay_us, done,
	       watched, (long long)(now_ms() - begin_ms));
	(void)fflush(stdout);
	return true;
}

/* ---- begin and end ---- */

static void start(char **argv)
{
	root = fork();
	if (root < 0)
		abort();
	if (root == 0) {
		(void)execvp(argv[0], argv);
		perror(argv[0]);
		_exit(127);
	}
}

/* Is it a process of ours that stays behind?  Zombies are those we have not waited for yet. */
static bool is_left(pid_t pid, const char *status, void *data)
{
	(void)data;
	return pid != getpid() && !strstr(status, "\nState:\tZ") &&
	       (strncmp(status, "Name:\tmoonwatch-", strlen("Name:\tmoonwatch-")) == 0 ||
		status_field(status, "\nPPid:\t") == getpid());
}

static void finish(void)
{
	int status = 0;
	pid_t ended = 0;
	atomic_store(&labour->stop, 1);
	for (int64_t deadline = now_ms() + DEADLINE_MS; ended != root && now_ms() < deadline; breathe())
		ended = waitpid(root, &status, WNOHANG);
	if (ended != root) {
		failed("the application does not end");
		return;
	}
	printf("end %s %d\n", WIFEXITED(status) ? "exit" : "signal",
	       WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	printf("worked %lu\n", atomic_load(&labour->next));
	printf("signals %lu %lu\n", atomic_load(&labour->signals_sent), atomic_load(&labour->signals_got));
	int64_t deadline = now_ms() + DEADLINE_MS;
	while (each_process(is_left, NULL)) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (now_ms() > deadline) {
			failed("processes stay behind");
			return;
		}
		breathe();
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != LABOUR_EXIT)
		failed("the application ended wrong");
}

/* One of a list of names between commas. */
static const struct way *pick(const char *list)
{
	const struct way *picked[sizeof(ways) / sizeof(*ways)];
	size_t n = 0;
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		size_t length = strlen(ways[i].name);
		for (const char *at = list; (at = strstr(at, ways[i].name)); at += length)
			if ((at == list || at[-1] == ',') && (at[length] == ',' || at[length] == '\0')) {
				picked[n++] = &ways[i];
				break;
			}
	}
	return n ? picked[random_below(n)] : NULL;
}

int main(int argc, char **argv)
{
	if (argc < 6)
		return 2;
	labour = labour_map(argv[1]);
	random_state = strtoull(argv[2], NULL, 10) * 2654435761U + 1;
	(void)random_below(2);
	unsigned long moments = strtoul(argv[3], NULL, 10);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	start(argv + 5);

	struct cast cast = {0};
	bool is_alive = find_cast(&cast, &(struct cast){0}) && wait_until_watched("at the start", 0) &&
			wait_until_gone_on("at the start");
	for (unsigned long i = 0; is_alive && i < moments; i++) {
		const struct way *way = pick(argv[4]);
		if (!way) {
			(void)fprintf(stderr, "torment: no such way: %s\n", argv[4]);
			return 2;
		}
		is_alive = moment(way, &cast) && !(way->kills & GUARD);
	}
	finish();
	return has_failed;
}

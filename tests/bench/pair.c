/* What watching costs: runs one command natively (N), under moonwatch (M) and under strace (S), in rounds, and prints
 * how long it took.
 *
 * A round is one run of each, in an order that rotates (N M S, M S N, S N M …), so that a machine that becomes slower
 * or faster meanwhile does so for all.  Ratios are to the native run of the same round, and are what to look at.  The
 * first round warms caches and is not counted.
 *
 * Wall time ends with the command itself; CPU time is that of every process it left behind as well (the sensor ends
 * after the application), which is why this process adopts orphans. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

enum {
	NATIVE,
	MOONWATCH,
	STRACE,
	VARIANTS,

	ROUNDS_MAX = 1000,
	WORDS_MAX = 64,
	OPTION_BYTES = 4096,
};

static const char *const names[VARIANTS] = {"native", "moonwatch", "strace"};

struct sample {
	double wall_ms;
	double cpu_ms;
	double first_ms; /* from the start until the command's first own instruction, as it says itself */
};

struct options {
	const char *label;
	const char *moonwatch;
	const char *state_dir; /* a folder; each run gets one of its own in it */
	int rounds;
	int budget_s; /* no new round after so long; 0: never */
	bool is_first;
	char *const *command;
};

static struct sample samples[VARIANTS][ROUNDS_MAX];

static void die(const char *what, int error)
{
	fprintf(stderr, "pair: %s%s%s\n", what, error ? ": " : "", error ? strerror(error) : "");
	exit(1);
}

static double cpu_ms(const struct rusage *usage)
{
	return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1e3 +
	       (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1e3;
}

static pid_t start(char *const *argv, int out)
{
	if (!argv[0])
		die("no command", 0);
	posix_spawn_file_actions_t actions;
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	(void)posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	pid_t pid;
	int error = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	if (error)
		die(argv[0], error);
	(void)posix_spawn_file_actions_destroy(&actions);
	return pid;
}

/* One run.  `in` is the pipe behind `out` when the command tells its first instant, else -1. */
static struct sample run(char *const *argv, int out, int in)
{
	struct sample sample = {0};
	int64_t begin = mw_clock_mono_ns();
	pid_t main_pid = start(argv, out);
	for (;;) {
		int status;
		struct rusage usage;
		pid_t pid = wait4(-1, &status, __WALL, &usage);
		if (pid < 0 && errno == ECHILD)
			break;
		if (pid < 0)
			die("wait4", errno);
		sample.cpu_ms += cpu_ms(&usage);
		if (pid != main_pid)
			continue;
		sample.wall_ms = (double)(mw_clock_mono_ns() - begin) / 1e6;
		if (status != 0) {
			fprintf(stderr, "pair: %s ended with wait status %#x\n", argv[0], (unsigned)status);
			exit(1);
		}
	}
	int64_t first = begin;
	if (in >= 0 && read(in, &first, sizeof(first)) != sizeof(first))
		die("the command did not say when it started", 0);
	sample.first_ms = (double)(first - begin) / 1e6;
	return sample;
}

/* The command as `variant` runs it. */
static void fill_words(const struct options *options, int variant, int round, char *words[WORDS_MAX])
{
	static char state_dir[OPTION_BYTES];
	(void)snprintf(state_dir, sizeof(state_dir), "--state_dir=%s/%d", options->state_dir, round);
	static const char *const strace[] = {"strace",       "-f", "--seccomp-bpf", "-e",
					     "trace=execve", "-o", "/dev/null",     NULL};
	const char *const moonwatch[] = {options->moonwatch, "run", state_dir, "--", NULL};
	const char *const none[] = {NULL};
	const char *const *const prefixes[VARIANTS] = {[NATIVE] = none, [MOONWATCH] = moonwatch, [STRACE] = strace};

	size_t n = 0;
	for (const char *const *word = prefixes[variant]; *word; word++)
		words[n++] = (char *)(uintptr_t)*word; /* posix_spawn(3) does not write to them */
	for (char *const *word = options->command; *word && n < WORDS_MAX - 1; word++)
		words[n++] = *word;
	words[n] = NULL;
}

/* Returns how many rounds were made. */
static int run_rounds(const struct options *options)
{
	int ends[2] = {-1, -1};
	int out = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (options->is_first) {
		/* O_NONBLOCK: we hold the other end, too, and would wait for ever for a command that says nothing. */
		if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
			die("pipe", errno);
		out = ends[1];
	}
	int64_t end = mw_clock_mono_ns() + (int64_t)options->budget_s * MW_NS_PER_S;
	int round = -1; /* the one that warms up */
	for (; round < options->rounds; round++) {
		if (round > 0 && options->budget_s && mw_clock_mono_ns() >= end)
			break;
		for (int i = 0; i < VARIANTS; i++) {
			int variant = (round + 1 + i) % VARIANTS;
			char *words[WORDS_MAX];
			fill_words(options, variant, round + 1, words);
			struct sample sample = run(words, out, ends[0]);
			if (round >= 0)
				samples[variant][round] = sample;
		}
	}
	return round;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;
	return (x > y) - (x < y);
}

/* The five-number summary: minimum, quartiles (interpolated), maximum. */
struct spread {
	double at[5];
};

static struct spread spread_of(double *values, int n)
{
	struct spread spread;
	qsort(values, (size_t)n, sizeof(*values), compare);
	for (int i = 0; i < 5; i++) {
		double place = (double)(n - 1) * i / 4;
		int below = (int)place;
		int above = below + 1 < n ? below + 1 : below;
		spread.at[i] = values[below] + (values[above] - values[below]) * (place - below);
	}
	return spread;
}

static double wall(const struct sample *sample)
{
	return sample->wall_ms;
}

static double cpu(const struct sample *sample)
{
	return sample->cpu_ms;
}

static double first(const struct sample *sample)
{
	return sample->first_ms;
}

static struct spread values_of(int variant, int n, double (*metric)(const struct sample *))
{
	double values[ROUNDS_MAX];
	for (int i = 0; i < n; i++)
		values[i] = metric(&samples[variant][i]);
	return spread_of(values, n);
}

static struct spread ratios_of(int variant, int n, double (*metric)(const struct sample *))
{
	double values[ROUNDS_MAX];
	for (int i = 0; i < n; i++)
		values[i] = metric(&samples[variant][i]) / metric(&samples[NATIVE][i]);
	return spread_of(values, n);
}

static void print_ratios(const char *what, int n, double (*metric)(const struct sample *))
{
	printf("  %-14s %9s   ratio: %5s %7s %7s %7s %7s\n", what, "median", "min", "q1", "median", "q3", "max");
	for (int variant = 0; variant < VARIANTS; variant++) {
		printf("    %-12s %6.0f ms", names[variant], values_of(variant, n, metric).at[2]);
		struct spread ratios = ratios_of(variant, n, metric);
		if (variant != NATIVE)
			printf("         %7.3f %7.3f %7.3f %7.3f %7.3f", ratios.at[0], ratios.at[1], ratios.at[2],
			       ratios.at[3], ratios.at[4]);
		puts("");
	}
}

static void print_delays(int n)
{
	printf("  %-14s    ms: %7s %7s %7s %7s %7s\n", "delay", "min", "q1", "median", "q3", "max");
	for (int variant = 0; variant < VARIANTS; variant++) {
		struct spread delays = values_of(variant, n, first);
		printf("    %-12s       %7.2f %7.2f %7.2f %7.2f %7.2f\n", names[variant], delays.at[0], delays.at[1],
		       delays.at[2], delays.at[3], delays.at[4]);
	}
}

static int number(const char *text, int least, int most)
{
	char *end;
	long value = strtol(text, &end, 10);
	if (end == text || *end || value < least || value > most) {
		fprintf(stderr, "pair: \"%s\" is not a number from %d to %d\n", text, least, most);
		exit(2);
	}
	return (int)value;
}

static struct options parse(int argc, char **argv)
{
	struct options options = {.label = "", .rounds = 9};
	int option;
	while ((option = getopt(argc, argv, "+l:m:s:n:b:f")) != -1) {
		switch (option) {
		case 'l':
			options.label = optarg;
			break;
		case 'm':
			options.moonwatch = optarg;
			break;
		case 's':
			options.state_dir = optarg;
			break;
		case 'n':
			options.rounds = number(optarg, 1, ROUNDS_MAX);
			break;
		case 'b':
			options.budget_s = number(optarg, 0, 86400);
			break;
		case 'f':
			options.is_first = true;
			break;
		default:
			exit(2);
		}
	}
	options.command = argv + optind;
	if (!options.moonwatch || !options.state_dir || optind >= argc || argc - optind > WORDS_MAX / 2) {
		fprintf(stderr,
			"usage: pair [-l LABEL] [-n ROUNDS] [-b SECONDS] [-f] -m MOONWATCH -s FOLDER COMMAND [ARG…]\n"
			"  -f: COMMAND writes the CLOCK_MONOTONIC time of its start (int64_t, ns) to its output\n");
		exit(2);
	}
	return options;
}

int main(int argc, char **argv)
{
	struct options options = parse(argc, argv);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		die("prctl", errno);
	int rounds = run_rounds(&options);
	printf("\n%s (%d rounds)\n", options.label, rounds);
	if (options.is_first) {
		print_delays(rounds);
	} else {
		print_ratios("wall time", rounds, wall);
		print_ratios("CPU time", rounds, cpu);
	}
	return 0;
}

/* What watching costs: runs one command natively and in each other way (under moonwatch, under strace, …) in rounds,
 * and writes down what each run took.
 *
 * A round is one run of each variant, in an order that rotates (N M S, M S N, S N M …), so that a machine that becomes
 * slower or faster meanwhile does so for all.  Ratios are to the native run of the same round, and are what to look
 * at; report.lua makes them.  The first round warms caches and is not counted.
 *
 * Wall time ends with the command itself; CPU time is that of every process it left behind as well (the sensor ends
 * after the application), which is why this process adopts orphans. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
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
	VARIANTS_MAX = 8,
	ROUNDS_MAX = 1000,
	WORDS_MAX = 64,
	LINE_BYTES = 4096,
	OPTION_BYTES = 4096,
};

/* What of a run is compared. */
enum metric {
	METRIC_WALL, /* how long it took, in ms */
	METRIC_OWN,  /* how long it says that it took: the command writes nanoseconds to its output; in ms */
	METRIC_DELAY, /* from its start until its first own instruction, whose CLOCK_MONOTONIC time it writes in ns; in ms */
	METRIC_RATE, /* what it says it got done in a second; it starts the wrapped program itself, whose words follow its own */
	METRICS
};

static const char *const metric_names[METRICS] = {"wall", "own", "delay", "rate"};

/* One way to run the command: words that stand in front of it. */
struct variant {
	char line[LINE_BYTES]; /* the words lie in it */
	const char *name;
	const char *words[WORDS_MAX];
};

struct sample {
	double value; /* by options.metric */
	double wall_ms;
	double cpu_ms;
};

struct options {
	const char *load;
	const char *variants;  /* a file */
	const char *results;   /* a file; a line of JSON for each variant is added */
	const char *state_dir; /* a folder; each run gets one of its own in it */
	enum metric metric;
	int rounds;
	int budget_s; /* no new round after so long; 0: never */
	char *const *command;
};

static struct variant variants[VARIANTS_MAX];
static int n_variants;
static struct sample samples[VARIANTS_MAX][ROUNDS_MAX];

_Noreturn static void die(const char *what, int error)
{
	(void)fprintf(stderr, "pair: %s%s%s\n", what, error ? ": " : "", error ? strerror(error) : "");
	exit(1);
}

/* A variant a line: its name and the words of its prefix, parted by tabs. */
static void read_variants(const char *path)
{
	FILE *file = fopen(path, "re");
	if (!file)
		die(path, errno);
	for (; n_variants < VARIANTS_MAX; n_variants++) {
		struct variant *variant = &variants[n_variants];
		if (!fgets(variant->line, sizeof(variant->line), file))
			break;
		variant->line[strcspn(variant->line, "\n")] = '\0';
		char *rest;
		variant->name = strtok_r(variant->line, "\t", &rest);
		for (size_t n = 0; n < WORDS_MAX / 2; n++) {
			variant->words[n] = strtok_r(NULL, "\t", &rest);
			if (!variant->words[n])
				break;
		}
	}
	(void)fclose(file);
	if (!n_variants || !variants[0].name || variants[0].words[0])
		die("the first variant must be the native one, without words", 0);
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

/* The number that the command wrote. */
static double read_number(int in)
{
	char text[64];
	ssize_t n = read(in, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	char *end;
	double number = strtod(text, &end);
	if (end == text || *end != '\n' || number <= 0)
		die("the command did not write its number", 0);
	return number;
}

/* One run.  `in` is the pipe behind `out`, unless only time is taken. */
static struct sample run(enum metric metric, char *const *argv, int out, int in)
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
			(void)fprintf(stderr, "pair: %s ended with wait status %#x\n", argv[0], (unsigned)status);
			exit(1);
		}
	}
	switch (metric) {
	case METRIC_OWN:
		sample.value = read_number(in) / 1e6;
		break;
	case METRIC_DELAY:
		sample.value = (read_number(in) - (double)begin) / 1e6;
		break;
	case METRIC_RATE:
		sample.value = read_number(in);
		break;
	default:
		sample.value = sample.wall_ms;
	}
	return sample;
}

/* Puts the words of the command as `variant` runs it into `words`. */
static void fill_words(const struct options *options, const struct variant *variant, int round, char *words[WORDS_MAX])
{
	static char state_dir[OPTION_BYTES];
	(void)snprintf(state_dir, sizeof(state_dir), "--state_dir=%s/%s-%d", options->state_dir, variant->name, round);

	size_t n = 0;
	if (options->metric == METRIC_RATE)
		for (char *const *word = options->command; *word; word++)
			words[n++] = *word;
	for (const char *const *word = variant->words; *word && n < WORDS_MAX - 1; word++)
		/* posix_spawn(3) does not write to them */
		words[n++] = strcmp(*word, "--state_dir=") == 0 ? state_dir : (char *)(uintptr_t)*word;
	if (options->metric != METRIC_RATE)
		for (char *const *word = options->command; *word && n < WORDS_MAX - 1; word++)
			words[n++] = *word;
	words[n] = NULL;
}

/* Returns how many rounds were made. */
static int run_rounds(const struct options *options)
{
	int ends[2] = {-1, -1};
	int out = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (options->metric != METRIC_WALL) {
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
		for (int i = 0; i < n_variants; i++) {
			int variant = (round + 1 + i) % n_variants;
			char *words[WORDS_MAX];
			fill_words(options, &variants[variant], round + 1, words);
			struct sample sample = run(options->metric, words, out, ends[0]);
			if (round >= 0)
				samples[variant][round] = sample;
		}
	}
	return round;
}

static void write_values(FILE *file, const char *key, const struct sample *of, int rounds, size_t offset)
{
	(void)fprintf(file, ",\"%s\":[", key);
	for (int i = 0; i < rounds; i++)
		(void)fprintf(file, "%s%.6g", i ? "," : "", *(const double *)((const char *)&of[i] + offset));
	(void)fputc(']', file);
}

static void write_results(const struct options *options, int rounds)
{
	FILE *file = fopen(options->results, "ae");
	if (!file)
		die(options->results, errno);
	for (int i = 0; i < n_variants; i++) {
		/* The names come from our own table, and need no escapes. */
		(void)fprintf(file, "{\"kind\":\"load\",\"load\":\"%s\",\"variant\":\"%s\",\"metric\":\"%s\"",
			      options->load, variants[i].name, metric_names[options->metric]);
		write_values(file, "values", samples[i], rounds, offsetof(struct sample, value));
		write_values(file, "wall_ms", samples[i], rounds, offsetof(struct sample, wall_ms));
		write_values(file, "cpu_ms", samples[i], rounds, offsetof(struct sample, cpu_ms));
		(void)fputs("}\n", file);
	}
	if (fclose(file) != 0)
		die(options->results, errno);
}

static int number(const char *text, int least, int most)
{
	char *end;
	long value = strtol(text, &end, 10);
	if (end == text || *end || value < least || value > most) {
		(void)fprintf(stderr, "pair: \"%s\" is not a number from %d to %d\n", text, least, most);
		exit(2);
	}
	return (int)value;
}

static enum metric metric_of(const char *name)
{
	for (int i = 0; i < METRICS; i++)
		if (strcmp(name, metric_names[i]) == 0)
			return (enum metric)i;
	(void)fprintf(stderr, "pair: there is no metric \"%s\"\n", name);
	exit(2);
}

static struct options parse(int argc, char **argv)
{
	struct options options = {.rounds = 9};
	int option;
	while ((option = getopt(argc, argv, "+l:k:v:s:o:n:b:")) != -1) {
		switch (option) {
		case 'l':
			options.load = optarg;
			break;
		case 'k':
			options.metric = metric_of(optarg);
			break;
		case 'v':
			options.variants = optarg;
			break;
		case 's':
			options.state_dir = optarg;
			break;
		case 'o':
			options.results = optarg;
			break;
		case 'n':
			options.rounds = number(optarg, 1, ROUNDS_MAX);
			break;
		case 'b':
			options.budget_s = number(optarg, 0, 86400);
			break;
		default:
			exit(2);
		}
	}
	options.command = argv + optind;
	if (!options.load || !options.variants || !options.state_dir || !options.results || optind >= argc ||
	    argc - optind > WORDS_MAX / 2) {
		(void)fprintf(stderr, "usage: pair -l LOAD -k wall|own|delay|rate -v VARIANTS -s FOLDER -o RESULTS\n"
				      "            [-n ROUNDS] [-b SECONDS] COMMAND [ARG…]\n");
		exit(2);
	}
	return options;
}

int main(int argc, char **argv)
{
	struct options options = parse(argc, argv);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		die("prctl", errno);
	read_variants(options.variants);
	write_results(&options, run_rounds(&options));
	return 0;
}

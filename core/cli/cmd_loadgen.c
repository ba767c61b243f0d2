/* moonwatch loadgen: worker processes, each of which plays its share of the hosts (lua/moonwatch/loadgen/worker.lua) and says once a
 * second what it has done; lua/moonwatch/loadgen/init.lua adds that up. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/command.h"
#include "script/tool.h"

enum {
	WORKERS_MAX = 64,
	NUMBER_BYTES = 16,
	/* Descriptors a host takes: its connection, and two that libcurl has for itself; and some for those that connect. */
	FILES_A_HOST = 4,
	FILES = 256,
};

static const char workers_flag[] = "--workers=";
static const char hosts_flag[] = "--hosts=";

/* How many hosts a worker can have. */
static long allow_many_files(void)
{
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return FILES;
	files.rlim_cur = files.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &files);
	long hosts = files.rlim_max > INT_MAX ? INT_MAX : ((long)files.rlim_max - FILES) / FILES_A_HOST;
	return hosts < 1 ? 1 : hosts;
}

/* Run the module with `first` and `second` before the command's own arguments; its exit status. */
static int run_module(const char *module, const char *first, const char *second, int argc, char **argv)
{
	char **arguments = calloc((size_t)argc + 3, sizeof(*arguments));
	if (!arguments)
		return MW_EXIT_NO;
	arguments[0] = strdup(first);
	arguments[1] = strdup(second);
	memcpy(arguments + 2, argv, (size_t)argc * sizeof(*argv));
	int status = arguments[0] && arguments[1] ? mw_script_run_module(mw_tree(), module, argc + 2, arguments)
						  : MW_EXIT_NO;
	free(arguments[0]);
	free(arguments[1]);
	free(arguments);
	return status;
}

/* The descriptor to read from what the worker says; -errno. */
static int begin_worker(int index, int count, int argc, char **argv)
{
	int ends[2];
	char numbers[2][NUMBER_BYTES];
	if (pipe(ends) < 0)
		return -errno;
	(void)snprintf(numbers[0], sizeof(numbers[0]), "%d", index);
	(void)snprintf(numbers[1], sizeof(numbers[1]), "%d", count);
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid < 0) {
		int r = -errno;
		close(ends[0]);
		close(ends[1]);
		return r;
	}
	if (pid > 0) {
		close(ends[1]);
		return ends[0];
	}
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || dup2(ends[1], STDOUT_FILENO) < 0)
		_exit(MW_EXIT_NO);
	close(ends[0]);
	close(ends[1]);
	int status = run_module("moonwatch.loadgen.worker", numbers[0], numbers[1], argc, argv);
	(void)fflush(stdout);
	_exit(status);
}

static int run(int argc, char **argv)
{
	long workers = 0;
	long hosts = 1;
	int n = 0;
	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], hosts_flag, strlen(hosts_flag)) == 0)
			hosts = strtol(argv[i] + strlen(hosts_flag), NULL, 10); /* checked by the script */
		if (strncmp(argv[i], workers_flag, strlen(workers_flag)) != 0) {
			argv[n++] = argv[i];
			continue;
		}
		char *end;
		workers = strtol(argv[i] + strlen(workers_flag), &end, 10);
		if (*end || workers < 1 || workers > WORKERS_MAX) {
			mw_complain("loadgen: --workers goes from 1 to %d", WORKERS_MAX);
			return MW_EXIT_USAGE;
		}
	}
	if (!*mw_tree())
		return MW_EXIT_NO;
	/* What is wrong with the flags is said once, before there are workers. */
	int status = run_module("moonwatch.loadgen", "check", "", n, argv);
	if (status)
		return status;
	long each = allow_many_files();
	if (!workers) {
		workers = sysconf(_SC_NPROCESSORS_ONLN);
		workers = hosts / each + 1 > workers ? hosts / each + 1 : workers;
		workers = workers < 1 ? 1 : workers > WORKERS_MAX ? WORKERS_MAX : workers;
	}
	if (hosts > each * workers)
		mw_complain("loadgen: %ld hosts are more than %ld processes may have files for (ulimit -n)", hosts,
			    workers);
	char list[WORKERS_MAX * NUMBER_BYTES] = "";
	for (int i = 0; i < (int)workers; i++) {
		int fd = begin_worker(i + 1, (int)workers, n, argv);
		if (fd < 0) {
			mw_complain("loadgen: a worker cannot be started: %s", strerror(-fd));
			return MW_EXIT_NO;
		}
		(void)snprintf(list + strlen(list), sizeof(list) - strlen(list), "%d ", fd);
	}
	status = run_module("moonwatch.loadgen", "gather", list, n, argv);
	while (wait(NULL) > 0)
		;
	return status;
}

const struct mw_command mw_command_loadgen = {
	.name = "loadgen",
	.usage = "--hosts=N --tls_hostname=HOST:PORT [options]",
	.summary = "Play the network half of many tasks against a backend, to see what it can take.",
	.help = "Each host enrols, then gets its configuration, asks for distributed queries and sends log lines, at the times\n"
		"and with the pauses the sensor has, on a connection of its own.\n\n"
		"  --hosts=N              how many (1)\n"
		"  --tls_hostname=HOST:PORT, --tls_server_certs=FILE, --backend=NAME, --backend_path=PATH, --enroll_secret=…\n"
		"                         as for `moonwatch run`; the secret by file: or env:\n"
		"  --ramp_s=S             in which all of them start (hosts / 20: ECS starts 20 tasks a second)\n"
		"  --seconds=S            how long it lasts from the end of the ramp on (60)\n"
		"  --config_s=S, --distributed_s=S, --log_s=S\n"
		"                         how often (300, 60, 10)\n"
		"  --lines_per_s=N        log lines of each host (0.1)\n"
		"  --compress=BOOL        pack log lines (true)\n"
		"  --life_s=S             each host ends after so long, and another takes its place (0: never)\n"
		"  --workers=N            processes (as there are CPUs, or as the files that each may open ask for)\n"
		"  --every_s=S            between lines of progress (5)\n"
		"  --json                 the result as one JSON object\n\n"
		"It prints rates, latencies (of answers, from the moment of the request on) and errors. `late` is how long after\n"
		"its time a request was begun: when that grows, this machine is too slow, not the backend.\n\n"
		"Exit status: 0 when all hosts enrolled and no request failed, 1 otherwise, 2 for wrong usage.\n",
	.run = run,
};

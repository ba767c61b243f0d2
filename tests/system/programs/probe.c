/* Print what a process can learn of itself, one fact a line, so that two runs can be compared.
 *
 * usage: probe            print
 *        probe exit N     end with exit code N
 *        probe signal N   end by signal N
 *        probe stop       stop; when continued, end with exit code 0 */

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void print_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	if (!dir)
		abort();
	for (struct dirent *entry; (entry = readdir(dir));) {
		char path[64];
		char target[4096];
		if (entry->d_name[0] == '.' || strtol(entry->d_name, NULL, 10) == dirfd(dir))
			continue;
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%.8s", entry->d_name);
		ssize_t n = readlink(path, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		printf("fd %s %s\n", entry->d_name, target);
	}
	(void)closedir(dir);
}

static void print_status(void)
{
	static const char *const wanted[] = {"SigPnd:", "ShdPnd:", "SigBlk:",     "SigIgn:",  "SigCgt:",  "Uid:",
					     "Gid:",    "Groups:", "NoNewPrivs:", "Seccomp:", "Threads:", "CapBnd:"};
	char line[512];
	FILE *file = fopen("/proc/self/status", "re");
	if (!file)
		abort();
	while (fgets(line, sizeof(line), file))
		for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
			if (strncmp(line, wanted[i], strlen(wanted[i])) == 0)
				printf("%s", line);
	(void)fclose(file);
}

static void print_file(const char *name, const char *path)
{
	char text[256];
	FILE *file = fopen(path, "re");
	if (!file || !fgets(text, sizeof(text), file))
		abort();
	printf("%s %s", name, text);
	(void)fclose(file);
}

static void print_all(void)
{
	printf("pid %d\nppid %d\npgrp %d\nsession %d\n", (int)getpid(), (int)getppid(), (int)getpgrp(), (int)getsid(0));
	errno = 0;
	pid_t waited = waitpid(-1, NULL, 0);
	printf("wait %d %s\n", (int)waited, strerrorname_np(errno));
	for (char **variable = environ; *variable; variable++)
		printf("env %s\n", *variable);
	char cwd[4096];
	printf("cwd %s\n", getcwd(cwd, sizeof(cwd)));
	mode_t mask = umask(0);
	printf("umask %o\n", (unsigned)mask);
	for (int resource = 0; resource < RLIMIT_NLIMITS; resource++) {
		struct rlimit limit;
		if (getrlimit((__rlimit_resource_t)resource, &limit) == 0)
			printf("rlimit %d %llu %llu\n", resource, (unsigned long long)limit.rlim_cur,
			       (unsigned long long)limit.rlim_max);
	}
	printf("nice %d\n", getpriority(PRIO_PROCESS, 0));
	print_file("oom_score_adj", "/proc/self/oom_score_adj");
	print_descriptors();
	print_status();
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "exit") == 0)
		return (int)strtol(argv[2], NULL, 10);
	if (argc == 3 && strcmp(argv[1], "signal") == 0) {
		printf("before the signal\n");
		(void)fflush(stdout);
		(void)raise((int)strtol(argv[2], NULL, 10));
		return 99;
	}
	if (argc == 2 && strcmp(argv[1], "stop") == 0)
		return raise(SIGSTOP);
	print_all();
	return 0;
}

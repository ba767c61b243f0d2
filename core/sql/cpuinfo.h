/* Processors, from /proc/cpuinfo: proc_cpuinfo(5).  What an architecture does not tell stays empty, or -1. */
#pragma once

enum {
	MW_CPU_TEXT_BYTES = 96,
};

struct mw_cpu {
	char model_name[MW_CPU_TEXT_BYTES];
	char vendor[MW_CPU_TEXT_BYTES];
	char microcode[MW_CPU_TEXT_BYTES];
	int model;
	int mhz;
	int socket;     /* physical id */
	int core;       /* within the socket */
	int siblings;   /* logical processors of the socket */
	int core_count; /* of the socket */
};

/* Called for each logical processor; 0, or -errno to end it. */
typedef int mw_cpu_each(void *data, const struct mw_cpu *cpu);
/* -ENOENT when the file cannot be read. */
int mw_cpuinfo(int procfd, mw_cpu_each *each, void *data);

/* What torment and labour share, in a file both map: how far each worker is. */
#pragma once

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	WORKERS = 4,
	LABOUR_EXIT = 42,
};

struct labour {
	atomic_ulong next;  /* number of the next piece of work */
	atomic_uint stop;   /* torment: finish what you are at, and end */
	atomic_ulong wrong; /* pieces that did not end as they should */
	atomic_ulong signals_sent, signals_got;
	/* Each worker: all its pieces below that number are done, and it is at one from there on. */
	atomic_ulong at[WORKERS];
};

static inline struct labour *labour_map(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, sizeof(struct labour)) < 0) {
		perror(path);
		exit(2);
	}
	void *memory = mmap(NULL, sizeof(struct labour), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED) {
		perror(path);
		exit(2);
	}
	(void)close(fd);
	return memory;
}

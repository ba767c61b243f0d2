/* An application with enough to do: rounds of computing, of writing to a disk and of reading back.  Prints how long they took, in
 * milliseconds.
 *
 * usage: busy FILE ROUNDS */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
	BYTES = 256 << 10,
	STEPS = 4 << 20, /* some 5 ms */
};

static unsigned char block[BYTES];

static uint32_t compute(uint32_t state)
{
	for (int i = 0; i < STEPS; i++) {
		state ^= state << 13;
		state ^= state >> 17;
		state ^= state << 5;
		block[state % BYTES] = (unsigned char)state;
	}
	return state;
}

int main(int argc, char **argv)
{
	int fd = argc == 3 ? open(argv[1], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
	if (fd < 0) {
		(void)fputs("usage: busy FILE ROUNDS\n", stderr);
		return 2;
	}
	struct timespec start;
	struct timespec end;
	uint32_t state = 1;
	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	for (long round = strtol(argv[2], NULL, 10); round > 0; round--) {
		state = compute(state);
		if (pwrite(fd, block, sizeof(block), 0) != sizeof(block) || fdatasync(fd) < 0 ||
		    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) != 0 || pread(fd, block, sizeof(block), 0) < 0)
			return 1;
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	printf("%.1f\n", (double)(end.tv_sec - start.tv_sec) * 1e3 + (double)(end.tv_nsec - start.tv_nsec) / 1e6);
	(void)unlink(argv[1]);
	return state ? 0 : 1;
}

/* The main() of a fuzz target where no fuzzer is: every seed of its corpus as it is, cut short, and with single bytes changed.
 * Always the same, so that it is a test; what `make fuzz` finds becomes a seed. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"

enum {
	SEED_BYTES = 1 << 22,
	CUTS = 24,
	CHANGES = 24,
};

static unsigned long runs;

/* In memory of its own, so that a sanitizer sees what is read past the end. */
static void run(const char *bytes, size_t n, size_t at, unsigned char flip)
{
	char *copy = malloc(n ? n : 1);
	if (!copy)
		abort();
	memcpy(copy, bytes, n);
	if (at < n)
		copy[at] = (char)(copy[at] ^ flip);
	(void)LLVMFuzzerTestOneInput((const uint8_t *)copy, n);
	free(copy);
	runs++;
}

static void run_seed(const char *bytes, size_t n)
{
	static const unsigned char flips[] = {0x80, 0xff, 0x01, 0x20, 0x7f};
	run(bytes, n, SIZE_MAX, 0);
	for (size_t i = 0; i < CUTS; i++)
		run(bytes, n * i / CUTS, SIZE_MAX, 0);
	if (n)
		run(bytes, n - 1, SIZE_MAX, 0);
	for (size_t i = 0; i < CHANGES && n; i++)
		run(bytes, n, (n * i / CHANGES + 7 * i) % n, flips[i % sizeof(flips)]);
}

int main(void)
{
	unsigned long seeds = 0;
	DIR *dir = opendir(MW_FUZZ_CORPUS);
	const struct dirent *entry;
	(void)puts("1..1");
	while (dir && (entry = readdir(dir))) {
		MW_AUTO(mw_buf) seed = MW_BUF(SEED_BYTES);
		if (entry->d_name[0] == '.')
			continue;
		(void)printf("# %s\n", entry->d_name);
		(void)fflush(stdout); /* is named when it crashes */
		if (mw_file_read_at(dirfd(dir), entry->d_name, &seed) < 0) {
			(void)printf("not ok 1 - %s cannot be read\n", entry->d_name);
			return 1;
		}
		run_seed(seed.data ? seed.data : "", seed.size);
		seeds++;
	}
	if (dir)
		(void)closedir(dir);
	(void)printf("%s 1 - %lu seeds of %s, whole, cut and changed: %lu runs\n", seeds ? "ok" : "not ok", seeds,
		     strrchr(MW_FUZZ_CORPUS, '/') + 1, runs);
	return seeds ? 0 : 1;
}

/* Hashes of files: the three in one pass, what is remembered, what is skipped, and the thread that computes them. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/thread.h"
#include "base/clock.h"
#include "crypto/digest_cache.h"
#include "crypto/digests.h"
#include "crypto/sha256.h"
#include "loop/loop.h"
#include "sensor/hashes.h"

static char dir[] = "/tmp/mw-hashes.XXXXXX";
static char path[64];

static int start(void **state)
{
	(void)state;
	memcpy(dir, "/tmp/mw-hashes.XXXXXX", sizeof(dir));
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/f", dir);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(dir);
}

static void put(const char *text)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static struct mw_digest_key key_now(void)
{
	struct stat stat;
	struct mw_digest_key key;
	assert_int_equal(lstat(path, &stat), 0);
	mw_digest_key_of(&stat, &key);
	return key;
}

/* RFC 1321, A.5; FIPS 180-4 examples. */
static void digests_are_those_of_the_standards(void **state)
{
	(void)state;
	struct mw_digests digests;
	put("abc");
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(mw_digests_fd(fd, 3, MW_DIGEST_ALL, &digests), 0);
	assert_string_equal(digests.md5, "900150983cd24fb0d6963f7d28e17f72");
	assert_string_equal(digests.sha1, "a9993e364706816aba3e25717850c26c9cd0d89d");
	assert_string_equal(digests.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(mw_digests_fd(fd, 3, MW_DIGEST_SHA1, &digests), 0);
	assert_string_equal(digests.md5, "");
	assert_string_equal(digests.sha256, "");
	assert_string_equal(digests.sha1, "a9993e364706816aba3e25717850c26c9cd0d89d");
	char hex[MW_SHA256_HEX_BYTES];
	assert_int_equal(mw_sha256_fd(fd, 3, hex), 0);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(mw_digests_fd(fd, 2, MW_DIGEST_ALL, &digests), -EFBIG);
	close(fd);
}

static void a_file_is_read_once(void **state)
{
	(void)state;
	struct mw_digest_cache *cache = mw_digest_cache_new();
	struct mw_digests digests;
	uint64_t bytes;
	put("abc");
	struct mw_digest_key key = key_now();
	assert_int_equal(mw_digest_cache_path(cache, path, &key, 100, MW_DIGEST_ALL, &digests, &bytes), 0);
	assert_int_equal(bytes, 3);
	assert_int_equal(mw_digest_cache_path(cache, path, &key, 100, MW_DIGEST_SHA256, &digests, &bytes), 0);
	assert_int_equal(bytes, 0);
	assert_string_equal(digests.md5, "");
	assert_string_equal(digests.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");

	put("abcd");
	assert_int_equal(mw_digest_cache_path(cache, path, &key, 100, MW_DIGEST_ALL, &digests, &bytes), -ESTALE);
	assert_int_equal(mw_digest_cache_path(cache, path, NULL, 3, MW_DIGEST_ALL, &digests, &bytes), -EFBIG);
	assert_int_equal(mw_digest_cache_path(cache, path, NULL, 4, MW_DIGEST_MD5, &digests, &bytes), 0);
	assert_string_equal(digests.md5, "e2fc714c4727ee9395f324cd2e7f331f");
	assert_int_equal(mw_digest_cache_path(cache, dir, NULL, 4, MW_DIGEST_MD5, &digests, &bytes), -EINVAL);
	assert_int_equal(mw_digest_cache_path(cache, "/nonexistent", NULL, 4, MW_DIGEST_MD5, &digests, &bytes),
			 -ENOENT);
	mw_digest_cache_free(cache);
}

static struct mw_loop *loop;
static atomic_uint births;

static void on_done(void *data)
{
	(void)data;
	mw_loop_stop(loop);
}

static enum mw_hash_state wait_for(const struct mw_hash_job *job, const struct mw_digests **ret)
{
	while (mw_hashes_state(job, ret) == MW_HASH_WAITS)
		assert_int_equal(mw_loop_run(loop), 0);
	return mw_hashes_state(job, ret);
}

static void a_thread_computes_them(void **state)
{
	(void)state;
	struct mw_hashes *hashes;
	const struct mw_digests *digests = NULL;
	births = 0;
	mw_thread_count_in(&births);
	assert_int_equal(mw_loop_new(&loop, NULL), 0);
	assert_int_equal(mw_hashes_new(loop, on_done, NULL, &hashes), 0);
	assert_int_equal(births, 0);
	put("abc");
	struct mw_digest_key key = key_now();
	struct mw_hash_job *job = mw_hashes_ask(hashes, path, &key, 100, MW_DIGEST_ALL);
	assert_non_null(job);
	assert_int_equal(births, 0); /* it may be gone in a moment */
	assert_int_equal(wait_for(job, &digests), MW_HASH_DONE);
	assert_int_equal(births, 1);
	assert_string_equal(digests->md5, "900150983cd24fb0d6963f7d28e17f72");
	mw_hashes_let_go(hashes, job);

	/* No longer what it was asked for; gone; too large. */
	struct mw_digest_key other = key;
	other.size++;
	job = mw_hashes_ask(hashes, path, &other, 100, MW_DIGEST_ALL);
	assert_int_equal(wait_for(job, &digests), MW_HASH_SKIPPED);
	mw_hashes_let_go(hashes, job);
	job = mw_hashes_ask(hashes, "/nonexistent", &key, 100, MW_DIGEST_ALL);
	assert_int_equal(wait_for(job, &digests), MW_HASH_SKIPPED);
	mw_hashes_let_go(hashes, job);
	job = mw_hashes_ask(hashes, path, &key, 2, MW_DIGEST_ALL);
	assert_int_equal(wait_for(job, &digests), MW_HASH_FAILED);
	mw_hashes_let_go(hashes, job);

	/* More than may wait are refused; those that do may be let go of before they are done. */
	struct mw_hash_job *jobs[2000];
	unsigned asked = 0;
	for (unsigned i = 0; i < 2000; i++) {
		jobs[asked] = mw_hashes_ask(hashes, path, &key, 100, MW_DIGEST_ALL);
		asked += jobs[asked] != NULL;
	}
	assert_true(asked >= 256);
	for (unsigned i = 0; i < asked; i++)
		mw_hashes_let_go(hashes, jobs[i]);
	mw_hashes_wait(hashes, 5000);
	uint64_t hashed;
	uint64_t told_refused;
	mw_hashes_count(hashes, &hashed, &told_refused);
	assert_int_equal(asked + told_refused, 2000);
	mw_hashes_free(hashes);
	mw_loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(digests_are_those_of_the_standards, start, stop),
		cmocka_unit_test_setup_teardown(a_file_is_read_once, start, stop),
		cmocka_unit_test_setup_teardown(a_thread_computes_them, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

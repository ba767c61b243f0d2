#include "sensor/baseliner.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/thread.h"
#include "crypto/digest_cache.h"
#include "spool/baseline.h"
#include "watch/watch.h"

enum {
	/* Memory for what is known of the files, while it is written. */
	ROWS_BYTES = 24 << 20,
	/* Files written, or bytes hashed, between two rests. */
	PIECE_FILES = 250,
	REST_MS = 5,
	REST_MAX_MS = 200,
	JOIN_S = 1,
	/* Not the lowest: it takes locks of the memory allocators, which others then wait for. */
	NICENESS = 10,
};

static const uint64_t PIECE_BYTES = 4 << 20;

struct row {
	struct mw_change_stat stat;
	uint32_t category_bytes, path_bytes; /* both with their NULs; they stand behind */
};

struct mw_baseliner {
	struct mw_baseliner_options options;
	char *state_dir;
	struct mw_buf rows;
	bool is_cut;
	pthread_t thread;
	bool has_thread;
	atomic_bool is_ending, is_over, is_paused;
	atomic_uint_least64_t written;
	struct mw_err err; /* once it is over */
};

static int keep(void *data, const char *path, unsigned category, const struct mw_change_stat *stat)
{
	struct mw_baseliner *baseliner = data;
	const char *name = baseliner->options.category(baseliner->options.data, category);
	struct row row = {
		.stat = *stat,
		.category_bytes = (uint32_t)strlen(name) + 1,
		.path_bytes = (uint32_t)strlen(path) + 1,
	};
	if (!mw_buf_reserve(&baseliner->rows, sizeof(row) + row.category_bytes + row.path_bytes)) {
		baseliner->rows.failed = false;
		baseliner->is_cut = true;
		return 1;
	}
	mw_buf_add(&baseliner->rows, &row, sizeof(row));
	mw_buf_add(&baseliner->rows, name, row.category_bytes);
	mw_buf_add(&baseliner->rows, path, row.path_bytes);
	return 0;
}

/* As long as the last piece took, so that where there is little of the processor, others have theirs. */
static void rest(struct mw_baseliner *baseliner, int64_t began_ns)
{
	int64_t ms = (mw_clock_mono_ns() - began_ns) / MW_NS_PER_MS;
	ms = ms < REST_MS ? REST_MS : ms > REST_MAX_MS ? REST_MAX_MS : ms;
	const struct timespec time = {.tv_nsec = ms * MW_NS_PER_MS};
	do
		(void)nanosleep(&time, NULL);
	while (atomic_load(&baseliner->is_paused) && !atomic_load(&baseliner->is_ending));
}

static int write_row(struct mw_baseliner *baseliner, struct mw_baseline *baseline, struct mw_digest_cache *cache,
		     const struct row *row, const char *texts, uint64_t *bytes)
{
	const struct mw_change_stat *stat = &row->stat;
	const char *path = texts + row->category_bytes;
	const struct mw_digest_key key = {
		.device = stat->device,
		.inode = stat->inode,
		.size = stat->size,
		.mtime_ns = stat->mtime_ns,
		.ctime_ns = stat->ctime_ns,
	};
	struct mw_digests digests = {0};
	uint64_t read_bytes = 0;
	if (cache && S_ISREG(stat->mode))
		(void)mw_digest_cache_path(cache, path, &key, baseliner->options.read_max, MW_DIGEST_SHA256, &digests,
					   &read_bytes);
	*bytes += read_bytes;
	const struct mw_baseline_row out = {
		.path = path,
		.category = texts,
		.inode = stat->inode,
		.device = stat->device,
		.size = stat->size,
		.nlink = stat->nlink,
		.mode = stat->mode,
		.uid = stat->uid,
		.gid = stat->gid,
		.mtime_ns = stat->mtime_ns,
		.ctime_ns = stat->ctime_ns,
		.sha256 = *digests.sha256 ? digests.sha256 : NULL,
	};
	return mw_baseline_add(baseline, &out, &baseliner->err);
}

static int write_all(struct mw_baseliner *baseliner, struct mw_baseline *baseline, struct mw_digest_cache *cache)
{
	uint64_t bytes = 0;
	unsigned files = 0;
	int64_t began_ns = mw_clock_mono_ns();
	int r = 0;
	for (size_t at = 0; at < baseliner->rows.size && r == 0;) {
		struct row row;
		if (atomic_load(&baseliner->is_ending))
			return -EINTR;
		memcpy(&row, baseliner->rows.data + at, sizeof(row));
		r = write_row(baseliner, baseline, cache, &row, baseliner->rows.data + at + sizeof(row), &bytes);
		at += sizeof(row) + row.category_bytes + row.path_bytes;
		(void)atomic_fetch_add(&baseliner->written, 1);
		if (++files >= PIECE_FILES || bytes >= PIECE_BYTES || atomic_load(&baseliner->is_paused)) {
			files = 0;
			bytes = 0;
			rest(baseliner, began_ns);
			began_ns = mw_clock_mono_ns();
		}
	}
	return r;
}

static void *run(void *data)
{
	struct mw_baseliner *baseliner = data;
	(void)prctl(PR_SET_NAME, "moonwatch-base");
	(void)setpriority(PRIO_PROCESS, 0, NICENESS); /* on Linux: of this thread */
	struct mw_baseline *baseline;
	int r = mw_baseline_begin(baseliner->state_dir, baseliner->options.run_ns, &baseline, &baseliner->err);
	if (r == 0) {
		struct mw_digest_cache *cache = baseliner->options.with_hashes ? mw_digest_cache_new() : NULL;
		r = write_all(baseliner, baseline, cache);
		mw_digest_cache_free(cache);
		int ended = mw_baseline_end(baseline, r == 0, baseliner->is_cut, &baseliner->err);
		r = r < 0 ? r : ended;
	}
	mw_buf_release(&baseliner->rows);
	if (r == 0 || r == -EEXIST || r == -EINTR)
		baseliner->err.text[0] = '\0';
	atomic_store(&baseliner->is_over, true);
	return NULL;
}

static int start_thread(struct mw_baseliner *baseliner)
{
	int r = mw_thread_start(&baseliner->thread, 0, run, baseliner);
	baseliner->has_thread = r == 0;
	return r;
}

int mw_baseliner_new(const struct mw_baseliner_options *options, struct mw_baseliner **ret_baseliner)
{
	struct mw_baseliner *baseliner = calloc(1, sizeof(*baseliner));
	if (!baseliner)
		return -ENOMEM;
	baseliner->options = *options;
	baseliner->rows = (struct mw_buf)MW_BUF(ROWS_BYTES);
	baseliner->state_dir = strdup(options->state_dir);
	if (!baseliner->state_dir) {
		mw_baseliner_free(baseliner);
		return -ENOMEM;
	}
	*ret_baseliner = baseliner;
	return 0;
}

int mw_baseliner_gather(struct mw_baseliner *baseliner, struct mw_watch *watch, int64_t until_ns)
{
	int r = mw_watch_visit(watch, until_ns, keep, baseliner);
	return r == -EAGAIN ? r : start_thread(baseliner);
}

void mw_baseliner_pause(struct mw_baseliner *baseliner, bool is_paused)
{
	atomic_store(&baseliner->is_paused, is_paused);
}

void mw_baseliner_free(struct mw_baseliner *baseliner)
{
	if (!baseliner)
		return;
	atomic_store(&baseliner->is_ending, true);
	if (baseliner->has_thread) {
		/* It may hang in a file system that does not answer; then what it uses is left to it. */
		struct timespec until;
		(void)clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += JOIN_S;
		if (pthread_timedjoin_np(baseliner->thread, NULL, &until) != 0)
			return;
	}
	mw_buf_release(&baseliner->rows);
	free(baseliner->state_dir);
	free(baseliner);
}

uint64_t mw_baseliner_look(struct mw_baseliner *baseliner, bool *ret_is_over, const char **ret_why)
{
	*ret_is_over = atomic_load(&baseliner->is_over);
	*ret_why = *ret_is_over && baseliner->err.text[0] ? baseliner->err.text : NULL;
	return atomic_load(&baseliner->written);
}

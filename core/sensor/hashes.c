#include "sensor/hashes.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "loop/loop.h"

enum {
	/* Jobs that wait. */
	QUEUE = 256,
	/* Opening, reading and closing a small file costs as much as reading so many bytes. */
	FILE_COST_BYTES = 32 << 10,
	STACK_BYTES = 256 << 10,
	JOIN_S = 1,
	/* Not the lowest: it takes a lock, which the loop then waits for. */
	NICENESS = 5,
	/* A file is left alone for so long: many that are written are gone, or written again, at once.  Then the thread is not even
	 * woken. */
	SETTLE_MS = 3,
	/* Between two times that the loop is told, while there is more to do. */
	TELL_MS = 2,
};

/* In a second; of this the three hashes take some 15 % of one processor. */
static const int64_t RATE_BYTES = 32 << 20;
/* How much may be read at once after a rest. */
static const int64_t BURST_BYTES = 64 << 20;

struct mw_hash_job {
	struct mw_hash_job *next;
	atomic_int state;
	unsigned owners; /* under the lock: asker, and the queue or thread */
	struct mw_digest_key key;
	uint64_t limit;
	unsigned which;
	int64_t asked_ns; /* CLOCK_MONOTONIC */
	struct mw_digests digests;
	char path[];
};

struct mw_hashes {
	struct mw_loop *loop;
	void (*done)(void *data);
	void *data;
	int wake_fd;
	pthread_t thread;
	bool has_thread;
	struct mw_digest_cache *cache; /* the thread's */
	/* Of the asker. */
	uint64_t refused;
	atomic_uint_least64_t hashed;
	size_t fresh_count;
	struct mw_hash_job *fresh, **fresh_last; /* yet to settle, in their order */
	struct mw_timer settle_timer;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Under the lock. */
	bool is_ending;
	bool is_at_work; /* on a job */
	bool is_hurried; /* it does not rest */
	size_t count;
	struct mw_hash_job *first, **last;
	/* Of the thread: what may be read now; below 0 it rests. */
	int64_t credit_bytes, credit_ns;
	bool has_news; /* the loop is to be told, which was told last at `told_ns` */
	int64_t told_ns;
};

/* Under the lock. */
static void drop(struct mw_hash_job *job)
{
	if (--job->owners == 0)
		free(job);
}

static void wake(struct mw_hashes *hashes)
{
	uint64_t one = 1;
	ssize_t n = write(hashes->wake_fd, &one, sizeof(one));
	(void)n; /* full: it is awake */
}

/* What may be read grows with time. */
static int64_t credit(struct mw_hashes *hashes)
{
	int64_t now = mw_clock_mono_ns();
	int64_t passed_us = (now - hashes->credit_ns) / 1000;
	if (passed_us > 10 * 1000000)
		passed_us = 10 * 1000000;
	hashes->credit_ns = now;
	hashes->credit_bytes += RATE_BYTES * passed_us / 1000000;
	if (hashes->credit_bytes > BURST_BYTES)
		hashes->credit_bytes = BURST_BYTES;
	return hashes->credit_bytes;
}

/* Tell the loop what is done, when there is nothing more to do now, or it was not told for a while. */
static void tell(struct mw_hashes *hashes, bool is_at_once)
{
	int64_t now_ns = mw_clock_mono_ns();
	if (!hashes->has_news || (!is_at_once && now_ns - hashes->told_ns < (int64_t)TELL_MS * MW_NS_PER_MS))
		return;
	hashes->has_news = false;
	hashes->told_ns = now_ns;
	wake(hashes);
}

/* Under the lock: the next job once there is one and it may be done; NULL: the end. */
static struct mw_hash_job *next_job(struct mw_hashes *hashes)
{
	for (;;) {
		if (hashes->is_ending)
			return NULL;
		if (!hashes->first) {
			tell(hashes, true);
			(void)pthread_cond_wait(&hashes->changed, &hashes->lock);
			continue;
		}
		int64_t lacking = -credit(hashes);
		bool rests = lacking > 0 && !hashes->is_hurried;
		tell(hashes, rests);
		if (!rests)
			break;
		int64_t until_ns = hashes->credit_ns + lacking * 1000 / RATE_BYTES * MW_NS_PER_MS + MW_NS_PER_MS;
		const struct timespec until = {.tv_sec = until_ns / MW_NS_PER_S, .tv_nsec = until_ns % MW_NS_PER_S};
		(void)pthread_cond_timedwait(&hashes->changed, &hashes->lock, &until);
	}
	struct mw_hash_job *job = hashes->first;
	hashes->first = job->next;
	if (!hashes->first)
		hashes->last = &hashes->first;
	hashes->count--;
	hashes->is_at_work = true;
	return job;
}

static void run_job(struct mw_hashes *hashes, struct mw_hash_job *job)
{
	uint64_t bytes = 0;
	int r = mw_digest_cache_path(hashes->cache, job->path, &job->key, job->limit, job->which, &job->digests,
				     &bytes);
	hashes->credit_bytes -= (int64_t)bytes + FILE_COST_BYTES;
	enum mw_hash_state state = MW_HASH_FAILED;
	if (r == 0)
		state = MW_HASH_DONE;
	else if (r == -ESTALE || r == -ENOENT || r == -ELOOP || r == -EINVAL)
		state = MW_HASH_SKIPPED;
	if (r == 0)
		(void)atomic_fetch_add(&hashes->hashed, 1);
	atomic_store_explicit(&job->state, state, memory_order_release);
}

static void *run(void *data)
{
	struct mw_hashes *hashes = data;
	(void)prctl(PR_SET_NAME, "moonwatch-hash");
	(void)setpriority(PRIO_PROCESS, 0, NICENESS); /* on Linux: of this thread */
	(void)pthread_mutex_lock(&hashes->lock);
	for (struct mw_hash_job *job; (job = next_job(hashes));) {
		bool is_wanted = job->owners > 1 && atomic_load(&job->state) == MW_HASH_WAITS;
		(void)pthread_mutex_unlock(&hashes->lock);
		if (is_wanted)
			run_job(hashes, job);
		(void)pthread_mutex_lock(&hashes->lock);
		drop(job);
		hashes->is_at_work = false;
		hashes->has_news = true;
	}
	(void)pthread_mutex_unlock(&hashes->lock);
	return NULL;
}

static void on_wake(void *data, uint32_t events)
{
	struct mw_hashes *hashes = data;
	(void)events;
	uint64_t times;
	ssize_t n = read(hashes->wake_fd, &times, sizeof(times));
	(void)n;
	hashes->done(hashes->data);
}

static void on_settle(void *data);

int mw_hashes_new(struct mw_loop *loop, void (*done)(void *data), void *data, struct mw_hashes **ret_hashes)
{
	struct mw_hashes *hashes = calloc(1, sizeof(*hashes));
	if (!hashes)
		return -ENOMEM;
	hashes->loop = loop;
	hashes->done = done;
	hashes->data = data;
	hashes->last = &hashes->first;
	hashes->fresh_last = &hashes->fresh;
	hashes->settle_timer = (struct mw_timer){.fire = on_settle, .data = hashes};
	hashes->credit_bytes = BURST_BYTES;
	hashes->credit_ns = mw_clock_mono_ns();
	pthread_condattr_t clock;
	(void)pthread_condattr_init(&clock);
	(void)pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&hashes->changed, &clock);
	(void)pthread_condattr_destroy(&clock);
	(void)pthread_mutex_init(&hashes->lock, NULL);
	hashes->cache = mw_digest_cache_new();
	hashes->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int r = hashes->wake_fd < 0 ? -errno : hashes->cache ? 0 : -ENOMEM;
	if (r == 0)
		r = mw_loop_watch(loop, hashes->wake_fd, EPOLLIN, on_wake, hashes);
	if (r < 0) {
		mw_hashes_free(hashes);
		return r;
	}
	*ret_hashes = hashes;
	return 0;
}

static void drop_all(struct mw_hash_job *first)
{
	while (first) {
		struct mw_hash_job *job = first;
		first = job->next;
		drop(job);
	}
}

void mw_hashes_free(struct mw_hashes *hashes)
{
	if (!hashes)
		return;
	mw_timer_clear(hashes->loop, &hashes->settle_timer);
	if (hashes->has_thread) {
		(void)pthread_mutex_lock(&hashes->lock);
		hashes->is_ending = true;
		(void)pthread_cond_signal(&hashes->changed);
		(void)pthread_mutex_unlock(&hashes->lock);
		/* It may hang in a file system that does not answer; then what it uses is left to it. */
		struct timespec until;
		(void)clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += JOIN_S;
		if (pthread_timedjoin_np(hashes->thread, NULL, &until) != 0)
			return;
	}
	drop_all(hashes->first);
	drop_all(hashes->fresh);
	if (hashes->wake_fd >= 0) {
		mw_loop_unwatch(hashes->loop, hashes->wake_fd);
		(void)close(hashes->wake_fd);
	}
	mw_digest_cache_free(hashes->cache);
	(void)pthread_cond_destroy(&hashes->changed);
	(void)pthread_mutex_destroy(&hashes->lock);
	free(hashes);
}

/* Is the file still what it was asked for? */
static bool is_there(const struct mw_hash_job *job)
{
	struct stat st;
	return lstat(job->path, &st) == 0 && st.st_dev == job->key.device && st.st_ino == job->key.inode &&
	       (uint64_t)st.st_size == job->key.size &&
	       st.st_mtim.tv_sec * (int64_t)MW_NS_PER_S + st.st_mtim.tv_nsec == job->key.mtime_ns;
}

static int start(struct mw_hashes *hashes)
{
	int r = hashes->has_thread ? 0 : mw_thread_start(&hashes->thread, STACK_BYTES, run, hashes);
	hashes->has_thread = r == 0;
	return r;
}

/* Jobs that were asked for until `until_ns` are the thread's, or over.  True when any is over. */
static bool settle(struct mw_hashes *hashes, int64_t until_ns)
{
	bool is_any_over = false;
	(void)pthread_mutex_lock(&hashes->lock);
	bool was_empty = !hashes->first;
	while (hashes->fresh && hashes->fresh->asked_ns <= until_ns) {
		struct mw_hash_job *job = hashes->fresh;
		hashes->fresh = job->next;
		hashes->fresh_count--;
		job->next = NULL;
		bool is_wanted = job->owners > 1 && atomic_load(&job->state) == MW_HASH_WAITS && is_there(job) &&
				 start(hashes) == 0;
		if (is_wanted) {
			*hashes->last = job;
			hashes->last = &job->next;
			hashes->count++;
			continue;
		}
		atomic_store(&job->state, MW_HASH_SKIPPED);
		drop(job);
		is_any_over = true;
	}
	if (!hashes->fresh)
		hashes->fresh_last = &hashes->fresh;
	if (was_empty && hashes->first)
		(void)pthread_cond_signal(&hashes->changed);
	(void)pthread_mutex_unlock(&hashes->lock);
	return is_any_over;
}

static void on_settle(void *data)
{
	struct mw_hashes *hashes = data;
	bool is_any_over = settle(hashes, mw_clock_mono_ns() - (int64_t)SETTLE_MS * MW_NS_PER_MS);
	if (hashes->fresh)
		mw_timer_set(hashes->loop, &hashes->settle_timer, SETTLE_MS);
	if (is_any_over)
		hashes->done(hashes->data);
}

/* Under the lock: jobs for the same file, that it has changed since. */
static void supersede(struct mw_hash_job *first, const struct mw_digest_key *key)
{
	for (struct mw_hash_job *job = first; job; job = job->next)
		if (job->key.inode == key->inode && job->key.device == key->device &&
		    (job->key.mtime_ns != key->mtime_ns || job->key.ctime_ns != key->ctime_ns))
			atomic_store_explicit(&job->state, MW_HASH_SKIPPED, memory_order_release);
}

struct mw_hash_job *mw_hashes_ask(struct mw_hashes *hashes, const char *path, const struct mw_digest_key *key,
				  uint64_t limit, unsigned which)
{
	size_t bytes = strlen(path) + 1;
	(void)pthread_mutex_lock(&hashes->lock);
	supersede(hashes->first, key);
	bool is_full = hashes->count + hashes->fresh_count >= QUEUE;
	(void)pthread_mutex_unlock(&hashes->lock);
	supersede(hashes->fresh, key);
	struct mw_hash_job *job = is_full ? NULL : calloc(1, sizeof(*job) + bytes);
	if (!job) {
		hashes->refused++;
		return NULL;
	}
	job->key = *key;
	job->limit = limit;
	job->which = which;
	job->owners = 2;
	job->asked_ns = mw_clock_mono_ns();
	memcpy(job->path, path, bytes);
	*hashes->fresh_last = job;
	hashes->fresh_last = &job->next;
	hashes->fresh_count++;
	if (!hashes->settle_timer.is_set)
		mw_timer_set(hashes->loop, &hashes->settle_timer, SETTLE_MS);
	return job;
}

enum mw_hash_state mw_hashes_state(const struct mw_hash_job *job, const struct mw_digests **ret)
{
	enum mw_hash_state state = (enum mw_hash_state)atomic_load_explicit(&job->state, memory_order_acquire);
	if (state == MW_HASH_DONE)
		*ret = &job->digests;
	return state;
}

void mw_hashes_let_go(struct mw_hashes *hashes, struct mw_hash_job *job)
{
	if (!job)
		return;
	(void)pthread_mutex_lock(&hashes->lock);
	drop(job);
	(void)pthread_mutex_unlock(&hashes->lock);
}

static void hurry(struct mw_hashes *hashes, bool is_hurried)
{
	(void)pthread_mutex_lock(&hashes->lock);
	hashes->is_hurried = is_hurried;
	(void)pthread_cond_signal(&hashes->changed);
	(void)pthread_mutex_unlock(&hashes->lock);
}

void mw_hashes_wait(struct mw_hashes *hashes, int ms)
{
	hurry(hashes, true);
	(void)settle(hashes, INT64_MAX);
	int64_t until_ns = mw_clock_mono_ns() + (int64_t)ms * MW_NS_PER_MS;
	for (;;) {
		(void)pthread_mutex_lock(&hashes->lock);
		bool is_idle = !hashes->first && !hashes->is_at_work;
		(void)pthread_mutex_unlock(&hashes->lock);
		int64_t left_ms = (until_ns - mw_clock_mono_ns()) / MW_NS_PER_MS;
		if (is_idle || left_ms <= 0)
			break;
		struct pollfd wake = {.fd = hashes->wake_fd, .events = POLLIN};
		if (poll(&wake, 1, (int)left_ms) > 0) {
			uint64_t times;
			ssize_t n = read(hashes->wake_fd, &times, sizeof(times));
			(void)n;
		}
	}
	hurry(hashes, false);
}

void mw_hashes_count(const struct mw_hashes *hashes, uint64_t *ret_hashed, uint64_t *ret_refused)
{
	*ret_hashed = atomic_load(&hashes->hashed);
	*ret_refused = hashes->refused;
}

#include "sql/worker.h"

#include <errno.h>
#include <linux/ioprio.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/thread.h"
#include "flag/flag.h"
#include "sql/db.h"
#include "sql/interrupt.h"
#include "sql/world.h"

enum {
	STACK_BYTES = 1 << 20,
	JOIN_S = 1,
	NICE = 19,
	TIME_MS = 30000,
	VIEWS = 256,
	VIEW_BYTES = 64 << 10,
};

struct mw_sql_job {
	struct mw_sql_job *next;
	unsigned owners; /* under the lock: asker, and the queue or thread */
	atomic_bool is_done;
	int64_t begun_ns; /* under the lock; 0 while it waits */
	struct mw_flags *flags;
	struct mw_ask ask;
	bool is_views;
	size_t views;
	struct mw_answer answer;
	char text[]; /* of a query; or name and text of each view, with their NULs */
};

struct mw_sql_worker {
	char *state_dir, *proc, *root;
	const struct mw_flags *flags;
	int wake_fd;
	pthread_t thread;
	bool has_thread;
	struct mw_sql *sql; /* the thread's; NULL until it is needed */

	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Under the lock. */
	bool is_ending;
	size_t count;
	struct mw_sql_job *first, **last;
	struct mw_sql_job *running;
};

static void free_job(struct mw_sql_job *job)
{
	mw_answer_release(&job->answer);
	mw_flags_free(job->flags);
	free(job);
}

/* Under the lock. */
static void drop(struct mw_sql_job *job)
{
	if (--job->owners == 0)
		free_job(job);
}

/* --- the thread --- */

static int open_connection(struct mw_sql_worker *worker, struct mw_sql_job *job)
{
	if (worker->sql)
		return 0;
	const struct mw_sql_options options = {
		.state_dir = worker->state_dir, .proc = worker->proc, .root = worker->root, .flags = job->flags};
	return mw_sql_open(&options, &worker->sql, &job->answer.err);
}

/* A view may be over others: those that fail are tried again as long as one more succeeds. */
static void add_views(struct mw_sql_worker *worker, struct mw_sql_job *job)
{
	bool is_made[VIEWS] = {false};
	struct mw_err err;
	for (bool is_last = false, is_better = true; is_better || !is_last;) {
		is_last = !is_better;
		is_better = false;
		const char *at = job->text;
		for (size_t i = 0; i < job->views; i++) {
			const char *name = at;
			const char *text = name + strlen(name) + 1;
			at = text + strlen(text) + 1;
			if (is_made[i])
				continue;
			is_made[i] = mw_sql_add_view(worker->sql, name, text, strlen(text), &err) == 0;
			is_better |= is_made[i];
			if (is_last && !is_made[i])
				mw_buf_printf(&job->answer.warnings, "view %.60s: %s\n", name, err.text);
		}
	}
}

static void set_views(struct mw_sql_worker *worker, struct mw_sql_job *job)
{
	/* With the connection its views go. */
	mw_sql_close(worker->sql);
	worker->sql = NULL;
	job->answer.warnings = (struct mw_buf)MW_BUF(VIEW_BYTES);
	job->answer.code = open_connection(worker, job);
	if (job->answer.code == 0)
		add_views(worker, job);
}

static void run_job(struct mw_sql_worker *worker, struct mw_sql_job *job)
{
	if (job->is_views) {
		set_views(worker, job);
		return;
	}
	job->answer.code = open_connection(worker, job);
	if (job->answer.code < 0)
		return;
	const struct mw_flags *own = mw_sql_world(worker->sql)->flags;
	if (job->flags)
		mw_sql_world(worker->sql)->flags = job->flags;
	mw_answer_make(worker->sql, &job->ask, &job->answer);
	mw_sql_world(worker->sql)->flags = own;
}

/* Under the lock: the next one once there is one; NULL: the end. */
static struct mw_sql_job *next_job(struct mw_sql_worker *worker)
{
	while (!worker->is_ending && !worker->first)
		(void)pthread_cond_wait(&worker->changed, &worker->lock);
	if (worker->is_ending)
		return NULL;
	struct mw_sql_job *job = worker->first;
	worker->first = job->next;
	if (!worker->first)
		worker->last = &worker->first;
	worker->count--;
	job->begun_ns = mw_clock_mono_ns();
	worker->running = job;
	mw_sql_go_on();
	return job;
}

static void *run(void *data)
{
	struct mw_sql_worker *worker = data;
	(void)prctl(PR_SET_NAME, "moonwatch-sql");
	/* Of this thread alone.  Not SCHED_IDLE: where others take all of the processor it would not end at all, and whoever waits
	 * for a lock that it holds (of the allocator, of the spool's file) would wait as long. */
	(void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);
	(void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0));
	(void)pthread_mutex_lock(&worker->lock);
	for (struct mw_sql_job *job; (job = next_job(worker));) {
		bool is_wanted = job->owners > 1;
		(void)pthread_mutex_unlock(&worker->lock);
		if (is_wanted)
			run_job(worker, job);
		(void)pthread_mutex_lock(&worker->lock);
		worker->running = NULL;
		atomic_store_explicit(&job->is_done, true, memory_order_release);
		drop(job);
		uint64_t one = 1;
		ssize_t n = write(worker->wake_fd, &one, sizeof(one));
		(void)n; /* full: the loop is awake */
	}
	(void)pthread_mutex_unlock(&worker->lock);
	mw_sql_close(worker->sql);
	worker->sql = NULL;
	return NULL;
}

/* --- the asker --- */

static char *copy(const char *text)
{
	return strdup(text ? text : "");
}

int mw_sql_worker_new(const struct mw_sql_worker_options *options, struct mw_sql_worker **ret_worker)
{
	struct mw_sql_worker *worker = calloc(1, sizeof(*worker));
	if (!worker)
		return -ENOMEM;
	worker->state_dir = copy(options->state_dir);
	worker->root = copy(options->root);
	worker->proc = copy(options->proc ? options->proc : "/proc");
	worker->flags = options->flags;
	worker->last = &worker->first;
	(void)pthread_cond_init(&worker->changed, NULL);
	(void)pthread_mutex_init(&worker->lock, NULL);
	worker->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int r = worker->wake_fd < 0 ? -errno : 0;
	if (r == 0 && !(worker->state_dir && worker->root && worker->proc))
		r = -ENOMEM;
	if (r < 0) {
		mw_sql_worker_free(worker);
		return r;
	}
	*ret_worker = worker;
	return 0;
}

static int start(struct mw_sql_worker *worker)
{
	int r = mw_thread_start(&worker->thread, STACK_BYTES, run, worker);
	worker->has_thread = r == 0;
	return r;
}

void mw_sql_worker_free(struct mw_sql_worker *worker)
{
	if (!worker)
		return;
	if (worker->has_thread) {
		(void)pthread_mutex_lock(&worker->lock);
		worker->is_ending = true;
		mw_sql_interrupt();
		(void)pthread_cond_signal(&worker->changed);
		(void)pthread_mutex_unlock(&worker->lock);
		struct timespec until;
		(void)clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += JOIN_S;
		int r = pthread_timedjoin_np(worker->thread, NULL, &until);
		mw_sql_go_on();
		if (r != 0)
			return; /* it hangs: what it uses is left to it */
	}
	while (worker->first) {
		struct mw_sql_job *job = worker->first;
		worker->first = job->next;
		drop(job);
	}
	if (worker->wake_fd >= 0)
		(void)close(worker->wake_fd);
	(void)pthread_cond_destroy(&worker->changed);
	(void)pthread_mutex_destroy(&worker->lock);
	free(worker->state_dir);
	free(worker->proc);
	free(worker->root);
	free(worker);
}

/* The thread takes it back when it begins the next one. */
void mw_sql_worker_interrupt(struct mw_sql_worker *worker)
{
	(void)pthread_mutex_lock(&worker->lock);
	if (worker->running)
		mw_sql_interrupt();
	(void)pthread_mutex_unlock(&worker->lock);
}

int mw_sql_worker_fd(const struct mw_sql_worker *worker)
{
	return worker->wake_fd;
}

/* With room for `bytes` of text, and owned twice. */
static struct mw_sql_job *new_job(struct mw_sql_worker *worker, size_t bytes, struct mw_err *err)
{
	(void)pthread_mutex_lock(&worker->lock);
	bool is_full = worker->count >= MW_SQL_WORKER_QUEUE;
	(void)pthread_mutex_unlock(&worker->lock);
	if (is_full) {
		(void)mw_err_set(err, -EBUSY, "%d queries wait already", MW_SQL_WORKER_QUEUE);
		return NULL;
	}
	int r = worker->has_thread ? 0 : start(worker);
	if (r < 0) {
		(void)mw_err_set(err, r, "no thread for queries: %s", strerror(-r));
		return NULL;
	}
	struct mw_sql_job *job = calloc(1, sizeof(*job) + bytes);
	if (job && worker->flags)
		job->flags = mw_flags_copy(worker->flags);
	if (!job || (worker->flags && !job->flags)) {
		free(job);
		(void)mw_err_set(err, -ENOMEM, "out of memory");
		return NULL;
	}
	job->owners = 2;
	return job;
}

static struct mw_sql_job *put(struct mw_sql_worker *worker, struct mw_sql_job *job)
{
	(void)pthread_mutex_lock(&worker->lock);
	*worker->last = job;
	worker->last = &job->next;
	worker->count++;
	(void)pthread_cond_signal(&worker->changed);
	(void)pthread_mutex_unlock(&worker->lock);
	return job;
}

struct mw_sql_job *mw_sql_worker_ask(struct mw_sql_worker *worker, const struct mw_ask *ask, struct mw_err *err)
{
	struct mw_sql_job *job = new_job(worker, ask->bytes + 1, err);
	if (!job)
		return NULL;
	memcpy(job->text, ask->text, ask->bytes);
	job->ask = *ask;
	job->ask.text = job->text;
	if (job->ask.time_ms <= 0)
		job->ask.time_ms = TIME_MS;
	return put(worker, job);
}

struct mw_sql_job *mw_sql_worker_set_views(struct mw_sql_worker *worker, const struct mw_sql_view *views, size_t count,
					   struct mw_err *err)
{
	size_t bytes = 0;
	for (size_t i = 0; i < count; i++)
		bytes += strlen(views[i].name) + strlen(views[i].text) + 2;
	if (count > VIEWS) {
		(void)mw_err_set(err, -E2BIG, "more than %d views", VIEWS);
		return NULL;
	}
	struct mw_sql_job *job = new_job(worker, bytes, err);
	if (!job)
		return NULL;
	char *at = job->text;
	for (size_t i = 0; i < count; i++) {
		at = stpcpy(at, views[i].name) + 1;
		at = stpcpy(at, views[i].text) + 1;
	}
	job->is_views = true;
	job->views = count;
	job->ask.time_ms = TIME_MS;
	return put(worker, job);
}

const struct mw_answer *mw_sql_job_answer(const struct mw_sql_job *job)
{
	return atomic_load_explicit(&job->is_done, memory_order_acquire) ? &job->answer : NULL;
}

bool mw_sql_job_is_stuck(struct mw_sql_worker *worker, const struct mw_sql_job *job, int64_t grace_ms)
{
	(void)pthread_mutex_lock(&worker->lock);
	int64_t begun_ns = job->begun_ns;
	(void)pthread_mutex_unlock(&worker->lock);
	return begun_ns && !mw_sql_job_answer(job) &&
	       mw_clock_mono_ns() - begun_ns > (job->ask.time_ms + grace_ms) * MW_NS_PER_MS;
}

void mw_sql_job_let_go(struct mw_sql_worker *worker, struct mw_sql_job *job)
{
	if (!job)
		return;
	(void)pthread_mutex_lock(&worker->lock);
	drop(job);
	(void)pthread_mutex_unlock(&worker->lock);
}

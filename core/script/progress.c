#include "script/progress.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

enum {
	FIRST_MS = 1000,
	NEXT_MS = 500,
	NOTE_BYTES = 80,
};

static struct {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool is_running, is_over;
	int64_t start_ns;
	char note[NOTE_BYTES];
} progress = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void put(const char *text, size_t bytes)
{
	ssize_t written = write(STDERR_FILENO, text, bytes);
	(void)written; /* a terminal that has gone needs no note */
}

static void *tell(void *data)
{
	(void)data;
	int64_t due_ns = progress.start_ns + FIRST_MS * MW_NS_PER_MS;
	bool is_shown = false;
	(void)pthread_mutex_lock(&progress.lock);
	while (!progress.is_over) {
		struct timespec due = {.tv_sec = due_ns / MW_NS_PER_S, .tv_nsec = due_ns % MW_NS_PER_S};
		(void)pthread_cond_timedwait(&progress.changed, &progress.lock, &due);
		int64_t now_ns = mw_clock_mono_ns();
		if (progress.is_over || now_ns < due_ns)
			continue;
		char line[NOTE_BYTES + 40];
		int n = snprintf(line, sizeof(line), "\r%s (%lld s)\033[K", progress.note,
				 (long long)((now_ns - progress.start_ns) / MW_NS_PER_S));
		if (n > 0)
			put(line, (size_t)n);
		is_shown = true;
		due_ns = now_ns + NEXT_MS * MW_NS_PER_MS;
	}
	(void)pthread_mutex_unlock(&progress.lock);
	if (is_shown)
		put("\r\033[K", 4);
	return NULL;
}

void mw_progress_begin(const char *note)
{
	if (progress.is_running)
		return;
	pthread_condattr_t attributes;
	if (pthread_condattr_init(&attributes) != 0)
		return;
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	int r = pthread_cond_init(&progress.changed, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	if (r != 0)
		return;
	(void)snprintf(progress.note, sizeof(progress.note), "%s", note);
	progress.start_ns = mw_clock_mono_ns();
	progress.is_over = false;
	/* Signals are for the thread that works. */
	sigset_t all;
	sigset_t before;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	progress.is_running = pthread_create(&progress.thread, NULL, tell, NULL) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!progress.is_running)
		(void)pthread_cond_destroy(&progress.changed);
}

void mw_progress_end(void)
{
	if (!progress.is_running)
		return;
	(void)pthread_mutex_lock(&progress.lock);
	progress.is_over = true;
	(void)pthread_cond_signal(&progress.changed);
	(void)pthread_mutex_unlock(&progress.lock);
	(void)pthread_join(progress.thread, NULL);
	(void)pthread_cond_destroy(&progress.changed);
	progress.is_running = false;
}

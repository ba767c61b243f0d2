#include "rule/watchdog.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "script/bind.h"

enum {
	/* Nobody sends it to us, and its default is to be ignored. */
	SIGNAL = SIGURG,
	STACK_BYTES = 64 << 10,
	/* Looks without anything going on before it sleeps. */
	IDLE_LOOKS = 20,
};

struct mw_watchdog {
	struct mw_script *script;
	pthread_t judge, thread;
	unsigned limit_ms;
	bool is_running;
	/* Odd while a call is going on; another number with each rule that is asked. */
	atomic_uint turn;
	atomic_uint is_asleep; /* a futex */
	atomic_uint is_over;
};

/* One state is watched at a time: a signal has no argument. */
static _Atomic(struct mw_watchdog *) watched;

static void on_signal(int number)
{
	(void)number;
	struct mw_watchdog *watchdog = atomic_load(&watched);
	if (watchdog && atomic_load(&watchdog->turn) & 1)
		mw_script_stop(watchdog->script);
}

static void nap(unsigned ms)
{
	struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * MW_NS_PER_MS};
	(void)nanosleep(&time, NULL);
}

static void *look(void *data)
{
	struct mw_watchdog *watchdog = data;
	unsigned last = 0, idle = 0, same = 0;
	while (!atomic_load(&watchdog->is_over)) {
		nap(watchdog->limit_ms / 2 + 1);
		unsigned turn = atomic_load(&watchdog->turn);
		same = turn & 1 && turn == last ? same + 1 : 0;
		idle = turn & 1 || turn != last ? 0 : idle + 1;
		last = turn;
		/* Two looks see the same call: it has lasted for at least one interval; three: for the limit. */
		if (same >= 2)
			(void)pthread_kill(watchdog->judge, SIGNAL);
		if (idle < IDLE_LOOKS)
			continue;
		idle = 0;
		atomic_store(&watchdog->is_asleep, 1);
		if (atomic_load(&watchdog->turn) == last && !atomic_load(&watchdog->is_over))
			(void)syscall(SYS_futex, &watchdog->is_asleep, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0);
		atomic_store(&watchdog->is_asleep, 0);
	}
	return NULL;
}

static void wake(struct mw_watchdog *watchdog)
{
	atomic_store(&watchdog->is_asleep, 0);
	(void)syscall(SYS_futex, &watchdog->is_asleep, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

struct mw_watchdog *mw_watchdog_new(struct mw_script *script, unsigned limit_ms)
{
	struct mw_watchdog *watchdog = calloc(1, sizeof(*watchdog));
	if (!watchdog)
		return NULL;
	watchdog->script = script;
	watchdog->limit_ms = limit_ms;
	watchdog->judge = pthread_self();
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	(void)sigemptyset(&action.sa_mask);
	if (sigaction(SIGNAL, &action, NULL) < 0) {
		free(watchdog);
		return NULL;
	}
	watchdog->is_running = mw_thread_start(&watchdog->thread, STACK_BYTES, look, watchdog) == 0;
	sigset_t own;
	(void)sigemptyset(&own);
	(void)sigaddset(&own, SIGNAL);
	(void)pthread_sigmask(SIG_UNBLOCK, &own, NULL);
	if (!watchdog->is_running) {
		free(watchdog);
		return NULL;
	}
	atomic_store(&watched, watchdog);
	return watchdog;
}

void mw_watchdog_free(struct mw_watchdog *watchdog)
{
	if (!watchdog)
		return;
	struct mw_watchdog *expected = watchdog;
	(void)atomic_compare_exchange_strong(&watched, &expected, NULL);
	atomic_store(&watchdog->is_over, 1);
	wake(watchdog);
	(void)pthread_join(watchdog->thread, NULL);
	free(watchdog);
}

void mw_watchdog_begin(struct mw_watchdog *watchdog)
{
	if (!watchdog)
		return;
	/* Odd, whatever it was. */
	atomic_store_explicit(&watchdog->turn, (atomic_load_explicit(&watchdog->turn, memory_order_relaxed) + 1) | 1,
			      memory_order_seq_cst);
	if (atomic_load(&watchdog->is_asleep))
		wake(watchdog);
}

void mw_watchdog_step(struct mw_watchdog *watchdog)
{
	if (watchdog)
		atomic_store_explicit(&watchdog->turn, atomic_load_explicit(&watchdog->turn, memory_order_relaxed) + 2,
				      memory_order_relaxed);
}

void mw_watchdog_end(struct mw_watchdog *watchdog)
{
	if (watchdog)
		atomic_store_explicit(&watchdog->turn,
				      (atomic_load_explicit(&watchdog->turn, memory_order_relaxed) | 1) + 1,
				      memory_order_relaxed);
}

#include "base/thread.h"

#include <signal.h>

static _Atomic(atomic_uint *) counted_in;

void mw_thread_count_in(atomic_uint *births)
{
	atomic_store(&counted_in, births);
}

void mw_thread_note(void)
{
	atomic_uint *births = atomic_load(&counted_in);
	if (births)
		(void)atomic_fetch_add(births, 1);
}

int mw_thread_start(pthread_t *ret_thread, size_t stack_bytes, void *(*run)(void *data), void *data)
{
	pthread_attr_t attributes;
	sigset_t all;
	sigset_t before;
	int r = -pthread_attr_init(&attributes);
	if (r < 0)
		return r;
	if (stack_bytes)
		(void)pthread_attr_setstacksize(&attributes, stack_bytes);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	r = -pthread_create(ret_thread, &attributes, run, data);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)pthread_attr_destroy(&attributes);
	if (r == 0)
		mw_thread_note();
	return r;
}

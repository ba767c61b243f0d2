/* Threads for work beside a loop.  They take no signals, which are for the loop; and process ids, which somebody may have to
 * explain. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

/* Count the threads that are started from now on in *births; NULL: nowhere. */
void mw_thread_count_in(atomic_uint *births);

/* A library starts one, by its own means. */
void mw_thread_note(void);

/* pthread_create(3) with a stack of that size (0: the usual one) and all signals blocked.  Negative errno. */
int mw_thread_start(pthread_t *ret_thread, size_t stack_bytes, void *(*run)(void *data), void *data);

#include "sql/crew.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/thread.h"
#include "sql/rows.h"

enum {
	THREADS = 8,
	/* What is made before it is asked for: batches, and their memory. */
	AHEAD = 16,
	AHEAD_BYTES = 16 << 20,
	STACK_BYTES = 256 << 10, /* musl's default is smaller */
};

struct slot {
	struct mw_rows rows;
	int result;
	bool is_made;
};

struct mw_crew {
	pthread_mutex_t lock;
	pthread_cond_t changed; /* a batch is made, there is room for another, or it is over */
	mw_crew_make *make;
	void *data;
	size_t batches, taken, given; /* given <= taken <= batches; taken - given <= AHEAD */
	size_t bytes;                 /* of batches that are made and not given */
	bool is_over;
	unsigned threads;
	pthread_t thread[THREADS];
	struct slot slots[AHEAD]; /* of batch n: n % AHEAD */
};

int mw_crew_new(size_t batches, const struct mw_rows *model, mw_crew_make *make, void *data, struct mw_crew **ret_crew)
{
	struct mw_crew *crew = calloc(1, sizeof(*crew));
	if (!crew)
		return -ENOMEM;
	(void)pthread_mutex_init(&crew->lock, NULL);
	(void)pthread_cond_init(&crew->changed, NULL);
	crew->make = make;
	crew->data = data;
	crew->batches = batches;
	for (size_t i = 0; i < AHEAD; i++)
		mw_rows_init(&crew->slots[i].rows, model->columns, model->deadline_ns);
	*ret_crew = crew;
	return 0;
}

static size_t bytes_of(const struct mw_rows *rows)
{
	return rows->count * rows->columns * sizeof(*rows->cells) + rows->texts.size;
}

/* Take a batch and make it; false when there is none to be taken.  With the lock, which is let go meanwhile. */
static bool make_one(struct mw_crew *crew)
{
	if (crew->is_over || crew->taken == crew->batches || crew->taken - crew->given == AHEAD ||
	    crew->bytes > AHEAD_BYTES)
		return false;
	size_t batch = crew->taken++;
	struct slot *slot = &crew->slots[batch % AHEAD];
	(void)pthread_mutex_unlock(&crew->lock);
	mw_rows_clear(&slot->rows);
	int result = crew->make(crew->data, batch, &slot->rows);
	(void)pthread_mutex_lock(&crew->lock);
	slot->result = result;
	slot->is_made = true;
	crew->bytes += bytes_of(&slot->rows);
	(void)pthread_cond_broadcast(&crew->changed);
	return true;
}

static void *help(void *data)
{
	struct mw_crew *crew = data;
	/* Descriptors of its own, a copy of what there are: with one table of them shared, each open, read and close of any
	 * thread costs more.  Where that is forbidden it goes on as it is. */
	(void)unshare(CLONE_FILES);
	(void)pthread_mutex_lock(&crew->lock);
	while (!crew->is_over && crew->taken < crew->batches)
		if (!make_one(crew))
			(void)pthread_cond_wait(&crew->changed, &crew->lock);
	(void)pthread_mutex_unlock(&crew->lock);
	return NULL;
}

void mw_crew_grow(struct mw_crew *crew, unsigned threads)
{
	while (crew->threads < threads && crew->threads < THREADS &&
	       mw_thread_start(&crew->thread[crew->threads], STACK_BYTES, help, crew) == 0)
		crew->threads++;
}

void mw_crew_free(struct mw_crew *crew)
{
	if (!crew)
		return;
	(void)pthread_mutex_lock(&crew->lock);
	crew->is_over = true;
	(void)pthread_cond_broadcast(&crew->changed);
	(void)pthread_mutex_unlock(&crew->lock);
	for (unsigned i = 0; i < crew->threads; i++)
		(void)pthread_join(crew->thread[i], NULL);
	for (size_t i = 0; i < AHEAD; i++)
		mw_rows_release(&crew->slots[i].rows);
	(void)pthread_cond_destroy(&crew->changed);
	(void)pthread_mutex_destroy(&crew->lock);
	free(crew);
}

int mw_crew_next(struct mw_crew *crew, struct mw_rows *rows)
{
	(void)pthread_mutex_lock(&crew->lock);
	if (crew->given == crew->batches) {
		(void)pthread_mutex_unlock(&crew->lock);
		return 0;
	}
	struct slot *slot = &crew->slots[crew->given % AHEAD];
	while (crew->taken == crew->given || !slot->is_made)
		if (!make_one(crew))
			(void)pthread_cond_wait(&crew->changed, &crew->lock);
	int result = slot->result;
	crew->bytes -= bytes_of(&slot->rows);
	mw_rows_swap(rows, &slot->rows);
	slot->is_made = false;
	crew->given++;
	(void)pthread_cond_broadcast(&crew->changed);
	(void)pthread_mutex_unlock(&crew->lock);
	return result < 0 ? result : 1;
}

/* Each record is preceded by its size (8 bytes, so that records stay aligned).  One that would cross the end of the buffer
 * is put at its beginning instead, and the rest of the buffer is marked as skipped. */

#include "event/ring.h"

#include <string.h>

enum {
	SIZE_BYTES = 8,
	/* How far from its start an empty ring may have got. */
	REUSE_BYTES = 64 << 10,
};

/* In place of a size: nothing more until the end of the buffer. */
#define SKIP UINT64_MAX

static uint64_t aligned(uint64_t bytes)
{
	return (bytes + MW_RING_ALIGN - 1) & ~(uint64_t)(MW_RING_ALIGN - 1);
}

static void *at(struct mw_ring *ring, uint64_t position)
{
	return ring->data + (position & (ring->capacity - 1));
}

/* Bytes to skip so that a record of `need` bytes does not cross the end. */
static uint64_t skip_before(const struct mw_ring *ring, uint64_t position, uint64_t need)
{
	uint64_t to_end = ring->capacity - (position & (ring->capacity - 1));
	return need <= to_end ? 0 : to_end;
}

void *mw_ring_reserve(struct mw_ring *ring, size_t bytes)
{
	uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
	uint64_t need = SIZE_BYTES + aligned(bytes);
	uint64_t skip = skip_before(ring, head, need);
	/* An empty ring begins anew at its start, so that as long as the reader keeps up, the same few pages are used and the
	 * others take no memory. */
	if (head == tail && (head & (ring->capacity - 1)) >= REUSE_BYTES && ring->capacity >= 2 * (uint64_t)REUSE_BYTES)
		skip = ring->capacity - (head & (ring->capacity - 1));
	if (head - tail + skip + need > ring->capacity) {
		atomic_fetch_add_explicit(&ring->refused, 1, memory_order_relaxed);
		return NULL;
	}
	if (skip) {
		memcpy(at(ring, head), &(uint64_t){SKIP}, SIZE_BYTES);
		head += skip;
		atomic_store_explicit(&ring->head, head, memory_order_release);
	}
	return (unsigned char *)at(ring, head) + SIZE_BYTES;
}

void mw_ring_commit(struct mw_ring *ring, size_t bytes)
{
	uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	memcpy(at(ring, head), &(uint64_t){bytes}, SIZE_BYTES);
	head += SIZE_BYTES + aligned(bytes);
	uint64_t committed = atomic_load_explicit(&ring->committed, memory_order_relaxed);
	atomic_store_explicit(&ring->committed, committed + 1, memory_order_relaxed);
	/* Sequentially consistent, so that it is ordered before the look at reader_sleeps in mw_ring_must_wake(). */
	atomic_store(&ring->head, head);

	uint64_t used = head - atomic_load_explicit(&ring->tail, memory_order_relaxed);
	if (used > atomic_load_explicit(&ring->high_water_bytes, memory_order_relaxed))
		atomic_store_explicit(&ring->high_water_bytes, used, memory_order_relaxed);
}

const void *mw_ring_peek(struct mw_ring *ring, size_t *ret_bytes)
{
	for (;;) {
		uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
		if (tail == atomic_load_explicit(&ring->head, memory_order_acquire))
			return NULL;
		uint64_t size;
		memcpy(&size, at(ring, tail), SIZE_BYTES);
		if (size != SKIP) {
			*ret_bytes = (size_t)size;
			return (unsigned char *)at(ring, tail) + SIZE_BYTES;
		}
		tail += ring->capacity - (tail & (ring->capacity - 1));
		atomic_store_explicit(&ring->tail, tail, memory_order_release);
	}
}

void mw_ring_release(struct mw_ring *ring)
{
	uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	uint64_t size;
	memcpy(&size, at(ring, tail), SIZE_BYTES);
	atomic_store_explicit(&ring->tail, tail + SIZE_BYTES + aligned(size), memory_order_release);
}

int mw_ring_sleep(struct mw_ring *ring)
{
	atomic_store(&ring->reader_sleeps, 1);
	if (atomic_load(&ring->head) == atomic_load_explicit(&ring->tail, memory_order_relaxed))
		return 1;
	mw_ring_awake(ring);
	return 0;
}

int mw_ring_must_wake(struct mw_ring *ring)
{
	return atomic_load(&ring->reader_sleeps) && atomic_exchange(&ring->reader_sleeps, 0);
}

void mw_ring_awake(struct mw_ring *ring)
{
	atomic_store_explicit(&ring->reader_sleeps, 0, memory_order_relaxed);
}

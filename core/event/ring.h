/* A bounded queue of binary records in memory shared by two processes: one writer, one reader, no locks.
 *
 * The writer reserves room for the largest record it may make, fills it in place and commits what it used; a record is
 * seen whole or not at all, also when either side is killed at any moment.  A full ring refuses, and the refusal is
 * counted: the writer never waits.
 *
 * Invariant: tail <= head <= tail + capacity; both only grow, and their low bits are the place in the buffer. */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum {
	MW_RING_ALIGN = 8
};

/* Lives in shared memory; zeroed but for `capacity` is empty. */
struct mw_ring {
	_Alignas(64) atomic_uint_least64_t head; /* written by the writer */
	atomic_uint_least64_t committed;         /* records */
	atomic_uint_least64_t refused;           /* records for which there was no room */
	atomic_uint_least64_t high_water_bytes;
	_Alignas(64) atomic_uint_least64_t tail; /* written by the reader */
	atomic_uint reader_sleeps;               /* the reader wants to be woken */
	_Alignas(64) uint64_t capacity;          /* bytes, a power of two */
	_Alignas(64) unsigned char data[];
};

/* Bytes of shared memory for a ring of `capacity` bytes. */
static inline size_t mw_ring_bytes(uint64_t capacity)
{
	return sizeof(struct mw_ring) + capacity;
}

/* Room for a record of at most `bytes`, contiguous and aligned, or NULL when there is none (counted). */
void *mw_ring_reserve(struct mw_ring *ring, size_t bytes);
/* Publish the first `bytes` of what was reserved last. */
void mw_ring_commit(struct mw_ring *ring, size_t bytes);

/* The oldest record and its size, or NULL when empty.  It stays valid until it is released. */
const void *mw_ring_peek(struct mw_ring *ring, size_t *ret_bytes);
void mw_ring_release(struct mw_ring *ring);

/* Reader: say that it is about to sleep.  False when something has come meanwhile: do not sleep then. */
int mw_ring_sleep(struct mw_ring *ring);
/* Writer: does the reader want to be woken?  True once for each sleep. */
int mw_ring_must_wake(struct mw_ring *ring);
/* Reader: awake, no need to be woken. */
void mw_ring_awake(struct mw_ring *ring);

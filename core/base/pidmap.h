/* A hash table from process or thread id to a pointer: open addressing, linear probing, deletion by shifting back, so
 * that it never fills with tombstones.  It allocates only to grow (doubling at half full). */
#pragma once

#include <stddef.h>
#include <sys/types.h>

struct mw_pidmap_slot {
	pid_t pid; /* 0: empty */
	void *value;
};

/* Zeroed is empty and valid. */
struct mw_pidmap {
	struct mw_pidmap_slot *slots;
	size_t capacity; /* a power of two, or 0 */
	size_t count;
};

void mw_pidmap_release(struct mw_pidmap *map);
/* NULL when there is none. */
void *mw_pidmap_get(const struct mw_pidmap *map, pid_t pid);
/* Put in or replace; `pid` > 0, `value` not NULL.  0 or -ENOMEM. */
int mw_pidmap_set(struct mw_pidmap *map, pid_t pid, void *value);
/* What was there, or NULL. */
void *mw_pidmap_remove(struct mw_pidmap *map, pid_t pid);
/* The first entry at or after *cursor (start with 0), which is moved past it; NULL at the end.  Nothing may be put in
 * or removed meanwhile. */
void *mw_pidmap_next(const struct mw_pidmap *map, size_t *cursor);

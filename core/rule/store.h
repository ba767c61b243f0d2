/* What rules remember between events: throttles, counts, sequences, marks of process trees and values of their own.  Kept in C,
 * apart from the scripts, so that it outlives a reload; bounded, and everything in it ends by itself.
 *
 * Time is the events' own, so that a replay says what was said. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	/* Of all rules together; the one that was touched longest ago makes room. */
	MW_STORE_ENTRIES = 8192,
	/* Of one rule, so that none pushes the others out. */
	MW_STORE_ENTRIES_OF_RULE = 2048,
	/* A key: longer ones are cut, with a hash of the whole at their end. */
	MW_STORE_KEY_BYTES = 256,
	MW_STORE_VALUE_BYTES = 512,
	/* Events that one count may hold, and steps of a sequence. */
	MW_STORE_MOMENTS = 100,
};

enum mw_store_use {
	MW_STORE_THROTTLE,
	MW_STORE_THRESHOLD,
	MW_STORE_SEQUENCE,
	MW_STORE_MARK,
	MW_STORE_VALUE,
};

struct mw_moment {
	int64_t time_ns;
	uint64_t what; /* hash of a value (threshold); number of the event's id (sequence) */
};

struct mw_store_entry {
	/* Of the table, and of the list by age. */
	struct mw_store_entry *next, *older, *newer;
	uint64_t hash;
	uint32_t owner; /* hash of the rule's id; 0: marks, which are everybody's */
	uint8_t use;
	uint16_t key_bytes, value_bytes;
	unsigned count, room; /* of moments */
	uint64_t folded;
	int64_t since_ns, until_ns;
	struct mw_moment *moments;
	char *value; /* or NULL */
	char key[];
};

struct mw_store;

struct mw_store *mw_store_new(void);
void mw_store_free(struct mw_store *store);

/* NULL: there is none that has not ended. */
struct mw_store_entry *mw_store_find(struct mw_store *store, enum mw_store_use use, uint32_t owner, const char *key,
				     size_t key_bytes, int64_t now_ns);
/* The one there is, or a new one that ends at `until_ns`.  NULL: no memory. */
struct mw_store_entry *mw_store_get(struct mw_store *store, enum mw_store_use use, uint32_t owner, const char *key,
				    size_t key_bytes, int64_t now_ns, int64_t until_ns);
void mw_store_remove(struct mw_store *store, struct mw_store_entry *entry);
/* Append a moment.  -ENOMEM; -E2BIG past MW_STORE_MOMENTS. */
int mw_store_note(struct mw_store_entry *entry, struct mw_moment moment);
/* Take the first `n` moments away. */
void mw_store_forget(struct mw_store_entry *entry, unsigned n);
/* -ENOMEM. */
int mw_store_set_value(struct mw_store_entry *entry, const char *value, size_t bytes);

/* Entries of an owner for one use. */
unsigned mw_store_count(const struct mw_store *store, enum mw_store_use use, uint32_t owner);
/* Are there any for that use at all? */
bool mw_store_has(const struct mw_store *store, enum mw_store_use use);
/* Remove what ended before `now_ns`; `ending` (may be NULL) sees each before. */
void mw_store_sweep(struct mw_store *store, int64_t now_ns,
		    void (*ending)(void *data, const struct mw_store_entry *entry), void *data);
size_t mw_store_bytes(const struct mw_store *store);

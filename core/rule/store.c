#include "rule/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	BUCKETS = 4096, /* a power of two */
	OWNERS = 1024,  /* likewise: rules with state; two with the same number share a limit */
	USES = MW_STORE_VALUE + 1,
};

struct mw_store {
	struct mw_store_entry *buckets[BUCKETS];
	struct mw_store_entry *oldest, *newest;
	unsigned count;
	unsigned by_use[USES];
	uint16_t by_owner[USES][OWNERS];
};

struct mw_store *mw_store_new(void)
{
	return calloc(1, sizeof(struct mw_store));
}

static size_t size_of(const struct mw_store_entry *entry)
{
	return sizeof(*entry) + entry->key_bytes + entry->value_bytes + entry->room * sizeof(*entry->moments);
}

static void unlink_age(struct mw_store *store, struct mw_store_entry *entry)
{
	*(entry->older ? &entry->older->newer : &store->oldest) = entry->newer;
	*(entry->newer ? &entry->newer->older : &store->newest) = entry->older;
}

static void link_newest(struct mw_store *store, struct mw_store_entry *entry)
{
	entry->newer = NULL;
	entry->older = store->newest;
	*(store->newest ? &store->newest->newer : &store->oldest) = entry;
	store->newest = entry;
}

void mw_store_remove(struct mw_store *store, struct mw_store_entry *entry)
{
	struct mw_store_entry **at = &store->buckets[entry->hash % BUCKETS];
	while (*at != entry)
		at = &(*at)->next;
	*at = entry->next;
	unlink_age(store, entry);
	store->count--;
	store->by_use[entry->use]--;
	store->by_owner[entry->use][entry->owner % OWNERS]--;
	free(entry->moments);
	free(entry->value);
	free(entry);
}

void mw_store_free(struct mw_store *store)
{
	if (!store)
		return;
	while (store->oldest)
		mw_store_remove(store, store->oldest);
	free(store);
}

static uint64_t hash_of(enum mw_store_use use, uint32_t owner, const char *key, size_t bytes)
{
	uint64_t hash = 14695981039346656037u ^ ((uint64_t)use << 32 | owner); /* FNV-1a */
	for (size_t i = 0; i < bytes; i++)
		hash = (hash ^ (unsigned char)key[i]) * 1099511628211u;
	return hash ^ hash >> 29;
}

struct mw_store_entry *mw_store_find(struct mw_store *store, enum mw_store_use use, uint32_t owner, const char *key,
				     size_t key_bytes, int64_t now_ns)
{
	uint64_t hash = hash_of(use, owner, key, key_bytes);
	struct mw_store_entry *entry = store->buckets[hash % BUCKETS];
	for (; entry; entry = entry->next)
		if (entry->hash == hash && entry->use == use && entry->owner == owner &&
		    entry->key_bytes == key_bytes && memcmp(entry->key, key, key_bytes) == 0)
			break;
	/* What a throttle has folded is told first: see mw_store_sweep(). */
	if (entry && entry->until_ns <= now_ns && use != MW_STORE_THROTTLE) {
		mw_store_remove(store, entry);
		return NULL;
	}
	return entry;
}

static void make_room(struct mw_store *store, enum mw_store_use use, uint32_t owner)
{
	if (store->by_owner[use][owner % OWNERS] >= MW_STORE_ENTRIES_OF_RULE) {
		for (struct mw_store_entry *entry = store->oldest; entry; entry = entry->newer)
			if (entry->use == use && entry->owner == owner) {
				mw_store_remove(store, entry);
				break;
			}
	}
	if (store->count >= MW_STORE_ENTRIES)
		mw_store_remove(store, store->oldest);
}

struct mw_store_entry *mw_store_get(struct mw_store *store, enum mw_store_use use, uint32_t owner, const char *key,
				    size_t key_bytes, int64_t now_ns, int64_t until_ns)
{
	struct mw_store_entry *entry = mw_store_find(store, use, owner, key, key_bytes, now_ns);
	if (entry) {
		unlink_age(store, entry);
		link_newest(store, entry);
		return entry;
	}
	make_room(store, use, owner);
	entry = calloc(1, sizeof(*entry) + key_bytes);
	if (!entry)
		return NULL;
	entry->hash = hash_of(use, owner, key, key_bytes);
	entry->owner = owner;
	entry->use = (uint8_t)use;
	entry->key_bytes = (uint16_t)key_bytes;
	entry->since_ns = now_ns;
	entry->until_ns = until_ns;
	memcpy(entry->key, key, key_bytes);
	struct mw_store_entry **bucket = &store->buckets[entry->hash % BUCKETS];
	entry->next = *bucket;
	*bucket = entry;
	link_newest(store, entry);
	store->count++;
	store->by_use[use]++;
	store->by_owner[use][owner % OWNERS]++;
	return entry;
}

int mw_store_note(struct mw_store_entry *entry, struct mw_moment moment)
{
	if (entry->count == MW_STORE_MOMENTS)
		return -E2BIG;
	if (entry->count == entry->room) {
		unsigned room = entry->room ? 2 * entry->room : 4;
		struct mw_moment *moments = realloc(entry->moments, room * sizeof(*moments));
		if (!moments)
			return -ENOMEM;
		entry->moments = moments;
		entry->room = room;
	}
	entry->moments[entry->count++] = moment;
	return 0;
}

void mw_store_forget(struct mw_store_entry *entry, unsigned n)
{
	if (!n)
		return;
	entry->count -= n;
	memmove(entry->moments, entry->moments + n, entry->count * sizeof(*entry->moments));
}

int mw_store_set_value(struct mw_store_entry *entry, const char *value, size_t bytes)
{
	if (bytes > MW_STORE_VALUE_BYTES)
		return -E2BIG;
	char *copy = malloc(bytes + 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, value, bytes);
	copy[bytes] = '\0';
	free(entry->value);
	entry->value = copy;
	entry->value_bytes = (uint16_t)bytes;
	return 0;
}

unsigned mw_store_count(const struct mw_store *store, enum mw_store_use use, uint32_t owner)
{
	return store->by_owner[use][owner % OWNERS];
}

bool mw_store_has(const struct mw_store *store, enum mw_store_use use)
{
	return store->by_use[use] > 0;
}

void mw_store_sweep(struct mw_store *store, int64_t now_ns,
		    void (*ending)(void *data, const struct mw_store_entry *entry), void *data)
{
	for (struct mw_store_entry *entry = store->oldest, *newer; entry; entry = newer) {
		newer = entry->newer;
		if (entry->until_ns > now_ns)
			continue;
		if (ending)
			ending(data, entry);
		mw_store_remove(store, entry);
	}
}

size_t mw_store_bytes(const struct mw_store *store)
{
	size_t bytes = sizeof(*store);
	for (const struct mw_store_entry *entry = store->oldest; entry; entry = entry->newer)
		bytes += size_of(entry);
	return bytes;
}

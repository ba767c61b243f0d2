/* Open addressing with linear probing.  Sweeping puts what stays into a new table, so that nothing is ever deleted in
 * place. */

#include "sensor/socket_table.h"

#include <stdlib.h>

enum {
	FIRST_CAPACITY = 256
};

static size_t home(uint64_t key, size_t capacity)
{
	/* Cookies and inodes are handed out one after the other: Fibonacci hashing spreads such runs. */
	return (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (capacity - 1);
}

static struct mw_socket_entry *find(const struct mw_socket_table *table, uint64_t key)
{
	size_t i = home(key, table->capacity);
	while (table->slots[i].key && table->slots[i].key != key)
		i = (i + 1) & (table->capacity - 1);
	return &table->slots[i];
}

void mw_socket_table_release(struct mw_socket_table *table)
{
	for (size_t i = 0; i < table->capacity; i++)
		free(table->slots[i].name);
	free(table->slots);
	*table = (struct mw_socket_table){0};
}

struct mw_socket_entry *mw_socket_table_get(const struct mw_socket_table *table, uint64_t key)
{
	struct mw_socket_entry *entry = table->capacity ? find(table, key) : NULL;
	return entry && entry->key ? entry : NULL;
}

/* A table of that capacity takes the entries' place. */
static bool resize(struct mw_socket_table *table, size_t capacity)
{
	struct mw_socket_table other = {.slots = calloc(capacity, sizeof(*other.slots)), .capacity = capacity};
	if (!other.slots)
		return false;
	for (size_t i = 0; i < table->capacity; i++)
		if (table->slots[i].key) {
			*find(&other, table->slots[i].key) = table->slots[i];
			other.count++;
		}
	free(table->slots);
	*table = other;
	return true;
}

struct mw_socket_entry *mw_socket_table_put(struct mw_socket_table *table, uint64_t key, size_t limit)
{
	struct mw_socket_entry *entry = mw_socket_table_get(table, key);
	if (entry)
		return entry;
	if (table->count >= limit)
		return NULL;
	if (table->count * 2 >= table->capacity &&
	    !resize(table, table->capacity ? table->capacity * 2 : FIRST_CAPACITY))
		return NULL;
	entry = find(table, key);
	*entry = (struct mw_socket_entry){.key = key};
	table->count++;
	return entry;
}

void mw_socket_table_sweep(struct mw_socket_table *table, uint32_t generation,
			   void (*gone)(void *data, const struct mw_socket_entry *entry), void *data)
{
	size_t left = 0;
	for (size_t i = 0; i < table->capacity; i++)
		left += table->slots[i].key && table->slots[i].generation == generation;
	if (left == table->count)
		return;
	size_t capacity = FIRST_CAPACITY;
	while (capacity < left * 4)
		capacity *= 2;
	struct mw_socket_entry *slots = calloc(capacity, sizeof(*slots));
	if (!slots)
		return; /* the next time */
	struct mw_socket_table other = {.slots = slots, .capacity = capacity, .count = left};
	for (size_t i = 0; i < table->capacity; i++) {
		struct mw_socket_entry *entry = &table->slots[i];
		if (!entry->key)
			continue;
		if (entry->generation == generation) {
			*find(&other, entry->key) = *entry;
			continue;
		}
		gone(data, entry);
		free(entry->name);
	}
	free(table->slots);
	*table = other;
}

void mw_told_add(struct mw_told *told, uint64_t key, int64_t until_ns)
{
	size_t set = home(key, MW_TOLD_SETS);
	unsigned oldest = 0;
	for (unsigned i = 0; i < MW_TOLD_WAYS; i++) {
		if (told->keys[set][i].key == key) {
			oldest = i;
			break;
		}
		if (told->keys[set][i].until_ns < told->keys[set][oldest].until_ns)
			oldest = i;
	}
	told->keys[set][oldest].key = key;
	told->keys[set][oldest].until_ns = until_ns;
}

bool mw_told_has(const struct mw_told *told, uint64_t key, int64_t now_ns)
{
	size_t set = home(key, MW_TOLD_SETS);
	for (unsigned i = 0; i < MW_TOLD_WAYS; i++)
		if (told->keys[set][i].key == key && told->keys[set][i].until_ns >= now_ns)
			return true;
	return false;
}

/* FNV-1a */
static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t n)
{
	const unsigned char *at = bytes;
	for (size_t i = 0; i < n; i++)
		hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
	return hash;
}

uint64_t mw_told_key(uint64_t key, const void *bytes, size_t n)
{
	return hash_bytes(hash_bytes(UINT64_C(0xcbf29ce484222325), &key, sizeof(key)), bytes, n);
}

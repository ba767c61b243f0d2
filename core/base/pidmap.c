#include "base/pidmap.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

enum {
	FIRST_CAPACITY = 64
};

static size_t home(const struct mw_pidmap *map, pid_t pid)
{
	/* Ids are handed out one after the other: Fibonacci hashing spreads such runs. */
	return (size_t)(((uint32_t)pid * UINT32_C(2654435769)) >> 7) & (map->capacity - 1);
}

static size_t find(const struct mw_pidmap *map, pid_t pid)
{
	size_t i = home(map, pid);
	while (map->slots[i].pid && map->slots[i].pid != pid)
		i = (i + 1) & (map->capacity - 1);
	return i;
}

static int grow(struct mw_pidmap *map)
{
	struct mw_pidmap bigger = {.capacity = map->capacity ? map->capacity * 2 : FIRST_CAPACITY};
	bigger.slots = calloc(bigger.capacity, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < map->capacity; i++)
		if (map->slots[i].pid)
			bigger.slots[find(&bigger, map->slots[i].pid)] = map->slots[i];
	bigger.count = map->count;
	free(map->slots);
	*map = bigger;
	return 0;
}

void mw_pidmap_release(struct mw_pidmap *map)
{
	free(map->slots);
	*map = (struct mw_pidmap){0};
}

void *mw_pidmap_get(const struct mw_pidmap *map, pid_t pid)
{
	if (map->capacity == 0 || pid <= 0)
		return NULL;
	return map->slots[find(map, pid)].value;
}

int mw_pidmap_set(struct mw_pidmap *map, pid_t pid, void *value)
{
	if (map->count * 2 >= map->capacity) {
		int r = grow(map);
		if (r < 0)
			return r;
	}
	struct mw_pidmap_slot *slot = &map->slots[find(map, pid)];
	if (!slot->pid)
		map->count++;
	*slot = (struct mw_pidmap_slot){.pid = pid, .value = value};
	return 0;
}

void *mw_pidmap_remove(struct mw_pidmap *map, pid_t pid)
{
	if (map->capacity == 0 || pid <= 0)
		return NULL;
	size_t hole = find(map, pid);
	void *value = map->slots[hole].value;
	if (!map->slots[hole].pid)
		return NULL;
	map->count--;
	size_t mask = map->capacity - 1;
	for (size_t i = (hole + 1) & mask; map->slots[i].pid; i = (i + 1) & mask) {
		/* An entry may move back into the hole unless its home lies between the hole and itself. */
		if (((i - home(map, map->slots[i].pid)) & mask) < ((i - hole) & mask))
			continue;
		map->slots[hole] = map->slots[i];
		hole = i;
	}
	map->slots[hole] = (struct mw_pidmap_slot){0};
	return value;
}

void *mw_pidmap_next(const struct mw_pidmap *map, size_t *cursor)
{
	while (*cursor < map->capacity) {
		struct mw_pidmap_slot *slot = &map->slots[(*cursor)++];
		if (slot->pid)
			return slot->value;
	}
	return NULL;
}

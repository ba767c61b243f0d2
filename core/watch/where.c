#include "watch/where.h"

#include "base/err.h"
#include "base/limits.h"
#include "watch/pattern.h"
#include "watch/watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	PLACES = 65535, /* as many as a number of 16 bits tells apart */
	LINKS = 40,     /* symbolic links in one base; the kernel's own limit, path_resolution(7) */
};

struct rule {
	struct mw_pattern *pattern;
	uint64_t text_hash;
	uint8_t category;
	bool is_exclude;
	bool is_link;
};

struct state {
	uint16_t rule;
	uint16_t at;
};

struct place {
	struct mw_where where;
	uint32_t hash;
	uint16_t next; /* of the same bucket */
	uint16_t count;
	struct state states[];
};

struct mw_map {
	struct rule *rules;
	size_t rule_count;
	uint64_t access;
	struct place **places; /* [0] is nowhere */
	size_t place_count, place_capacity;
	uint16_t buckets[1024];
	struct state *scratch;
	bool is_full;
};

static uint64_t mix(uint64_t hash, const void *bytes, size_t size)
{
	const unsigned char *at = bytes;
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ at[i]) * 0x100000001b3; /* FNV-1a */
	return hash;
}

static void describe(const struct mw_map *map, struct place *place)
{
	struct mw_where *where = &place->where;
	bool is_deep = place->count > 0;
	where->likeness = 0xcbf29ce484222325;
	for (size_t i = 0; i < place->count; i++) {
		const struct state *state = &place->states[i];
		const struct rule *rule = &map->rules[state->rule];
		uint64_t bit = (uint64_t)1 << rule->category;
		where->likeness = mix(where->likeness, &rule->text_hash, sizeof(rule->text_hash));
		where->likeness = mix(where->likeness, &state->at, sizeof(state->at));
		is_deep = is_deep && !rule->is_exclude && !rule->is_link &&
			  mw_pattern_is_deep_at(rule->pattern, state->at);
		if (rule->is_exclude)
			continue;
		where->is_listed |= !mw_pattern_name_at(rule->pattern, state->at);
		if (rule->is_link)
			continue;
		if (mw_pattern_may_match_at(rule->pattern, state->at)) {
			where->has_matches = true;
			where->wants_access |= (map->access & bit) != 0;
		}
		where->categories |= bit;
	}
	where->is_uniform = is_deep;
}

/* The number of the place with these states, which is made when there is none. */
static uint16_t intern(struct mw_map *map, const struct state *states, size_t count)
{
	uint32_t hash = (uint32_t)mix(0xcbf29ce484222325, states, count * sizeof(*states));
	uint16_t *bucket = &map->buckets[hash % (sizeof(map->buckets) / sizeof(*map->buckets))];
	for (uint16_t i = *bucket; i; i = map->places[i]->next)
		if (map->places[i]->hash == hash && map->places[i]->count == count &&
		    !memcmp(map->places[i]->states, states, count * sizeof(*states)))
			return i;
	if (map->place_count == PLACES) {
		map->is_full = true;
		return MW_WHERE_NOWHERE;
	}
	if (map->place_count == map->place_capacity) {
		size_t capacity = map->place_capacity ? map->place_capacity * 2 : 32;
		struct place **places = realloc(map->places, capacity * sizeof(struct place *));
		if (!places) {
			map->is_full = true;
			return MW_WHERE_NOWHERE;
		}
		map->places = places;
		map->place_capacity = capacity;
	}
	struct place *place = calloc(1, sizeof(*place) + count * sizeof(*states));
	if (!place) {
		map->is_full = true;
		return MW_WHERE_NOWHERE;
	}
	place->hash = hash;
	place->count = (uint16_t)count;
	if (count)
		memcpy(place->states, states, count * sizeof(*states));
	describe(map, place);
	place->next = *bucket;
	uint16_t number = (uint16_t)map->place_count++;
	map->places[number] = place;
	if (number != MW_WHERE_NOWHERE)
		*bucket = number;
	return number;
}

uint16_t mw_map_root(const struct mw_map *map)
{
	return map->place_count > 1 ? 1 : MW_WHERE_NOWHERE;
}

const struct mw_where *mw_map_where(const struct mw_map *map, uint16_t where)
{
	return &map->places[where]->where;
}

struct mw_meaning mw_map_step(struct mw_map *map, uint16_t where, const char *name, size_t size)
{
	const struct place *place = map->places[where];
	if (place->where.is_uniform)
		return (struct mw_meaning){.categories = place->where.categories, .below = where};
	struct mw_meaning meaning = {0};
	size_t count = 0;
	bool is_excluded = false, is_all_excluded = false, leads = false;
	for (size_t i = 0; i < place->count; i++) {
		const struct rule *rule = &map->rules[place->states[i].rule];
		struct mw_pattern_step step = mw_pattern_step(rule->pattern, place->states[i].at, name, size);
		if (rule->is_exclude) {
			is_excluded |= step.is_match;
			is_all_excluded |= step.is_all;
		} else if (step.is_match) {
			if (rule->is_link)
				meaning.is_link = true;
			else
				meaning.categories |= (uint64_t)1 << rule->category;
		}
		if (!step.leads)
			continue;
		leads |= !rule->is_exclude;
		map->scratch[count++] = (struct state){place->states[i].rule, (uint16_t)step.at};
	}
	if (is_excluded)
		meaning.categories = 0;
	if (leads && !is_all_excluded)
		meaning.below = intern(map, map->scratch, count);
	return meaning;
}

const char *mw_map_name(const struct mw_map *map, uint16_t where, size_t i)
{
	const struct place *place = map->places[where];
	for (size_t k = 0; k < place->count; k++) {
		const struct rule *rule = &map->rules[place->states[k].rule];
		if (!rule->is_exclude && i-- == 0)
			return mw_pattern_name_at(rule->pattern, place->states[k].at);
	}
	return NULL;
}

uint64_t mw_map_access(const struct mw_map *map)
{
	return map->access;
}

bool mw_map_is_full(const struct mw_map *map)
{
	return map->is_full;
}

static int add_rule(struct mw_map *map, const char *text, const struct rule *like, struct mw_err *err)
{
	for (size_t i = 0; i < map->rule_count; i++) /* the same once more, as when two bases lead to one directory */
		if (map->rules[i].category == like->category && map->rules[i].is_exclude == like->is_exclude &&
		    map->rules[i].is_link == like->is_link &&
		    map->rules[i].text_hash == mix(like->text_hash, text, strlen(text)))
			return 0;
	if (map->rule_count == MW_WHERE_PATTERNS)
		return mw_err_set(err, -EINVAL, "more than %d patterns: make one of several by '%%' or '%%%%'",
				  MW_WHERE_PATTERNS);
	struct rule rule = *like;
	int r = mw_pattern_new(text, rule.is_exclude, &rule.pattern, err);
	if (r < 0)
		return r;
	rule.text_hash = mix(rule.text_hash, text, strlen(text));
	map->rules[map->rule_count++] = rule;
	return 0;
}

/* Follow the links in `path` one at a time, as far as it exists; `path` becomes what it is without them.  For each link a
 * rule is added, so that we hear when it comes to point elsewhere. */
static int resolve(struct mw_map *map, char path[MW_PATH_BYTES], struct mw_err *err)
{
	static const struct rule link_rule = {.is_link = true, .text_hash = 1};
	size_t done = 0; /* bytes of `path` that are known to hold no link */
	unsigned links = 0;
	while (path[done]) {
		size_t end = done + 1 + strcspn(path + done + 1, "/");
		char kept = path[end];
		path[end] = '\0';
		char target[MW_PATH_BYTES];
		ssize_t n = readlink(path, target, sizeof(target) - 1);
		if (n < 0) { /* no link, or not there */
			path[end] = kept;
			done = end;
			continue;
		}
		int r = add_rule(map, path, &link_rule, err);
		if (r < 0)
			return r;
		if (++links > LINKS)
			return 0; /* they lead in a circle: nothing is there, and the first that changes is heard of */
		target[n] = '\0';
		path[end] = kept;
		char joined[2 * MW_PATH_BYTES];
		int size = target[0] == '/'
				   ? snprintf(joined, sizeof(joined), "%s%s", target, path + end)
				   : snprintf(joined, sizeof(joined), "%.*s/%s%s", (int)done, path, target, path + end);
		if (size >= MW_PATH_BYTES)
			return 0;
		/* "." and ".." are of the directory that the links before them lead to, which is resolved already. */
		size_t to = 0;
		for (const char *at = joined; *at;) {
			at += strspn(at, "/");
			size_t part = strcspn(at, "/");
			if (part == 2 && at[0] == '.' && at[1] == '.') {
				while (to > 0 && path[--to] != '/')
					;
			} else if (part > 0 && !(part == 1 && at[0] == '.')) {
				path[to++] = '/';
				memmove(path + to, at, part);
				to += part;
			}
			at += part;
		}
		path[to] = '\0';
		done = 0;
	}
	return 0;
}

static int add_text(struct mw_map *map, const char *text, const struct rule *like, struct mw_err *err)
{
	struct mw_pattern *pattern;
	int r = mw_pattern_new(text, like->is_exclude, &pattern, err);
	if (r < 0)
		return r;
	char path[MW_PATH_BYTES], full[2 * MW_PATH_BYTES];
	const char *rest = mw_pattern_rest(pattern);
	(void)snprintf(path, sizeof(path), "%s", mw_pattern_base(pattern));
	if (!rest[0]) { /* it may be a link itself, which is meant as well as what it points to */
		char *slash = strrchr(path, '/');
		char name[MW_PATH_BYTES];
		(void)snprintf(name, sizeof(name), "%s", slash + 1);
		*slash = '\0';
		r = resolve(map, path, err);
		(void)snprintf(full, sizeof(full), "%s/%s", path, name);
		if (r == 0 && strlen(full) < MW_PATH_BYTES)
			r = add_rule(map, full, like, err);
		(void)snprintf(path, sizeof(path), "%s", mw_pattern_base(pattern));
	}
	if (r == 0)
		r = resolve(map, path, err);
	(void)snprintf(full, sizeof(full), "%s%s", strcmp(path, "/") != 0 || !rest[0] ? path : "", rest);
	if (!full[0])
		(void)snprintf(full, sizeof(full), "/");
	if (r == 0)
		r = add_rule(map, full, like, err);
	if (r == -EINVAL && err)
		mw_err_prefix(err, "'%.200s'", text);
	mw_pattern_free(pattern);
	return r;
}

static int add_all(struct mw_map *map, const struct mw_watch_config *config, struct mw_err *err)
{
	if (config->category_count > MW_WHERE_CATEGORIES)
		return mw_err_set(err, -EINVAL, "%zu categories of files: there may be %d", config->category_count,
				  MW_WHERE_CATEGORIES);
	for (size_t c = 0; c < config->category_count; c++) {
		const struct mw_watch_category *category = &config->categories[c];
		if (category->wants_access)
			map->access |= (uint64_t)1 << c;
		struct rule like = {.category = (uint8_t)c,
				    .text_hash = 0x100 + c + (category->wants_access ? 0x1000 : 0)};
		for (const char *const *text = category->patterns; text && *text; text++) {
			int r = add_text(map, *text, &like, err);
			if (r < 0) {
				mw_err_prefix(err, "file_paths, category '%.100s'", category->name);
				return r;
			}
		}
	}
	struct rule like = {.is_exclude = true, .text_hash = 2};
	for (const char *const *text = config->excludes; text && *text; text++) {
		int r = add_text(map, *text, &like, err);
		if (r < 0) {
			mw_err_prefix(err, "exclude_paths");
			return r;
		}
	}
	return 0;
}

int mw_map_new(const struct mw_watch_config *config, struct mw_map **ret_map, struct mw_err *err)
{
	struct mw_map *map = calloc(1, sizeof(*map));
	if (map)
		map->rules = calloc(MW_WHERE_PATTERNS, sizeof(*map->rules));
	if (!map || !map->rules) {
		mw_map_free(map);
		return mw_err_set(err, -ENOMEM, "patterns of files: out of memory");
	}
	int r = add_all(map, config, err);
	if (r == 0) { /* no more rules come */
		struct rule *rules = realloc(map->rules, (map->rule_count + 1) * sizeof(*rules));
		map->rules = rules ? rules : map->rules;
		map->scratch = calloc(map->rule_count + 1, sizeof(*map->scratch));
		if (!map->scratch)
			r = mw_err_set(err, -ENOMEM, "patterns of files: out of memory");
	}
	if (r == 0 && map->scratch) {
		(void)intern(map, NULL, 0);
		bool has_any = false;
		for (size_t i = 0; i < map->rule_count; i++) {
			map->scratch[i] = (struct state){.rule = (uint16_t)i};
			has_any |= !map->rules[i].is_exclude;
		}
		if (has_any)
			(void)intern(map, map->scratch, map->rule_count);
	}
	if (r < 0) {
		mw_map_free(map);
		return r;
	}
	*ret_map = map;
	return 0;
}

void mw_map_free(struct mw_map *map)
{
	if (!map)
		return;
	for (size_t i = 0; i < map->rule_count; i++)
		mw_pattern_free(map->rules[i].pattern);
	for (size_t i = 0; i < map->place_count; i++)
		free(map->places[i]);
	free(map->places);
	free(map->rules);
	free(map->scratch);
	free(map);
}

#include "rule/index.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* What a listener may be found by; one that has none of them is asked for each event of its kinds. */
enum family {
	BY_PATH,   /* exact */
	BY_FOLDER, /* beginnings that end with '/' */
	BY_PART,   /* a whole name of a path, between two '/' or at its end */
	BY_NAME,
	BY_PROGRAM,
	BY_PORT,
	BY_CALL,
	BY_PARENT,
	BY_CATEGORY,
	FAMILIES,
};

struct place {
	struct place *next;
	uint32_t hash;
	uint32_t bytes;
	uint16_t family;
	unsigned count, room;
	unsigned *listeners;
	const char *text;
	int64_t number;
};

struct mw_index {
	const struct mw_listener *listeners;
	unsigned count, words;
	struct place **buckets;
	uint32_t mask;
	uint32_t families[MW_EVENT_KINDS]; /* bit n: listeners to that kind are found by family n */
	uint64_t *always[MW_EVENT_KINDS];  /* sets of those that are not found by anything */
	bool is_wanted[MW_EVENT_KINDS];
	uint64_t *pending;
};

static void set_bit(uint64_t *set, unsigned n)
{
	set[n / 64] |= UINT64_C(1) << n % 64;
}

static struct place *find(const struct mw_index *index, enum family family, uint32_t hash, const char *text,
			  uint32_t bytes, int64_t number)
{
	hash += family * 0x9e3779b9u;
	struct place *place = index->buckets[hash & index->mask];
	for (; place; place = place->next)
		if (place->hash == hash && place->family == family && place->number == number &&
		    place->bytes == bytes && memcmp(place->text, text, bytes) == 0)
			return place;
	return NULL;
}

static int add(struct mw_index *index, enum family family, const struct mw_word *word, int64_t number,
	       unsigned listener)
{
	struct place *place = find(index, family, word->hash, word->text, word->bytes, number);
	if (!place) {
		place = calloc(1, sizeof(*place));
		if (!place)
			return -1;
		place->hash = word->hash + family * 0x9e3779b9u;
		place->family = (uint16_t)family;
		place->text = word->text;
		place->bytes = word->bytes;
		place->number = number;
		struct place **bucket = &index->buckets[place->hash & index->mask];
		place->next = *bucket;
		*bucket = place;
	}
	if (place->count && place->listeners[place->count - 1] == listener)
		return 0;
	if (place->count == place->room) {
		unsigned room = place->room ? 2 * place->room : 2;
		unsigned *listeners = realloc(place->listeners, room * sizeof(*listeners));
		if (!listeners)
			return -1;
		place->listeners = listeners;
		place->room = room;
	}
	place->listeners[place->count++] = listener;
	return 0;
}

/* Patterns that a hash table finds: no stars. */
static bool are_exact(const struct mw_patterns *patterns)
{
	for (int kind = MW_PATTERN_PREFIX; kind < MW_PATTERN_KINDS; kind++)
		if (patterns->counts[kind])
			return false;
	return patterns->counts[MW_PATTERN_EXACT] > 0;
}

/* A whole name in the text: behind a '/', and before one, or at the end where that is the path's. */
static bool find_name(const char *text, size_t bytes, bool is_end, struct mw_word *ret_name)
{
	bool is_found = false;
	for (size_t from = 0, to; from < bytes; from = to) {
		if (text[from++] != '/') {
			to = from;
			continue;
		}
		for (to = from; to < bytes && text[to] != '/'; to++) {
			if (text[to] == '*' || text[to] == '?') {
				while (to < bytes && text[to] != '/')
					to++;
				from = to; /* none */
				break;
			}
		}
		if (to == from || (to == bytes && !is_end))
			continue;
		*ret_name = (struct mw_word){.text = text + from,
					     .bytes = (uint32_t)(to - from),
					     .hash = mw_word_hash(MW_WORD_HASH, text + from, to - from)};
		is_found = true;
	}
	return is_found;
}

/* What every path that fits has in common; false: nothing that can be looked up. */
static bool find_anchor(enum mw_pattern_kind kind, const struct mw_word *word, enum family *ret_family,
			struct mw_word *ret_anchor)
{
	*ret_family = BY_PATH;
	*ret_anchor = *word;
	if (kind == MW_PATTERN_EXACT)
		return true;
	size_t folder = 0;
	for (size_t i = 0; kind != MW_PATTERN_SUFFIX && kind != MW_PATTERN_PART && i < word->bytes; i++) {
		if (kind == MW_PATTERN_GLOB && (word->text[i] == '*' || word->text[i] == '?'))
			break;
		if (word->text[i] == '/')
			folder = i + 1;
	}
	*ret_family = folder > 1 ? BY_FOLDER : BY_PART;
	if (folder > 1) {
		*ret_anchor = (struct mw_word){.text = word->text,
					       .bytes = (uint32_t)folder,
					       .hash = mw_word_hash(MW_WORD_HASH, word->text, folder)};
		return true;
	}
	bool is_end = kind == MW_PATTERN_SUFFIX || kind == MW_PATTERN_GLOB;
	return find_name(word->text, word->bytes, is_end, ret_anchor);
}

static bool are_places(const struct mw_patterns *patterns)
{
	enum family family;
	struct mw_word anchor;
	for (int kind = 0; kind < MW_PATTERN_KINDS; kind++)
		for (unsigned i = 0; i < patterns->counts[kind]; i++)
			if (!find_anchor((enum mw_pattern_kind)kind, &patterns->lists[kind][i], &family, &anchor))
				return false;
	return true;
}

static int add_places(struct mw_index *index, const struct mw_patterns *patterns, unsigned listener, uint32_t *families)
{
	enum family family;
	struct mw_word anchor;
	for (int kind = 0; kind < MW_PATTERN_KINDS; kind++)
		for (unsigned i = 0; i < patterns->counts[kind]; i++) {
			(void)find_anchor((enum mw_pattern_kind)kind, &patterns->lists[kind][i], &family, &anchor);
			*families |= 1u << family;
			if (add(index, family, &anchor, 0, listener) < 0)
				return -1;
		}
	return 0;
}

/* The condition that a listener is found by, the one that is rarest first; NULL: none. */
static const struct mw_condition *choose(const struct mw_filter *filter, enum family *ret_family)
{
	static const struct {
		enum mw_where what;
		enum family family;
	} ways[] = {{MW_WHERE_PATHS, BY_PATH},         {MW_WHERE_PROGRAMS, BY_PROGRAM}, {MW_WHERE_NAMES, BY_NAME},
		    {MW_WHERE_PORTS, BY_PORT},         {MW_WHERE_CALLS, BY_CALL},       {MW_WHERE_PARENTS, BY_PARENT},
		    {MW_WHERE_CATEGORIES, BY_CATEGORY}};
	for (unsigned w = 0; w < sizeof(ways) / sizeof(*ways); w++)
		for (unsigned i = 0; filter && i < filter->count; i++) {
			const struct mw_condition *condition = &filter->conditions[i];
			if (condition->what != ways[w].what)
				continue;
			bool is_good = ways[w].family == BY_PORT   ? condition->numbers_count > 0
				       : ways[w].family == BY_PATH ? are_places(&condition->patterns)
								   : are_exact(&condition->patterns);
			*ret_family = ways[w].family;
			if (is_good)
				return condition;
		}
	return NULL;
}

static int add_words(struct mw_index *index, enum family family, const struct mw_patterns *patterns, unsigned listener)
{
	for (unsigned i = 0; i < patterns->counts[MW_PATTERN_EXACT]; i++)
		if (add(index, family, &patterns->lists[MW_PATTERN_EXACT][i], 0, listener) < 0)
			return -1;
	return 0;
}

static int add_listener(struct mw_index *index, unsigned n)
{
	static const struct mw_word none = {.text = "", .hash = MW_WORD_HASH};
	const struct mw_listener *listener = &index->listeners[n];
	enum family family = FAMILIES;
	const struct mw_condition *condition = choose(listener->filter, &family);
	uint32_t families = condition ? 1u << family : 0;
	int r = 0;
	if (condition && family == BY_PORT) {
		for (unsigned i = 0; r == 0 && i < condition->numbers_count; i++) {
			struct mw_word word = none;
			word.hash += (uint32_t)condition->numbers[i] * 2654435761u;
			r = add(index, family, &word, condition->numbers[i], n);
		}
	} else if (condition && family == BY_PATH) {
		families = 0;
		r = add_places(index, &condition->patterns, n, &families);
	} else if (condition) {
		r = add_words(index, family, &condition->patterns, n);
	}
	for (int kind = 0; kind < MW_EVENT_KINDS; kind++)
		if (listener->kinds >> kind & 1) {
			index->is_wanted[kind] = true;
			index->families[kind] |= families;
			if (!condition)
				set_bit(index->always[kind], n);
		}
	return r;
}

struct mw_index *mw_index_new(const struct mw_listener *listeners, unsigned count)
{
	struct mw_index *index = calloc(1, sizeof(*index));
	if (!index)
		return NULL;
	uint32_t buckets = 256;
	while (buckets < 4 * count && buckets < 1u << 16)
		buckets *= 2;
	index->listeners = listeners;
	index->count = count;
	index->words = (count + 63) / 64;
	index->mask = buckets - 1;
	index->buckets = calloc(buckets, sizeof(struct place *));
	index->pending = calloc(index->words + 1, sizeof(*index->pending));
	int r = index->buckets && index->pending ? 0 : -1;
	for (int kind = 0; r == 0 && kind < MW_EVENT_KINDS; kind++) {
		index->always[kind] = calloc(index->words + 1, sizeof(*index->pending));
		r = index->always[kind] ? 0 : -1;
	}
	for (unsigned i = 0; r == 0 && i < count; i++)
		r = add_listener(index, i);
	if (r < 0) {
		mw_index_free(index);
		return NULL;
	}
	return index;
}

void mw_index_free(struct mw_index *index)
{
	if (!index)
		return;
	for (uint32_t i = 0; index->buckets && i <= index->mask; i++)
		for (struct place *place = index->buckets[i], *next; place; place = next) {
			next = place->next;
			free(place->listeners);
			free(place);
		}
	for (int kind = 0; kind < MW_EVENT_KINDS; kind++)
		free(index->always[kind]);
	free(index->buckets);
	free(index->pending);
	free(index);
}

static void take(struct mw_index *index, const struct place *place, enum mw_event_kind kind)
{
	for (unsigned i = 0; place && i < place->count; i++) {
		unsigned n = place->listeners[i];
		if (index->listeners[n].kinds >> kind & 1)
			set_bit(index->pending, n);
	}
}

static void take_names(struct mw_index *index, enum family family, const struct mw_names *names,
		       enum mw_event_kind kind)
{
	for (unsigned i = 0; i < names->count; i++)
		take(index, find(index, family, names->words[i].hash, names->words[i].text, names->words[i].bytes, 0),
		     kind);
}

static void take_text(struct mw_index *index, enum family family, const char *text, enum mw_event_kind kind)
{
	size_t bytes = text ? strlen(text) : 0;
	if (bytes)
		take(index, find(index, family, mw_word_hash(MW_WORD_HASH, text, bytes), text, (uint32_t)bytes, 0),
		     kind);
}

/* The path, each folder it is in, and each name of it. */
static void take_path(struct mw_index *index, const char *path, uint32_t families, enum mw_event_kind kind)
{
	uint32_t hash = MW_WORD_HASH;
	uint32_t name_hash = MW_WORD_HASH;
	uint32_t name = 0, n = 0;
	for (;; n++) {
		if ((path[n] == '/' || !path[n]) && n > name && families & 1u << BY_PART)
			take(index, find(index, BY_PART, name_hash, path + name, n - name, 0), kind);
		if (!path[n])
			break;
		hash = mw_word_hash(hash, path + n, 1);
		name_hash = mw_word_hash(name_hash, path + n, 1);
		if (path[n] != '/')
			continue;
		name = n + 1;
		name_hash = MW_WORD_HASH;
		if (families & 1u << BY_FOLDER)
			take(index, find(index, BY_FOLDER, hash, path, n + 1, 0), kind);
	}
	if (n && families & 1u << BY_PATH)
		take(index, find(index, BY_PATH, hash, path, n, 0), kind);
}

const uint64_t *mw_index_ask(struct mw_index *index, struct mw_subject *subject, unsigned *ret_words)
{
	const struct mw_event *event = subject->event;
	enum mw_event_kind kind = event->kind;
	if (!index->is_wanted[kind])
		return NULL;
	memcpy(index->pending, index->always[kind], index->words * sizeof(*index->pending));
	uint32_t families = index->families[kind];
	if (families & (1u << BY_PATH | 1u << BY_FOLDER | 1u << BY_PART) && event->file && event->file->path)
		take_path(index, event->file->path, families, kind);
	if (families & 1u << BY_NAME)
		take_names(index, BY_NAME, mw_subject_names(subject), kind);
	if (families & 1u << BY_PROGRAM)
		take_names(index, BY_PROGRAM, mw_subject_programs(subject), kind);
	if (families & 1u << BY_PARENT)
		take_names(index, BY_PARENT, mw_subject_parents(subject), kind);
	if (families & 1u << BY_PORT) {
		int64_t port = mw_filter_port(event);
		uint32_t hash = MW_WORD_HASH + (uint32_t)port * 2654435761u;
		take(index, find(index, BY_PORT, hash, "", 0, port), kind);
	}
	if (families & 1u << BY_CALL && event->call)
		take_text(index, BY_CALL, event->call->name, kind);
	if (families & 1u << BY_CATEGORY && event->file)
		take_text(index, BY_CATEGORY, event->file->category, kind);
	*ret_words = index->words;
	return index->pending;
}

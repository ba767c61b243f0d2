#include "rule/patterns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/glob.h"

static bool has_wildcard(const char *text, size_t bytes)
{
	return memchr(text, '*', bytes) || memchr(text, '?', bytes);
}

enum mw_pattern_kind mw_pattern_parse(const char **text, size_t *bytes)
{
	const char *s = *text;
	size_t n = *bytes;
	if (n > 1 && s[n - 1] == '/' && !has_wildcard(s, n))
		return MW_PATTERN_PREFIX;
	if (!has_wildcard(s, n))
		return MW_PATTERN_EXACT;
	bool is_open_left = s[0] == '*', is_open_right = n > 1 && s[n - 1] == '*';
	size_t inner = n - is_open_left - is_open_right;
	if (inner == 0 || has_wildcard(s + is_open_left, inner))
		return MW_PATTERN_GLOB;
	*text = s + is_open_left;
	*bytes = inner;
	if (is_open_left && is_open_right)
		return MW_PATTERN_PART;
	return is_open_left ? MW_PATTERN_SUFFIX : MW_PATTERN_PREFIX;
}

static void put_slot(struct mw_patterns *patterns, const struct mw_word *word)
{
	uint32_t at = word->hash & patterns->mask;
	while (patterns->slots[at].text)
		at = (at + 1) & patterns->mask;
	patterns->slots[at] = *word;
}

static int make_slots(struct mw_patterns *patterns)
{
	unsigned count = patterns->counts[MW_PATTERN_EXACT];
	if (!count)
		return 0;
	uint32_t size = 4;
	while (size < 2 * count)
		size *= 2;
	patterns->slots = calloc(size, sizeof(*patterns->slots));
	if (!patterns->slots)
		return -ENOMEM;
	patterns->mask = size - 1;
	for (unsigned i = 0; i < count; i++)
		put_slot(patterns, &patterns->lists[MW_PATTERN_EXACT][i]);
	return 0;
}

int mw_patterns_make(struct mw_patterns *patterns, const char *const *texts, const size_t *bytes, unsigned count,
		     bool are_parts)
{
	*patterns = (struct mw_patterns){0};
	size_t total = 0;
	for (unsigned i = 0; i < count; i++)
		total += bytes[i];
	patterns->pool = malloc(total + 1);
	if (!patterns->pool)
		return -ENOMEM;
	char *to = patterns->pool;
	for (unsigned i = 0; i < count; i++) {
		const char *text = texts[i];
		size_t n = bytes[i];
		enum mw_pattern_kind kind = are_parts ? MW_PATTERN_PART : mw_pattern_parse(&text, &n);
		struct mw_word *list = realloc(patterns->lists[kind], (patterns->counts[kind] + 1) * sizeof(*list));
		if (!list) {
			mw_patterns_release(patterns);
			return -ENOMEM;
		}
		patterns->lists[kind] = list;
		memcpy(to, text, n);
		list[patterns->counts[kind]++] =
			(struct mw_word){.text = to, .bytes = (uint32_t)n, .hash = mw_word_hash(MW_WORD_HASH, to, n)};
		to += n;
	}
	int r = make_slots(patterns);
	if (r < 0)
		mw_patterns_release(patterns);
	return r;
}

void mw_patterns_release(struct mw_patterns *patterns)
{
	for (int kind = 0; kind < MW_PATTERN_KINDS; kind++)
		free(patterns->lists[kind]);
	free(patterns->slots);
	free(patterns->pool);
	*patterns = (struct mw_patterns){0};
}

bool mw_patterns_has(const struct mw_patterns *patterns, const struct mw_word *word)
{
	if (!patterns->slots)
		return false;
	for (uint32_t at = word->hash & patterns->mask; patterns->slots[at].text; at = (at + 1) & patterns->mask) {
		const struct mw_word *slot = &patterns->slots[at];
		if (slot->hash == word->hash && slot->bytes == word->bytes &&
		    memcmp(slot->text, word->text, word->bytes) == 0)
			return true;
	}
	return false;
}

static bool fits(enum mw_pattern_kind kind, const struct mw_word *word, const char *text, size_t n)
{
	switch (kind) {
	case MW_PATTERN_PREFIX:
		return word->bytes <= n && memcmp(text, word->text, word->bytes) == 0;
	case MW_PATTERN_SUFFIX:
		return word->bytes <= n && memcmp(text + n - word->bytes, word->text, word->bytes) == 0;
	case MW_PATTERN_PART:
		return memmem(text, n, word->text, word->bytes) != NULL;
	default:
		return mw_glob_match(text, n, word->text, word->bytes);
	}
}

bool mw_patterns_match(const struct mw_patterns *patterns, const char *text, size_t bytes)
{
	if (patterns->slots) {
		struct mw_word word = {
			.text = text, .bytes = (uint32_t)bytes, .hash = mw_word_hash(MW_WORD_HASH, text, bytes)};
		if (mw_patterns_has(patterns, &word))
			return true;
	}
	for (int kind = MW_PATTERN_PREFIX; kind < MW_PATTERN_KINDS; kind++)
		for (unsigned i = 0; i < patterns->counts[kind]; i++)
			if (fits((enum mw_pattern_kind)kind, &patterns->lists[kind][i], text, bytes))
				return true;
	return false;
}

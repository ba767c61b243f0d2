/* Sets of texts that others are compared with: exact ones by a hash table, the rest one after the other.
 *
 * How a text is meant shows in it: "/etc/passwd" is that; "/etc/cron.d/" is all below; "ssh*" begins so, "*.php" ends so,
 * "*pass*" holds it; other places of `*` and `?` make a glob (base/glob.h). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mw_word {
	const char *text;
	uint32_t bytes, hash;
};

enum mw_pattern_kind {
	MW_PATTERN_EXACT,
	MW_PATTERN_PREFIX,
	MW_PATTERN_SUFFIX,
	MW_PATTERN_PART,
	MW_PATTERN_GLOB,
	MW_PATTERN_KINDS,
};

struct mw_patterns {
	struct mw_word *slots; /* of exact ones: a hash table, `mask` + 1 long; NULL: none */
	uint32_t mask;
	struct mw_word *lists[MW_PATTERN_KINDS]; /* of the others; and of exact ones, for whoever goes through them */
	unsigned counts[MW_PATTERN_KINDS];
	char *pool; /* their bytes */
};

static inline uint32_t mw_word_hash(uint32_t hash, const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		hash = (hash ^ (unsigned char)text[i]) * 16777619u;
	return hash;
}

#define MW_WORD_HASH 2166136261u /* FNV-1a of no bytes */

/* How a text is meant, and what of it is compared: without its stars. */
enum mw_pattern_kind mw_pattern_parse(const char **text, size_t *bytes);

/* Made of `count` texts; with `are_parts` each is meant as a part, whatever it looks like.  -ENOMEM. */
int mw_patterns_make(struct mw_patterns *patterns, const char *const *texts, const size_t *bytes, unsigned count,
		     bool are_parts);
void mw_patterns_release(struct mw_patterns *patterns);
bool mw_patterns_match(const struct mw_patterns *patterns, const char *text, size_t bytes);
/* Exact ones alone, for whoever knows the hash. */
bool mw_patterns_has(const struct mw_patterns *patterns, const struct mw_word *word);

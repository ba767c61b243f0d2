/* Optimal string alignment (the restricted Damerau–Levenshtein distance), three rows of the usual table. */
#include "base/nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum {
	/* A shorter beginning says too little: half of all names begin with "a". */
	PREFIX_BYTES = 3
};

static char fold(char c)
{
	return c == '-' ? '_' : (char)tolower((unsigned char)c);
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static unsigned distance(const char *a, size_t a_bytes, const char *b, size_t b_bytes)
{
	unsigned rows[3][MW_NEAREST_BYTES + 1];
	unsigned *before = rows[0]; /* row i - 2 */
	unsigned *above = rows[1];  /* row i - 1 */
	unsigned *row = rows[2];
	memset(rows, 0, sizeof(rows));
	for (unsigned j = 0; j <= b_bytes; j++)
		above[j] = j;
	for (unsigned i = 1; i <= a_bytes; i++) {
		row[0] = i;
		for (unsigned j = 1; j <= b_bytes; j++) {
			char x = fold(a[i - 1]);
			char y = fold(b[j - 1]);
			row[j] = least(least(above[j] + 1, row[j - 1] + 1), above[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == fold(b[j - 2]) && y == fold(a[i - 2]))
				row[j] = least(row[j], before[j - 2] + 1);
		}
		unsigned *oldest = before;
		before = above;
		above = row;
		row = oldest;
	}
	return above[b_bytes];
}

static bool begins_with(const char *name, const char *word, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fold(name[i]) != fold(word[i]))
			return false;
	return true;
}

void mw_nearest_try(struct mw_nearest *nearest, const char *name)
{
	size_t word_bytes = strlen(nearest->word);
	size_t name_bytes = strlen(name);
	if (word_bytes == 0 || word_bytes > MW_NEAREST_BYTES || name_bytes > MW_NEAREST_BYTES)
		return;

	unsigned slips = distance(nearest->word, word_bytes, name, name_bytes);
	size_t longer = word_bytes > name_bytes ? word_bytes : name_bytes;
	bool is_near = slips <= longer / 3;
	if (!is_near && word_bytes >= PREFIX_BYTES && name_bytes > word_bytes)
		is_near = begins_with(name, nearest->word, word_bytes);
	if (is_near && (!nearest->name || slips < nearest->distance)) {
		nearest->name = name;
		nearest->distance = slips;
	}
}

/* "Did you mean": the known name nearest to a word somebody typed.
 *
 *	struct mw_nearest near = {.word = typed};
 *	for (each name)
 *		mw_nearest_try(&near, name);
 *	if (near.name)
 *		… did you mean near.name …
 *
 * Near is a name few slips away (letters added, dropped, changed or swapped with their neighbour: at most a third of
 * the longer one's letters), or one that begins with what was typed.  Case, and dash against underscore, make no
 * difference. */
#pragma once

enum {
	/* Longer words are near nothing. */
	MW_NEAREST_BYTES = 64
};

struct mw_nearest {
	const char *word;
	const char *name;  /* nearest so far, borrowed; NULL when nothing is near */
	unsigned distance; /* of `name` */
};

void mw_nearest_try(struct mw_nearest *nearest, const char *name);

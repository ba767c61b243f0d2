/* Where one is in all patterns at once: for a directory, which patterns it fulfils the first components of.  Directories for
 * which that is the same share one number, so below a `%%` a step down costs nothing. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mw_err;
struct mw_map;
struct mw_watch_config;

enum {
	MW_WHERE_NOWHERE = 0, /* nothing below is meant */
	MW_WHERE_CATEGORIES = 64,
	MW_WHERE_PATTERNS = 4096,
};

/* What is meant of the names in a directory. */
struct mw_where {
	bool has_matches;  /* a name in it may be meant itself; else it only leads to others */
	bool wants_access; /* for some of them opens are wanted */
	bool is_listed;    /* any name may go on; else only those of mw_map_name() */
	bool is_uniform;   /* every name is meant by `categories`, and every directory in it is like this one */
	uint64_t categories;
	uint64_t likeness; /* equal in two maps: the same is meant */
};

/* What is meant by a name in it. */
struct mw_meaning {
	uint64_t categories; /* bits; 0: not meant */
	uint16_t below;      /* for a directory of that name; MW_WHERE_NOWHERE: nothing */
	bool is_link;        /* a symbolic link that a pattern's base goes through, or its place */
};

/* Copies what it needs.  Bases have their links resolved as they are now. */
int mw_map_new(const struct mw_watch_config *config, struct mw_map **ret_map, struct mw_err *err);
void mw_map_free(struct mw_map *map);
/* The place of "/". */
uint16_t mw_map_root(const struct mw_map *map);
const struct mw_where *mw_map_where(const struct mw_map *map, uint16_t where);
struct mw_meaning mw_map_step(struct mw_map *map, uint16_t where, const char *name, size_t size);
/* The i-th name that goes on from a place that is not listed; NULL at the end. Names may come twice. */
const char *mw_map_name(const struct mw_map *map, uint16_t where, size_t i);
/* Categories that want accesses. */
uint64_t mw_map_access(const struct mw_map *map);
/* True once more places were asked for than can be told apart: some directories are then not watched. */
bool mw_map_is_full(const struct mw_map *map);

/* Which files are watched, as one source says it: the profile, a backend, the configuration file.  Sources are laid over each
 * other, category by category. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct mw_buf;
struct mw_err;

enum mw_file_section {
	MW_SECTION_FILE_PATHS,       /* category -> patterns */
	MW_SECTION_FILE_PATHS_QUERY, /* category -> SQL with a column `path`, of patterns */
	MW_SECTION_EXCLUDE_PATHS,    /* category -> patterns; the category has no meaning but as a name */
	MW_SECTION_FILE_ACCESSES,    /* categories that are told of opening and reading, too; `text` is "" */
	MW_SECTIONS,
};

/* "file_paths", "file_paths_query", "exclude_paths", "file_accesses" */
extern const char *const mw_file_section_names[MW_SECTIONS];

enum {
	MW_FILE_CATEGORY_BYTES = 64,
	MW_FILE_TEXT_BYTES = 4096,
	MW_FILE_ENTRIES = 4096,
};

struct mw_file_entry {
	enum mw_file_section section;
	char *category;
	char *text; /* NULL: the category is named, with nothing in it */
};

/* Zeroed is empty. */
struct mw_file_paths {
	struct mw_file_entry *entries;
	size_t count, capacity;
};

void mw_file_paths_release(struct mw_file_paths *paths);

/* Add a copy; `text` may be NULL.  -EINVAL: too long, empty or too many, err says which.  -ENOMEM. */
int mw_file_paths_add(struct mw_file_paths *paths, enum mw_file_section section, const char *category, const char *text,
		      struct mw_err *err);

/* By section and category; what is of one category stays in order. */
void mw_file_paths_sort(struct mw_file_paths *paths);

/* Lay `over` over `paths`: a category that it has patterns or queries for, or excludes, even none, loses those it had; accesses
 * are added.  On failure `paths` is as it was or partly changed. */
int mw_file_paths_lay(struct mw_file_paths *paths, const struct mw_file_paths *over, struct mw_err *err);

bool mw_file_paths_accesses(const struct mw_file_paths *paths, const char *category);

/* Append as keys of a profile, Lua, each line with `prefix` before it. */
void mw_file_paths_format(const struct mw_file_paths *paths, const char *prefix, struct mw_buf *out);

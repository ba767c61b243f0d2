#include "flag/file_paths.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

const char *const mw_file_section_names[MW_SECTIONS] = {
	[MW_SECTION_FILE_PATHS] = "file_paths",
	[MW_SECTION_FILE_PATHS_QUERY] = "file_paths_query",
	[MW_SECTION_EXCLUDE_PATHS] = "exclude_paths",
	[MW_SECTION_FILE_ACCESSES] = "file_accesses",
};

static void clear(struct mw_file_entry *entry)
{
	free(entry->category);
	free(entry->text);
}

void mw_file_paths_release(struct mw_file_paths *paths)
{
	for (size_t i = 0; i < paths->count; i++)
		clear(&paths->entries[i]);
	free(paths->entries);
	*paths = (struct mw_file_paths){0};
}

static struct mw_file_entry *reserve(struct mw_file_paths *paths)
{
	if (paths->count == paths->capacity) {
		size_t capacity = paths->capacity ? 2 * paths->capacity : 32;
		struct mw_file_entry *entries = realloc(paths->entries, capacity * sizeof(*entries));
		if (!entries)
			return NULL;
		paths->entries = entries;
		paths->capacity = capacity;
	}
	return &paths->entries[paths->count];
}

int mw_file_paths_add(struct mw_file_paths *paths, enum mw_file_section section, const char *category, const char *text,
		      struct mw_err *err)
{
	const char *name = mw_file_section_names[section];
	if (!*category || strlen(category) >= MW_FILE_CATEGORY_BYTES)
		return mw_err_set(err, -EINVAL, "%s: the category \"%.64s\" is empty or longer than %d bytes", name,
				  category, MW_FILE_CATEGORY_BYTES - 1);
	if (text && section != MW_SECTION_FILE_ACCESSES && (!*text || strlen(text) >= MW_FILE_TEXT_BYTES))
		return mw_err_set(err, -EINVAL, "%s: %s: \"%.64s\" is empty or longer than %d bytes", name, category,
				  text, MW_FILE_TEXT_BYTES - 1);
	if (paths->count == MW_FILE_ENTRIES)
		return mw_err_set(err, -EINVAL, "%s: more than %d patterns in all", name, MW_FILE_ENTRIES);
	struct mw_file_entry *entry = reserve(paths);
	if (!entry)
		return mw_err_set(err, -ENOMEM, "out of memory");
	*entry = (struct mw_file_entry){.section = section, .category = strdup(category)};
	if (text)
		entry->text = strdup(text);
	if (!entry->category || (text && !entry->text)) {
		clear(entry);
		return mw_err_set(err, -ENOMEM, "out of memory");
	}
	paths->count++;
	return 0;
}

static bool comes_after(const struct mw_file_entry *a, const struct mw_file_entry *b)
{
	return a->section != b->section ? a->section > b->section : strcmp(a->category, b->category) > 0;
}

/* By insertion, since most is in order already. */
void mw_file_paths_sort(struct mw_file_paths *paths)
{
	for (size_t i = 1; i < paths->count; i++) {
		struct mw_file_entry moved = paths->entries[i];
		size_t at = i;
		for (; at > 0 && comes_after(&paths->entries[at - 1], &moved); at--)
			paths->entries[at] = paths->entries[at - 1];
		paths->entries[at] = moved;
	}
}

/* Patterns and queries are one to whoever names their category. */
static bool is_replaced(const struct mw_file_entry *old, const struct mw_file_entry *new)
{
	bool is_exclude = old->section == MW_SECTION_EXCLUDE_PATHS;
	return old->section != MW_SECTION_FILE_ACCESSES &&
	       new->section != MW_SECTION_FILE_ACCESSES &&is_exclude == (new->section == MW_SECTION_EXCLUDE_PATHS) &&
	       strcmp(old->category, new->category) == 0;
}

static bool is_replaced_by_any(const struct mw_file_entry *old, const struct mw_file_paths *over)
{
	for (size_t i = 0; i < over->count; i++)
		if (is_replaced(old, &over->entries[i]))
			return true;
	return false;
}

int mw_file_paths_lay(struct mw_file_paths *paths, const struct mw_file_paths *over, struct mw_err *err)
{
	size_t kept = 0;
	for (size_t i = 0; i < paths->count; i++) {
		if (is_replaced_by_any(&paths->entries[i], over))
			clear(&paths->entries[i]);
		else
			paths->entries[kept++] = paths->entries[i];
	}
	paths->count = kept;
	for (size_t i = 0; i < over->count; i++) {
		const struct mw_file_entry *entry = &over->entries[i];
		if (entry->section == MW_SECTION_FILE_ACCESSES && mw_file_paths_accesses(paths, entry->category))
			continue;
		int r = mw_file_paths_add(paths, entry->section, entry->category, entry->text, err);
		if (r < 0)
			return r;
	}
	mw_file_paths_sort(paths);
	return 0;
}

bool mw_file_paths_accesses(const struct mw_file_paths *paths, const char *category)
{
	for (size_t i = 0; i < paths->count; i++)
		if (paths->entries[i].section == MW_SECTION_FILE_ACCESSES &&
		    strcmp(paths->entries[i].category, category) == 0)
			return true;
	return false;
}

/* As JSON it is a string of Lua's, too, but for bytes that are no UTF-8. */
static void quote(struct mw_buf *out, const char *text)
{
	mw_json_string(out, text, strlen(text));
}

static bool has_before(const struct mw_file_paths *paths, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (paths->entries[i].section == paths->entries[n].section &&
		    strcmp(paths->entries[i].category, paths->entries[n].category) == 0)
			return true;
	return false;
}

static void format_category(const struct mw_file_paths *paths, size_t first, const char *prefix, struct mw_buf *out)
{
	const struct mw_file_entry *head = &paths->entries[first];
	const char *separator = "";
	mw_buf_printf(out, "%s  [", prefix);
	quote(out, head->category);
	mw_buf_str(out, "] = {");
	for (size_t i = first; i < paths->count; i++) {
		const struct mw_file_entry *entry = &paths->entries[i];
		if (entry->section != head->section || strcmp(entry->category, head->category) != 0 || !entry->text)
			continue;
		mw_buf_printf(out, "%s ", separator);
		quote(out, entry->text);
		separator = ",";
	}
	mw_buf_str(out, " },\n");
}

void mw_file_paths_format(const struct mw_file_paths *paths, const char *prefix, struct mw_buf *out)
{
	for (unsigned section = 0; section < MW_SECTIONS; section++) {
		bool is_list = section == MW_SECTION_FILE_ACCESSES;
		bool is_begun = false;
		for (size_t i = 0; i < paths->count; i++) {
			const struct mw_file_entry *entry = &paths->entries[i];
			if (entry->section != section || has_before(paths, i))
				continue;
			if (!is_begun)
				mw_buf_printf(out, "%s%s = {%s", prefix, mw_file_section_names[section],
					      is_list ? "" : "\n");
			if (is_list) {
				mw_buf_str(out, is_begun ? ", " : " ");
				quote(out, entry->category);
			} else {
				format_category(paths, i, prefix, out);
			}
			is_begun = true;
		}
		if (is_begun)
			mw_buf_printf(out, "%s},\n", is_list ? " " : prefix);
	}
}

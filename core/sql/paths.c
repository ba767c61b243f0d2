#include "sql/paths.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "sql/world.h"

enum {
	DEPTH = 64,
	/* Entries between two looks at the clock. */
	CLOCK_ENTRIES = 256,
};

struct walk {
	const struct mw_sql_scan *scan;
	int (*visit)(void *data, const char *path);
	void *data;
	unsigned entries;
	bool lists; /* the entries of the folders that match, rather than these */
	char path[MW_PATH_BYTES];
};

static int check_time(struct walk *walk)
{
	return ++walk->entries % CLOCK_ENTRIES == 0 && mw_clock_mono_ns() > walk->scan->world->deadline_ns ? -ETIME : 0;
}

/* Put a name behind the first `length` bytes of the path; its new length, 0 when that is too long. */
static size_t append(struct walk *walk, size_t length, const char *name)
{
	int n = snprintf(walk->path + length, sizeof(walk->path) - length, "/%s", name);
	return n < 0 || (size_t)n >= sizeof(walk->path) - length ? 0 : length + (size_t)n;
}

static bool is_folder(const struct walk *walk, const struct dirent *entry)
{
	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	struct stat stat;
	return lstat(walk->path, &stat) == 0 && S_ISDIR(stat.st_mode);
}

static DIR *open_folder(struct walk *walk, size_t length)
{
	walk->path[length] = '\0';
	return opendir(length ? walk->path : "/");
}

/* All below the first `length` bytes of the path; its folders alone when their entries are wanted. */
static int visit_below(struct walk *walk, size_t length, unsigned depth, bool is_recursive)
{
	DIR *folder = depth < DEPTH ? open_folder(walk, length) : NULL;
	int r = 0;
	for (struct dirent *entry; r == 0 && folder && (entry = readdir(folder));) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		size_t longer = append(walk, length, entry->d_name);
		if (!longer)
			continue;
		r = check_time(walk);
		if (r == 0)
			r = walk->visit(walk->data, walk->path);
		if (r == 0 && is_recursive && is_folder(walk, entry))
			r = visit_below(walk, longer, depth + 1, true);
	}
	if (folder)
		(void)closedir(folder);
	return r;
}

static int found(struct walk *walk, size_t length)
{
	walk->path[length] = '\0';
	if (walk->lists)
		return visit_below(walk, length, 0, false);
	struct stat stat;
	return lstat(length ? walk->path : "/", &stat) == 0 ? walk->visit(walk->data, length ? walk->path : "/") : 0;
}

static int expand(struct walk *walk, size_t length, const char *pattern, unsigned depth);

static int expand_name(struct walk *walk, size_t length, const char *name, const char *rest, unsigned depth)
{
	DIR *folder = open_folder(walk, length);
	int r = 0;
	for (struct dirent *entry; r == 0 && folder && (entry = readdir(folder));) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    fnmatch(name, entry->d_name, 0) != 0)
			continue;
		size_t longer = append(walk, length, entry->d_name);
		r = check_time(walk);
		if (r == 0 && longer)
			r = *rest ? expand(walk, longer, rest, depth + 1) : found(walk, longer);
	}
	if (folder)
		(void)closedir(folder);
	return r;
}

/* The files below the first `length` bytes of the path that the rest of a pattern matches; it begins with a slash. */
static int expand(struct walk *walk, size_t length, const char *pattern, unsigned depth)
{
	if (depth > DEPTH)
		return 0;
	const char *start = pattern + strspn(pattern, "/");
	size_t n = strcspn(start, "/");
	const char *rest = start + n;
	if (n == 0)
		return found(walk, length);
	char name[256];
	if (n >= sizeof(name))
		return 0;
	memcpy(name, start, n);
	name[n] = '\0';
	if (strcmp(name, "**") == 0 && !*rest) {
		if (walk->lists) {
			int r = found(walk, length);
			return r ? r : visit_below(walk, length, depth, true);
		}
		return visit_below(walk, length, depth, true);
	}
	if (strpbrk(name, "*?["))
		return expand_name(walk, length, name, rest, depth);
	size_t longer = append(walk, length, name);
	return !longer ? 0 : *rest ? expand(walk, longer, rest, depth + 1) : found(walk, longer);
}

/* SQL's pattern as fnmatch(3) has it; what is special there alone is quoted by being left to match itself or anything. */
static bool translate(const struct mw_sql_constraint *constraint, char out[MW_PATH_BYTES])
{
	if (constraint->bytes >= MW_PATH_BYTES || strlen(constraint->text) != constraint->bytes ||
	    constraint->text[0] != '/')
		return false;
	memcpy(out, constraint->text, constraint->bytes + 1);
	for (char *c = out; constraint->op == MW_SQL_MATCH_LIKE && *c; c++)
		*c = *c == '%' ? '*' : *c == '_' || *c == '[' || *c == '*' || *c == '\\' ? '?' : *c;
	return true;
}

static int by_constraint(struct walk *walk, const struct mw_sql_constraint *constraint)
{
	char pattern[MW_PATH_BYTES];
	if (constraint->op == MW_SQL_EQ) {
		if (constraint->bytes >= sizeof(walk->path) || strlen(constraint->text) != constraint->bytes ||
		    constraint->text[0] != '/')
			return 0;
		memcpy(walk->path, constraint->text, constraint->bytes + 1);
		return found(walk, walk->lists && constraint->bytes == 1 ? 0 : constraint->bytes);
	}
	return translate(constraint, pattern) ? expand(walk, 0, pattern, 0) : 0;
}

int mw_sql_paths_each(const struct mw_sql_scan *scan, unsigned path_column, unsigned directory_column,
		      int (*visit)(void *data, const char *path), void *data)
{
	struct walk walk = {.scan = scan, .visit = visit, .data = data};
	const unsigned columns[] = {path_column, directory_column};
	for (unsigned i = 0; i < 2; i++)
		for (unsigned j = 0; j < scan->constraint_count; j++)
			if (scan->constraints[j].column == columns[i]) {
				walk.lists = i == 1;
				return by_constraint(&walk, &scan->constraints[j]);
			}
	return 0;
}

size_t mw_sql_paths_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash == path ? 1 : slash ? (size_t)(slash - path) : 0;
}

/* A stack of folders that are being read.  What is said of a folder is one of three: all names in it that match a part of a pattern,
 * and what the rest of the pattern finds below those; all in it; all below it. */
#include "sql/paths.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "sql/interrupt.h"
#include "sql/world.h"

enum {
	DEPTH = 64,
	NAME_BYTES = 256,
	/* Entries between two looks at the clock. */
	CLOCK_ENTRIES = 256,
};

struct folder {
	DIR *dir;
	size_t length; /* of its path */
	bool is_recursive;
	const char *rest;      /* of the pattern, behind `name` */
	char name[NAME_BYTES]; /* a pattern for its names; "" for all of them */
};

struct mw_sql_paths {
	const struct mw_sql_scan *scan;
	/* Where to begin, and the one that is next. */
	const struct mw_sql_constraint *starts;
	size_t start_count, start;
	bool lists; /* the entries of the folders that match, rather than these */
	unsigned entries;
	/* A folder all below which is wanted was given out, and is entered with the next call. */
	bool enters;
	unsigned depth;
	struct folder *folders; /* DEPTH of them, `depth` open */
	char pattern[MW_PATH_BYTES];
	char path[MW_PATH_BYTES];
};

static int check_time(struct mw_sql_paths *paths)
{
	if (++paths->entries % CLOCK_ENTRIES)
		return 0;
	return mw_sql_is_interrupted() || mw_clock_mono_ns() > paths->scan->world->deadline_ns ? -ETIME : 0;
}

/* Put a name behind the first `length` bytes of the path; its new length, 0 when that is too long. */
static size_t append(struct mw_sql_paths *paths, size_t length, const char *name, size_t n)
{
	if (length + n + 2 > sizeof(paths->path))
		return 0;
	paths->path[length] = '/';
	memcpy(paths->path + length + 1, name, n);
	paths->path[length + 1 + n] = '\0';
	return length + 1 + n;
}

/* Go on in the folder whose path are the first `length` bytes, by another folder's descriptor where links must not be followed.
 * A folder that cannot be read has nothing in it. */
static struct folder *enter(struct mw_sql_paths *paths, size_t length, int above)
{
	paths->path[length] = '\0';
	if (paths->depth == DEPTH)
		return NULL;
	const char *name = length ? paths->path : "/";
	int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	if (above >= 0) {
		name = strrchr(paths->path, '/') + 1;
		flags |= O_NOFOLLOW;
	}
	int fd = openat(above >= 0 ? above : AT_FDCWD, name, flags);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		if (fd >= 0)
			(void)close(fd);
		return NULL;
	}
	struct folder *folder = &paths->folders[paths->depth++];
	folder->dir = dir;
	folder->length = length;
	folder->is_recursive = false;
	folder->name[0] = '\0';
	return folder;
}

static void leave(struct mw_sql_paths *paths)
{
	(void)closedir(paths->folders[--paths->depth].dir);
}

/* The pattern led here: 1 when the path is to be given out. */
static int found(struct mw_sql_paths *paths, size_t length)
{
	struct stat st;
	paths->path[length] = '\0';
	if (paths->lists) {
		(void)enter(paths, length, -1);
		return 0;
	}
	if (lstat(length ? paths->path : "/", &st) < 0)
		return 0;
	if (!length)
		memcpy(paths->path, "/", 2);
	return 1;
}

/* Follow the rest of a pattern, which begins with a slash, from the first `length` bytes of the path to where names must be read:
 * 1 when the path is to be given out, else 0. */
static int follow(struct mw_sql_paths *paths, size_t length, const char *pattern)
{
	for (;;) {
		const char *start = pattern + strspn(pattern, "/");
		size_t n = strcspn(start, "/");
		const char *rest = start + n;
		if (n == 0)
			return found(paths, length);
		if (n >= NAME_BYTES)
			return 0;
		bool is_all = n == 2 && memcmp(start, "**", 2) == 0 && !*rest;
		if (is_all || memchr(start, '*', n) || memchr(start, '?', n) || memchr(start, '[', n)) {
			struct folder *folder = enter(paths, length, -1);
			if (!folder)
				return 0;
			folder->is_recursive = is_all;
			folder->rest = rest;
			if (!is_all) {
				memcpy(folder->name, start, n);
				folder->name[n] = '\0';
			}
			return 0;
		}
		length = append(paths, length, start, n);
		if (!length)
			return 0;
		if (!*rest)
			return found(paths, length);
		pattern = rest;
	}
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

static int begin(struct mw_sql_paths *paths, const struct mw_sql_constraint *constraint)
{
	if (constraint->op != MW_SQL_EQ)
		return translate(constraint, paths->pattern) ? follow(paths, 0, paths->pattern) : 0;
	if (constraint->bytes >= sizeof(paths->path) || strlen(constraint->text) != constraint->bytes ||
	    constraint->text[0] != '/')
		return 0;
	memcpy(paths->path, constraint->text, constraint->bytes + 1);
	return found(paths, paths->lists && constraint->bytes == 1 ? 0 : constraint->bytes);
}

static bool is_folder(const struct mw_sql_paths *paths, const struct dirent *entry)
{
	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	struct stat st;
	return lstat(paths->path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The next name of the folder at the top: 1 when the path is to be given out. */
static int read_one(struct mw_sql_paths *paths)
{
	struct folder *folder = &paths->folders[paths->depth - 1];
	const struct dirent *entry = readdir(folder->dir); /* NOLINT(concurrency-mt-unsafe): own stream */
	if (!entry) {
		leave(paths);
		return 0;
	}
	const char *name = entry->d_name;
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 0;
	int r = check_time(paths);
	if (r < 0 || (*folder->name && fnmatch(folder->name, name, 0) != 0))
		return r;
	size_t length = append(paths, folder->length, name, strlen(name));
	if (!length)
		return 0;
	if (*folder->name)
		return *folder->rest ? follow(paths, length, folder->rest) : found(paths, length);
	paths->enters = folder->is_recursive && is_folder(paths, entry);
	return 1;
}

int mw_sql_paths_next(struct mw_sql_paths *paths, const char **ret_path)
{
	int r = 0;
	if (paths->enters) {
		paths->enters = false;
		int above = dirfd(paths->folders[paths->depth - 1].dir);
		struct folder *below = enter(paths, strlen(paths->path), above);
		if (below)
			below->is_recursive = true;
	}
	while (r == 0) {
		if (paths->depth)
			r = read_one(paths);
		else if (paths->start < paths->start_count)
			r = begin(paths, &paths->starts[paths->start++]);
		else
			return 0;
	}
	*ret_path = paths->path;
	return r;
}

/* Of several the one that names paths, and not a pattern. */
static const struct mw_sql_constraint *constraint_of(const struct mw_sql_scan *scan, unsigned column)
{
	const struct mw_sql_constraint *found = NULL;
	for (unsigned i = 0; i < scan->constraint_count; i++) {
		const struct mw_sql_constraint *constraint = &scan->constraints[i];
		bool is_exact = constraint->op == MW_SQL_EQ || constraint->op == MW_SQL_ANY_OF;
		if (constraint->column == column && (!found || is_exact))
			found = constraint;
	}
	return found;
}

int mw_sql_paths_open(const struct mw_sql_scan *scan, unsigned path_column, unsigned directory_column,
		      struct mw_sql_paths **ret_paths)
{
	struct mw_sql_paths *paths = calloc(1, sizeof(*paths));
	struct folder *folders = calloc(DEPTH, sizeof(*folders));
	if (!paths || !folders) {
		free(paths);
		free(folders);
		return -ENOMEM;
	}
	paths->scan = scan;
	paths->folders = folders;
	const struct mw_sql_constraint *constraint = constraint_of(scan, path_column);
	if (!constraint) {
		constraint = constraint_of(scan, directory_column);
		paths->lists = true;
	}
	if (constraint) {
		paths->starts = constraint->values ? constraint->values : constraint;
		paths->start_count = constraint->values ? constraint->value_count : 1;
	}
	*ret_paths = paths;
	return 0;
}

void mw_sql_paths_close(struct mw_sql_paths *paths)
{
	if (!paths)
		return;
	while (paths->depth)
		leave(paths);
	free(paths->folders);
	free(paths);
}

size_t mw_sql_paths_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash == path ? 1 : slash ? (size_t)(slash - path) : 0;
}

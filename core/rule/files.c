#include "rule/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "rule/engine.h"

void mw_rule_files_release(struct mw_rule_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		free(files->paths[i]);
	free(files->paths);
	*files = (struct mw_rule_files){0};
}

static int add_file(struct mw_rule_files *files, const char *path, struct mw_err *err)
{
	if (files->count == MW_RULE_FILES)
		return mw_err_set(err, -E2BIG, "%s: more than %d rule files; the rest is left out", path,
				  MW_RULE_FILES);
	char **paths = realloc(files->paths, (files->count + 1) * sizeof(*paths));
	if (!paths)
		return mw_err_set(err, -ENOMEM, "%s: no memory", path);
	files->paths = paths;
	paths[files->count] = strdup(path);
	if (!paths[files->count])
		return mw_err_set(err, -ENOMEM, "%s: no memory", path);
	files->count++;
	return 0;
}

/* Names in a folder, in their order; none that begins with a point. */
struct names {
	char **names;
	size_t count;
};

static void names_release(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->names[i]);
	free(names->names);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list(int fd, struct names *ret)
{
	MW_AUTO_FD own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = own < 0 ? NULL : fdopendir(own);
	if (!folder)
		return -errno;
	own = -1;
	struct names found = {0};
	struct dirent *entry;
	while (errno = 0, (entry = readdir(folder))) {
		if (entry->d_name[0] == '.')
			continue;
		char **names = realloc(found.names, (found.count + 1) * sizeof(*names));
		if (!names)
			break;
		found.names = names;
		if (!(names[found.count] = strdup(entry->d_name)))
			break;
		found.count++;
	}
	int r = -errno;
	(void)closedir(folder);
	if (r < 0) {
		names_release(&found);
		return r;
	}
	if (found.count)
		qsort(found.names, found.count, sizeof(*found.names), compare_names);
	*ret = found;
	return 0;
}

static bool has_lua_name(const char *name)
{
	size_t length = strlen(name);
	return length > 4 && strcmp(name + length - 4, ".lua") == 0;
}

static int add_folder(struct mw_rule_files *files, int fd, const char *path, int is_own, unsigned depth,
		      struct mw_err *err);

/* One name in a folder.  A symbolic link to a file is followed (a mounted ConfigMap consists of them), one to a folder is
 * not (it may lead in a circle). */
static int add_entry(struct mw_rule_files *files, int dirfd, const char *folder, const char *name, int is_own,
		     unsigned depth, struct mw_err *err)
{
	char path[MW_PATH_BYTES];
	int n = snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (n < 0 || (size_t)n >= sizeof(path))
		return mw_err_set(err, -ENAMETOOLONG, "%s: path too long", folder);

	struct stat st;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return mw_err_set(err, -errno, "%s: cannot be examined: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode)) {
		MW_AUTO_FD fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0)
			return mw_err_set(err, -errno, "%s: cannot be opened: %s", path, strerror(errno));
		return add_folder(files, fd, path, is_own, depth + 1, err);
	}
	return has_lua_name(name) ? add_file(files, path, err) : 0;
}

static int add_folder(struct mw_rule_files *files, int fd, const char *path, int is_own, unsigned depth,
		      struct mw_err *err)
{
	if (depth > MW_RULE_DEPTH)
		return mw_err_set(err, -E2BIG, "%s: folders deeper than %d; not looked into", path, MW_RULE_DEPTH);
	if (!is_own) {
		int r = mw_file_trusted(fd, path, err);
		if (r < 0)
			return r;
	}
	struct names names = {0};
	int r = list(fd, &names);
	if (r < 0)
		return mw_err_set(err, r, "%s: cannot be listed: %s", path, strerror(-r));
	for (size_t i = 0; r == 0 && i < names.count; i++)
		r = add_entry(files, fd, path, names.names[i], is_own, depth, err);
	names_release(&names);
	return r;
}

int mw_rule_files_add(struct mw_rule_files *files, const char *path, int is_own, struct mw_err *err)
{
	MW_AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return mw_err_set(err, -errno, "%s: cannot be opened: %s", path, strerror(errno));
	return S_ISDIR(st.st_mode) ? add_folder(files, fd, path, is_own, 1, err) : add_file(files, path, err);
}

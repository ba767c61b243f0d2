#include "sql/place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/limits.h"
#include "proc/procfs.h"
#include "proc/users.h"
#include "sql/table.h"
#include "sql/world.h"

enum {
	FILE_BYTES = 4 << 20,
	LINE_BYTES = 64 << 10,
	/* Names of a folder, and the bytes they take. */
	NAMES = 4096,
	NAMES_BYTES = 1 << 20,
};

int mw_sql_place_init(struct mw_sql_place *place, const struct mw_sql_scan *scan, int pid_column)
{
	struct mw_sql_world *world = scan->world;
	const struct mw_sql_constraint *pid = pid_column < 0 ? NULL : mw_sql_equal(scan, (unsigned)pid_column);
	*place = (struct mw_sql_place){.world = world, .rootfd = world->rootfd, .users = world->users};
	if (!pid || (pid->is_integer && pid->integer == 0))
		return 0;
	*place = (struct mw_sql_place){.world = world, .rootfd = -1};
	if (!pid->is_integer || pid->integer < 0 || pid->integer > INT32_MAX)
		return 0;
	place->pid = (pid_t)pid->integer;
	char name[MW_PROC_NAME_BYTES];
	char path[64];
	mw_procfs_name(place->pid, "root", name);
	place->rootfd = openat(world->procfd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (place->rootfd < 0)
		return 0;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", place->rootfd);
	return mw_users_new(path, &place->users);
}

void mw_sql_place_release(struct mw_sql_place *place)
{
	if (place->pid == 0)
		return; /* the world's */
	mw_users_free(place->users);
	if (place->rootfd >= 0)
		(void)close(place->rootfd);
}

int mw_sql_open_at(const struct mw_sql_place *place, const char *path, int flags)
{
	/* Whoever owns the container may put a pipe or a terminal there. */
	int all = flags | O_CLOEXEC | (flags & O_PATH ? 0 : O_NOCTTY | O_NONBLOCK);
	if (place->rootfd < 0)
		return -ENOENT;
	struct open_how how = {.flags = (uint64_t)(unsigned)all, .resolve = RESOLVE_IN_ROOT};
	int fd = (int)syscall(SYS_openat2, place->rootfd, path, &how, sizeof(how));
	/* Linux before 5.6, or a filter that does not know it: links of other roots then lead into ours. */
	if (fd < 0 && (errno == ENOSYS || errno == EPERM)) {
		while (*path == '/')
			path++;
		fd = openat(place->rootfd, *path ? path : ".", all);
	}
	return fd < 0 ? -errno : fd;
}

int mw_sql_open_file(const struct mw_sql_place *place, const char *path, struct stat *ret_stat)
{
	int fd = mw_sql_open_at(place, path, O_RDONLY);
	if (fd < 0)
		return fd;
	int r = fstat(fd, ret_stat) < 0      ? -errno
		: S_ISREG(ret_stat->st_mode) ? 0
		: S_ISDIR(ret_stat->st_mode) ? -EISDIR
					     : -EINVAL;
	if (r == 0)
		return fd;
	(void)close(fd);
	return r;
}

static int warn(struct mw_sql_world *world, const char *path, int r, size_t limit)
{
	if (r == -EFBIG)
		mw_sql_warn(world, "%s: only the first %zu bytes are read", path, limit);
	else if (r == -EINVAL)
		mw_sql_warn(world, "%s: is no regular file; left out", path);
	else if (r < 0 && r != -ENOENT && r != -ENOTDIR && r != -EISDIR)
		mw_sql_warn(world, "%s: cannot be read: %s", path, strerror(-r));
	return r;
}

static int read_file(const struct mw_sql_place *place, const char *path, const struct mw_user *user,
		     struct mw_buf *text)
{
	struct stat st;
	MW_AUTO_FD fd = mw_sql_open_file(place, path, &st);
	if (fd < 0)
		return warn(place->world, path, fd, 0);
	if (user && st.st_uid != user->uid && !(st.st_mode & S_IROTH)) {
		mw_sql_warn(place->world, "%s: does not belong to its user; left out", path);
		return -EPERM;
	}
	return warn(place->world, path, mw_file_read_fd(fd, text), text->max);
}

int mw_sql_read_file(const struct mw_sql_place *place, const char *path, struct mw_buf *text)
{
	return read_file(place, path, NULL, text);
}

int mw_sql_read_own(const struct mw_sql_place *place, const char *path, const struct mw_user *user, struct mw_buf *text)
{
	return read_file(place, path, user, text);
}

static bool begin(struct mw_sql_lines *lines, int r)
{
	if (r < 0 && r != -EFBIG)
		mw_buf_clear(&lines->text);
	if (r == -EFBIG && lines->text.data) { /* the last line may be cut */
		char *newline = memrchr(lines->text.data, '\n', lines->text.size);
		lines->text.size = newline ? (size_t)(newline - lines->text.data) : 0;
	}
	static char nothing[1];
	lines->at = lines->text.data ? lines->text.data : nothing;
	lines->end = lines->at + lines->text.size;
	return r == 0 || r == -EFBIG;
}

bool mw_sql_lines_init(struct mw_sql_lines *lines, const struct mw_sql_place *place, const char *path)
{
	return mw_sql_lines_own(lines, place, path, NULL);
}

bool mw_sql_lines_own(struct mw_sql_lines *lines, const struct mw_sql_place *place, const char *path,
		      const struct mw_user *user)
{
	*lines = (struct mw_sql_lines){.text = MW_BUF(FILE_BYTES)};
	return begin(lines, read_file(place, path, user, &lines->text));
}

bool mw_sql_lines_at(struct mw_sql_lines *lines, int dirfd, const char *path)
{
	*lines = (struct mw_sql_lines){.text = MW_BUF(FILE_BYTES)};
	return begin(lines, mw_file_read_at(dirfd, path, &lines->text));
}

void mw_sql_lines_release(struct mw_sql_lines *lines)
{
	mw_buf_release(&lines->text);
}

char *mw_sql_next_line(struct mw_sql_lines *lines)
{
	while (lines->at < lines->end) {
		char *line = lines->at;
		char *newline = memchr(line, '\n', (size_t)(lines->end - line));
		char *stop = newline ? newline : lines->end;
		*stop = '\0'; /* at the end there is room for it: mw_buf */
		lines->at = stop + 1;
		if (stop > line && stop[-1] == '\r')
			stop[-1] = '\0';
		if (stop - line <= LINE_BYTES)
			return line;
	}
	return NULL;
}

int mw_sql_each_line(const struct mw_sql_scan *scan, int pid_column, const char *path, mw_sql_line *each,
		     struct mw_rows *rows)
{
	struct mw_sql_place place;
	MW_AUTO(mw_sql_lines) lines;
	int r = mw_sql_place_init(&place, scan, pid_column);
	(void)mw_sql_lines_init(&lines, &place, path);
	for (char *line; r == 0 && (line = mw_sql_next_line(&lines));)
		r = each(&place, line, rows);
	mw_sql_place_release(&place);
	return r;
}

char *mw_sql_strip(char *text)
{
	text += strspn(text, " \t\r\n\v\f");
	size_t length = strlen(text);
	while (length && strchr(" \t\r\n\v\f", text[length - 1]))
		length--;
	text[length] = '\0';
	return text;
}

char *mw_sql_word(char **rest)
{
	char *word = *rest + strspn(*rest, " \t");
	size_t length = strcspn(word, " \t");
	*rest = word + length + (word[length] != '\0');
	word[length] = '\0';
	return length ? word : NULL;
}

bool mw_sql_cut(char *line, char separator, char **ret_key, char **ret_value)
{
	char *at = strchr(line, separator);
	if (!at)
		return false;
	*at = '\0';
	*ret_key = mw_sql_strip(line);
	*ret_value = mw_sql_strip(at + 1);
	return true;
}

char *mw_sql_comment(char *line)
{
	char *at = strchr(line, '#');
	if (!at)
		return NULL;
	*at = '\0';
	return mw_sql_strip(at + 1);
}

DIR *mw_sql_open_folder(const struct mw_sql_place *place, const char *path)
{
	int fd = mw_sql_open_at(place, path, O_RDONLY | O_DIRECTORY);
	if (fd < 0) {
		(void)warn(place->world, path, fd, 0);
		return NULL;
	}
	DIR *folder = fdopendir(fd);
	if (!folder)
		(void)close(fd);
	return folder;
}

/* qsort(3) */
static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

bool mw_sql_names_init(struct mw_sql_names *names, const struct mw_sql_place *place, const char *path)
{
	*names = (struct mw_sql_names){.text = MW_BUF(NAMES_BYTES)};
	DIR *folder = mw_sql_open_folder(place, path);
	if (!folder)
		return false;
	const struct dirent *entry;
	bool is_cut = false;
	while (!is_cut && (entry = readdir(folder))) {
		if (entry->d_name[0] == '.')
			continue;
		is_cut = names->count == NAMES;
		if (!is_cut) {
			mw_buf_add(&names->text, entry->d_name, strlen(entry->d_name) + 1);
			is_cut = names->text.failed;
			names->count += !is_cut;
		}
	}
	(void)closedir(folder);
	if (is_cut)
		mw_sql_warn(place->world, "%s: only %zu of its files are looked at", path, names->count);
	names->name = names->count ? calloc(names->count, sizeof(*names->name)) : NULL;
	if (!names->name)
		names->count = 0;
	char *at = names->text.data;
	for (size_t i = 0; i < names->count; i++, at += strlen(at) + 1)
		names->name[i] = at;
	if (names->count)
		qsort(names->name, names->count, sizeof(*names->name), compare_names);
	return true;
}

void mw_sql_names_release(struct mw_sql_names *names)
{
	free(names->name);
	mw_buf_release(&names->text);
}

bool mw_sql_join(char *out, const char *folder, const char *name)
{
	size_t length = strlen(folder);
	const char *slash = length && folder[length - 1] == '/' ? "" : "/";
	int n = snprintf(out, MW_PATH_BYTES, "%s%s%s", folder, slash, name);
	return n >= 0 && n < MW_PATH_BYTES;
}

bool mw_sql_ends(const char *name, const char *end)
{
	size_t length = strlen(name);
	size_t tail = strlen(end);
	return length >= tail && strcmp(name + length - tail, end) == 0;
}

bool mw_sql_next_user(const struct mw_sql_place *place, const struct mw_sql_scan *scan, unsigned uid_column, size_t *at,
		      struct mw_user *ret)
{
	const struct mw_sql_constraint *uid = mw_sql_equal(scan, uid_column);
	int64_t wanted = !uid ? (int64_t)getuid() : uid->is_integer ? uid->integer : -1;
	if (!place->users)
		return false;
	while (mw_users_at(place->users, (*at)++, ret))
		if (ret->uid == wanted)
			return true;
	return false;
}

int mw_sql_each_home(const struct mw_sql_scan *scan, unsigned uid_column, int pid_column, const char *const *files,
		     mw_sql_home_file *each, struct mw_rows *rows)
{
	struct mw_sql_place place;
	struct mw_user user;
	int r = mw_sql_place_init(&place, scan, pid_column);
	for (size_t at = 0; r == 0 && mw_sql_next_user(&place, scan, uid_column, &at, &user);) {
		/* A copy: the next look at the users may read them again. */
		char home[MW_PATH_BYTES];
		int n = snprintf(home, sizeof(home), "%s", user.directory);
		const struct mw_user of = {.uid = user.uid, .gid = user.gid, .directory = home};
		for (size_t i = 0; r == 0 && n > 0 && n < MW_PATH_BYTES && files[i]; i++) {
			char path[MW_PATH_BYTES];
			if (home[0] == '/' && mw_sql_join(path, home, files[i]))
				r = each(&place, &of, path, rows);
		}
	}
	mw_sql_place_release(&place);
	return r;
}

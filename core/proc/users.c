/* A file is read whole into one buffer and cut into fields in place; entries point into it. */
#include "proc/users.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/limits.h"

enum {
	FILE_BYTES = 4 << 20,
	ENTRIES = 1 << 16,
	LINE_BYTES = 1 << 16, /* a group of some thousand members */
	PASSWD_FIELDS = 7,    /* name, password, uid, gid, description, directory, shell */
	GROUP_FIELDS = 4,     /* name, password, gid, members */
	ID_FIELD = 2,         /* in both */
};

struct entry {
	uint32_t id;
	char *field[PASSWD_FIELDS];
};

struct names {
	char path[MW_PATH_BYTES];
	unsigned field_count;
	struct stat seen; /* of the file as it was read; all zero when there was none */
	struct mw_buf text;
	struct entry *entries; /* in the order of the file */
	uint32_t *by_id;       /* their numbers, by id, then by number */
	size_t count;
};

struct mw_users {
	struct names users;
	struct names groups;
};

static void forget(struct names *names)
{
	free(names->entries);
	free(names->by_id);
	mw_buf_release(&names->text);
	names->entries = NULL;
	names->by_id = NULL;
	names->count = 0;
}

static bool parse_id(const char *text, uint32_t *ret)
{
	uint64_t value = 0;
	if (!text)
		return false;
	const char *s = text;
	for (; *s >= '0' && *s <= '9' && value <= UINT32_MAX; s++)
		value = value * 10 + (uint64_t)(*s - '0');
	if (s == text || *s || value > UINT32_MAX)
		return false;
	*ret = (uint32_t)value;
	return true;
}

/* `line` has its NUL where the newline was. */
static bool parse_line(char *line, size_t length, unsigned field_count, struct entry *ret)
{
	/* "+" and "-" are the NIS entries of nsswitch.conf(5), "compat". */
	if (length == 0 || length > LINE_BYTES || strchr("#+-:", line[0]) || memchr(line, '\0', length))
		return false;
	char *rest = line;
	unsigned n = 0;
	for (; rest && n < field_count; n++)
		ret->field[n] = strsep(&rest, n + 1 < field_count ? ":" : "");
	return n == field_count && parse_id(ret->field[ID_FIELD], &ret->id);
}

/* qsort_r(3) */
static int compare_by_id(const void *a, const void *b, void *data)
{
	const struct entry *entries = data;
	uint32_t m = *(const uint32_t *)a;
	uint32_t n = *(const uint32_t *)b;
	if (entries[m].id != entries[n].id)
		return entries[m].id < entries[n].id ? -1 : 1;
	return m < n ? -1 : m > n;
}

static void parse(struct names *names)
{
	char *text = names->text.data;
	char *end = text + names->text.size;
	size_t lines = 1;
	for (const char *s = text; s < end; s++)
		lines += *s == '\n';
	if (lines > ENTRIES)
		lines = ENTRIES;
	names->entries = calloc(lines, sizeof(*names->entries));
	names->by_id = calloc(lines, sizeof(*names->by_id));
	if (!names->entries || !names->by_id) {
		forget(names);
		return;
	}
	for (char *line = text; line < end && names->count < lines;) {
		char *newline = memchr(line, '\n', (size_t)(end - line));
		char *stop = newline ? newline : end;
		*stop = '\0';
		if (parse_line(line, (size_t)(stop - line), names->field_count, &names->entries[names->count]))
			names->count++;
		line = stop + 1;
	}
	for (size_t i = 0; i < names->count; i++)
		names->by_id[i] = (uint32_t)i;
	qsort_r(names->by_id, names->count, sizeof(*names->by_id), compare_by_id, names->entries);
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static void refresh(struct names *names)
{
	struct stat now;
	if (stat(names->path, &now) < 0)
		now = (struct stat){0};
	if (is_same_file(&now, &names->seen))
		return;
	forget(names);
	names->seen = now;
	/* Whoever owns the container may put a pipe there: never wait for one. */
	MW_AUTO_FD fd = open(names->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &names->seen) < 0 || !S_ISREG(names->seen.st_mode))
		return;
	int r = mw_file_read_fd(fd, &names->text);
	if (r == -EFBIG) { /* the last line may be cut */
		char *newline = memrchr(names->text.data, '\n', names->text.size);
		names->text.size = newline ? (size_t)(newline - names->text.data) : 0;
	} else if (r < 0) {
		return;
	}
	if (names->text.size)
		parse(names);
}

static const char *name_of(struct names *names, uint32_t id)
{
	refresh(names);
	size_t low = 0;
	size_t high = names->count;
	while (low < high) { /* the first that is not less */
		size_t middle = low + (high - low) / 2;
		if (names->entries[names->by_id[middle]].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == names->count || names->entries[names->by_id[low]].id != id)
		return "";
	return names->entries[names->by_id[low]].field[0];
}

static int names_init(struct names *names, const char *root, const char *file, unsigned field_count)
{
	int n = snprintf(names->path, sizeof(names->path), "%s%s", root, file);
	names->field_count = field_count;
	names->text = (struct mw_buf)MW_BUF(FILE_BYTES);
	return n < 0 || (size_t)n >= sizeof(names->path) ? -ENAMETOOLONG : 0;
}

int mw_users_new(const char *root, struct mw_users **ret_users)
{
	struct mw_users *users = calloc(1, sizeof(*users));
	if (!users)
		return -ENOMEM;
	if (names_init(&users->users, root, "/etc/passwd", PASSWD_FIELDS) < 0 ||
	    names_init(&users->groups, root, "/etc/group", GROUP_FIELDS) < 0) {
		free(users);
		return -ENAMETOOLONG;
	}
	*ret_users = users;
	return 0;
}

void mw_users_free(struct mw_users *users)
{
	if (!users)
		return;
	forget(&users->users);
	forget(&users->groups);
	free(users);
}

const char *mw_users_name(struct mw_users *users, uid_t uid)
{
	return name_of(&users->users, uid);
}

const char *mw_users_group(struct mw_users *users, gid_t gid)
{
	return name_of(&users->groups, gid);
}

bool mw_users_at(struct mw_users *users, size_t n, struct mw_user *ret)
{
	struct names *names = &users->users;
	if (n == 0)
		refresh(names);
	if (n >= names->count)
		return false;
	const struct entry *entry = &names->entries[n];
	uint32_t gid;
	*ret = (struct mw_user){
		.uid = entry->id,
		.gid = parse_id(entry->field[3], &gid) ? gid : (gid_t)-1,
		.name = entry->field[0],
		.description = entry->field[4],
		.directory = entry->field[5],
		.shell = entry->field[6],
	};
	return true;
}

bool mw_users_group_at(struct mw_users *users, size_t n, struct mw_group *ret)
{
	struct names *names = &users->groups;
	if (n == 0)
		refresh(names);
	if (n >= names->count)
		return false;
	const struct entry *entry = &names->entries[n];
	*ret = (struct mw_group){.gid = entry->id, .name = entry->field[0], .members = entry->field[3]};
	return true;
}

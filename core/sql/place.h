/* Files that tables read: below the root of the container, of a fixture or of another process; bounded, and never waited for.
 *
 * What cannot be read is told once, as a warning that names the file; what is not there is not worth one. */
#pragma once

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/buf.h"

struct mw_rows;
struct mw_sql_scan;
struct mw_sql_world;
struct mw_user;
struct mw_users;

enum {
	/* For a table without the column pid_with_namespace. */
	MW_SQL_NO_COLUMN = -1,
};

/* Where a scan looks. */
struct mw_sql_place {
	struct mw_sql_world *world;
	int rootfd; /* -1 when there is nothing to see */
	pid_t pid;  /* whose root it is, 0 for our own */
	struct mw_users *users;
};

/* `pid_with_namespace = N` means the root of process N.  0 or -ENOMEM; a process that has gone has no files. */
int mw_sql_place_init(struct mw_sql_place *place, const struct mw_sql_scan *scan, int pid_column);
void mw_sql_place_release(struct mw_sql_place *place);

/* Open `path`, whose symbolic links stay below the root.  A descriptor or -errno; nothing is warned of. */
int mw_sql_open_at(const struct mw_sql_place *place, const char *path, int flags);
/* Likewise, a regular file for reading; -EISDIR for a folder, -EINVAL for anything else. */
int mw_sql_open_file(const struct mw_sql_place *place, const char *path, struct stat *ret_stat);
/* Append a regular file.  -EFBIG when it is longer than the buffer may become: what fits is there, and a warning. */
int mw_sql_read_file(const struct mw_sql_place *place, const char *path, struct mw_buf *text);
/* Likewise a file that belongs to `user`: one that anybody could read anyway, or the user's own.  A link in a home must not
 * make us read, with our rights, what its owner may not. */
int mw_sql_read_own(const struct mw_sql_place *place, const char *path, const struct mw_user *user,
		    struct mw_buf *text);

/* Lines of a text.  Without one, there are none. */
struct mw_sql_lines {
	struct mw_buf text;
	char *at, *end;
};

/* A text file; true when it was read. */
bool mw_sql_lines_init(struct mw_sql_lines *lines, const struct mw_sql_place *place, const char *path);
/* Likewise, of a home. */
bool mw_sql_lines_own(struct mw_sql_lines *lines, const struct mw_sql_place *place, const char *path,
		      const struct mw_user *user);
/* A file below an open folder, as /proc is. */
bool mw_sql_lines_at(struct mw_sql_lines *lines, int dirfd, const char *path);
void mw_sql_lines_release(struct mw_sql_lines *lines);
/* The next line, without its end and cut at a NUL, to write into at will; NULL at the end.  Too long ones are left out. */
char *mw_sql_next_line(struct mw_sql_lines *lines);

/* For a table whose rows are the lines of one file: make none or some of `line`, 0 or -errno. */
typedef int mw_sql_line(const struct mw_sql_place *place, char *line, struct mw_rows *rows);
int mw_sql_each_line(const struct mw_sql_scan *scan, int pid_column, const char *path, mw_sql_line *each,
		     struct mw_rows *rows);

/* Without blanks at both ends, in place. */
char *mw_sql_strip(char *text);
/* The next word of *rest, or NULL. */
char *mw_sql_word(char **rest);
/* "key SEPARATOR value": both stripped, or false. */
bool mw_sql_cut(char *line, char separator, char **ret_key, char **ret_value);
/* Cut off what begins with a `#`; it, stripped, or NULL. */
char *mw_sql_comment(char *line);

/* Names in a folder, sorted; without those that begin with a dot. */
struct mw_sql_names {
	size_t count;
	char **name;
	struct mw_buf text;
};

bool mw_sql_names_init(struct mw_sql_names *names, const struct mw_sql_place *place, const char *path);
void mw_sql_names_release(struct mw_sql_names *names);
/* "folder/name"; false when it does not fit into MW_PATH_BYTES. */
bool mw_sql_join(char *out, const char *folder, const char *name);

/* Does `name` end in `end`? */
bool mw_sql_ends(const char *name, const char *end);

/* A folder that is not there, or cannot be read, is NULL.  Names come as the file system gives them. */
DIR *mw_sql_open_folder(const struct mw_sql_place *place, const char *path);

/* The users a user-based table is about: that of this process, or those of `uid = …`.  *at is 0 at first.  Texts of the
 * user are borrowed until the next call with the same place. */
bool mw_sql_next_user(const struct mw_sql_place *place, const struct mw_sql_scan *scan, unsigned uid_column, size_t *at,
		      struct mw_user *ret);

/* For a user-based table: make rows of `path`, a file in the home of `user`, which are copies. */
typedef int mw_sql_home_file(const struct mw_sql_place *place, const struct mw_user *user, const char *path,
			     struct mw_rows *rows);
/* Each of `files` (ended by NULL, relative to the home) of each user the scan is about. */
int mw_sql_each_home(const struct mw_sql_scan *scan, unsigned uid_column, int pid_column, const char *const *files,
		     mw_sql_home_file *each, struct mw_rows *rows);

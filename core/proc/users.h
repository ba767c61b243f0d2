/* Names of users and groups, from /etc/passwd and /etc/group, passwd(5), group(5).
 *
 * Read by ourselves: NSS would load the container's libraries into the sensor and may ask the network.  Kept in memory,
 * and read again when a file has changed (looked at on each call).  Junk lines are skipped; as with getpwuid(3) the
 * first of several entries of one id counts.  What is past the limits of users.c is not seen.
 *
 * Texts are borrowed until the next call with the same `users`. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct mw_users;

struct mw_user {
	uid_t uid;
	gid_t gid;
	const char *name;
	const char *description;
	const char *directory;
	const char *shell;
};

struct mw_group {
	gid_t gid;
	const char *name;
	const char *members; /* names of users, with commas between */
};

/* `root` is the folder that holds etc/: "" for our own.  -ENOMEM, -ENAMETOOLONG. */
int mw_users_new(const char *root, struct mw_users **ret_users);
void mw_users_free(struct mw_users *users);

/* "" for an id without a name. */
const char *mw_users_name(struct mw_users *users, uid_t uid);
const char *mw_users_group(struct mw_users *users, gid_t gid);

/* The n-th entry, in the order of the file; false past the last.  The files are looked at again when n is 0. */
bool mw_users_at(struct mw_users *users, size_t n, struct mw_user *ret);
bool mw_users_group_at(struct mw_users *users, size_t n, struct mw_group *ret);

#include "spool/state_dir.h"

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
#include "spool/spool.h"

enum {
	MODE = 0700,
	CANDIDATES = 4, /* wanted, and below $TMPDIR, /tmp, /dev/shm */
	REASON_BYTES = 96,
};

/* The n-th folder to try; false when there is none at that place of the list. */
static bool candidate(unsigned n, const char *wanted, char out[MW_PATH_BYTES])
{
	const char *above[CANDIDATES] = {wanted, getenv("TMPDIR"), "/tmp", "/dev/shm"};
	const char *dir = above[n];
	if (!dir || !*dir || (n > 0 && *dir != '/'))
		return false;
	if (n > 1 && above[1] && strcmp(above[1], dir) == 0)
		return false;
	int length = n == 0 ? snprintf(out, MW_PATH_BYTES, "%s", dir)
			    : snprintf(out, MW_PATH_BYTES, "%s/moonwatch-%u", dir, (unsigned)geteuid());
	return length > 0 && length < MW_PATH_BYTES;
}

/* An open folder that nobody else could have prepared for us, or -1 with the reason. */
static int open_private(const char *path, char reason[REASON_BYTES])
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		bool is_link = lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
		(void)snprintf(reason, REASON_BYTES, "%s", is_link ? "is a symbolic link" : strerror(errno));
		return -1;
	}
	if (fstat(fd, &st) < 0)
		(void)snprintf(reason, REASON_BYTES, "%s", strerror(errno));
	else if (st.st_uid != geteuid())
		(void)snprintf(reason, REASON_BYTES, "owned by user %u", (unsigned)st.st_uid);
	else if (st.st_mode & (S_IWGRP | S_IWOTH))
		(void)snprintf(reason, REASON_BYTES, "mode %04o lets others write", (unsigned)(st.st_mode & 07777));
	else
		return fd;
	(void)close(fd);
	return -1;
}

static bool is_usable(const char *path, char reason[REASON_BYTES])
{
	int r = mw_file_make_dirs(path, MODE);
	if (r < 0) {
		(void)snprintf(reason, REASON_BYTES, "%s", strerror(-r));
		return false;
	}
	MW_AUTO_FD fd = open_private(path, reason);
	if (fd < 0)
		return false;
	if (faccessat(fd, ".", R_OK | W_OK | X_OK, AT_EACCESS) < 0) {
		(void)snprintf(reason, REASON_BYTES, "%s", strerror(errno));
		return false;
	}
	return true;
}

void mw_state_dir_choose(const char *wanted, char out[MW_PATH_BYTES], struct mw_err *note)
{
	char first[REASON_BYTES] = "not set";
	char reason[REASON_BYTES];
	if (note)
		note->text[0] = '\0';
	for (unsigned n = 0; n < CANDIDATES; n++) {
		if (!candidate(n, wanted, out) || !is_usable(out, n == 0 ? first : reason))
			continue;
		if (n > 0)
			(void)mw_err_set(note, 0, "state_dir %.150s: %s; %.150s is used instead", wanted, first, out);
		return;
	}
	out[0] = '\0';
	(void)mw_err_set(note, 0, "state_dir %.150s: %s; state is kept in memory and ends with the sensor", wanted,
			 first);
}

int mw_state_dir_find(const char *wanted, char out[MW_PATH_BYTES], struct mw_err *err)
{
	char path[MW_PATH_BYTES];
	char tried[MW_ERR_BYTES] = "";
	for (unsigned n = 0; n < CANDIDATES; n++) {
		char reason[REASON_BYTES];
		struct stat st;
		if (!candidate(n, wanted, path))
			continue;
		/* The one asked for may be another user's, looked into by root; those in places where everybody may
		 * make folders must be our own. */
		int fd = n == 0 ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : open_private(path, reason);
		if (n == 0 && fd < 0)
			(void)snprintf(reason, sizeof(reason), "%s", strerror(errno));
		bool is_found =
			fd >= 0 && fstatat(fd, MW_SPOOL_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
		if (fd >= 0 && !is_found)
			(void)snprintf(reason, sizeof(reason), "no " MW_SPOOL_FILE " in it");
		if (fd >= 0)
			(void)close(fd);
		if (is_found) {
			(void)snprintf(out, MW_PATH_BYTES, "%s", path);
			return 0;
		}
		size_t length = strlen(tried);
		(void)snprintf(tried + length, sizeof(tried) - length, "%s%.100s (%s)", length ? ", " : "", path,
			       reason);
	}
	return mw_err_set(err, -ENOENT, "no spool found: looked in %.440s", tried);
}

/* moonwatch install DIR: copy the tree this program belongs to, for a container that has no shell and no cp: into a
 * volume that the application's container takes it from.
 *
 * All is written into a folder of its own inside DIR, which is on the same file system, and renamed from there, bin
 * last: who finds bin/moonwatch in DIR finds a whole tree. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "cli/command.h"

enum {
	COPY_BYTES = 65536,
	/* Folders in folders; ours are four deep. */
	DEPTH = 16,
	MODE_FOLDER = 0755,
	MODE_PROGRAM = 0555,
	MODE_FILE = 0644,
};

#define FRESH ".moonwatch-new"

/* In the order they are put in place.  certs is not in every tree. */
static const char *const folders[] = {"lua", "rules", "policies", "certs", "bin", NULL};

/* Names of the program; under the others it is `moonwatch run` (main.c). */
static const char *const names[] = {"moonwatch", "moonwatch-run", "entrypoint", NULL};

struct size {
	uint64_t bytes; /* in whole blocks */
	uint64_t files;
};

static void closedir_(DIR **folder)
{
	if (*folder)
		(void)closedir(*folder);
}

/* The entries of an open folder, which stays open. */
static DIR *list(int fd)
{
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = own < 0 ? NULL : fdopendir(own);
	if (!folder && own >= 0)
		(void)close(own);
	return folder;
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int open_folder(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int open_file(int at, const char *name)
{
	/* Not to hang on a FIFO. */
	int fd = openat(at, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Walk the folder `from` beside the folder `to`; names that begin with a dot are no part of a tree.  The function is
 * given what is neither to be passed over nor a folder. */
typedef int on_file(int from, int to, const char *name, void *data);
typedef int on_folder(int to, const char *name);

static int walk(int from, int to, on_folder *folder_first, on_file *each, void *data, int depth)
{
	__attribute__((cleanup(closedir_))) DIR *folder = list(from);
	if (!folder)
		return -errno;
	if (depth == 0)
		return -ELOOP;
	struct stat st;
	int r = 0;
	for (struct dirent *entry; r == 0 && (errno = 0, entry = readdir(folder));) {
		if (entry->d_name[0] == '.')
			continue;
		if (fstatat(from, entry->d_name, &st, 0) < 0)
			return -errno;
		if (!S_ISDIR(st.st_mode)) {
			r = S_ISREG(st.st_mode) ? each(from, to, entry->d_name, data) : -EINVAL;
			continue;
		}
		r = folder_first(to, entry->d_name);
		MW_AUTO_FD below = r < 0 ? -1 : open_folder(from, entry->d_name);
		MW_AUTO_FD beside = r < 0 ? -1 : open_folder(to, entry->d_name);
		if (r == 0 && (below < 0 || beside < 0))
			r = below < 0 ? below : beside;
		if (r == 0)
			r = walk(below, beside, folder_first, each, data, depth - 1);
	}
	return r < 0 ? r : -errno;
}

static int write_all(int fd, const char *bytes, size_t n)
{
	while (n) {
		ssize_t written = write(fd, bytes, n);
		if (written < 0 && errno != EINTR)
			return -errno;
		if (written > 0) {
			bytes += written;
			n -= (size_t)written;
		}
	}
	return 0;
}

/* The mode is set at the end, whatever the umask. */
static int copy_fd(int from, int at, const char *name, mode_t mode)
{
	static char bytes[COPY_BYTES];
	MW_AUTO_FD to = openat(at, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0)
		return -errno;
	for (ssize_t n; (n = read(from, bytes, sizeof(bytes))) != 0;) {
		if (n < 0 && errno != EINTR)
			return -errno;
		int r = n < 0 ? 0 : write_all(to, bytes, (size_t)n);
		if (r < 0)
			return r;
	}
	return fchmod(to, mode) < 0 || fsync(to) < 0 ? -errno : 0;
}

static int copy_file(int from, int to, const char *name, void *data)
{
	(void)data;
	MW_AUTO_FD fd = open_file(from, name);
	return fd < 0 ? fd : copy_fd(fd, to, name, MODE_FILE);
}

static int make_folder(int at, const char *name)
{
	if (mkdirat(at, name, 0700) < 0)
		return -errno;
	return fchmodat(at, name, MODE_FOLDER, 0) < 0 ? -errno : 0;
}

static int stay(int to, const char *name)
{
	(void)to;
	(void)name;
	return 0;
}

static int add_size(int from, int to, const char *name, void *data)
{
	struct size *size = data;
	struct stat st;
	(void)to;
	if (fstatat(from, name, &st, 0) < 0)
		return -errno;
	size->bytes += ((uint64_t)st.st_size + 8191) / 4096 * 4096;
	size->files++;
	return 0;
}

/* 0 when both hold the same bytes. */
static int compare_fds(int a, int b)
{
	static char first[COPY_BYTES];
	static char second[COPY_BYTES];
	struct stat of_a;
	struct stat of_b;
	if (a < 0 || b < 0 || fstat(a, &of_a) < 0 || fstat(b, &of_b) < 0 || of_a.st_size != of_b.st_size)
		return -ESTALE;
	for (off_t at = 0; at < of_a.st_size;) {
		ssize_t n = pread(a, first, sizeof(first), at);
		if (n <= 0 || pread(b, second, (size_t)n, at) != n || memcmp(first, second, (size_t)n) != 0)
			return -ESTALE;
		at += n;
	}
	return 0;
}

static int compare_modes(int at, const char *name, mode_t mode)
{
	struct stat st;
	if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) || (st.st_mode & 07777) != mode)
		return -ESTALE;
	return 0;
}

static int compare_file(int from, int to, const char *name, void *data)
{
	size_t *count = data;
	(*count)++;
	MW_AUTO_FD a = open_file(from, name);
	MW_AUTO_FD b = open_file(to, name);
	int r = compare_modes(to, name, MODE_FILE);
	return r < 0 ? r : compare_fds(a, b);
}

static int count_file(int from, int to, const char *name, void *data)
{
	size_t *count = data;
	(void)from;
	(void)to;
	(void)name;
	(*count)++;
	return 0;
}

struct install {
	const char *dir;
	int tree, target, program;
};

/* Is the folder of the tree in the target as it should be, with no file more or less? */
static bool is_folder_same(const struct install *in, const char *name)
{
	size_t wanted = 0;
	size_t found = 0;
	MW_AUTO_FD from = open_folder(in->tree, name);
	MW_AUTO_FD to = open_folder(in->target, name);
	if (from < 0)
		return to == -ENOENT;
	if (to < 0 || walk(from, to, stay, compare_file, &wanted, DEPTH) < 0)
		return false;
	return walk(to, to, stay, count_file, &found, DEPTH) == 0 && found == wanted;
}

static bool are_programs_same(const struct install *in)
{
	MW_AUTO_FD from = open_folder(in->tree, "bin");
	MW_AUTO_FD to = open_folder(in->target, "bin");
	for (const char *const *name = names; to >= 0 && *name; name++) {
		MW_AUTO_FD there = open_file(to, *name);
		if (compare_modes(to, *name, MODE_PROGRAM) < 0 || compare_fds(in->program, there) < 0)
			return false;
	}
	MW_AUTO_FD script = from < 0 ? -1 : open_file(from, "entrypoint.sh");
	MW_AUTO_FD there = to < 0 ? -1 : open_file(to, "entrypoint.sh");
	return to >= 0 && compare_modes(to, "entrypoint.sh", MODE_PROGRAM) == 0 && compare_fds(script, there) == 0;
}

static bool is_same(const struct install *in)
{
	for (const char *const *name = folders; *name; name++)
		if (strcmp(*name, "bin") == 0 ? !are_programs_same(in) : !is_folder_same(in, *name))
			return false;
	return true;
}

/* Remove a file, or a folder with all in it; never through a link. */
static int remove_all(int at, const char *name, int depth)
{
	if (unlinkat(at, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	MW_AUTO_FD fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	__attribute__((cleanup(closedir_))) DIR *folder = fd < 0 || depth == 0 ? NULL : list(fd);
	if (!folder)
		return depth == 0 ? -ELOOP : -errno;
	for (struct dirent *entry; (entry = readdir(folder));) {
		int r = is_dots(entry->d_name) ? 0 : remove_all(fd, entry->d_name, depth - 1);
		if (r < 0)
			return r;
	}
	return unlinkat(at, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

static int copy_programs(const struct install *in, int from, int to)
{
	MW_AUTO_FD script = open_file(from, "entrypoint.sh");
	if (script < 0)
		return script;
	int r = copy_fd(script, to, "entrypoint.sh", MODE_PROGRAM);
	for (const char *const *name = names; r == 0 && *name; name++) {
		if (lseek(in->program, 0, SEEK_SET) < 0)
			return -errno;
		/* Links are not to be had on every file system. */
		if (name == names || linkat(to, names[0], to, *name, 0) < 0)
			r = copy_fd(in->program, to, *name, MODE_PROGRAM);
	}
	return r;
}

/* Copy the whole tree into the fresh folder. */
static int copy_all(const struct install *in, int fresh, const char **ret_what)
{
	for (const char *const *name = folders; *name; name++) {
		*ret_what = *name;
		MW_AUTO_FD from = open_folder(in->tree, *name);
		if (from == -ENOENT && strcmp(*name, "certs") == 0)
			continue;
		int r = from < 0 ? from : make_folder(fresh, *name);
		MW_AUTO_FD to = r < 0 ? -1 : open_folder(fresh, *name);
		if (r == 0 && to < 0)
			r = to;
		if (r == 0 && strcmp(*name, "bin") == 0)
			r = copy_programs(in, from, to);
		else if (r == 0)
			r = walk(from, to, make_folder, copy_file, NULL, DEPTH);
		if (r < 0)
			return r;
	}
	return 0;
}

/* What is there goes into the fresh folder, to be removed with it. */
static int put_away(int fresh, int target, const char *name)
{
	char aside[NAME_MAX];
	(void)snprintf(aside, sizeof(aside), "%s.old", name);
	if (renameat(target, name, fresh, aside) == 0 || errno == ENOENT)
		return 0;
	if (errno != EXDEV)
		return -errno;
	/* A folder of an image's lower layer cannot be renamed.  Without bin nobody takes what is left for a tree. */
	int r = remove_all(target, "bin", DEPTH);
	return r < 0 ? r : remove_all(target, name, DEPTH);
}

/* Put the fresh folder in place. */
static int put(int fresh, int target, const char *name)
{
	if (faccessat(fresh, name, F_OK, 0) < 0)
		return put_away(fresh, target, name); /* a tree of another version had it */
	if (renameat2(fresh, name, target, name, RENAME_EXCHANGE) == 0)
		return 0;
	/* Nothing there, or a file system that cannot exchange. */
	int r = put_away(fresh, target, name);
	if (r < 0)
		return r;
	return renameat(fresh, name, target, name) < 0 ? -errno : 0;
}

static int refuse(const char *dir, const char *what, const char *mend)
{
	mw_complain("install: %s: %s; %s; nothing was changed there", dir, what, mend);
	return MW_EXIT_NO;
}

/* Nothing but a tree of ours may be in the folder: install /usr would put away /usr/bin. */
static int check_content(const struct install *in)
{
	__attribute__((cleanup(closedir_))) DIR *folder = list(in->target);
	if (!folder)
		return refuse(in->dir, strerror(errno), "name a folder that can be read");
	for (struct dirent *entry; (entry = readdir(folder));) {
		bool is_ours = is_dots(entry->d_name) || strcmp(entry->d_name, FRESH) == 0 ||
			       strcmp(entry->d_name, "lost+found") == 0;
		for (const char *const *name = folders; *name; name++)
			is_ours = is_ours || strcmp(*name, entry->d_name) == 0;
		if (!is_ours)
			return refuse(in->dir, "something else than moonwatch is in it", "name an empty folder");
	}
	if (faccessat(in->target, "bin", F_OK, AT_SYMLINK_NOFOLLOW) == 0 &&
	    faccessat(in->target, "bin/moonwatch", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return refuse(in->dir, "there is a bin, and no moonwatch in it", "name an empty folder");
	return 0;
}

static int check_room(const struct install *in)
{
	struct statvfs fs;
	struct stat program;
	struct size need = {0};
	char text[MW_ERR_BYTES];
	if (fstatvfs(in->target, &fs) < 0 || fstat(in->program, &program) < 0)
		return refuse(in->dir, strerror(errno), "name another folder");
	if (fs.f_flag & ST_RDONLY)
		return refuse(in->dir, "it is mounted read-only", "mount it with the right to write");
	if (faccessat(in->target, ".", W_OK | X_OK, AT_EACCESS) < 0)
		return refuse(in->dir, strerror(errno), "run as its owner, or give it the right to write");
	if (fs.f_flag & ST_NOEXEC)
		return refuse(in->dir, "it is mounted noexec, so the sensor could not be started from there",
			      "mount it with exec, or name another folder");
	for (const char *const *name = folders; *name; name++) {
		MW_AUTO_FD from = strcmp(*name, "bin") == 0 ? -1 : open_folder(in->tree, *name);
		if (from >= 0)
			(void)walk(from, from, stay, add_size, &need, DEPTH);
	}
	need.bytes += (uint64_t)program.st_size + COPY_BYTES;
	uint64_t room = (uint64_t)(geteuid() == 0 ? fs.f_bfree : fs.f_bavail) * fs.f_frsize;
	if (room < need.bytes) {
		(void)snprintf(text, sizeof(text), "%llu KiB are free there, and %llu KiB are needed",
			       (unsigned long long)room >> 10, (unsigned long long)need.bytes >> 10);
		return refuse(in->dir, text, "make room, or name another folder");
	}
	/* Some file systems do not count files. */
	if (fs.f_files && fs.f_ffree < need.files)
		return refuse(in->dir, "too few inodes are free there", "make room, or name another folder");
	return 0;
}

/* The application's user must get in. */
static void open_up(const struct install *in)
{
	struct stat st;
	if (fstat(in->target, &st) < 0 || (st.st_mode & 0555) == 0555)
		return;
	if (fchmod(in->target, (st.st_mode & 07777) | 0555) < 0)
		mw_complain("install: %s: not every user may read it, and that cannot be changed: %s", in->dir,
			    strerror(errno));
}

static int copy_and_put(const struct install *in)
{
	const char *what = FRESH;
	int r = remove_all(in->target, FRESH, DEPTH);
	if (r == 0)
		r = make_folder(in->target, FRESH);
	MW_AUTO_FD fresh = r < 0 ? -1 : open_folder(in->target, FRESH);
	if (r == 0)
		r = fresh < 0 ? fresh : copy_all(in, fresh, &what);
	if (r < 0) {
		(void)remove_all(in->target, FRESH, DEPTH);
		mw_complain("install: %s: cannot copy %s: %s; what was there is as it was", in->dir, what,
			    strerror(-r));
		return MW_EXIT_NO;
	}
	for (const char *const *name = folders; r == 0 && *name; name++) {
		what = *name;
		r = put(fresh, in->target, *name);
	}
	if (r < 0) {
		mw_complain("install: %s: cannot put %s in place: %s; run it again", in->dir, what, strerror(-r));
		return MW_EXIT_NO;
	}
	(void)fsync(in->target);
	r = remove_all(in->target, FRESH, DEPTH);
	if (r < 0)
		mw_complain("install: %s/" FRESH ": cannot remove it: %s", in->dir, strerror(-r));
	printf("moonwatch %s is in %s\n", MOONWATCH_VERSION, in->dir);
	return MW_EXIT_OK;
}

/* Is `below` the folder `above`, or somewhere in it? */
static bool is_in(const char *below, const char *above)
{
	size_t n = strlen(above);
	return strncmp(below, above, n) == 0 && (below[n] == '\0' || below[n] == '/');
}

static int install(const char *dir, const char *tree)
{
	static char target_path[MW_PATH_BYTES];
	static char tree_path[MW_PATH_BYTES];
	(void)umask(022); /* parents of the folder must let every user through, too */
	int r = mw_file_make_dirs(dir, MODE_FOLDER);
	if (r < 0)
		return refuse(dir, strerror(-r), "name a folder that can be made");
	if (!realpath(dir, target_path) || !realpath(tree, tree_path))
		return refuse(dir, strerror(errno), "name a folder");
	if (strcmp(target_path, tree_path) == 0) {
		/* A volume that was filled from the image: this very program runs from there. */
		printf("moonwatch %s is in %s already: this is it\n", MOONWATCH_VERSION, dir);
		return MW_EXIT_OK;
	}
	if (is_in(target_path, tree_path) || is_in(tree_path, target_path))
		return refuse(dir, "one of it and the tree of this program is in the other", "name another folder");
	MW_AUTO_FD from = open_folder(AT_FDCWD, tree);
	MW_AUTO_FD to = open_folder(AT_FDCWD, dir);
	MW_AUTO_FD program = open_file(AT_FDCWD, "/proc/self/exe");
	if (to < 0 || from < 0)
		return refuse(dir, strerror(to < 0 ? -to : -from), "name a folder that can be read");
	if (program < 0)
		program = open_file(from, "bin/moonwatch"); /* no /proc */
	if (program < 0)
		return refuse(dir, "this program cannot read itself", "mount /proc");
	const struct install in = {.dir = dir, .tree = from, .target = to, .program = program};
	/* Of two that install at once, the second finds it done. */
	(void)flock(to, LOCK_EX);
	int status = check_content(&in);
	if (status)
		return status;
	if (is_same(&in)) {
		printf("moonwatch %s is in %s already\n", MOONWATCH_VERSION, dir);
		return MW_EXIT_OK;
	}
	status = check_room(&in);
	if (status)
		return status;
	open_up(&in);
	return copy_and_put(&in);
}

static int run(int argc, char **argv)
{
	if (argc != 2 || !argv[1][0] || argv[1][0] == '-') {
		mw_complain("install: one folder, and no options; `moonwatch install --help` tells more");
		return MW_EXIT_USAGE;
	}
	const char *tree = mw_tree();
	return *tree ? install(argv[1], tree) : MW_EXIT_NO;
}

const struct mw_command mw_command_install = {
	.name = "install",
	.usage = "DIR",
	.summary = "Copy the sensor into a folder, for containers that share it.",
	.help = "Copies the tree this program belongs to, bin, lua, rules and policies, to DIR, where any user may read\n"
		"and run it. DIR is made when it is not there; else it must be empty or hold a moonwatch, which is\n"
		"replaced. It is copied beside and then renamed, so nobody sees half a tree. The same is not copied\n"
		"again. Needs no shell, so it works in an image that has nothing but moonwatch.\n\n"
		"Exit status: 0 when it is there; 1 when it is refused, or something failed; 2 for wrong arguments.\n",
	.run = run,
};

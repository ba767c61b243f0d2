/* Random things done to files, by several processes at once.
 *
 * usage: scramble FOLDER SEED OPERATIONS WRITERS
 *
 * Files, folders and links to nowhere are made, written, renamed, changed in mode and removed, trees at a time, too.  Names are
 * few, so that the writers meet. */
#include <fcntl.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	FOLDERS = 5,
	NAMES = 10,
	DEPTH = 4,
	PATH = 512,
};

static const char *root;
static uint64_t state;

static unsigned rnd(unsigned below)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state >> 33) % below;
}

static const char *any(const char *kind, unsigned count)
{
	static char paths[2][PATH];
	static unsigned next;
	char *path = paths[next++ % 2];
	int n = snprintf(path, PATH, "%s", root);
	for (unsigned depth = rnd(DEPTH); depth > 0; depth--)
		n += snprintf(path + n, (size_t)(PATH - n), "/d%u", rnd(FOLDERS));
	(void)snprintf(path + n, (size_t)(PATH - n), "/%s%u", kind, rnd(count));
	return path;
}

static const char *file(void)
{
	return any("f", NAMES);
}

static const char *folder(void)
{
	return any("d", FOLDERS);
}

static void write_some(const char *path, int flags)
{
	static const char bytes[256];
	int fd = open(path, flags | O_WRONLY | O_CLOEXEC, 0644);
	if (fd < 0)
		return;
	for (unsigned i = rnd(3); i > 0; i--)
		(void)!write(fd, bytes, 1 + rnd(sizeof(bytes) - 1));
	(void)close(fd);
}

static void make_tree(void)
{
	char path[PATH];
	int n = snprintf(path, sizeof(path), "%s", root);
	for (unsigned i = 0; i < DEPTH; i++) {
		n += snprintf(path + n, (size_t)(PATH - n), "/d%u", rnd(FOLDERS));
		(void)mkdir(path, 0755);
	}
	(void)snprintf(path + n, (size_t)(PATH - n), "/f%u", rnd(NAMES));
	write_some(path, O_CREAT);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	(void)remove(path);
	return 0;
}

static void do_something(void)
{
	const char *path = file();
	switch (rnd(24)) {
	case 0 ... 5:
		write_some(path, O_CREAT);
		break;
	case 6 ... 7:
		write_some(path, O_APPEND);
		break;
	case 8:
		(void)!truncate(path, rnd(100));
		break;
	case 9 ... 10:
		(void)chmod(path, 0600 + rnd(0100));
		break;
	case 11 ... 12:
		(void)rename(path, file());
		break;
	case 13 ... 14:
		path = folder();
		(void)rename(path, folder());
		break;
	case 15:
		(void)!symlink("nowhere", path);
		break;
	case 16 ... 18:
		(void)unlink(path);
		break;
	case 19:
		(void)rmdir(folder());
		break;
	case 20:
		(void)mkdir(folder(), 0755);
		break;
	case 21 ... 22:
		make_tree();
		break;
	default:
		if (rnd(20) == 0)
			(void)nftw(folder(), remove_one, 16, FTW_DEPTH | FTW_PHYS);
	}
}

int main(int argc, char **argv)
{
	if (argc != 5)
		return 2;
	root = argv[1];
	uint64_t seed = strtoull(argv[2], NULL, 10);
	unsigned long operations = strtoul(argv[3], NULL, 10), writers = strtoul(argv[4], NULL, 10);
	for (unsigned long i = 0; i < writers; i++) {
		pid_t pid = fork();
		if (pid < 0)
			return 1;
		state = seed * 1000 + i;
		for (unsigned long k = 0; pid == 0 && k < operations / writers; k++)
			do_something();
		if (pid == 0)
			_exit(0);
	}
	while (wait(NULL) > 0)
		;
	return 0;
}

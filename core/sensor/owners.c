#include "sensor/owners.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "event/process.h"
#include "sensor/processes.h"

enum {
	/* What opening and closing a folder of /proc costs, in links read. */
	FOLDER_LINKS = 8,
	LINK_BYTES = 64,
};

uint64_t mw_owners_inode(const char *target)
{
	static const char prefix[] = "socket:[";
	if (!target || strncmp(target, prefix, sizeof(prefix) - 1) != 0)
		return 0;
	return strtoull(target + sizeof(prefix) - 1, NULL, 10);
}

static int compare(const void *a, const void *b)
{
	uint64_t left = ((const struct mw_owner *)a)->inode;
	uint64_t right = ((const struct mw_owner *)b)->inode;
	return left < right ? -1 : left > right;
}

static void note(struct mw_owner *owners, size_t n, uint64_t inode, int fd, struct mw_process *process)
{
	const struct mw_owner key = {.inode = inode};
	struct mw_owner *owner = bsearch(&key, owners, n, sizeof(*owners), compare);
	if (!owner || owner->process == process)
		return;
	if (owner->process && owner->process->start_ns <= process->start_ns)
		return;
	owner->process = process;
	owner->fd = fd;
}

/* Look at `most` descriptors of the process at the most.  Returns what that cost, in links. */
static size_t look(struct mw_process *process, int procfd, struct mw_owner *owners, size_t n, size_t most)
{
	char path[32];
	(void)snprintf(path, sizeof(path), "%d/fd", (int)process->pid);
	int fd = openat(procfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		if (fd >= 0)
			(void)close(fd);
		return FOLDER_LINKS;
	}
	size_t links = FOLDER_LINKS;
	for (const struct dirent *entry; links < most + FOLDER_LINKS && (entry = readdir(dir));) {
		char target[LINK_BYTES];
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		ssize_t length = readlinkat(fd, entry->d_name, target, sizeof(target) - 1);
		links++;
		if (length <= 0)
			continue;
		target[length] = '\0';
		uint64_t inode = mw_owners_inode(target);
		if (inode)
			note(owners, n, inode, (int)strtol(entry->d_name, NULL, 10), process);
	}
	(void)closedir(dir);
	return links;
}

bool mw_owners_find(struct mw_processes *processes, int procfd, struct mw_owner *owners, size_t n, size_t links,
		    struct mw_owners_cursor *cursor)
{
	/* Processes that came or went since the last call move others of the map: one may be missed then, until the
	 * next round. */
	size_t left = processes->map.count;
	size_t used = 0;
	while (left && used < links) {
		struct mw_process *process = mw_pidmap_next(&processes->map, &cursor->slot);
		if (!process) {
			cursor->slot = 0;
			continue;
		}
		left--;
		used += look(process, procfd, owners, n, links - used);
	}
	return left == 0 && used <= links;
}

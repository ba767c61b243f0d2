#include "sensor/exec_world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "event/process.h"
#include "sensor/exec_names.h"
#include "sensor/hasher.h"
#include "sensor/owners.h"
#include "sensor/peers.h"

struct mw_exec_world {
	int proc_fd;
	int net_fd;
	int64_t container_start_ns;
	bool hash_all;
	struct mw_hasher *hasher;
	struct mw_peers peers;
};

int mw_exec_world_new(int64_t container_start_ns, bool hash_all, struct mw_exec_world **ret_world)
{
	struct mw_exec_world *world = calloc(1, sizeof(*world));
	if (!world)
		return -ENOMEM;
	world->container_start_ns = container_start_ns;
	world->hash_all = hash_all;
	world->net_fd = open("/proc/self/net", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* -1 is a folder without files */
	world->peers.net_fd = world->net_fd;
	world->proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = world->proc_fd < 0 ? -errno : mw_hasher_new(world->proc_fd, &world->hasher);
	if (r < 0) {
		mw_exec_world_free(world);
		return r;
	}
	*ret_world = world;
	return 0;
}

void mw_exec_world_free(struct mw_exec_world *world)
{
	if (!world)
		return;
	mw_hasher_free(world->hasher);
	if (world->net_fd >= 0)
		(void)close(world->net_fd);
	if (world->proc_fd >= 0)
		(void)close(world->proc_fd);
	free(world);
}

/* The file that the process names by an absolute path, or by a descriptor of its own. */
static bool stat_for(const struct mw_exec_world *world, const struct mw_image *image, const char *path,
		     struct stat *ret)
{
	char there[MW_PATH_BYTES + 32];
	int fd = mw_exec_descriptor(path);
	if (fd >= 0) {
		const char *behind = strchr(path + sizeof("/dev/fd/") - 1, '/');
		bool has_more = strncmp(path, "/dev/fd/", sizeof("/dev/fd/") - 1) == 0 && behind;
		(void)snprintf(there, sizeof(there), "%d/fd/%d%s", (int)image->pid, fd, has_more ? behind : "");
		return fstatat(world->proc_fd, there, ret, 0) == 0;
	}
	if (path[0] != '/')
		return false;
	(void)snprintf(there, sizeof(there), "%d/root%s", (int)image->pid, path);
	/* When it has ended: as we see it. */
	return fstatat(world->proc_fd, there, ret, 0) == 0 || fstatat(AT_FDCWD, path, ret, 0) == 0;
}

/* A script or loaded program: it counts as the executable does. */
static void judge_file(const struct mw_exec_world *world, struct mw_image *image, const struct stat *file)
{
	int64_t ctime_ns = (int64_t)file->st_ctim.tv_sec * MW_NS_PER_S + file->st_ctim.tv_nsec;
	if (ctime_ns > world->container_start_ns)
		image->is_dropped = true;
	if (file->st_nlink == 0)
		image->is_fileless = true;
}

static void look_at_script(const struct mw_exec_world *world, struct mw_image *image)
{
	struct stat file;
	bool is_there = stat_for(world, image, image->script, &file);
	bool is_exe = is_there && file.st_ino == image->inode && file.st_dev == image->device;
	if (is_exe || (!is_there && !image->is_script_sure)) {
		free(image->script);
		image->script = NULL;
		return;
	}
	if (is_there)
		judge_file(world, image, &file);
}

static void look_at_stdio(struct mw_exec_world *world, struct mw_image *image)
{
	for (int fd = 0; fd < 3; fd++) {
		struct mw_stdio *stdio = &image->stdio[fd];
		uint64_t inode = stdio->type == MW_STDIO_SOCKET ? mw_owners_inode(stdio->target) : 0;
		if (inode)
			(void)mw_peers_find(&world->peers, image->pid, fd, inode, stdio->remote_address,
					    &stdio->remote_port);
	}
}

void mw_exec_world_look(struct mw_exec_world *world, struct mw_image *image)
{
	struct stat file;
	if (image->script)
		look_at_script(world, image);
	if (image->program && stat_for(world, image, image->program, &file))
		judge_file(world, image, &file);
	look_at_stdio(world, image);
	image->hasher = world->hasher;
	image->hash = mw_hasher_hash;
	if (world->hash_all)
		(void)mw_image_sha256(image);
}

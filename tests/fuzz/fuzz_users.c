/* passwd and group files of a container. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "proc/users.h"

static char root[MW_PATH_BYTES - 32];

static void make_root(void)
{
	char path[MW_PATH_BYTES];
	const char *tmp = getenv("TMPDIR");
	(void)snprintf(root, sizeof(root), "%s/users.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(root))
		abort();
	(void)snprintf(path, sizeof(path), "%s/etc", root);
	if (mkdir(path, 0700) < 0)
		abort();
}

static void put(const char *name, const uint8_t *data, size_t size)
{
	char path[MW_PATH_BYTES];
	(void)snprintf(path, sizeof(path), "%s/etc/%s", root, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	(void)close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mw_users *users;
	struct mw_user user;
	struct mw_group group;
	if (!*root)
		make_root();
	put("passwd", data, size);
	put("group", data, size);
	if (mw_users_new(root, &users) < 0)
		return 0;
	(void)mw_users_name(users, 0);
	(void)mw_users_group(users, 0);
	for (size_t i = 0; mw_users_at(users, i, &user); i++)
		if (!user.name || !user.description || !user.directory || !user.shell)
			__builtin_trap();
	for (size_t i = 0; mw_users_group_at(users, i, &group); i++)
		if (!group.name || !group.members)
			__builtin_trap();
	mw_users_free(users);
	return 0;
}

/* Where the program stands.  /proc says it best; without /proc (a chroot, a hidden mount) the kernel's own note of what
 * was executed, in the auxiliary vector, does. */
#include "cli/command.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/limits.h"

/* realpath(3) wants it: PATH_MAX, which MW_PATH_BYTES is. */
static char tree[MW_PATH_BYTES];

/* The program's own path, links resolved. */
static bool own_path(char out[MW_PATH_BYTES])
{
	ssize_t n = readlink("/proc/self/exe", out, MW_PATH_BYTES - 1);
	if (n > 0 && out[0] == '/') {
		out[n] = '\0';
		return true;
	}
	/* AT_EXECFN is what execve(2) was given: relative to a folder that is still the current one. */
	const char *executed = (const char *)getauxval(AT_EXECFN); // NOLINT(performance-no-int-to-ptr)
	return executed && realpath(executed, out);
}

/* Cut the last name off. */
static bool to_parent(char *path)
{
	char *slash = strrchr(path, '/');
	if (!slash)
		return false;
	*slash = '\0';
	return true;
}

const char *mw_tree(void)
{
	static bool is_known;
	if (is_known)
		return tree;
	is_known = true;
	if (!own_path(tree) || !to_parent(tree) || !to_parent(tree)) {
		mw_complain(
			"cannot find out where this program stands: /proc is not mounted; start it by its full path");
		tree[0] = '\0';
		return tree;
	}
	char lua[MW_PATH_BYTES + sizeof("/lua")];
	(void)snprintf(lua, sizeof(lua), "%s/lua", tree);
	if (access(lua, R_OK | X_OK) < 0) {
		mw_complain("%s: %s; the program needs the folders lua, rules and policies beside its bin", lua,
			    strerror(errno));
		tree[0] = '\0';
	}
	return tree;
}

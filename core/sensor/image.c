/* The record's numbers are copied; what they mean is decided here. */

#include "sensor/image.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/redact.h"
#include "event/process.h"
#include "event/record.h"
#include "proc/users.h"
#include "sensor/exec_names.h"

int mw_image_record_is_whole(const struct mw_record_exec *record, size_t bytes)
{
	if (bytes < sizeof(*record))
		return false;
	size_t strings = (size_t)record->exe_bytes + record->cwd_bytes + record->execfn_bytes + record->env_bytes +
			 record->argv_bytes;
	for (size_t i = 0; i < 3; i++)
		strings += record->stdio_bytes[i];
	return bytes >= sizeof(*record) + strings;
}

/* The next `n` bytes of the record's strings as a string of its own; NULL for none, or when memory is exhausted. */
static char *take(const char **strings, size_t n)
{
	const char *from = *strings;
	*strings += n;
	return n ? strndup(from, n) : NULL;
}

static void set_name(char *out, size_t room, const char *name)
{
	size_t n = name ? strnlen(name, room - 1) : 0;
	if (n)
		memcpy(out, name, n);
	out[n] = '\0';
}

static bool starts(const char *text, const char *prefix)
{
	return text && strncmp(text, prefix, strlen(prefix)) == 0;
}

static enum mw_stdio_type stdio_type(const char *target)
{
	if (!target)
		return MW_STDIO_CLOSED;
	if (strcmp(target, "/dev/null") == 0)
		return MW_STDIO_NULL;
	if (starts(target, "/dev/pts/") || starts(target, "/dev/tty") || strcmp(target, "/dev/console") == 0)
		return MW_STDIO_TTY;
	if (starts(target, "pipe:["))
		return MW_STDIO_PIPE;
	if (starts(target, "socket:["))
		return MW_STDIO_SOCKET;
	return target[0] == '/' && !starts(target, "/dev/") ? MW_STDIO_FILE : MW_STDIO_OTHER;
}

static int set_strings(struct mw_image *image, const struct mw_record_exec *record)
{
	const char *strings = record->strings;
	image->exe = take(&strings, record->exe_bytes);
	image->cwd = take(&strings, record->cwd_bytes);
	image->execfn = take(&strings, record->execfn_bytes);
	if (record->env_bytes)
		image->env = mw_redact_environment(strings, record->env_bytes, &image->env_bytes);
	strings += record->env_bytes;
	size_t argv_bytes = 0;
	char *argv = mw_redact_arguments(strings, record->argv_bytes, &argv_bytes);
	int r = argv ? mw_image_set_argv(image, argv, argv_bytes) : -ENOMEM;
	free(argv);
	strings += record->argv_bytes;
	for (size_t i = 0; i < 3; i++)
		image->stdio[i].target = take(&strings, record->stdio_bytes[i]);
	image->has_stdio = record->head.flags & MW_EXEC_HAS_STDIO;
	if (image->has_stdio)
		for (size_t i = 0; i < 3; i++)
			image->stdio[i].type = stdio_type(image->stdio[i].target);
	return r;
}

/* What the executable is the vehicle of. */
static void set_names(struct mw_image *image)
{
	const char *script =
		mw_exec_script(image->exe, image->execfn, image->argv, image->argv_bytes, &image->is_script_sure);
	if (script)
		image->script = mw_exec_absolute(script, image->cwd);
	const char *program = mw_exec_loaded(image->exe, image->execfn, image->argv, image->argv_bytes);
	/* Without a slash it is looked for along the library path. */
	if (program)
		image->program = strchr(program, '/') ? mw_exec_absolute(program, image->cwd) : strdup(program);
}

static bool is_in_shared_memory(const char *path)
{
	return starts(path, "/dev/shm/") || starts(path, "/run/shm/");
}

struct mw_image *mw_image_from_record(const struct mw_record_exec *record, struct mw_users *users,
				      int64_t container_start_ns)
{
	struct mw_image *image = mw_image_new();
	if (!image)
		return NULL;
	if (set_strings(image, record) < 0) {
		mw_image_unref(image);
		return NULL;
	}
	unsigned flags = record->head.flags;
	image->argv_total_bytes = record->argv_total_bytes;
	image->argv_truncated = flags & MW_EXEC_ARGV_TRUNCATED;
	image->incomplete = flags & MW_EXEC_INCOMPLETE;
	image->is_late = flags & MW_EXEC_LATE;
	image->is_sampled = flags & MW_EXEC_SAMPLED;
	image->is_secure = flags & MW_EXEC_SECURE;
	image->level = record->level;
	image->time_ns = record->head.time_ns;
	image->pid = record->head.pid;
	image->inode = record->inode;
	image->device = record->device;
	image->exe_size = record->exe_size;
	image->exe_mode = record->exe_mode;
	image->exe_uid = record->exe_uid;
	image->exe_gid = record->exe_gid;
	image->exe_atime_ns = record->exe_atime_ns;
	image->exe_mtime_ns = record->exe_mtime_ns;
	image->exe_ctime_ns = record->exe_ctime_ns;
	image->is_deleted = record->inode && record->exe_nlink == 0;
	image->is_memfd = image->is_deleted && starts(image->exe, "/memfd:");
	set_names(image);
	image->is_fileless = image->is_deleted || is_in_shared_memory(image->exe) ||
			     is_in_shared_memory(image->script) || is_in_shared_memory(image->program);
	image->is_dropped = record->inode && record->exe_ctime_ns > container_start_ns;
	image->uid = record->uid;
	image->gid = record->gid;
	image->euid = record->euid;
	image->egid = record->egid;
	set_name(image->name, sizeof(image->name), record->name);
	set_name(image->user, sizeof(image->user), mw_users_name(users, image->euid));
	set_name(image->user_group, sizeof(image->user_group), mw_users_group(users, image->egid));
	return image;
}

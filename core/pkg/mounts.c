#include "pkg/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"

enum {
	MOUNTINFO_BYTES = 1 << 20,
	/* Of fs/…, where linux/magic.h lacks them. */
	CIFS_SUPER = 0x4346534d, /* "CFSM" */
	FUSE_SUPER = 0x65735546,
	CEPH_SUPER = 0x00c36400,
	MQUEUE_SUPER = 0x19800202,
};

static const struct {
	const char *type; /* as /proc/filesystems has it */
	unsigned magic;   /* 0: by name alone */
} foreign[] = {
	{"9p", V9FS_MAGIC},
	{"afs", AFS_SUPER_MAGIC},
	{"autofs", AUTOFS_SUPER_MAGIC},
	{"binfmt_misc", BINFMTFS_MAGIC},
	{"bpf", BPF_FS_MAGIC},
	{"ceph", CEPH_SUPER},
	{"cgroup", CGROUP_SUPER_MAGIC},
	{"cgroup2", CGROUP2_SUPER_MAGIC},
	{"cifs", CIFS_SUPER},
	{"configfs", 0},
	{"debugfs", DEBUGFS_MAGIC},
	{"devpts", DEVPTS_SUPER_MAGIC},
	{"efivarfs", EFIVARFS_MAGIC},
	{"fuse", FUSE_SUPER},
	{"fusectl", 0},
	{"lustre", 0},
	{"mqueue", MQUEUE_SUPER},
	{"ncpfs", NCP_SUPER_MAGIC},
	{"nfs", NFS_SUPER_MAGIC},
	{"nfs4", 0},
	{"nsfs", NSFS_MAGIC},
	{"proc", PROC_SUPER_MAGIC},
	{"pstore", PSTOREFS_MAGIC},
	{"rpc_pipefs", 0},
	{"securityfs", SECURITYFS_MAGIC},
	{"selinuxfs", SELINUX_MAGIC},
	{"smb3", SMB_SUPER_MAGIC},
	{"sysfs", SYSFS_MAGIC},
	{"tracefs", TRACEFS_MAGIC},
};

/* "fuse.sshfs" is fuse, too. */
static bool is_foreign_type(const char *type)
{
	size_t n = strcspn(type, ".");
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		if (strlen(foreign[i].type) == n && strncmp(foreign[i].type, type, n) == 0)
			return true;
	return false;
}

bool mw_mounts_is_foreign(int fd)
{
	struct statfs fs;
	if (fstatfs(fd, &fs) < 0)
		return true;
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		if (foreign[i].magic && (unsigned)fs.f_type == foreign[i].magic)
			return true;
	return false;
}

/* "\040" is a blank: the kernel writes blanks, tabs, newlines and backslashes so. */
static void unescape(char *text)
{
	char *to = text;
	for (const char *from = text; *from;) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' && from[2] <= '7' &&
		    from[3] >= '0' && from[3] <= '7') {
			*to++ = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
			from += 4;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
}

/* Field `n` of a line, counted from 1; NULL when there are not so many. */
static char *field(char *line, unsigned n)
{
	while (--n && line) {
		line = strchr(line, ' ');
		if (line)
			line++;
	}
	return line;
}

static void add(struct mw_mounts *mounts, const char *path)
{
	char **paths = reallocarray(mounts->paths, mounts->count + 1, sizeof(*paths));
	if (!paths)
		return;
	mounts->paths = paths;
	char *copy = strdup(path);
	if (copy)
		paths[mounts->count++] = copy;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw" */
void mw_mounts_read(struct mw_mounts *mounts)
{
	MW_AUTO(mw_buf) text = MW_BUF(MOUNTINFO_BYTES);
	*mounts = (struct mw_mounts){0};
	(void)mw_file_read_at(AT_FDCWD, "/proc/self/mountinfo", &text);
	for (char *line = text.data, *next; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		char *type = strstr(line, " - ");
		char *path = field(line, 5);
		if (!type || !path || path > type)
			continue;
		type += 3;
		type[strcspn(type, " ")] = '\0';
		path[strcspn(path, " ")] = '\0';
		unescape(path);
		/* The root may well be a FUSE: that of rootless containers is. */
		if (is_foreign_type(type) && strcmp(path, "/") != 0)
			add(mounts, path);
	}
	if (mounts->count)
		qsort(mounts->paths, mounts->count, sizeof(*mounts->paths), compare);
}

void mw_mounts_release(struct mw_mounts *mounts)
{
	for (size_t i = 0; i < mounts->count; i++)
		free(mounts->paths[i]);
	free(mounts->paths);
	*mounts = (struct mw_mounts){0};
}

bool mw_mounts_has(const struct mw_mounts *mounts, const char *path)
{
	return mounts->count && bsearch(&path, mounts->paths, mounts->count, sizeof(*mounts->paths), compare);
}

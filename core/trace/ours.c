#include "trace/ours.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proc/procfs.h"

static bool has_our_executable(int procfd, pid_t pid)
{
	char path[MW_PROC_NAME_BYTES];
	struct stat its;
	struct stat mine;
	mw_procfs_name(pid, "exe", path);
	if (fstatat(procfd, path, &its, 0) < 0)
		return errno == EACCES || errno == EPERM;
	return fstatat(procfd, "self/exe", &mine, 0) == 0 && its.st_dev == mine.st_dev && its.st_ino == mine.st_ino;
}

bool mw_is_ours(int procfd, pid_t pid, pid_t ppid, const char *comm)
{
	pid_t guard = getppid();
	if (guard > 1 && (pid == guard || ppid == guard))
		return true;
	static const char mark[] = "moonwatch-";
	return strncmp(comm, mark, sizeof(mark) - 1) == 0 && has_our_executable(procfd, pid);
}

bool mw_is_other_mount_namespace(int procfd, pid_t pid)
{
	char path[MW_PROC_NAME_BYTES];
	struct stat its;
	struct stat mine;
	mw_procfs_name(pid, "ns/mnt", path);
	return fstatat(procfd, path, &its, 0) == 0 && fstatat(procfd, "self/ns/mnt", &mine, 0) == 0 &&
	       its.st_ino != mine.st_ino;
}

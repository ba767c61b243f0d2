#include "trace/belongs.h"

#include <string.h>
#include <unistd.h>

#include "trace/tracer_private.h"

/* PF_KTHREAD of linux/sched.h, in the flags of PID/stat. */
#define PF_KTHREAD 0x200000u

bool mw_is_instance_name(const char *comm)
{
	static const char prefix[] = "moonwatch";
	return strncmp(comm, prefix, sizeof(prefix) - 1) == 0;
}

static void read_mount_namespace(int procfd, pid_t pid, char out[48])
{
	char path[MW_PROC_NAME_BYTES];
	mw_procfs_name(pid, "ns/mnt", path);
	ssize_t n = readlinkat(procfd, path, out, 47);
	out[n > 0 ? n : 0] = '\0';
}

bool mw_is_other_container(const struct mw_tracer *tracer, pid_t pid)
{
	char own[48];
	char other[48];
	read_mount_namespace(tracer->procfd, tracer->options->root, own);
	read_mount_namespace(tracer->procfd, pid, other);
	return own[0] && other[0] && strcmp(own, other) != 0;
}

void mw_instances_find(const struct mw_tracer *tracer, struct mw_instances *ret)
{
	int procfd = tracer->procfd;
	pid_t own_guard = atomic_load(&tracer->board->guard_pid);
	*ret = (struct mw_instances){.is_first = true, .is_first_here = true};
	read_mount_namespace(procfd, tracer->options->root, ret->own_mount_namespace);
	if (!ret->own_mount_namespace[0])
		read_mount_namespace(procfd, own_guard, ret->own_mount_namespace); /* the root has ended */
	struct mw_procfs_walk *walk;
	if (mw_procfs_walk_open(procfd, &walk) < 0)
		return;
	for (pid_t pid; ret->count < MW_INSTANCES && mw_procfs_next(walk, &pid) > 0;) {
		char path[MW_PROC_NAME_BYTES];
		char comm[MW_PROC_COMM_BYTES + 1];
		mw_tracer_count(&tracer->board->tracer_looks);
		mw_procfs_name(pid, "comm", path);
		if (pid == own_guard || mw_tasks_get(&tracer->tasks, pid))
			continue;
		ssize_t n = mw_procfs_read_small(procfd, path, comm, sizeof(comm) - 1);
		if (n <= 0)
			continue;
		comm[n] = '\0';
		if (strcmp(comm, "moonwatch-guard\n") != 0)
			continue;
		char *namespace = ret->list[ret->count].mount_namespace;
		ret->list[ret->count].guard = pid;
		read_mount_namespace(procfd, pid, namespace);
		ret->count++;
		if (pid < own_guard) {
			ret->is_first = false;
			if (strcmp(namespace, ret->own_mount_namespace) == 0)
				ret->is_first_here = false;
		}
	}
	mw_procfs_walk_close(walk);
}

/* Is it one of the application's descendants, as far as its parent says? */
static bool is_descendant(const struct mw_tracer *tracer, pid_t ppid)
{
	const struct mw_board *board = tracer->board;
	/* The guard is a child of the application, and what it starts is not. */
	if (ppid == atomic_load(&board->guard_pid))
		return false;
	return ppid == tracer->options->root || mw_tasks_get(&tracer->tasks, ppid) || mw_board_owns(board, ppid);
}

/* Is somebody else to look after that container? */
static bool is_cared_for(const struct mw_tracer *tracer, const struct mw_instances *instances, pid_t pid)
{
	char namespace[48];
	read_mount_namespace(tracer->procfd, pid, namespace);
	if (strcmp(namespace, instances->own_mount_namespace) == 0)
		return !instances->is_first_here;
	if (!namespace[0])
		return true; /* we may not look, so we may not trace either */
	for (unsigned i = 0; i < instances->count; i++)
		if (strcmp(namespace, instances->list[i].mount_namespace) == 0)
			return true;
	return !instances->is_first;
}

bool mw_belongs(const struct mw_tracer *tracer, const struct mw_instances *instances, const struct mw_proc_stat *stat)
{
	if (stat->flags & PF_KTHREAD || mw_is_instance_name(stat->comm))
		return false;
	if (!mw_debugger_leaves(tracer, stat->pid, stat->ppid))
		return false;
	if (mw_board_owns(tracer->board, stat->pid) || is_descendant(tracer, stat->ppid))
		return true;
	const struct mw_sweep *sweep = &tracer->sweep;
	if (!sweep->is_container)
		return false;
	/* A tick is long: in that of the application's birth, the number decides. */
	int64_t age = (int64_t)stat->start_ticks - sweep->root_start;
	bool is_newcomer = age > 0 || (age == 0 && stat->pid > tracer->options->root);
	if (!is_newcomer && !tracer->options->takes_older)
		return false;
	return !is_cared_for(tracer, instances, stat->pid);
}

#include "sensor/processes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "event/record.h"
#include "proc/procfs.h"
#include "proc/users.h"

void mw_processes_release(struct mw_processes *processes)
{
	size_t cursor = 0;
	for (struct mw_process *process; (process = mw_pidmap_next(&processes->map, &cursor));)
		mw_process_unref(process);
	mw_pidmap_release(&processes->map);
}

/* Put `process` in, which gives its reference away, in the place of a former one of the same pid whose end was lost. */
static int put(struct mw_processes *processes, struct mw_process *process)
{
	mw_process_unref(mw_pidmap_remove(&processes->map, process->pid));
	int r = mw_pidmap_set(&processes->map, process->pid, process);
	if (r < 0)
		mw_process_unref(process);
	return r;
}

/* The process of that pid, made when it is not known yet (the root; or its birth was lost).  NULL: out of memory. */
static struct mw_process *known(struct mw_processes *processes, pid_t pid, pid_t ppid, int64_t start_ns)
{
	struct mw_process *process = mw_pidmap_get(&processes->map, pid);
	if (process)
		return process;
	process = mw_process_new(pid, mw_pidmap_get(&processes->map, ppid), start_ns);
	if (!process)
		return NULL;
	process->ppid = ppid;
	return put(processes, process) < 0 ? NULL : process;
}

static char *copy(const char *bytes, size_t n)
{
	return n ? strndup(bytes, n) : NULL;
}

static void set_name(char *out, size_t room, const char *name)
{
	size_t n = name ? strnlen(name, room - 1) : 0;
	if (n)
		memcpy(out, name, n);
	out[n] = '\0';
}

static struct mw_image *image_of(struct mw_processes *processes, const struct mw_record_exec *record)
{
	struct mw_image *image = mw_image_new();
	if (!image)
		return NULL;
	const char *strings = record->strings;
	image->exe = copy(strings, record->exe_bytes);
	image->cwd = copy(strings + record->exe_bytes, record->cwd_bytes);
	if (mw_image_set_argv(image, strings + record->exe_bytes + record->cwd_bytes, record->argv_bytes) < 0) {
		mw_image_unref(image);
		return NULL;
	}
	image->argv_total_bytes = record->argv_total_bytes;
	image->argv_truncated = record->head.flags & MW_EXEC_ARGV_TRUNCATED;
	image->incomplete = record->head.flags & MW_EXEC_INCOMPLETE;
	image->time_ns = record->head.time_ns;
	image->inode = record->inode;
	image->device = record->device;
	image->uid = record->uid;
	image->gid = record->gid;
	image->euid = record->euid;
	image->egid = record->egid;
	set_name(image->name, sizeof(image->name), record->name);
	set_name(image->user, sizeof(image->user), mw_users_name(processes->users, image->euid));
	set_name(image->user_group, sizeof(image->user_group), mw_users_group(processes->users, image->egid));
	return image;
}

static int apply_exec(struct mw_processes *processes, const struct mw_record_exec *record, size_t bytes,
		      struct mw_process **ret_process)
{
	if (bytes < sizeof(*record) ||
	    bytes < sizeof(*record) + record->exe_bytes + record->cwd_bytes + record->argv_bytes)
		return -EPROTO;
	int64_t start_ns = mw_procfs_boot_real_ns() + mw_procfs_ticks_ns(record->start_ticks);
	struct mw_process *process = known(processes, record->head.pid, record->ppid, start_ns);
	struct mw_image *image = process ? image_of(processes, record) : NULL;
	if (!image)
		return -ENOMEM;
	mw_process_set_image(process, image);
	process->session = record->session;
	process->group = record->pgrp;
	mw_procfs_tty_name(record->tty_nr, process->tty);
	*ret_process = mw_process_ref(process);
	return 0;
}

static int apply_fork(struct mw_processes *processes, const struct mw_record_fork *record, size_t bytes,
		      struct mw_process **ret_process)
{
	if (bytes < sizeof(*record))
		return -EPROTO;
	struct mw_process *parent = mw_pidmap_get(&processes->map, record->ppid);
	struct mw_process *process = mw_process_new(record->head.pid, parent, record->head.time_ns);
	if (!process)
		return -ENOMEM;
	process->ppid = record->ppid;
	int r = put(processes, process);
	if (r == 0)
		*ret_process = mw_process_ref(process);
	return r;
}

static int apply_exit(struct mw_processes *processes, const struct mw_record_exit *record, size_t bytes,
		      struct mw_process **ret_process)
{
	if (bytes < sizeof(*record))
		return -EPROTO;
	struct mw_process *process = known(processes, record->head.pid, 0, 0);
	if (!process)
		return -ENOMEM;
	process->ended = true;
	process->exit_code = WIFEXITED(record->status) ? WEXITSTATUS(record->status) : -1;
	process->exit_signal = WIFSIGNALED(record->status) ? WTERMSIG(record->status) : 0;
	process->core_dumped = WIFSIGNALED(record->status) && WCOREDUMP(record->status);
	process->end_ns = record->head.time_ns;
	process->cpu_ns = record->cpu_ns;
	process->max_rss_bytes = record->max_rss_bytes;
	(void)mw_pidmap_remove(&processes->map, process->pid);
	*ret_process = process; /* the map's reference */
	return 0;
}

int mw_processes_apply(struct mw_processes *processes, const struct mw_record *record, size_t bytes,
		       struct mw_event *ret_event)
{
	if (bytes < sizeof(*record))
		return -EPROTO;
	struct mw_event event = {.time_ns = record->time_ns};
	int r;
	switch (record->kind) {
	case MW_RECORD_EXEC:
		event.kind = MW_PROCESS_EXEC;
		r = apply_exec(processes, (const struct mw_record_exec *)record, bytes, &event.process);
		break;
	case MW_RECORD_FORK:
		event.kind = MW_PROCESS_FORK;
		r = apply_fork(processes, (const struct mw_record_fork *)record, bytes, &event.process);
		break;
	case MW_RECORD_EXIT:
		event.kind = MW_PROCESS_EXIT;
		r = apply_exit(processes, (const struct mw_record_exit *)record, bytes, &event.process);
		break;
	default:
		return -EPROTO;
	}
	if (r == 0)
		*ret_event = event;
	return r;
}

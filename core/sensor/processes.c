#include "sensor/processes.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "event/lineage.h"
#include "event/record.h"
#include "proc/procfs.h"
#include "sensor/calls.h"
#include "sensor/exec_world.h"
#include "sensor/image.h"

void mw_processes_release(struct mw_processes *processes)
{
	size_t cursor = 0;
	for (struct mw_process *process; (process = mw_pidmap_next(&processes->map, &cursor));)
		mw_process_unref(process);
	mw_pidmap_release(&processes->map);
	for (size_t i = 0; i < MW_OWN_PROCESSES; i++) {
		mw_process_unref(processes->own[i]);
		processes->own[i] = NULL;
	}
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

struct mw_process *mw_processes_known(struct mw_processes *processes, pid_t pid, pid_t ppid, int64_t start_ns)
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

static bool is_same_program(const struct mw_image *a, const struct mw_image *b)
{
	return a->inode == b->inode && a->device == b->device && a->argv_bytes == b->argv_bytes &&
	       (a->argv_bytes == 0 || memcmp(a->argv, b->argv, a->argv_bytes) == 0);
}

static int64_t start_of(const struct mw_record_exec *record)
{
	int64_t ns;
	if (!record->start_ticks ||
	    __builtin_add_overflow(mw_procfs_boot_real_ns(), mw_procfs_ticks_ns(record->start_ticks), &ns))
		return record->head.time_ns;
	return ns;
}

static int apply_exec(struct mw_processes *processes, const struct mw_record_exec *record, size_t bytes,
		      struct mw_process **ret_process)
{
	if (!mw_image_record_is_whole(record, bytes))
		return -EPROTO;
	struct mw_process *process = mw_processes_known(processes, record->head.pid, record->ppid, start_of(record));
	struct mw_image *image =
		process ? mw_image_from_record(record, processes->users, processes->container_start_ns) : NULL;
	if (!image)
		return -ENOMEM;
	if (record->head.flags & MW_EXEC_AGAIN && process->image && is_same_program(process->image, image)) {
		mw_image_unref(image);
		return MW_NOTHING_TO_TELL;
	}
	if (processes->world)
		mw_exec_world_look(processes->world, image);
	mw_process_set_image(process, image);
	process->session = record->session;
	process->group = record->pgrp;
	mw_procfs_tty_name(record->tty_nr, process->tty);
	mw_lineage_note(process);
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
	struct mw_process *process = mw_processes_known(processes, record->head.pid, 0, 0);
	if (!process)
		return -ENOMEM;
	bool is_known = !(record->head.flags & MW_EXIT_UNKNOWN);
	process->ended = true;
	process->exit_code = is_known && WIFEXITED(record->status) ? WEXITSTATUS(record->status) : -1;
	process->exit_signal = is_known && WIFSIGNALED(record->status) ? WTERMSIG(record->status) : 0;
	process->core_dumped = is_known && WIFSIGNALED(record->status) && WCOREDUMP(record->status);
	process->end_ns = record->head.time_ns;
	process->cpu_ns = record->cpu_ns;
	process->max_rss_bytes = record->max_rss_bytes;
	(void)mw_pidmap_remove(&processes->map, process->pid);
	*ret_process = process; /* the map's reference */
	return 0;
}

static int apply_gap(struct mw_processes *processes, const struct mw_record_gap *record, size_t bytes,
		     struct mw_event *event)
{
	if (bytes < sizeof(*record) || record->reason >= MW_GAP_REASONS)
		return -EPROTO;
	struct mw_subject *subject = &processes->subject;
	subject->gap = (struct mw_gap){
		.reason = (enum mw_gap_reason)record->reason,
		.duration_ms = record->duration_ns ? record->duration_ns / MW_NS_PER_MS : -1,
		.missed = record->missed,
		.found = record->found,
	};
	event->gap = &subject->gap;
	return 0;
}

int mw_processes_apply(struct mw_processes *processes, const struct mw_record *record, size_t bytes,
		       struct mw_event *ret_event)
{
	/* Only a gap is nobody's; the map could not hold such a process. */
	if (bytes < sizeof(*record) || (record->pid <= 0 && record->kind != MW_RECORD_GAP))
		return -EPROTO;
	struct mw_event event = {.time_ns = record->time_ns};
	int r;
	switch (record->kind) {
	case MW_RECORD_EXEC:
		event.kind = MW_PROCESS_EXEC;
		event.is_sampled = record->flags & MW_EXEC_SAMPLED;
		r = apply_exec(processes, (const struct mw_record_exec *)record, bytes, &event.process);
		break;
	case MW_RECORD_FORK:
		event.kind = MW_PROCESS_FORK;
		event.is_sampled = record->flags & MW_FORK_SAMPLED;
		r = apply_fork(processes, (const struct mw_record_fork *)record, bytes, &event.process);
		break;
	case MW_RECORD_EXIT:
		event.kind = MW_PROCESS_EXIT;
		event.is_sampled = record->flags & MW_EXIT_SAMPLED;
		r = apply_exit(processes, (const struct mw_record_exit *)record, bytes, &event.process);
		break;
	case MW_RECORD_CALL:
		r = mw_calls_apply(processes, (const struct mw_record_call *)record, bytes, &event);
		break;
	case MW_RECORD_GAP:
		event.kind = MW_SENSOR_GAP;
		r = apply_gap(processes, (const struct mw_record_gap *)record, bytes, &event);
		break;
	default:
		return -EPROTO;
	}
	if (r == 0)
		*ret_event = event;
	return r;
}

/* The processes that live, by pid, kept up by the tracer's records; and the events these records become. */
#pragma once

#include <stddef.h>

#include "base/limits.h"
#include "base/pidmap.h"
#include "event/event.h"
#include "event/record.h"

struct mw_exec_world;
struct mw_record;
struct mw_users;

/* What an event points to, until the next is made. */
struct mw_subject {
	struct mw_file file;
	struct mw_socket socket;
	struct mw_call call;
	struct mw_gap gap;
	char path[MW_PATH_BYTES], old_path[MW_PATH_BYTES], text[MW_PATH_BYTES];
};

struct mw_processes {
	struct mw_pidmap map;        /* pid -> struct mw_process, one reference each */
	struct mw_users *users;      /* names of user and group ids; borrowed */
	int64_t container_start_ns;  /* wall clock; what came later was dropped */
	struct mw_exec_world *world; /* further facts of new programs; borrowed, or NULL */
	struct mw_subject subject;
	struct mw_process *own[MW_OWN_PROCESSES]; /* as targets of calls: made when first asked for */
};

void mw_processes_release(struct mw_processes *processes);

/* The process of that pid, made when it is not known yet (its birth was lost); a reference is not taken.  NULL: out of
 * memory. */
struct mw_process *mw_processes_known(struct mw_processes *processes, pid_t pid, pid_t ppid, int64_t start_ns);

enum {
	/* mw_processes_apply(): the record was understood, and is no news. */
	MW_NOTHING_TO_TELL = 1,
};

/* Apply `record` (`bytes` long), and describe what happened in *ret_event, all but its id.  The event's process has a
 * reference of its own, to be dropped by mw_process_unref().
 * 0, or MW_NOTHING_TO_TELL (*ret_event is untouched then), -EPROTO for a record that is not understood, -ENOMEM. */
int mw_processes_apply(struct mw_processes *processes, const struct mw_record *record, size_t bytes,
		       struct mw_event *ret_event);

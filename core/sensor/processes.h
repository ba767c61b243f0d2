/* The processes that live, by pid, kept up by the tracer's records; and the events these records become. */
#pragma once

#include <stddef.h>

#include "base/pidmap.h"
#include "event/event.h"

struct mw_record;
struct mw_users;

struct mw_processes {
	struct mw_pidmap map;   /* pid -> struct mw_process, one reference each */
	struct mw_users *users; /* names of user and group ids; borrowed */
};

void mw_processes_release(struct mw_processes *processes);

/* Apply `record` (`bytes` long), and describe what happened in *ret_event, all but its id.  The event's process has a
 * reference of its own, to be dropped by mw_process_unref().
 * -EPROTO for a record that is not understood, -ENOMEM. */
int mw_processes_apply(struct mw_processes *processes, const struct mw_record *record, size_t bytes,
		       struct mw_event *ret_event);

/* Events from the records of system calls. */
#pragma once

#include <stddef.h>

struct mw_event;
struct mw_processes;
struct mw_record_call;

/* Describe the call in *event (kind, process with a reference of its own, and what it points to in processes->subject).
 * -EPROTO for a record that is not understood, -ENOMEM. */
int mw_calls_apply(struct mw_processes *processes, const struct mw_record_call *record, size_t bytes,
		   struct mw_event *event);

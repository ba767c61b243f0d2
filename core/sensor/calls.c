#include "sensor/calls.h"

#include <errno.h>

#include "event/event.h"
#include "event/record.h"
#include "sensor/processes.h"

int mw_calls_apply(struct mw_processes *processes, const struct mw_record_call *record, size_t bytes,
		   struct mw_event *event)
{
	(void)processes;
	(void)record;
	(void)bytes;
	(void)event;
	return -EPROTO;
}

/* What the sensor makes of records in the ring: a tracer that was killed or went wrong must not take the sensor along.
 * The input is records one behind the other, each after its length in two bytes, little endian. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "event/record.h"
#include "event/shape.h"
#include "proc/users.h"
#include "sensor/processes.h"

enum {
	EVENT_BYTES = 1 << 20,
	RECORD_BYTES = MW_RECORD_BYTES > MW_RECORD_CALL_BYTES ? MW_RECORD_BYTES : MW_RECORD_CALL_BYTES,
};

static void apply(struct mw_processes *processes, const uint8_t *data, size_t n)
{
	MW_AUTO(mw_buf) text = MW_BUF(EVENT_BYTES);
	MW_AUTO_FREE void *record = NULL;
	struct mw_event event;
	/* Records are aligned in the ring, and as long as their header at least. */
	if (n < sizeof(struct mw_record) || posix_memalign(&record, 8, n))
		return;
	memcpy(record, data, n);
	if (mw_processes_apply(processes, record, n, &event) != 0)
		return;
	event.id[0] = '\0';
	mw_shape_json(&text, &mw_event_shape, &event);
	mw_process_unref(event.process);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mw_users *users;
	if (mw_users_new("/nonexistent", &users) < 0)
		return 0;
	struct mw_processes processes = {.users = users};
	while (size >= 2) {
		size_t n = data[0] | (size_t)data[1] << 8;
		if (n > size - 2)
			n = size - 2;
		if (n > RECORD_BYTES)
			break;
		apply(&processes, data + 2, n);
		data += 2 + n;
		size -= 2 + n;
	}
	mw_processes_release(&processes);
	mw_users_free(users);
	return 0;
}

/* The one record that every sensor emits, as rules, outputs and the spool see it.
 *
 * Its kinds and fields are listed in event_shapes.c. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "event/process.h"
#include "event/shape.h"

/* In the order of `mw_event_kinds`. */
enum mw_event_kind {
	MW_PROCESS_EXEC,
	MW_PROCESS_FORK,
	MW_PROCESS_EXIT,
	MW_SENSOR_HEALTH,
	MW_EVENT_KINDS,
};

struct mw_event_kind_info {
	const char *name;
	const char *doc;
};

extern const struct mw_event_kind_info mw_event_kinds[MW_EVENT_KINDS];

/* -ENOENT for a name that is none. */
int mw_event_kind_from_name(const char *name, enum mw_event_kind *ret_kind);

enum {
	/* 16 hex digits, '-', 12 decimal digits or more, NUL. */
	MW_EVENT_ID_BYTES = 40
};

struct mw_event {
	enum mw_event_kind kind;
	int64_t time_ns; /* wall clock */
	char id[MW_EVENT_ID_BYTES];
	struct mw_process *process; /* NULL for kinds without one */
	const char *message;        /* sensor.health: one sentence; else NULL */
};

extern const struct mw_shape mw_event_shape;
extern const struct mw_shape mw_process_shape;

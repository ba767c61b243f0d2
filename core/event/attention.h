/* Who is watched how closely, as plain data: compiled from the profile (script/attention.h), evaluated by the tracer at
 * each exec stop (trace/attention.h), lying in shared memory between them.
 *
 * Entries are gone through in order.  Each whose conditions all hold adds its marks to the process, which its descendants
 * inherit; the first of them that names a level decides. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "event/level.h"

enum {
	MW_ATTENTION_ENTRIES = 64,
	/* Bytes of all names, prefixes and arguments of a policy. */
	MW_ATTENTION_POOL_BYTES = 24 << 10,
	/* Names of marks. */
	MW_ATTENTION_MARKS = 32,
};

/* What may be asked of an exec besides its strings. */
enum {
	MW_ATTENTION_DROPPED = 1,  /* executable made after the container's start */
	MW_ATTENTION_FILELESS = 2, /* executable without a name: memfd, deleted */
	MW_ATTENTION_LATE = 4,     /* found, not born here: an exec session, a health check */
	MW_ATTENTION_STARTUP = 8,  /* in the start-up phase: nothing but the root's own start-up until `startup_ms` */
	MW_ATTENTION_SECURE = 16,  /* gained privilege */
	MW_ATTENTION_TTY = 32,     /* has a controlling terminal */
	MW_ATTENTION_ROOT = 64,    /* is the container's first process */
};

struct mw_attention_entry {
	/* Offsets into the pool of lists of strings (each with its NUL, the list ended by an empty one); 0: no condition. */
	uint32_t names;     /* base name of the executable or of argv[0], or comm */
	uint32_t paths;     /* the executable's path begins with one of these */
	uint32_t arguments; /* one of these is an argument (argv[1] and on) */
	uint32_t has;       /* MW_ATTENTION_…: all of these hold */
	uint32_t has_not;   /* none of these */
	uint64_t marked;    /* has one of these marks, from an ancestor; 0: no condition */
	/* What follows. */
	uint64_t mark; /* marks it gets */
	uint8_t level; /* enum mw_level, or MW_LEVELS: this entry does not decide */
};

struct mw_attention {
	uint64_t kinds; /* bit n: somebody wants events of mw_event_kind n; of others nothing is recorded */
	uint32_t startup_ms;
	/* Budget of all processes under `calls` together; 0: without limit. */
	uint32_t stops_per_s;
	uint32_t cpu_percent;
	uint8_t default_level;
	uint32_t entries_count;
	struct mw_attention_entry entries[MW_ATTENTION_ENTRIES];
	uint32_t pool_bytes; /* of which the first is a NUL, so that offset 0 means none */
	char pool[MW_ATTENTION_POOL_BYTES];
};

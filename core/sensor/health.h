/* The sensor's own state as rows (component, name, value, unit, text), kept in the spool for the table moonwatch_health and
 * for `moonwatch status`, in this process and any other. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct mw_agent;
struct mw_board;
struct mw_files;
struct mw_flags;
struct mw_gap;
struct mw_bundles;
struct mw_outputs;
struct mw_rules;
struct mw_spool;

enum {
	/* How often the rows are looked at, and how often they are written though nothing has changed, as a sign of life:
	 * who finds them older than MW_HEALTH_STALE_MS may think that no sensor is left. */
	MW_HEALTH_LOOK_MS = 1000,
	MW_HEALTH_BEAT_MS = 5000,
	MW_HEALTH_STALE_MS = 15000,
	/* Rows as JSON: some hundred bytes each. */
	MW_HEALTH_BYTES = 256 << 10,
};

/* What it looks at is borrowed. */
struct mw_health {
	struct mw_board *board;
	const struct mw_flags *flags;
	struct mw_spool *spool;
	struct mw_rules *const *rules;    /* where the rules in force are; there may be none */
	const struct mw_outputs *outputs; /* may be NULL */
	const struct mw_agent *agent;     /* may be NULL */
	const struct mw_bundles *bundles; /* may be NULL */
	const struct mw_files *files;     /* may be NULL */
	const uint64_t *muted;            /* alerts that repeated another; may be NULL */
	/* What sensors before this one have counted. */
	uint64_t stored_before, pruned_before, output_dropped_before;
	/* For the rates. */
	uint64_t stops;
	int64_t stops_ns; /* CLOCK_MONOTONIC */
	uint64_t stops_per_s;
	int64_t written_ns;          /* likewise; 0: not yet */
	struct mw_buf rows, written; /* as JSON */
};

/* The members above `stored_before` are set. */
void mw_health_begin(struct mw_health *health);
void mw_health_release(struct mw_health *health);

/* Take over into the board what spool and outputs have counted; after each commit. */
void mw_health_count(struct mw_health *health);

/* Write the rows when they have changed or MW_HEALTH_BEAT_MS have passed, or when all is over (`has_ended`). */
void mw_health_write(struct mw_health *health, bool has_ended);

/* What a sensor.gap says, in a sentence. */
void mw_health_gap_sentence(const struct mw_gap *gap, char *out, size_t room);

/* Outputs: `--outputs=STREAM/FORMAT:SINK[=TARGET[;OPTION=VALUE…]],…`, as far as they are not on the network: those take what the spool
 * holds, and are tasks of the agent (lua/moonwatch/delivery/outputs.lua).
 *
 * Formats are Lua scripts in lua/moonwatch/output/, one function each, item -> string; sinks take the lines.  Nothing here ever
 * blocks: a sink that does not take its bytes holds them in a bounded buffer, then drops whole lines and counts them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "event/shape.h"

struct mw_buf;
struct mw_err;
struct mw_outputs;

enum mw_stream {
	MW_STREAM_ALERTS,
	MW_STREAM_EVENTS,
	MW_STREAMS,
};

/* Open every sink.  Errors name the part of `spec` that is wrong and what is known: -EINVAL for a bad spec, the errno of
 * the sink otherwise. */
int mw_outputs_open(const char *spec, const char *tree, struct mw_outputs **ret_outputs, struct mw_err *err);
/* Set a member of moonwatch.item.context, which formats say of where they run. */
int mw_outputs_set(struct mw_outputs *outputs, const char *name, const char *text, struct mw_err *err);
/* Only check `spec`; opens nothing. */
int mw_outputs_check(const char *spec, const char *tree, struct mw_err *err);
void mw_outputs_free(struct mw_outputs *outputs);

/* Does the spec ask for such, too? */
bool mw_outputs_have_network(const struct mw_outputs *outputs);

bool mw_outputs_want(const struct mw_outputs *outputs, enum mw_stream stream);
/* `object` is of `shape` (an event or an alert); `json` is mw_shape_json() of it, or NULL. */
void mw_outputs_emit(struct mw_outputs *outputs, enum mw_stream stream, const struct mw_shape *shape,
		     const void *object, const struct mw_buf *json);

/* Write what sinks will take now.  True when all is written. */
bool mw_outputs_pump(struct mw_outputs *outputs);
/* Pump until all is written or the deadline (CLOCK_MONOTONIC) has come. */
void mw_outputs_flush(struct mw_outputs *outputs, int64_t deadline_ns);
/* Let go of standard output and standard error, so that whoever reads them sees the application's end. */
void mw_outputs_close_stdio(struct mw_outputs *outputs);
/* Lines dropped since the start. */
uint64_t mw_outputs_dropped(const struct mw_outputs *outputs);

/* From JSON to an event: what examples of rules and recordings are made of.  The inverse of mw_shape_json(). */
#pragma once

#include <stddef.h>

#include "event/event.h"

struct mw_err;

enum {
	/* JSON of one event. */
	MW_DECODE_BYTES = 1 << 20,
};

/* Zeroed to begin with. */
struct mw_decoded {
	struct mw_event event;
	struct mw_file file;
	struct mw_socket socket;
	struct mw_call call;
	struct mw_gap gap;
	struct mw_identity identity; /* borrows from `text` */
	char *text;
	size_t left_out; /* keys that are none of an event's, or hold something else than they should */
};

/* Make the event that `json` describes; what is not said is absent.  Release in either case.
 * -EPROTO: not JSON, or not of an event; -E2BIG; -ENOMEM. */
int mw_decode_event(struct mw_decoded *decoded, const char *json, size_t bytes, struct mw_err *err);
/* It has been copied to where it is now: let the event point to what is there. */
void mw_decoded_settle(struct mw_decoded *decoded);
void mw_decoded_release(struct mw_decoded *decoded);

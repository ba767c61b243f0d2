/* What system calls did to files lately, so that what inotify tells of the same can be given its process, for certain.
 *
 * A call explains a change of the same path (or, where the call knew the file, of the same inode) that is told soon after it,
 * and each kind of change once: a second one is somebody else's.  Who has opened a file to write explains its changes until
 * the kernel tells that it was closed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "event/event.h"

struct mw_call_notes;
struct mw_change;
struct mw_rule_info;

enum {
	/* Rules remembered that gave an alert for a call's event. */
	MW_NOTE_RULES = 4,
};

/* What explains a change. */
struct mw_explained {
	struct mw_process *process;                      /* borrowed for the call */
	char id[MW_EVENT_ID_BYTES];                      /* of the call's event */
	bool is_same_kind;                               /* that event told the same, with the same kind */
	const struct mw_rule_info *rules[MW_NOTE_RULES]; /* that gave an alert for it; NULL behind the last */
};

int mw_call_notes_new(struct mw_call_notes **ret_notes);
void mw_call_notes_free(struct mw_call_notes *notes);

/* An event that came from a system call, its id given, and the rules (at most MW_NOTE_RULES, behind the last NULL) that gave
 * an alert for it.  What is not about a file's change is passed over. */
void mw_call_notes_add(struct mw_call_notes *notes, const struct mw_event *event,
		       const struct mw_rule_info *const *rules);

/* The call that did it.  False when none is known, or calls of several processes may have. */
bool mw_call_notes_explain(struct mw_call_notes *notes, const struct mw_change *change, struct mw_explained *ret);

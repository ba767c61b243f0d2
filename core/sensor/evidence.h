/* Who has probably changed a file, when no system call tells: found from what processes have open for writing, and from what
 * programs that change files were started with.  Where two processes may have done it, or nothing points to one, nobody has.
 *
 * The work is bounded: past a part of one processor, changes are not looked into, and counted. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mw_board;
struct mw_change;
struct mw_event;
struct mw_evidence;
struct mw_process;
struct mw_processes;

struct mw_case {
	const struct mw_change *change;
	struct mw_process *process; /* found: a reference, to be given back; NULL: nobody */
};

/* `procfd` is an open /proc, borrowed as are the others; `board` may be NULL. */
int mw_evidence_new(struct mw_processes *processes, const struct mw_board *board, int procfd,
		    struct mw_evidence **ret_evidence);
void mw_evidence_free(struct mw_evidence *evidence);

/* An event about a process: those that ended lately are suspects, too. */
void mw_evidence_note(struct mw_evidence *evidence, const struct mw_event *event);

/* Look into `n` cases that happened just now.  Returns how many could not be looked into for lack of time. */
size_t mw_evidence_find(struct mw_evidence *evidence, struct mw_case *cases, size_t n);

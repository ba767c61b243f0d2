/* Which processes are moonwatch's, so that nobody watches those who watch. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* Is it a process of this instance or of another one?  Of this one: the guard, our parent, and its children.  Of another: its
 * name begins with "moonwatch-", and its executable is ours or must not be looked at (our processes forbid it:
 * PR_SET_DUMPABLE).  A name alone is anybody's to take, by prctl(2). */
bool mw_is_ours(int procfd, pid_t pid, pid_t ppid, const char *comm);

/* Is that process in another container than we are, as far as can be seen?  Containers may share process ids, but not what is
 * mounted. */
bool mw_is_other_mount_namespace(int procfd, pid_t pid);

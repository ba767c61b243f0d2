/* The supervisor's end of a seccomp filter that asks before it lets a system call go on: seccomp_unotify(2).  The only answer ever
 * given is to go on.
 *
 * Whoever holds the listener must answer: a call waits until then.  When the last descriptor of it is closed, all these calls
 * fail with ENOSYS for good.  So tracer and guard both hold it, and the guard answers while there is no tracer. */
#pragma once

#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct mw_board;

/* Take one call.  1; 0 when there is none any more (its caller was killed or interrupted); or a negative errno. */
int mw_listener_take(int listener, struct seccomp_notif *ret);
/* Let it go on.  0, or -ENOENT when nobody waits for that any more. */
int mw_listener_continue(int listener, uint64_t id);
/* Is the caller still there, and so what was read of it meanwhile its own? */
bool mw_listener_is_valid(int listener, uint64_t id);

/* Ask the kernel to run whoever waits for the listener on the caller's CPU (Linux 6.6). */
void mw_listener_wake_here(int listener);

/* The guard's part.  Does any process still have the filter?  (Linux 5.9; before, it seems so.) */
bool mw_listener_is_used(int listener);
/* A tracer has died: answer what it had taken and not answered. */
void mw_listener_answer_for_dead(int listener, const struct mw_board *board);
/* sigtimedwait(2) without a tracer: wait for one of `signals`, which are blocked, at most that long (NULL: for ever), and answer
 * everything meanwhile. */
void mw_listener_stand_in(int listener, const sigset_t *signals, const struct timespec *timeout);

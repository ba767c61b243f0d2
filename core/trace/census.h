/* Who is there, by looking at /proc: processes that have come, have become another program, or have gone since the last look,
 * as records.  What comes and goes between two looks is missed.  Needs no privilege; of processes of other users less is
 * to be seen.
 *
 * A look that finds nothing new costs a few microseconds: the last process id given out, the fifth field of /proc/loadavg,
 * says whether anybody was born.  Only then is /proc listed.  An execve(2) without a birth before it shows in the addresses
 * in PID/stat, which are looked at often in young processes and in turns in the others.
 *
 * Looked at are the root's descendants in the initial PID namespace, which is a whole machine, and everybody in any other one,
 * which is a container; never moonwatch itself (ours.h). */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct mw_census;
struct mw_tracer_options;

/* 0 or a negative errno. */
int mw_census_new(const struct mw_tracer_options *options, struct mw_census **ret_census);
void mw_census_free(struct mw_census *census);

/* Readable when somebody has ended. */
int mw_census_fd(const struct mw_census *census);

/* Wait for ends, timeout_ms at the most, and record them.  True when the root is among them, for good. */
bool mw_census_wait(struct mw_census *census, int timeout_ms);

/* Look.  True when the root has gone. */
bool mw_census_look(struct mw_census *census);

/* Has the root become the application yet? */
bool mw_census_root_runs(const struct mw_census *census);

/* For an engine that is told of each execve(2) by itself.  So it will be with the root and its descendants, from now on. */
void mw_census_expect(struct mw_census *census);
/* The process is at its exec stop, and the caller records that.  Its
 * birth is recorded here, if it was not yet.  It and its children are not looked at for other programs from now on. */
struct mw_record_exec;
void mw_census_on_exec(struct mw_census *census, const struct mw_record_exec *record);
/* It is about to execute something, and what it becomes will not be told: look at it until then. */
void mw_census_before_exec(struct mw_census *census, pid_t pid);
/* It is about to end, with this status, as wait(2) gives it: recorded at once.  False when there is nobody to be missed. */
bool mw_census_on_exit(struct mw_census *census, pid_t pid, int status);

/* What tables look at.  One per connection. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct mw_buf;
struct mw_digest_cache;
struct mw_flags;
struct mw_package_walk;
struct mw_sql_window;
struct mw_users;
struct mw_yara_cache;

struct mw_sql_world {
	int procfd;            /* an open /proc, -1 without */
	int rootfd;            /* the folder that holds etc/, -1 without; see place.h */
	const char *state_dir; /* as wanted; "" for the list's own */
	struct mw_users *users;
	struct mw_package_walk *packages; /* NULL until a table needs it */
	int64_t packages_saved_ns;        /* CLOCK_MONOTONIC; 0: not yet */
	const struct mw_flags *flags;
	struct mw_sql_window *window;    /* of event tables; NULL: all */
	struct mw_digest_cache *digests; /* NULL until the first is asked for */
	struct mw_yara_cache *yara;      /* likewise, for rules */
	/* CLOCK_MONOTONIC, of the running query: when it began, and when it must be over (INT64_MAX for never). */
	int64_t began_ns, deadline_ns;
	/* How often a table read a process, for tests: what is not asked for must not be read. */
	uint64_t processes_read;
	/* Threads that tables may take beside the one that asks. */
	unsigned helpers;
	struct mw_buf *warnings; /* lines */
	/* A table tells SQLite its columns, which for the authorizer looks like writing. */
	bool is_declaring;
};

/* A line for whoever asked: a query that succeeds may still lack something.  The same line is kept once. */
__attribute__((format(printf, 2, 3))) void mw_sql_warn(struct mw_sql_world *world, const char *format, ...);

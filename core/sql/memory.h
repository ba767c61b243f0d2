/* SQLite's memory, counted by thread.
 *
 * SQLite itself knows one limit for all of a process, and takes one lock to count.  In the sensor, where a thread of low priority
 * runs queries beside the loop, that limit would make the spool fail for what a query takes, and the lock would make the loop
 * wait for a thread that others keep from running. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Take over SQLite's allocation, before SQLite is first used in this process; later it has no effect, and queries are limited by
 * SQLite's own limit.  `keeps_statistics`: so that mw_sql_options.process_memory_bytes works, and sqlite3_memory_used(). */
void mw_sql_memory_begin(bool keeps_statistics);
/* Has it been taken over? */
bool mw_sql_memory_is_counted(void);

/* Of the calling thread: what it has taken and not given back, and the most since the last mw_sql_memory_forget_peak(). */
int64_t mw_sql_memory_used(void);
int64_t mw_sql_memory_peak(void);
void mw_sql_memory_forget_peak(void);
/* The most it may have; 0: no limit. */
void mw_sql_memory_limit(int64_t bytes);

/* Records of logins: /run/utmp and /var/log/wtmp, utmp(5), as glibc's programs write them; musl's write none. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct mw_rows;
struct mw_sql_scan;

struct mw_utmp {
	int16_t type; /* USER_PROCESS and so on, utmpx.h */
	int32_t pid;
	char line[32], id[4], user[32], host[256];
	int16_t termination, exit;
#if defined(__x86_64__) /* as a program of 32 bits has it */
	int32_t session, seconds, microseconds;
#else
	int64_t session, seconds, microseconds;
#endif
	int32_t address[4];
	char unused[20];
};

/* Make a row of `record`, or none.  Its texts need not end in NUL. */
typedef int mw_sql_utmp_each(const struct mw_utmp *record, struct mw_rows *rows);

int mw_sql_utmp(const struct mw_sql_scan *scan, const char *path, mw_sql_utmp_each *each, struct mw_rows *rows);
/* A text of a record. */
void mw_sql_utmp_text(struct mw_rows *rows, unsigned column, const char *text, size_t bytes);

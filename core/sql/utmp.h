/* Records of logins: /run/utmp and /var/log/wtmp, utmp(5), as this C library writes them. */
#pragma once

#include <stddef.h>
#include <utmpx.h>

struct mw_rows;
struct mw_sql_scan;

/* Make a row of `record`, or none.  Its texts need not end in NUL. */
typedef int mw_sql_utmp_each(const struct utmpx *record, struct mw_rows *rows);

int mw_sql_utmp(const struct mw_sql_scan *scan, const char *path, mw_sql_utmp_each *each, struct mw_rows *rows);
/* A text of a record. */
void mw_sql_utmp_text(struct mw_rows *rows, unsigned column, const char *text, size_t bytes);

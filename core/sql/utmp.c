/* Read by ourselves: getutxent(3) keeps its state in the process, and locks the file that it reads. */
#include "sql/utmp.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sql/place.h"
#include "sql/table.h"
#include "sql/world.h"

#if defined(__GLIBC__)
#include <utmpx.h>
_Static_assert(sizeof(struct mw_utmp) == sizeof(struct utmpx), "records are as long as glibc's");
_Static_assert(offsetof(struct mw_utmp, seconds) == offsetof(struct utmpx, ut_tv), "and their time is there");
#endif

enum {
	/* Of a long wtmp the last ones are taken. */
	RECORDS = 1 << 17,
	AT_ONCE = 64,
};

void mw_sql_utmp_text(struct mw_rows *rows, unsigned column, const char *text, size_t bytes)
{
	mw_rows_text(rows, column, text, strnlen(text, bytes));
}

static int read_records(int fd, off_t first, off_t end, mw_sql_utmp_each *each, struct mw_rows *rows)
{
	struct mw_utmp records[AT_ONCE];
	const off_t size = sizeof(*records);
	for (off_t at = first; at < end;) {
		ssize_t n = pread(fd, records, sizeof(records), at * size);
		if (n < size)
			return n < 0 ? -errno : 0;
		for (size_t i = 0; i < (size_t)n / sizeof(*records) && at < end; i++, at++) {
			int r = each(&records[i], rows);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

int mw_sql_utmp(const struct mw_sql_scan *scan, const char *path, mw_sql_utmp_each *each, struct mw_rows *rows)
{
	struct mw_sql_place place;
	struct stat st;
	int r = mw_sql_place_init(&place, scan, MW_SQL_NO_COLUMN);
	if (r < 0)
		return r;
	MW_AUTO_FD fd = mw_sql_open_file(&place, path, &st);
	if (fd < 0) {
		if (fd != -ENOENT)
			mw_sql_warn(scan->world, "%s: cannot be read: %s", path, strerror(-fd));
		return 0;
	}
	off_t end = st.st_size / (off_t)sizeof(struct mw_utmp);
	off_t first = end > RECORDS ? end - RECORDS : 0;
	if (first)
		mw_sql_warn(scan->world, "%s: only the last %d records are read", path, RECORDS);
	return read_records(fd, first, end, each, rows);
}

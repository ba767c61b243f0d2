/* Formats of rpm's database.  For core/pkg/rpm*.c and fuzzers alone.
 *
 * Functions return 0 (with warnings of what was wrong), or what the sink's emit() returned, -ENOMEM, -ETIME. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mw_package_sink;

enum {
	/* Of a header; a kernel's, with all its files, has some MiB. */
	MW_RPM_HEADER_BYTES = 64 << 20,
};

struct mw_rpm_database {
	int rootfd;
	int fd;
	const char *path;
	uint64_t size;
	const struct mw_package_sink *sink;
	bool is_warned; /* once is enough */
};

/* One that tells only the first time. */
__attribute__((format(printf, 2, 3))) void mw_rpm_warn(struct mw_rpm_database *database, const char *format, ...);
/* Read at an offset; -EPROTO when the file ends before. */
int mw_rpm_pread(const struct mw_rpm_database *database, void *to, size_t n, uint64_t offset);

/* A header as databases have it, without the eight bytes of magic in front: give the package to the sink. */
int mw_rpm_header(struct mw_rpm_database *database, const uint8_t *blob, size_t size);

int mw_rpm_bdb_read(struct mw_rpm_database *database);
int mw_rpm_ndb_read(struct mw_rpm_database *database);
int mw_rpm_sqlite_read(struct mw_rpm_database *database);

/* Write the transactions of a write-ahead log into an image of its database, https://www.sqlite.org/fileformat.html#walformat,
 * which then needs none.  What is not whole at the end of the log was never done.
 * `*image` is malloc()ed and may be replaced.  0, -ENOMEM, or -EFBIG when the image would have more than `max` bytes. */
int mw_rpm_wal_apply(uint8_t **image, size_t *size, size_t max, const uint8_t *wal, size_t wal_size);

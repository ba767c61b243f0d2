#include "pkg/apk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "pkg/lines.h"

enum {
	DATABASE_BYTES = 256 << 20,
	VALUE_BYTES = 1024, /* kept of a field */
	CLOCK_LINES = 256,  /* between two looks at the clock */
};

/* Each line is a letter, a colon and a value; a blank line ends a package.  Of the letters, the first use counts: those of its
 * files (F R a Z M) are others. */
static const char letters[] = "PVATULomCIt";

enum {
	NAME,
	VERSION,
	ARCH,
	SUMMARY,
	HOMEPAGE,
	LICENSE,
	ORIGIN,
	MAINTAINER,
	CHECKSUM,
	INSTALLED_SIZE,
	BUILD_TIME,
	FIELDS = sizeof(letters) - 1,
};

struct record {
	bool has[FIELDS];
	char values[FIELDS][VALUE_BYTES];
};

static const char *value(const struct record *record, unsigned field)
{
	return record->has[field] ? record->values[field] : NULL;
}

static void take_line(struct record *record, const char *line, size_t length)
{
	const char *letter = strchr(letters, line[0]);
	if (length < 2 || line[1] != ':' || !letter || !*letter)
		return;
	size_t field = (size_t)(letter - letters);
	if (record->has[field])
		return;
	size_t n = strnlen(line + 2, VALUE_BYTES - 1);
	memcpy(record->values[field], line + 2, n);
	record->values[field][n] = '\0';
	record->has[field] = true;
}

static int emit(struct record *record, const char *path, const struct mw_package_sink *sink)
{
	const char *size = value(record, INSTALLED_SIZE);
	const char *built = value(record, BUILD_TIME);
	const struct mw_package package = {
		.kind = MW_PACKAGE_APK,
		.name = value(record, NAME),
		.version = value(record, VERSION),
		.arch = value(record, ARCH),
		.summary = value(record, SUMMARY),
		.homepage = value(record, HOMEPAGE),
		.license = value(record, LICENSE),
		.source = value(record, ORIGIN),
		.maintainer = value(record, MAINTAINER),
		.hash = value(record, CHECKSUM),
		.path = path,
		.has_size = size != NULL,
		.size = size ? strtoll(size, NULL, 10) : 0,
		.build_time = built ? strtoll(built, NULL, 10) : 0,
	};
	int r = mw_package_emit(sink, &package);
	memset(record->has, 0, sizeof(record->has));
	return r;
}

int mw_apk_parse(struct mw_lines *lines, const char *path, const struct mw_package_sink *sink)
{
	struct record record;
	bool is_warned = false;
	unsigned long number = 0;
	int r;
	memset(record.has, 0, sizeof(record.has));
	while ((r = mw_lines_next(lines)) > 0) {
		r = ++number % CLOCK_LINES ? 0 : mw_package_check_time(sink);
		if (r < 0)
			return r;
		if (lines->length == 0) {
			r = emit(&record, path, sink);
			if (r < 0)
				return r;
			continue;
		}
		take_line(&record, lines->line, lines->length);
		bool is_field = lines->length >= 2 && lines->line[1] == ':';
		if ((lines->is_cut || !is_field) && !is_warned) {
			mw_package_warn(sink, "%s: line %lu is %s", path, number,
					is_field ? "too long and cut" : "no field; left out");
			is_warned = true;
		}
	}
	if (r < 0 && !is_warned)
		mw_package_warn(sink, "%s: cannot be read to its end: %s", path, strerror(-r));
	return emit(&record, path, sink);
}

static int read_database(int rootfd, const char *path, struct stat *ret_stat, const struct mw_package_sink *sink)
{
	MW_AUTO_FD fd = -1;
	MW_AUTO(mw_lines) lines = {.room = NULL};
	dev_t dev = ret_stat->st_dev;
	ino_t ino = ret_stat->st_ino;
	int r = mw_package_open_file(rootfd, path, &fd, ret_stat);
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0) {
		mw_package_warn(sink, "%s: cannot be read: %s", path, r == -EPROTO ? "not a file" : strerror(-r));
		return 0;
	}
	if (ret_stat->st_dev == dev && ret_stat->st_ino == ino)
		return 0; /* once more, by a link */
	r = mw_lines_open(&lines, fd, DATABASE_BYTES);
	return r < 0 ? r : mw_apk_parse(&lines, path, sink);
}

int mw_apk_read(int rootfd, const struct mw_package_sink *sink)
{
	struct stat st = {0};
	int r = read_database(rootfd, "/lib/apk/db/installed", &st, sink);
	/* Where /lib is a part of /usr, and apk knows. */
	return r < 0 ? r : read_database(rootfd, "/usr/lib/apk/db/installed", &st, sink);
}

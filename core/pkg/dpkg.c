#include "pkg/dpkg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "pkg/lines.h"

enum {
	STATUS_BYTES = 256 << 20, /* of a whole status file; that of a full desktop has 5 MiB */
	STANZA_FILES = 1 << 16,
	VALUE_BYTES = 1024, /* kept of a field */
	CLOCK_LINES = 256,  /* between two looks at the clock */
};

enum field {
	PACKAGE,
	VERSION,
	ARCHITECTURE,
	STATUS,
	PRIORITY,
	SECTION,
	INSTALLED_SIZE,
	MAINTAINER,
	SOURCE,
	HOMEPAGE,
	DESCRIPTION,
	FIELDS,
};

static const char *const field_names[FIELDS] = {
	[PACKAGE] = "Package",       [VERSION] = "Version",         [ARCHITECTURE] = "Architecture",
	[STATUS] = "Status",         [PRIORITY] = "Priority",       [SECTION] = "Section",
	[MAINTAINER] = "Maintainer", [SOURCE] = "Source",           [INSTALLED_SIZE] = "Installed-Size",
	[HOMEPAGE] = "Homepage",     [DESCRIPTION] = "Description",
};

struct stanza {
	bool has[FIELDS];
	bool is_any; /* it has a line */
	char values[FIELDS][VALUE_BYTES];
};

static const char *value(const struct stanza *stanza, enum field field)
{
	return stanza->has[field] ? stanza->values[field] : NULL;
}

static enum field field_of(const char *line, size_t length)
{
	enum field field = 0;
	while (field < FIELDS &&
	       (strlen(field_names[field]) != length || strncasecmp(field_names[field], line, length) != 0))
		field++;
	return field;
}

/* False for a line that is no field. */
static bool take_line(struct stanza *stanza, const struct mw_lines *lines)
{
	const char *line = lines->line;
	stanza->is_any = true;
	/* More of the field before, of which the first line is enough. */
	if (line[0] == ' ' || line[0] == '\t')
		return true;
	const char *colon = memchr(line, ':', lines->length);
	if (!colon || colon == line)
		return false;
	enum field field = field_of(line, (size_t)(colon - line));
	if (field == FIELDS || stanza->has[field])
		return true;
	const char *from = colon + 1 + strspn(colon + 1, " \t");
	size_t n = strlen(from);
	while (n && (from[n - 1] == ' ' || from[n - 1] == '\t'))
		n--;
	if (n >= VALUE_BYTES)
		n = VALUE_BYTES - 1;
	memcpy(stanza->values[field], from, n);
	stanza->values[field][n] = '\0';
	stanza->has[field] = true;
	return true;
}

/* "deinstall ok config-files": the third word says how far it is; dpkg-query(1) does not list what is "not-installed". */
static bool is_listed(const struct stanza *stanza)
{
	const char *status = value(stanza, STATUS);
	const char *last = status ? strrchr(status, ' ') : NULL;
	return !last || strcmp(last + 1, "not-installed") != 0;
}

static int emit(const struct stanza *stanza, const char *path, const struct mw_package_sink *sink)
{
	if (!is_listed(stanza))
		return 0;
	const char *version = value(stanza, VERSION);
	const char *dash = version ? strrchr(version, '-') : NULL;
	const char *size = value(stanza, INSTALLED_SIZE);
	const struct mw_package package = {
		.kind = MW_PACKAGE_DEB,
		.name = value(stanza, PACKAGE),
		.version = version,
		.release = dash ? dash + 1 : NULL,
		.arch = value(stanza, ARCHITECTURE),
		.source = value(stanza, SOURCE),
		.maintainer = value(stanza, MAINTAINER),
		.homepage = value(stanza, HOMEPAGE),
		.summary = value(stanza, DESCRIPTION),
		.group = value(stanza, SECTION),
		.priority = value(stanza, PRIORITY),
		.status = value(stanza, STATUS),
		.path = path,
		.has_size = size != NULL,
		.size = size ? strtoll(size, NULL, 10) : 0,
	};
	return mw_package_emit(sink, &package);
}

static void clear(struct stanza *stanza)
{
	memset(stanza->has, 0, sizeof(stanza->has));
	stanza->is_any = false;
}

int mw_dpkg_parse(struct mw_lines *lines, const char *path, const struct mw_package_sink *sink)
{
	struct stanza stanza;
	bool is_warned = false;
	unsigned long number = 0;
	int r;
	clear(&stanza);
	while ((r = mw_lines_next(lines)) > 0) {
		r = ++number % CLOCK_LINES ? 0 : mw_package_check_time(sink);
		if (r < 0)
			return r;
		if (lines->length == 0) {
			r = emit(&stanza, path, sink);
			if (r < 0)
				return r;
			clear(&stanza);
			continue;
		}
		/* One that is too long: its beginning is a field's, or more of one, and good. */
		bool is_field = take_line(&stanza, lines);
		if ((lines->is_cut || !is_field) && !is_warned) {
			mw_package_warn(sink, "%s: line %lu is %s", path, number,
					is_field ? "too long and cut" : "no field; left out");
			is_warned = true;
		}
	}
	if (r < 0 && !is_warned)
		mw_package_warn(sink, "%s: cannot be read to its end: %s", path, strerror(-r));
	return emit(&stanza, path, sink);
}

static int read_stanzas(int rootfd, const char *path, const struct mw_package_sink *sink)
{
	MW_AUTO_FD fd = -1;
	MW_AUTO(mw_lines) lines = {.room = NULL};
	int r = mw_package_open_file(rootfd, path, &fd, NULL);
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0) {
		mw_package_warn(sink, "%s: cannot be read: %s", path, r == -EPROTO ? "not a file" : strerror(-r));
		return 0;
	}
	r = mw_lines_open(&lines, fd, STATUS_BYTES);
	return r < 0 ? r : mw_dpkg_parse(&lines, path, sink);
}

/* What belongs to a package, but is no stanza. */
static bool is_sums(const char *name)
{
	static const char sums[] = ".md5sums";
	size_t n = strlen(name);
	size_t tail = sizeof(sums) - 1;
	return n > tail && strcmp(name + n - tail, sums) == 0;
}

/* status.d: a file for each package, named by it or by a hash. */
static int read_folder(int rootfd, const char *folder, const struct mw_package_sink *sink)
{
	MW_AUTO(mw_package_names) names = {.max = STANZA_FILES};
	int r = mw_package_list(rootfd, folder, &names, sink);
	for (size_t i = 0; i < names.count && r == 0; i++) {
		char path[MW_PATH_BYTES];
		if (is_sums(names.list[i]))
			continue;
		int n = snprintf(path, sizeof(path), "%s/%s", folder, names.list[i]);
		if (n > 0 && (size_t)n < sizeof(path))
			r = read_stanzas(rootfd, path, sink);
	}
	return r;
}

int mw_dpkg_read(int rootfd, const char *admindir, const struct mw_package_sink *sink)
{
	char path[MW_PATH_BYTES];
	int n = snprintf(path, sizeof(path), "%s/status", admindir);
	if (n < 0 || (size_t)n + 2 >= sizeof(path))
		return 0;
	int r = read_stanzas(rootfd, path, sink);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "%s/status.d", admindir);
	return read_folder(rootfd, path, sink);
}

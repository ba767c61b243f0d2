#include "pkg/python.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "pkg/lines.h"
#include "pkg/walk.h"

enum {
	FILE_BYTES = 8 << 20,
	VALUE_BYTES = 1024,
};

enum field {
	NAME,
	VERSION,
	SUMMARY,
	AUTHOR,
	AUTHOR_EMAIL,
	LICENSE,
	LICENSE_EXPRESSION,
	HOME_PAGE,
	FIELDS,
};

static const char *const field_names[FIELDS] = {
	[NAME] = "Name",           [VERSION] = "Version",           [SUMMARY] = "Summary",
	[AUTHOR] = "Author",       [LICENSE] = "License",           [LICENSE_EXPRESSION] = "License-Expression",
	[HOME_PAGE] = "Home-page", [AUTHOR_EMAIL] = "Author-email",
};

struct metadata {
	bool has[FIELDS];
	char values[FIELDS][VALUE_BYTES];
};

/* The first that is there and not empty. */
static const char *value(const struct metadata *metadata, enum field field, enum field other)
{
	if (metadata->has[field] && *metadata->values[field])
		return metadata->values[field];
	return metadata->has[other] ? metadata->values[other] : NULL;
}

static void take_line(struct metadata *metadata, const struct mw_lines *lines)
{
	const char *colon = memchr(lines->line, ':', lines->length);
	if (!colon)
		return;
	size_t n = (size_t)(colon - lines->line);
	for (enum field field = 0; field < FIELDS; field++) {
		if (metadata->has[field] || strlen(field_names[field]) != n ||
		    strncasecmp(field_names[field], lines->line, n) != 0)
			continue;
		const char *from = colon + 1 + strspn(colon + 1, " \t");
		size_t length = strnlen(from, VALUE_BYTES - 1);
		while (length && (from[length - 1] == ' ' || from[length - 1] == '\t'))
			length--;
		memcpy(metadata->values[field], from, length);
		metadata->values[field][length] = '\0';
		metadata->has[field] = true;
	}
}

static bool ends_with(const char *text, size_t length, const char *tail)
{
	size_t n = strlen(tail);
	return length >= n && strncmp(text + length - n, tail, n) == 0;
}

/* What the package is known by: the folder that METADATA is in, or the file itself; of an egg, the egg. */
static size_t own_length(const char *path)
{
	size_t n = strlen(path);
	if (ends_with(path, n, ".egg-info"))
		return n;
	const char *slash = strrchr(path, '/');
	n = slash ? (size_t)(slash - path) : 0;
	return ends_with(path, n, ".egg/EGG-INFO") ? n - strlen("/EGG-INFO") : n;
}

static int emit(const struct metadata *metadata, const char *path, const struct mw_package_sink *sink)
{
	char own[MW_PATH_BYTES] = "";
	char directory[MW_PATH_BYTES] = "";
	size_t n = own_length(path);
	if (n < sizeof(own)) {
		memcpy(own, path, n);
		const char *slash = memrchr(own, '/', n);
		memcpy(directory, own, slash ? (size_t)(slash - own) : 0);
	}
	const struct mw_package package = {
		.kind = MW_PACKAGE_PYTHON,
		.name = value(metadata, NAME, NAME),
		.version = value(metadata, VERSION, VERSION),
		.summary = value(metadata, SUMMARY, SUMMARY),
		.author = value(metadata, AUTHOR, AUTHOR_EMAIL),
		.license = value(metadata, LICENSE_EXPRESSION, LICENSE),
		.homepage = value(metadata, HOME_PAGE, HOME_PAGE),
		.path = own,
		.directory = *directory ? directory : "/",
	};
	return mw_package_emit(sink, &package);
}

int mw_python_read(struct mw_lines *lines, const char *path, const struct mw_package_sink *sink)
{
	struct metadata metadata;
	memset(metadata.has, 0, sizeof(metadata.has));
	int r;
	/* A blank line, and then the long description. */
	while ((r = mw_lines_next(lines)) > 0 && lines->length)
		if (lines->line[0] != ' ' && lines->line[0] != '\t')
			take_line(&metadata, lines);
	if (r < 0)
		mw_package_warn(sink, "%s: cannot be read to its end: %s", path, strerror(-r));
	else if (!metadata.has[NAME])
		mw_package_warn(sink, "%s: names no package", path);
	return emit(&metadata, path, sink);
}

static bool matches(const char *folder, const char *name)
{
	size_t n = strlen(folder);
	if (strcmp(name, "METADATA") == 0)
		return ends_with(folder, n, ".dist-info");
	if (strcmp(name, "PKG-INFO") == 0)
		return ends_with(folder, n, ".egg-info") || ends_with(folder, n, ".egg/EGG-INFO");
	return ends_with(name, strlen(name), ".egg-info");
}

static int read_file(const struct mw_package_file *file, const struct mw_package_sink *sink)
{
	MW_AUTO(mw_lines) lines = {.room = NULL};
	int r = mw_lines_open(&lines, file->fd, FILE_BYTES);
	return r < 0 ? r : mw_python_read(&lines, file->path, sink);
}

const struct mw_package_finder mw_finder_python = {
	.kind = MW_PACKAGE_PYTHON,
	.matches = matches,
	.read = read_file,
};

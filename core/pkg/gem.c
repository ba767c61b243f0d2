/* A gemspec is a program in Ruby, but those that are installed were written by RubyGems itself (Gem::Specification#to_ruby), one
 * assignment a line.  Its second line is made to be read without running it (Gem::StubSpecification):
 *
 *	# stub: nokogiri 1.15.0 x86_64-linux lib
 */

#include "pkg/gem.h"

#include <ctype.h>
#include <string.h>

#include "base/cleanup.h"
#include "pkg/lines.h"
#include "pkg/walk.h"

enum {
	FILE_BYTES = 4 << 20,
	VALUE_BYTES = 1024,
};

enum field {
	NAME,
	VERSION,
	PLATFORM,
	SUMMARY,
	HOMEPAGE,
	LICENSES,
	AUTHORS,
	FIELDS,
};

static const struct {
	const char *text; /* what is assigned to, behind "s." */
	enum field field;
} assignments[] = {
	{"name", NAME},        {"version", VERSION},   {"platform", PLATFORM},
	{"summary", SUMMARY},  {"homepage", HOMEPAGE}, {"licenses", LICENSES},
	{"license", LICENSES}, {"authors", AUTHORS},   {"author", AUTHORS},
};

struct gem {
	bool has[FIELDS];
	char values[FIELDS][VALUE_BYTES];
};

static const char *value(const struct gem *gem, enum field field)
{
	return gem->has[field] ? gem->values[field] : NULL;
}

static void set(struct gem *gem, enum field field, const char *text, size_t n)
{
	if (gem->has[field])
		return;
	if (n >= VALUE_BYTES)
		n = VALUE_BYTES - 1;
	memcpy(gem->values[field], text, n);
	gem->values[field][n] = '\0';
	gem->has[field] = true;
}

/* "rake 13.0.6 ruby lib": with a stub, nothing else decides. */
static void take_stub(struct gem *gem, const char *at)
{
	for (enum field field = NAME; field <= PLATFORM; field++) {
		at += strspn(at, " ");
		size_t n = strcspn(at, " ");
		if (n)
			set(gem, field, at, n);
		at += n;
	}
}

/* A literal from its quote on, into `to`; returns what is behind it. */
static const char *take_literal(const char *at, char *to, size_t *size)
{
	char quote = *at++;
	while (*at && *at != quote) {
		if (*at == '\\' && at[1])
			at++;
		if (*size < VALUE_BYTES - 1)
			to[(*size)++] = *at;
		at++;
	}
	return *at ? at + 1 : at;
}

/* Every literal of a line: ["MIT".freeze, "Ruby".freeze] is "MIT, Ruby".  Without any, nothing is known. */
static void take_literals(struct gem *gem, enum field field, const char *at)
{
	char text[VALUE_BYTES];
	size_t size = 0;
	bool is_any = false;
	for (;;) {
		at += strcspn(at, "\"'");
		if (!*at)
			break;
		for (const char *comma = is_any ? ", " : ""; *comma && size < VALUE_BYTES - 1; comma++)
			text[size++] = *comma;
		at = take_literal(at, text, &size);
		is_any = true;
	}
	if (is_any)
		set(gem, field, text, size);
}

/* "  s.summary = "…".freeze" */
static void take_line(struct gem *gem, const char *line)
{
	static const char stub[] = "# stub: ";
	if (strncmp(line, stub, sizeof(stub) - 1) == 0) {
		take_stub(gem, line + sizeof(stub) - 1);
		return;
	}
	line += strspn(line, " \t");
	/* The variable may have any name. */
	const char *dot = line + strspn(line, "abcdefghijklmnopqrstuvwxyz_");
	if (dot == line || *dot != '.')
		return;
	for (size_t i = 0; i < sizeof(assignments) / sizeof(assignments[0]); i++) {
		size_t n = strlen(assignments[i].text);
		if (strncmp(dot + 1, assignments[i].text, n) != 0)
			continue;
		const char *equals = dot + 1 + n + strspn(dot + 1 + n, " ");
		if (*equals == '=' && equals[1] != '=')
			take_literals(gem, assignments[i].field, equals + 1);
	}
}

/* Where in "nokogiri-1.15.0-x86_64-linux" the version begins: behind a dash, the first word that is digits and has a dot; else
 * the last that begins with a digit. */
static const char *find_version(const char *name)
{
	const char *found = NULL;
	for (const char *dash = strchr(name, '-'); dash; dash = strchr(dash + 1, '-')) {
		size_t n = strcspn(dash + 1, "-");
		if (!isdigit((unsigned char)dash[1]))
			continue;
		found = dash + 1;
		if (dash[1 + strspn(dash + 1, "0123456789")] == '.' && memchr(dash + 1, '.', n))
			break;
	}
	return found;
}

/* What the specification itself did not say. */
static void take_file_name(struct gem *gem, const char *path)
{
	static const char tail[] = ".gemspec";
	char name[256];
	const char *slash = strrchr(path, '/');
	const char *from = slash ? slash + 1 : path;
	size_t n = strlen(from);
	if (n < sizeof(tail) || n >= sizeof(name))
		return;
	n -= sizeof(tail) - 1;
	memcpy(name, from, n);
	name[n] = '\0';
	const char *version = find_version(name);
	if (!version || version == name)
		return;
	size_t length = strcspn(version, "-");
	set(gem, NAME, name, (size_t)(version - name - 1));
	set(gem, VERSION, version, length);
	if (version[length] == '-')
		set(gem, PLATFORM, version + length + 1, strlen(version + length + 1));
}

int mw_gem_read(struct mw_lines *lines, const char *path, const struct mw_package_sink *sink)
{
	struct gem gem;
	memset(gem.has, 0, sizeof(gem.has));
	int r;
	while ((r = mw_lines_next(lines)) > 0)
		take_line(&gem, lines->line);
	if (r < 0)
		mw_package_warn(sink, "%s: cannot be read to its end: %s", path, strerror(-r));
	take_file_name(&gem, path);
	if (r == 0 && !gem.has[NAME])
		mw_package_warn(sink, "%s: names no package", path);
	const struct mw_package package = {
		.kind = MW_PACKAGE_GEM,
		.name = value(&gem, NAME),
		.version = value(&gem, VERSION),
		.arch = gem.has[PLATFORM] ? gem.values[PLATFORM] : "ruby",
		.summary = value(&gem, SUMMARY),
		.homepage = value(&gem, HOMEPAGE),
		.license = value(&gem, LICENSES),
		.author = value(&gem, AUTHORS),
	};
	return mw_package_emit(sink, &package);
}

static bool ends_with(const char *text, const char *tail)
{
	size_t n = strlen(text);
	size_t m = strlen(tail);
	return n >= m && strcmp(text + n - m, tail) == 0;
}

/* Those of gems that come with Ruby are in "specifications/default". */
static bool matches(const char *folder, const char *name)
{
	return ends_with(name, ".gemspec") &&
	       (ends_with(folder, "/specifications") || ends_with(folder, "/specifications/default"));
}

static int read_file(const struct mw_package_file *file, const struct mw_package_sink *sink)
{
	MW_AUTO(mw_lines) lines = {.room = NULL};
	int r = mw_lines_open(&lines, file->fd, FILE_BYTES);
	return r < 0 ? r : mw_gem_read(&lines, file->path, sink);
}

const struct mw_package_finder mw_finder_gem = {
	.kind = MW_PACKAGE_GEM,
	.matches = matches,
	.read = read_file,
};

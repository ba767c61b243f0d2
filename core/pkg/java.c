/* Java archives: jar, war, ear and archives in them.  Which packages are in one is told by META-INF/maven/…/pom.properties (of
 * which a shaded jar has several), else by its manifest (JAR File Specification) and the file's name. */
#include "pkg/java.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "pkg/walk.h"
#include "pkg/zip.h"

enum {
	LEVELS = 5, /* archives in archives below the file itself */
	/* Of one file and all that is in it. */
	INFLATED_BYTES = 512 << 20,
	HELD_BYTES = 64 << 20, /* archives that are packed in others, at the same time */
	MEMBERS = 1 << 20,
	/* Of one member. */
	TEXT_BYTES = 256 << 10,
	/* An archive is hardly smaller when it is packed again. */
	RATIO = 100,
	RATIO_BYTES = 1 << 20,
	PATH_BYTES = 8192,
	MEMBERS_BETWEEN_CLOCKS = 1024,
	VALUE_BYTES = 512,
};

struct reader {
	const struct mw_package_sink *sink;
	struct mw_inflate_budget budget;
	uint64_t held, members;
	struct mw_buf path;
	bool has_warned;
	int result; /* of the sink, when it wants no more */
};

struct manifest {
	char *bundle_name, *bundle_version, *bundle_vendor, *bundle_license;
	char *title, *version, *vendor, *vendor_id;
	char *specification_version, *module;
};

struct archive {
	struct reader *reader;
	struct mw_zip zip;
	int level;
	char stem[VALUE_BYTES]; /* the file's name without ".jar" */
	char *stem_version;     /* in stem, which then ends before it; NULL without one */
	struct mw_buf manifest_text;
	struct manifest manifest;
	bool has_own; /* a pom.properties names what the file is called */
	/* How many of them, and whether the version of the last is the file's, or the file's name has none. */
	unsigned properties;
	bool has_version;
};

/* One for the whole file. */
static void warn(struct reader *reader, const char *what)
{
	if (!reader->has_warned)
		mw_package_warn(reader->sink, "%s: %s", reader->path.data, what);
	reader->has_warned = true;
}

bool mw_java_is_archive(const char *name)
{
	static const char *const ends[] = {".jar", ".war", ".ear", ".par", ".sar", ".rar", ".hpi", ".jpi", ".kar"};
	size_t n = strlen(name);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (n > 4 && strcasecmp(name + n - 4, ends[i]) == 0)
			return true;
	return false;
}

/* --- names and versions --- */

/* "guava-31.1-jre" is "guava" and "31.1-jre". */
static void split_stem(struct archive *archive, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	const char *dot = strrchr(name, '.');
	size_t n = dot ? (size_t)(dot - name) : strlen(name);
	if (n >= sizeof(archive->stem))
		n = sizeof(archive->stem) - 1;
	memcpy(archive->stem, name, n);
	archive->stem[n] = '\0';
	for (char *dash = archive->stem + (n > 0); (dash = strchr(dash, '-')); dash++) {
		if (isdigit((unsigned char)dash[1])) {
			*dash = '\0';
			archive->stem_version = dash + 1;
			return;
		}
	}
}

/* Does an artifact id stand for the file's own name?  "log4j-core" for log4j-core-2.17.1.jar and log4j-core.jar, and "x-2" for
 * x-2-1.0.jar. */
static bool is_own(const struct archive *archive, const char *artifact)
{
	size_t n = strlen(archive->stem);
	if (strncmp(artifact, archive->stem, n) != 0)
		return false;
	if (artifact[n] == '\0')
		return true;
	const char *version = archive->stem_version;
	size_t rest = strlen(artifact + n + 1);
	return artifact[n] == '-' && version && strncmp(artifact + n + 1, version, rest) == 0 &&
	       (version[rest] == '-' || version[rest] == '\0');
}

static char *or_null(char *text)
{
	return text && *text ? text : NULL;
}

static char *first_of(char *a, char *b, char *c)
{
	return or_null(a) ? a : or_null(b) ? b : or_null(c);
}

/* A variable that the build left as it was, as "${project.version}". */
static bool is_unset(const char *text)
{
	return !text || !*text || strstr(text, "${");
}

static void fill_from_manifest(const struct archive *archive, struct mw_package *package)
{
	const struct manifest *manifest = &archive->manifest;
	package->license = or_null(manifest->bundle_license);
	package->vendor = first_of(manifest->vendor, manifest->bundle_vendor, NULL);
}

static int emit(struct archive *archive, struct mw_package *package)
{
	package->kind = MW_PACKAGE_JAVA;
	package->path = archive->reader->path.data;
	package->depth = archive->level;
	int r = mw_package_emit(archive->reader->sink, package);
	if (r < 0)
		archive->reader->result = r;
	return r;
}

/* Of "org.apache.commons.lang3" for commons-lang3 nothing is known, but "com.google.guava" for guava has a group. */
static const char *group_of(char *symbolic, const char *name)
{
	size_t n = symbolic ? strlen(symbolic) : 0;
	size_t tail = strlen(name);
	if (n <= tail + 1 || symbolic[n - tail - 1] != '.' || strcmp(symbolic + n - tail, name) != 0)
		return NULL;
	symbolic[n - tail - 1] = '\0';
	return symbolic;
}

/* What the archive is by itself, when no pom.properties says. */
static int emit_own(struct archive *archive)
{
	struct manifest *manifest = &archive->manifest;
	struct mw_package package = {
		.version = first_of(manifest->version, manifest->bundle_version, manifest->specification_version)};
	char symbolic[VALUE_BYTES] = "";
	if (manifest->bundle_name) /* parameters follow: "name;singleton:=true" */
		(void)snprintf(symbolic, sizeof(symbolic), "%.*s", (int)strcspn(manifest->bundle_name, "; "),
			       manifest->bundle_name);
	package.name = archive->stem;
	if (archive->stem_version)
		package.version = archive->stem_version;
	else if (is_unset(package.version))
		package.version = NULL;
	fill_from_manifest(archive, &package);
	package.group = group_of(symbolic, package.name);
	if (!package.group && manifest->vendor_id && !strchr(manifest->vendor_id, ' '))
		package.group = or_null(manifest->vendor_id);
	package.summary = first_of(manifest->title, manifest->bundle_name, manifest->module);
	return emit(archive, &package);
}

/* --- manifest --- */

static void set(struct manifest *manifest, const char *key, char *value)
{
	const struct {
		const char *key;
		char **to;
	} keys[] = {
		{"Automatic-Module-Name", &manifest->module},
		{"Bundle-License", &manifest->bundle_license},
		{"Bundle-SymbolicName", &manifest->bundle_name},
		{"Bundle-Vendor", &manifest->bundle_vendor},
		{"Bundle-Version", &manifest->bundle_version},
		{"Implementation-Title", &manifest->title},
		{"Implementation-Vendor", &manifest->vendor},
		{"Implementation-Vendor-Id", &manifest->vendor_id},
		{"Implementation-Version", &manifest->version},
		{"Specification-Version", &manifest->specification_version},
	};
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcasecmp(key, keys[i].key) == 0 && !*keys[i].to)
			*keys[i].to = value;
}

/* The main section, up to the first empty line.  Lines are cut after 72 bytes and go on behind a newline and a blank, in the
 * middle of a character perhaps.  `text` is changed, and kept. */
static void parse_manifest(char *text, struct manifest *manifest)
{
	char *line = text;
	while (*line && *line != '\n' && *line != '\r') {
		char *to = line;
		char *from = line;
		for (;;) {
			if (*from == '\0')
				break;
			char *next = *from == '\r' && from[1] == '\n' ? from + 2
				     : *from == '\r' || *from == '\n' ? from + 1
								      : NULL;
			if (next && *next != ' ') {
				from = next;
				break;
			}
			if (next)
				from = next + 1;
			else
				*to++ = *from++;
		}
		char *rest = from;
		*to = '\0'; /* before `rest`: a newline at least was taken out, or this is the end */
		char *colon = strchr(line, ':');
		if (colon) {
			*colon = '\0';
			for (colon++; *colon == ' ';)
				colon++;
			set(manifest, line, colon);
		}
		line = rest;
	}
}

static int read_manifest(struct archive *archive, const struct mw_zip_member *member)
{
	if (archive->manifest_text.data)
		return 0;
	int r = mw_zip_read(&archive->zip, member, &archive->reader->budget, &archive->manifest_text);
	/* Signed archives have long ones; what is wanted stands in front. */
	if ((r == 0 || r == -EFBIG) && archive->manifest_text.data) {
		parse_manifest(archive->manifest_text.data, &archive->manifest);
		return 0;
	}
	return r;
}

/* --- pom.properties --- */

/* A value of java.util.Properties, in place: without blanks around, and '\' before a character taken away. */
static char *property(char *value)
{
	size_t n = strcspn(value, "\r\n");
	value[n] = '\0';
	while (n && isspace((unsigned char)value[n - 1]))
		value[--n] = '\0';
	char *to = value;
	for (const char *from = value; *from; from++) {
		if (*from == '\\' && from[1])
			from++;
		*to++ = *from;
	}
	*to = '\0';
	return value;
}

static int parse_properties(char *text, struct mw_package *ret_package)
{
	char *next;
	for (char *line = text; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		line += strspn(line, " \t\f\r");
		size_t n = strcspn(line, "=: \t");
		if (*line == '#' || *line == '!' || !line[n])
			continue;
		char *value = line + n + strspn(line + n, "=: \t");
		if (n == 7 && memcmp(line, "groupId", n) == 0)
			ret_package->group = property(value);
		else if (n == 10 && memcmp(line, "artifactId", n) == 0)
			ret_package->name = property(value);
		else if (n == 7 && memcmp(line, "version", n) == 0)
			ret_package->version = property(value);
	}
	return is_unset(ret_package->name) || is_unset(ret_package->version) ? -EPROTO : 0;
}

static int read_properties(struct archive *archive, const struct mw_zip_member *member)
{
	MW_AUTO(mw_buf) text = MW_BUF(TEXT_BYTES);
	struct mw_package package = {0};
	int r = mw_zip_read(&archive->zip, member, &archive->reader->budget, &text);
	if (r < 0)
		return r;
	if (!text.data || parse_properties(text.data, &package) < 0)
		return 0;
	if (is_unset(package.group))
		package.group = NULL;
	archive->properties++;
	archive->has_version = !archive->stem_version || strcmp(archive->stem_version, package.version) == 0;
	if (is_own(archive, package.name)) {
		archive->has_own = true;
		fill_from_manifest(archive, &package);
	}
	return emit(archive, &package);
}

/* --- archives --- */

static int read_archive(struct reader *reader, const struct mw_bytes *bytes, int level);

static int read_packed(struct archive *archive, const struct mw_zip_member *member)
{
	struct reader *reader = archive->reader;
	if (member->unpacked > RATIO_BYTES && member->unpacked / RATIO > member->packed)
		return -ENOSPC;
	if (member->unpacked > reader->held)
		return -EFBIG;
	MW_AUTO(mw_buf) inside = MW_BUF((size_t)member->unpacked);
	int r = mw_zip_read(&archive->zip, member, &reader->budget, &inside);
	if (r < 0 || !inside.data)
		return r;
	const struct mw_bytes bytes = mw_bytes_of_memory(inside.data, inside.size);
	reader->held -= inside.size;
	r = read_archive(reader, &bytes, archive->level + 1);
	reader->held += inside.size;
	return r;
}

static int read_nested(struct archive *archive, const struct mw_zip_member *member)
{
	struct mw_buf *path = &archive->reader->path;
	struct mw_bytes bytes;
	size_t length = path->size;
	if (archive->level >= LEVELS)
		return -ELOOP;
	mw_buf_str(path, "!/");
	mw_buf_str(path, member->name);
	int r = mw_buf_status(path) < 0 ? -ENAMETOOLONG : mw_zip_stored(&archive->zip, member, &bytes);
	if (r == 0)
		r = read_archive(archive->reader, &bytes, archive->level + 1);
	else if (r == -EOPNOTSUPP)
		r = read_packed(archive, member);
	path->failed = false;
	path->size = length;
	path->data[length] = '\0';
	return r;
}

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text);
	size_t tail = strlen(end);
	return n >= tail && strcmp(text + n - tail, end) == 0;
}

static int read_member(struct archive *archive, const struct mw_zip_member *member)
{
	if (strcasecmp(member->name, "META-INF/MANIFEST.MF") == 0)
		return read_manifest(archive, member);
	if (strncmp(member->name, "META-INF/maven/", 15) == 0 && ends_with(member->name, "/pom.properties"))
		return read_properties(archive, member);
	return mw_java_is_archive(member->name) ? read_nested(archive, member) : 0;
}

/* What is told of a member that cannot be had; the others can.  What ends the reading is returned. */
static int judge(struct reader *reader, int r)
{
	if (reader->result < 0)
		return reader->result;
	switch (r) {
	case -ENOMEM:
	case -ETIME:
	case -EIO:
		return r;
	case -ENOSPC:
		warn(reader, "holds much more than its size tells (a zip bomb?); what is left of it is not read");
		return r;
	case -E2BIG:
		warn(reader, "has too many members; the rest of it is not read");
		return r;
	case -EFBIG:
		warn(reader, "an archive in it is too large to be read");
		return 0;
	case -ELOOP:
		warn(reader, "has archives in archives more than 5 deep; those are not read");
		return 0;
	default:
		warn(reader, "is damaged; packages may be missing");
		return 0;
	}
}

static int read_members(struct archive *archive)
{
	struct reader *reader = archive->reader;
	struct mw_zip_member member;
	int r;
	while ((r = mw_zip_next(&archive->zip, &member)) > 0) {
		if (reader->members == 0)
			return judge(reader, -E2BIG);
		if (--reader->members % MEMBERS_BETWEEN_CLOCKS == 0 && mw_package_check_time(reader->sink) < 0)
			return -ETIME;
		r = read_member(archive, &member);
		if (r < 0)
			r = judge(reader, r);
		if (r < 0)
			return r;
	}
	return r < 0 ? judge(reader, r) : 0;
}

static int read_archive(struct reader *reader, const struct mw_bytes *bytes, int level)
{
	struct archive archive = {.reader = reader, .level = level, .manifest_text = MW_BUF(TEXT_BYTES)};
	int r = mw_zip_open(bytes, &archive.zip);
	if (r < 0)
		return r == -EPROTO ? -EBADMSG : r;
	split_stem(&archive, reader->path.data);
	r = read_members(&archive);
	/* Renamed: there is nothing else in it. */
	if (archive.properties == 1 && archive.has_version)
		archive.has_own = true;
	if (!archive.has_own && r != -ENOMEM && r != -ETIME) {
		int own = emit_own(&archive);
		r = own < 0 ? own : r;
	}
	mw_buf_release(&archive.manifest_text);
	return r;
}

int mw_java_read(const struct mw_bytes *bytes, const char *path, const struct mw_package_sink *sink)
{
	struct reader reader = {
		.sink = sink,
		.budget = {.bytes = INFLATED_BYTES},
		.held = HELD_BYTES,
		.members = MEMBERS,
		.path = MW_BUF(PATH_BYTES),
	};
	mw_buf_str(&reader.path, path);
	int r = mw_buf_status(&reader.path) < 0 ? -ENOMEM : read_archive(&reader, bytes, 0);
	if (r == -EBADMSG)
		r = judge(&reader, r);
	mw_buf_release(&reader.path);
	return r == -ENOSPC || r == -E2BIG ? 0 : r;
}

static bool matches(const char *folder, const char *name)
{
	(void)folder;
	return mw_java_is_archive(name);
}

static int read_file(const struct mw_package_file *file, const struct mw_package_sink *sink)
{
	if (file->st->st_size == 0)
		return 0;
	const struct mw_bytes bytes = mw_bytes_of_file(file->fd, (uint64_t)file->st->st_size);
	return mw_java_read(&bytes, file->path, sink);
}

const struct mw_package_finder mw_finder_java = {
	.kind = MW_PACKAGE_JAVA,
	.matches = matches,
	.read = read_file,
};

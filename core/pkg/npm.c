/* https://docs.npmjs.com/cli/configuring-npm/package-json, loosely: anything may be missing, or of another type. */

#include "pkg/npm.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/limits.h"
#include "pkg/json.h"
#include "pkg/json_text.h"
#include "pkg/walk.h"

#define MODULES "/node_modules/"

enum {
	FILE_BYTES = 8 << 20, /* those with a README in them have some 100 KiB */
	VALUE_BYTES = 1024,
	MODULES_BYTES = sizeof(MODULES) - 1,
};

static int read_member(struct mw_json *json, const char *key, struct mw_package *package, struct mw_buf *author,
		       struct mw_buf *license)
{
	const struct {
		const char *key;
		const char **to;
	} texts[] = {
		{"name", &package->name},
		{"version", &package->version},
		{"description", &package->summary},
		{"homepage", &package->homepage},
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcmp(key, texts[i].key) == 0)
			return mw_json_string_or_skip(json, texts[i].to);
	if (strcmp(key, "author") == 0)
		return mw_json_texts(json, "name", author);
	/* "licenses", a list of objects, is what it was once. */
	if (strcmp(key, "license") == 0 || strcmp(key, "licenses") == 0)
		return mw_json_texts(json, "type", license);
	return mw_json_skip(json);
}

static int read_object(struct mw_json *json, struct mw_package *package, struct mw_buf *author, struct mw_buf *license)
{
	struct mw_json_token token;
	int r = mw_json_next(json, &token);
	if (r < 0 || token.type != MW_JSON_OBJECT)
		return -EPROTO;
	while ((r = mw_json_next(json, &token)) == 0 && token.type == MW_JSON_KEY) {
		r = read_member(json, token.text, package, author, license);
		if (r < 0)
			return r;
	}
	return r;
}

/* What is around: "/app/node_modules/a/node_modules/@b/c/package.json" belongs to /app, is one deep, and is of package "@b/c". */
static void read_path(const char *path, struct mw_package *package, char directory[MW_PATH_BYTES], char *name)
{
	const char *first = strstr(path, MODULES);
	const char *last = NULL;
	package->depth = -1;
	for (const char *at = first; at; at = strstr(at + MODULES_BYTES - 1, MODULES)) {
		last = at + MODULES_BYTES;
		package->depth++;
	}
	const char *end = strrchr(path, '/');
	if (!last || (size_t)(first - path) >= MW_PATH_BYTES || end <= last || end - last >= MW_PATH_BYTES)
		return;
	memcpy(directory, path, (size_t)(first - path));
	directory[first - path] = '\0';
	memcpy(name, last, (size_t)(end - last));
	name[end - last] = '\0';
	package->directory = first == path ? "/" : directory;
	package->name = name;
}

int mw_npm_read(char *text, size_t bytes, const char *path, const struct mw_package_sink *sink)
{
	char directory[MW_PATH_BYTES];
	char name[MW_PATH_BYTES];
	MW_AUTO(mw_buf) author = MW_BUF(VALUE_BYTES);
	MW_AUTO(mw_buf) license = MW_BUF(VALUE_BYTES);
	struct mw_package package = {.kind = MW_PACKAGE_NPM};
	struct mw_json json;
	read_path(path, &package, directory, name);
	mw_json_begin(&json, text, bytes);
	if (read_object(&json, &package, &author, &license) < 0)
		mw_package_warn(sink, "%s: is no JSON that is understood", path);
	package.author = author.data;
	package.license = license.data;
	return mw_package_emit(sink, &package);
}

/* In a folder "node_modules/NAME" or "node_modules/@SCOPE/NAME". */
static bool matches(const char *folder, const char *file)
{
	if (strcmp(file, "package.json") != 0)
		return false;
	const char *name = strrchr(folder, '/');
	if (!name || name[1] == '.')
		return false;
	const char *before = name;
	while (before > folder && before[-1] != '/')
		before--;
	if (*before == '@') {
		name = before - 1;
		if (name < folder)
			return false;
	}
	/* `name` is the slash in front of the name. */
	return name - folder >= MODULES_BYTES - 1 && strncmp(name - (MODULES_BYTES - 1), MODULES, MODULES_BYTES) == 0;
}

static int read_file(const struct mw_package_file *file, const struct mw_package_sink *sink)
{
	MW_AUTO(mw_buf) text = MW_BUF(FILE_BYTES);
	int r = mw_file_read_fd(file->fd, &text);
	if (r == -EFBIG)
		mw_package_warn(sink, "%s: is larger than %d MiB; only its beginning is read", file->path,
				FILE_BYTES >> 20);
	else if (r < 0)
		return r;
	return mw_npm_read(text.data, text.size, file->path, sink);
}

const struct mw_package_finder mw_finder_npm = {
	.kind = MW_PACKAGE_NPM,
	.matches = matches,
	.read = read_file,
};

/* Composer 1 wrote a list of packages, https://getcomposer.org/doc/04-schema.md, and 2 writes an object that has that list. */

#include "pkg/composer.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/limits.h"
#include "pkg/json.h"
#include "pkg/json_text.h"
#include "pkg/walk.h"

enum {
	FILE_BYTES = 64 << 20,
	VALUE_BYTES = 1024,
};

struct reader {
	struct mw_json json;
	const char *path;
	const struct mw_package_sink *sink;
	struct mw_buf author, license, source;
	char vendor[MW_PATH_BYTES]; /* folder that packages are in */
	int of_sink;                /* what the sink said */
};

static int read_member(struct reader *reader, const char *key, struct mw_package *package)
{
	const struct {
		const char *key;
		const char **to;
	} texts[] = {
		{"name", &package->name},           {"version", &package->version},   {"type", &package->group},
		{"description", &package->summary}, {"homepage", &package->homepage},
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcmp(key, texts[i].key) == 0)
			return mw_json_string_or_skip(&reader->json, texts[i].to);
	if (strcmp(key, "authors") == 0)
		return mw_json_texts(&reader->json, "name", &reader->author);
	if (strcmp(key, "license") == 0)
		return mw_json_texts(&reader->json, "type", &reader->license);
	if (strcmp(key, "source") == 0)
		return mw_json_texts(&reader->json, "url", &reader->source);
	return mw_json_skip(&reader->json);
}

/* Behind the brace. */
static int read_package(struct reader *reader)
{
	struct mw_package package = {.kind = MW_PACKAGE_COMPOSER, .path = reader->path, .directory = reader->vendor};
	struct mw_json_token token;
	mw_buf_clear(&reader->author);
	mw_buf_clear(&reader->license);
	mw_buf_clear(&reader->source);
	int r;
	while ((r = mw_json_next(&reader->json, &token)) == 0 && token.type == MW_JSON_KEY) {
		r = read_member(reader, token.text, &package);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	package.author = reader->author.data;
	package.license = reader->license.data;
	package.source = reader->source.data;
	reader->of_sink = mw_package_check_time(reader->sink);
	if (reader->of_sink == 0)
		reader->of_sink = mw_package_emit(reader->sink, &package);
	return reader->of_sink;
}

/* Behind the bracket. */
static int read_list(struct reader *reader)
{
	struct mw_json_token token;
	int r;
	while ((r = mw_json_next(&reader->json, &token)) == 0 && token.type != MW_JSON_CLOSE) {
		r = token.type == MW_JSON_OBJECT ? read_package(reader) : mw_json_skip_rest(&reader->json, &token);
		if (r < 0)
			return r;
	}
	return r;
}

static int read_all(struct reader *reader)
{
	struct mw_json_token token;
	int r = mw_json_next(&reader->json, &token);
	if (r == 0 && token.type == MW_JSON_ARRAY)
		return read_list(reader);
	if (r < 0 || token.type != MW_JSON_OBJECT)
		return -EPROTO;
	while ((r = mw_json_next(&reader->json, &token)) == 0 && token.type == MW_JSON_KEY) {
		bool is_list = strcmp(token.text, "packages") == 0;
		r = is_list ? mw_json_next(&reader->json, &token) : mw_json_skip(&reader->json);
		if (r == 0 && is_list)
			r = token.type == MW_JSON_ARRAY ? read_list(reader) : mw_json_skip_rest(&reader->json, &token);
		if (r < 0)
			return r;
	}
	return r;
}

int mw_composer_read(char *text, size_t bytes, const char *path, const struct mw_package_sink *sink)
{
	struct reader reader = {
		.path = path,
		.sink = sink,
		.author = MW_BUF(VALUE_BYTES),
		.license = MW_BUF(VALUE_BYTES),
		.source = MW_BUF(VALUE_BYTES),
	};
	/* "/app/vendor/composer/installed.json" */
	const char *file = strrchr(path, '/');
	const char *folder = file ? memrchr(path, '/', (size_t)(file - path)) : NULL;
	size_t n = folder ? (size_t)(folder - path) : 0;
	if (n && n < sizeof(reader.vendor))
		memcpy(reader.vendor, path, n);
	mw_json_begin(&reader.json, text, bytes);
	int r = read_all(&reader);
	mw_buf_release(&reader.author);
	mw_buf_release(&reader.license);
	mw_buf_release(&reader.source);
	if (reader.of_sink < 0)
		return reader.of_sink;
	if (r < 0)
		mw_package_warn(sink, "%s: is no JSON that is understood; packages may be missing", path);
	return 0;
}

/* The folder "vendor" may have another name; "composer" in it has not. */
static bool matches(const char *folder, const char *file)
{
	static const char composer[] = "/composer";
	size_t n = strlen(folder);
	size_t tail = sizeof(composer) - 1;
	return strcmp(file, "installed.json") == 0 && n >= tail && strcmp(folder + n - tail, composer) == 0;
}

static int read_file(const struct mw_package_file *file, const struct mw_package_sink *sink)
{
	MW_AUTO(mw_buf) text = MW_BUF(FILE_BYTES);
	int r = mw_file_read_fd(file->fd, &text);
	if (r < 0 && r != -EFBIG)
		return r;
	return mw_composer_read(text.data, text.size, file->path, sink);
}

const struct mw_package_finder mw_finder_composer = {
	.kind = MW_PACKAGE_COMPOSER,
	.matches = matches,
	.read = read_file,
};

/* The list of crates that cargo-auditable puts into a section of a program: JSON, packed by zlib, in the form that its PARSING.md
 * and its schema describe: {"packages": [{"name", "version", "source", "kind": "build", "root": true, "dependencies"}]}. */
#include "pkg/rust.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "pkg/elf.h"
#include "pkg/inflate.h"
#include "pkg/json.h"
#include "pkg/walk.h"

enum {
	PACKED_BYTES = 4 << 20,
	LIST_BYTES = 8 << 20,
};

static int read_package(struct mw_json *json, struct mw_package *package)
{
	struct mw_json_token key;
	struct mw_json_token value;
	int r;
	while ((r = mw_json_next(json, &key)) == 0 && key.type == MW_JSON_KEY) {
		r = mw_json_next(json, &value);
		if (r < 0)
			return r;
		if (value.type == MW_JSON_STRING) {
			if (strcmp(key.text, "name") == 0)
				package->name = value.text;
			else if (strcmp(key.text, "version") == 0)
				package->version = value.text;
			else if (strcmp(key.text, "source") == 0)
				package->source = value.text;
			else if (strcmp(key.text, "kind") == 0 && strcmp(value.text, "build") == 0)
				package->scope = "build";
		}
		if (strcmp(key.text, "root") == 0)
			package->is_root = value.type == MW_JSON_TRUE;
		r = mw_json_skip_rest(json, &value);
		if (r < 0)
			return r;
	}
	return r;
}

static int read_packages(struct mw_json *json, const char *path, const struct mw_package_sink *sink, int *ret_sink)
{
	struct mw_json_token token;
	int r = mw_json_next(json, &token);
	if (r < 0 || token.type != MW_JSON_ARRAY)
		return r < 0 ? r : mw_json_skip_rest(json, &token);
	while ((r = mw_json_next(json, &token)) == 0 && token.type != MW_JSON_CLOSE) {
		struct mw_package package = {.kind = MW_PACKAGE_RUST, .path = path, .scope = "runtime"};
		r = token.type == MW_JSON_OBJECT ? read_package(json, &package) : mw_json_skip_rest(json, &token);
		if (r < 0)
			return r;
		*ret_sink = mw_package_emit(sink, &package);
		if (*ret_sink < 0)
			return *ret_sink;
	}
	return r;
}

static int read_list(struct mw_buf *text, const char *path, const struct mw_package_sink *sink, int *ret_sink)
{
	struct mw_json json;
	struct mw_json_token token;
	mw_json_begin(&json, text->data, text->size);
	int r = mw_json_next(&json, &token);
	if (r < 0 || token.type != MW_JSON_OBJECT)
		return -EPROTO;
	while ((r = mw_json_next(&json, &token)) == 0 && token.type == MW_JSON_KEY) {
		r = strcmp(token.text, "packages") == 0 ? read_packages(&json, path, sink, ret_sink)
							: mw_json_skip(&json);
		if (r < 0)
			return r;
	}
	return r;
}

int mw_rust_read(const struct mw_bytes *bytes, const char *path, const struct mw_package_sink *sink)
{
	MW_AUTO(mw_buf) text = MW_BUF(LIST_BYTES);
	struct mw_inflate_budget budget = {.bytes = LIST_BYTES + 1};
	struct mw_elf_range range;
	struct mw_bytes packed;
	struct mw_elf elf;
	int of_sink = 0;
	if (mw_elf_open(bytes, &elf) < 0 || mw_elf_section(&elf, ".dep-v0", &range) < 0)
		return 0;
	int r = mw_bytes_part(bytes, range.offset, range.size, &packed);
	if (r == 0 && packed.size > PACKED_BYTES)
		r = -EFBIG;
	if (r == 0)
		r = mw_inflate(&packed, MW_INFLATE_ZLIB, &budget, &text);
	if (r == 0)
		r = text.data ? read_list(&text, path, sink, &of_sink) : -EPROTO;
	if (of_sink < 0 || r == -ENOMEM)
		return r;
	if (r < 0)
		mw_package_warn(sink, "%s: its list of crates is damaged or too long", path);
	return 0;
}

static bool matches(const char *folder, const char *name)
{
	(void)folder;
	(void)name;
	return true;
}

static int read_file(const struct mw_package_file *file, const struct mw_package_sink *sink)
{
	const struct mw_bytes bytes = mw_bytes_of_file(file->fd, (uint64_t)file->st->st_size);
	return mw_rust_read(&bytes, file->path, sink);
}

const struct mw_package_finder mw_finder_rust = {
	.kind = MW_PACKAGE_RUST,
	.matches = matches,
	.is_executable = true,
	.read = read_file,
};

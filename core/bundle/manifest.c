/* What a bundle says it holds, and whether it does. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/version.h"
#include "bundle/private.h"

enum {
	FORMAT = 1,
	PATH_NAMES = 4,
	DIGITS = 9, /* of a number */
};

static const char manifest_name[] = "manifest";

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
	       c == '.' || c == '+';
}

bool mw_bundle_is_word(const char *text, size_t n)
{
	if (!n || n >= MW_BUNDLE_WORD_BYTES || text[0] == '.' || text[0] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!is_name_char(text[i]))
			return false;
	return true;
}

/* Names with slashes between: none is empty or begins with a dot, so that none leads out. */
bool mw_bundle_is_path(const char *text, size_t n)
{
	unsigned names = 1;
	if (!n || n >= MW_BUNDLE_PATH_BYTES - 1)
		return false;
	for (size_t i = 0; i < n; i++) {
		bool is_first = i == 0 || text[i - 1] == '/';
		if (is_first ? !is_name_char(text[i]) || text[i] == '.' || text[i] == '-'
			     : text[i] != '/' && !is_name_char(text[i]))
			return false;
		names += text[i] == '/';
	}
	return text[n - 1] != '/' && names <= PATH_NAMES;
}

/* What may be in a bundle: rules, so that nobody thinks that something else of it has an effect. */
static bool is_rule(const char *path)
{
	size_t n = strlen(path);
	return strncmp(path, "rules/", 6) == 0 && n > 10 && strcmp(path + n - 4, ".lua") == 0;
}

/* A line, or a word of it. */
struct piece {
	const char *text;
	size_t n;
};

static bool is(struct piece piece, const char *word)
{
	return piece.n == strlen(word) && memcmp(piece.text, word, piece.n) == 0;
}

/* What stands before the next `end`, taken off `from`. */
static struct piece take(struct piece *from, char end)
{
	const char *at = memchr(from->text, end, from->n);
	struct piece piece = {from->text, at ? (size_t)(at - from->text) : from->n};
	size_t taken = piece.n + (at ? 1 : 0);
	from->text += taken;
	from->n -= taken;
	return piece;
}

static int number(struct piece piece, unsigned *ret)
{
	unsigned value = 0;
	if (!piece.n || piece.n > DIGITS || (piece.text[0] == '0' && piece.n > 1))
		return -EPROTO;
	for (size_t i = 0; i < piece.n; i++) {
		if (piece.text[i] < '0' || piece.text[i] > '9')
			return -EPROTO;
		value = value * 10 + (unsigned)(piece.text[i] - '0');
	}
	*ret = value;
	return 0;
}

static int word(struct piece piece, char out[MW_BUNDLE_WORD_BYTES])
{
	if (out[0] || !mw_bundle_is_word(piece.text, piece.n))
		return -EPROTO;
	memcpy(out, piece.text, piece.n);
	out[piece.n] = '\0';
	return 0;
}

/* Compare the next file of the archive with its line: SHA256 BYTES PATH. */
static int take_file(struct mw_bundle *bundle, struct piece line, size_t *at, struct mw_err *err)
{
	struct piece sum = take(&line, ' ');
	struct piece bytes = take(&line, ' ');
	unsigned size;
	char digest[65];
	struct mw_bundle_file file;
	if (sum.n != 64 || number(bytes, &size) < 0)
		return mw_err_set(err, -EPROTO, "the manifest has a broken line of a file");
	if (!mw_bundle_is_path(line.text, line.n))
		return mw_err_set(err, -EPROTO, "a name in the bundle is not allowed");
	if (bundle->file_count == MW_BUNDLE_FILES)
		return mw_err_set(err, -EFBIG, "a bundle has at most %d files", MW_BUNDLE_FILES);
	int r = mw_bundle_tar_next(&bundle->unpacked, at, &file, err);
	if (r < 0)
		return r;
	if (r == 0 || !is(line, file.path))
		return mw_err_set(err, -EPROTO, "the manifest names %.*s, the archive has %s there", (int)line.n,
				  line.text, r ? file.path : "nothing");
	if (!is_rule(file.path))
		return mw_err_set(err, -EPROTO, "%s: not a rule; a bundle holds rules/….lua alone", file.path);
	if (file.bytes > MW_SCRIPT_BYTES)
		return mw_err_set(err, -EFBIG, "%s: longer than %d bytes", file.path, MW_SCRIPT_BYTES);
	if (mw_bundle_sha256(file.text, file.bytes, digest) < 0 || file.bytes != size || !is(sum, digest))
		return mw_err_set(err, -EPROTO, "%s: is not what the manifest says", file.path);
	for (size_t i = 0; i < bundle->file_count; i++)
		if (strcmp(bundle->files[i].path, file.path) == 0)
			return mw_err_set(err, -EPROTO, "%s: is there twice", file.path);
	bundle->files[bundle->file_count++] = file;
	return 0;
}

static int take_line(struct mw_bundle *bundle, struct piece line, size_t *at, struct mw_err *err)
{
	struct piece key = take(&line, ' ');
	int r = -EPROTO;
	if (is(key, "file"))
		return take_file(bundle, line, at, err);
	if (is(key, "name"))
		r = word(line, bundle->name);
	else if (is(key, "version"))
		r = word(line, bundle->version);
	else if (is(key, "rollback-from"))
		r = word(line, bundle->rollback_from);
	else if (is(key, "api") && !bundle->api)
		r = number(line, &bundle->api);
	return r < 0 ? mw_err_set(err, r, "the manifest has a line that is wrong: %.*s…",
				  (int)(key.n < 40 && mw_bundle_is_word(key.text, key.n) ? key.n : 0), key.text)
		     : 0;
}

static int read_manifest(struct mw_bundle *bundle, size_t *at, struct mw_err *err)
{
	struct mw_bundle_file file;
	int r = mw_bundle_tar_next(&bundle->unpacked, at, &file, err);
	if (r < 0)
		return r;
	if (r == 0 || strcmp(file.path, manifest_name) != 0)
		return mw_err_set(err, -EPROTO, "the first file of a bundle is its manifest");
	if (file.bytes > MW_BUNDLE_MANIFEST_BYTES)
		return mw_err_set(err, -EFBIG, "a manifest has at most %d bytes", MW_BUNDLE_MANIFEST_BYTES);
	struct piece rest = {file.text, file.bytes};
	struct piece first = take(&rest, '\n');
	struct piece format = first;
	unsigned number_of_format;
	if (!is(take(&format, ' '), "moonwatch-bundle") || number(format, &number_of_format) < 0)
		return mw_err_set(err, -EPROTO, "not the manifest of a bundle");
	if (number_of_format != FORMAT)
		return mw_err_set(err, -ENOTSUP, "a bundle of format %u; this moonwatch knows format %d",
				  number_of_format, FORMAT);
	while (rest.n && r >= 0)
		r = take_line(bundle, take(&rest, '\n'), at, err);
	if (r < 0)
		return r;
	if (!bundle->name[0] || !bundle->version[0] || !bundle->api)
		return mw_err_set(err, -EPROTO, "the manifest lacks name, version or api");
	return 0;
}

int mw_bundle_read(const struct mw_bundle_envelope *envelope, struct mw_bundle *ret, struct mw_err *err)
{
	struct mw_bundle bundle = {.unpacked = MW_BUF(MW_BUNDLE_UNPACKED_BYTES)};
	size_t at = 0;
	bundle.files = calloc(MW_BUNDLE_FILES, sizeof(*bundle.files));
	int r = bundle.files ? mw_bundle_sha256(envelope->archive, envelope->archive_bytes, bundle.digest) : -ENOMEM;
	if (r < 0)
		(void)mw_err_set(err, r, "out of memory");
	if (r == 0)
		r = mw_bundle_unpack(envelope->archive, envelope->archive_bytes, &bundle.unpacked, err);
	if (r == 0)
		r = read_manifest(&bundle, &at, err);
	struct mw_bundle_file more;
	if (r == 0 && (r = mw_bundle_tar_next(&bundle.unpacked, &at, &more, err)) == 1)
		r = mw_err_set(err, -EPROTO, "%s: the manifest does not name it", more.path);
	if (r < 0) {
		mw_bundle_release(&bundle);
		return r;
	}
	*ret = bundle;
	return 0;
}

void mw_bundle_release(struct mw_bundle *bundle)
{
	free(bundle->files);
	mw_buf_release(&bundle->unpacked);
	*bundle = (struct mw_bundle){.api = 0};
}

static int check_words(const struct mw_bundle *bundle, struct mw_err *err)
{
	if (!mw_bundle_is_word(bundle->name, strlen(bundle->name)))
		return mw_err_set(err, -EINVAL, "a bundle's name is of letters, digits, and . _ - +, at most %d",
				  MW_BUNDLE_WORD_BYTES - 1);
	if (!mw_bundle_is_word(bundle->version, strlen(bundle->version)) ||
	    (bundle->rollback_from[0] && !mw_bundle_is_word(bundle->rollback_from, strlen(bundle->rollback_from))))
		return mw_err_set(err, -EINVAL, "a version is of letters, digits, and . _ - +, at most %d",
				  MW_BUNDLE_WORD_BYTES - 1);
	if (bundle->file_count > MW_BUNDLE_FILES)
		return mw_err_set(err, -EFBIG, "a bundle has at most %d files", MW_BUNDLE_FILES);
	for (size_t i = 0; i < bundle->file_count; i++) {
		const struct mw_bundle_file *file = &bundle->files[i];
		if (!mw_bundle_is_path(file->path, strlen(file->path)) || !is_rule(file->path))
			return mw_err_set(
				err, -EINVAL,
				"%s: a bundle holds rules/….lua, names of letters, digits, and . _ - +, %d bytes in all",
				file->path, MW_BUNDLE_PATH_BYTES - 2);
		if (file->bytes > MW_SCRIPT_BYTES)
			return mw_err_set(err, -EFBIG, "%s: longer than %d bytes", file->path, MW_SCRIPT_BYTES);
	}
	return 0;
}

int mw_bundle_put_files(const struct mw_bundle *bundle, struct mw_buf *tar, struct mw_err *err)
{
	MW_AUTO(mw_buf) manifest = MW_BUF(MW_BUNDLE_MANIFEST_BYTES);
	int r = check_words(bundle, err);
	if (r < 0)
		return r;
	mw_buf_printf(&manifest, "moonwatch-bundle %d\nname %s\nversion %s\napi %u\n", FORMAT, bundle->name,
		      bundle->version, bundle->api);
	if (bundle->rollback_from[0])
		mw_buf_printf(&manifest, "rollback-from %s\n", bundle->rollback_from);
	for (size_t i = 0; i < bundle->file_count; i++) {
		char digest[65];
		r = mw_bundle_sha256(bundle->files[i].text, bundle->files[i].bytes, digest);
		if (r < 0)
			return mw_err_set(err, r, "libcrypto failed");
		mw_buf_printf(&manifest, "file %s %zu %s\n", digest, bundle->files[i].bytes, bundle->files[i].path);
	}
	if (mw_buf_status(&manifest) < 0)
		return mw_err_set(err, -EFBIG, "a manifest has at most %d bytes", MW_BUNDLE_MANIFEST_BYTES);
	const struct mw_bundle_file first = {.path = manifest_name, .text = manifest.data, .bytes = manifest.size};
	mw_bundle_tar_add(tar, &first);
	for (size_t i = 0; i < bundle->file_count; i++)
		mw_bundle_tar_add(tar, &bundle->files[i]);
	mw_bundle_tar_end(tar);
	return mw_buf_status(tar) < 0
		       ? mw_err_set(err, -EFBIG, "unpacked, a bundle has at most %d bytes", MW_BUNDLE_UNPACKED_BYTES)
		       : 0;
}

static int compare(const char *left, const char *right)
{
	return mw_version_compare(MW_VERSION_ANY, left, strlen(left), right, strlen(right));
}

int mw_bundle_may_replace(const struct mw_bundle *next, const char *running, const char *digest, struct mw_err *err)
{
	if (!running[0])
		return 0;
	if (strcmp(next->digest, digest) == 0)
		return -EALREADY;
	int order = compare(next->version, running);
	if (order == 0)
		return mw_err_set(err, -EPERM,
				  "version %s runs already, with other contents; give the new one a new version",
				  running);
	if (order > 0)
		return 0;
	if (next->rollback_from[0] && compare(running, next->rollback_from) <= 0)
		return 0;
	return mw_err_set(err, -EPERM,
			  "version %s is older than %s, which runs, and is not signed to replace it (rollback-from)",
			  next->version, running);
}

/* Bundles of rules.  The first byte tells what the rest is: 0, a file as it comes; 1, an archive, to be packed; 2, a manifest, to be
 * put into an archive with a file behind it. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "bundle/bundle.h"
#include "bundle/private.h"

static void check(const struct mw_bundle *bundle)
{
	for (size_t i = 0; i < bundle->file_count; i++) {
		const struct mw_bundle_file *file = &bundle->files[i];
		const char *end = bundle->unpacked.data + bundle->unpacked.size;
		if (file->text < bundle->unpacked.data || file->text > end || file->bytes > (size_t)(end - file->text))
			__builtin_trap();
		if (strncmp(file->path, "rules/", 6) != 0 || strstr(file->path, "..") || strstr(file->path, "//") ||
		    strchr(file->path, '\\') || strlen(file->path) >= MW_BUNDLE_PATH_BYTES)
			__builtin_trap();
	}
	if (bundle->file_count > MW_BUNDLE_FILES || bundle->unpacked.size > MW_BUNDLE_UNPACKED_BYTES)
		__builtin_trap();
}

static void read_envelope(const struct mw_bundle_envelope *envelope)
{
	struct mw_bundle bundle;
	if (mw_bundle_read(envelope, &bundle, NULL) < 0)
		return;
	check(&bundle);
	/* What was read can be written, and gives the same. */
	MW_AUTO(mw_buf) again = MW_BUF(MW_BUNDLE_BYTES);
	struct mw_bundle_envelope opened;
	struct mw_bundle same;
	if (mw_bundle_write(&bundle, &again, NULL) < 0 || mw_bundle_open(again.data, again.size, &opened, NULL) < 0 ||
	    mw_bundle_read(&opened, &same, NULL) < 0 || same.file_count != bundle.file_count)
		__builtin_trap();
	mw_bundle_release(&same);
	mw_bundle_release(&bundle);
}

static void read_archive(const void *tar, size_t n)
{
	MW_AUTO(mw_buf) packed = MW_BUF(MW_BUNDLE_BYTES);
	if (mw_bundle_pack(tar, n, &packed, NULL) < 0)
		return;
	const struct mw_bundle_envelope envelope = {.archive = (const unsigned char *)packed.data,
						    .archive_bytes = packed.size};
	read_envelope(&envelope);
}

static void read_manifest(const char *text, size_t n)
{
	MW_AUTO(mw_buf) tar = MW_BUF(MW_BUNDLE_UNPACKED_BYTES);
	const struct mw_bundle_file manifest = {.path = "manifest", .text = text, .bytes = n};
	const struct mw_bundle_file rule = {.path = "rules/a/b.lua", .text = "x", .bytes = 1};
	mw_bundle_tar_add(&tar, &manifest);
	mw_bundle_tar_add(&tar, &rule);
	mw_bundle_tar_end(&tar);
	if (mw_buf_status(&tar) == 0)
		read_archive(tar.data, tar.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mw_bundle_envelope envelope;
	if (!size)
		return 0;
	if (data[0] == 0 && mw_bundle_open(data + 1, size - 1, &envelope, NULL) == 0)
		read_envelope(&envelope);
	else if (data[0] == 1)
		read_archive(data + 1, size - 1);
	else if (data[0] == 2)
		read_manifest((const char *)data + 1, size - 1);
	return 0;
}

#include "pkg/cache.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "pkg/tree.h"
#include "pkg/walk.h"

enum {
	DEPTH = 256, /* of folders; walks end sooner */
	NAME_BYTES = 255,
	KEPT_BYTES = 33 << 20, /* of memory: walks keep less */
};

/* A package without its texts, as it is written. */
struct fixed {
	int64_t epoch, size, install_time, build_time;
	int32_t kind, depth;
	uint32_t finder, uid;
	uint8_t has_epoch, has_size, is_root, spare[5];
};

/* --- writing --- */

static void put(struct mw_buf *out, const void *value, size_t n)
{
	mw_buf_add(out, value, n);
}

static void put_number(struct mw_buf *out, size_t number)
{
	uint32_t n = (uint32_t)number;
	put(out, &n, sizeof(n));
}

/* With its NUL; no text is 0 bytes. */
static void put_text(struct mw_buf *out, const char *text)
{
	size_t n = text ? strlen(text) + 1 : 0;
	put_number(out, n);
	if (n)
		put(out, text, n);
}

static void put_identity(struct mw_buf *out, const struct mw_tree_identity *identity)
{
	const int64_t numbers[] = {(int64_t)identity->dev, (int64_t)identity->ino,  identity->size,
				   identity->mtime.tv_sec, identity->mtime.tv_nsec, identity->ctime.tv_sec,
				   identity->ctime.tv_nsec};
	put(out, numbers, sizeof(numbers));
}

static void put_package(struct mw_buf *out, const struct mw_tree_package *kept)
{
	const struct mw_package *package = &kept->package;
	const struct fixed fixed = {
		.epoch = package->epoch,
		.size = package->size,
		.install_time = package->install_time,
		.build_time = package->build_time,
		.kind = (int32_t)package->kind,
		.depth = package->depth,
		.finder = kept->finder,
		.uid = package->uid,
		.has_epoch = package->has_epoch,
		.has_size = package->has_size,
		.is_root = package->is_root,
	};
	put(out, &fixed, sizeof(fixed));
	for (size_t i = 0; i < mw_tree_text_count; i++)
		put_text(out, mw_tree_text(package, i));
}

static void put_file(struct mw_buf *out, const struct mw_tree_file *file)
{
	size_t count = 0;
	for (const struct mw_tree_package *kept = file->packages; kept; kept = kept->next)
		count++;
	put_text(out, file->name);
	put_number(out, file->finders);
	put_number(out, file->read);
	put_identity(out, &file->identity);
	put_number(out, count);
	for (const struct mw_tree_package *kept = file->packages; kept; kept = kept->next)
		put_package(out, kept);
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as a walk goes, which is bounded
static void put_folder(struct mw_buf *out, const struct mw_tree_folder *folder)
{
	put_text(out, folder->name);
	put_identity(out, &folder->identity);
	put_number(out, folder->is_listed);
	put_number(out, folder->finders);
	put_number(out, folder->file_count);
	for (size_t i = 0; i < folder->file_count; i++)
		put_file(out, &folder->files[i]);
	put_number(out, folder->folder_count);
	for (size_t i = 0; i < folder->folder_count; i++)
		put_folder(out, &folder->folders[i]);
}

void mw_package_cache_write(const struct mw_tree *tree, struct mw_buf *out)
{
	put_folder(out, &tree->root);
}

/* --- reading: past its end all is 0, and `is_bad` --- */

struct input {
	const unsigned char *at, *end;
	struct mw_tree *tree;
	bool is_bad;
	int result; /* -ENOMEM */
};

static void take(struct input *in, void *value, size_t n)
{
	if ((size_t)(in->end - in->at) < n) {
		in->is_bad = true;
		in->at = in->end;
		memset(value, 0, n);
		return;
	}
	memcpy(value, in->at, n);
	in->at += n;
}

static uint32_t take_number(struct input *in)
{
	uint32_t n;
	take(in, &n, sizeof(n));
	return n;
}

static const char *take_text(struct input *in)
{
	uint32_t n = take_number(in);
	if (n == 0)
		return NULL;
	const char *text = (const char *)in->at;
	if ((size_t)(in->end - in->at) < n || memchr(text, '\0', n) != text + n - 1) {
		in->is_bad = true;
		return NULL;
	}
	in->at += n;
	return text;
}

/* Of something in a folder: what readdir(3) gives, and behind `previous` in the order of the list. */
static const char *take_name(struct input *in, const char *previous)
{
	const char *name = take_text(in);
	if (!name || !*name || strlen(name) > NAME_BYTES || strchr(name, '/') || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0 || (previous && strcmp(previous, name) >= 0))
		in->is_bad = true;
	return in->is_bad ? NULL : name;
}

static struct mw_tree_identity take_identity(struct input *in)
{
	int64_t numbers[7];
	take(in, numbers, sizeof(numbers));
	return (struct mw_tree_identity){
		.dev = (dev_t)numbers[0],
		.ino = (ino_t)numbers[1],
		.size = numbers[2],
		.mtime = {.tv_sec = numbers[3], .tv_nsec = numbers[4]},
		.ctime = {.tv_sec = numbers[5], .tv_nsec = numbers[6]},
	};
}

static unsigned finder_count(void)
{
	unsigned n = 0;
	while (mw_package_finders[n])
		n++;
	return n;
}

static void take_package(struct input *in, struct mw_tree_file *file)
{
	struct fixed fixed;
	static const uint8_t nothing[sizeof(fixed.spare)];
	take(in, &fixed, sizeof(fixed));
	in->is_bad |= fixed.has_epoch > 1 || fixed.has_size > 1 || fixed.is_root > 1 ||
		      memcmp(fixed.spare, nothing, sizeof(nothing)) != 0;
	struct mw_package package = {
		.kind = (enum mw_package_kind)fixed.kind,
		.epoch = fixed.epoch,
		.size = fixed.size,
		.install_time = fixed.install_time,
		.build_time = fixed.build_time,
		.uid = fixed.uid,
		.depth = fixed.depth,
		.has_epoch = fixed.has_epoch != 0,
		.has_size = fixed.has_size != 0,
		.is_root = fixed.is_root != 0,
	};
	for (size_t i = 0; i < mw_tree_text_count; i++)
		*mw_tree_text_place(&package, i) = take_text(in);
	in->is_bad |= fixed.kind < 0 || fixed.kind >= MW_PACKAGE_KINDS || fixed.finder >= finder_count();
	/* A warning is kept as a package that has no name. */
	in->is_bad |= !package.name && !package.summary;
	if (!in->is_bad)
		in->result = mw_tree_keep(in->tree, file, fixed.finder, &package);
}

static bool goes_on(const struct input *in)
{
	return !in->is_bad && in->result == 0 && in->tree->bytes <= KEPT_BYTES;
}

static void take_file(struct input *in, struct mw_tree_folder *folder)
{
	size_t count = folder->file_count;
	const char *name = take_name(in, count ? folder->files[count - 1].name : NULL);
	uint32_t finders = take_number(in);
	if (!name || (in->result = mw_tree_add_file(in->tree, folder, name, finders)) < 0)
		return;
	struct mw_tree_file *file = &folder->files[count];
	uint32_t read = take_number(in);
	file->identity = take_identity(in);
	uint32_t packages = take_number(in);
	for (uint32_t i = 0; i < packages && goes_on(in); i++)
		take_package(in, file);
	file->read = read;
}

// NOLINTNEXTLINE(misc-no-recursion): to DEPTH
static void take_folder(struct input *in, struct mw_tree_folder *folder, unsigned depth)
{
	in->is_bad |= depth > DEPTH;
	folder->identity = take_identity(in);
	uint32_t is_listed = take_number(in);
	in->is_bad |= is_listed > 1;
	folder->is_listed = is_listed == 1;
	folder->finders = take_number(in);
	uint32_t files = take_number(in);
	for (uint32_t i = 0; i < files && goes_on(in); i++)
		take_file(in, folder);
	uint32_t folders = goes_on(in) ? take_number(in) : 0;
	for (uint32_t i = 0; i < folders && goes_on(in); i++) {
		const char *name = take_name(in, i ? folder->folders[i - 1].name : NULL);
		if (!name || (in->result = mw_tree_add_folder(in->tree, folder, name)) < 0)
			return;
		take_folder(in, &folder->folders[i], depth + 1);
	}
}

int mw_package_cache_parse(const void *bytes, size_t n, struct mw_tree *tree)
{
	struct input in = {.at = bytes, .end = (const unsigned char *)bytes + n, .tree = tree};
	if (take_text(&in)) /* the root has no name */
		in.is_bad = true;
	take_folder(&in, &tree->root, 0);
	if (goes_on(&in) && in.at == in.end)
		return 0;
	mw_tree_forget(tree, &tree->root);
	tree->root = (struct mw_tree_folder){.name = NULL};
	return in.result < 0 ? in.result : -EPROTO;
}

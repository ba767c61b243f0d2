#include "pkg/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Of a package that is kept, every text. */
static const size_t texts[] = {
	offsetof(struct mw_package, name),       offsetof(struct mw_package, version),
	offsetof(struct mw_package, release),    offsetof(struct mw_package, arch),
	offsetof(struct mw_package, source),     offsetof(struct mw_package, vendor),
	offsetof(struct mw_package, maintainer), offsetof(struct mw_package, author),
	offsetof(struct mw_package, license),    offsetof(struct mw_package, homepage),
	offsetof(struct mw_package, summary),    offsetof(struct mw_package, group),
	offsetof(struct mw_package, priority),   offsetof(struct mw_package, status),
	offsetof(struct mw_package, hash),       offsetof(struct mw_package, path),
	offsetof(struct mw_package, directory),  offsetof(struct mw_package, scope),
	offsetof(struct mw_package, replaces),   offsetof(struct mw_package, compiler),
	offsetof(struct mw_package, settings),
};

enum {
	TEXTS = sizeof(texts) / sizeof(texts[0])
};

const size_t mw_tree_text_count = TEXTS;

const char **mw_tree_text_place(struct mw_package *package, size_t n)
{
	return (const char **)((char *)package + texts[n]);
}

const char *mw_tree_text(const struct mw_package *package, size_t n)
{
	return *(const char *const *)((const char *)package + texts[n]);
}

void mw_tree_forget_packages(struct mw_tree *tree, struct mw_tree_file *file)
{
	struct mw_tree_package *next;
	for (struct mw_tree_package *package = file->packages; package; package = next) {
		next = package->next;
		tree->bytes -= package->bytes;
		free(package);
	}
	file->packages = NULL;
	file->last = NULL;
	file->read = 0;
}

static void release_file(struct mw_tree *tree, struct mw_tree_file *file)
{
	if (!file->name)
		return;
	mw_tree_forget_packages(tree, file);
	tree->bytes -= sizeof(*file) + strlen(file->name) + 1;
	free(file->name);
	file->name = NULL;
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as a walk goes, which is bounded
static void release_folder(struct mw_tree *tree, struct mw_tree_folder *folder)
{
	mw_tree_forget(tree, folder);
	if (!folder->name)
		return;
	tree->bytes -= sizeof(*folder) + strlen(folder->name) + 1;
	free(folder->name);
	folder->name = NULL;
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as a walk goes, which is bounded
void mw_tree_forget(struct mw_tree *tree, struct mw_tree_folder *folder)
{
	for (size_t i = 0; i < folder->folder_count; i++)
		release_folder(tree, &folder->folders[i]);
	for (size_t i = 0; i < folder->file_count; i++)
		release_file(tree, &folder->files[i]);
	free(folder->folders);
	free(folder->files);
	folder->folders = NULL;
	folder->files = NULL;
	folder->folder_count = folder->file_count = 0;
	folder->is_listed = false;
	folder->finders = 0;
}

void mw_tree_release(struct mw_tree *tree)
{
	release_folder(tree, &tree->root);
}

/* `list` with room for one more: its capacity is the power of two that holds `count`. */
static void *grow(void *list, size_t count, size_t size)
{
	if (count & (count - 1))
		return list;
	return reallocarray(list, count ? count * 2 : 1, size);
}

int mw_tree_add_folder(struct mw_tree *tree, struct mw_tree_folder *folder, const char *name)
{
	struct mw_tree_folder *list = grow(folder->folders, folder->folder_count, sizeof(*list));
	if (!list)
		return -ENOMEM;
	folder->folders = list;
	char *copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	list[folder->folder_count++] = (struct mw_tree_folder){.name = copy};
	tree->bytes += sizeof(*list) + strlen(name) + 1;
	return 0;
}

int mw_tree_add_file(struct mw_tree *tree, struct mw_tree_folder *folder, const char *name, uint32_t finders)
{
	struct mw_tree_file *list = grow(folder->files, folder->file_count, sizeof(*list));
	if (!list)
		return -ENOMEM;
	folder->files = list;
	char *copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	list[folder->file_count++] = (struct mw_tree_file){.name = copy, .finders = finders};
	tree->bytes += sizeof(*list) + strlen(name) + 1;
	return 0;
}

static int compare_folders(const void *a, const void *b)
{
	return strcmp(((const struct mw_tree_folder *)a)->name, ((const struct mw_tree_folder *)b)->name);
}

static int compare_files(const void *a, const void *b)
{
	return strcmp(((const struct mw_tree_file *)a)->name, ((const struct mw_tree_file *)b)->name);
}

void mw_tree_finish(struct mw_tree *tree, struct mw_tree_folder *folder, struct mw_tree_folder *old)
{
	if (folder->folder_count)
		qsort(folder->folders, folder->folder_count, sizeof(*folder->folders), compare_folders);
	if (folder->file_count)
		qsort(folder->files, folder->file_count, sizeof(*folder->files), compare_files);
	/* Both are sorted: `old` was finished, too. */
	for (size_t i = 0, j = 0; i < folder->folder_count && j < old->folder_count;) {
		int order = compare_folders(&folder->folders[i], &old->folders[j]);
		if (order == 0) {
			struct mw_tree_folder fresh = folder->folders[i];
			folder->folders[i] = old->folders[j];
			old->folders[j] = fresh; /* to be released with `old` */
		}
		i += order <= 0;
		j += order >= 0;
	}
	for (size_t i = 0, j = 0; i < folder->file_count && j < old->file_count;) {
		int order = compare_files(&folder->files[i], &old->files[j]);
		if (order == 0) {
			struct mw_tree_file fresh = folder->files[i];
			folder->files[i] = old->files[j];
			folder->files[i].finders |= fresh.finders;
			old->files[j] = fresh;
		}
		i += order <= 0;
		j += order >= 0;
	}
	mw_tree_forget(tree, old);
}

int mw_tree_keep(struct mw_tree *tree, struct mw_tree_file *file, uint32_t finder, const struct mw_package *package)
{
	struct mw_package copy = *package;
	size_t bytes = sizeof(struct mw_tree_package);
	for (size_t i = 0; i < TEXTS; i++)
		if (*mw_tree_text_place(&copy, i))
			bytes += strlen(*mw_tree_text_place(&copy, i)) + 1;
	struct mw_tree_package *kept = malloc(bytes);
	if (!kept)
		return -ENOMEM;
	*kept = (struct mw_tree_package){.package = copy, .finder = finder, .bytes = bytes};
	char *at = (char *)(kept + 1);
	for (size_t i = 0; i < TEXTS; i++) {
		const char **text = mw_tree_text_place(&kept->package, i);
		if (!*text)
			continue;
		size_t n = strlen(*text) + 1;
		memcpy(at, *text, n);
		*text = at;
		at += n;
	}
	if (file->last)
		file->last->next = kept;
	else
		file->packages = kept;
	file->last = kept;
	tree->bytes += bytes;
	return 0;
}

struct mw_tree_identity mw_tree_identity(const struct stat *st)
{
	return (struct mw_tree_identity){
		.dev = st->st_dev,
		.ino = st->st_ino,
		.size = st->st_size,
		.mtime = st->st_mtim,
		.ctime = st->st_ctim,
	};
}

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool mw_tree_is_same(const struct mw_tree_identity *a, const struct mw_tree_identity *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size && is_same_time(&a->mtime, &b->mtime) &&
	       is_same_time(&a->ctime, &b->ctime);
}

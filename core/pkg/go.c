/* The build information that Go's linker puts into every program, stripped ones too; the package debug/buildinfo of Go's library
 * describes it.  It is what `go version -m FILE` prints. */
#include "pkg/go.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "pkg/elf.h"
#include "pkg/walk.h"

enum {
	HEADER_BYTES = 32,
	ALIGNMENT = 16,
	SEARCH_BYTES = 64 << 10,
	VERSION_BYTES = 256,
	MODULES_BYTES = 4 << 20,
	SETTINGS_BYTES = 64 << 10,
	/* Flags of the header, at its 15th byte. */
	BIG_ENDIAN_POINTERS = 1,
	INLINE_STRINGS = 2,
	/* In front of and behind the list of modules. */
	SENTINEL_BYTES = 16,
};

#define MAGIC "\xff Go buildinf:"

static const size_t magic_bytes = sizeof(MAGIC) - 1;

/* A string behind its length, a varint (of seven bits a byte, the lowest first). */
static int read_inline(const struct mw_elf *elf, uint64_t *offset, struct mw_buf *out)
{
	uint64_t length = 0;
	for (unsigned shift = 0;; shift += 7) {
		unsigned char byte;
		int r = mw_bytes_read(&elf->bytes, *offset, &byte, 1);
		if (r < 0)
			return r;
		(*offset)++;
		length |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			break;
		if (shift > 21)
			return -EPROTO;
	}
	char *room = length <= out->max ? mw_buf_reserve(out, length) : NULL;
	if (!room)
		return -EPROTO;
	int r = mw_bytes_read(&elf->bytes, *offset, room, length);
	if (r < 0)
		return r;
	out->size += length;
	*offset += length;
	return 0;
}

/* A Go string in memory, its address and length, of which the address is at `pointer`: before Go 1.18. */
static int read_pointed(const struct mw_elf *elf, const unsigned char *pointer, size_t pointer_bytes, bool is_big,
			struct mw_buf *out)
{
	struct mw_elf order = *elf;
	unsigned char header[16];
	order.is_big = is_big;
	int r = mw_elf_read(elf, mw_elf_number(&order, pointer, pointer_bytes), header, 2 * pointer_bytes);
	if (r < 0)
		return r;
	uint64_t address = mw_elf_number(&order, header, pointer_bytes);
	uint64_t length = mw_elf_number(&order, header + pointer_bytes, pointer_bytes);
	char *room = length <= out->max ? mw_buf_reserve(out, length) : NULL;
	if (!room)
		return -EPROTO;
	r = mw_elf_read(elf, address, room, length);
	if (r == 0)
		out->size += length;
	return r;
}

/* Where the information begins: in its section, or, where sections were cut off, at the start of the program's data. */
static int find(const struct mw_elf *elf, uint64_t *ret_offset, unsigned char header[HEADER_BYTES])
{
	struct mw_elf_range range;
	MW_AUTO(mw_buf) room = MW_BUF(SEARCH_BYTES);
	int r = mw_elf_section(elf, ".go.buildinfo", &range);
	if (r < 0 && elf->section_count == 0)
		r = mw_elf_data(elf, &range);
	if (r < 0)
		return -ENOENT;
	size_t n = range.size < SEARCH_BYTES ? (size_t)range.size : SEARCH_BYTES;
	char *data = mw_buf_reserve(&room, n);
	if (!data)
		return -ENOMEM;
	r = mw_bytes_read_some(&elf->bytes, range.offset, data, n, &n);
	for (size_t i = 0; r == 0 && i + HEADER_BYTES <= n; i += ALIGNMENT) {
		if (memcmp(data + i, MAGIC, magic_bytes) != 0)
			continue;
		memcpy(header, data + i, HEADER_BYTES);
		*ret_offset = range.offset + i;
		return 0;
	}
	return r < 0 ? r : -ENOENT;
}

static int read_strings(const struct mw_elf *elf, struct mw_buf *version, struct mw_buf *modules)
{
	unsigned char header[HEADER_BYTES];
	uint64_t offset;
	int r = find(elf, &offset, header);
	if (r < 0)
		return r;
	if (header[15] & INLINE_STRINGS) {
		offset += HEADER_BYTES;
		r = read_inline(elf, &offset, version);
		return r < 0 ? r : read_inline(elf, &offset, modules);
	}
	size_t pointer_bytes = header[14];
	bool is_big = header[15] & BIG_ENDIAN_POINTERS;
	if (pointer_bytes != 4 && pointer_bytes != 8)
		return -EPROTO;
	r = read_pointed(elf, header + 16, pointer_bytes, is_big, version);
	return r < 0 ? r : read_pointed(elf, header + 16 + pointer_bytes, pointer_bytes, is_big, modules);
}

/* The next word of a line, which ends at a tab. */
static char *word(char **at)
{
	char *begin = *at;
	if (!begin)
		return NULL;
	char *tab = strchr(begin, '\t');
	if (tab)
		*tab++ = '\0';
	*at = tab;
	return begin;
}

static const char *or_null(const char *text)
{
	return text && *text ? text : NULL;
}

/* Lines of the list: "path", "mod", "dep", "=>" (what is there in the place of the module above) and "build". */
struct list {
	const struct mw_package_sink *sink;
	const char *compiler;
	const char *main; /* path of the main package */
	struct mw_buf settings;
	struct mw_buf replaces;
	struct mw_package module, pending; /* the main one; a dependency that may be replaced yet */
};

static int emit_pending(struct list *list)
{
	struct mw_package package = list->pending;
	list->pending = (struct mw_package){0};
	if (!package.name)
		return 0;
	package.kind = MW_PACKAGE_GO;
	package.path = list->module.path;
	package.group = list->main;
	package.compiler = list->compiler;
	return mw_package_emit(list->sink, &package);
}

static void read_module(struct mw_package *package, char *rest)
{
	package->name = or_null(word(&rest));
	package->version = or_null(word(&rest));
	package->hash = or_null(word(&rest));
}

static void replace(struct list *list, struct mw_package *package, char *rest)
{
	mw_buf_clear(&list->replaces);
	mw_buf_printf(&list->replaces, "%s@%s", package->name ? package->name : "",
		      package->version ? package->version : "");
	package->replaces = list->replaces.data;
	package->hash = NULL;
	read_module(package, rest);
}

static int read_line(struct list *list, char *line)
{
	char *rest = line;
	const char *key = word(&rest);
	int r = 0;
	if (!rest)
		return 0;
	if (strcmp(key, "path") == 0) {
		list->main = or_null(rest);
	} else if (strcmp(key, "mod") == 0) {
		read_module(&list->module, rest);
	} else if (strcmp(key, "dep") == 0) {
		r = emit_pending(list);
		read_module(&list->pending, rest);
		list->pending.scope = "dependency";
	} else if (strcmp(key, "=>") == 0 && list->pending.name) {
		replace(list, &list->pending, rest);
	} else if (strcmp(key, "build") == 0) {
		if (list->settings.size)
			mw_buf_char(&list->settings, '\n');
		mw_buf_str(&list->settings, rest);
	}
	return r;
}

/* After all lines, since settings stand at the end. */
static int emit_rest(struct list *list)
{
	int r = emit_pending(list);
	if (r < 0)
		return r;
	list->pending = list->module;
	list->pending.scope = "main";
	list->pending.settings = list->settings.data;
	if (!list->pending.name) /* built without a module: of single files, or by another tool */
		list->pending.name = list->main;
	return emit_pending(list);
}

static int emit_library(struct list *list)
{
	char version[VERSION_BYTES];
	if (strncmp(list->compiler, "go", 2) != 0)
		return 0;                            /* "devel …" */
	size_t n = strcspn(list->compiler + 2, " "); /* experiments follow */
	memcpy(version, list->compiler + 2, n);
	version[n] = '\0';
	list->pending = (struct mw_package){.name = "stdlib", .version = version, .scope = "toolchain"};
	return emit_pending(list);
}

static int read_modules(struct list *list, struct mw_buf *modules)
{
	char *text = modules->data;
	int r = 0;
	if (modules->size > 2 * SENTINEL_BYTES && text[modules->size - SENTINEL_BYTES - 1] == '\n') {
		text[modules->size - SENTINEL_BYTES] = '\0';
		text += SENTINEL_BYTES;
	} else {
		text = NULL; /* none, or not of this form */
	}
	for (char *next; r == 0 && text && *text; text = next) {
		next = strchr(text, '\n');
		if (next)
			*next++ = '\0';
		r = read_line(list, text);
	}
	return r < 0 ? r : emit_rest(list);
}

int mw_go_read(const struct mw_bytes *bytes, const char *path, const struct mw_package_sink *sink)
{
	MW_AUTO(mw_buf) version = MW_BUF(VERSION_BYTES - 1);
	MW_AUTO(mw_buf) modules = MW_BUF(MODULES_BYTES);
	struct list list = {
		.sink = sink,
		.settings = MW_BUF(SETTINGS_BYTES),
		.replaces = MW_BUF(VERSION_BYTES * 4),
		.module = {.path = path},
	};
	struct mw_elf elf;
	int r = mw_elf_open(bytes, &elf);
	if (r < 0)
		return r == -EPROTO ? 0 : r;
	r = read_strings(&elf, &version, &modules);
	if (r == -ENOENT)
		return 0;
	if (r < 0 || version.size == 0) {
		if (r == -ENOMEM)
			return r;
		mw_package_warn(sink, "%s: Go's build information is damaged", path);
		return 0;
	}
	mw_buf_str(&version, ""); /* ended, as far as it is a text */
	mw_buf_str(&modules, "");
	if (!version.data || !modules.data)
		return -ENOMEM;
	version.data[version.size] = '\0';
	modules.data[modules.size] = '\0';
	list.compiler = version.data;
	r = read_modules(&list, &modules);
	if (r == 0)
		r = emit_library(&list);
	mw_buf_release(&list.settings);
	mw_buf_release(&list.replaces);
	return r;
}

static bool matches(const char *folder, const char *name)
{
	(void)folder;
	(void)name;
	return true;
}

static int read_file(const struct mw_package_file *file, const struct mw_package_sink *sink)
{
	char magic[SELFMAG];
	const struct mw_bytes bytes = mw_bytes_of_file(file->fd, (uint64_t)file->st->st_size);
	/* Most of what is executable is a script or somebody else's program. */
	if (mw_bytes_read(&bytes, 0, magic, sizeof(magic)) < 0 || memcmp(magic, ELFMAG, SELFMAG) != 0)
		return 0;
	return mw_go_read(&bytes, file->path, sink);
}

const struct mw_package_finder mw_finder_go = {
	.kind = MW_PACKAGE_GO,
	.matches = matches,
	.is_executable = true,
	.read = read_file,
};

#include "sensor/tools.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "event/process.h"
#include "watch/watch.h"

#define C (1u << MW_CHANGE_CREATE)
#define M (1u << MW_CHANGE_MODIFY)
#define D (1u << MW_CHANGE_DELETE)
#define R (1u << MW_CHANGE_RENAME)
#define A (1u << MW_CHANGE_ATTRIBUTES)

enum {
	ARGUMENTS = 64,
};

/* Which files it changes. */
enum how {
	OPERANDS,  /* those it names */
	RECURSIVE, /* and what is below, with -r or -R */
	PARENTS,   /* and the folders on the way there (mkdir -p) */
	SIBLINGS, /* and files in the same folder whose name has theirs in it, or is of their kind: copies and swap files */
	DESTINATION, /* the last one, what has a source's name in it, and with -r or -a what is below; or of -t */
	MOVE,        /* likewise, and the sources are gone */
	BELOW,       /* the last one, and all below it */
	UNPACK,      /* what is below the folder of -C or -d, or the current one; and the archive it makes */
	IN_PLACE,    /* SIBLINGS, with an option that begins with -i */
	OUTPUT,   /* what stands behind -o, -O, --output; else, in the current folder, the name that ends an operand */
	OF,       /* of=FILE */
	ACCOUNTS, /* /etc/passwd and its relatives */
	LOADER_CACHE, /* /etc/ld.so.cache */
};

struct mw_tool {
	const char *name;
	unsigned changes;
	enum how how;
};

static const struct mw_tool tools[] = {
	{"rm", D, RECURSIVE},
	{"rmdir", D, PARENTS},
	{"unlink", D, OPERANDS},
	{"shred", M | D | R | A, SIBLINGS},
	{"touch", C | M | A, OPERANDS},
	{"truncate", C | M | A, OPERANDS},
	{"tee", C | M, OPERANDS},
	{"mkdir", C | A, PARENTS},
	{"mkfifo", C | A, OPERANDS},
	{"mknod", C | A, OPERANDS},
	{"chmod", A, RECURSIVE},
	{"chown", A, RECURSIVE},
	{"chgrp", A, RECURSIVE},
	{"chattr", A, RECURSIVE},
	{"setfacl", A, RECURSIVE},
	{"cp", C | M | A | D, DESTINATION},
	{"install", C | M | A | D, DESTINATION},
	{"ln", C | A | D | R, DESTINATION},
	{"mv", C | M | A | D | R, MOVE},
	{"rsync", C | M | A | D | R, BELOW},
	{"tar", C | M | A | D, UNPACK},
	{"bsdtar", C | M | A | D, UNPACK},
	{"unzip", C | M | A | D, UNPACK},
	{"cpio", C | M | A | D, UNPACK},
	{"sed", C | M | A | D | R, IN_PLACE},
	{"perl", C | M | A | D | R, IN_PLACE},
	{"dd", C | M, OF},
	{"ed", C | M | A | D | R, SIBLINGS},
	{"ex", C | M | A | D | R, SIBLINGS},
	{"vi", C | M | A | D | R, SIBLINGS},
	{"vim", C | M | A | D | R, SIBLINGS},
	{"nano", C | M | A | D | R, SIBLINGS},
	{"patch", C | M | A | D | R, SIBLINGS},
	{"gzip", C | M | A | D, SIBLINGS},
	{"gunzip", C | M | A | D, SIBLINGS},
	{"xz", C | M | A | D, SIBLINGS},
	{"unxz", C | M | A | D, SIBLINGS},
	{"bzip2", C | M | A | D, SIBLINGS},
	{"bunzip2", C | M | A | D, SIBLINGS},
	{"curl", C | M, OUTPUT},
	{"wget", C | M | A, OUTPUT},
	{"sort", C | M, OUTPUT},
	{"useradd", C | M | A | D | R, ACCOUNTS},
	{"adduser", C | M | A | D | R, ACCOUNTS},
	{"usermod", C | M | A | D | R, ACCOUNTS},
	{"userdel", C | M | A | D | R, ACCOUNTS},
	{"groupadd", C | M | A | D | R, ACCOUNTS},
	{"addgroup", C | M | A | D | R, ACCOUNTS},
	{"groupmod", C | M | A | D | R, ACCOUNTS},
	{"passwd", C | M | A | D | R, ACCOUNTS},
	{"chpasswd", C | M | A | D | R, ACCOUNTS},
	{"ldconfig", C | M | A | D | R, LOADER_CACHE},
};

struct arguments {
	const char *list[ARGUMENTS]; /* behind the program's name */
	unsigned count;
	const char *operands[ARGUMENTS];
	unsigned operand_count;
	const char *cwd;
};

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static bool is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

/* Its arguments, and as what it was called; NULL without any. */
static const char *split(const struct mw_image *image, struct arguments *ret)
{
	static const char *const multi_call[] = {"busybox", "toybox", "coreutils", NULL};
	const char *name = NULL;
	bool is_multi_call = false;
	bool are_operands = false;
	ret->count = ret->operand_count = 0;
	ret->cwd = image->cwd;
	for (size_t at = 0; image->argv && at < image->argv_bytes; at += strlen(image->argv + at) + 1) {
		const char *argument = image->argv + at;
		if (!name || is_multi_call) {
			name = base_of(argument);
			is_multi_call = !is_multi_call && is_one_of(name, multi_call);
			continue;
		}
		if (ret->count == ARGUMENTS)
			return NULL; /* what cannot be looked at whole says nothing */
		ret->list[ret->count++] = argument;
		bool is_option = !are_operands && argument[0] == '-' && argument[1];
		if (!is_option)
			ret->operands[ret->operand_count++] = argument;
		else if (strcmp(argument, "--") == 0)
			are_operands = true;
	}
	return image->argv_truncated ? NULL : name;
}

const struct mw_tool *mw_tool_of(const struct mw_image *image)
{
	struct arguments arguments;
	const char *name = split(image, &arguments);
	for (size_t i = 0; name && i < sizeof(tools) / sizeof(*tools); i++)
		if (strcmp(tools[i].name, name) == 0)
			return &tools[i];
	return NULL;
}

/* Absolute, without "." and "..", as far as that can be told from the words. */
static bool resolve(const char *cwd, const char *word, char out[MW_PATH_BYTES])
{
	char path[2 * MW_PATH_BYTES];
	int n = word[0] == '/' ? snprintf(path, sizeof(path), "%s", word)
		: cwd          ? snprintf(path, sizeof(path), "%s/%s", cwd, word)
			       : -1;
	if (n < 0 || (size_t)n >= sizeof(path))
		return false;
	size_t length = 0;
	for (const char *at = path; *at;) {
		at += strspn(at, "/");
		size_t part = strcspn(at, "/");
		if (part == 2 && at[0] == '.' && at[1] == '.') {
			while (length > 0 && out[--length] != '/')
				;
		} else if (part > 0 && !(part == 1 && at[0] == '.')) {
			if (length + part + 2 > MW_PATH_BYTES)
				return false;
			out[length++] = '/';
			memcpy(out + length, at, part);
			length += part;
		}
		at += part;
	}
	if (length == 0)
		out[length++] = '/';
	out[length] = '\0';
	return true;
}

static bool is_below(const char *path, const char *folder)
{
	size_t n = strlen(folder);
	if (n == 1)
		return false; /* the whole system says nothing */
	return strncmp(path, folder, n) == 0 && path[n] == '/';
}

static bool is_at(const struct arguments *arguments, const char *word, const char *path)
{
	char named[MW_PATH_BYTES];
	return resolve(arguments->cwd, word, named) && strcmp(named, path) == 0;
}

static bool has_letter(const struct arguments *arguments, const char *letters)
{
	for (unsigned i = 0; i < arguments->count; i++) {
		const char *argument = arguments->list[i];
		if (argument[0] == '-' && argument[1] != '-' && strpbrk(argument, letters))
			return true;
	}
	return false;
}

static bool has_word(const struct arguments *arguments, const char *word)
{
	for (unsigned i = 0; i < arguments->count; i++)
		if (strcmp(arguments->list[i], word) == 0)
			return true;
	return false;
}

static bool is_recursive(const struct arguments *arguments)
{
	return has_letter(arguments, "rRa") || has_word(arguments, "--recursive") || has_word(arguments, "--archive");
}

/* Value of an option: `-t VALUE`, `-tVALUE`, `--long=VALUE`, `--long VALUE`. */
static const char *value_of(const struct arguments *arguments, char letter, const char *name)
{
	size_t n = strlen(name);
	for (unsigned i = 0; i < arguments->count; i++) {
		const char *argument = arguments->list[i];
		const char *next = i + 1 < arguments->count ? arguments->list[i + 1] : NULL;
		if (argument[0] != '-')
			continue;
		if (argument[1] == letter)
			return argument[2] ? argument + 2 : next;
		if (strncmp(argument, name, n) == 0)
			return argument[n] == '=' ? argument + n + 1 : argument[n] ? NULL : next;
	}
	return NULL;
}

static bool names_operand(const struct arguments *arguments, const char *path, bool with_below, bool with_parents)
{
	for (unsigned i = 0; i < arguments->operand_count; i++) {
		char named[MW_PATH_BYTES];
		if (!resolve(arguments->cwd, arguments->operands[i], named))
			continue;
		if (strcmp(named, path) == 0 || (with_below && is_below(path, named)) ||
		    (with_parents && is_below(named, path)))
			return true;
	}
	return false;
}

/* A copy, a swap file or the like of something it names: in the same folder. */
static bool names_sibling(const struct arguments *arguments, const char *path, const char *prefix)
{
	const char *name = base_of(path);
	for (unsigned i = 0; i < arguments->operand_count; i++) {
		char named[MW_PATH_BYTES];
		if (!resolve(arguments->cwd, arguments->operands[i], named))
			continue;
		size_t folder = (size_t)(base_of(named) - named);
		if (strncmp(named, path, folder) != 0 || path + folder != name)
			continue;
		size_t shared = strcspn(named + folder, ".");
		if (strcmp(named, path) == 0 || (prefix && strncmp(name, prefix, strlen(prefix)) == 0) ||
		    strstr(name, named + folder) || (shared > 0 && strncmp(name, named + folder, shared) == 0))
			return true;
	}
	return false;
}

static bool is_destination(const struct arguments *arguments, const char *path, bool with_below)
{
	const char *target = value_of(arguments, 't', "--target-directory");
	unsigned sources = arguments->operand_count;
	if (!target) {
		if (sources < 2)
			return false;
		target = arguments->operands[--sources];
	}
	char named[MW_PATH_BYTES];
	if (!resolve(arguments->cwd, target, named))
		return false;
	if (strcmp(named, path) == 0 || (with_below && is_below(path, named)))
		return true;
	if (!is_below(path, named) || strchr(path + strlen(named) + 1, '/'))
		return false;
	for (unsigned i = 0; i < sources; i++)
		if (strcmp(base_of(arguments->operands[i]), base_of(path)) == 0)
			return true;
	return false;
}

static bool is_source(const struct arguments *arguments, const char *path)
{
	for (unsigned i = 0; i < arguments->operand_count; i++)
		if (is_at(arguments, arguments->operands[i], path))
			return true;
	return false;
}

/* What `tar cf FILE …` makes. */
static bool is_archive(const struct arguments *arguments, const char *path)
{
	const char *named = value_of(arguments, 'f', "--file");
	for (unsigned i = 0; !named && i + 1 < arguments->count; i++) {
		const char *argument = arguments->list[i];
		bool is_cluster = i == 0 || (argument[0] == '-' && argument[1] != '-');
		if (is_cluster && argument[0] && argument[strlen(argument) - 1] == 'f')
			named = arguments->list[i + 1];
	}
	return named && is_at(arguments, named, path);
}

static bool is_unpacked(const struct mw_tool *tool, const struct arguments *arguments, const char *path)
{
	const char *first = arguments->count ? arguments->list[0] : "";
	bool is_tar = tool->name[0] == 't' || tool->name[0] == 'b';
	bool packs = is_tar && (first[0] != '-' || first[1] != '-') && strpbrk(first, "cru") && !strchr(first, 'x');
	if (packs || has_word(arguments, "--create"))
		return is_archive(arguments, path); /* its parts are only read */
	const char *folder = is_tar ? value_of(arguments, 'C', "--directory") : value_of(arguments, 'd', "--directory");
	char named[MW_PATH_BYTES];
	return resolve(arguments->cwd, folder ? folder : ".", named) && is_below(path, named);
}

static bool is_output(const struct arguments *arguments, const char *path)
{
	const char *named = value_of(arguments, 'o', "--output");
	if (!named)
		named = value_of(arguments, 'O', "--output-document");
	if (named && is_at(arguments, named, path))
		return true;
	for (unsigned i = 0; i < arguments->operand_count; i++)
		if (strstr(arguments->operands[i], "://") && is_at(arguments, base_of(arguments->operands[i]), path))
			return true;
	return false;
}

static bool is_of(const struct arguments *arguments, const char *path)
{
	for (unsigned i = 0; i < arguments->count; i++)
		if (strncmp(arguments->list[i], "of=", 3) == 0 && is_at(arguments, arguments->list[i] + 3, path))
			return true;
	return false;
}

static bool is_account_file(const char *path)
{
	static const char *const names[] = {"/etc/passwd", "/etc/shadow", "/etc/group",     "/etc/gshadow",
					    "/etc/subuid", "/etc/subgid", "/etc/.pwd.lock", NULL};
	for (const char *const *name = names; *name; name++)
		if (strncmp(path, *name, strlen(*name)) == 0 && !strchr(path + strlen(*name), '/'))
			return true;
	return false;
}

static bool makes(const struct mw_tool *tool, const struct arguments *arguments, const char *path, bool is_old)
{
	switch (tool->how) {
	case OPERANDS:
		return names_operand(arguments, path, false, false);
	case RECURSIVE:
		return names_operand(arguments, path, is_recursive(arguments), false);
	case PARENTS:
		return names_operand(arguments, path, false,
				     has_letter(arguments, "p") || has_word(arguments, "--parents"));
	case SIBLINGS:
		return names_sibling(arguments, path, strcmp(tool->name, "vim") == 0 ? "4913" : NULL);
	case IN_PLACE:
		return has_letter(arguments, "i") && names_sibling(arguments, path, "sed");
	case DESTINATION:
		return is_destination(arguments, path, is_recursive(arguments));
	case MOVE:
		return is_old ? is_source(arguments, path) : is_destination(arguments, path, true);
	case BELOW:
		return is_destination(arguments, path, true);
	case UNPACK:
		return is_unpacked(tool, arguments, path);
	case OUTPUT:
		return is_output(arguments, path);
	case OF:
		return is_of(arguments, path);
	case ACCOUNTS:
		return is_account_file(path);
	case LOADER_CACHE:
		return strncmp(path, "/etc/ld.so.cache", sizeof("/etc/ld.so.cache") - 1) == 0;
	}
	return false;
}

/* Does it name the file itself? */
static bool names(const struct mw_tool *tool, const struct arguments *arguments, const char *path)
{
	if (tool->how != RECURSIVE && tool->how != DESTINATION && tool->how != MOVE && tool->how != BELOW &&
	    tool->how != UNPACK)
		return true;
	return names_operand(arguments, path, false, false) || is_destination(arguments, path, false) ||
	       is_archive(arguments, path);
}

enum mw_tool_claim mw_tool_makes(const struct mw_tool *tool, const struct mw_image *image,
				 const struct mw_change *change)
{
	struct arguments arguments;
	if (!(tool->changes >> change->kind & 1) || !split(image, &arguments))
		return MW_TOOL_NO;
	bool is_moved = change->kind == MW_CHANGE_RENAME && tool->how == MOVE;
	if (!makes(tool, &arguments, change->path, change->kind == MW_CHANGE_DELETE) ||
	    (is_moved && !makes(tool, &arguments, change->old_path, true)))
		return MW_TOOL_NO;
	return names(tool, &arguments, is_moved ? change->old_path : change->path) ? MW_TOOL_NAMED : MW_TOOL_BELOW;
}

/* The script of -c, or NULL. */
static const char *script_of(const struct mw_image *image)
{
	static const char *const shells[] = {"sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", NULL};
	struct arguments arguments;
	const char *name = split(image, &arguments);
	if (!name || !is_one_of(name + (name[0] == '-'), shells))
		return NULL;
	for (unsigned i = 0; i + 1 < arguments.count && arguments.list[i][0] == '-'; i++)
		if (strchr(arguments.list[i], 'c') && arguments.list[i][1] != '-')
			return arguments.list[i + 1];
	return NULL;
}

bool mw_tool_is_shell(const struct mw_image *image)
{
	const char *script = script_of(image);
	return script && strchr(script, '>');
}

bool mw_tool_redirects(const struct mw_image *image, const char *path)
{
	const char *script = script_of(image);
	for (const char *at = script ? strchr(script, '>') : NULL; at; at = strchr(at, '>')) {
		at += strspn(at, ">|");
		at += strspn(at, " \t\"'");
		char word[MW_PATH_BYTES];
		size_t n = strcspn(at, " \t\n;&|<>()\"'");
		if (n == 0 || n >= sizeof(word))
			continue;
		memcpy(word, at, n);
		word[n] = '\0';
		char named[MW_PATH_BYTES];
		if (resolve(image->cwd, word, named) && strcmp(named, path) == 0)
			return true;
	}
	return false;
}

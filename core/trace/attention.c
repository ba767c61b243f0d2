/* Strings are looked up once for all entries, and arguments only when an entry asks for them whose other conditions hold.
 * Measured: see tests/unit/test_attention.c. */
#include "trace/attention.h"

#include <string.h>

#include "event/record.h"

enum {
	/* Arguments looked at: who hides behind more has said enough by having them. */
	ARGUMENTS = 64,
	/* A longer base name is in no policy. */
	NAME_BYTES = MW_ATTENTION_TEXT_BYTES,
};

static const char DELETED[] = " (deleted)";

struct text {
	const char *at;
	size_t bytes;
};

/* What of an exec is compared, and with which entries it agrees. */
struct view {
	const struct mw_attention *attention;
	const struct mw_record_exec *exec;
	struct text exe, argv;
	uint64_t hits[MW_ATTENTION_USES];
	bool has_arguments; /* hits of arguments are known */
};

static struct text base_name(struct text path)
{
	const char *slash = path.bytes ? memrchr(path.at, '/', path.bytes) : NULL;
	return slash ? (struct text){slash + 1, path.bytes - (size_t)(slash + 1 - path.at)} : path;
}

static bool is_same(struct text a, struct text b)
{
	return a.bytes == b.bytes && (a.bytes == 0 || memcmp(a.at, b.at, a.bytes) == 0);
}

/* The string of argv at `at`, with an end even where the record was cut. */
static struct text next_argument(struct text argv, size_t at)
{
	const char *start = argv.at + at;
	return (struct text){start, strnlen(start, argv.bytes - at)};
}

static void look_up(struct view *view, const char *text, size_t bytes, uint32_t hash, unsigned uses)
{
	const struct mw_attention_string *string = mw_attention_find_hashed(view->attention, text, bytes, hash);
	for (unsigned use = 0; string && use < MW_ATTENTION_USES; use++)
		if (uses >> use & 1)
			view->hits[use] |= string->entries[use];
}

static bool is_version_byte(char c)
{
	return (c >= '0' && c <= '9') || c == '.' || c == '-';
}

/* Without its version, with more and more of it, as it is: "python", "python3", "python3.11". */
static void look_up_name(struct view *view, struct text name, unsigned uses)
{
	if (name.bytes == 0 || name.bytes > NAME_BYTES)
		return;
	size_t stem = name.bytes;
	while (stem > 1 && is_version_byte(name.at[stem - 1]))
		stem--;
	uint32_t hash = mw_attention_hash(MW_ATTENTION_HASH, name.at, stem);
	look_up(view, name.at, stem, hash, uses);
	for (size_t n = stem; n < name.bytes;) {
		hash = mw_attention_hash(hash, name.at + n, 1);
		n++;
		if (n == name.bytes || name.at[n] == '.' || name.at[n] == '-')
			look_up(view, name.at, n, hash, uses);
	}
}

static bool is_multi_call(struct text name)
{
	return is_same(name, (struct text){"busybox", 7}) || is_same(name, (struct text){"toybox", 6});
}

static void look_up_names(struct view *view)
{
	const unsigned name = 1u << MW_ATTENTION_NAME;
	struct text exe = base_name(view->exe);
	look_up_name(view, exe, name | 1u << MW_ATTENTION_PROGRAM);
	struct text first = {0};
	if (view->argv.bytes) {
		struct text whole = next_argument(view->argv, 0);
		first = base_name(whole);
		if (first.bytes > 1 && first.at[0] == '-') /* a login shell */
			first = (struct text){first.at + 1, first.bytes - 1};
		if (!is_same(first, exe))
			look_up_name(view, first, name);
		/* `busybox sh`: the applet is what it is. */
		if (is_multi_call(exe) && is_multi_call(first) && whole.bytes + 1 < view->argv.bytes)
			look_up_name(view, next_argument(view->argv, whole.bytes + 1), name);
	}
	struct text comm = {view->exec->name, strnlen(view->exec->name, sizeof(view->exec->name))};
	if (!is_same(comm, exe) && !is_same(comm, first))
		look_up_name(view, comm, name | 1u << MW_ATTENTION_COMM);
	view->hits[MW_ATTENTION_NAME] |= view->hits[MW_ATTENTION_COMM];
}

static void look_up_prefixes(struct view *view, struct text subject, unsigned uses)
{
	const struct mw_attention *attention = view->attention;
	for (unsigned i = 0; i < attention->prefixes_count; i++) {
		const struct mw_attention_prefix *prefix = &attention->prefixes[i];
		const char *text = attention->pool + prefix->text;
		/* A look at its last byte spares most calls of memcmp(). */
		if (uses >> prefix->use & 1 && prefix->bytes <= subject.bytes &&
		    text[prefix->bytes - 1] == subject.at[prefix->bytes - 1] &&
		    memcmp(text, subject.at, prefix->bytes) == 0)
			view->hits[prefix->use] |= prefix->entries;
	}
}

static void look_up_arguments(struct view *view)
{
	const unsigned option = 1u << MW_ATTENTION_OPTION;
	unsigned uses = view->attention->uses & (1u << MW_ATTENTION_ARGUMENT | option);
	size_t at = view->argv.bytes ? next_argument(view->argv, 0).bytes + 1 : 0;
	view->has_arguments = true;
	for (unsigned n = 0; n < ARGUMENTS && at < view->argv.bytes; n++) {
		struct text argument = next_argument(view->argv, at);
		at += argument.bytes + 1;
		if (argument.bytes == 0 || argument.at[0] != '-')
			uses &= ~option;
		if (!uses)
			return;
		if (argument.bytes && argument.bytes <= view->attention->longest_argument)
			look_up(view, argument.at, argument.bytes,
				mw_attention_hash(MW_ATTENTION_HASH, argument.at, argument.bytes), uses);
		look_up_prefixes(view, argument, uses);
	}
}

/* Do the entry's strings, as far as it has any, fit? */
static bool fits(struct view *view, unsigned n)
{
	const unsigned arguments = 1u << MW_ATTENTION_ARGUMENT | 1u << MW_ATTENTION_OPTION;
	unsigned needs = view->attention->entries[n].needs;
	for (unsigned use = 0; use < MW_ATTENTION_USES; use++)
		if ((needs & ~arguments) >> use & 1 && !(view->hits[use] >> n & 1))
			return false;
	if (!(needs & arguments))
		return true;
	if (!view->has_arguments)
		look_up_arguments(view);
	for (unsigned use = 0; use < MW_ATTENTION_USES; use++)
		if (needs >> use & 1 && !(view->hits[use] >> n & 1))
			return false;
	return true;
}

static uint32_t facts_of(const struct mw_record_exec *exec, int64_t container_start_ns)
{
	uint32_t facts = 0;
	if (exec->inode && exec->exe_ctime_ns > container_start_ns)
		facts |= MW_ATTENTION_DROPPED;
	if (exec->inode && exec->exe_nlink == 0)
		facts |= MW_ATTENTION_FILELESS;
	if (exec->head.flags & MW_EXEC_SECURE)
		facts |= MW_ATTENTION_SECURE;
	if (exec->tty_nr)
		facts |= MW_ATTENTION_TTY;
	return facts;
}

static struct text argv_of(const struct mw_record_exec *exec)
{
	const char *at = exec->strings + exec->exe_bytes + exec->cwd_bytes + exec->execfn_bytes + exec->env_bytes;
	return (struct text){at, exec->argv_bytes};
}

static struct text exe_of(const struct mw_record_exec *exec)
{
	struct text exe = {exec->strings, exec->exe_bytes};
	const size_t suffix = sizeof(DELETED) - 1;
	if (exec->inode && exec->exe_nlink == 0 && exe.bytes > suffix &&
	    memcmp(exe.at + exe.bytes - suffix, DELETED, suffix) == 0)
		exe.bytes -= suffix;
	return exe;
}

enum mw_level mw_attention_decide(const struct mw_attention *attention, const struct mw_record_exec *exec,
				  uint32_t facts, int64_t container_start_ns, uint64_t *marks)
{
	if (attention->entries_count == 0)
		return attention->default_level;
	struct view view = {.attention = attention, .exec = exec, .exe = exe_of(exec), .argv = argv_of(exec)};
	uint64_t inherited = *marks;
	unsigned level = MW_LEVELS;
	facts |= facts_of(exec, container_start_ns);
	look_up_names(&view);
	look_up_prefixes(&view, view.exe, 1u << MW_ATTENTION_PATH);
	for (unsigned n = 0; n < attention->entries_count; n++) {
		const struct mw_attention_entry *entry = &attention->entries[n];
		/* Of the rest, only marks can still be of interest. */
		if (level < MW_LEVELS && (entry->mark & ~*marks) == 0)
			continue;
		if (entry->has & ~facts || entry->has_not & facts)
			continue;
		if ((entry->marked && !(entry->marked & inherited)) || !fits(&view, n))
			continue;
		*marks |= entry->mark;
		if (level == MW_LEVELS)
			level = entry->level;
	}
	return level < MW_LEVELS ? level : attention->default_level;
}

static uint64_t mix(uint64_t hash, struct text text)
{
	for (size_t i = 0; i < text.bytes; i++)
		hash = (hash ^ (unsigned char)text.at[i]) * 1099511628211ull; /* FNV-1a */
	return hash;
}

uint32_t mw_attention_late(struct mw_attention_memory *memory, const struct mw_record_exec *exec, uint32_t facts)
{
	/* A parent outside the namespace reads as 0, and so does one that could not be read. */
	bool has_no_parent = exec->ppid == 0 && !(exec->head.flags & MW_EXEC_INCOMPLETE);
	if (facts & MW_ATTENTION_ROOT || !(facts & MW_ATTENTION_LATE || has_no_parent))
		return 0;
	uint64_t key = mix(mix(14695981039346656037ull ^ exec->inode, exe_of(exec)), argv_of(exec)) | 1;
	unsigned chosen = 0;
	memory->clock++;
	for (unsigned i = 0; i < MW_ATTENTION_LATE_PROGRAMS; i++) {
		if (memory->programs[i].key == key) {
			chosen = i;
			break;
		}
		if (memory->programs[i].used < memory->programs[chosen].used)
			chosen = i;
	}
	if (memory->programs[chosen].key != key) {
		memory->programs[chosen].key = key;
		memory->programs[chosen].times = 0;
	}
	memory->programs[chosen].used = memory->clock;
	if (memory->programs[chosen].times >= MW_ATTENTION_LATE_NEW)
		return MW_ATTENTION_LATE | MW_ATTENTION_REPEATED;
	memory->programs[chosen].times++;
	return MW_ATTENTION_LATE;
}

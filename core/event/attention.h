/* Who is watched how closely, as plain data: compiled from the profile (script/attention.h), evaluated by the tracer at
 * each exec stop (trace/attention.h), lying in shared memory between them.
 *
 * Entries are gone through in order.  Each whose conditions all hold adds its marks to the process, which its descendants
 * inherit; the first of them that names a level decides.
 *
 * A string of the policy stands once in a hash table, with the set of entries that name it: so what a process is called
 * is looked up once for all entries. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/level.h"

struct mw_buf;
struct mw_err;

enum {
	/* A set of entries is the bits of 64. */
	MW_ATTENTION_ENTRIES = 64,
	/* Different names and arguments of a policy, and the slots of the table they stand in (a power of two). */
	MW_ATTENTION_STRINGS = 512,
	MW_ATTENTION_SLOTS = 1024,
	/* Beginnings of paths and of arguments: gone through one by one. */
	MW_ATTENTION_PREFIXES = 64,
	/* Bytes of all strings of a policy. */
	MW_ATTENTION_POOL_BYTES = 24 << 10,
	/* Names of marks. */
	MW_ATTENTION_MARKS = 32,
	/* One string: NAME_MAX. */
	MW_ATTENTION_TEXT_BYTES = 255,
};

/* What may be asked of an exec besides its strings. */
enum {
	MW_ATTENTION_DROPPED = 1,    /* executable made after the container's start */
	MW_ATTENTION_FILELESS = 2,   /* executable without a name: memfd, deleted */
	MW_ATTENTION_LATE = 4,       /* came from outside: an exec session, a health check; or its birth was not seen */
	MW_ATTENTION_STARTUP = 8,    /* the container started less than `startup_ms` ago */
	MW_ATTENTION_SECURE = 16,    /* gained privilege */
	MW_ATTENTION_TTY = 32,       /* has a controlling terminal */
	MW_ATTENTION_ROOT = 64,      /* is the application's first process */
	MW_ATTENTION_REPEATED = 128, /* late, as several with the same program and arguments before: a health check */
};

enum {
	/* How many of these there are. */
	MW_ATTENTION_FACTS = 8
};

/* By bit. */
extern const char *const mw_attention_fact_names[MW_ATTENTION_FACTS];

/* What a string is compared with. */
enum mw_attention_use {
	MW_ATTENTION_NAME, /* base name of the executable or of argv[0], or comm; a version at its end does not count */
	MW_ATTENTION_PROGRAM,  /* base name of the executable alone, which cannot be forged; likewise */
	MW_ATTENTION_ARGUMENT, /* argv[1] and on */
	MW_ATTENTION_OPTION,   /* argv[1] and on, up to the first that does not begin with '-' */
	MW_ATTENTION_PATH,     /* a prefix: the executable's path begins with it */
	/* comm: a NAME as the kernel cuts it (proc(5)); added along with names that are longer. */
	MW_ATTENTION_COMM,
	MW_ATTENTION_USES,
};

struct mw_attention_entry {
	uint8_t needs;    /* bit n: of the strings of enum mw_attention_use n, one must fit */
	uint8_t level;    /* enum mw_level, or MW_LEVELS: this entry does not decide */
	uint32_t has;     /* MW_ATTENTION_…: all of these hold */
	uint32_t has_not; /* none of these */
	uint64_t marked;  /* had one of these marks before, from itself or an ancestor; 0: no condition */
	uint64_t mark;    /* marks it gets */
};

struct mw_attention_string {
	uint32_t text; /* offset in the pool; 0: the slot is free */
	uint32_t hash;
	uint32_t bytes;
	/* Entries that name it, by use. */
	uint64_t entries[MW_ATTENTION_USES];
};

/* PATH, or an ARGUMENT or OPTION that was given with a '*' at its end (which is not part of it). */
struct mw_attention_prefix {
	uint32_t text;
	uint16_t bytes;
	uint16_t use; /* enum mw_attention_use */
	uint64_t entries;
};

struct mw_attention {
	uint64_t kinds; /* bit n: somebody wants events of mw_event_kind n; of others nothing is recorded */
	uint32_t startup_ms;
	/* Budget of all processes under `calls` together; 0: without limit. */
	uint32_t stops_per_s;
	uint32_t cpu_percent;
	uint8_t default_level;
	uint32_t entries_count, prefixes_count, strings_count, marks_count;
	struct mw_attention_entry entries[MW_ATTENTION_ENTRIES];
	struct mw_attention_prefix prefixes[MW_ATTENTION_PREFIXES];
	struct mw_attention_string strings[MW_ATTENTION_SLOTS];
	uint32_t longest_argument;          /* of all exact ARGUMENT and OPTION strings, in bytes */
	uint32_t uses;                      /* bit n: some entry needs enum mw_attention_use n */
	uint32_t marks[MW_ATTENTION_MARKS]; /* their names, in the pool */
	uint32_t pool_bytes;                /* of which the first is a NUL, so that offset 0 means none */
	char pool[MW_ATTENTION_POOL_BYTES];
};

/* No entry, all kinds, `events` for everybody. */
void mw_attention_init(struct mw_attention *attention);

/* Let entry `n` name a string.  A '*' at the end of an ARGUMENT or OPTION makes it a prefix.  -E2BIG with the limit that
 * was passed in err. */
int mw_attention_name(struct mw_attention *attention, unsigned n, enum mw_attention_use use, const char *text,
		      size_t bytes, struct mw_err *err);
/* The bit of the mark of that name, made when there is none yet.  -E2BIG likewise. */
int mw_attention_mark(struct mw_attention *attention, const char *name, uint64_t *ret_mark, struct mw_err *err);
/* Put the entries of `more` behind those of `attention`.  -E2BIG likewise. */
int mw_attention_append(struct mw_attention *attention, const struct mw_attention *more, struct mw_err *err);

/* NULL when no entry names it. */
const struct mw_attention_string *mw_attention_find(const struct mw_attention *attention, const char *text,
						    size_t bytes);

#define MW_ATTENTION_HASH 2166136261u /* of no bytes */

/* Hash of what `hash` stands for with these bytes behind it: FNV-1a, since names are some ten bytes. */
static inline uint32_t mw_attention_hash(uint32_t hash, const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		hash = (hash ^ (unsigned char)text[i]) * 16777619u;
	return hash;
}

/* The same for whom knows the hash. */
const struct mw_attention_string *mw_attention_find_hashed(const struct mw_attention *attention, const char *text,
							   size_t bytes, uint32_t hash);

/* Append it as a profile would write it, each line behind `indent`. */
void mw_attention_format(const struct mw_attention *attention, const char *indent, struct mw_buf *out);

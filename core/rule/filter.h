/* Native conditions: what a rule, a step of a sequence or an exception says under `where` (docs/howto/rules.md), compiled from
 * Lua to C, so that what cannot match costs no script.  All conditions hold, or the filter does not; of the values of a
 * condition one is enough. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cidr.h"
#include "event/event.h"
#include "event/lineage.h"
#include "rule/patterns.h"

struct mw_err;
struct mw_store;

/* In the order they are tried: the cheap ones first. */
enum mw_where {
	MW_WHERE_IS,
	MW_WHERE_UNLESS,
	MW_WHERE_LINEAGE,
	MW_WHERE_NOT_LINEAGE,
	MW_WHERE_PORTS,
	MW_WHERE_NAMES,
	MW_WHERE_PROGRAMS,
	MW_WHERE_PARENTS,
	MW_WHERE_CATEGORIES,
	MW_WHERE_CALLS,
	MW_WHERE_PATHS,
	MW_WHERE_EXES,
	MW_WHERE_FIELD,
	MW_WHERE_ARGUMENTS,
	MW_WHERE_CMDLINE,
	MW_WHERE_ADDRESSES,
	MW_WHERE_ANCESTORS,
	MW_WHERE_MARKED,
	MW_WHERES,
};

extern const char *const mw_where_names[MW_WHERES];

/* What may stand in `is` and `unless`. */
enum mw_fact {
	MW_FACT_DELETED,
	MW_FACT_DROPPED,
	MW_FACT_FAILED,
	MW_FACT_FILELESS,
	MW_FACT_LATE,
	MW_FACT_MEMFD,
	MW_FACT_SAMPLED,
	MW_FACT_SCRIPT,
	MW_FACT_SECURE,
	MW_FACT_SETUID,
	MW_FACT_STARTUP,
	MW_FACT_TTY,
	MW_FACT_WRITE,
	MW_FACT_WRITTEN,
	MW_FACTS,
};

extern const char *const mw_fact_names[MW_FACTS];

enum {
	MW_FILTER_PATH = 4, /* names of a field's path: "process.parent.name" has 3 */
};

struct mw_condition {
	enum mw_where what;
	uint32_t bits;  /* is, unless, lineage */
	bool has_empty; /* field: absent is among the values */
	struct mw_patterns patterns;
	int64_t *numbers; /* ports; of a field those values that are numbers, true and false */
	unsigned numbers_count;
	struct mw_cidr *networks;
	unsigned networks_count;
	const struct mw_field *path[MW_FILTER_PATH + 1]; /* field: ended by NULL */
};

struct mw_filter {
	struct mw_condition *conditions;
	unsigned count;
};

/* The names a process goes under, with their hashes; found out once for an event. */
struct mw_names {
	bool is_known;
	unsigned count;
	struct mw_word words[MW_PROGRAM_NAMES];
};

/* An event and what was found out of it for filters. */
struct mw_subject {
	const struct mw_event *event;
	struct mw_store *store; /* of marks; may be NULL */
	uint32_t facts;
	struct mw_names names, programs, parents;
};

struct lua_State;

/* From the list of conditions at the top of the stack, as moonwatch.rule.where has checked it: {what, field?, values}.  May raise.
 * 0 or -ENOMEM, -EINVAL with err set. */
int mw_filter_read(struct lua_State *L, struct mw_filter *ret_filter, struct mw_err *err);
void mw_filter_release(struct mw_filter *filter);

void mw_subject_begin(struct mw_subject *subject, const struct mw_event *event, struct mw_store *store);
const struct mw_names *mw_subject_names(struct mw_subject *subject);
const struct mw_names *mw_subject_programs(struct mw_subject *subject);
const struct mw_names *mw_subject_parents(struct mw_subject *subject);
bool mw_filter_holds(const struct mw_filter *filter, struct mw_subject *subject);

/* The port that `ports` is about, or 0: of a connection the other end's, else ours. */
int mw_filter_port(const struct mw_event *event);

/* Resolve "process.parent.name".  -ENOENT. */
int mw_filter_path(const char *text, const struct mw_field *ret_path[MW_FILTER_PATH + 1]);
/* Its value; MW_NONE when absent. */
void mw_filter_value(const struct mw_field *const *path, const void *object, struct mw_value *ret_value);

/* The key of a mark: name, and the process it was put on. */
size_t mw_mark_key(const char *mark, size_t bytes, const struct mw_process *process, char *ret_key, size_t room);

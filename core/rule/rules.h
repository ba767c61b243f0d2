/* What engine.c (judges) and load.c (fills) share. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "event/alert.h"
#include "rule/engine.h"

struct mw_script;

enum {
	/* A line of a report: a path, a place in it, and a sentence. */
	MW_RULE_LINE_BYTES = 6144,
};

struct mw_rule {
	/* What `info` points to is owned here. */
	struct mw_rule_info info;
	char *file;
	char *message; /* see message.h */
	int match;     /* reference of the function in the registry */
	bool has_match;
	bool is_enabled;
	bool is_off; /* after MW_RULE_FAULTS faults */
	unsigned faults;
	uint64_t kinds; /* bit n: listens to mw_event_kind n */
	/* Bytes allocated less bytes collected during its calls: the one that hoards stands out. */
	int64_t held_bytes;
};

struct mw_rules {
	struct mw_script *script;
	struct mw_rules_options options;
	struct mw_rule *list;
	size_t count;
	size_t refused;
	/* Indexes of the rules that listen to each kind. */
	unsigned *by_kind[MW_EVENT_KINDS];
	unsigned by_kind_count[MW_EVENT_KINDS];
	struct mw_buf message;
};

/* Load the rules of a file, or say why not. */
void mw_rules_load_file(struct mw_rules *rules, const char *path);

void mw_rule_release(struct mw_rule *rule);

__attribute__((format(printf, 2, 3))) void mw_rules_report(struct mw_rules *rules, const char *format, ...);

/* What `text` says of the chunk of `path` ("name.lua:7: what"), with the whole path: Lua cuts long names. */
void mw_rules_report_at(struct mw_rules *rules, const char *path, const char *text, const char *then);

/* Every flag: name, default, range, text.  --help, `moonwatch config`, profiles and documentation read this list.
 * Names and meanings are osquery's where osquery has them. */
#include "flag/flag.h"

#define BOOL(name_, def_, doc_) \
	{ \
		.name = (name_), .type = MW_FLAG_BOOL, .def = (def_), .doc = (doc_) \
	}
#define INT(name_, def_, min_, max_, doc_) \
	{ \
		.name = (name_), .type = MW_FLAG_INT, .def = (def_), .min = (min_), .max = (max_), .doc = (doc_) \
	}
#define TEXT(name_, def_, doc_) \
	{ \
		.name = (name_), .type = MW_FLAG_TEXT, .def_text = (def_), .doc = (doc_) \
	}

const struct mw_flag mw_flag_list[MW_FLAG_COUNT] = {
	[MW_FLAG_PROFILE] = TEXT("profile", "default",
				 "Set of flag values: a name of policies/ (default, minimal, audit, strict), or the "
				 "absolute path of a Lua file."),
	[MW_FLAG_FLAGFILE] = TEXT("flagfile", "", "File of flags, one --name=value a line."),

	[MW_FLAG_AUDIT_ALLOW_PROCESS_EVENTS] =
		BOOL("audit_allow_process_events", true,
		     "See processes start, fork and end. Without it the application is not traced at all."),
	[MW_FLAG_AUDIT_ALLOW_FORK_PROCESS_EVENTS] =
		BOOL("audit_allow_fork_process_events", false,
		     "Keep forks in the spool, and so in process_events. Rules and outputs see them anyway."),
	[MW_FLAG_AUDIT_ALLOW_EXIT_PROCESS_EVENTS] = BOOL(
		"audit_allow_exit_process_events", false,
		"Keep ends of processes in the spool, and so in process_events. Rules and outputs see them anyway."),

	[MW_FLAG_RULES_DIR] = TEXT("rules_dir", "", "Folders of further rules, separated by ':'."),
	[MW_FLAG_OUTPUTS] = TEXT("outputs", "alerts/text:stderr",
				 "What is written where: STREAM/FORMAT:SINK[=TARGET],… with streams alerts and events, "
				 "formats text and json, sinks stderr, stdout and file."),

	[MW_FLAG_STATE_DIR] =
		TEXT("state_dir", "/var/lib/moonwatch",
		     "Folder of the event spool. When it cannot be written to, a private folder in $TMPDIR, "
		     "/tmp or /dev/shm takes its place, else memory."),
	[MW_FLAG_SPOOL_LIMIT_MIB] =
		INT("spool_limit_mib", 256, 8, 65536,
		    "Disk the event spool may take, in MiB; past it the oldest events are dropped and counted."),
	[MW_FLAG_RING_SIZE_MIB] =
		INT("ring_size_mib", 8, 1, 256,
		    "Memory between tracer and sensor, in MiB; when it is full, events are dropped and counted."),

	[MW_FLAG_ATTACH_TIMEOUT_MS] = INT("attach_timeout_ms", 500, 1, 10000,
					  "How long the application may be held back at its start until it is watched, "
					  "in ms; then it starts unwatched."),
	[MW_FLAG_SHUTDOWN_FLUSH_MS] =
		INT("shutdown_flush_ms", 2000, 0, 60000,
		    "How long the end of the application may be held back to save what was seen last, in ms."),

	[MW_FLAG_RULE_EVENT_INSTRUCTIONS] = INT("rule_event_instructions", 100000, 1000, 1000000000,
						"Lua instructions one rule may spend on one event."),
	[MW_FLAG_RULE_MEMORY_MIB] = INT("rule_memory_mib", 32, 4, 4096, "Memory all rules together may take, in MiB."),
};

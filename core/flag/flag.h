/* Flags: declared once in flags.c, set from several sources, each value remembering where it came from.
 *
 * Precedence, highest first: command line, environment (MOONWATCH_NAME), flag file, configuration file, backend, profile,
 * default.  A value from a lower source never replaces one from a higher. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mw_buf;
struct mw_err;

enum mw_flag_type {
	MW_FLAG_BOOL,
	MW_FLAG_INT,
	MW_FLAG_TEXT,
	MW_FLAG_ENUM, /* one of `choices` */
};

/* Lowest first. */
enum mw_flag_source {
	MW_FROM_DEFAULT,
	MW_FROM_PROFILE,
	MW_FROM_BACKEND,
	MW_FROM_CONFIG, /* `options` of --config_path */
	MW_FROM_FILE,
	MW_FROM_ENVIRONMENT,
	MW_FROM_COMMAND_LINE,
};

/* In the order of mw_flag_list. */
enum mw_flag_id {
	MW_FLAG_PROFILE,
	MW_FLAG_FLAGFILE,
	MW_FLAG_CONFIG_PATH,
	MW_FLAG_AUDIT_ALLOW_PROCESS_EVENTS,
	MW_FLAG_AUDIT_ALLOW_FORK_PROCESS_EVENTS,
	MW_FLAG_AUDIT_ALLOW_EXIT_PROCESS_EVENTS,
	MW_FLAG_AUDIT_ALLOW_SOCKETS,
	MW_FLAG_ALLOW_INOTIFY_FILE_EVENTS,
	MW_FLAG_FILE_EVENTS_HASHES,
	MW_FLAG_READ_MAX,
	MW_FLAG_FILE_BASELINE,
	MW_FLAG_FILE_BASELINE_HASHES,
	MW_FLAG_INOTIFY_WATCH_SHARE,
	MW_FLAG_WATCH_POLL_INTERVAL_MS,
	MW_FLAG_ENGINE,
	MW_FLAG_ATTACH,
	MW_FLAG_ATTENTION_STOPS_PER_S,
	MW_FLAG_ATTENTION_CPU_PERCENT,
	MW_FLAG_ATTENTION_STARTUP_MS,
	MW_FLAG_SOCKETS_INTERVAL_MS,
	MW_FLAG_PROCESSES_INTERVAL_MS,
	MW_FLAG_EXEC_ENVIRONMENT,
	MW_FLAG_EXEC_SHA256,
	MW_FLAG_ALLOW_PLAIN_ENV,
	MW_FLAG_ENFORCE,
	MW_FLAG_ENFORCE_DEADLINE_MS,
	MW_FLAG_DEBUGGERS,
	MW_FLAG_BACKEND,
	MW_FLAG_BACKEND_PATH,
	MW_FLAG_TLS_HOSTNAME,
	MW_FLAG_TLS_SERVER_CERTS,
	MW_FLAG_TLS_CLIENT_CERT,
	MW_FLAG_TLS_CLIENT_KEY,
	MW_FLAG_TLS_PINNED_KEY,
	MW_FLAG_PROXY_HOSTNAME,
	MW_FLAG_ALLOW_PLAIN_HTTP,
	MW_FLAG_HOST_IDENTIFIER,
	MW_FLAG_SPECIFIED_IDENTIFIER,
	MW_FLAG_ENROLL_SECRET,
	MW_FLAG_ENROLL_SECRET_PATH,
	MW_FLAG_ENROLL_SECRET_ENV,
	MW_FLAG_ENROLL_TLS_ENDPOINT,
	MW_FLAG_ENROLL_ALWAYS,
	MW_FLAG_DISABLE_ENROLLMENT,
	MW_FLAG_DISABLE_REENROLLMENT,
	MW_FLAG_TLS_ENROLL_MAX_ATTEMPTS,
	MW_FLAG_TLS_ENROLL_MAX_INTERVAL,
	MW_FLAG_CONFIG_PLUGIN,
	MW_FLAG_CONFIG_TLS_ENDPOINT,
	MW_FLAG_CONFIG_REFRESH,
	MW_FLAG_CONFIG_ACCELERATED_REFRESH,
	MW_FLAG_CONFIG_TLS_MAX_ATTEMPTS,
	MW_FLAG_CONFIG_ENABLE_BACKUP,
	MW_FLAG_LOGGER_PLUGIN,
	MW_FLAG_LOGGER_TLS_ENDPOINT,
	MW_FLAG_LOGGER_TLS_PERIOD,
	MW_FLAG_LOGGER_TLS_MAX_LINES,
	MW_FLAG_LOGGER_TLS_MAX_LINESIZE,
	MW_FLAG_LOGGER_TLS_BACKOFF_MAX,
	MW_FLAG_LOGGER_TLS_COMPRESS,
	MW_FLAG_LOGGER_MIN_STATUS,
	MW_FLAG_TLS_DISABLE_STATUS_LOG,
	MW_FLAG_ALERT_QUERY_NAME,
	MW_FLAG_LOGGER_EVENTS,
	MW_FLAG_DISABLE_DISTRIBUTED,
	MW_FLAG_DISTRIBUTED_PLUGIN,
	MW_FLAG_DISTRIBUTED_INTERVAL,
	MW_FLAG_DISTRIBUTED_TLS_READ_ENDPOINT,
	MW_FLAG_DISTRIBUTED_TLS_WRITE_ENDPOINT,
	MW_FLAG_DISTRIBUTED_TLS_MAX_ATTEMPTS,
	MW_FLAG_DISTRIBUTED_DENYLIST_DURATION,
	MW_FLAG_DISTRIBUTED_LOGINFO,
	MW_FLAG_DISABLE_CARVER,
	MW_FLAG_CARVER_START_ENDPOINT,
	MW_FLAG_CARVER_CONTINUE_ENDPOINT,
	MW_FLAG_CARVER_BLOCK_SIZE,
	MW_FLAG_CARVER_COMPRESSION,
	MW_FLAG_CARVER_MAX_MIB,
	MW_FLAG_SCHEDULE_SPLAY_PERCENT,
	MW_FLAG_SCHEDULE_DEFAULT_INTERVAL,
	MW_FLAG_SCHEDULE_MAX_DRIFT,
	MW_FLAG_SCHEDULE_TIMEOUT,
	MW_FLAG_SCHEDULE_EPOCH,
	MW_FLAG_SCHEDULE_LOGNAMES,
	MW_FLAG_PACK_REFRESH_INTERVAL,
	MW_FLAG_PACK_DELIMITER,
	MW_FLAG_DISABLE_DECORATORS,
	MW_FLAG_DECORATIONS_TOP_LEVEL,
	MW_FLAG_LOGGER_EVENT_TYPE,
	MW_FLAG_LOGGER_SNAPSHOT_EVENT_TYPE,
	MW_FLAG_LOGGER_NUMERICS,
	MW_FLAG_NULLVALUE,
	MW_FLAG_EVENTS_OPTIMIZE,
	MW_FLAG_SCHEDULE_EVENT_ROWS,
	MW_FLAG_QUERY_TIMEOUT_MS,
	MW_FLAG_QUERY_MEMORY_MIB,
	MW_FLAG_QUERY_RESULT_KIB,
	MW_FLAG_AWS_ENVIRONMENT_KEYS,
	MW_FLAG_RULES_DIR,
	MW_FLAG_RULES_FILE,
	MW_FLAG_BUNDLE_KEYS,
	MW_FLAG_BUNDLE_URL,
	MW_FLAG_BUNDLE_INTERVAL,
	MW_FLAG_OUTPUTS,
	MW_FLAG_BACKEND_OUTPUT_SECRETS,
	MW_FLAG_STATE_DIR,
	MW_FLAG_SPOOL_LIMIT_MIB,
	MW_FLAG_BUFFERED_LOG_MAX,
	MW_FLAG_SPOOL_HANDOVER,
	MW_FLAG_RING_SIZE_MIB,
	MW_FLAG_ATTACH_TIMEOUT_MS,
	MW_FLAG_SHUTDOWN_FLUSH_MS,
	MW_FLAG_RULE_EVENT_INSTRUCTIONS,
	MW_FLAG_RULE_MEMORY_MIB,
	MW_FLAG_COUNT,
};

struct mw_flag {
	const char *name;
	const char *alias; /* another name of it, or NULL */
	enum mw_flag_type type;
	bool is_local;              /* not to be set by a profile or a backend */
	bool is_live;               /* may change while the sensor runs */
	int64_t min, max;           /* MW_FLAG_INT */
	int64_t def;                /* MW_FLAG_INT, MW_FLAG_BOOL */
	const char *def_text;       /* MW_FLAG_TEXT, MW_FLAG_ENUM */
	const char *const *choices; /* MW_FLAG_ENUM, ended by NULL */
	/* MW_FLAG_TEXT: what a value begins with, ended by NULL.  One that does not may be a secret that was meant to be elsewhere,
	 * so no message quotes it. */
	const char *const *prefixes;
	const char *doc;
};

extern const struct mw_flag mw_flag_list[MW_FLAG_COUNT];

/* By its name or its alias.  NULL when there is no such flag. */
const struct mw_flag *mw_flag_find(const char *name);
/* The known name nearest to `name`, NULL when none is near. */
const char *mw_flag_nearest(const char *name);
/* Append the list of all flags, as --help shows it. */
void mw_flag_help(struct mw_buf *out);

enum {
	/* Longest text value, with its NUL; a list of outputs or folders may well be longer than one path. */
	MW_FLAG_TEXT_BYTES = 8192,
	/* Longest flag file. */
	MW_FLAG_FILE_BYTES = 65536,
};

struct mw_flags;

/* All at their defaults.  NULL when memory is exhausted. */
struct mw_flags *mw_flags_new(void);
void mw_flags_free(struct mw_flags *flags);
/* All values and where they are from, for another thread.  NULL when memory is exhausted. */
struct mw_flags *mw_flags_copy(const struct mw_flags *flags);

/* What the profile says of rules besides flags, as JSON (rule/engine.h); "" of nothing.  -ENOMEM. */
int mw_flags_set_rules(struct mw_flags *flags, const char *json);
const char *mw_flags_rules(const struct mw_flags *flags);

/* Set by name; kept only when no higher source has set it.  -ENOENT for an unknown name (err names the nearest one),
 * -EINVAL or -ERANGE for a bad value (err says what is allowed), -EPERM for a local flag from elsewhere.  On failure nothing changes.
 * `text` is NULL for a flag given without a value, which is right for a bool alone. */
int mw_flags_set(struct mw_flags *flags, const char *name, const char *text, enum mw_flag_source source,
		 struct mw_err *err);
/* The same, from a place worth remembering (a file or profile), copied. */
int mw_flags_set_at(struct mw_flags *flags, const char *name, const char *text, enum mw_flag_source source,
		    const char *origin, struct mw_err *err);
/* Back to its default, when `source` is where its value is from. */
void mw_flags_reset(struct mw_flags *flags, enum mw_flag_id id, enum mw_flag_source source);
/* Is `text` a value that the flag may have, from that source?  As mw_flags_set(), and nothing changes. */
int mw_flags_check(const char *name, const char *text, enum mw_flag_source source, struct mw_err *err);

/* Take leading `--name=value`, `--name value`, `--name` and `--no-name` (bool) arguments off argv, up to `--` or the
 * first that is no flag.  argv[0] is the first argument, not the command's name.  A bool takes no separate value;
 * `-name` with one dash is refused as an unknown flag.  *ret_rest is the index of the first argument not taken (after
 * a `--`).  Errors as mw_flags_set(). */
int mw_flags_parse_arguments(struct mw_flags *flags, int argc, char *const *argv, int *ret_rest, struct mw_err *err);

/* MOONWATCH_NAME=value; an empty value counts as not set (task definitions often pass unused parameters so).  A name
 * that is no flag is not an error, since an orchestrator may put its own MOONWATCH_… there; the first that looks like a
 * slip is told in `ret_warning` (may be NULL; "" when there is none).  A bad value is an error. */
int mw_flags_parse_environment(struct mw_flags *flags, char *const *environment, struct mw_err *ret_warning,
			       struct mw_err *err);

/* A file of lines `--name=value` (or `--name`, `--no-name`); blank lines and lines that begin with # are skipped, and
 * so are spaces around a line.  It may not name another flag file.  Errors name file and line; of the lines above the
 * error, values may have been set.  -EFBIG past MW_FLAG_FILE_BYTES; -EPERM when running as root and others own the file
 * or may write to it. */
int mw_flags_parse_file(struct mw_flags *flags, const char *path, struct mw_err *err);

bool mw_flag_bool(const struct mw_flags *flags, enum mw_flag_id id);
int64_t mw_flag_int(const struct mw_flags *flags, enum mw_flag_id id);
/* MW_FLAG_ENUM: the place of the value among the choices, from 0. */
int mw_flag_choice(const struct mw_flags *flags, enum mw_flag_id id);
/* Never NULL; "" when not set.  Borrowed until the flag is set again. */
const char *mw_flag_text(const struct mw_flags *flags, enum mw_flag_id id);
enum mw_flag_source mw_flag_source(const struct mw_flags *flags, enum mw_flag_id id);
/* "command line", "environment", … */
const char *mw_flag_source_name(enum mw_flag_source source);
/* Where exactly: the file or profile; "" when the source says it all. */
const char *mw_flag_origin(const struct mw_flags *flags, enum mw_flag_id id);
/* The value as text, whatever the type. */
void mw_flag_format(const struct mw_flags *flags, enum mw_flag_id id, struct mw_buf *out);

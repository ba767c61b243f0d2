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

#define ENUM(name_, def_, choices_, doc_) \
	{ \
		.name = (name_), .type = MW_FLAG_ENUM, .def_text = (def_), .choices = (choices_), .doc = (doc_) \
	}

/* Those that may change while the sensor runs. */
#define LIVE_BOOL(name_, def_, doc_) \
	{ \
		.name = (name_), .type = MW_FLAG_BOOL, .is_live = true, .def = (def_), .doc = (doc_) \
	}
#define LIVE_INT(name_, def_, min_, max_, doc_) \
	{ \
		.name = (name_), .type = MW_FLAG_INT, .is_live = true, .def = (def_), .min = (min_), .max = (max_), \
		.doc = (doc_) \
	}
#define LIVE_TEXT(name_, def_, doc_) \
	{ \
		.name = (name_), .type = MW_FLAG_TEXT, .is_live = true, .def_text = (def_), .doc = (doc_) \
	}

enum {
	DAY_S = 24 * 3600,
};

static const char *const backends[] = {"custom", "doorman", "fleet", "osctrl", "uptycs", "zentral", NULL};
static const char *const config_plugins[] = {"tls", "filesystem", NULL};
static const char *const distributed_plugins[] = {"tls", NULL};
static const char *const identifiers[] = {"uuid", "hostname", "instance", "ephemeral", "specified", NULL};
static const char *const engines[] = {"auto", "ptrace", "notify", "poll", NULL};
static const char *const environments[] = {"none", "listed", "all", NULL};
static const char *const secrets[] = {"arn:", "ssm:", "secretsmanager:", "file:", "env:", NULL};
static const char *const hashes[] = {"none", "sha256", "all", NULL};
static const char *const debuggers[] = {"report", "yield", NULL};

const struct mw_flag mw_flag_list[MW_FLAG_COUNT] = {
	[MW_FLAG_PROFILE] =
		LIVE_TEXT("profile", "default",
			  "Set of flag values: a name of policies/ (default, minimal, audit, strict), or the "
			  "absolute path of a Lua file."),
	[MW_FLAG_FLAGFILE] = TEXT("flagfile", "", "File of flags, one --name=value a line."),
	[MW_FLAG_CONFIG_PATH] = TEXT(
		"config_path", "",
		"File of osquery's configuration, JSON: file_paths, file_paths_query, exclude_paths, file_accesses, and "
		"options (flags). It is read again whenever it changes."),

	[MW_FLAG_AUDIT_ALLOW_PROCESS_EVENTS] =
		LIVE_BOOL("audit_allow_process_events", true,
			  "See processes start, fork and end. Without it the application is not traced at all."),
	[MW_FLAG_AUDIT_ALLOW_FORK_PROCESS_EVENTS] =
		LIVE_BOOL("audit_allow_fork_process_events", false,
			  "Keep forks in the spool, and so in process_events. Rules and outputs see them anyway."),
	[MW_FLAG_AUDIT_ALLOW_EXIT_PROCESS_EVENTS] = LIVE_BOOL(
		"audit_allow_exit_process_events", false,
		"Keep ends of processes in the spool, and so in process_events. Rules and outputs see them anyway."),

	[MW_FLAG_AUDIT_ALLOW_SOCKETS] = LIVE_BOOL(
		"audit_allow_sockets", true,
		"See sockets connect, listen and accept: of all processes by looking now and then, of those under "
		"attention `calls` exactly."),

	[MW_FLAG_ALLOW_INOTIFY_FILE_EVENTS] =
		{
			.name = "allow_inotify_file_events",
			.alias = "enable_file_events",
			.type = MW_FLAG_BOOL,
			.is_live = true,
			.def = true,
			.doc = "See what happens to the files of file_paths: file.* events, the table file_events.",
		},
	[MW_FLAG_FILE_EVENTS_HASHES] =
		{
			.name = "file_events_hashes",
			.type = MW_FLAG_ENUM,
			.is_live = true,
			.def_text = "all",
			.choices = hashes,
			.doc = "Hashes of files that were made or changed: none, sha256, all (md5, sha1, sha256).",
		},
	[MW_FLAG_READ_MAX] =
		{
			.name = "read_max",
			.type = MW_FLAG_INT,
			.is_live = true,
			.def = 50 << 20,
			.min = 0,
			.max = INT64_C(1) << 40,
			.doc = "Size of the largest file that is read, to hash it, in bytes.",
		},
	[MW_FLAG_FILE_BASELINE] =
		BOOL("file_baseline", true,
		     "Record once at the start what the watched files are, for the table file_baseline."),
	[MW_FLAG_FILE_BASELINE_HASHES] =
		BOOL("file_baseline_hashes", false, "Record their SHA-256, too; reads all of them, slowly."),
	[MW_FLAG_INOTIFY_WATCH_SHARE] = INT(
		"inotify_watch_share", 25, 1, 100,
		"Part of the inotify watches the application's user may still have (fs.inotify.max_user_watches) that is "
		"taken, in percent; directories beyond it are looked at now and then."),
	[MW_FLAG_WATCH_POLL_INTERVAL_MS] = INT("watch_poll_interval_ms", 5000, 100, 3600000,
					       "How often directories are looked at that cannot be watched, in ms."),

	[MW_FLAG_ENGINE] = ENUM(
		"engine", "auto", engines,
		"How processes are seen: ptrace (exact, no cost between events), notify (seccomp user "
		"notification: exact for sockets and writing of all processes; without the capability "
		"SYS_ADMIN it takes away the effect of setuid programs), poll (looks at /proc now and then), auto (ptrace, else poll)."),
	[MW_FLAG_ATTACH] =
		BOOL("attach", false,
		     "Also watch the processes of this container that are older than the sensor; never in the "
		     "initial PID namespace. No COMMAND is needed then."),
	[MW_FLAG_ATTENTION_STOPS_PER_S] =
		INT("attention_stops_per_s", 20000, 0, 10000000,
		    "Stops at system calls that all processes under attention `calls` may cost together, in a second; "
		    "past it they fall back to `events`, and are counted. 0: no limit."),
	[MW_FLAG_ATTENTION_CPU_PERCENT] =
		INT("attention_cpu_percent", 20, 0, 100,
		    "Part of one CPU the tracer may take for attention `calls`, in percent; as attention_stops_per_s."),
	[MW_FLAG_ATTENTION_STARTUP_MS] = INT(
		"attention_startup_ms", 10000, 0, 3600000,
		"How long the start-up phase of the container lasts, in which its own programs get less attention; in ms."),
	[MW_FLAG_SOCKETS_INTERVAL_MS] = INT("sockets_interval_ms", 1000, 50, 3600000,
					    "How often the sockets of all processes are looked at, in ms."),
	[MW_FLAG_PROCESSES_INTERVAL_MS] =
		INT("processes_interval_ms", 100, 10, 60000, "How often --engine=poll looks at /proc, in ms."),
	[MW_FLAG_EXEC_ENVIRONMENT] =
		ENUM("exec_environment", "listed", environments,
		     "Variables of a new program's environment that events have: none, listed (those that change how "
		     "programs load and shells log), all. Values of names that look secret are blotted out."),
	[MW_FLAG_EXEC_SHA256] =
		BOOL("exec_sha256", false,
		     "Hash the executable of every program that starts; without it, only when a rule asks."),
	[MW_FLAG_ALLOW_PLAIN_ENV] =
		{.name = "allow_plain_env",
		 .type = MW_FLAG_BOOL,
		 .is_local = true,
		 .doc = "Show secrets in environments and command lines as they are, in events, alerts and SQL, instead of "
			"[redacted:…]. To be set on the command line, in the environment or in the flag file alone."},
	[MW_FLAG_ENFORCE] = BOOL("enforce", false, "Let rules with respond = \"kill\" or \"deny\" act."),
	[MW_FLAG_ENFORCE_DEADLINE_MS] =
		INT("enforce_deadline_ms", 50, 1, 5000,
		    "How long a new program may wait for the verdict of enforcing rules, in ms; then it is let go, and "
		    "counted."),
	[MW_FLAG_DEBUGGERS] =
		ENUM("debuggers", "report", debuggers,
		     "What happens when a debugger (gdb, strace) starts in the container: report (it is told, "
		     "and fails, since a process has one tracer), yield (let go of what it is to trace)."),

	[MW_FLAG_BACKEND] = ENUM(
		"backend", "custom", backends,
		"Which paths the backend has: those of fleet, uptycs, osctrl, zentral or doorman; custom: those that "
		"*_tls_endpoint name alone. UPTYCS_HOSTNAME in the environment means uptycs."),
	[MW_FLAG_BACKEND_PATH] =
		TEXT("backend_path", "",
		     "What the paths of --backend begin with: of osctrl / and the UUID of the environment, of zentral "
		     "/public unless said otherwise."),
	[MW_FLAG_TLS_HOSTNAME] = TEXT("tls_hostname", "", "The backend: HOST or HOST:PORT."),
	[MW_FLAG_TLS_SERVER_CERTS] =
		TEXT("tls_server_certs", "",
		     "File of the certificates, PEM, that the backend's own is signed by; without it, those that "
		     "this system trusts."),
	[MW_FLAG_TLS_CLIENT_CERT] = TEXT("tls_client_cert", "", "File of our own certificate, PEM, for the backend."),
	[MW_FLAG_TLS_CLIENT_KEY] = TEXT("tls_client_key", "", "File of its key, PEM."),
	[MW_FLAG_TLS_PINNED_KEY] = TEXT(
		"tls_pinned_key", "",
		"The public key that the backend must have, whoever signed it: sha256//BASE64, several with ';' between."),
	[MW_FLAG_PROXY_HOSTNAME] =
		TEXT("proxy_hostname", "",
		     "HOST or HOST:PORT (3128) of a proxy to reach the backend by. HTTPS_PROXY has no say."),
	[MW_FLAG_ALLOW_PLAIN_HTTP] =
		{.name = "allow_plain_http",
		 .type = MW_FLAG_BOOL,
		 .is_local = true,
		 .doc = "Talk to the backend without TLS. To this machine alone (127.0.0.1, ::1, localhost): for tests."},
	[MW_FLAG_HOST_IDENTIFIER] = ENUM(
		"host_identifier", "uuid", identifiers,
		"What the backend knows this by: uuid (on ECS made of the task's ARN and the container's name, else of "
		"machine-id and host name), hostname, instance (random, kept in the state folder), ephemeral (random), "
		"specified."),
	[MW_FLAG_SPECIFIED_IDENTIFIER] = TEXT("specified_identifier", "", "That of --host_identifier=specified."),
	[MW_FLAG_ENROLL_SECRET] =
		{.name = "enroll_secret",
		 .type = MW_FLAG_TEXT,
		 .def_text = "",
		 .prefixes = secrets,
		 .doc = "Where the secret to enrol with is: arn:…, ssm:NAME, secretsmanager:NAME[#key], "
			"file:PATH or env:NAME, which is taken out of the application's environment."},
	[MW_FLAG_ENROLL_SECRET_PATH] =
		TEXT("enroll_secret_path", "", "File that holds it; as --enroll_secret=file:PATH."),
	[MW_FLAG_ENROLL_SECRET_ENV] =
		TEXT("enroll_secret_env", "", "Variable that holds it; as --enroll_secret=env:NAME."),
	[MW_FLAG_ENROLL_TLS_ENDPOINT] =
		TEXT("enroll_tls_endpoint", "", "Path to enrol at; empty: that of --backend, as with all *_endpoint."),
	[MW_FLAG_ENROLL_ALWAYS] = BOOL("enroll_always", false, "Enrol at each start, though there is a node key."),
	[MW_FLAG_DISABLE_ENROLLMENT] = BOOL("disable_enrollment", false,
					    "Do not enrol, and send an empty node key: for certificates of our own."),
	[MW_FLAG_DISABLE_REENROLLMENT] =
		BOOL("disable_reenrollment", false, "Keep the node key though the backend says that it is invalid."),
	[MW_FLAG_TLS_ENROLL_MAX_ATTEMPTS] = INT(
		"tls_enroll_max_attempts", 12, 0, 1000000,
		"After so many failures in a row another try is made only about every tls_enroll_max_interval; 0: the "
		"pauses grow up to it, and no more."),
	[MW_FLAG_TLS_ENROLL_MAX_INTERVAL] = INT("tls_enroll_max_interval", 600, 1, DAY_S,
						"The longest pause between two tries to enrol, in seconds."),

	[MW_FLAG_CONFIG_PLUGIN] = ENUM("config_plugin", "tls", config_plugins,
				       "Whether the backend configures (tls), or --config_path alone (filesystem)."),
	[MW_FLAG_CONFIG_TLS_ENDPOINT] = TEXT("config_tls_endpoint", "", "Path of the configuration."),
	[MW_FLAG_CONFIG_REFRESH] = {.name = "config_refresh",
				    .alias = "config_tls_refresh",
				    .type = MW_FLAG_INT,
				    .is_live = true,
				    .def = 300,
				    .max = DAY_S,
				    .doc = "How often the configuration is asked for, in seconds; 0: once."},
	[MW_FLAG_CONFIG_ACCELERATED_REFRESH] =
		LIVE_INT("config_accelerated_refresh", 300, 1, DAY_S, "The same while it cannot be had."),
	[MW_FLAG_CONFIG_TLS_MAX_ATTEMPTS] =
		LIVE_INT("config_tls_max_attempts", 3, 1, 100, "Tries to get the configuration at one time."),
	[MW_FLAG_CONFIG_ENABLE_BACKUP] =
		BOOL("config_enable_backup", true,
		     "Keep the last good configuration in the state folder, and use it until there is another."),

	[MW_FLAG_LOGGER_PLUGIN] =
		TEXT("logger_plugin", "tls",
		     "A list; with tls in it results, events, alerts and statuses go to the backend."),
	[MW_FLAG_LOGGER_TLS_ENDPOINT] = TEXT("logger_tls_endpoint", "", "Path they are sent to."),
	[MW_FLAG_LOGGER_TLS_PERIOD] =
		LIVE_INT("logger_tls_period", 4, 1, 3600, "How often, in seconds; alerts go at once."),
	[MW_FLAG_LOGGER_TLS_MAX_LINES] = LIVE_INT("logger_tls_max_lines", 1024, 1, 65536, "Lines sent at once."),
	[MW_FLAG_LOGGER_TLS_MAX_LINESIZE] = {.name = "logger_tls_max_linesize",
					     .alias = "logger_tls_max",
					     .type = MW_FLAG_INT,
					     .is_live = true,
					     .def = 1 << 20,
					     .min = 1024,
					     .max = 16 << 20,
					     .doc = "Bytes of the longest line that is sent."},
	[MW_FLAG_LOGGER_TLS_BACKOFF_MAX] =
		LIVE_INT("logger_tls_backoff_max", 300, 1, 3600, "The longest pause after failures, in seconds."),
	[MW_FLAG_LOGGER_TLS_COMPRESS] = LIVE_BOOL("logger_tls_compress", false,
						  "Pack what is sent by gzip; done anyway with fleet and osctrl."),
	[MW_FLAG_LOGGER_MIN_STATUS] = LIVE_INT("logger_min_status", 0, 0, 2,
					       "Statuses that are sent: from 0 (all), 1 (warnings), 2 (errors) on."),
	[MW_FLAG_TLS_DISABLE_STATUS_LOG] = LIVE_BOOL("tls_disable_status_log", false, "Send no statuses."),
	[MW_FLAG_ALERT_QUERY_NAME] = LIVE_TEXT("alert_query_name", "moonwatch_alerts",
					       "Name of the query that alerts seem to be results of."),
	[MW_FLAG_LOGGER_EVENTS] = LIVE_BOOL(
		"logger_events", true,
		"Send all events as rows of the tables they are in, in batches, and not only what scheduled queries find of them."),

	[MW_FLAG_DISABLE_DISTRIBUTED] =
		LIVE_BOOL("disable_distributed", false, "Do not ask the backend for queries to be answered now."),
	[MW_FLAG_DISTRIBUTED_PLUGIN] = ENUM("distributed_plugin", "tls", distributed_plugins, "Where they come from."),
	[MW_FLAG_DISTRIBUTED_INTERVAL] =
		LIVE_INT("distributed_interval", 60, 1, DAY_S, "How often it is asked for them, in seconds."),
	[MW_FLAG_DISTRIBUTED_TLS_READ_ENDPOINT] = TEXT("distributed_tls_read_endpoint", "", "Path they are read from."),
	[MW_FLAG_DISTRIBUTED_TLS_WRITE_ENDPOINT] =
		TEXT("distributed_tls_write_endpoint", "", "Path their answers go to."),
	[MW_FLAG_DISTRIBUTED_TLS_MAX_ATTEMPTS] =
		LIVE_INT("distributed_tls_max_attempts", 3, 1, 100, "Tries at one time."),
	[MW_FLAG_DISTRIBUTED_DENYLIST_DURATION] =
		LIVE_INT("distributed_denylist_duration", DAY_S, 0, 365 * DAY_S,
			 "How long a query is not run again that was running when the sensor died, in seconds."),
	[MW_FLAG_DISTRIBUTED_LOGINFO] = LIVE_BOOL("distributed_loginfo", false, "Send a status about each of them."),

	[MW_FLAG_DISABLE_CARVER] = {.name = "disable_carver",
				    .type = MW_FLAG_BOOL,
				    .is_local = true,
				    .def = true,
				    .doc = "Send no files to the backend, whatever it asks. To be allowed here alone."},
	[MW_FLAG_CARVER_START_ENDPOINT] = TEXT("carver_start_endpoint", "", "Path where sending a file begins."),
	[MW_FLAG_CARVER_CONTINUE_ENDPOINT] = TEXT("carver_continue_endpoint", "", "Path its pieces go to."),
	[MW_FLAG_CARVER_BLOCK_SIZE] = INT("carver_block_size", 8192, 512, 8 << 20, "Bytes of a piece."),
	[MW_FLAG_CARVER_COMPRESSION] =
		BOOL("carver_compression", false, "Pack them by zstd, where this system has libzstd."),
	[MW_FLAG_CARVER_MAX_MIB] = INT("carver_max_mib", 256, 1, 65536,
				       "Files of one request together may have so many MiB; more is refused."),

	[MW_FLAG_SCHEDULE_SPLAY_PERCENT] = LIVE_INT(
		"schedule_splay_percent", 10, 0, 100,
		"How far the interval of a scheduled query may be off what is written, in percent, so that not "
		"all run at the same time. Drawn once."),
	[MW_FLAG_SCHEDULE_DEFAULT_INTERVAL] =
		LIVE_INT("schedule_default_interval", 3600, 1, 604800, "That of queries without one, in seconds."),
	[MW_FLAG_SCHEDULE_MAX_DRIFT] = LIVE_INT(
		"schedule_max_drift", 60, 0, 3600,
		"How far the schedule may fall behind and catch up again, in seconds; past it what was due is left out."),
	[MW_FLAG_SCHEDULE_TIMEOUT] =
		LIVE_INT("schedule_timeout", 0, 0, 365 * DAY_S, "End the schedule after so many seconds; 0: never."),
	[MW_FLAG_SCHEDULE_EPOCH] = LIVE_INT("schedule_epoch", 0, 0, INT64_MAX,
					    "In result lines; when it changes, all rows are told anew."),
	[MW_FLAG_SCHEDULE_LOGNAMES] =
		LIVE_BOOL("schedule_lognames", false, "Tell of each scheduled query that runs, in a status."),
	[MW_FLAG_PACK_REFRESH_INTERVAL] =
		LIVE_INT("pack_refresh_interval", 3600, 1, 365 * DAY_S,
			 "How long the answers of a pack's discovery queries hold, in seconds."),
	[MW_FLAG_PACK_DELIMITER] =
		LIVE_TEXT("pack_delimiter", "_", "Between the parts of a pack query's name: pack_PACK_QUERY."),
	[MW_FLAG_DISABLE_DECORATORS] = LIVE_BOOL("disable_decorators", false, "Run no decorators."),
	[MW_FLAG_DECORATIONS_TOP_LEVEL] =
		LIVE_BOOL("decorations_top_level", false,
			  "Put decorations beside the members of a line, not into one of their own."),
	[MW_FLAG_LOGGER_EVENT_TYPE] = LIVE_BOOL(
		"logger_event_type", true, "Write differential results a line each row; without it a line each run."),
	[MW_FLAG_LOGGER_SNAPSHOT_EVENT_TYPE] =
		LIVE_BOOL("logger_snapshot_event_type", false, "Write snapshots a line each row, too."),
	[MW_FLAG_LOGGER_NUMERICS] =
		LIVE_BOOL("logger_numerics", false, "Write numbers in results as numbers, not as texts."),
	[MW_FLAG_NULLVALUE] = LIVE_TEXT("nullvalue", "", "What NULL is in results."),
	[MW_FLAG_EVENTS_OPTIMIZE] =
		LIVE_BOOL("events_optimize", true,
			  "Let scheduled queries over event tables read each event once, and no state be kept."),
	[MW_FLAG_SCHEDULE_EVENT_ROWS] =
		LIVE_INT("schedule_event_rows", 10000, 100, 1000000,
			 "Events that such a query reads at once; what is left comes in the next second."),
	[MW_FLAG_QUERY_TIMEOUT_MS] = LIVE_INT(
		"query_timeout_ms", 30000, 10, 3600000,
		"How long a query beside the sensor's loop may take (of the schedule, of the backend), in ms."),
	[MW_FLAG_QUERY_MEMORY_MIB] = LIVE_INT("query_memory_mib", 64, 1, 4096, "How much memory, in MiB."),
	[MW_FLAG_QUERY_RESULT_KIB] =
		LIVE_INT("query_result_kib", 4096, 1, 8192, "How large its result may be, in KiB."),

	[MW_FLAG_AWS_ENVIRONMENT_KEYS] = BOOL(
		"aws_environment_keys", true,
		"Use AWS_ACCESS_KEY_ID and its kind before the role of the task; they may be the application's own."),

	[MW_FLAG_RULES_DIR] = TEXT("rules_dir", "", "Folders of further rules, separated by ':'."),
	[MW_FLAG_RULES_FILE] =
		TEXT("rules_file", "",
		     "Changes to rules (disable, enable, override, exceptions): a Lua or JSON file; without it "
		     "/etc/moonwatch/rules.lua, if there is one."),
	[MW_FLAG_BUNDLE_KEYS] =
		{.name = "bundle_keys",
		 .type = MW_FLAG_TEXT,
		 .is_local = true,
		 .def_text = "",
		 .doc = "Public keys of who may sign bundles of rules, ed25519:…, with commas between; without "
			"one no bundle is taken. To be set here alone."},
	[MW_FLAG_BUNDLE_URL] =
		TEXT("bundle_url", "", "Where a bundle of rules is fetched from, https://…; see docs/bundles.md."),
	[MW_FLAG_BUNDLE_INTERVAL] = LIVE_INT("bundle_interval", 3600, 1, DAY_S,
					     "How often it is asked for, in seconds, a tenth more or less."),
	[MW_FLAG_OUTPUTS] = TEXT(
		"outputs", "alerts/text:stderr",
		"What is written where: STREAM[+STREAM]/FORMAT:SINK[=TARGET[;OPTION=VALUE]],… with streams alerts, "
		"events, results and status; formats text, json, osquery, ecs, ocsf, cef, falco and rfc5424 "
		"(docs/formats.md); sinks stderr, stdout, file, http, forward, syslog, nats, kinesis and firehose "
		"(docs/outputs.md)."),
	[MW_FLAG_BACKEND_OUTPUT_SECRETS] =
		{.name = "backend_output_secrets",
		 .type = MW_FLAG_TEXT,
		 .is_local = true,
		 .def_text = "",
		 .doc = "Where secrets are kept (env:NAME, file:PATH, ssm:NAME, …, with commas between) that outputs "
			"of a backend's configuration may name. To be set here alone."},

	[MW_FLAG_STATE_DIR] =
		TEXT("state_dir", "/var/lib/moonwatch",
		     "Folder of the event spool. When it cannot be written to, a private folder in $TMPDIR, "
		     "/tmp or /dev/shm takes its place, else memory."),
	[MW_FLAG_SPOOL_LIMIT_MIB] = INT(
		"spool_limit_mib", 256, 8, 65536,
		"Disk the event spool may take, in MiB; past it the lowest value is dropped first, and counted: events, "
		"status lines, results, alerts; of each the oldest."),
	[MW_FLAG_BUFFERED_LOG_MAX] = INT(
		"buffered_log_max", 1000000, 0, INT64_C(1) << 40,
		"Rows the event spool may hold: events, alerts, results and status lines; as spool_limit_mib. 0: no limit."),
	[MW_FLAG_SPOOL_HANDOVER] = TEXT(
		"spool_handover", "",
		"Folder, of a volume that other containers have too: what could not be delivered by the end is left there, for "
		"`moonwatch drain`."),
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

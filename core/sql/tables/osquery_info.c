/* This program, in the words osquery has for itself. */

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json_find.h"
#include "crypto/digest_text.h"
#include "flag/flag.h"
#include "proc/procfs.h"
#include "sql/document.h"
#include "sql/spool_query.h"
#include "sql/table.h"
#include "sql/world.h"

enum {
	PID,
	UUID,
	INSTANCE_ID,
	VERSION,
	CONFIG_HASH,
	CONFIG_VALID,
	EXTENSIONS,
	BUILD_PLATFORM,
	BUILD_DISTRO,
	START_TIME,
	WATCHER,
	PLATFORM_MASK,
};

enum {
	PLATFORM_POSIX = 1,
	PLATFORM_LINUX = 8,
	CONFIG_BYTES = 1 << 20,
	HOST_BYTES = 4096,
	/* Newer than this, the sensor still writes; see sensor/health.h. */
	FRESH_S = 30,
};

static const struct mw_sql_column columns[] = {
	[PID] = {"pid", MW_SQL_INTEGER, 0, "Process id of the sensor; without one, of this program"},
	[UUID] = {"uuid", MW_SQL_TEXT, 0, "Id of the machine: /etc/machine-id", "nocase"},
	[INSTANCE_ID] = {"instance_id", MW_SQL_TEXT, 0, "Which run of the sensor: the beginning of its events' ids"},
	[VERSION] = {"version", MW_SQL_TEXT, 0, "Version of moonwatch", "version"},
	[CONFIG_HASH] = {"config_hash", MW_SQL_TEXT, 0, "SHA-256 of all flags and their values", "nocase"},
	[CONFIG_VALID] = {"config_valid", MW_SQL_INTEGER, 0, "Always 1: with wrong flags nothing starts"},
	[EXTENSIONS] = {"extensions", MW_SQL_TEXT, 0, "Always inactive"},
	[BUILD_PLATFORM] = {"build_platform", MW_SQL_TEXT, 0, "linux"},
	[BUILD_DISTRO] = {"build_distro", MW_SQL_TEXT, 0, "debian"},
	[START_TIME] = {"start_time", MW_SQL_INTEGER, 0,
			"When the sensor, or this program, started; in seconds since 1970"},
	[WATCHER] = {"watcher", MW_SQL_INTEGER, 0, "Process id of the guard; -1 without one"},
	[PLATFORM_MASK] = {"platform_mask", MW_SQL_INTEGER, 0, "9: Linux"},
	{0},
};

struct sensor {
	int64_t pid, guard, start;
	char run[20];
	bool is_there;
};

static void take(struct mw_spool_answer *answer, void *data)
{
	struct sensor *sensor = data;
	const char *run = mw_spool_answer_text(answer, 3);
	sensor->pid = mw_spool_answer_int(answer, 0);
	sensor->guard = mw_spool_answer_int(answer, 1);
	sensor->start = mw_spool_answer_int(answer, 2);
	(void)snprintf(sensor->run, sizeof(sensor->run), "%s", run ? run : "");
	sensor->is_there = true;
}

#define ROW(component, name) \
	"(SELECT json_extract(row.value, '$[2]') FROM json_each(newest.body) AS row WHERE" \
	" json_extract(row.value, '$[0]') = '" component "' AND json_extract(row.value, '$[1]') = '" name "')"

static const char question[] = "SELECT " ROW("sensor", "pid") ", " ROW(
	"guard", "pid") ", run_ns / 1000000000,"
			" printf('%016x', run_ns) FROM (SELECT * FROM health WHERE NOT has_ended"
			" ORDER BY time_ns DESC LIMIT 1) AS newest WHERE time_ns / 1000000000 >= ";

/* /etc/machine-id, machine-id(5), as other programs write UUIDs. */
static void add_uuid(const struct mw_sql_world *world, struct mw_rows *rows)
{
	char id[33];
	char uuid[37];
	MW_AUTO_FD fd =
		world->rootfd < 0 ? -1 : openat(world->rootfd, "etc/machine-id", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || read(fd, id, 32) != 32)
		return;
	id[32] = '\0';
	if (strspn(id, "0123456789abcdef") != 32)
		return;
	(void)snprintf(uuid, sizeof(uuid), "%.8s-%.4s-%.4s-%.4s-%.12s", id, id + 8, id + 12, id + 16, id + 20);
	mw_rows_string(rows, UUID, uuid);
}

/* What backends are told that this is: lua/moonwatch/osquery/identity.lua. */
static void add_identity(struct mw_sql_world *world, struct mw_rows *rows)
{
	static const struct {
		const char *name;
		unsigned column;
	} parts[] = {{"uuid", UUID}, {"instance_id", INSTANCE_ID}};
	MW_AUTO(mw_buf) host = MW_BUF(HOST_BYTES);
	if (mw_sql_document(world, "host", &host) < 0)
		return;
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		struct mw_json_value value;
		char text[HOST_BYTES];
		if (mw_json_member(host.data, host.size, parts[i].name, &value) == 0 && value.type == MW_JSON_STRING)
			mw_rows_text(rows, parts[i].column, text, mw_json_unescape(&value, text));
	}
}

static void add_hash(const struct mw_flags *flags, struct mw_rows *rows)
{
	MW_AUTO(mw_buf) text = MW_BUF(CONFIG_BYTES);
	char hex[MW_DIGEST_TEXT_BYTES];
	for (unsigned i = 0; i < MW_FLAG_COUNT; i++) {
		mw_buf_printf(&text, "--%s=", mw_flag_list[i].name);
		mw_flag_format(flags, (enum mw_flag_id)i, &text);
		mw_buf_char(&text, '\n');
	}
	mw_digest_text(text.data ? text.data : "", text.size, hex);
	mw_rows_string(rows, CONFIG_HASH, hex);
}

static int64_t own_start(void)
{
	MW_AUTO_FD procfd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	MW_AUTO_FD pidfd = -1;
	struct mw_proc_stat stat;
	if (procfd < 0 || mw_procfs_open_pid(procfd, getpid(), &pidfd) < 0 || mw_procfs_stat(pidfd, &stat) < 0)
		return mw_clock_real_ns() / MW_NS_PER_S;
	return (mw_procfs_boot_real_ns() + mw_procfs_ticks_ns(stat.start_ticks)) / MW_NS_PER_S;
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	struct sensor sensor = {0};
	char sql[2048];
	(void)err;
	(void)snprintf(sql, sizeof(sql), "%s%" PRId64, question, mw_clock_real_ns() / MW_NS_PER_S - FRESH_S);
	int r = mw_spool_ask(scan->world, sql, take, &sensor);
	if (r == 0)
		r = mw_rows_add(rows);
	if (r < 0)
		return r;
	mw_rows_int(rows, PID, sensor.is_there ? sensor.pid : getpid());
	add_uuid(scan->world, rows);
	if (sensor.is_there)
		mw_rows_string(rows, INSTANCE_ID, sensor.run);
	add_identity(scan->world, rows);
	mw_rows_string(rows, VERSION, MOONWATCH_VERSION);
	if (mw_sql_wants(scan, CONFIG_HASH))
		add_hash(scan->world->flags, rows);
	mw_rows_int(rows, CONFIG_VALID, 1);
	mw_rows_string(rows, EXTENSIONS, "inactive");
	mw_rows_string(rows, BUILD_PLATFORM, "linux");
	mw_rows_string(rows, BUILD_DISTRO, "debian");
	mw_rows_int(rows, START_TIME, sensor.is_there ? sensor.start : own_start());
	mw_rows_int(rows, WATCHER, sensor.is_there && sensor.guard ? sensor.guard : -1);
	mw_rows_int(rows, PLATFORM_MASK, PLATFORM_POSIX | PLATFORM_LINUX);
	return 0;
}

const struct mw_sql_table mw_table_osquery_info = {
	.name = "osquery_info",
	.doc = "Which moonwatch this is, and whether a sensor runs.",
	.source = "this program, and the spool",
	.example = "SELECT version, pid, start_time FROM osquery_info",
	.columns = columns,
	.fill = fill,
};

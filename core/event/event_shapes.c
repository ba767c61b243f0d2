/* Every kind of event and every field, declared once.  A new field is a line here and a function that reads it. */

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "event/alert.h"
#include "event/event.h"

const struct mw_event_kind_info mw_event_kinds[MW_EVENT_KINDS] = {
	[MW_PROCESS_EXEC] = {"process.exec", "A program started: execve(2) succeeded."},
	[MW_PROCESS_FORK] = {"process.fork", "A process was born: fork(2), vfork(2) or clone(2); not a thread."},
	[MW_PROCESS_EXIT] = {"process.exit", "A process ended."},
	[MW_SENSOR_HEALTH] = {"sensor.health", "The sensor says something of itself."},
};

int mw_event_kind_from_name(const char *name, enum mw_event_kind *ret_kind)
{
	for (unsigned i = 0; i < MW_EVENT_KINDS; i++)
		if (strcmp(mw_event_kinds[i].name, name) == 0) {
			*ret_kind = (enum mw_event_kind)i;
			return 0;
		}
	return -ENOENT;
}

static void set_integer(struct mw_value *ret, enum mw_type type, int64_t integer)
{
	ret->type = type;
	ret->integer = integer;
}

static void set_int(struct mw_value *ret, int64_t integer)
{
	set_integer(ret, MW_INT, integer);
}

/* Absent when there is none. */
static void set_text(struct mw_value *ret, const char *text)
{
	if (!text || !*text)
		return;
	ret->type = MW_TEXT;
	ret->text = text;
	ret->bytes = strlen(text);
}

#define PROCESS(field, statement) \
	static void process_##field(const void *object, struct mw_value *ret) \
	{ \
		const struct mw_process *p = object; \
		statement; \
	}

#define IMAGE(field, statement) \
	static void process_##field(const void *object, struct mw_value *ret) \
	{ \
		const struct mw_image *i = ((const struct mw_process *)object)->image; \
		if (!i) \
			return; \
		statement; \
	}

static void set_strings(struct mw_value *ret, const char *strings, size_t bytes)
{
	ret->type = MW_STRINGS;
	ret->text = strings;
	ret->bytes = bytes;
}

static void set_object(struct mw_value *ret, const void *object)
{
	if (!object)
		return;
	ret->type = MW_OBJECT;
	ret->object = object;
}

PROCESS(pid, set_int(ret, p->pid))
PROCESS(ppid, set_int(ret, p->ppid))
IMAGE(name, set_text(ret, i->name))
IMAGE(exe, set_text(ret, i->exe))
IMAGE(inode, if (i->inode) set_int(ret, (int64_t)i->inode))
IMAGE(cmdline, set_text(ret, i->cmdline))
IMAGE(argv, if (i->argv) set_strings(ret, i->argv, i->argv_bytes))
IMAGE(argv_truncated, if (i->argv_truncated) set_integer(ret, MW_BOOL, 1))
IMAGE(argv_total_bytes, if (i->argv_truncated) set_int(ret, (int64_t)i->argv_total_bytes))
IMAGE(incomplete, if (i->incomplete) set_integer(ret, MW_BOOL, 1))
IMAGE(cwd, set_text(ret, i->cwd))
IMAGE(uid, set_int(ret, i->uid))
IMAGE(gid, set_int(ret, i->gid))
IMAGE(euid, set_int(ret, i->euid))
IMAGE(egid, set_int(ret, i->egid))
IMAGE(user, set_text(ret, i->user))
IMAGE(group, set_text(ret, i->user_group))
PROCESS(tty, set_text(ret, p->tty))
PROCESS(sid, if (p->session) set_int(ret, p->session))
PROCESS(pgid, if (p->group) set_int(ret, p->group))
PROCESS(start, if (p->start_ns) set_integer(ret, MW_TIME, p->start_ns))
PROCESS(exit_code, if (p->ended && p->exit_code >= 0) set_int(ret, p->exit_code))
PROCESS(exit_signal, if (p->ended && p->exit_signal) set_int(ret, p->exit_signal))
PROCESS(core_dumped, if (p->core_dumped) set_integer(ret, MW_BOOL, 1))
PROCESS(duration_ms, if (p->ended && p->start_ns) set_int(ret, (p->end_ns - p->start_ns) / MW_NS_PER_MS))
PROCESS(cpu_ms, if (p->ended) set_int(ret, p->cpu_ns / MW_NS_PER_MS))
PROCESS(max_rss_bytes, if (p->ended) set_int(ret, p->max_rss_bytes))
PROCESS(parent, set_object(ret, p->parent))

static void process_ancestors(const void *object, struct mw_value *ret)
{
	const struct mw_process *ancestor = ((const struct mw_process *)object)->parent;
	ret->type = MW_OBJECTS;
	ret->count = 0;
	for (; ancestor && ret->count < MW_ANCESTORS; ancestor = ancestor->parent)
		ret->objects[ret->count++] = ancestor;
}

static const char *const parent_json[] = {"pid", "name", "exe", "cmdline", "uid", NULL};
static const char *const ancestor_json[] = {"pid", "name", "exe", NULL};

static const struct mw_field process_fields[] = {
	{"pid", MW_INT, NULL, "Process id, as the container sees it.", .get = process_pid},
	{"ppid", MW_INT, NULL, "Process id of the parent at birth.", .get = process_ppid},
	{"name", MW_TEXT, NULL, "Command name (comm), at most 15 bytes.", .get = process_name},
	{"exe", MW_TEXT, NULL, "Path of the executable, resolved by the kernel.", .get = process_exe},
	{"inode", MW_INT, NULL, "Inode of the executable.", .get = process_inode},
	{"cmdline", MW_TEXT, NULL, "Arguments, joined by spaces.", .get = process_cmdline},
	{"argv", MW_STRINGS, NULL, "Arguments, from argv[0] on, as they were at exec.", .get = process_argv},
	{"argv_truncated", MW_BOOL, NULL, "True when argv was too long to keep whole.", .get = process_argv_truncated},
	{"argv_total_bytes", MW_INT, "bytes", "Size of the whole argv, when it was truncated.",
	 .get = process_argv_total_bytes},
	{"incomplete", MW_BOOL, NULL, "True when the process had gone before all could be read.",
	 .get = process_incomplete},
	{"cwd", MW_TEXT, NULL, "Working directory at exec.", .get = process_cwd},
	{"uid", MW_INT, NULL, "Real user id after exec.", .get = process_uid},
	{"gid", MW_INT, NULL, "Real group id after exec.", .get = process_gid},
	{"euid", MW_INT, NULL, "Effective user id after exec.", .get = process_euid},
	{"egid", MW_INT, NULL, "Effective group id after exec.", .get = process_egid},
	{"user", MW_TEXT, NULL, "Name of the effective user in /etc/passwd.", .get = process_user},
	{"group", MW_TEXT, NULL, "Name of the effective group in /etc/group.", .get = process_group},
	{"tty", MW_TEXT, NULL, "Controlling terminal below /dev; absent without one.", .get = process_tty},
	{"sid", MW_INT, NULL, "Session id.", .get = process_sid},
	{"pgid", MW_INT, NULL, "Process group id.", .get = process_pgid},
	{"start", MW_TIME, NULL, "When the process was born.", .get = process_start},
	{"exit_code", MW_INT, NULL, "Exit code; absent while it runs or when a signal ended it.",
	 .get = process_exit_code},
	{"exit_signal", MW_INT, NULL, "Number of the signal that ended it.", .get = process_exit_signal},
	{"core_dumped", MW_BOOL, NULL, "True when it left a core dump.", .get = process_core_dumped},
	{"duration_ms", MW_INT, "ms", "Time from birth to end.", .get = process_duration_ms},
	{"cpu_ms", MW_INT, "ms", "User and system time taken, with that of waited-for children left out.",
	 .get = process_cpu_ms},
	{"max_rss_bytes", MW_INT, "bytes", "Largest resident size.", .get = process_max_rss_bytes},
	{"parent", MW_OBJECT, NULL, "The parent at birth.", &mw_process_shape, parent_json, process_parent},
	{"ancestors", MW_OBJECTS, NULL, "Parent, its parent and so on: at most 16.", &mw_process_shape, ancestor_json,
	 process_ancestors},
	{0},
};

const struct mw_shape mw_process_shape = {
	.name = "Process",
	.doc = "A process.",
	.fields = process_fields,
};

static void event_time(const void *object, struct mw_value *ret)
{
	set_integer(ret, MW_TIME, ((const struct mw_event *)object)->time_ns);
}

static void event_kind(const void *object, struct mw_value *ret)
{
	set_text(ret, mw_event_kinds[((const struct mw_event *)object)->kind].name);
}

static void event_id(const void *object, struct mw_value *ret)
{
	set_text(ret, ((const struct mw_event *)object)->id);
}

static void event_process(const void *object, struct mw_value *ret)
{
	set_object(ret, ((const struct mw_event *)object)->process);
}

static void event_message(const void *object, struct mw_value *ret)
{
	set_text(ret, ((const struct mw_event *)object)->message);
}

static const struct mw_field event_fields[] = {
	{"time", MW_TIME, NULL, "When it happened.", .get = event_time},
	{"kind", MW_TEXT, NULL, "What happened: one of the kinds of events.", .get = event_kind},
	{"id", MW_TEXT, NULL, "Unique, and increasing within a run of the sensor.", .get = event_id},
	{"process", MW_OBJECT, NULL, "The process it happened to or that did it.", &mw_process_shape,
	 .get = event_process},
	{"message", MW_TEXT, NULL, "sensor.health: what the sensor has to say.", .get = event_message},
	{0},
};

const struct mw_shape mw_event_shape = {
	.name = "Event",
	.doc = "What happened.",
	.fields = event_fields,
};

const char *const mw_severity_names[MW_SEVERITIES] = {"info", "low", "medium", "high", "critical"};

static void rule_id(const void *object, struct mw_value *ret)
{
	set_text(ret, ((const struct mw_rule_info *)object)->id);
}

static void rule_severity(const void *object, struct mw_value *ret)
{
	set_text(ret, mw_severity_names[((const struct mw_rule_info *)object)->severity]);
}

static void rule_attack(const void *object, struct mw_value *ret)
{
	const struct mw_rule_info *rule = object;
	set_strings(ret, rule->attack, rule->attack_bytes);
}

static void rule_summary(const void *object, struct mw_value *ret)
{
	set_text(ret, ((const struct mw_rule_info *)object)->summary);
}

static const struct mw_field rule_fields[] = {
	{"id", MW_TEXT, NULL, "Name of the rule.", .get = rule_id},
	{"severity", MW_TEXT, NULL, "info, low, medium, high or critical.", .get = rule_severity},
	{"attack", MW_STRINGS, NULL, "MITRE ATT&CK technique ids.", .get = rule_attack},
	{"summary", MW_TEXT, NULL, "What the rule looks for.", .get = rule_summary},
	{0},
};

const struct mw_shape mw_rule_shape = {
	.name = "Rule",
	.doc = "The rule an alert comes from.",
	.fields = rule_fields,
};

/* The first fields are those of the alert's event. */
#define OF_EVENT(field) \
	static void alert_##field(const void *object, struct mw_value *ret) \
	{ \
		event_##field(((const struct mw_alert *)object)->event, ret); \
	}

OF_EVENT(time)
OF_EVENT(kind)
OF_EVENT(id)
OF_EVENT(process)

static void alert_rule(const void *object, struct mw_value *ret)
{
	set_object(ret, ((const struct mw_alert *)object)->rule);
}

static void alert_message(const void *object, struct mw_value *ret)
{
	set_text(ret, ((const struct mw_alert *)object)->message);
}

static const struct mw_field alert_fields[] = {
	{"time", MW_TIME, NULL, "When the event happened.", .get = alert_time},
	{"kind", MW_TEXT, NULL, "Kind of the event.", .get = alert_kind},
	{"id", MW_TEXT, NULL, "Id of the event; with the rule's id it is unique.", .get = alert_id},
	{"rule", MW_OBJECT, NULL, "The rule that matched.", &mw_rule_shape, .get = alert_rule},
	{"message", MW_TEXT, NULL, "What happened, in a sentence.", .get = alert_message},
	{"process", MW_OBJECT, NULL, "The process the event is about.", &mw_process_shape, .get = alert_process},
	{0},
};

const struct mw_shape mw_alert_shape = {
	.name = "Alert",
	.doc = "An event that a rule matched.",
	.fields = alert_fields,
};

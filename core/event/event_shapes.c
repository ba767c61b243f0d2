/* Every kind of event and every field, declared once.  A new field is a line here and a function that reads it. */

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "event/alert.h"
#include "event/event.h"
#include "event/level.h"
#include "event/lineage.h"
#include "event/set.h"

const struct mw_event_kind_info mw_event_kinds[MW_EVENT_KINDS] = {
	[MW_PROCESS_EXEC] = {"process.exec", "A program started: execve(2) succeeded."},
	[MW_PROCESS_EXEC_FAILED] = {"process.exec-failed", "execve(2) failed."},
	[MW_PROCESS_FORK] = {"process.fork", "A process was born: fork(2), vfork(2) or clone(2); not a thread."},
	[MW_PROCESS_EXIT] = {"process.exit", "A process ended."},
	[MW_PROCESS_PTRACE] = {"process.ptrace", "A process traces, or reads the memory of, another: ptrace(2), "
						 "process_vm_readv(2) and process_vm_writev(2)."},
	[MW_PROCESS_MEMFD] = {"process.memfd", "A file without a name was made: memfd_create(2)."},
	[MW_PROCESS_MOUNT] = {"process.mount",
			      "Something was mounted or unmounted: mount(2), umount2(2), move_mount(2)."},
	[MW_PROCESS_SETNS] = {"process.setns", "A process enters a namespace: setns(2)."},
	[MW_PROCESS_UNSHARE] = {"process.unshare", "A process leaves a namespace for a new one: unshare(2)."},
	[MW_PROCESS_BPF] = {"process.bpf", "bpf(2)."},
	[MW_PROCESS_MODULE] = {"process.module", "A kernel module is loaded or removed."},
	[MW_PROCESS_PRCTL_NAME] = {"process.prctl-name", "A process renames itself: PR_SET_NAME of prctl(2)."},
	[MW_PROCESS_DUP_TO_STDIO] = {"process.dup-to-stdio",
				     "Something is put in the place of descriptor 0, 1 or 2: dup2(2), dup3(2)."},
	[MW_PROCESS_SETUID] = {"process.setuid", "A process changes its user or group ids: setuid(2) and the like."},
	[MW_PROCESS_KILL] = {"process.kill", "A signal is sent to another process: kill(2) and the like."},
	[MW_FILE_OPEN] =
		{"file.open",
		 "A file is opened: open(2) and the like, with or without success; of watched files, in categories of "
		 "file_accesses alone."},
	[MW_FILE_ACCESS] = {"file.access", "A file is read from; told in categories of file_accesses alone."},
	[MW_FILE_CREATE] =
		{"file.create",
		 "A file, folder or device is made: open(2) with O_CREAT, mkdir(2), mknod(2); or one is moved to "
		 "where it is watched."},
	[MW_FILE_MODIFY] = {"file.modify", "The contents of a file change, or whoever has written to it closes it."},
	[MW_FILE_DELETE] =
		{"file.delete",
		 "A file or folder is removed: unlink(2), rmdir(2); or it is moved to where nothing is watched."},
	[MW_FILE_RENAME] = {"file.rename", "A file or folder is renamed: rename(2)."},
	[MW_FILE_LINK] = {"file.link", "A file gets a second name: link(2)."},
	[MW_FILE_SYMLINK] = {"file.symlink", "A symbolic link is made: symlink(2)."},
	[MW_FILE_ATTRIBUTES] =
		{"file.attributes",
		 "Mode, owner, size or times of a file change: chmod(2), chown(2), truncate(2), utimensat(2)."},
	[MW_SOCKET_CONNECT] = {"socket.connect", "A process connects to somewhere: connect(2)."},
	[MW_SOCKET_BIND] = {"socket.bind", "A socket gets an address: bind(2)."},
	[MW_SOCKET_LISTEN] = {"socket.listen", "A socket listens: listen(2)."},
	[MW_SOCKET_ACCEPT] = {"socket.accept", "A connection is accepted: accept(2)."},
	[MW_SENSOR_HEALTH] = {"sensor.health", "The sensor says something of itself."},
	[MW_SENSOR_GAP] = {"sensor.gap", "For some time not everything was seen."},
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

PROCESS(pid, set_int(ret, p->pid))
PROCESS(ppid, set_int(ret, p->ppid))
IMAGE(name, set_text(ret, i->name))
IMAGE(exe, set_text(ret, i->exe))
IMAGE(inode, if (i->inode) set_int(ret, (int64_t)i->inode))
IMAGE(execfn, set_text(ret, i->execfn))
IMAGE(script, set_text(ret, i->script))
IMAGE(program, set_text(ret, i->program))
IMAGE(deleted, if (i->is_deleted) set_integer(ret, MW_BOOL, 1))
IMAGE(memfd, if (i->is_memfd) set_integer(ret, MW_BOOL, 1))
IMAGE(fileless, if (i->is_fileless) set_integer(ret, MW_BOOL, 1))
IMAGE(dropped, if (i->is_dropped) set_integer(ret, MW_BOOL, 1))
IMAGE(secure, if (i->is_secure) set_integer(ret, MW_BOOL, 1))
IMAGE(observed_late, if (i->is_late) set_integer(ret, MW_BOOL, 1))
IMAGE(attention, if (i->level) set_text(ret, mw_level_name(i->level)))
IMAGE(sha256, set_text(ret, mw_image_sha256((struct mw_image *)(uintptr_t)i)))
IMAGE(sha256_known, set_text(ret, i->sha256))
IMAGE(env, if (i->env_bytes) set_strings(ret, i->env, i->env_bytes))
IMAGE(stdin, if (i->has_stdio) set_object(ret, &i->stdio[0]))
IMAGE(stdout, if (i->has_stdio) set_object(ret, &i->stdio[1]))
IMAGE(stderr, if (i->has_stdio) set_object(ret, &i->stdio[2]))
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
PROCESS(duration_ms, int64_t ns; if (p->ended && p->start_ns && !__builtin_sub_overflow(p->end_ns, p->start_ns, &ns))
		set_int(ret, ns / MW_NS_PER_MS))
PROCESS(cpu_ms, if (p->ended && p->cpu_ns >= 0) set_int(ret, p->cpu_ns / MW_NS_PER_MS))
PROCESS(max_rss_bytes, if (p->ended && p->max_rss_bytes >= 0) set_int(ret, p->max_rss_bytes))
PROCESS(parent, set_object(ret, p->parent))

/* Left out when there is nothing to tell, where that is known. */
static void process_lineage(const void *object, struct mw_value *ret)
{
	set_object(ret, object);
}

static void process_lineage_known(const void *object, struct mw_value *ret)
{
	if (((const struct mw_process *)object)->past)
		set_object(ret, object);
}

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
	{"execfn", MW_TEXT, NULL, "Path as it was given to execve(2).", .get = process_execfn},
	{"script", MW_TEXT, NULL, "Path of the script that the executable interprets (#!).", .get = process_script},
	{"program", MW_TEXT, NULL,
	 "Path of the program that the executable, a dynamic loader started as a command, loads.",
	 .get = process_program},
	{"deleted", MW_BOOL, NULL, "True when the executable had no name left at exec.", .get = process_deleted},
	{"memfd", MW_BOOL, NULL, "True when the executable lives in memory only: memfd_create(2).",
	 .get = process_memfd},
	{"fileless", MW_BOOL, NULL,
	 "True when the executable or what it runs has no name on a disk: deleted, memfd, or in /dev/shm.",
	 .get = process_fileless},
	{"dropped", MW_BOOL, NULL, "True when the executable, or what it runs, was made after the container's start.",
	 .get = process_dropped},
	{"secure", MW_BOOL, NULL,
	 "True when the kernel let it gain privilege: a setuid program or one with capabilities.",
	 .get = process_secure},
	{"observed_late", MW_BOOL, NULL, "True when it was found running and not seen at its start.",
	 .get = process_observed_late},
	{"attention", MW_TEXT, NULL, "How closely it is watched: off, events or calls.", .get = process_attention},
	{"sha256", MW_TEXT, NULL, "SHA-256 of the executable, read when first asked for; JSON has it when it is known.",
	 .get = process_sha256, .get_known = process_sha256_known},
	{"env", MW_STRINGS, NULL, "Variables of its environment that are kept, NAME=value; secrets blotted out.",
	 .get = process_env},
	{"stdin", MW_OBJECT, NULL, "Its standard input at exec.", &mw_stdio_shape, .get = process_stdin},
	{"stdout", MW_OBJECT, NULL, "Its standard output at exec.", &mw_stdio_shape, .get = process_stdout},
	{"stderr", MW_OBJECT, NULL, "Its standard error at exec.", &mw_stdio_shape, .get = process_stderr},
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
	{"lineage", MW_OBJECT, NULL, "What it descends from.", &mw_lineage_shape, .get = process_lineage,
	 .get_known = process_lineage_known},
	{"ancestors", MW_OBJECTS, NULL, "Parent, its parent and so on: at most 16.", &mw_process_shape, ancestor_json,
	 process_ancestors},
	{0},
};

const struct mw_shape mw_process_shape = {
	.name = "Process",
	.doc = "A process.",
	.fields = process_fields,
};

#define EXECUTABLE(field, statement) \
	static void executable_##field(const void *object, struct mw_value *ret) \
	{ \
		const struct mw_image *i = object; \
		statement; \
	}

EXECUTABLE(mode, set_int(ret, i->exe_mode))
EXECUTABLE(uid, set_int(ret, i->exe_uid))
EXECUTABLE(gid, set_int(ret, i->exe_gid))
EXECUTABLE(size, set_int(ret, (int64_t)i->exe_size))
EXECUTABLE(atime, set_integer(ret, MW_TIME, i->exe_atime_ns))
EXECUTABLE(mtime, set_integer(ret, MW_TIME, i->exe_mtime_ns))
EXECUTABLE(ctime, set_integer(ret, MW_TIME, i->exe_ctime_ns))

static const struct mw_field executable_fields[] = {
	{"mode", MW_INT, NULL, "Type and permission bits, as stat(2) has them.", .get = executable_mode},
	{"uid", MW_INT, NULL, "Owner.", .get = executable_uid},
	{"gid", MW_INT, NULL, "Group.", .get = executable_gid},
	{"size", MW_INT, "bytes", "Size.", .get = executable_size},
	{"atime", MW_TIME, NULL, "Last access.", .get = executable_atime},
	{"mtime", MW_TIME, NULL, "Last change of contents.", .get = executable_mtime},
	{"ctime", MW_TIME, NULL, "Last change of the inode.", .get = executable_ctime},
	{0},
};

const struct mw_shape mw_executable_shape = {
	.name = "Executable",
	.doc = "The file that was started, as it was then.",
	.fields = executable_fields,
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

static void event_executable(const void *object, struct mw_value *ret)
{
	const struct mw_event *event = object;
	if (event->kind == MW_PROCESS_EXEC && event->process && event->process->image && event->process->image->inode)
		set_object(ret, event->process->image);
}

static void event_message(const void *object, struct mw_value *ret)
{
	set_text(ret, ((const struct mw_event *)object)->message);
}

static void event_file(const void *object, struct mw_value *ret)
{
	set_object(ret, ((const struct mw_event *)object)->file);
}

static void event_socket(const void *object, struct mw_value *ret)
{
	set_object(ret, ((const struct mw_event *)object)->socket);
}

static void event_call(const void *object, struct mw_value *ret)
{
	set_object(ret, ((const struct mw_event *)object)->call);
}

static void event_gap(const void *object, struct mw_value *ret)
{
	set_object(ret, ((const struct mw_event *)object)->gap);
}

static void event_container(const void *object, struct mw_value *ret)
{
	const struct mw_identity *identity = ((const struct mw_event *)object)->identity;
	if (identity && mw_identity_has_container(identity))
		set_object(ret, identity);
}

static void event_ecs(const void *object, struct mw_value *ret)
{
	const struct mw_identity *identity = ((const struct mw_event *)object)->identity;
	if (identity && mw_identity_has_ecs(identity))
		set_object(ret, identity);
}

static void event_sampled(const void *object, struct mw_value *ret)
{
	if (((const struct mw_event *)object)->is_sampled)
		set_integer(ret, MW_BOOL, 1);
}

static void event_phase(const void *object, struct mw_value *ret)
{
	set_text(ret, ((const struct mw_event *)object)->is_startup ? "startup" : "running");
}

static void event_phase_known(const void *object, struct mw_value *ret)
{
	if (((const struct mw_event *)object)->is_startup)
		set_text(ret, "startup");
}

static void event_age_ms(const void *object, struct mw_value *ret)
{
	const struct mw_event *event = object;
	if (event->age_ms > 0)
		set_int(ret, event->age_ms);
}

/* JSON has the time. */
static void event_age_known(const void *object, struct mw_value *ret)
{
	(void)object;
	(void)ret;
}

static const struct mw_field event_fields[] = {
	{"time", MW_TIME, NULL, "When it happened.", .get = event_time},
	{"kind", MW_TEXT, NULL, "What happened: one of the kinds of events.", .get = event_kind},
	{"id", MW_TEXT, NULL, "Unique, and increasing within a run of the sensor.", .get = event_id},
	{"process", MW_OBJECT, NULL, "The process it happened to or that did it.", &mw_process_shape,
	 .get = event_process},
	{"executable", MW_OBJECT, NULL, "process.exec: what process.exe was then.", &mw_executable_shape,
	 .get = event_executable},
	{"file", MW_OBJECT, NULL, "file.*, process.mount: the file.", &mw_file_shape, .get = event_file},
	{"socket", MW_OBJECT, NULL, "socket.*, process.dup-to-stdio: the socket.", &mw_socket_shape,
	 .get = event_socket},
	{"call", MW_OBJECT, NULL, "The system call that did it, and what came of it.", &mw_call_shape,
	 .get = event_call},
	{"phase", MW_TEXT, NULL,
	 "startup: within attention_startup_ms after the container's start, when entrypoints do what is odd later; else "
	 "running (left out of JSON).",
	 .get = event_phase, .get_known = event_phase_known},
	{"age_ms", MW_INT, "ms", "Time since the container's start; not in JSON.", .get = event_age_ms,
	 .get_known = event_age_known},
	{"sampled", MW_BOOL, NULL, "True when it was found by looking now and then, and so later than it happened.",
	 .get = event_sampled},
	{"gap", MW_OBJECT, NULL, "sensor.gap: what was missed.", &mw_gap_shape, .get = event_gap},
	{"message", MW_TEXT, NULL, "sensor.*: what the sensor has to say.", .get = event_message},
	{"container", MW_OBJECT, NULL, "The container it happened in.", &mw_container_shape, .get = event_container},
	{"ecs", MW_OBJECT, NULL, "The ECS task it happened in.", &mw_ecs_shape, .get = event_ecs},
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

static void rule_attack_version(const void *object, struct mw_value *ret)
{
	const struct mw_rule_info *rule = object;
	if (rule->attack_bytes)
		set_text(ret, rule->attack_version);
}

static void rule_tags(const void *object, struct mw_value *ret)
{
	const struct mw_rule_info *rule = object;
	if (rule->tags_bytes)
		set_strings(ret, rule->tags, rule->tags_bytes);
}

static void rule_summary(const void *object, struct mw_value *ret)
{
	set_text(ret, ((const struct mw_rule_info *)object)->summary);
}

static const struct mw_field rule_fields[] = {
	{"id", MW_TEXT, NULL, "Name of the rule.", .get = rule_id},
	{"severity", MW_TEXT, NULL, "info, low, medium, high or critical.", .get = rule_severity},
	{"attack", MW_STRINGS, NULL, "MITRE ATT&CK technique ids.", .get = rule_attack},
	{"attack_version", MW_TEXT, NULL, "Version of ATT&CK that these ids are of.", .get = rule_attack_version},
	{"tags", MW_STRINGS, NULL, "Tags.", .get = rule_tags},
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
OF_EVENT(file)
OF_EVENT(socket)
OF_EVENT(call)
OF_EVENT(sampled)
OF_EVENT(container)
OF_EVENT(ecs)

static void alert_rule(const void *object, struct mw_value *ret)
{
	set_object(ret, ((const struct mw_alert *)object)->rule);
}

static void alert_message(const void *object, struct mw_value *ret)
{
	set_text(ret, ((const struct mw_alert *)object)->message);
}

static void alert_response(const void *object, struct mw_value *ret)
{
	set_text(ret, ((const struct mw_alert *)object)->response);
}

static void alert_count(const void *object, struct mw_value *ret)
{
	const struct mw_alert *alert = object;
	if (alert->count)
		set_int(ret, alert->count);
}

static void alert_folded(const void *object, struct mw_value *ret)
{
	const struct mw_alert *alert = object;
	if (alert->folded)
		set_int(ret, (int64_t)alert->folded);
}

static void alert_earlier(const void *object, struct mw_value *ret)
{
	const struct mw_alert *alert = object;
	if (alert->earlier_bytes)
		set_strings(ret, alert->earlier, alert->earlier_bytes);
}

static const struct mw_field alert_fields[] = {
	{"time", MW_TIME, NULL, "When the event happened.", .get = alert_time},
	{"kind", MW_TEXT, NULL, "Kind of the event.", .get = alert_kind},
	{"id", MW_TEXT, NULL, "Id of the event; with the rule's id it is unique.", .get = alert_id},
	{"rule", MW_OBJECT, NULL, "The rule that matched.", &mw_rule_shape, .get = alert_rule},
	{"message", MW_TEXT, NULL, "What happened, in a sentence.", .get = alert_message},
	{"count", MW_INT, NULL, "Of a rule with a threshold: how many events, or different values, it took.",
	 .get = alert_count},
	{"folded", MW_INT, NULL, "Of a rule with a throttle: alerts left out since the last one with the same key.",
	 .get = alert_folded},
	{"earlier", MW_STRINGS, NULL, "Of a rule with a sequence: ids of the events of its earlier steps.",
	 .get = alert_earlier},
	{"response", MW_TEXT, NULL, "What was done to the process before it ran: kill or deny.", .get = alert_response},
	{"process", MW_OBJECT, NULL, "The process the event is about.", &mw_process_shape, .get = alert_process},
	{"file", MW_OBJECT, NULL, "The file the event is about.", &mw_file_shape, .get = alert_file},
	{"socket", MW_OBJECT, NULL, "The socket the event is about.", &mw_socket_shape, .get = alert_socket},
	{"call", MW_OBJECT, NULL, "The system call.", &mw_call_shape, .get = alert_call},
	{"sampled", MW_BOOL, NULL, "As in the event.", .get = alert_sampled},
	{"container", MW_OBJECT, NULL, "The container it happened in.", &mw_container_shape, .get = alert_container},
	{"ecs", MW_OBJECT, NULL, "The ECS task it happened in.", &mw_ecs_shape, .get = alert_ecs},
	{0},
};

const struct mw_shape mw_alert_shape = {
	.name = "Alert",
	.doc = "An event that a rule matched.",
	.fields = alert_fields,
};

/* Output formats say the same of the sensor's own objects as of the tables their JSON becomes in the spool.
 *
 * An item of each kind of event goes through every format: once as it is, here, and once decoded from its JSON, in
 * outputs_compare.lua.  The same items, as JSON, are tests/fixtures/output/items.jsonl, which specs of the formats read; with
 * MW_WRITE_FIXTURES set it is written anew. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "event/alert.h"
#include "event/level.h"
#include "script/bind.h"
#include "script/outputs.h"
#include "script/state.h"

#define FORMATS "cef", "ecs", "falco", "json", "ocsf", "osquery", "rfc5424", "text"

enum {
	FIXTURE_BYTES = 4 << 20,
};

#define AT (1795489445LL * (int64_t)MW_NS_PER_S + 123456789)

static char folder[256];
static struct mw_identity identity;

static char *copy(const char *text)
{
	char *copied = strdup(text);
	assert_non_null(copied);
	return copied;
}

static struct mw_process *new_process(pid_t pid, struct mw_process *parent, const char *name, const char *exe,
				      const char *argv, size_t argv_bytes)
{
	struct mw_process *process = mw_process_new(pid, parent, AT - pid * (int64_t)MW_NS_PER_S);
	struct mw_image *image = mw_image_new();
	assert_non_null(process);
	assert_non_null(image);
	(void)snprintf(image->name, sizeof(image->name), "%s", name);
	image->exe = copy(exe);
	image->cwd = copy("/srv/app");
	image->inode = 4711;
	image->uid = 33;
	image->gid = 33;
	image->euid = 0;
	image->egid = 0;
	(void)snprintf(image->user, sizeof(image->user), "root");
	(void)snprintf(image->user_group, sizeof(image->user_group), "root");
	image->level = MW_LEVEL_CALLS;
	assert_int_equal(mw_image_set_argv(image, argv, argv_bytes), 0);
	mw_process_set_image(process, image);
	process->session = 1;
	process->group = pid;
	return process;
}

#define PROCESS(pid, parent, name, exe, argv) new_process(pid, parent, name, exe, argv, sizeof(argv))

static const struct mw_rule_info rule = {
	.id = "shell_from_web_server",
	.summary = "Shell started by a web server process",
	.severity = MW_SEVERITY_HIGH,
	.attack = "T1190\0T1059.004\0",
	.attack_bytes = 16,
	.attack_version = "19.1",
	.tags = "web\0fargate",
	.tags_bytes = 12,
};

struct to {
	struct mw_outputs *outputs;
	struct mw_event event;
	unsigned number;
};

static void emit(struct to *to)
{
	to->event.identity = &identity;
	to->event.time_ns = AT + to->number;
	(void)snprintf(to->event.id, sizeof(to->event.id), "18ea1b2c3d4e5f60-%012u", ++to->number);
	mw_outputs_emit(to->outputs, MW_STREAM_EVENTS, &mw_event_shape, &to->event, NULL);
}

static void emit_alert(struct to *to, const char *message, const char *response)
{
	const struct mw_alert alert = {.event = &to->event, .rule = &rule, .message = message, .response = response};
	to->event.identity = &identity;
	mw_outputs_emit(to->outputs, MW_STREAM_ALERTS, &mw_alert_shape, &alert, NULL);
}

static void set_subject(struct to *to, struct mw_file *file, struct mw_socket *socket, struct mw_call *call,
			const char *name)
{
	if (name[0] == 'f' || strcmp(name, "process.mount") == 0 || strcmp(name, "process.exec-failed") == 0)
		to->event.file = file;
	if (name[0] == 's' && name[1] == 'o')
		to->event.socket = socket;
	if (strcmp(name, "process.dup-to-stdio") == 0)
		to->event.socket = socket;
	if (to->event.kind > MW_PROCESS_EXIT && name[1] != 'e')
		to->event.call = call;
	if (to->event.kind == MW_PROCESS_EXEC_FAILED)
		to->event.call = call;
}

/* An event of each kind, with what those have. */
static void emit_kinds(struct to *to, struct mw_process *process)
{
	static const struct mw_gap gap = {
		.reason = MW_GAP_TRACER_RESTARTED, .duration_ms = 12, .missed = 3, .found = 7};
	for (unsigned kind = 0; kind < MW_EVENT_KINDS; kind++) {
		struct mw_file file = {
			.path = "/etc/cron.d/x.conf",
			.old_path = kind == MW_FILE_RENAME || kind == MW_FILE_LINK || kind == MW_FILE_SYMLINK ? "/tmp/y"
													      : NULL,
			.inode = 99,
			.device = 2049,
			.size = 1234,
			.mode = 0100644,
			.uid = 33,
			.gid = 34,
			.found_by = kind % 2 ? MW_FILE_BY_CALL : MW_FILE_BY_INOTIFY,
			.attribution = kind % 2 ? MW_ATTRIBUTION_EXACT : MW_ATTRIBUTION_LIKELY,
			.category = "etc",
			.has_stat = kind % 2 == 0,
			.nlink = 1,
			.atime_ns = AT,
			.mtime_ns = AT - 1,
			.ctime_ns = AT - 2,
			.hashed = kind % 2 == 0,
			.md5 = kind % 2 ? NULL : "d41d8cd98f00b204e9800998ecf8427e",
			.sha1 = kind % 2 ? NULL : "da39a3ee5e6b4b0d3255bfef95601890afd80709",
			.sha256 = kind % 2 ? NULL : "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		};
		struct mw_socket socket = {
			.family = MW_SOCKET_IPV4,
			.type = 1,
			.protocol = 6,
			.fd = 5,
			.inode = 77,
			.local_address = "10.0.1.7",
			.local_port = 40312,
		};
		if (kind != MW_SOCKET_BIND && kind != MW_SOCKET_LISTEN) {
			(void)snprintf(socket.remote_address, sizeof(socket.remote_address), "169.254.170.2");
			socket.remote_port = 80;
		}
		struct mw_call call = {
			.name = "a_call", .fd = 3, .number = 16, .has_number = true, .text = "PTRACE_ATTACH"};
		if (kind == MW_PROCESS_PTRACE || kind == MW_PROCESS_KILL) {
			call.target = process->parent;
			call.target_pid = process->parent->pid;
		}
		if (kind == MW_PROCESS_EXEC_FAILED || kind == MW_SOCKET_CONNECT)
			call.result = -ECONNREFUSED;
		to->event = (struct mw_event){.kind = (enum mw_event_kind)kind, .process = process};
		set_subject(to, &file, &socket, &call, mw_event_kinds[kind].name);
		process->ended = kind == MW_PROCESS_EXIT;
		if (kind == MW_SENSOR_HEALTH || kind == MW_SENSOR_GAP) {
			to->event.process = NULL;
			to->event.message = "something to say";
		}
		if (kind == MW_SENSOR_GAP)
			to->event.gap = &gap;
		emit(to);
		if (kind == MW_PROCESS_EXEC || kind == MW_FILE_RENAME || kind == MW_SOCKET_CONNECT)
			emit_alert(to, "php-fpm started sh -c id", kind == MW_PROCESS_EXEC ? "kill" : NULL);
	}
	process->ended = false;
}

static void emit_sockets(struct to *to, struct mw_process *process)
{
	struct mw_socket socket = {
		.family = MW_SOCKET_UNIX, .type = 1, .fd = -1, .path = "/run/docker.sock", .inode = 78};
	to->event = (struct mw_event){.kind = MW_SOCKET_CONNECT, .process = process, .socket = &socket};
	emit(to);
	socket = (struct mw_socket){.family = MW_SOCKET_IPV6,
				    .type = 2,
				    .protocol = 17,
				    .fd = -1,
				    .local_address = "::1",
				    .local_port = 53,
				    .remote_address = "fe80::1",
				    .remote_port = 5353};
	to->event = (struct mw_event){.kind = MW_SOCKET_ACCEPT, .is_sampled = true, .socket = &socket};
	emit(to);
	socket = (struct mw_socket){.family = MW_SOCKET_OTHER, .fd = -1};
	to->event = (struct mw_event){.kind = MW_SOCKET_BIND, .process = process, .socket = &socket};
	emit(to);
}

/* What would break a line, a field or a reader. */
static void emit_hostile(struct to *to, struct mw_process *parent)
{
	static const char bytes[] = "|=\\]\"'\n\r\t\x01\x1b[31m\x7f\xc0\x80\xff{}%s,;\xe2\x80\xae\xf0\x9f\x8c\x99";
	char long_argv[500];
	struct mw_process *odd = new_process(66, parent, "a|b=c\n\"]\\\xff", bytes, bytes, sizeof(bytes));
	struct mw_file file = {.path = bytes,
			       .old_path = bytes,
			       .size = -1,
			       .mode = -1,
			       .uid = -1,
			       .gid = -1,
			       .found_by = MW_FILE_BY_CALL,
			       .attribution = MW_ATTRIBUTION_EXACT};
	to->event = (struct mw_event){.kind = MW_FILE_RENAME, .process = odd, .file = &file};
	emit(to);
	emit_alert(to, bytes, NULL);
	memset(long_argv, '\n', sizeof(long_argv));
	long_argv[sizeof(long_argv) - 1] = '\0';
	struct mw_process *huge = new_process(67, odd, "huge", "/bin/huge", long_argv, sizeof(long_argv));
	to->event = (struct mw_event){.kind = MW_PROCESS_EXEC, .process = huge};
	emit(to);
	emit_alert(to, long_argv, NULL);
	/* Little is known. */
	struct mw_process *bare = mw_process_new(68, NULL, 0);
	assert_non_null(bare);
	to->event = (struct mw_event){.kind = MW_PROCESS_EXEC, .process = bare};
	emit(to);
	to->event = (struct mw_event){.kind = MW_FILE_DELETE};
	emit(to);
	to->event = (struct mw_event){.kind = MW_SOCKET_CONNECT};
	emit(to);
	to->event = (struct mw_event){.kind = MW_PROCESS_KILL};
	emit(to);
	mw_process_unref(bare);
	mw_process_unref(huge);
	mw_process_unref(odd);
}

static void emit_all(struct mw_outputs *outputs)
{
	struct to to = {.outputs = outputs};
	struct mw_process *init = PROCESS(1, NULL, "docker-init", "/sbin/docker-init", "docker-init\0--");
	struct mw_process *server = PROCESS(12, init, "php-fpm", "/usr/sbin/php-fpm8.2", "php-fpm: pool www");
	struct mw_process *shell = PROCESS(41, server, "sh", "/usr/bin/dash", "sh\0-c\0id");
	(void)snprintf(shell->tty, sizeof(shell->tty), "pts/0");
	(void)snprintf(shell->image->sha256, sizeof(shell->image->sha256),
		       "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08");
	shell->exit_code = 3;
	shell->end_ns = AT;
	shell->cpu_ns = 4 * (int64_t)MW_NS_PER_MS;
	shell->max_rss_bytes = 1 << 20;
	emit_kinds(&to, shell);
	emit_sockets(&to, shell);
	emit_hostile(&to, server);
	mw_process_unref(shell);
	mw_process_unref(server);
	mw_process_unref(init);
}

static void set_identity(void)
{
	static const char *const members[][2] = {
		{"container_name", "app"},
		{"container_id", "ee97d9c4186f"},
		{"image", "registry/app:1.2"},
		{"image_id", "sha256:0123456789abcdef"},
		{"task_arn", "arn:aws:ecs:eu-west-1:123456789012:task/prod/0123"},
		{"task_id", "0123"},
		{"cluster", "prod"},
		{"service_name", "web"},
		{"task_family", "web"},
		{"task_revision", "7"},
		{"container_arn", "arn:aws:ecs:eu-west-1:123456789012:container/prod/0123/4567"},
		{"region", "eu-west-1"},
		{"account_id", "123456789012"},
		{"availability_zone", "eu-west-1a"},
		{"launch_type", "FARGATE"},
	};
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		assert_int_equal(mw_identity_set(&identity, members[i][0], members[i][1]), 0);
}

static void run_formats(void)
{
	static const char *const formats[] = {FORMATS};
	MW_AUTO(mw_buf) spec = MW_BUF(16 << 10);
	struct mw_outputs *outputs;
	struct mw_err err = {""};
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		mw_buf_clear(&spec);
		mw_buf_printf(&spec, "alerts/%s:file=%s/%s,events/%s:file=%s/%s", formats[i], folder, formats[i],
			      formats[i], folder, formats[i]);
		if (mw_outputs_open(spec.data, MW_TEST_TREE, &outputs, &err) < 0)
			fail_msg("%s", err.text);
		assert_int_equal(mw_outputs_set(outputs, "host_name", "task-1", &err), 0);
		assert_int_equal(mw_outputs_set(outputs, "version", "1.2.3", &err), 0);
		emit_all(outputs);
		mw_outputs_flush(outputs, mw_clock_mono_ns() + 10LL * (int64_t)MW_NS_PER_S);
		assert_int_equal(mw_outputs_dropped(outputs), 0);
		mw_outputs_free(outputs);
	}
}

static void read_whole(const char *path, struct mw_buf *ret)
{
	if (mw_file_read_at(AT_FDCWD, path, ret) < 0)
		fail_msg("%s cannot be read", path);
}

static void compare_with_fixture(void)
{
	char path[512];
	MW_AUTO(mw_buf) now = MW_BUF(FIXTURE_BYTES);
	MW_AUTO(mw_buf) fixture = MW_BUF(FIXTURE_BYTES);
	(void)snprintf(path, sizeof(path), "%s/json", folder);
	read_whole(path, &now);
	if (getenv("MW_WRITE_FIXTURES")) {
		FILE *to = fopen(MW_TEST_FIXTURES "/output/items.jsonl", "we");
		assert_non_null(to);
		assert_int_equal(fwrite(now.data, 1, now.size, to), now.size);
		assert_int_equal(fclose(to), 0);
	}
	read_whole(MW_TEST_FIXTURES "/output/items.jsonl", &fixture);
	assert_string_equal(now.data, fixture.data);
}

static void formats_say_the_same_of_objects_and_of_json(void **state)
{
	(void)state;
	set_identity();
	run_formats();
	compare_with_fixture();
	struct mw_script *script;
	struct mw_err err = {""};
	const struct mw_script_options options = {.kind = MW_SCRIPT_TOOL, .tree = MW_TEST_TREE};
	if (mw_script_new(&options, &script, &err) < 0)
		fail_msg("%s", err.text);
	int r = mw_script_load_file(script, MW_TEST_FIXTURES "/output/compare.lua", NULL, &err);
	if (r == 0) {
		lua_pushstring(mw_script_lua(script), folder);
		r = mw_script_call(script, 1, 0, 0, &err);
	}
	mw_script_free(script);
	if (r < 0)
		fail_msg("%s", err.text);
	mw_identity_release(&identity);
}

/* JSON that is there already is not made again, and lines of one target keep the order of the spec. */
static void lines_keep_their_order(void **state)
{
	(void)state;
	char path[512];
	struct mw_err err = {""};
	struct mw_outputs *outputs;
	MW_AUTO(mw_buf) spec = MW_BUF(4096);
	MW_AUTO(mw_buf) json = MW_BUF(64);
	MW_AUTO(mw_buf) written = MW_BUF(4096);
	(void)snprintf(path, sizeof(path), "%s/json", folder);
	(void)unlink(path);
	mw_buf_printf(&spec, "events/text:file=%s,events/json:file=%s,alerts/json:file=%s,events/text:file=%s", path,
		      path, path, path);
	if (mw_outputs_open(spec.data, MW_TEST_TREE, &outputs, &err) < 0)
		fail_msg("%s", err.text);
	const struct mw_event event = {.kind = MW_SENSOR_HEALTH, .time_ns = AT, .message = "something to say"};
	mw_buf_str(&json, "{\"given\":1}");
	mw_outputs_emit(outputs, MW_STREAM_EVENTS, &mw_event_shape, &event, &json);
	mw_outputs_emit(outputs, MW_STREAM_EVENTS, &mw_event_shape, &event, NULL);
	mw_outputs_flush(outputs, mw_clock_mono_ns() + 10LL * (int64_t)MW_NS_PER_S);
	assert_int_equal(mw_outputs_dropped(outputs), 0);
	mw_outputs_free(outputs);
	read_whole(path, &written);
	char starts[8] = "";
	unsigned lines = 0;
	for (const char *at = written.data; *at; at = strchr(at, '\n') + 1)
		starts[lines++ % 7] = strncmp(at, "{\"given\":1}\n", 12) == 0 ? 'g' : *at == '{' ? 'j' : 't';
	assert_string_equal(starts, "tgttjt");
}

static int make_folder(void **state)
{
	(void)state;
	const char *above = getenv("TMPDIR");
	(void)snprintf(folder, sizeof(folder), "%s/outputs-XXXXXX", above ? above : "/tmp");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	static const char *const formats[] = {FORMATS};
	char path[512];
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, formats[i]);
		(void)unlink(path);
	}
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_say_the_same_of_objects_and_of_json),
		cmocka_unit_test(lines_keep_their_order),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

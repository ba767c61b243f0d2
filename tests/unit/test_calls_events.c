/* From a record of a system call to the event that rules and outputs see. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "event/record.h"
#include "event/shape.h"
#include "sensor/calls.h"
#include "sensor/processes.h"
#include "trace/calls.h"
#include "trace/syscalls.h"

static struct mw_processes processes;
static struct mw_record_call *record;
static struct mw_event event;

static int set_up(void **state)
{
	void *room = NULL;
	(void)state;
	processes = (struct mw_processes){0};
	if (posix_memalign(&room, 64, MW_RECORD_CALL_BYTES))
		return -1;
	record = room;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	mw_processes_release(&processes);
	free(record);
	return 0;
}

static void begin(enum mw_event_kind kind, const char *name)
{
	*record = (struct mw_record_call){
		.head = {.kind = MW_RECORD_CALL, .pid = 100, .time_ns = 5},
		.tid = 101,
		.event = (uint16_t)kind,
		.fd = -1,
		.open_flags = MW_CALL_NONE,
		.mode = MW_CALL_NONE,
		.uid = MW_CALL_NONE,
		.gid = MW_CALL_NONE,
		.size = MW_CALL_NO_SIZE,
	};
	for (unsigned i = mw_syscalls_count; i-- > 0;)
		if (strcmp(mw_call_name(i), name) == 0)
			record->call = (uint16_t)i;
	assert_string_equal(mw_call_name(record->call), name);
}

static void set_strings_of(const char *path, const char *old_path, const char *text)
{
	record->path_bytes = (uint16_t)strlen(path);
	record->old_path_bytes = (uint16_t)strlen(old_path);
	record->text_bytes = (uint16_t)strlen(text);
	memcpy(record->strings, path, strlen(path));
	memcpy(record->strings + strlen(path), old_path, strlen(old_path));
	memcpy(record->strings + strlen(path) + strlen(old_path), text, strlen(text));
}

static size_t size_of_record(void)
{
	return sizeof(*record) + record->path_bytes + record->old_path_bytes + record->text_bytes;
}

/* What the event says, all but its process, as JSON. */
static const char *told(void)
{
	static char text[4096];
	MW_AUTO(mw_buf) json = MW_BUF(sizeof(text) - 1);
	event = (struct mw_event){0};
	assert_int_equal(mw_processes_apply(&processes, &record->head, size_of_record(), &event), 0);
	assert_non_null(event.process);
	assert_int_equal(event.process->pid, 100);
	assert_int_equal(event.time_ns, 5);
	assert_int_equal(event.kind, record->event);
	if (event.file)
		mw_shape_json(&json, &mw_file_shape, event.file);
	if (event.socket)
		mw_shape_json(&json, &mw_socket_shape, event.socket);
	assert_non_null(event.call);
	mw_shape_json(&json, &mw_call_shape, event.call);
	assert_int_equal(mw_buf_status(&json), 0);
	memcpy(text, json.data, json.size);
	text[json.size] = '\0';
	mw_process_unref(event.process);
	return text;
}

#define BY_CALL "\"found_by\":\"call\",\"attribution\":\"exact\""

static void files_are_told(void **state)
{
	(void)state;
	begin(MW_FILE_CREATE, "openat");
	set_strings_of("/tmp/x", "", "");
	record->result = record->fd = 7;
	record->open_flags = O_WRONLY | O_CREAT;
	record->mode = 0600;
	record->inode = 42;
	assert_string_equal(told(),
			    "{\"path\":\"/tmp/x\",\"inode\":42,\"mode\":384,\"flags\":65,\"write\":true," BY_CALL
			    ",\"device\":0}"
			    "{\"name\":\"openat\",\"result\":7,\"fd\":7}");

	begin(MW_FILE_OPEN, "open");
	record->result = -ENOENT;
	record->open_flags = O_RDONLY;
	record->head.flags = MW_CALL_INCOMPLETE;
	assert_string_equal(told(), "{" BY_CALL "}{\"name\":\"open\",\"error\":\"ENOENT\",\"incomplete\":true}");

	begin(MW_FILE_RENAME, "rename");
	set_strings_of("/b", "/a", "");
	record->head.flags = MW_CALL_ATTEMPT;
	assert_string_equal(told(),
			    "{\"path\":\"/b\",\"old_path\":\"/a\"," BY_CALL "}{\"name\":\"rename\",\"attempt\":true}");

	begin(MW_FILE_ATTRIBUTES, "fchownat");
	set_strings_of("/a", "", "");
	record->uid = 0;
	assert_string_equal(told(), "{\"path\":\"/a\",\"uid\":0," BY_CALL "}{\"name\":\"fchownat\",\"result\":0}");

	begin(MW_FILE_ATTRIBUTES, "ftruncate");
	set_strings_of("/a", "", "");
	record->size = 0;
	record->fd = 3;
	assert_string_equal(told(),
			    "{\"path\":\"/a\",\"size\":0," BY_CALL "}{\"name\":\"ftruncate\",\"result\":0,\"fd\":3}");
}

static void put(unsigned char *out, uint16_t *ret_bytes, const void *address, size_t n)
{
	memcpy(out, address, n);
	*ret_bytes = (uint16_t)n;
}

static void sockets_are_told(void **state)
{
	(void)state;
	struct sockaddr_in local = {
		.sin_family = AF_INET, .sin_port = htons(40000), .sin_addr.s_addr = htonl(0x0A000001)};
	struct sockaddr_in remote = {
		.sin_family = AF_INET, .sin_port = htons(443), .sin_addr.s_addr = htonl(0x01020304)};
	begin(MW_SOCKET_CONNECT, "connect");
	record->result = -EINPROGRESS;
	record->fd = 3;
	record->inode = 9;
	record->socket_type = SOCK_STREAM;
	record->socket_protocol = IPPROTO_TCP;
	put(record->local, &record->local_bytes, &local, sizeof(local));
	put(record->remote, &record->remote_bytes, &remote, sizeof(remote));
	assert_string_equal(
		told(), "{\"family\":\"ipv4\",\"type\":\"stream\",\"protocol\":\"tcp\",\"local_address\":\"10.0.0.1\","
			"\"local_port\":40000,\"remote_address\":\"1.2.3.4\",\"remote_port\":443,\"fd\":3,\"inode\":9}"
			"{\"name\":\"connect\",\"error\":\"EINPROGRESS\",\"fd\":3}");

	struct sockaddr_in6 mapped = {.sin6_family = AF_INET6, .sin6_port = htons(80)};
	assert_int_equal(inet_pton(AF_INET6, "::ffff:1.2.3.4", &mapped.sin6_addr), 1);
	begin(MW_SOCKET_CONNECT, "connect");
	put(record->remote, &record->remote_bytes, &mapped, sizeof(mapped));
	assert_string_equal(told(), "{\"family\":\"ipv4\",\"remote_address\":\"1.2.3.4\",\"remote_port\":80}"
				    "{\"name\":\"connect\",\"result\":0}");
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(80)};
	begin(MW_SOCKET_LISTEN, "listen");
	put(record->local, &record->local_bytes, &any, sizeof(any));
	assert_string_equal(told(), "{\"family\":\"ipv6\",\"local_address\":\"::\",\"local_port\":80}"
				    "{\"name\":\"listen\",\"result\":0}");
	/* Cut. */
	begin(MW_SOCKET_CONNECT, "connect");
	put(record->remote, &record->remote_bytes, &remote, 3);
	assert_string_equal(told(), "{\"family\":\"other\"}{\"name\":\"connect\",\"result\":0}");
	begin(MW_SOCKET_CONNECT, "connect");
	assert_string_equal(told(), "{\"family\":\"other\"}{\"name\":\"connect\",\"result\":0}");
}

static void unix_sockets_are_told(void **state)
{
	(void)state;
	struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0ab\0c"};
	begin(MW_SOCKET_BIND, "bind");
	put(record->local, &record->local_bytes, &name, offsetof(struct sockaddr_un, sun_path) + 5);
	assert_string_equal(told(), "{\"family\":\"unix\",\"path\":\"@ab@c\"}{\"name\":\"bind\",\"result\":0}");
	memset(name.sun_path, 'x', sizeof(name.sun_path));
	begin(MW_SOCKET_CONNECT, "connect");
	put(record->remote, &record->remote_bytes, &name, sizeof(name));
	(void)told();
	assert_int_equal(strlen(event.socket->path), sizeof(name.sun_path));
	/* Relative to a folder, and resolved. */
	begin(MW_SOCKET_CONNECT, "connect");
	set_strings_of("/run/x.sock", "", "");
	put(record->remote, &record->remote_bytes, &name, sizeof(name));
	(void)told();
	assert_string_equal(event.socket->path, "/run/x.sock");
}

static const char *text_for(enum mw_event_kind kind, const char *call, int64_t number)
{
	begin(kind, call);
	record->number = number;
	(void)told();
	assert_int_equal(event.call->number, number);
	return event.call->text;
}

static void numbers_have_names(void **state)
{
	(void)state;
	assert_string_equal(text_for(MW_PROCESS_PTRACE, "ptrace", PTRACE_ATTACH), "PTRACE_ATTACH");
	assert_string_equal(text_for(MW_PROCESS_PTRACE, "ptrace", 123456), "");
	assert_string_equal(text_for(MW_PROCESS_PTRACE, "process_vm_readv", 0), "");
	assert_string_equal(text_for(MW_PROCESS_KILL, "kill", SIGKILL), "SIGKILL");
	assert_string_equal(text_for(MW_PROCESS_KILL, "kill", SIGRTMIN + 3), "SIGRTMIN+3");
	assert_string_equal(text_for(MW_PROCESS_KILL, "kill", -5), "");
	assert_string_equal(text_for(MW_PROCESS_UNSHARE, "unshare", CLONE_NEWUSER | CLONE_NEWNS),
			    "CLONE_NEWNS|CLONE_NEWUSER");
	assert_string_equal(text_for(MW_PROCESS_BPF, "bpf", BPF_PROG_LOAD), "BPF_PROG_LOAD");
	assert_string_equal(text_for(MW_PROCESS_MOUNT, "mount", MS_BIND | MS_REC), "MS_BIND|MS_REC");
	assert_string_equal(text_for(MW_PROCESS_MOUNT, "umount2", MNT_DETACH), "MNT_DETACH");

	begin(MW_PROCESS_MOUNT, "mount");
	set_strings_of("/mnt", "/dev/sda", "ext4");
	assert_string_equal(told(), "{\"path\":\"/mnt\",\"old_path\":\"/dev/sda\"}"
				    "{\"name\":\"mount\",\"result\":0,\"number\":0,\"text\":\"ext4\"}");
	begin(MW_PROCESS_SETNS, "setns");
	set_strings_of("mnt:[4026531841]", "", "");
	assert_string_equal(told(), "{\"name\":\"setns\",\"result\":0,\"number\":0,\"text\":\"mnt:[4026531841]\"}");
	begin(MW_PROCESS_SETUID, "setuid");
	assert_string_equal(told(), "{\"name\":\"setuid\",\"result\":0,\"number\":0}");
}

static void what_is_put_onto_stdio_is_told(void **state)
{
	(void)state;
	begin(MW_PROCESS_DUP_TO_STDIO, "dup2");
	set_strings_of("pipe:[5]", "", "");
	record->fd = 4;
	assert_string_equal(told(), "{\"name\":\"dup2\",\"result\":0,\"number\":0,\"fd\":4}");
	begin(MW_PROCESS_DUP_TO_STDIO, "dup2");
	set_strings_of("socket:[5]", "", "");
	record->socket_type = SOCK_STREAM;
	struct sockaddr_in remote = {
		.sin_family = AF_INET, .sin_port = htons(4444), .sin_addr.s_addr = htonl(0x01020304)};
	put(record->remote, &record->remote_bytes, &remote, sizeof(remote));
	assert_string_equal(
		told(), "{\"family\":\"ipv4\",\"type\":\"stream\",\"remote_address\":\"1.2.3.4\",\"remote_port\":4444}"
			"{\"name\":\"dup2\",\"result\":0,\"number\":0}");
}

static void the_target_is_named_when_it_is_known(void **state)
{
	(void)state;
	begin(MW_PROCESS_KILL, "kill");
	record->number = SIGTERM;
	record->target = 200;
	assert_string_equal(told(),
			    "{\"name\":\"kill\",\"result\":0,\"number\":15,\"text\":\"SIGTERM\",\"target_pid\":200}");
	assert_non_null(mw_processes_known(&processes, 200, 100, 0));
	assert_string_equal(told(),
			    "{\"name\":\"kill\",\"result\":0,\"number\":15,\"text\":\"SIGTERM\",\"target_pid\":200,"
			    "\"target\":{\"pid\":200}}");
	record->target = -200;
	assert_string_equal(told(),
			    "{\"name\":\"kill\",\"result\":0,\"number\":15,\"text\":\"SIGTERM\",\"target_pid\":-200}");
}

static int refused(size_t bytes)
{
	struct mw_event untouched = {0};
	int r = mw_processes_apply(&processes, &record->head, bytes, &untouched);
	assert_null(untouched.process);
	return r;
}

static void what_is_no_record_is_refused(void **state)
{
	(void)state;
	begin(MW_FILE_OPEN, "open");
	set_strings_of("/a/path", "", "");
	assert_int_equal(refused(size_of_record() - 1), -EPROTO);
	assert_int_equal(refused(sizeof(*record) - 1), -EPROTO);
	record->path_bytes = UINT16_MAX;
	assert_int_equal(refused(MW_RECORD_CALL_BYTES), -EPROTO);
	begin(MW_FILE_OPEN, "open");
	record->call = UINT16_MAX;
	assert_int_equal(refused(MW_RECORD_CALL_BYTES), -EPROTO);
	begin(MW_FILE_OPEN, "open");
	record->event = MW_EVENT_KINDS;
	assert_int_equal(refused(MW_RECORD_CALL_BYTES), -EPROTO);
	begin(MW_FILE_OPEN, "open");
	record->local_bytes = MW_SOCKADDR_BYTES + 1;
	assert_int_equal(refused(MW_RECORD_CALL_BYTES), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(files_are_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sockets_are_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unix_sockets_are_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(numbers_have_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_put_onto_stdio_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_target_is_named_when_it_is_known, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_no_record_is_refused, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

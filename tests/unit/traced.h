/* Run a function in a child under PTRACE_SYSCALL, and keep the records of its calls. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/pidmap.h"
#include "event/event.h"
#include "event/record.h"
#include "proc/procfs.h"
#include "trace/call_registers.h"
#include "trace/calls.h"

/* Children in which something is not as it should be end with this. */
enum {
	BROKEN = 99
};

/* For the traced child: it is no place for cmocka. */
#define EXPECT(what) \
	do { \
		if (!(what)) { \
			(void)fprintf(stderr, "# %s:%d: %s: %s\n", __FILE__, __LINE__, #what, strerror(errno)); \
			_exit(BROKEN); \
		} \
	} while (0)

#define ALL_KINDS UINT64_MAX
#define KIND(kind) (UINT64_C(1) << (kind))

enum {
	RECORDS = 256
};

struct traced {
	struct mw_record_call *records[RECORDS];
	size_t count;
	uint64_t stops;
	pid_t pid;
	int status;
};

struct traced_thread {
	struct mw_call_state state;
	pid_t tgid;
};

static struct mw_record_call *traced_record(void)
{
	void *record = NULL;
	assert_int_equal(posix_memalign(&record, 64, MW_RECORD_CALL_BYTES), 0);
	memset(record, 0xAA, MW_RECORD_CALL_BYTES);
	return record;
}

static struct traced_thread *traced_thread(struct mw_pidmap *threads, int procfd, pid_t tid)
{
	struct traced_thread *thread = mw_pidmap_get(threads, tid);
	if (thread)
		return thread;
	thread = calloc(1, sizeof(*thread));
	assert_non_null(thread);
	int fd;
	struct mw_proc_status status = {.tgid = tid};
	if (mw_procfs_open_pid(procfd, tid, &fd) == 0) {
		(void)mw_procfs_status(fd, &status);
		(void)close(fd);
	}
	thread->tgid = status.tgid;
	assert_int_equal(mw_pidmap_set(threads, tid, thread), 0);
	return thread;
}

/* What older kernels have us find out by ourselves must be what this one says. */
static void check_registers(const struct traced_thread *thread, pid_t tid)
{
	struct __ptrace_syscall_info said;
	struct __ptrace_syscall_info found;
	if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof(said), &said) <= 0)
		return; /* it was killed, or this is one */
	if (!mw_call_registers(tid, thread->state.is_inside, &found))
		return;
	assert_int_equal(found.op, said.op);
	assert_int_equal(found.arch, said.arch);
	if (said.op == PTRACE_SYSCALL_INFO_ENTRY) {
		assert_int_equal(found.entry.nr, said.entry.nr);
		assert_memory_equal(found.entry.args, said.entry.args, sizeof(said.entry.args));
	} else {
		assert_int_equal(found.exit.rval, said.exit.rval);
		assert_int_equal(found.exit.is_error, said.exit.is_error);
	}
}

static void traced_stop(struct traced *traced, struct traced_thread *thread, int procfd, pid_t tid, uint64_t kinds)
{
	bool wants = false;
	traced->stops++;
	check_registers(thread, tid);
	(void)mw_calls_stop(&thread->state, procfd, tid, thread->tgid, kinds, NULL, &wants);
	if (!wants)
		return;
	struct mw_record_call *record = traced_record();
	size_t bytes = mw_calls_stop(&thread->state, procfd, tid, thread->tgid, kinds, record, &wants);
	assert_true(bytes <= MW_RECORD_CALL_BYTES);
	if (!bytes || traced->count == RECORDS) {
		free(record);
		return;
	}
	assert_int_equal(bytes, sizeof(*record) + record->path_bytes + record->old_path_bytes + record->text_bytes);
	assert_int_equal(record->head.kind, MW_RECORD_CALL);
	assert_int_equal(record->head.pid, thread->tgid);
	assert_int_equal(record->tid, tid);
	assert_true(kinds & KIND(record->event));
	traced->records[traced->count++] = record;
}

static void traced_free(struct traced *traced)
{
	for (size_t i = 0; i < traced->count; i++)
		free(traced->records[i]);
	traced->count = 0;
}

/* `work` runs in the child, which ends with 0 after it. */
static void trace(struct traced *traced, void (*work)(void), uint64_t kinds)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
			     PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
	int go[2];
	*traced = (struct traced){0};
	assert_int_equal(pipe2(go, O_CLOEXEC), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		char byte;
		(void)close(go[1]);
		EXPECT(read(go[0], &byte, 1) == 1);
		(void)close(go[0]);
		work();
		_exit(0);
	}
	traced->pid = child;
	int procfd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(procfd >= 0);
	assert_int_equal(ptrace(PTRACE_SEIZE, child, 0L, options), 0);
	assert_int_equal(ptrace(PTRACE_INTERRUPT, child, 0L, 0L), 0);
	assert_int_equal(write(go[1], "", 1), 1);

	struct mw_pidmap threads = {0};
	for (;;) {
		int status;
		pid_t tid = waitpid(-1, &status, __WALL);
		if (tid < 0)
			break;
		if (!WIFSTOPPED(status)) {
			free(mw_pidmap_remove(&threads, tid));
			if (tid == child)
				traced->status = status;
			continue;
		}
		struct traced_thread *thread = traced_thread(&threads, procfd, tid);
		int signal = WSTOPSIG(status);
		int event = status >> 16;
		long deliver = 0;
		if (signal == (SIGTRAP | 0x80))
			traced_stop(traced, thread, procfd, tid, kinds);
		else if (!event)
			deliver = signal;
		(void)ptrace(PTRACE_SYSCALL, tid, 0L, deliver);
	}
	mw_pidmap_release(&threads);
	(void)close(procfd);
	(void)close(go[0]);
	(void)close(go[1]);
}

/* The same; the child must have come to its end. */
static inline void trace_well(struct traced *traced, void (*work)(void), uint64_t kinds)
{
	trace(traced, work, kinds);
	assert_true(WIFEXITED(traced->status));
	assert_int_equal(WEXITSTATUS(traced->status), 0);
}

static const char *path_of(const struct mw_record_call *record)
{
	static char path[MW_PATH_BYTES + 1];
	memcpy(path, record->strings, record->path_bytes);
	path[record->path_bytes] = '\0';
	return path;
}

static inline const char *old_path_of(const struct mw_record_call *record)
{
	static char path[MW_PATH_BYTES + 1];
	memcpy(path, record->strings + record->path_bytes, record->old_path_bytes);
	path[record->old_path_bytes] = '\0';
	return path;
}

static inline const char *text_of(const struct mw_record_call *record)
{
	static char text[MW_PATH_BYTES + 1];
	memcpy(text, record->strings + record->path_bytes + record->old_path_bytes, record->text_bytes);
	text[record->text_bytes] = '\0';
	return text;
}

/* The n-th record (from 0) with a call of that name. */
static const struct mw_record_call *nth(const struct traced *traced, const char *name, unsigned n)
{
	for (size_t i = 0; i < traced->count; i++)
		if (strcmp(mw_call_name(traced->records[i]->call), name) == 0 && n-- == 0)
			return traced->records[i];
	fail_msg("no record of %s", name);
	return NULL;
}

static inline size_t count_of(const struct traced *traced, const char *name)
{
	size_t count = 0;
	for (size_t i = 0; i < traced->count; i++)
		count += strcmp(mw_call_name(traced->records[i]->call), name) == 0;
	return count;
}

/* The test's own folder, as the kernel names it. */
static char folder[256];

static inline const char *in_folder(const char *name)
{
	static char path[512];
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static int make_folder(void **state)
{
	char wish[256];
	char real[MW_PATH_BYTES];
	const char *tmp = getenv("TMPDIR");
	(void)state;
	(void)snprintf(wish, sizeof(wish), "%.200s/calls.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(wish) || !realpath(wish, real) || strlen(real) >= sizeof(folder) || chdir(real) < 0)
		return -1;
	memcpy(folder, real, strlen(real) + 1);
	return 0;
}

static int remove_folder(void **state)
{
	char command[300];
	(void)state;
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return chdir("/") < 0 || system(command) ? -1 : 0;
}

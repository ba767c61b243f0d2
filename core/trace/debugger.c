#include "trace/debugger.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "event/record.h"
#include "trace/tracer_private.h"

enum {
	/* How long a debugger waits at most until its target has been let go. */
	HOLD_MS = 200,
};

static const char *const debuggers[] = {"gdb", "gdbserver", "strace",      "ltrace", "lldb",   "rr",
					"dlv", "delve",     "lldb-server", "jhsdb",  "py-spy", "ptrace-tool"};

static bool is_debugger(const struct mw_record_exec *exec)
{
	/* The executable's own name: a script that is called gdb (gcore is one) starts the real one. */
	const char *slash = memrchr(exec->strings, '/', exec->exe_bytes);
	const char *base = slash ? slash + 1 : exec->strings;
	size_t n = exec->exe_bytes - (size_t)(base - exec->strings);
	for (size_t i = 0; i < sizeof(debuggers) / sizeof(*debuggers); i++)
		if (strlen(debuggers[i]) == n && memcmp(debuggers[i], base, n) == 0)
			return true;
	return false;
}

static pid_t number(const char *text)
{
	char *end;
	long value = strtol(text, &end, 10);
	return end != text && *end == '\0' && value > 0 && value < MW_BOARD_PIDS ? (pid_t)value : 0;
}

/* The process an argument list names: "-p PID", "-pPID", "--pid=PID", "--pid PID", "--attach=PID", "attach PID",
 * "PROGRAM PID" of gdb. */
static pid_t target_of(const struct mw_record_exec *exec)
{
	const char *argv = exec->strings + exec->exe_bytes + exec->cwd_bytes + exec->execfn_bytes + exec->env_bytes;
	const char *end = argv + exec->argv_bytes;
	pid_t last = 0;
	bool is_named = false;
	for (const char *at = argv; at < end;) {
		const char *stop = memchr(at, '\0', (size_t)(end - at));
		if (!stop)
			break; /* cut */
		if (at != argv) {
			const char *value = at;
			bool is_here = false;
			static const char *const joined[] = {"--pid=", "--attach=", "-p"};
			for (size_t i = 0; i < sizeof(joined) / sizeof(*joined); i++) {
				size_t n = strlen(joined[i]);
				if (strncmp(at, joined[i], n) == 0 && at[n]) {
					value = at + n;
					is_here = true;
					break;
				}
			}
			pid_t pid = number(value);
			if (pid && (is_here || is_named))
				return pid;
			if (pid)
				last = pid;
			is_named = strcmp(at, "-p") == 0 || strcmp(at, "--pid") == 0 || strcmp(at, "attach") == 0 ||
				   strcmp(at, "--attach") == 0;
		}
		at = stop + 1;
	}
	return last;
}

/* True when something has to be waited for. */
static bool yield(struct mw_tracer *tracer, pid_t target, pid_t debugger)
{
	struct mw_debuggers *all = &tracer->debuggers;
	const struct mw_task *task = mw_tasks_get(&tracer->tasks, target);
	if (!task)
		return false;
	for (unsigned i = 0; i < MW_YIELDED; i++) {
		if (all->yielded[i].pid)
			continue;
		all->yielded[i].pid = task->tgid;
		all->yielded[i].debugger = debugger;
		/* Each is let go of where it stops: see mw_tracer_leave_event_stop(). */
		size_t cursor = 0;
		for (const struct mw_task *thread; (thread = mw_tasks_next(&tracer->tasks, &cursor));)
			if (thread->tgid == task->tgid)
				mw_tracer_request(PTRACE_INTERRUPT, thread->tid, 0);
		all->held = debugger;
		all->held_for = task->tgid;
		all->held_until_ns = mw_clock_mono_ns() + (int64_t)HOLD_MS * MW_NS_PER_MS;
		return true;
	}
	return false;
}

void mw_debugger_look_after(struct mw_tracer *tracer)
{
	struct mw_debuggers *all = &tracer->debuggers;
	size_t cursor = 0;
	if (mw_clock_mono_ns() < all->held_until_ns)
		for (const struct mw_task *thread; (thread = mw_tasks_next(&tracer->tasks, &cursor));)
			if (thread->tgid == all->held_for)
				return;
	struct mw_task *debugger = mw_tasks_get(&tracer->tasks, all->held);
	all->held = 0;
	if (debugger)
		mw_tracer_resume(tracer, debugger, 0);
}

bool mw_debugger_on_exec(struct mw_tracer *tracer, struct mw_task *task, const struct mw_record_exec *exec)
{
	if (task->is_debugger)
		mw_debugger_on_end(tracer, task);
	if (!tracer->options->yields_debuggers || !is_debugger(exec))
		return false;
	task->is_debugger = true;
	tracer->debuggers.alive++;
	pid_t target = target_of(exec);
	return target && target != task->tgid && !tracer->debuggers.held && yield(tracer, target, task->tgid);
}

void mw_debugger_on_end(struct mw_tracer *tracer, struct mw_task *task)
{
	struct mw_debuggers *all = &tracer->debuggers;
	if (!task->is_debugger || task->tid != task->tgid)
		return;
	task->is_debugger = false;
	if (all->alive)
		all->alive--;
	for (unsigned i = 0; i < MW_YIELDED; i++)
		if (all->yielded[i].debugger == task->tgid)
			all->yielded[i].pid = all->yielded[i].debugger = 0;
	mw_sweep_soon(tracer);
}

bool mw_debugger_wants(const struct mw_tracer *tracer, pid_t tgid)
{
	for (unsigned i = 0; tracer->debuggers.alive && i < MW_YIELDED; i++)
		if (tracer->debuggers.yielded[i].pid == tgid)
			return true;
	return false;
}

bool mw_debugger_leaves(const struct mw_tracer *tracer, pid_t pid, pid_t ppid)
{
	if (mw_debugger_wants(tracer, pid))
		return false;
	const struct mw_task *parent = mw_tasks_get(&tracer->tasks, ppid);
	return !parent || !parent->is_debugger;
}

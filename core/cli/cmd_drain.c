/* moonwatch drain: one folder after the other, each with a spool, an agent and a state of Lua of its own (lua/moonwatch/drain.lua), so
 * that nothing of one sensor gets to another's. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/secret.h"
#include "cli/command.h"
#include "event/attention.h"
#include "flag/enroll.h"
#include "flag/file_paths.h"
#include "flag/flag.h"
#include "loop/loop.h"
#include "script/agent.h"
#include "script/config.h"
#include "script/outputs.h"
#include "spool/handover.h"
#include "spool/queue.h"
#include "spool/spool.h"

extern char **environ;

enum {
	/* Between looks at what has been delivered, and at the folder. */
	STEP_MS = 20,
	LOOK_MS = 500,
	/* While nothing of a sensor's goes out for so long, others get their turn. */
	STUCK_MS = 30000,
	STUCK_ONCE_MS = 10000,
	STOP_MS = 25000,
	STOP_MAX_MS = 3600 * 1000,
	NAMES = 1000,
	RUN_BYTES = 128,
	LIMIT_BYTES = 1 << 30,
};

struct drain {
	struct mw_flags *flags;
	struct mw_enroll *enroll;
	struct mw_loop *loop;
	struct mw_timer timer;
	const char *dir;
	bool is_once, is_told;
	int64_t stop_ms, stop_at_ns; /* 0: it was not asked to end */
	int signal_fd;
	/* A round through the folder. */
	char *names[NAMES];
	size_t count, next;
	bool was_asked; /* when it began */
	uint64_t left;  /* rows, of those that are done */
	/* The one at hand. */
	char path[MW_PATH_BYTES];
	char run[RUN_BYTES];
	struct mw_spool *spool;
	struct mw_agent *agent;
	uint64_t before, least;
	int64_t since_ns;
	bool is_flushing, is_flushed;
};

static void take_name(void *data, const char *name)
{
	struct drain *drain = data;
	if (drain->count < NAMES && (drain->names[drain->count] = strdup(name)))
		drain->count++;
}

struct waiting {
	const struct mw_spool *spool;
	uint64_t ours, others;
};

static void add_waiting(void *data, const char *consumer, uint64_t rows)
{
	struct waiting *waiting = data;
	const struct mw_spool_consumer *known;
	for (unsigned i = 0; (known = mw_spool_consumer_at(waiting->spool, i)); i++)
		if (strcmp(known->name, consumer) == 0) {
			waiting->ours += rows;
			return;
		}
	waiting->others += rows;
}

static struct waiting count(const struct drain *drain)
{
	struct waiting waiting = {.spool = drain->spool};
	struct mw_err err;
	if (mw_spool_cursors(drain->spool, add_waiting, &waiting, &err) < 0)
		mw_log("drain: %s: %s", drain->path, err.text);
	return waiting;
}

static void on_report(void *data, const char *line)
{
	(void)data;
	mw_log("drain: %s", line);
}

static void on_identity(void *data, const char *column, const char *text)
{
	(void)data;
	(void)column;
	(void)text;
}

static void on_document(void *data, const char *name, const char *json, size_t bytes)
{
	struct drain *drain = data;
	(void)mw_spool_put_document(drain->spool, name, json, bytes, NULL);
}

static int open_folder(struct drain *drain, const char *name, struct mw_err *err)
{
	int n = snprintf(drain->path, sizeof(drain->path), "%s/%s", drain->dir, name);
	if (n < 0 || (size_t)n >= sizeof(drain->path))
		return mw_err_set(err, -ENAMETOOLONG, "%s: path too long", name);
	(void)snprintf(drain->run, sizeof(drain->run), "%s", name);
	int r = mw_spool_open(drain->path, LIMIT_BYTES, &drain->spool, NULL, err);
	const struct mw_agent_options options = {
		.loop = drain->loop,
		.tree = mw_tree(),
		.flags = drain->flags,
		.spool = drain->spool,
		.state_dir = drain->path,
		.run = drain->run,
		.module = "moonwatch.drain",
		.reference = drain->enroll->reference,
		.secret = drain->enroll->secret,
		.taken = drain->enroll->taken,
		.taken_count = drain->enroll->taken_count,
		.report = on_report,
		.identify = on_identity,
		.keep = on_document,
		.data = drain,
	};
	if (r == 0 && (r = mw_agent_new(&options, &drain->agent)) < 0)
		r = mw_err_set(err, r, "out of memory");
	if (r == 0)
		r = mw_agent_start(drain->agent, err);
	struct waiting waiting = r == 0 ? count(drain) : (struct waiting){.ours = 0};
	drain->before = drain->least = waiting.ours;
	drain->since_ns = mw_clock_mono_ns();
	drain->is_flushing = drain->is_flushed = false;
	return r;
}

static void close_folder(struct drain *drain)
{
	struct mw_err err;
	struct waiting waiting = drain->spool ? count(drain) : (struct waiting){.others = 1};
	mw_agent_free(drain->agent);
	if (drain->spool)
		mw_spool_close(drain->spool);
	bool is_there = drain->spool;
	drain->agent = NULL;
	drain->spool = NULL;
	drain->left += waiting.ours + waiting.others;
	if (drain->before > waiting.ours)
		mw_log("drain: %s: %" PRIu64 " rows delivered, %" PRIu64 " left", drain->path,
		       drain->before - waiting.ours, waiting.ours + waiting.others);
	if (is_there && waiting.others && !drain->is_told) {
		drain->is_told = true;
		mw_log("drain: %s: %" PRIu64
		       " rows are for outputs, or a backend, that the flags do not name; they stay",
		       drain->path, waiting.others);
	}
	if (is_there && !waiting.ours && !waiting.others && mw_spool_handed_remove(drain->path, &err) < 0)
		mw_log("drain: %s", err.text);
}

static void on_flushed(void *data)
{
	((struct drain *)data)->is_flushed = true; /* it is in use now; the next step frees it */
}

/* Is the folder at hand done with? */
static bool is_done(struct drain *drain)
{
	uint64_t ours = count(drain).ours;
	int64_t now_ns = mw_clock_mono_ns();
	if (ours < drain->least) {
		drain->least = ours;
		drain->since_ns = now_ns;
	}
	if (!ours || drain->is_flushed)
		return true;
	if (drain->stop_at_ns && !drain->is_flushing) {
		int64_t left_ms = (drain->stop_at_ns - now_ns) / MW_NS_PER_MS;
		drain->is_flushing = true;
		mw_agent_flush(drain->agent, left_ms > 0 ? left_ms : 0, on_flushed, drain);
	}
	int64_t stuck_ms = drain->is_once ? STUCK_ONCE_MS : STUCK_MS;
	return !drain->is_flushing && now_ns - drain->since_ns > stuck_ms * MW_NS_PER_MS;
}

static void begin_round(struct drain *drain)
{
	struct mw_err err;
	drain->count = drain->next = 0;
	drain->left = 0;
	drain->was_asked = drain->stop_at_ns != 0;
	if (mw_spool_handed_list(drain->dir, take_name, drain, &err) < 0 && !drain->is_told) {
		drain->is_told = true;
		mw_log("drain: %s", err.text);
	}
}

/* What is to be done next, and in how many ms; negative: nothing, ever. */
static int64_t step(struct drain *drain)
{
	struct mw_err err;
	if (drain->spool) {
		if (!is_done(drain))
			return STEP_MS;
		close_folder(drain);
		return 0;
	}
	if (drain->next < drain->count) {
		char *name = drain->names[drain->next++];
		if (drain->stop_at_ns && mw_clock_mono_ns() >= drain->stop_at_ns) {
			drain->left++;
		} else if (open_folder(drain, name, &err) < 0) {
			mw_log("drain: %s: %s", drain->path, err.text);
			close_folder(drain);
		}
		free(name);
		return 0;
	}
	/* Once more when asked to end: a sensor may have left something only now. */
	if (drain->is_once || drain->was_asked)
		return -1;
	begin_round(drain);
	return drain->count || drain->stop_at_ns ? 0 : LOOK_MS;
}

static void on_time(void *data)
{
	struct drain *drain = data;
	int64_t ms = step(drain);
	if (ms < 0)
		mw_loop_stop(drain->loop);
	else
		mw_timer_set(drain->loop, &drain->timer, ms);
}

static void on_signal(void *data, uint32_t events)
{
	struct drain *drain = data;
	struct signalfd_siginfo info;
	(void)events;
	if (read(drain->signal_fd, &info, sizeof(info)) != sizeof(info) || drain->stop_at_ns)
		return;
	drain->stop_at_ns = mw_clock_mono_ns() + drain->stop_ms * MW_NS_PER_MS;
	mw_timer_set(drain->loop, &drain->timer, 0);
}

static int watch_signals(struct drain *drain)
{
	sigset_t set;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	drain->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return drain->signal_fd < 0 ? -errno : mw_loop_watch(drain->loop, drain->signal_fd, EPOLLIN, on_signal, drain);
}

static int run_loop(struct drain *drain)
{
	struct mw_err err;
	int r = mw_loop_new(&drain->loop, &err);
	if (r == 0 && (r = watch_signals(drain)) < 0)
		r = mw_err_set(&err, r, "signals: %s", strerror(-r));
	if (r == 0) {
		begin_round(drain);
		mw_timer_set(drain->loop, &drain->timer, 0);
		if ((r = mw_loop_run(drain->loop)) < 0)
			r = mw_err_set(&err, r, "event loop: %s", strerror(-r));
	}
	if (r < 0)
		mw_complain("drain: %s", err.text);
	if (drain->spool)
		close_folder(drain);
	mw_loop_free(drain->loop);
	return r < 0 || drain->left ? MW_EXIT_NO : MW_EXIT_OK;
}

/* Take --once and --stop_ms=MS out of the arguments; the others are flags.  How many are left. */
static int take_own(struct drain *drain, int argc, char **argv)
{
	int n = 1;
	for (int i = 1; i < argc; i++) {
		static const char stop[] = "--stop_ms=";
		char *end = NULL;
		if (strcmp(argv[i], "--once") == 0) {
			drain->is_once = true;
		} else if (strncmp(argv[i], stop, sizeof(stop) - 1) == 0) {
			drain->stop_ms = strtol(argv[i] + sizeof(stop) - 1, &end, 10);
			if (!*(argv[i] + sizeof(stop) - 1) || *end || drain->stop_ms < 0 ||
			    drain->stop_ms > STOP_MAX_MS)
				return -1;
		} else {
			argv[n++] = argv[i];
		}
	}
	argv[n] = NULL;
	return n;
}

static int check(struct drain *drain, char **rest)
{
	struct mw_err err;
	if (*rest && strcmp(*rest, "--") == 0)
		rest++;
	if (!*rest || rest[1]) {
		mw_complain("drain: %s", *rest ? "more than one folder" : "which folder?");
		return MW_EXIT_USAGE;
	}
	drain->dir = *rest;
	if (mw_outputs_check(mw_flag_text(drain->flags, MW_FLAG_OUTPUTS), mw_tree(), &err) < 0) {
		mw_complain("drain: %s", err.text);
		return MW_EXIT_USAGE;
	}
	return 0;
}

static int run(int argc, char **argv)
{
	static struct mw_attention attention; /* large */
	static struct mw_enroll enroll;       /* large */
	static struct drain drain = {.stop_ms = STOP_MS, .signal_fd = -1, .enroll = &enroll};
	struct mw_file_paths files = {0};
	struct mw_err err;
	int rest;
	drain.timer = (struct mw_timer){.fire = on_time, .data = &drain};
	int n = take_own(&drain, argc, argv);
	if (n < 0) {
		mw_complain("drain: --stop_ms goes from 0 to %d", STOP_MAX_MS);
		return MW_EXIT_USAGE;
	}
	const char *tree = mw_tree();
	if (!*tree)
		return MW_EXIT_NO;
	int r = mw_config_load(tree, n - 1, argv + 1, environ, &drain.flags, &attention, &files, &rest, &err);
	mw_file_paths_release(&files);
	if (r < 0) {
		mw_complain("drain: %s", err.text);
		return r == -EINVAL ? MW_EXIT_USAGE : MW_EXIT_CONFIG;
	}
	if (mw_enroll_take(drain.flags, environ, &enroll, &err) < 0)
		mw_complain("drain: %s", err.text);
	int status = check(&drain, argv + 1 + rest);
	if (status == 0)
		status = run_loop(&drain);
	mw_enroll_release(&enroll);
	mw_flags_free(drain.flags);
	return status;
}

const struct mw_command mw_command_drain = {
	.name = "drain",
	.usage = "[flags] [--once] [--stop_ms=MS] DIR",
	.summary = "Deliver what sensors of this task could not, and left in DIR (--spool_handover) at their end.",
	.help = "  flags         those of outputs and the backend, as the sensors have them: --outputs, --backend, --tls_hostname…\n"
		"                (MOONWATCH_OUTPUTS…); what is for others is left alone\n"
		"  --once        end when nothing is left to be delivered, or as soon as something cannot be\n"
		"  --stop_ms=MS  how long it goes on after SIGTERM: 25000, which is less than ECS waits\n\n"
		"It runs as a container beside the application, stopped after it, and delivers with the same batches, back-off\n"
		"and identities as the sensor would have. What was taken is removed from DIR.\n\n"
		"Exit status: 0 when nothing is left in DIR; 1 when something is; 2 for wrong arguments.\n",
	.run = run,
};

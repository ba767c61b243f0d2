/* moonwatch run: start the sensor beside this process, then become the application. */

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/secret.h"
#include "cli/command.h"
#include "event/board.h"
#include "flag/enroll.h"
#include "flag/file_paths.h"
#include "flag/flag.h"
#include "launch/launch.h"
#include "script/config.h"
#include "script/outputs.h"
#include "sensor/sensor.h"
#include "trace/engine.h"

enum {
	/* As a shell says that a command cannot be executed or is not there; POSIX, Shell & Utilities 2.8.2. */
	EXIT_NOT_EXECUTABLE = 126,
	EXIT_NOT_FOUND = 127,
};

static struct mw_file_paths files;

/* A backend may yet want to see processes, where nobody else has said anything about it. */
static bool is_traced(const struct mw_flags *flags)
{
	return mw_flag_bool(flags, MW_FLAG_AUDIT_ALLOW_PROCESS_EVENTS) ||
	       (*mw_flag_text(flags, MW_FLAG_TLS_HOSTNAME) &&
		mw_flag_source(flags, MW_FLAG_AUDIT_ALLOW_PROCESS_EVENTS) < MW_FROM_BACKEND);
}

static int start_sensor(struct mw_flags *flags, const struct mw_attention *attention,
			const struct mw_sensor_options *options)
{
	struct mw_err err = {0};
	struct mw_board *board;
	int r = mw_board_new((size_t)mw_flag_int(flags, MW_FLAG_RING_SIZE_MIB) << 20, &board, &err);
	if (r < 0)
		goto out;
	/* Of all kinds, until the sensor has loaded its rules and says which are wanted (sensor/subscription.h). */
	board->attention[0] = *attention;
	/* From the first program on; the sensor says when there is nothing to wait for (sensor/enforce.h). */
	if (mw_flag_bool(flags, MW_FLAG_ENFORCE))
		atomic_store(&board->enforced_kinds, 1ull << MW_PROCESS_EXEC);
	const char *outputs = mw_flag_text(flags, MW_FLAG_OUTPUTS);
	const struct mw_launch launch = {
		.board = board,
		.is_traced = is_traced(flags),
		.keeps_stdout = strstr(outputs, ":stdout") != NULL,
		.keeps_stderr = true, /* our own messages go there */
		.engines = mw_engine_order(mw_flag_text(flags, MW_FLAG_ENGINE)),
		.poll_interval_ms = mw_flag_int(flags, MW_FLAG_PROCESSES_INTERVAL_MS),
		.attach_timeout_ms = mw_flag_int(flags, MW_FLAG_ATTACH_TIMEOUT_MS),
		.shutdown_flush_ms = mw_flag_int(flags, MW_FLAG_SHUTDOWN_FLUSH_MS),
		.enforce_deadline_ms =
			mw_flag_bool(flags, MW_FLAG_ENFORCE) ? mw_flag_int(flags, MW_FLAG_ENFORCE_DEADLINE_MS) : 0,
		.environment =
			mw_flag_choice(flags, MW_FLAG_EXEC_ENVIRONMENT), /* in the order of enum mw_environment */
		.takes_older = mw_flag_bool(flags, MW_FLAG_ATTACH),
		.yields_debuggers = strcmp(mw_flag_text(flags, MW_FLAG_DEBUGGERS), "yield") == 0,
		.secret = options->enroll->secret,
		.sensor = mw_sensor_run,
		.data = (void *)options,
	};
	r = mw_launch_guard(&launch, &err);
	if (r == 0 && err.text[0])
		mw_complain("%s", err.text);
	if (r == 0 && board->engine_why[0])
		mw_complain("%s", board->engine_why);
out:
	if (r < 0)
		mw_complain("%s", err.text);
	return r;
}

static int run(int argc, char **argv)
{
	static struct mw_attention attention; /* large */
	const char *tree = mw_tree();
	struct mw_flags *flags;
	struct mw_err err;
	int rest;
	int r = mw_config_load(tree, argc - 1, argv + 1, environ, &flags, &attention, &files, &rest, &err);
	if (r < 0) {
		mw_complain("%s", err.text);
		return r == -EINVAL ? MW_EXIT_USAGE : MW_EXIT_CONFIG;
	}
	if (err.text[0])
		mw_complain("%s", err.text);
	static struct mw_enroll enroll; /* large */
	if (mw_enroll_take(flags, environ, &enroll, &err) < 0)
		mw_complain("%s", err.text);
	char **command = argv + 1 + rest;
	bool is_beside = !*command && mw_flag_bool(flags, MW_FLAG_ATTACH);
	if (!*command && !is_beside) {
		mw_complain("run: no command; usage: moonwatch run [flags] -- COMMAND [ARG…]");
		mw_flags_free(flags);
		return MW_EXIT_USAGE;
	}
	if (mw_outputs_check(mw_flag_text(flags, MW_FLAG_OUTPUTS), tree, &err) < 0) {
		mw_complain("%s", err.text);
		mw_flags_free(flags);
		return MW_EXIT_CONFIG;
	}

	const struct mw_sensor_options options = {.flags = flags, .files = &files, .tree = tree, .enroll = &enroll};
	pid_t watcher = mw_launch_watched_by();
	if (watcher)
		mw_complain("run: this process is watched by another moonwatch already (process %d), which sees the "
			    "command, too; running it as it is",
			    (int)watcher);
	else
		(void)start_sensor(flags, &attention,
				   &options); /* has said what is missing; the application starts all the same */
	mw_enroll_release(&enroll);           /* the sensor has its own */
	if (is_beside) {
		mw_flags_free(flags);
		return watcher ? MW_EXIT_NO : mw_launch_wait();
	}
	r = mw_launch_application(command);
	mw_flags_free(flags);

	if (r == -ENOENT)
		mw_complain("%s: not found", command[0]);
	else
		mw_complain("%s: cannot be executed: %s", command[0], strerror(-r));
	return r == -ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

const struct mw_command mw_command_run = {
	.name = "run",
	.usage = "[flags] -- COMMAND [ARG…]",
	.summary = "Run a command with the sensor beside it.",
	.help = "The command replaces this process: its process id, parent, standard streams, environment, signals and\n"
		"exit status are its own. The sensor sees the whole tree of its processes. When tracing is refused, the\n"
		"command runs all the same, and one line on standard error says so.\n\n"
		"With --attach, processes of the container that are older are watched as well; without COMMAND, moonwatch\n"
		"then stays beside them until SIGTERM or SIGINT.\n\n"
		"Exit status: that of the command; 127 when it is not found, 126 when it cannot be executed, 2 for a wrong\n"
		"flag, 78 for a wrong configuration.",
	.run = run,
};

#include "trace/engine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *ptrace_refusal(int error)
{
	static char text[MW_BOARD_TEXT_BYTES / 2];
	(void)snprintf(text, sizeof(text), "ptrace is refused (%s); add the capability SYS_PTRACE to the container",
		       strerror(-error));
	return text;
}

const struct mw_engine_driver mw_engine_ptrace = {
	.id = MW_ENGINE_PTRACE, .run = mw_tracer_run, .refusal = ptrace_refusal};

static const struct mw_engine_driver *const drivers[MW_ENGINES] = {
	[MW_ENGINE_PTRACE] = &mw_engine_ptrace,
	[MW_ENGINE_NOTIFY] = &mw_engine_notify,
	[MW_ENGINE_POLL] = &mw_engine_poll,
};

/* What of it is to be known by whoever gets this engine for want of another. */
static const char *const consequences[MW_ENGINES] = {
	[MW_ENGINE_PTRACE] = "processes are traced by ptrace instead",
	[MW_ENGINE_POLL] = "processes are found by looking at /proc instead, and short-lived ones are missed",
};

const enum mw_engine *mw_engine_order(const char *name)
{
	static const struct {
		const char *name;
		enum mw_engine order[4];
	} orders[] = {
		{"auto", {MW_ENGINE_PTRACE, MW_ENGINE_POLL}},
		{"ptrace", {MW_ENGINE_PTRACE}},
		{"notify", {MW_ENGINE_NOTIFY, MW_ENGINE_PTRACE, MW_ENGINE_POLL}},
		{"poll", {MW_ENGINE_POLL}},
	};
	for (size_t i = 0; i < sizeof(orders) / sizeof(*orders); i++)
		if (strcmp(orders[i].name, name) == 0)
			return orders[i].order;
	return NULL;
}

void mw_engine_ready(struct mw_board *board, enum mw_engine engine)
{
	atomic_store(&board->engine, engine);
	atomic_store(&board->attach_errno, 0);
	atomic_store(&board->attach, MW_ATTACH_DONE);
	mw_futex_wake(&board->attach);
}

static void refuse(struct mw_board *board, int error)
{
	atomic_store(&board->engine, MW_ENGINE_NONE);
	atomic_store(&board->attach_errno, -error);
	atomic_store(&board->attach, MW_ATTACH_REFUSED);
	mw_futex_wake(&board->attach);
}

int mw_engine_run(const struct mw_tracer_options *options)
{
	struct mw_board *board = options->board;
	const char *refused = options->refused;
	int r = -ENOSYS;
	for (const enum mw_engine *engine = options->engines; *engine != MW_ENGINE_NONE; engine++) {
		const struct mw_engine_driver *driver = drivers[*engine];
		/* Before the engine says that it is ready, so that whoever waits for that finds it. */
		if (refused[0])
			(void)snprintf(board->engine_why, sizeof(board->engine_why), "%s: %s", refused,
				       consequences[*engine]);
		r = driver->run(options);
		if (r == 0)
			return 0;
		if (!refused[0])
			refused = driver->refusal(r);
	}
	board->engine_why[0] = '\0';
	refuse(board, r);
	return r;
}

#include "sensor/opening.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "event/board.h"
#include "flag/flag.h"
#include "loop/loop.h"
#include "rule/engine.h"
#include "script/outputs.h"
#include "sensor/sockets.h"
#include "spool/spool.h"
#include "spool/state_dir.h"

/* Rules of whoever runs the container, besides --rules_dir (design, section 10). */
static const char USER_RULES[] = "/etc/moonwatch/rules.d";

int mw_open_spool(const struct mw_flags *flags, char ret_dir[MW_PATH_BYTES], struct mw_spool **ret_spool,
		  struct mw_err *err)
{
	char *dir = ret_dir;
	struct mw_err note = {0};
	mw_state_dir_choose(mw_flag_text(flags, MW_FLAG_STATE_DIR), dir, &note);
	if (note.text[0])
		mw_log("%s", note.text);
	uint64_t limit_bytes = (uint64_t)mw_flag_int(flags, MW_FLAG_SPOOL_LIMIT_MIB) << 20;
	note.text[0] = '\0';
	int r = mw_spool_open(dir, limit_bytes, ret_spool, &note, err);
	if (r < 0 && dir[0]) {
		mw_log("%s; what is seen is kept in memory only", err->text);
		r = mw_spool_open("", limit_bytes, ret_spool, &note, err);
	}
	if (r == 0)
		mw_spool_limit_rows(*ret_spool, (uint64_t)mw_flag_int(flags, MW_FLAG_BUFFERED_LOG_MAX));
	if (r == 0 && note.text[0])
		mw_log("%s", note.text);
	return r;
}

int mw_open_outputs(const struct mw_flags *flags, const char *tree, struct mw_outputs **ret_outputs, struct mw_err *err)
{
	const char *spec = mw_flag_text(flags, MW_FLAG_OUTPUTS);
	int r = mw_outputs_open(spec, tree, ret_outputs, err);
	if (r < 0) {
		const char *fallback = mw_flag_list[MW_FLAG_OUTPUTS].def_text;
		mw_log("outputs: %s; using %s", err->text, fallback);
		r = mw_outputs_open(fallback, tree, ret_outputs, err);
	}
	if (r == 0)
		r = mw_outputs_set(*ret_outputs, "alert_query_name", mw_flag_text(flags, MW_FLAG_ALERT_QUERY_NAME),
				   err);
	return r;
}

void mw_rules_dirs(const struct mw_flags *flags, char out[MW_RULES_DIRS_BYTES])
{
	const char *wanted = mw_flag_text(flags, MW_FLAG_RULES_DIR);
	bool has_user_rules = access(USER_RULES, F_OK) == 0;
	(void)snprintf(out, MW_RULES_DIRS_BYTES, "%s%s%s", has_user_rules ? USER_RULES : "",
		       has_user_rules && *wanted ? ":" : "", wanted);
}

int mw_open_rules(const struct mw_flags *flags, const char *tree, void (*report)(void *data, const char *line),
		  void *data, struct mw_rules **ret_rules, struct mw_err *err)
{
	char dirs[MW_RULES_DIRS_BYTES];
	mw_rules_dirs(flags, dirs);
	const struct mw_rules_options options = {
		.tree = tree,
		.extra_dirs = dirs,
		.memory_bytes = (size_t)mw_flag_int(flags, MW_FLAG_RULE_MEMORY_MIB) << 20,
		.event_instructions = (uint64_t)mw_flag_int(flags, MW_FLAG_RULE_EVENT_INSTRUCTIONS),
		.is_watched = true,
		.report = report,
		.data = data,
	};
	int r = mw_rules_load(&options, ret_rules, err);
	if (r < 0) {
		*ret_rules = NULL;
		mw_log("no rules: %s", err->text);
	}
	return r;
}

void mw_let_go_of_stdio(struct mw_outputs *outputs)
{
	mw_outputs_close_stdio(outputs);
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)dup2(fd, STDOUT_FILENO);
	(void)dup2(fd, STDERR_FILENO);
	if (fd > STDERR_FILENO)
		(void)close(fd);
}

int mw_open_signals(struct mw_loop *loop, void (*ready)(void *data, uint32_t events), void *data, int *ret_fd)
{
	sigset_t set;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	*ret_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return *ret_fd < 0 ? -errno : mw_loop_watch(loop, *ret_fd, EPOLLIN, ready, data);
}

int mw_open_sockets(const struct mw_flags *flags, const struct mw_board *board,
		    const struct mw_sockets_options *options, struct mw_sockets **ret_sockets, struct mw_err *err)
{
	if (!mw_flag_bool(flags, MW_FLAG_AUDIT_ALLOW_SOCKETS))
		return 0;
	struct mw_sockets_options all = *options;
	all.interval_ms = mw_flag_int(flags, MW_FLAG_SOCKETS_INTERVAL_MS);
	all.is_again = atomic_load(&board->sensor_restarts) > 0;
	int r = mw_sockets_new(&all, ret_sockets);
	return r < 0 ? mw_err_set(err, r, "sockets: %s", strerror(-r)) : 0;
}

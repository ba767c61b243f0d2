#include "sensor/attention.h"

#include <string.h>

#include "event/alert.h"
#include "event/board.h"
#include "event/event.h"
#include "flag/flag.h"
#include "rule/engine.h"
#include "script/outputs.h"

#define KIND(kind) (1ull << (kind))

/* Of what processes under attention `calls` do, the spool keeps what is rare and changes something.  What every program
 * does at its start (opening files, putting pipes in the place of its standard streams, naming its threads, signals) is
 * there for rules and outputs, and recorded only when one of them listens. */
static const uint64_t kept = KIND(MW_PROCESS_EXEC) | KIND(MW_PROCESS_EXEC_FAILED) | KIND(MW_PROCESS_PTRACE) |
			     KIND(MW_PROCESS_MEMFD) | KIND(MW_PROCESS_MOUNT) | KIND(MW_PROCESS_SETNS) |
			     KIND(MW_PROCESS_UNSHARE) | KIND(MW_PROCESS_BPF) | KIND(MW_PROCESS_MODULE) |
			     KIND(MW_PROCESS_SETUID) | KIND(MW_FILE_CREATE) | KIND(MW_FILE_DELETE) |
			     KIND(MW_FILE_RENAME) | KIND(MW_FILE_LINK) | KIND(MW_FILE_SYMLINK) | KIND(MW_FILE_MODIFY) |
			     KIND(MW_FILE_ATTRIBUTES) | KIND(MW_SENSOR_HEALTH) | KIND(MW_SENSOR_GAP);

static const uint64_t sockets =
	KIND(MW_SOCKET_CONNECT) | KIND(MW_SOCKET_BIND) | KIND(MW_SOCKET_LISTEN) | KIND(MW_SOCKET_ACCEPT);

/* Who is whose child; and what is said of ourselves. */
static const uint64_t always = KIND(MW_PROCESS_EXEC) | KIND(MW_PROCESS_FORK) | KIND(MW_PROCESS_EXIT) |
			       KIND(MW_SENSOR_HEALTH) | KIND(MW_SENSOR_GAP);

uint64_t mw_attention_spooled(const struct mw_flags *flags)
{
	uint64_t kinds = kept;
	if (mw_flag_bool(flags, MW_FLAG_AUDIT_ALLOW_FORK_PROCESS_EVENTS))
		kinds |= KIND(MW_PROCESS_FORK);
	if (mw_flag_bool(flags, MW_FLAG_AUDIT_ALLOW_EXIT_PROCESS_EVENTS))
		kinds |= KIND(MW_PROCESS_EXIT);
	if (mw_flag_bool(flags, MW_FLAG_AUDIT_ALLOW_SOCKETS))
		kinds |= sockets;
	return kinds;
}

uint64_t mw_attention_muted(const struct mw_flags *flags)
{
	uint64_t kinds = 0;
	for (unsigned kind = 0; kind < MW_EVENT_KINDS; kind++)
		if (strncmp(mw_event_kinds[kind].name, "process.", 8) == 0)
			kinds |= KIND(kind);
	return mw_flag_bool(flags, MW_FLAG_AUDIT_ALLOW_PROCESS_EVENTS) ? 0 : kinds;
}

uint64_t mw_attention_wanted(const struct mw_flags *flags, const struct mw_rules *rules,
			     const struct mw_outputs *outputs)
{
	uint64_t kinds = mw_attention_spooled(flags);
	if (mw_outputs_want(outputs, MW_STREAM_EVENTS))
		kinds = KIND(MW_EVENT_KINDS) - 1;
	for (unsigned kind = 0; rules && kind < MW_EVENT_KINDS; kind++)
		if (mw_rules_want(rules, (enum mw_event_kind)kind))
			kinds |= KIND(kind);
	if (!mw_flag_bool(flags, MW_FLAG_AUDIT_ALLOW_SOCKETS))
		kinds &= ~sockets;
	/* By it the tracer knows that somebody asks who opens files to write. */
	if (!mw_flag_bool(flags, MW_FLAG_ALLOW_INOTIFY_FILE_EVENTS))
		kinds &= ~KIND(MW_FILE_MODIFY);
	kinds &= ~mw_attention_muted(flags);
	return kinds | always;
}

static void request(struct mw_board *board, pid_t pid, unsigned level)
{
	if (pid > 0 && mw_board_request(board, pid, level) < 0)
		(void)atomic_fetch_add(&board->sensor.requests_lost, 1);
}

void mw_attention_follow(struct mw_board *board, const struct mw_alert *alert)
{
	const struct mw_event *event = alert->event;
	unsigned level = alert->rule->attention;
	if (!level)
		return;
	if (event->process && !event->process->ended)
		request(board, event->process->pid, level);
	if (event->call)
		request(board, event->call->target_pid, level);
}

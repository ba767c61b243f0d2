/* Life of an event here: ring -> processes.c (what happened, to whom) -> spool, outputs, rules -> alerts -> spool, outputs.
 *
 * Records are handled in batches: while events come, the ring is looked at every few milliseconds and the tracer wakes
 * nobody; when none have come, the sensor sleeps until the tracer's next record wakes it.  Each batch is one
 * transaction of the spool. */

#include "sensor/sensor.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/thread.h"
#include "crypto/redact.h"
#include "event/alert.h"
#include "event/board.h"
#include "event/record.h"
#include "flag/enroll.h"
#include "flag/flag.h"
#include "loop/loop.h"
#include "proc/users.h"
#include "rule/engine.h"
#include "script/agent.h"
#include "script/outputs.h"
#include "sensor/attention.h"
#include "sensor/configured.h"
#include "sensor/enforce.h"
#include "sensor/exec_world.h"
#include "sensor/handover.h"
#include "sensor/health.h"
#include "sensor/live_rules.h"
#include "sensor/losses.h"
#include "sensor/muted.h"
#include "sensor/opening.h"
#include "sensor/outside.h"
#include "sensor/processes.h"
#include "sensor/sockets.h"
#include "sensor/state.h"
#include "spool/spool.h"
#include "sql/memory.h"

enum {
	/* Between two looks at the ring while events come: the longest an alert waits for company. */
	BATCH_MS = 20,
	/* Records between two commits. */
	BATCH_RECORDS = 4096,
	FILES_MS = 2, /* between a change of a file and the look at it, when no record of a system call is waited for */
	LAST_FILES_MS = 2000, /* for what happened to files, at the end; the guard waits for longer */
	/* Between two commits while nothing comes but changes of files, which come in numbers, and no rule had anything to say. */
	SAVE_MS = 100,
	/* Until a sink that did not take all its bytes is tried again. */
	PUMP_MS = 20,
	/* JSON of one event: the longest strings, each byte of them escaped to six, and the names around them. */
	JSON_BYTES = 6 * MW_RECORD_BYTES * (2 + MW_ANCESTORS),
	MESSAGE_BYTES = 512,
	/* Of the time that the application's end may be held back, the part that is left for saying that we are done. */
	FLUSH_MARGIN = 8,
};

struct sensor {
	const struct mw_sensor_options *options;
	struct mw_board *board;
	struct mw_loop *loop;
	struct mw_spool *spool;
	struct mw_live_rules *live_rules;
	struct mw_rules *rules; /* its; NULL: there can be none */
	struct mw_outputs *outputs;
	struct mw_processes processes;
	struct mw_users *users;
	struct mw_identity identity;
	struct mw_sockets *sockets; /* NULL: not looked at */
	struct mw_configured *configured;
	struct mw_files *files;  /* its */
	struct mw_process *root; /* the application's first process, once it has ended */
	struct mw_buf json;
	struct mw_timer batch_timer;
	struct mw_timer pump_timer;
	struct mw_timer health_timer;
	struct mw_outside *outside;
	struct mw_health health;
	char state_dir[MW_PATH_BYTES]; /* that was chosen */
	struct mw_enforce enforce;
	struct mw_muted muted;
	uint64_t spooled_kinds;
	uint64_t muted_kinds; /* that nobody is to see, as flags say */
	int signal_fd;
	struct mw_losses losses;
	bool spool_is_failing;
	bool has_files;   /* changes of files are to be told soon */
	bool is_urgent;   /* what is not saved yet is not to wait */
	int64_t saved_ns; /* CLOCK_MONOTONIC */
	bool is_flushing, has_flushed_last;
};

static void count(atomic_uint_least64_t *counter)
{
	(void)atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* Returns the JSON, which lives until the next call; NULL: too much, or no memory. */
static const struct mw_buf *spool(struct sensor *sensor, enum mw_spool_stream stream, const struct mw_event *event,
				  const struct mw_shape *shape, const void *object, const char *rule)
{
	mw_buf_clear(&sensor->json);
	mw_shape_json(&sensor->json, shape, object);
	struct mw_err err = {.text = "out of memory"};
	int r = mw_buf_status(&sensor->json);
	if (r == 0) {
		const struct mw_spool_row row = {
			.id = event->id,
			.time_ns = event->time_ns,
			.kind = mw_event_kinds[event->kind].name,
			.pid = event->process ? event->process->pid : 0,
			.rule = rule,
			.body = sensor->json.data,
			.body_bytes = sensor->json.size,
		};
		r = mw_spool_add(sensor->spool, stream, &row, &err);
	}
	if (r < 0)
		count(stream == MW_SPOOL_EVENTS ? &sensor->board->sensor.lost : &sensor->board->sensor.alerts_lost);
	if (r < 0 && !sensor->spool_is_failing)
		mw_log("spool: %s; events are counted as lost until it can be written again", err.text);
	sensor->spool_is_failing = r < 0;
	return mw_buf_status(&sensor->json) == 0 ? &sensor->json : NULL;
}

static void on_alert(void *data, const struct mw_alert *told)
{
	struct sensor *sensor = data;
	if (mw_muted_is(&sensor->muted, told))
		return;
	struct mw_alert copy = *told;
	const struct mw_alert *alert = &copy;
	mw_enforce_alert(&sensor->enforce, &copy);
	sensor->is_urgent = true;
	count(&sensor->board->sensor.alerts);
	mw_attention_follow(sensor->board, alert);
	const struct mw_buf *json =
		spool(sensor, MW_SPOOL_ALERTS, alert->event, &mw_alert_shape, alert, alert->rule->id);
	if (mw_outputs_want(sensor->outputs, MW_STREAM_ALERTS))
		mw_outputs_emit(sensor->outputs, MW_STREAM_ALERTS, &mw_alert_shape, alert, json);
}

/* Returns the counter of what became of it, to be counted by the caller.  `is_told`: rules and outputs had it already. */
static atomic_uint_least64_t *take(struct sensor *sensor, struct mw_event *event, bool is_told,
				   const struct mw_rule_info *const *muted)
{
	struct mw_sensor_counters *counters = &sensor->board->sensor;
	bool is_watched = event->file && event->file->found_by > MW_FILE_BY_CALL;
	bool is_spooled = is_watched || sensor->spooled_kinds >> event->kind & 1;
	sensor->is_urgent |= is_spooled && !is_watched;
	event->identity = &sensor->identity;
	uint64_t number = atomic_fetch_add(&sensor->board->last_id, 1) + 1;
	mw_event_set_id(event, sensor->board->start_ns, number);
	atomic_store_explicit(&counters->last_event_ns, event->time_ns, memory_order_relaxed);
	event->age_ms = (event->time_ns - sensor->board->start_ns) / MW_NS_PER_MS;
	event->is_startup = event->age_ms < mw_flag_int(sensor->options->flags, MW_FLAG_ATTENTION_STARTUP_MS);
	mw_muted_begin(&sensor->muted, muted);
	if (event->message && sensor->outside)
		mw_agent_status(mw_outside_agent(sensor->outside), MW_STATUS_WARNING, event->message);
	if (sensor->muted_kinds >> event->kind & 1) {
		mw_enforce_end(&sensor->enforce, sensor->board);
		return &counters->unwanted;
	}
	/* Rules first: a program may wait for what they say. */
	if (!is_told && sensor->rules && mw_rules_want(sensor->rules, event->kind))
		mw_rules_judge(sensor->rules, event, on_alert, sensor);
	mw_enforce_end(&sensor->enforce, sensor->board);
	const struct mw_buf *json = NULL;
	if (is_spooled)
		json = spool(sensor, MW_SPOOL_EVENTS, event, &mw_event_shape, event, NULL);
	if (!is_told && mw_outputs_want(sensor->outputs, MW_STREAM_EVENTS))
		mw_outputs_emit(sensor->outputs, MW_STREAM_EVENTS, &mw_event_shape, event, json);
	return is_spooled ? &counters->offered : &counters->unwanted;
}

static atomic_uint_least64_t *on_event(struct sensor *sensor, struct mw_event *event)
{
	return take(sensor, event, false, NULL);
}

/* No record told of it. */
static void on_own(void *data, struct mw_event *event)
{
	struct sensor *sensor = data;
	count(on_event(sensor, event));
	count(&sensor->board->sensor.own);
}

static void tell_health(struct sensor *sensor, const char *message)
{
	struct mw_event event = {.kind = MW_SENSOR_HEALTH, .time_ns = mw_clock_real_ns(), .message = message};
	on_own(sensor, &event);
}

/* Sampled events come outside of a batch; the next one saves them. */
static void on_sampled(void *data, struct mw_event *event)
{
	struct sensor *sensor = data;
	on_own(sensor, event);
	if (!sensor->batch_timer.is_set)
		mw_timer_set(sensor->loop, &sensor->batch_timer, BATCH_MS);
}

static void on_file(void *data, struct mw_event *event, bool is_told, const struct mw_rule_info *const *muted)
{
	struct sensor *sensor = data;
	count(take(sensor, event, is_told, muted));
	count(&sensor->board->sensor.own);
	if (!sensor->batch_timer.is_set)
		mw_timer_set(sensor->loop, &sensor->batch_timer, BATCH_MS);
}

static void on_files_wake(void *data)
{
	struct sensor *sensor = data;
	if (!sensor->batch_timer.is_set)
		mw_timer_set(sensor->loop, &sensor->batch_timer, FILES_MS);
}

static void on_report(void *data, const char *line, bool is_urgent)
{
	struct sensor *sensor = data;
	if (is_urgent)
		mw_log("%s", line);
	struct mw_event event = {.kind = MW_SENSOR_HEALTH, .time_ns = mw_clock_real_ns(), .message = line};
	on_sampled(sensor, &event);
}

/* Returns the counter of what became of it.  Counted when the record is released: when we are killed before, the next
 * sensor finds it again. */
static atomic_uint_least64_t *on_record(struct sensor *sensor, const struct mw_record *record, size_t bytes)
{
	struct mw_event event;
	char message[MESSAGE_BYTES];
	mw_enforce_begin(&sensor->enforce, record);
	int r = mw_processes_apply(&sensor->processes, record, bytes, &event);
	if (r < 0)
		return &sensor->board->sensor.unreadable;
	if (r == MW_NOTHING_TO_TELL)
		return &sensor->board->sensor.silent;
	if (event.gap) {
		mw_health_gap_sentence(event.gap, message, sizeof(message));
		event.message = message;
		count(&sensor->board->sensor.gaps);
	}
	struct mw_file *file = &sensor->processes.subject.file;
	if (event.file && event.file->found_by == MW_FILE_BY_CALL && (event.kind != MW_FILE_OPEN || file->is_write))
		file->category = mw_files_category(sensor->files, file->path);
	if (event.socket)
		mw_sockets_exact(sensor->sockets, &event);
	if (event.kind == MW_PROCESS_EXIT && event.process->pid == sensor->board->root_pid && !sensor->root)
		sensor->root = mw_process_ref(event.process);
	atomic_uint_least64_t *fate = on_event(sensor, &event);
	mw_files_note(sensor->files, &event, sensor->muted.alerted);
	mw_process_unref(event.process);
	return fate;
}

static void save(struct sensor *sensor)
{
	struct mw_err err;
	sensor->is_urgent = false;
	sensor->saved_ns = mw_clock_mono_ns();
	if (mw_spool_commit(sensor->spool, &err) < 0 && !sensor->spool_is_failing) {
		mw_log("spool: %s", err.text);
		sensor->spool_is_failing = true;
	}
	mw_health_count(&sensor->health);
}

/* Handle what is in the ring, one batch at the most.  Returns how many records. */
static size_t drain(struct sensor *sensor)
{
	size_t n = 0;
	const void *record;
	for (size_t bytes; n < BATCH_RECORDS && (record = mw_ring_peek(sensor->board->ring, &bytes)); n++) {
		atomic_uint_least64_t *fate = on_record(sensor, record, bytes);
		mw_ring_release(sensor->board->ring);
		count(fate);
		if (fate != &sensor->board->sensor.unreadable)
			count(&sensor->board->sensor.read);
	}
	mw_losses_tell(&sensor->losses, sensor->board, on_sampled, sensor);
	return n;
}

static void look_at_health(void *data)
{
	struct sensor *sensor = data;
	if (sensor->rules)
		mw_rules_tick(sensor->rules, mw_clock_real_ns());
	mw_health_write(&sensor->health, false);
	mw_timer_set(sensor->loop, &sensor->health_timer, MW_HEALTH_LOOK_MS);
}

static void pump(void *data)
{
	struct sensor *sensor = data;
	if (!mw_outputs_pump(sensor->outputs))
		mw_timer_set(sensor->loop, &sensor->pump_timer, PUMP_MS);
}

static void on_flushed(void *data)
{
	struct sensor *sensor = data;
	struct mw_board *board = sensor->board;
	sensor->is_flushing = false;
	mw_handover(sensor->spool, sensor->options->flags, board->start_ns, sensor->state_dir);
	/* As process 1 it takes us with it. */
	mw_health_write(&sensor->health, board->root_pid == 1);
	mw_let_go_of_stdio(sensor->outputs);
	atomic_store(&board->flush_done, atomic_load(&board->flush_wanted));
	(void)atomic_fetch_add(&board->answers, 1);
	mw_futex_wake(&board->answers);
	if (!sensor->batch_timer.is_set)
		mw_timer_set(sensor->loop, &sensor->batch_timer, 0);
}

static void drain_all(struct sensor *sensor)
{
	while (drain(sensor))
		save(sensor);
}

static uint64_t flush_files(struct sensor *sensor, int64_t ms)
{
	uint64_t left = mw_files_flush(sensor->files, mw_clock_mono_ns() + ms * MW_NS_PER_MS);
	(void)drain(sensor);
	save(sensor);
	return left;
}

/* The application's root waits at its end until all before it is safe, and as far as there is time, delivered. */
static void answer_flush(struct sensor *sensor)
{
	struct mw_board *board = sensor->board;
	bool is_wanted = mw_board_wants_flush(board);
	bool is_last = atomic_load(&board->finished) && !sensor->has_flushed_last;
	if (sensor->is_flushing || (!is_wanted && !is_last))
		return;
	int64_t begun_ns = is_wanted ? atomic_load(&board->flush_since_ns) : mw_clock_mono_ns();
	int64_t flush_ms = mw_flag_int(sensor->options->flags, MW_FLAG_SHUTDOWN_FLUSH_MS);
	/* What processes did comes first: there may be no time for more. */
	drain_all(sensor);
	mw_sockets_flush(sensor->sockets, sensor->root);
	save(sensor);
	pump(sensor);
	(void)flush_files(sensor, flush_ms / 4);
	mw_outputs_flush(sensor->outputs, mw_clock_mono_ns() + flush_ms / 2 * MW_NS_PER_MS);
	int64_t left_ms = flush_ms - flush_ms / FLUSH_MARGIN - (mw_clock_mono_ns() - begun_ns) / MW_NS_PER_MS -
			  mw_handover_ms(sensor->options->flags, flush_ms);
	mw_configured_hurry(sensor->configured);
	sensor->is_flushing = true;
	sensor->has_flushed_last |= is_last;
	mw_outside_flush(sensor->outside, left_ms > 0 ? left_ms : 0, on_flushed, sensor);
}

static void look_at_ring(void *data)
{
	struct sensor *sensor = data;
	size_t n = drain(sensor);
	if (n < BATCH_RECORDS && !mw_board_wants_flush(sensor->board))
		sensor->has_files = mw_files_tell(sensor->files);
	if (!sensor->has_files || sensor->is_urgent ||
	    mw_clock_mono_ns() - sensor->saved_ns >= (int64_t)SAVE_MS * MW_NS_PER_MS)
		save(sensor);
	pump(sensor);
	answer_flush(sensor);
	if (atomic_load(&sensor->board->finished) && n == 0 && !sensor->is_flushing) {
		mw_loop_stop(sensor->loop);
		return;
	}
	if (n == BATCH_RECORDS)
		mw_timer_set(sensor->loop, &sensor->batch_timer, 0);
	else if (n || sensor->has_files || !mw_ring_sleep(sensor->board->ring))
		mw_timer_set(sensor->loop, &sensor->batch_timer, BATCH_MS);
}

static void on_wake(void *data, uint32_t events)
{
	struct sensor *sensor = data;
	(void)events;
	uint64_t times;
	ssize_t n = read(sensor->board->wake_fd, &times, sizeof(times));
	(void)n; /* nothing to read: somebody else's wake was served already */
	look_at_ring(sensor);
}

/* The guard died (it would have been asked by the board otherwise), and the tracer with it; or somebody wants us gone: save
 * what there is. */
static void on_signal(void *data, uint32_t events)
{
	struct sensor *sensor = data;
	(void)events;
	struct signalfd_siginfo signal;
	if (read(sensor->signal_fd, &signal, sizeof(signal)) == sizeof(signal) && signal.ssi_signo == SIGHUP) {
		mw_live_rules_reload(sensor->live_rules);
		return;
	}
	if (getppid() != atomic_load(&sensor->board->guard_pid))
		atomic_store(&sensor->board->tracer_lost, 1);
	drain_all(sensor); /* files are told at the end */
	mw_loop_stop(sensor->loop);
}

static void on_agent_report(void *data, const char *line)
{
	on_report(data, line, true);
}

static int watch_sockets(struct sensor *sensor, struct mw_err *err)
{
	const struct mw_sockets_options options = {
		.loop = sensor->loop,
		.processes = &sensor->processes,
		.emit = on_sampled,
		.report = on_report,
		.data = sensor,
	};
	return mw_open_sockets(sensor->options->flags, sensor->board, &options, &sensor->sockets, err);
}

/* As the flags say now; they may change. */
static void subscribe(void *data)
{
	struct sensor *sensor = data;
	struct mw_err err;
	if (sensor->sockets && !mw_flag_bool(sensor->options->flags, MW_FLAG_AUDIT_ALLOW_SOCKETS)) {
		mw_sockets_free(sensor->sockets);
		sensor->sockets = NULL;
	} else if (!sensor->sockets && watch_sockets(sensor, &err) < 0) {
		on_report(sensor, err.text, true);
	}
	sensor->spooled_kinds = mw_attention_spooled(sensor->options->flags);
	sensor->muted_kinds = mw_attention_muted(sensor->options->flags);
	mw_board_set_kinds(sensor->board, mw_attention_wanted(sensor->options->flags, sensor->rules, sensor->outputs));
	mw_enforce_subscribe(sensor->board, sensor->options->flags, sensor->rules);
	mw_state_write(sensor->spool, sensor->options->flags, sensor->rules);
}

static void on_rules(void *data)
{
	struct sensor *sensor = data;
	/* Alerts of the rules before are told apart by addresses that may be others' now. */
	memset(sensor->muted.files, 0, sizeof(sensor->muted.files));
	if (sensor->files)
		subscribe(sensor);
}

static void on_bundle(void *data)
{
	struct sensor *sensor = data;
	if (sensor->live_rules)
		mw_live_rules_adopt(sensor->live_rules);
	on_rules(sensor);
}

static bool has_bundle(void *data)
{
	return mw_outside_has_bundle(((struct sensor *)data)->outside);
}

static void reload_bundle(void *data)
{
	mw_outside_reload_bundle(((struct sensor *)data)->outside);
}

static int watch_rules(struct sensor *sensor, struct mw_err *err)
{
	const struct mw_live_rules_options options = {
		.loop = sensor->loop,
		.flags = sensor->options->flags,
		.tree = sensor->options->tree,
		.rules = &sensor->rules,
		.report = on_agent_report,
		.changed = on_rules,
		.has_others = has_bundle,
		.reload_others = reload_bundle,
		.data = sensor,
	};
	return mw_live_rules_new(&options, &sensor->live_rules, err);
}

static int watch_files(struct sensor *sensor, struct mw_err *err)
{
	const struct mw_configured_options options = {
		.files = {.loop = sensor->loop,
			  .board = sensor->board,
			  .flags = sensor->options->flags,
			  .processes = &sensor->processes,
			  .profile = sensor->options->files,
			  .state_dir = sensor->state_dir,
			  .emit = on_file,
			  .report = on_report,
			  .wake = on_files_wake,
			  .data = sensor},
		.tree = sensor->options->tree,
		.agent = mw_outside_agent(sensor->outside),
		.changed = subscribe,
		.data = sensor,
	};
	int r = mw_configured_new(&options, &sensor->configured, err);
	if (r == 0)
		sensor->health.files = sensor->files = mw_configured_files(sensor->configured);
	return r;
}

static int override_rules(void *data, const char *json, struct mw_err *err)
{
	struct sensor *sensor = data;
	return mw_live_rules_override(sensor->live_rules, json, err);
}

static int make_outside(struct sensor *sensor, struct mw_err *err)
{
	const struct mw_outside_options options = {
		.loop = sensor->loop,
		.tree = sensor->options->tree,
		.flags = sensor->options->flags,
		.enroll = sensor->options->enroll,
		.spool = sensor->spool,
		.state_dir = sensor->state_dir,
		.has_sinks = mw_outputs_have_network(sensor->outputs),
		.board = sensor->board,
		.identity = &sensor->identity,
		.rules = &sensor->rules,
		.changed_rules = on_bundle,
		.override_rules = override_rules,
		.report = on_agent_report,
		.data = sensor,
	};
	return mw_outside_new(&options, &sensor->outside, err);
}

static int begin(struct sensor *sensor, struct mw_err *err)
{
	int r = mw_loop_new(&sensor->loop, err);
	/* First, since from now on the kernel tells of the connections that end. */
	if (r == 0)
		r = watch_sockets(sensor, err);
	if (r == 0)
		r = mw_open_outputs(sensor->options->flags, sensor->options->tree, &sensor->outputs, err);
	if (r == 0)
		r = mw_open_spool(sensor->options->flags, sensor->state_dir, &sensor->spool, err);
	if (r == 0 && (r = mw_users_new("", &sensor->users)) < 0)
		r = mw_err_set(err, r, "users: %s", strerror(-r));
	if (r == 0)
		r = make_outside(sensor, err);
	if (r == 0 && ((r = mw_open_signals(sensor->loop, on_signal, sensor, &sensor->signal_fd)) < 0 ||
		       (r = mw_loop_watch(sensor->loop, sensor->board->wake_fd, EPOLLIN, on_wake, sensor)) < 0))
		r = mw_err_set(err, r, "event loop: %s", strerror(-r));
	if (r < 0)
		return r;
	sensor->health = (struct mw_health){
		.board = sensor->board,
		.flags = sensor->options->flags,
		.spool = sensor->spool,
		.rules = &sensor->rules,
		.outputs = sensor->outputs,
		.agent = mw_outside_agent(sensor->outside),
		.bundles = mw_outside_bundles(sensor->outside),
		.muted = &sensor->muted.count,
	};
	mw_health_begin(&sensor->health);
	mw_redact_allow_plain(mw_flag_bool(sensor->options->flags, MW_FLAG_ALLOW_PLAIN_ENV));
	sensor->processes.users = sensor->users;
	sensor->processes.container_start_ns = sensor->board->start_ns;
	r = mw_exec_world_new(sensor->board->start_ns, mw_flag_bool(sensor->options->flags, MW_FLAG_EXEC_SHA256),
			      &sensor->processes.world);
	if (r < 0)
		return mw_err_set(err, r, "facts of programs: %s", strerror(-r));
	if (mw_outside_open_rules(sensor->outside, err) < 0)
		tell_health(sensor, err->text);
	r = watch_rules(sensor, err);
	if (r == 0)
		r = watch_files(sensor, err);
	if (r < 0)
		return r;
	subscribe(sensor);
	/* All files are open: hold no folder of the application's. */
	return chdir("/") < 0 ? mw_err_set(err, -errno, "chdir /: %s", strerror(errno)) : 0;
}

static void tell_last_files(struct sensor *sensor)
{
	uint64_t untold = flush_files(sensor, LAST_FILES_MS);
	if (untold == 0)
		return;
	mw_log("files: %" PRIu64 " changes were not told, as the sensor had to end", untold);
	(void)atomic_fetch_add(&sensor->board->sensor.own, untold);
	(void)atomic_fetch_add(&sensor->board->sensor.lost, untold);
}

static void end(struct sensor *sensor)
{
	if (sensor->files)
		tell_last_files(sensor);
	if (sensor->outputs) {
		mw_outputs_flush(sensor->outputs, mw_clock_mono_ns() + (int64_t)MW_NS_PER_S);
		uint64_t dropped = mw_outputs_dropped(sensor->outputs);
		if (dropped)
			mw_log("outputs: %" PRIu64 " lines were dropped because a sink did not take them", dropped);
	}
	if (sensor->health.spool) {
		(void)mw_spool_commit(sensor->spool, NULL);
		mw_health_write(&sensor->health, true);
	}
	mw_health_release(&sensor->health);
	mw_sockets_free(sensor->sockets);
	mw_configured_free(sensor->configured);
	mw_outside_free(sensor->outside);
	mw_process_unref(sensor->root);
	mw_outputs_free(sensor->outputs);
	mw_live_rules_free(sensor->live_rules);
	mw_rules_free(sensor->rules);
	mw_processes_release(&sensor->processes);
	mw_exec_world_free(sensor->processes.world);
	mw_users_free(sensor->users);
	mw_identity_release(&sensor->identity);
	if (sensor->spool)
		mw_spool_close(sensor->spool);
	mw_loop_free(sensor->loop);
	mw_buf_release(&sensor->json);
	if (sensor->signal_fd >= 0)
		(void)close(sensor->signal_fd);
}

int mw_sensor_run(struct mw_board *board, void *data)
{
	struct sensor sensor = {
		.options = data,
		.board = board,
		.json = MW_BUF(JSON_BYTES),
		.batch_timer = {.fire = look_at_ring, .data = &sensor},
		.pump_timer = {.fire = pump, .data = &sensor},
		.health_timer = {.fire = look_at_health, .data = &sensor},
		.signal_fd = -1,
	};
	struct mw_err err = {0};
	mw_thread_count_in(&board->own_births);
	mw_sql_memory_begin(false);
	int r = begin(&sensor, &err);
	if (r == 0) {
		mw_timer_set(sensor.loop, &sensor.batch_timer, 0);
		mw_timer_set(sensor.loop, &sensor.health_timer, 0);
		mw_outside_start(sensor.outside);
		r = mw_loop_run(sensor.loop);
		if (r < 0)
			(void)mw_err_set(&err, r, "event loop: %s", strerror(-r));
	}
	if (r < 0)
		mw_log("the sensor cannot run: %s", err.text);
	end(&sensor);
	return r < 0;
}

#include "sensor/health.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "event/alert.h"
#include "event/board.h"
#include "event/event.h"
#include "flag/flag.h"
#include "rule/engine.h"
#include "script/agent.h"
#include "script/outputs.h"
#include "sensor/bundles.h"
#include "sensor/files.h"
#include "spool/queue.h"
#include "spool/spool.h"

enum {
	/* A rate over less says nothing. */
	RATE_MS = 500,
};

static uint64_t value_of(const atomic_uint_least64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

void mw_health_begin(struct mw_health *health)
{
	struct mw_sensor_counters *counters = &health->board->sensor;
	health->rows = (struct mw_buf)MW_BUF(MW_HEALTH_BYTES);
	health->written = (struct mw_buf)MW_BUF(MW_HEALTH_BYTES);
	health->stored_before = value_of(&counters->stored);
	health->pruned_before = value_of(&counters->pruned);
	health->output_dropped_before = value_of(&counters->output_dropped);
	health->stops = value_of(&health->board->tracer_stops);
	health->stops_ns = mw_clock_mono_ns();
	/* What a sensor before us had in hand when it was killed. */
	uint64_t offered = value_of(&counters->offered);
	uint64_t safe = health->stored_before + value_of(&counters->lost);
	atomic_store(&counters->died, offered > safe ? offered - safe : 0);
}

void mw_health_release(struct mw_health *health)
{
	mw_buf_release(&health->rows);
	mw_buf_release(&health->written);
}

void mw_health_count(struct mw_health *health)
{
	struct mw_sensor_counters *counters = &health->board->sensor;
	atomic_store_explicit(&counters->stored,
			      health->stored_before + mw_spool_stored(health->spool, MW_SPOOL_EVENTS),
			      memory_order_relaxed);
	atomic_store_explicit(&counters->pruned, health->pruned_before + mw_spool_dropped(health->spool),
			      memory_order_relaxed);
	if (health->outputs)
		atomic_store_explicit(&counters->output_dropped,
				      health->output_dropped_before + mw_outputs_dropped(health->outputs),
				      memory_order_relaxed);
}

/* ["component", "name", value, "unit", "text"]; unit and text may be NULL. */
static void add_row(struct mw_buf *rows, const char *component, const char *name, const uint64_t *value,
		    const char *unit, const char *text)
{
	const char *const texts[] = {component, name, unit, text};
	mw_buf_str(rows, rows->size ? ",[" : "[[");
	for (size_t i = 0; i < 4; i++) {
		if (i)
			mw_buf_char(rows, ',');
		if (i == 2 && value)
			mw_buf_int(rows, *value > INT64_MAX ? INT64_MAX : (int64_t)*value);
		else if (i == 2)
			mw_buf_str(rows, "null");
		if (i == 2)
			mw_buf_char(rows, ',');
		if (texts[i] && *texts[i])
			mw_json_string(rows, texts[i], strlen(texts[i]));
		else
			mw_buf_str(rows, "null");
	}
	mw_buf_char(rows, ']');
}

static void number(struct mw_health *health, const char *component, const char *name, uint64_t value, const char *unit)
{
	add_row(&health->rows, component, name, &value, unit, NULL);
}

static void text(struct mw_health *health, const char *component, const char *name, const char *value)
{
	add_row(&health->rows, component, name, NULL, NULL, value);
}

static enum mw_engine engine_of(const struct mw_board *board)
{
	unsigned engine = atomic_load(&board->engine);
	if (engine == MW_ENGINE_NONE && atomic_load(&board->attach) == MW_ATTACH_DONE)
		engine = MW_ENGINE_PTRACE;
	return engine < MW_ENGINES ? (enum mw_engine)engine : MW_ENGINE_NONE;
}

/* collecting, stopped (and why), off, ended */
static void say_state(struct mw_health *health, bool has_ended)
{
	struct mw_board *board = health->board;
	enum mw_engine engine = engine_of(board);
	const char *why = board->engine_why;
	const char *state = "collecting";
	char reason[MW_BOARD_TEXT_BYTES];
	if (has_ended) {
		state = "ended";
	} else if (!mw_flag_bool(health->flags, MW_FLAG_AUDIT_ALLOW_PROCESS_EVENTS)) {
		state = "off";
		why = "audit_allow_process_events is off";
	} else if (atomic_load(&board->tracer_lost)) {
		state = "stopped";
		why = "the tracer was lost";
	} else if (engine == MW_ENGINE_NONE) {
		state = "stopped";
		int error = atomic_load(&board->attach_errno);
		(void)snprintf(reason, sizeof(reason), "ptrace is refused (%s)",
			       error ? strerror(error) : "not attached");
		if (!*why)
			why = reason;
	}
	uint64_t is_well = strcmp(state, "stopped") != 0;
	add_row(&health->rows, "sensor", "state", &is_well, NULL, state);
	text(health, "sensor", "why", why);
	text(health, "sensor", "engine", mw_engine_names[engine]);
}

static void say_processes(struct mw_health *health)
{
	struct mw_board *board = health->board;
	const struct mw_trace_counters *trace = &board->trace;
	int sensor = atomic_load(&board->sensor_pid);
	int guard = atomic_load(&board->guard_pid);
	number(health, "sensor", "pid", (uint64_t)(sensor ? sensor : getpid()), NULL);
	number(health, "sensor", "restarts", atomic_load(&board->sensor_restarts), NULL);
	number(health, "guard", "pid", (uint64_t)(guard ? guard : getppid()), NULL);
	number(health, "tracer", "pid", (uint64_t)atomic_load(&board->tracer_pid), NULL);
	number(health, "tracer", "restarts", atomic_load(&board->tracer_restarts), NULL);
	number(health, "tracer", "stops", value_of(&board->tracer_stops), "stops");
	number(health, "tracer", "stops_per_s", health->stops_per_s, "stops/s");
	number(health, "tracer", "call_stops", value_of(&trace->call_stops), "stops");
	number(health, "tracer", "late", value_of(&trace->late), "processes");
	number(health, "tracer", "gaps", value_of(&board->sensor.gaps), "events");
	number(health, "tracer", "budget_refusals", value_of(&trace->budget_refusals), "processes");
	number(health, "tracer", "requests_lost", value_of(&board->sensor.requests_lost), "requests");
	number(health, "tracer", "enforced", value_of(&trace->enforced), "processes");
	number(health, "tracer", "verdicts_timed_out", value_of(&trace->verdicts_timed_out), "processes");
	for (unsigned i = 0; i < MW_LEVELS; i++)
		number(health, "attention", mw_level_name(i), atomic_load(&trace->attended[i]), "processes");
}

/* Records that a tracer had begun when it was killed.  While one is at work, the one that it makes just now looks so. */
static uint64_t unfinished(const struct mw_board *board, uint64_t captured, uint64_t refused)
{
	bool has_died = atomic_load(&board->tracer_restarts) || atomic_load(&board->tracer_lost);
	uint64_t finished = refused + value_of(&board->ring->committed);
	return has_died && captured > finished ? captured - finished : 0;
}

static void say_events(struct mw_health *health)
{
	const struct mw_board *board = health->board;
	const struct mw_sensor_counters *counters = &board->sensor;
	uint64_t refused = value_of(&board->ring->refused);
	uint64_t captured = value_of(&board->trace.calls_refused);
	for (unsigned i = 0; i < MW_EVENT_KINDS; i++)
		captured += value_of(&board->trace.records[i]);
	number(health, "accounting", "captured", captured, "records");
	number(health, "accounting", "read", value_of(&counters->read), "records");
	number(health, "accounting", "silent", value_of(&counters->silent), "records");
	number(health, "accounting", "own", value_of(&counters->own), "events");
	number(health, "accounting", "stored", value_of(&counters->stored), "events");
	number(health, "accounting", "unwanted", value_of(&counters->unwanted), "events");
	number(health, "accounting", "alerts", value_of(&counters->alerts), "alerts");
	if (health->muted)
		number(health, "accounting", "alerts_repeated", *health->muted, "alerts");
	for (unsigned i = 0; i < MW_EVENT_KINDS; i++) {
		uint64_t records = value_of(&board->trace.records[i]);
		if (records)
			number(health, "captured", mw_event_kinds[i].name, records, "records");
	}
	number(health, "dropped", "ring_full", refused, "records");
	number(health, "dropped", "tracer_killed", unfinished(board, captured, refused), "records");
	number(health, "dropped", "unreadable", value_of(&counters->unreadable), "records");
	number(health, "dropped", "spool_lost", value_of(&counters->lost), "events");
	number(health, "dropped", "sensor_killed", value_of(&counters->died), "events");
	number(health, "dropped", "spool_limit", value_of(&counters->pruned), "rows");
	number(health, "dropped", "alerts_lost", value_of(&counters->alerts_lost), "alerts");
	number(health, "dropped", "output", value_of(&counters->output_dropped), "lines");
	number(health, "ring", "capacity", board->ring->capacity, "bytes");
	number(health, "ring", "high_water", value_of(&board->ring->high_water_bytes), "bytes");
	number(health, "ring", "used", value_of(&board->ring->head) - value_of(&board->ring->tail), "bytes");
}

static void say_rules(struct mw_health *health)
{
	const struct mw_rules *rules = *health->rules;
	if (!rules)
		return;
	uint64_t off = 0;
	uint64_t faults = 0;
	size_t count = mw_rules_count(rules);
	for (size_t i = 0; i < count; i++) {
		struct mw_rule_state state = mw_rules_state(rules, i);
		off += state.is_off;
		faults += state.faults;
		if (!state.faults && !state.is_off)
			continue;
		uint64_t of_rule = state.faults;
		add_row(&health->rows, "rule", mw_rules_info(rules, i)->id, &of_rule, "faults",
			state.is_off ? "switched off" : NULL);
	}
	number(health, "rules", "loaded", count, "rules");
	number(health, "rules", "refused", mw_rules_refused(rules), "files");
	number(health, "rules", "switched_off", off, "rules");
	number(health, "rules", "faults", faults, "events");
}

static void say_secret(struct mw_health *health)
{
	const char *state = health->agent ? mw_agent_secret_state(health->agent) : "";
	if (!*state)
		return;
	uint64_t is_read = strcmp(state, "read") == 0;
	add_row(&health->rows, "enroll_secret", "state", &is_read, NULL, state);
}

static void say_bundle(struct mw_health *health)
{
	const char *state = health->bundles ? mw_bundles_state(health->bundles) : "";
	if (!*state)
		return;
	uint64_t is_in_force = *mw_bundles_version(health->bundles) != '\0';
	add_row(&health->rows, "bundle", "state", &is_in_force, NULL, state);
	text(health, "bundle", "version", mw_bundles_version(health->bundles));
}

static void say_files(struct mw_health *health)
{
	if (!health->files)
		return;
	struct mw_files_counters files;
	mw_files_count(health->files, &files);
	const struct mw_watch_counters *watch = &files.watch;
	const struct {
		const char *name;
		uint64_t value;
		const char *unit;
	} rows[] = {
		{"on", files.is_on, NULL},
		{"settled", files.is_settled, NULL},
		{"watched", watch->directories, "directories"},
		{"polled", watch->polled, "directories"},
		{"known", watch->files, "files"},
		{"told", watch->told, "changes"},
		{"folded", watch->folded, "events of the kernel"},
		{"overflows", watch->overflows, "times"},
		{"scans", watch->scans, "directories"},
		{"found", watch->found, "changes"},
		{"dropped", watch->dropped + files.queue.dropped, "changes"},
		{"refused", watch->refused, "watches"},
		{"beyond", watch->beyond, "directories"},
		{"unreadable", watch->unreadable, "directories"},
		{"user_watches", watch->user_watches, "watches"},
		{"share", watch->share, "watches"},
		{"exact", files.queue.exact, "events"},
		{"likely", files.queue.likely, "events"},
		{"unattributed", files.queue.none, "events"},
		{"joined", files.queue.joined, "events"},
		{"unlooked", files.queue.unlooked, "events"},
		{"hashed", files.queue.hashed, "files"},
		{"hash_refused", files.queue.hash_refused, "files"},
		{"hash_late", files.queue.hash_late, "events"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		number(health, "files", rows[i].name, rows[i].value, rows[i].unit);
	const char *state = files.baseline_why ? files.baseline_why : files.is_baseline_over ? "whole" : NULL;
	add_row(&health->rows, "files", "baseline", &files.baseline, "files", state);
}

/* Of each consumer of the spool and each stream it wants: what was written for it, and what became of that. */
static void say_delivery(struct mw_health *health)
{
	const struct mw_spool_consumer *consumer;
	for (unsigned i = 0; (consumer = mw_spool_consumer_at(health->spool, i)); i++) {
		char component[MW_SPOOL_CONSUMER_BYTES + 16];
		(void)snprintf(component, sizeof(component), "delivery %s", consumer->name);
		for (unsigned stream = 0; stream < MW_SPOOL_STREAMS; stream++) {
			struct mw_spool_counts counts;
			if (!(consumer->streams >> stream & 1) ||
			    mw_spool_count(health->spool, consumer->name, (enum mw_spool_stream)stream, &counts, NULL) <
				    0)
				continue;
			const struct {
				const char *what;
				uint64_t value;
			} rows[] = {
				{"written", counts.written},    {"read", counts.read},
				{"dropped", counts.dropped},    {"set_aside", counts.aside},
				{"handed_over", counts.handed}, {"waiting", counts.waiting},
			};
			for (size_t j = 0; j < sizeof(rows) / sizeof(*rows); j++) {
				char name[64];
				(void)snprintf(name, sizeof(name), "%s_%s", mw_spool_stream_names[stream],
					       rows[j].what);
				number(health, component, name, rows[j].value, "rows");
			}
		}
	}
}

static void say_times(struct mw_health *health)
{
	const struct mw_board *board = health->board;
	char id[MW_EVENT_ID_BYTES];
	uint64_t last = value_of(&board->last_id);
	uint64_t last_s = (uint64_t)(atomic_load(&board->sensor.last_event_ns) / (int64_t)MW_NS_PER_S);
	(void)snprintf(id, sizeof(id), "%016" PRIx64 "-%012" PRIu64, (uint64_t)board->start_ns, last);
	number(health, "sensor", "started", (uint64_t)(board->start_ns / (int64_t)MW_NS_PER_S), "s since 1970");
	if (last)
		add_row(&health->rows, "sensor", "last_event", &last_s, "s since 1970", id);
}

static void measure(struct mw_health *health)
{
	int64_t now = mw_clock_mono_ns();
	uint64_t stops = value_of(&health->board->tracer_stops);
	int64_t passed_ms = (now - health->stops_ns) / MW_NS_PER_MS;
	if (passed_ms < RATE_MS)
		return;
	health->stops_per_s = (stops - health->stops) * 1000 / (uint64_t)passed_ms;
	health->stops = stops;
	health->stops_ns = now;
}

void mw_health_write(struct mw_health *health, bool has_ended)
{
	mw_health_count(health);
	measure(health);
	mw_buf_clear(&health->rows);
	say_state(health, has_ended);
	say_times(health);
	say_processes(health);
	say_events(health);
	say_rules(health);
	say_secret(health);
	say_bundle(health);
	say_files(health);
	say_delivery(health);
	struct mw_buf *rows = &health->rows;
	struct mw_buf *written = &health->written;
	size_t compared = rows->size;
	int64_t now = mw_clock_mono_ns();
	bool is_due = has_ended || !health->written_ns ||
		      now - health->written_ns >= (int64_t)MW_HEALTH_BEAT_MS * MW_NS_PER_MS;
	if (!is_due && compared == written->size && memcmp(rows->data, written->data, compared) == 0)
		return;
	number(health, "sensor", "uptime",
	       (uint64_t)((mw_clock_real_ns() - health->board->start_ns) / (int64_t)MW_NS_PER_S), "s");
	mw_buf_char(rows, ']');
	if (mw_buf_status(rows) < 0 ||
	    mw_spool_put_health(health->spool, health->board->start_ns, has_ended, rows->data, rows->size, NULL) < 0)
		return; /* tried again at the next look; that the spool fails is told elsewhere */
	health->written_ns = now;
	mw_buf_clear(written);
	mw_buf_add(written, rows->data, compared);
}

void mw_health_gap_sentence(const struct mw_gap *gap, char *out, size_t room)
{
	char time[48] = "for a time nobody knows";
	if (gap->duration_ms >= 0)
		(void)snprintf(time, sizeof(time), "for %" PRId64 " ms", gap->duration_ms);
	switch (gap->reason) {
	case MW_GAP_TRACER_LOST:
		(void)snprintf(
			out, room,
			"process events end here: the tracer was lost and could not be replaced; the application goes on "
			"unseen");
		break;
	case MW_GAP_TRACER_RESTARTED:
		(void)snprintf(out, room,
			       "%s processes were not watched, because the tracer had to be started again: %" PRIu64
			       " were found alive afterwards, at most %" PRIu64 " came and went unseen",
			       time, gap->found, gap->missed);
		break;
	default:
		(void)snprintf(out, room,
			       "at most %" PRIu64
			       " processes came and went unseen %s: their process ids were used, and no event "
			       "tells by whom; %" PRIu64 " were found alive",
			       gap->missed, time, gap->found);
	}
}

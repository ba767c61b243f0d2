/* moonwatch rules replay, bench: rules judge a recording. */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/rules.h"
#include "pkg/lines_file.h"
#include "rule/decode.h"

enum {
	JSON_BYTES = 2 << 20,
	/* Events of a recording that bench holds in memory. */
	BENCH_EVENTS = 200000,
	BENCH_MS = 1000, /* at least, unless --times says how often */
	ROUNDS_MAX = 100000,
	STATM_BYTES = 256,
};

struct replay {
	bool is_json;
	struct mw_buf json;
	uint64_t events, unread, alerts;
	uint64_t line; /* of the recording */
};

static void on_report(void *data, const char *line)
{
	(void)data;
	mw_complain("%s", line);
}

static void on_alert(void *data, const struct mw_alert *alert)
{
	struct replay *replay = data;
	char time[MW_RFC3339_BYTES];
	replay->alerts++;
	if (replay->is_json) {
		mw_buf_clear(&replay->json);
		mw_shape_json(&replay->json, &mw_alert_shape, alert);
		printf("%s\n", replay->json.data ? replay->json.data : "{}");
		return;
	}
	mw_clock_rfc3339(alert->event->time_ns, time);
	printf("%s %-8s %s: %s", time, mw_severity_names[alert->rule->severity], alert->rule->id, alert->message);
	if (alert->count)
		printf(" (%lld)", (long long)alert->count);
	if (alert->folded)
		printf(" (%" PRIu64 " like it left out)", alert->folded);
	printf("\n");
}

static struct mw_rules *load(const struct mw_rules_arguments *arguments, bool is_timed)
{
	struct mw_rules_options options = mw_rules_defaults(arguments->rules);
	struct mw_rules *rules = NULL;
	struct mw_err err;
	options.report = on_report;
	options.is_timed = is_timed;
	if (!*options.tree || mw_rules_load(&options, &rules, &err) < 0) {
		mw_complain("rules: %s", *options.tree ? err.text : "no rules");
		return NULL;
	}
	return rules;
}

static struct mw_lines_file *open_recording(const struct mw_rules_arguments *arguments)
{
	struct mw_lines_file *file = NULL;
	if (!arguments->words[0] || arguments->words[1]) {
		mw_complain("rules %s: name one recording: EVENTS.jsonl, EVENTS.jsonl.gz or -", arguments->verb);
		return NULL;
	}
	int r = mw_lines_file_open(arguments->words[0], &file);
	if (r < 0)
		mw_complain("rules %s: %s cannot be opened: %s", arguments->verb, arguments->words[0], strerror(-r));
	return file;
}

/* The next event: 1, 0 at the end, -EIO after a complaint.  What is no event is counted. */
static int next_event(struct replay *replay, struct mw_lines_file *file, struct mw_decoded *decoded)
{
	for (;;) {
		const char *line = NULL;
		size_t bytes = 0;
		struct mw_err err;
		int r = mw_lines_file_next(file, MW_DECODE_BYTES, &line, &bytes);
		replay->line++;
		if (r == 0)
			return 0;
		if (r < 0 && r != -EFBIG) {
			mw_complain("rules: the recording cannot be read on, at line %" PRIu64 ": %s", replay->line,
				    strerror(-r));
			return r;
		}
		if (r == 1 && bytes == 0)
			continue;
		*decoded = (struct mw_decoded){0};
		if (r == 1 && mw_decode_event(decoded, line, bytes, &err) == 0)
			return 1;
		if (replay->unread++ < 10)
			mw_complain("rules: line %" PRIu64 ": %s; left out", replay->line,
				    r < 0 ? "too long" : err.text);
		mw_decoded_release(decoded);
	}
}

static int by_time(const void *a, const void *b)
{
	const struct mw_rule_counts *x = &((const struct mw_rule_state *)a)->counts;
	const struct mw_rule_counts *y = &((const struct mw_rule_state *)b)->counts;
	return x->ns < y->ns ? 1 : x->ns > y->ns ? -1 : 0;
}

struct line {
	struct mw_rule_state state;
	const char *id;
};

static void print_rules(const struct mw_rules *rules, uint64_t events, FILE *to)
{
	size_t count = mw_rules_count(rules);
	struct line *lines = calloc(count + 1, sizeof(*lines));
	if (!lines)
		return;
	for (size_t i = 0; i < count; i++)
		lines[i] = (struct line){mw_rules_state(rules, i), mw_rules_info(rules, i)->id};
	qsort(lines, count, sizeof(*lines), by_time);
	(void)fprintf(to, "%-32s %9s %9s %8s %8s %8s %9s %9s\n", "rule", "asked", "matched", "excepted", "folded",
		      "alerts", "us/asked", "ns/event");
	for (size_t i = 0; i < count; i++) {
		const struct mw_rule_counts *counts = &lines[i].state.counts;
		if (!counts->asked && !counts->matched)
			continue;
		(void)fprintf(to,
			      "%-32s %9" PRIu64 " %9" PRIu64 " %8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %9.2f %9.1f%s\n",
			      lines[i].id, counts->asked, counts->matched, counts->excepted, counts->folded,
			      counts->alerts, counts->asked ? (double)counts->ns / 1e3 / (double)counts->asked : 0.0,
			      events ? (double)counts->ns / (double)events : 0.0,
			      lines[i].state.is_off ? "  switched off" : "");
	}
	free(lines);
}

int mw_rules_replay(const struct mw_rules_arguments *arguments)
{
	struct replay replay = {.is_json = arguments->is_json, .json = MW_BUF(JSON_BYTES)};
	struct mw_lines_file *file = open_recording(arguments);
	if (!file)
		return MW_EXIT_USAGE;
	struct mw_rules *rules = load(arguments, true);
	if (!rules) {
		mw_lines_file_close(file);
		return MW_EXIT_NO;
	}
	struct mw_decoded decoded;
	int r;
	while ((r = next_event(&replay, file, &decoded)) > 0) {
		replay.events++;
		mw_rules_judge(rules, &decoded.event, on_alert, &replay);
		mw_rules_tick(rules, decoded.event.time_ns);
		mw_decoded_release(&decoded);
	}
	FILE *to = replay.is_json ? stderr : stdout;
	(void)fprintf(to, "%s%" PRIu64 " events, %" PRIu64 " alerts, %" PRIu64 " lines left out\n",
		      replay.is_json ? "" : "\n", replay.events, replay.alerts, replay.unread);
	print_rules(rules, replay.events, to);
	mw_rules_free(rules);
	mw_lines_file_close(file);
	mw_buf_release(&replay.json);
	return r < 0 ? MW_EXIT_NO : MW_EXIT_OK;
}

static void ignore_alert(void *data, const struct mw_alert *alert)
{
	(void)alert;
	(*(uint64_t *)data)++;
}

struct timing {
	uint64_t judged;
	int64_t ns;
	uint64_t alerts;
};

/* Judge all events that are, or are not, of interest to any rule; `rounds` times. */
static struct timing judge_all(struct mw_rules *rules, const struct mw_decoded *events, const bool *is_wanted,
			       size_t count, bool wanted, unsigned rounds)
{
	struct timing timing = {0};
	int64_t start_ns = mw_clock_mono_ns();
	for (unsigned round = 0; round < rounds; round++)
		for (size_t i = 0; i < count; i++) {
			if (is_wanted && is_wanted[i] != wanted)
				continue;
			mw_rules_judge(rules, &events[i].event, ignore_alert, &timing.alerts);
			timing.judged++;
		}
	timing.ns = mw_clock_mono_ns() - start_ns;
	return timing;
}

/* The best of three: what else the machine does only adds. */
static double best_ns(struct mw_rules *rules, const struct mw_decoded *events, const bool *is_wanted, size_t count,
		      bool wanted, unsigned rounds)
{
	double best = 0;
	for (int i = 0; i < 3; i++) {
		struct timing timing = judge_all(rules, events, is_wanted, count, wanted, rounds);
		double ns = timing.judged ? (double)timing.ns / (double)timing.judged : 0;
		if (i == 0 || ns < best)
			best = ns;
	}
	return best;
}

static uint64_t asked_so_far(const struct mw_rules *rules)
{
	uint64_t asked = 0;
	for (size_t i = 0; i < mw_rules_count(rules); i++) {
		struct mw_rule_counts counts = mw_rules_state(rules, i).counts;
		asked += counts.asked + counts.matched;
	}
	return asked;
}

/* Bytes that are allocated now, by whomever. */
static size_t allocated(void)
{
#if defined(__GLIBC__)
	struct mallinfo2 info = mallinfo2();
	return info.uordblks + info.hblkhd;
#else
	/* proc(5): all, resident, shared, … pages. */
	MW_AUTO(mw_buf) text = MW_BUF(STATM_BYTES);
	char *at;
	if (mw_file_read_at(AT_FDCWD, "/proc/self/statm", &text) < 0 || !text.data)
		return 0;
	(void)strtoul(text.data, &at, 10);
	unsigned long resident = strtoul(at, &at, 10);
	return (resident - strtoul(at, &at, 10)) * (size_t)sysconf(_SC_PAGESIZE);
#endif
}

static void measure(struct mw_rules *rules, struct mw_decoded *events, size_t count, unsigned times)
{
	bool *is_wanted = calloc(count + 1, sizeof(*is_wanted));
	if (!is_wanted)
		return;
	size_t unwanted = 0;
	uint64_t alerts = 0;
	for (size_t i = 0; i < count; i++) {
		uint64_t before = asked_so_far(rules);
		mw_rules_judge(rules, &events[i].event, ignore_alert, &alerts);
		is_wanted[i] = asked_so_far(rules) != before;
		unwanted += !is_wanted[i];
	}
	unsigned rounds = times;
	if (!rounds) {
		struct timing once = judge_all(rules, events, NULL, count, true, 1);
		int64_t ns = once.ns > 0 ? once.ns : 1;
		int64_t wanted = BENCH_MS * (int64_t)MW_NS_PER_MS / ns + 1;
		rounds = wanted > ROUNDS_MAX ? ROUNDS_MAX : (unsigned)wanted;
	}
	printf("%zu rules, %zu events (%zu that no rule wants), %" PRIu64 " alerts a round\n", mw_rules_count(rules),
	       count, unwanted, alerts);
	printf("%8.3f us an event, all of them\n", best_ns(rules, events, NULL, count, true, rounds) / 1e3);
	printf("%8.3f us an event that no rule wants\n", best_ns(rules, events, is_wanted, count, false, rounds) / 1e3);
	printf("%8zu KiB of scripts and of what is remembered\n", mw_rules_memory(rules) / 1024);
	free(is_wanted);
}

int mw_rules_bench(const struct mw_rules_arguments *arguments)
{
	struct replay replay = {.json = MW_BUF(JSON_BYTES)};
	struct mw_lines_file *file = open_recording(arguments);
	if (!file)
		return MW_EXIT_USAGE;
	int64_t start_ns = mw_clock_mono_ns();
	size_t before = allocated();
	struct mw_rules *rules = load(arguments, false);
	size_t after = allocated();
	double load_ms = (double)(mw_clock_mono_ns() - start_ns) / 1e6;
	struct mw_decoded *events = NULL;
	size_t count = 0, room = 0;
	int r = rules ? 1 : -1;
	while (r > 0 && count < BENCH_EVENTS) {
		if (count == room) {
			room = room ? 2 * room : 1024;
			struct mw_decoded *more = realloc(events, room * sizeof(*events));
			if (!more)
				break;
			events = more;
		}
		r = next_event(&replay, file, &events[count]);
		count += r > 0;
	}
	/* Events point into what holds them, which has moved. */
	for (size_t i = 0; i < count; i++)
		mw_decoded_settle(&events[i]);
	if (rules && count) {
		printf("%8.1f ms to load and test %zu rules\n", load_ms, mw_rules_count(rules));
		printf("%8zu KiB of memory for them, the engine included\n", (after - before) / 1024);
		measure(rules, events, count, arguments->times);
	} else if (rules) {
		mw_complain("rules bench: no events");
	}
	for (size_t i = 0; i < count; i++)
		mw_decoded_release(&events[i]);
	free(events);
	mw_rules_free(rules);
	mw_lines_file_close(file);
	return rules && count ? MW_EXIT_OK : MW_EXIT_NO;
}

#include "sensor/files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "crypto/digests.h"
#include "event/board.h"
#include "flag/file_paths.h"
#include "loop/loop.h"
#include "sensor/baseliner.h"
#include "sensor/file_queue.h"
#include "sensor/file_targets.h"

enum {
	/* How long a change is held so that the record of its system call comes before it. */
	HOLD_MS = 20,
	/* What was read in so long a time is told together. */
	PIECE_MS = 20,
	/* The longest that files are told of without a look at the ring. */
	ROUND_MS = 100,
	/* Between two looks whether the first scan is done. */
	SETTLE_MS = 100,
	/* Of what is copied for the baseline, at a time, and between. */
	GATHER_MS = 2,
	GATHER_REST_MS = 3,
	SOURCES = MW_FROM_COMMAND_LINE + 1,
};

struct mw_files {
	struct mw_files_options options;
	char *state_dir;
	char **excludes;
	struct mw_file_paths sources[SOURCES]; /* that of the profile is borrowed, and not here */
	struct mw_file_targets *targets;
	struct mw_watch *watch; /* NULL: off, or refused */
	struct mw_file_queue *queue;
	struct mw_timer settle_timer;   /* when the first scan may be done */
	struct mw_baseliner *baseliner; /* NULL: not yet, or not wanted */
	bool is_recorded;               /* the baseline was begun, and has all it needs */
	int64_t told_ns;                /* CLOCK_MONOTONIC: what was read until then has been told */
	int64_t held_ns;                /* CLOCK_MONOTONIC: until then something may be held */
	uint64_t accessed;              /* categories that want accesses, a bit each */
	/* Names of categories that events have pointed to. */
	char **names;
	size_t name_count;
};

/* A name that outlives the configuration it is from: there are few. */
static const char *intern(struct mw_files *files, const char *name)
{
	for (size_t i = 0; i < files->name_count; i++)
		if (strcmp(files->names[i], name) == 0)
			return files->names[i];
	char **names = realloc(files->names, (files->name_count + 1) * sizeof(*names));
	if (!names)
		return NULL;
	files->names = names;
	names[files->name_count] = strdup(name);
	return names[files->name_count] ? names[files->name_count++] : NULL;
}

/* What core/watch tells. */
static void on_change(void *data, const struct mw_change *change)
{
	struct mw_files *files = data;
	const struct mw_watch_config *config = mw_file_targets_config(files->targets);
	const char *category = change->category < config->category_count
				       ? intern(files, config->categories[change->category].name)
				       : NULL;
	/* To hash is to open and to read, which a category that wants accesses would be told of. */
	mw_file_queue_add(files->queue, change, category, change->categories & files->accessed);
}

/* What core/watch has read, taken over. */
static bool take_over(struct mw_files *files, int64_t hold_ns)
{
	bool is_any = mw_watch_tell(files->watch, hold_ns) > 0;
	mw_file_queue_look(files->queue);
	return is_any;
}

/* Take over what was read in the next while, and no more, so that of a storm a small part at a time is in memory as events.
 * True when there may be more. */
static bool tell_piece(struct mw_files *files, int64_t hold_ns, bool *is_any)
{
	int64_t until_ns = mw_clock_mono_ns() - hold_ns;
	int64_t step_ns = (int64_t)PIECE_MS * MW_NS_PER_MS;
	if (files->told_ns == 0)
		files->told_ns = until_ns - step_ns;
	while (until_ns - files->told_ns > step_ns) {
		files->told_ns += step_ns;
		if (take_over(files, mw_clock_mono_ns() - files->told_ns)) {
			*is_any = true;
			return true;
		}
		step_ns *= 2; /* nothing happened then */
	}
	files->told_ns = until_ns;
	*is_any |= take_over(files, hold_ns);
	return false;
}

/* Is there somebody whose system calls are seen?  Else there is nothing to wait for. */
static bool has_calls(const struct mw_files *files)
{
	const struct mw_board *board = files->options.board;
	return atomic_load(&board->engine) == MW_ENGINE_NOTIFY ||
	       atomic_load(&board->trace.attended[MW_LEVEL_CALLS]) > 0;
}

/* Until all is told, or the time has come.  True when there may be more. */
static bool tell_until(struct mw_files *files, int64_t hold_ns, int64_t until_ns, bool *is_any)
{
	for (;;) {
		bool is_behind = tell_piece(files, hold_ns, is_any);
		mw_file_queue_tell(files->queue);
		if (!is_behind)
			return false;
		mw_watch_read(files->watch);
		if (mw_clock_mono_ns() >= until_ns)
			return true;
	}
}

bool mw_files_tell(struct mw_files *files)
{
	if (!files->watch) {
		mw_file_queue_tell(files->queue);
		return false;
	}
	int64_t hold_ns = has_calls(files) ? (int64_t)HOLD_MS * MW_NS_PER_MS : 0;
	bool is_any = false;
	bool is_behind = tell_until(files, hold_ns, mw_clock_mono_ns() + (int64_t)ROUND_MS * MW_NS_PER_MS, &is_any);
	return is_any || is_behind || mw_clock_mono_ns() < files->held_ns;
}

uint64_t mw_files_flush(struct mw_files *files, int64_t until_ns)
{
	bool is_any = false;
	struct mw_watch_counters counters = {0};
	if (files->baseliner)
		mw_baseliner_pause(files->baseliner, true);
	if (files->watch) {
		mw_watch_hurry(files->watch, until_ns);
		(void)tell_until(files, 0, until_ns, &is_any);
		mw_watch_count(files->watch, &counters);
	}
	mw_file_queue_flush(files->queue, until_ns);
	if (files->baseliner)
		mw_baseliner_pause(files->baseliner, false);
	return counters.waiting;
}

static void on_watch_report(void *data, const char *line, bool is_urgent)
{
	struct mw_files *files = data;
	files->options.report(files->options.data, line, is_urgent);
}

static void on_watch_wake(void *data)
{
	struct mw_files *files = data;
	files->held_ns = mw_clock_mono_ns() + 2 * (int64_t)HOLD_MS * MW_NS_PER_MS;
	files->options.wake(files->options.data);
}

static void on_left_out(void *data, const char *line)
{
	struct mw_files *files = data;
	files->options.report(files->options.data, line, true);
}

static const char *category_name(void *data, unsigned category)
{
	const struct mw_watch_config *config = mw_file_targets_config(((struct mw_files *)data)->targets);
	return category < config->category_count ? config->categories[category].name : "";
}

static void no_baseline(struct mw_files *files)
{
	files->is_recorded = true;
	files->options.report(files->options.data, "no baseline of files: out of memory or threads", false);
}

/* Once, when all is known. */
static void begin_baseline(struct mw_files *files)
{
	const struct mw_flags *flags = files->options.flags;
	if (!mw_flag_bool(flags, MW_FLAG_FILE_BASELINE) || !*files->state_dir) {
		files->is_recorded = true;
		return;
	}
	const struct mw_baseliner_options options = {
		.state_dir = files->state_dir,
		.run_ns = files->options.board->start_ns,
		.with_hashes = mw_flag_bool(flags, MW_FLAG_FILE_BASELINE_HASHES),
		.read_max = (uint64_t)mw_flag_int(flags, MW_FLAG_READ_MAX),
		.category = category_name,
		.data = files,
	};
	if (mw_baseliner_new(&options, &files->baseliner) < 0)
		no_baseline(files);
}

static void gather(struct mw_files *files)
{
	int r = mw_baseliner_gather(files->baseliner, files->watch,
				    mw_clock_mono_ns() + (int64_t)GATHER_MS * MW_NS_PER_MS);
	if (r == -EAGAIN)
		mw_timer_set(files->options.loop, &files->settle_timer, GATHER_REST_MS);
	else if (r < 0)
		no_baseline(files);
	else
		files->is_recorded = true;
}

static void on_settle(void *data)
{
	struct mw_files *files = data;
	if (!files->watch || files->is_recorded)
		return;
	if (!files->baseliner && mw_watch_is_settled(files->watch))
		begin_baseline(files);
	if (files->baseliner && !files->is_recorded)
		gather(files);
	else if (!files->is_recorded)
		mw_timer_set(files->options.loop, &files->settle_timer, SETTLE_MS);
}

static int start_watching(struct mw_files *files, struct mw_err *err)
{
	const struct mw_flags *flags = files->options.flags;
	const struct mw_watch_options options = {
		.loop = files->options.loop,
		.share_percent = (unsigned)mw_flag_int(flags, MW_FLAG_INOTIFY_WATCH_SHARE),
		.poll_ms = mw_flag_int(flags, MW_FLAG_WATCH_POLL_INTERVAL_MS),
		.change = on_change,
		.report = on_watch_report,
		.wake = on_watch_wake,
		.data = files,
	};
	return mw_watch_new(&options, &files->watch, err);
}

/* What was read under the old configuration is told with its names. */
static void stop_watching(struct mw_files *files)
{
	mw_watch_read(files->watch);
	(void)take_over(files, 0);
	mw_watch_free(files->watch);
	files->watch = NULL;
}

static int make_targets(struct mw_files *files, struct mw_file_targets **ret_targets, struct mw_err *err)
{
	struct mw_file_paths all = {0};
	int r = mw_file_paths_lay(&all, files->options.profile, err);
	for (unsigned source = 0; source < SOURCES && r == 0; source++)
		r = mw_file_paths_lay(&all, &files->sources[source], err);
	const struct mw_file_targets_options options = {
		.paths = &all,
		.excludes = (const char *const *)files->excludes,
		.state_dir = files->state_dir,
		.report = on_left_out,
		.data = files,
	};
	if (r == 0)
		r = mw_file_targets_new(&options, ret_targets, err);
	mw_file_paths_release(&all);
	return r;
}

int mw_files_reconfigure(struct mw_files *files, struct mw_err *err)
{
	static const unsigned which[] = {0, MW_DIGEST_SHA256, MW_DIGEST_ALL}; /* in the order of the flag's choices */
	const struct mw_flags *flags = files->options.flags;
	mw_file_queue_set_hashes(files->queue, which[mw_flag_choice(flags, MW_FLAG_FILE_EVENTS_HASHES)],
				 (uint64_t)mw_flag_int(flags, MW_FLAG_READ_MAX));
	if (!mw_flag_bool(flags, MW_FLAG_ALLOW_INOTIFY_FILE_EVENTS)) {
		if (files->watch)
			stop_watching(files);
		return 0;
	}
	struct mw_file_targets *targets;
	int r = make_targets(files, &targets, err);
	if (r < 0)
		return r;
	if (!files->watch)
		r = start_watching(files, err);
	if (r == 0) {
		mw_watch_read(files->watch);
		(void)take_over(files, 0);
		r = mw_watch_configure(files->watch, mw_file_targets_config(targets), err);
	}
	if (r < 0) {
		mw_file_targets_free(targets);
		return r;
	}
	mw_file_targets_free(files->targets);
	files->targets = targets;
	const struct mw_watch_config *config = mw_file_targets_config(targets);
	files->accessed = 0;
	for (size_t i = 0; i < config->category_count; i++)
		files->accessed |= (uint64_t)config->categories[i].wants_access << i;
	if (!files->is_recorded)
		mw_timer_set(files->options.loop, &files->settle_timer, 0);
	files->options.wake(files->options.data);
	return 0;
}

int mw_files_set(struct mw_files *files, enum mw_flag_source source, struct mw_file_paths *paths, struct mw_err *err)
{
	struct mw_file_paths before = files->sources[source];
	files->sources[source] = *paths;
	*paths = (struct mw_file_paths){0};
	int r = mw_files_reconfigure(files, err);
	if (r < 0) {
		mw_file_paths_release(&files->sources[source]);
		files->sources[source] = before;
		return r;
	}
	mw_file_paths_release(&before);
	return 0;
}

void mw_files_set_profile(struct mw_files *files, const struct mw_file_paths *profile)
{
	files->options.profile = profile;
}

/* The kernel's queue fills while we tell. */
static void on_pause(void *data)
{
	struct mw_files *files = data;
	if (files->watch)
		mw_watch_read(files->watch);
}

static int copy_excludes(struct mw_files *files, const char *const *excludes)
{
	size_t n = 0;
	while (excludes && excludes[n])
		n++;
	files->excludes = calloc(n + 1, sizeof(*files->excludes));
	for (size_t i = 0; files->excludes && i < n; i++)
		if (!(files->excludes[i] = strdup(excludes[i])))
			return -ENOMEM;
	return files->excludes ? 0 : -ENOMEM;
}

int mw_files_new(const struct mw_files_options *options, struct mw_files **ret_files, struct mw_err *err)
{
	struct mw_files *files = calloc(1, sizeof(*files));
	if (!files)
		return mw_err_set(err, -ENOMEM, "out of memory");
	files->options = *options;
	files->settle_timer = (struct mw_timer){.fire = on_settle, .data = files};
	files->state_dir = strdup(options->state_dir);
	const struct mw_file_queue_options queue = {
		.loop = options->loop,
		.board = options->board,
		.processes = options->processes,
		.emit = options->emit,
		.data = options->data,
		.pause = on_pause,
		.pause_data = files,
	};
	int r = files->state_dir ? copy_excludes(files, options->excludes) : -ENOMEM;
	if (r == 0)
		r = mw_file_queue_new(&queue, &files->queue);
	if (r < 0) {
		mw_files_free(files);
		return mw_err_set(err, r, "files: %s", strerror(-r));
	}
	*ret_files = files;
	return 0;
}

void mw_files_free(struct mw_files *files)
{
	if (!files)
		return;
	mw_baseliner_free(files->baseliner);
	mw_watch_free(files->watch);
	mw_timer_clear(files->options.loop, &files->settle_timer);
	mw_file_queue_free(files->queue);
	mw_file_targets_free(files->targets);
	for (unsigned source = 0; source < SOURCES; source++)
		mw_file_paths_release(&files->sources[source]);
	for (size_t i = 0; i < files->name_count; i++)
		free(files->names[i]);
	for (size_t i = 0; files->excludes && files->excludes[i]; i++)
		free(files->excludes[i]);
	free(files->names);
	free(files->excludes);
	free(files->state_dir);
	free(files);
}

void mw_files_note(struct mw_files *files, const struct mw_event *event, const struct mw_rule_info *const *rules)
{
	if (files->watch)
		mw_file_queue_note(files->queue, event, rules);
}

const char *mw_files_category(const struct mw_files *files, const char *path)
{
	return files->watch ? mw_file_targets_category(files->targets, path) : NULL;
}

void mw_files_count(const struct mw_files *files, struct mw_files_counters *ret)
{
	*ret = (struct mw_files_counters){.is_on = files->watch != NULL};
	if (files->watch) {
		mw_watch_count(files->watch, &ret->watch);
		ret->is_settled = mw_watch_is_settled(files->watch);
	}
	mw_file_queue_count(files->queue, &ret->queue);
	if (files->baseliner)
		ret->baseline = mw_baseliner_look(files->baseliner, &ret->is_baseline_over, &ret->baseline_why);
}

const struct mw_watch *mw_files_watch(const struct mw_files *files)
{
	return files->watch;
}

#include "sensor/live_rules.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/thread.h"
#include "flag/flag.h"
#include "loop/loop.h"
#include "rule/engine.h"
#include "rule/files.h"
#include "script/values.h"
#include "sensor/opening.h"

/* Changes to rules by whoever runs the container, besides --rules_file. */
static const char USER_FILE[] = "/etc/moonwatch/rules.lua";

enum {
	LOOK_MS = 1000,
	/* What a set that is being loaded has to say. */
	REPORT_BYTES = 256 << 10,
	STACK_BYTES = 1 << 20,
};

/* A set on its way, made by a thread of its own. */
struct coming {
	struct mw_rules *rules;
	struct mw_rules_options options;
	char dirs[MW_RULES_DIRS_BYTES];
	char file[MW_PATH_BYTES]; /* "": none */
	char *profile, *backend;  /* what they say of rules */
	struct mw_buf reports;    /* lines, each with its NUL */
	bool is_bad;
	int64_t ms;
	struct mw_err err;
};

struct mw_live_rules {
	struct mw_live_rules_options options;
	struct mw_timer timer;
	int done_fd;
	bool is_loading, is_wanted;
	pthread_t thread;
	struct coming coming;
	char *backend;
	uint64_t seen, loaded; /* fingerprints: at the last look, and of what is in force or was refused */
};

/* FNV-1a */
static uint64_t mix(uint64_t hash, const void *data, size_t bytes)
{
	const unsigned char *at = data;
	for (size_t i = 0; i < bytes; i++)
		hash = (hash ^ at[i]) * 1099511628211u;
	return hash;
}

static uint64_t mix_file(uint64_t hash, const char *path)
{
	struct stat st;
	hash = mix(hash, path, strlen(path));
	if (stat(path, &st) < 0)
		return mix(hash, "-", 1);
	const int64_t facts[] = {(int64_t)st.st_ino, (int64_t)st.st_dev, st.st_size,         st.st_mtim.tv_sec,
				 st.st_mtim.tv_nsec, st.st_ctim.tv_sec,  st.st_ctim.tv_nsec, (int64_t)st.st_mode};
	return mix(hash, facts, sizeof(facts));
}

static void user_file(const struct mw_live_rules *live, char *path, size_t bytes)
{
	const char *wanted = mw_flag_text(live->options.flags, MW_FLAG_RULES_FILE);
	(void)snprintf(path, bytes, "%s", *wanted ? wanted : access(USER_FILE, F_OK) == 0 ? USER_FILE : "");
}

/* What the files of the user are now. */
static uint64_t fingerprint(const struct mw_live_rules *live)
{
	char dirs[MW_RULES_DIRS_BYTES];
	char path[MW_PATH_BYTES];
	uint64_t hash = 14695981039346656037u;
	user_file(live, path, sizeof(path));
	if (*path)
		hash = mix_file(hash, path);
	mw_rules_dirs(live->options.flags, dirs);
	for (char *dir = dirs, *end; *dir; dir = end) {
		end = dir + strcspn(dir, ":");
		if (*end)
			*end++ = '\0';
		struct mw_rule_files files = {0};
		struct mw_err err;
		if (mw_rule_files_add(&files, dir, 0, &err) < 0)
			hash = mix(hash, err.text, strlen(err.text));
		for (size_t i = 0; i < files.count; i++)
			hash = mix_file(hash, files.paths[i]);
		mw_rule_files_release(&files);
	}
	return hash;
}

static void on_report(void *data, const char *line)
{
	struct coming *coming = data;
	mw_buf_add(&coming->reports, line, strlen(line) + 1);
}

static void lay_over(struct coming *coming, enum mw_rules_source source, const char *json)
{
	struct mw_err err;
	if (!json || !*json || mw_rules_override(coming->rules, source, json, &err) == 0)
		return;
	coming->is_bad = true;
	on_report(coming, err.text);
}

static void lay_file(struct coming *coming)
{
	struct mw_buf json = MW_BUF(MW_SCRIPT_BYTES);
	struct mw_err err;
	if (!coming->file[0])
		return;
	if (mw_values_read(coming->options.tree, coming->file, &json, &err) < 0) {
		coming->is_bad = true;
		on_report(coming, err.text);
	} else {
		lay_over(coming, MW_RULES_FILE, json.data);
	}
	mw_buf_release(&json);
}

static void lay_all(struct coming *coming)
{
	lay_over(coming, MW_RULES_PROFILE, coming->profile);
	lay_file(coming);
	lay_over(coming, MW_RULES_BACKEND, coming->backend);
}

static void load(struct coming *coming)
{
	int64_t start_ns = mw_clock_mono_ns();
	if (mw_rules_load_apart(&coming->options, &coming->rules, &coming->err) < 0) {
		coming->rules = NULL;
		on_report(coming, coming->err.text);
		coming->is_bad = true;
	} else {
		coming->is_bad = mw_rules_refused(coming->rules) > 0;
		lay_all(coming);
	}
	coming->ms = (mw_clock_mono_ns() - start_ns) / MW_NS_PER_MS;
}

static int begin(struct mw_live_rules *live)
{
	struct coming *coming = &live->coming;
	*coming = (struct coming){.reports = MW_BUF(REPORT_BYTES)};
	mw_rules_dirs(live->options.flags, coming->dirs);
	user_file(live, coming->file, sizeof(coming->file));
	coming->profile = strdup(mw_flags_rules(live->options.flags));
	coming->backend = live->backend ? strdup(live->backend) : NULL;
	const struct mw_flags *flags = live->options.flags;
	coming->options = (struct mw_rules_options){
		.tree = live->options.tree,
		.extra_dirs = coming->dirs,
		.memory_bytes = (size_t)mw_flag_int(flags, MW_FLAG_RULE_MEMORY_MIB) << 20,
		.event_instructions = (uint64_t)mw_flag_int(flags, MW_FLAG_RULE_EVENT_INSTRUCTIONS),
		.is_watched = true,
		.report = on_report,
		.data = coming,
	};
	return coming->profile ? 0 : -ENOMEM;
}

static void release(struct coming *coming)
{
	free(coming->profile);
	free(coming->backend);
	mw_buf_release(&coming->reports);
	*coming = (struct coming){0};
}

static void pass_on(struct mw_live_rules *live)
{
	const struct mw_buf *reports = &live->coming.reports;
	for (size_t at = 0; at < reports->size; at += strlen(reports->data + at) + 1)
		live->options.report(live->options.data, reports->data + at);
}

/* What they report from now on is passed on at once. */
static void put_in_force(struct mw_live_rules *live)
{
	struct mw_rules *rules = live->coming.rules;
	mw_rules_set_report(rules, live->options.report, live->options.data);
	mw_rules_swap(*live->options.rules, rules);
	*live->options.rules = rules;
	live->options.changed(live->options.data);
}

static void *run(void *data)
{
	struct mw_live_rules *live = data;
	load(&live->coming);
	uint64_t one = 1;
	ssize_t n = write(live->done_fd, &one, sizeof(one));
	(void)n;
	return NULL;
}

static void start(struct mw_live_rules *live)
{
	if (live->is_loading) {
		live->is_wanted = true;
		return;
	}
	live->is_wanted = false;
	live->loaded = live->seen;
	if (live->options.has_others(live->options.data)) {
		live->options.reload_others(live->options.data);
		return;
	}
	if (begin(live) < 0)
		return;
	live->is_loading = mw_thread_start(&live->thread, STACK_BYTES, run, live) == 0;
	if (!live->is_loading)
		release(&live->coming);
}

static void on_done(void *data, uint32_t events)
{
	struct mw_live_rules *live = data;
	(void)events;
	uint64_t times;
	if (read(live->done_fd, &times, sizeof(times)) < 0 || !live->is_loading)
		return;
	(void)pthread_join(live->thread, NULL);
	live->is_loading = false;
	struct coming *coming = &live->coming;
	char line[160];
	pass_on(live);
	if (coming->is_bad) {
		mw_rules_free(coming->rules);
		(void)snprintf(line, sizeof(line), "rules: the new set is refused (above); the old one stays");
	} else {
		(void)snprintf(line, sizeof(line), "rules: a new set of %zu is in force, loaded in %lld ms",
			       mw_rules_count(coming->rules), (long long)coming->ms);
		put_in_force(live);
	}
	live->options.report(live->options.data, line);
	release(coming);
	if (live->is_wanted)
		start(live);
}

static void look(void *data)
{
	struct mw_live_rules *live = data;
	uint64_t now = fingerprint(live);
	/* Whoever writes them may be in the midst of it. */
	bool is_still = now == live->seen;
	live->seen = now;
	if (is_still && now != live->loaded)
		start(live);
	mw_timer_set(live->options.loop, &live->timer, LOOK_MS);
}

int mw_live_rules_new(const struct mw_live_rules_options *options, struct mw_live_rules **ret_live, struct mw_err *err)
{
	struct mw_live_rules *live = calloc(1, sizeof(*live));
	if (!live)
		return mw_err_set(err, -ENOMEM, "no memory for rules");
	live->options = *options;
	live->timer = (struct mw_timer){.fire = look, .data = live};
	live->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int r = live->done_fd < 0 ? -errno : mw_loop_watch(options->loop, live->done_fd, EPOLLIN, on_done, live);
	live->seen = live->loaded = fingerprint(live);
	if (r < 0) {
		mw_live_rules_free(live);
		return mw_err_set(err, r, "rules: %s", strerror(-r));
	}
	mw_live_rules_adopt(live);
	mw_timer_set(options->loop, &live->timer, LOOK_MS);
	*ret_live = live;
	return 0;
}

void mw_live_rules_adopt(struct mw_live_rules *live)
{
	struct mw_rules *rules = *live->options.rules;
	if (!rules)
		return;
	/* A set that is on its way is of before. */
	live->is_wanted = live->is_wanted || live->is_loading;
	struct coming laying = {
		.rules = rules, .reports = MW_BUF(REPORT_BYTES), .options = {.tree = live->options.tree}};
	user_file(live, laying.file, sizeof(laying.file));
	laying.profile = (char *)(uintptr_t)mw_flags_rules(live->options.flags);
	laying.backend = live->backend;
	lay_all(&laying);
	for (size_t at = 0; at < laying.reports.size; at += strlen(laying.reports.data + at) + 1)
		live->options.report(live->options.data, laying.reports.data + at);
	mw_buf_release(&laying.reports);
}

void mw_live_rules_free(struct mw_live_rules *live)
{
	if (!live)
		return;
	if (live->is_loading) {
		(void)pthread_join(live->thread, NULL);
		mw_rules_free(live->coming.rules);
	}
	release(&live->coming);
	mw_timer_clear(live->options.loop, &live->timer);
	if (live->done_fd >= 0) {
		mw_loop_unwatch(live->options.loop, live->done_fd);
		(void)close(live->done_fd);
	}
	free(live->backend);
	free(live);
}

void mw_live_rules_reload(struct mw_live_rules *live)
{
	live->seen = fingerprint(live);
	start(live);
}

int mw_live_rules_override(struct mw_live_rules *live, const char *json, struct mw_err *err)
{
	char *copy = strdup(json);
	if (!copy)
		return mw_err_set(err, -ENOMEM, "no memory");
	struct mw_rules *rules = *live->options.rules;
	int r = rules ? mw_rules_override(rules, MW_RULES_BACKEND, json, err) : 0;
	if (r < 0) {
		free(copy);
		return r;
	}
	free(live->backend);
	live->backend = copy;
	/* A set on its way has begun with what was said before. */
	live->is_wanted = live->is_wanted || live->is_loading;
	if (rules)
		live->options.changed(live->options.data);
	return 0;
}

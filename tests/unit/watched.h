/* Shared by the tests of core/watch: a folder to work in, a watch with its loop, and what it told. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "loop/loop.h"
#include "watch/watch.h"

enum {
	WATCHED_LOG = 1 << 20,
	WATCHED_PATH = 4096,
};

struct watched {
	char root[128]; /* of what is watched */
	struct mw_loop *loop;
	struct mw_watch *watch;
	char *log; /* a line a change: "CREATE path", see watched_line() */
	size_t log_size;
	size_t logged;
	char reports[8192];
	void (*told)(struct watched *w, const struct mw_change *change);
	void *data;
	struct mw_timer tick;
	int64_t deadline_ns;
	bool (*is_done)(struct watched *w);
	const char *wanted;
};

static const char *const watched_kinds[] = {
	[MW_CHANGE_CREATE] = "CREATE", [MW_CHANGE_MODIFY] = "MODIFY",         [MW_CHANGE_DELETE] = "DELETE",
	[MW_CHANGE_RENAME] = "RENAME", [MW_CHANGE_ATTRIBUTES] = "ATTRIBUTES", [MW_CHANGE_OPEN] = "OPEN",
	[MW_CHANGE_ACCESS] = "ACCESS",
};

static inline const char *watched_relative(const struct watched *w, const char *path)
{
	size_t n = strlen(w->root);
	return !strncmp(path, w->root, n) && path[n] == '/' ? path + n + 1 : path;
}

/* "RENAME old > new", "MODIFY path closed scan". */
static inline void watched_change(void *data, const struct mw_change *change)
{
	struct watched *w = data;
	if (w->told)
		w->told(w, change);
	w->logged++;
	if (w->log_size + 2 * WATCHED_PATH > WATCHED_LOG)
		return;
	char *at = w->log + w->log_size;
	const char *by = change->found_by == MW_FOUND_BY_SCAN   ? " scan"
			 : change->found_by == MW_FOUND_BY_POLL ? " poll"
								: "";
	int n = change->old_path
			? snprintf(at, 2 * WATCHED_PATH, "%s %s > %s%s\n", watched_kinds[change->kind],
				   watched_relative(w, change->old_path), watched_relative(w, change->path), by)
			: snprintf(at, 2 * WATCHED_PATH, "%s %s%s%s%s\n", watched_kinds[change->kind],
				   watched_relative(w, change->path), change->is_directory ? "/" : "",
				   change->is_closed ? " closed" : "", by);
	w->log_size += (size_t)n;
}

static inline void watched_report(void *data, const char *line, bool is_urgent)
{
	struct watched *w = data;
	(void)is_urgent;
	size_t n = strlen(w->reports);
	(void)snprintf(w->reports + n, sizeof(w->reports) - n, "%s\n", line);
}

static inline int watched_unlink(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path) < 0 && errno != ENOENT ? -1 : 0;
}

static inline void watched_rm(const char *path)
{
	(void)nftw(path, watched_unlink, 64, FTW_DEPTH | FTW_PHYS);
}

static inline const char *watched_path(const struct watched *w, const char *name)
{
	static char paths[8][WATCHED_PATH];
	static unsigned next;
	char *path = paths[next++ % 8];
	if (name[0] == '/')
		(void)snprintf(path, WATCHED_PATH, "%s", name);
	else
		(void)snprintf(path, WATCHED_PATH, "%s%s%s", w->root, name[0] ? "/" : "", name);
	return path;
}

static inline void watched_write(const struct watched *w, const char *name, const char *text)
{
	int fd = open(watched_path(w, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
}

static inline void watched_mkdir(const struct watched *w, const char *name)
{
	assert_int_equal(mkdir(watched_path(w, name), 0755), 0);
}

static inline void watched_rename(const struct watched *w, const char *from, const char *to)
{
	assert_int_equal(rename(watched_path(w, from), watched_path(w, to)), 0);
}

static inline void watched_tick(void *data)
{
	struct watched *w = data;
	if (w->is_done(w)) {
		mw_loop_stop(w->loop);
		return;
	}
	if (mw_clock_mono_ns() > w->deadline_ns) {
		(void)fprintf(stderr, "still waiting after its time; told so far:\n%.3000s\nreports:\n%s\n", w->log,
			      w->reports);
		mw_loop_stop(w->loop);
		return;
	}
	mw_timer_set(w->loop, &w->tick, 2);
}

/* Run the loop until `is_done`; fails the test when that takes longer than `ms`. */
static inline void watched_run(struct watched *w, bool (*is_done)(struct watched *w), int64_t ms)
{
	w->is_done = is_done;
	w->deadline_ns = mw_clock_mono_ns() + ms * MW_NS_PER_MS;
	w->tick = (struct mw_timer){.fire = watched_tick, .data = w};
	mw_timer_set(w->loop, &w->tick, 0);
	assert_int_equal(mw_loop_run(w->loop), 0);
	mw_timer_clear(w->loop, &w->tick);
	assert_true(is_done(w));
}

static inline bool watched_is_quiet(struct watched *w)
{
	return mw_watch_is_settled(w->watch) && mw_watch_is_quiet(w->watch);
}

/* All that was done until now is told when this returns. */
static inline void watched_settle(struct watched *w)
{
	watched_run(w, watched_is_quiet, 20000);
}

static inline bool watched_has_told(struct watched *w)
{
	return strstr(w->log, w->wanted) && watched_is_quiet(w);
}

/* Wait until this line was told (with its newline). */
static inline void watched_await(struct watched *w, const char *line)
{
	w->wanted = line;
	watched_run(w, watched_has_told, 20000);
}

static inline void watched_forget(struct watched *w)
{
	w->log_size = 0;
	w->log[0] = '\0';
}

/* The log, and none of it any more. */
static inline void watched_expect(struct watched *w, const char *lines)
{
	watched_settle(w);
	assert_string_equal(w->log, lines);
	watched_forget(w);
}

static inline void watched_open(struct watched *w, const char *root, const struct mw_watch_options *options)
{
	memset(w, 0, sizeof(*w));
	(void)snprintf(w->root, sizeof(w->root), "%s", root);
	w->log = calloc(1, WATCHED_LOG);
	assert_non_null(w->log);
	struct mw_err err;
	if (mw_loop_new(&w->loop, &err) < 0)
		fail_msg("%s", err.text);
	struct mw_watch_options own = options ? *options : (struct mw_watch_options){0};
	own.loop = w->loop;
	own.change = watched_change;
	own.report = watched_report;
	own.data = w;
	if (mw_watch_new(&own, &w->watch, &err) < 0)
		fail_msg("%s", err.text);
}

static inline void watched_close(struct watched *w)
{
	mw_watch_free(w->watch);
	mw_loop_free(w->loop);
	free(w->log);
}

/* Watch these patterns, below the root where they are relative. */
static inline void watched_patterns(struct watched *w, const char *const *patterns, const char *const *excludes,
				    bool wants_access)
{
	char texts[32][WATCHED_PATH];
	const char *list[16] = {0}, *exclude_list[16] = {0};
	for (size_t i = 0; patterns[i]; i++) {
		(void)snprintf(texts[i], WATCHED_PATH, "%s", watched_path(w, patterns[i]));
		list[i] = texts[i];
	}
	for (size_t i = 0; excludes && excludes[i]; i++) {
		(void)snprintf(texts[16 + i], WATCHED_PATH, "%s", watched_path(w, excludes[i]));
		exclude_list[i] = texts[16 + i];
	}
	struct mw_watch_category category = {.name = "test", .patterns = list, .wants_access = wants_access};
	struct mw_watch_config config = {.categories = &category, .category_count = 1, .excludes = exclude_list};
	struct mw_err err;
	if (mw_watch_configure(w->watch, &config, &err) < 0)
		fail_msg("%s", err.text);
	watched_settle(w);
}

#define PATTERNS(...) ((const char *const[]){__VA_ARGS__, NULL})

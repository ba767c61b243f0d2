#include "sensor/configured.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "event/board.h"
#include "flag/file_paths.h"
#include "loop/loop.h"
#include "script/agent.h"
#include "script/profile.h"
#include "sensor/config_file.h"

enum {
	/* Outputs into files. */
	EXCLUDES = 16,
	LINE_BYTES = MW_ERR_BYTES + 64,
	/* Between two looks whether others are done, and how long they may take once the application has started. */
	AGAIN_MS = 5,
	OTHERS_MS = 500,
};

struct mw_configured {
	struct mw_configured_options options;
	struct mw_files *files;
	struct mw_config_file *file;
	/* What we write ourselves: to tell of it would be to write again. */
	char own[EXCLUDES][MW_PATH_BYTES + 4];
	const char *excludes[EXCLUDES + 1];
	bool are_flags_new;
	/* Of --profile as it is in force. */
	char profile[MW_PATH_BYTES];
	struct mw_file_paths profile_files;
	bool has_profile_files; /* those above, and not those of the start */
	struct mw_timer start_timer;
	int64_t start_until_ns; /* CLOCK_MONOTONIC: longer nobody is let go first */
};

static void tell(struct mw_configured *configured, const char *line, bool is_urgent)
{
	configured->options.files.report(configured->options.files.data, line, is_urgent);
}

static void report(struct mw_configured *configured, const char *line)
{
	tell(configured, line, true);
}

static void exclude(struct mw_configured *configured, const char *path, size_t bytes, const char *end)
{
	unsigned n = 0;
	while (configured->excludes[n])
		n++;
	if (n == EXCLUDES || bytes >= MW_PATH_BYTES || path[0] != '/')
		return;
	(void)snprintf(configured->own[n], sizeof(configured->own[n]), "%.*s%s", (int)bytes, path, end);
	configured->excludes[n] = configured->own[n];
}

/* The state folder, and the targets of outputs: STREAM/FORMAT:file=PATH,… */
static void exclude_own(struct mw_configured *configured)
{
	const char *dir = configured->options.files.state_dir;
	if (*dir) {
		exclude(configured, dir, strlen(dir), "");
		exclude(configured, dir, strlen(dir), "/%%");
	}
	const char *at = mw_flag_text(configured->options.files.flags, MW_FLAG_OUTPUTS);
	static const char sink[] = ":file=";
	while ((at = strstr(at, sink))) {
		at += sizeof(sink) - 1;
		exclude(configured, at, strcspn(at, ",;"), "");
		exclude(configured, at, strcspn(at, ",;"), ".%");
	}
}

static int on_watch(void *data, enum mw_flag_source source, struct mw_file_paths *paths, struct mw_err *err)
{
	struct mw_configured *configured = data;
	return mw_files_set(configured->files, source, paths, err);
}

static int on_set_flag(void *data, const char *name, const char *text, enum mw_flag_source source, const char *origin,
		       struct mw_err *err)
{
	struct mw_configured *configured = data;
	const struct mw_flag *flag = mw_flag_find(name);
	if (flag && !flag->is_live)
		return mw_err_set(err, -EPERM, "--%s takes effect at the next start only", name);
	configured->are_flags_new = true;
	return mw_flags_set_at(configured->options.files.flags, flag ? flag->name : name, text, source, origin, err);
}

static void on_warning(void *data, const char *line)
{
	struct mw_configured *configured = data;
	char text[LINE_BYTES + MW_PATH_BYTES];
	const char *path = mw_flag_text(configured->options.files.flags, MW_FLAG_CONFIG_PATH);
	(void)snprintf(text, sizeof(text), "%s%s%s", path, *path ? ": " : "", line);
	report(configured, text);
}

/* What the profile says of flags takes the place of what the one before said; of those that cannot change now, how many. */
static unsigned take_flags(struct mw_configured *configured, const struct mw_flags *wanted)
{
	struct mw_flags *flags = configured->options.files.flags;
	unsigned late = 0;
	for (unsigned i = 0; i < MW_FLAG_COUNT; i++) {
		enum mw_flag_id id = (enum mw_flag_id)i;
		MW_AUTO(mw_buf) now = MW_BUF(MW_FLAG_TEXT_BYTES);
		MW_AUTO(mw_buf) then = MW_BUF(MW_FLAG_TEXT_BYTES);
		mw_flag_format(flags, id, &now);
		mw_flag_format(wanted, id, &then);
		const char *text = then.data ? then.data : "";
		bool is_same = strcmp(now.data ? now.data : "", text) == 0;
		if (mw_flag_source(flags, id) > MW_FROM_PROFILE || is_same)
			continue;
		if (!mw_flag_list[i].is_live)
			late++;
		else if (mw_flag_source(wanted, id) == MW_FROM_PROFILE)
			(void)mw_flags_set_at(flags, mw_flag_list[i].name, text, MW_FROM_PROFILE,
					      mw_flag_origin(wanted, id), NULL);
		else
			mw_flags_reset(flags, id, MW_FROM_PROFILE);
	}
	return late;
}

static int load_profile(struct mw_configured *configured, const char *name, struct mw_flags *wanted, struct mw_err *err)
{
	static struct mw_attention attention; /* large */
	struct mw_file_paths files = {0};
	const struct mw_flags *flags = configured->options.files.flags;
	mw_attention_init(&attention);
	int r = mw_profile_apply(configured->options.tree, name, wanted, &attention, &files, err);
	if (r < 0) {
		mw_file_paths_release(&files);
		return r;
	}
	attention.startup_ms = (uint32_t)mw_flag_int(flags, MW_FLAG_ATTENTION_STARTUP_MS);
	attention.stops_per_s = (uint32_t)mw_flag_int(flags, MW_FLAG_ATTENTION_STOPS_PER_S);
	attention.cpu_percent = (uint32_t)mw_flag_int(flags, MW_FLAG_ATTENTION_CPU_PERCENT);
	mw_board_set_attention(configured->options.files.board, &attention);
	if (configured->has_profile_files)
		mw_file_paths_release(&configured->profile_files);
	configured->profile_files = files;
	configured->has_profile_files = true;
	mw_files_set_profile(configured->files, &configured->profile_files);
	return 0;
}

/* Is another profile asked for?  One that is no good changes nothing. */
static void change_profile(struct mw_configured *configured)
{
	const char *name = mw_flag_text(configured->options.files.flags, MW_FLAG_PROFILE);
	char line[LINE_BYTES + MW_PATH_BYTES];
	struct mw_err err = {""};
	if (strcmp(name, configured->profile) == 0)
		return;
	(void)snprintf(configured->profile, sizeof(configured->profile), "%s", name);
	struct mw_flags *wanted = mw_flags_new();
	if (!wanted || load_profile(configured, name, wanted, &err) < 0) {
		(void)snprintf(line, sizeof(line), "profile %s: %s; the one before still holds", name,
			       wanted ? err.text : "out of memory");
		report(configured, line);
	} else {
		unsigned late = take_flags(configured, wanted);
		(void)snprintf(line, sizeof(line), "profile %s: %u of its flags take effect at the next start only",
			       name, late);
		if (late)
			tell(configured, line, false);
	}
	mw_flags_free(wanted);
}

static void on_applied(void *data)
{
	struct mw_configured *configured = data;
	struct mw_err err = {""};
	bool are_flags_new = configured->are_flags_new;
	configured->are_flags_new = false;
	if (!are_flags_new)
		return;
	change_profile(configured);
	if (mw_files_reconfigure(configured->files, &err) < 0)
		report(configured, err.text);
	configured->options.changed(configured->options.data);
}

static void on_file(void *data, const char *text, size_t bytes)
{
	struct mw_configured *configured = data;
	const char *path = mw_flag_text(configured->options.files.flags, MW_FLAG_CONFIG_PATH);
	struct mw_err err = {""};
	if (mw_agent_apply(configured->options.agent, text, bytes, MW_FROM_CONFIG, path, &err) < 0) {
		char line[LINE_BYTES + MW_PATH_BYTES];
		(void)snprintf(line, sizeof(line), "%s: %s; what was configured before still holds", path, err.text);
		report(configured, line);
	}
}

static void on_no_file(void *data, const char *why)
{
	char line[LINE_BYTES + MW_PATH_BYTES];
	(void)snprintf(line, sizeof(line), "configuration file %s; what was configured before still holds", why);
	report(data, line);
}

static int open_config_file(struct mw_configured *configured, struct mw_err *err)
{
	const char *path = mw_flag_text(configured->options.files.flags, MW_FLAG_CONFIG_PATH);
	if (!*path || configured->file)
		return 0;
	const struct mw_config_file_options options = {
		.loop = configured->options.files.loop,
		.path = path,
		.changed = on_file,
		.failed = on_no_file,
		.data = configured,
	};
	int r = mw_config_file_new(&options, &configured->file);
	return r < 0 ? mw_err_set(err, r, "%s: %s", path, strerror(-r)) : 0;
}

static void start(struct mw_configured *configured)
{
	struct mw_err why = {""};
	if (open_config_file(configured, &why) < 0)
		report(configured, why.text);
	if (!mw_files_watch(configured->files) && mw_files_reconfigure(configured->files, &why) < 0) {
		char line[LINE_BYTES];
		(void)snprintf(line, sizeof(line), "files are not watched: %s", why.text);
		report(configured, line);
	}
}

/* The application waits to be attached to, then what it did waits to be read. */
static bool has_others_first(const struct mw_configured *configured)
{
	const struct mw_board *board = configured->options.files.board;
	size_t bytes;
	bool is_traced = mw_flag_bool(configured->options.files.flags, MW_FLAG_AUDIT_ALLOW_PROCESS_EVENTS);
	bool is_attaching = is_traced && atomic_load(&board->attach) == MW_ATTACH_PENDING;
	return is_attaching || mw_board_wants_flush(board) || mw_ring_peek(board->ring, &bytes);
}

static void on_start(void *data)
{
	struct mw_configured *configured = data;
	if (has_others_first(configured) && mw_clock_mono_ns() < configured->start_until_ns)
		mw_timer_set(configured->options.files.loop, &configured->start_timer, AGAIN_MS);
	else
		start(configured);
}

int mw_configured_new(const struct mw_configured_options *options, struct mw_configured **ret_configured,
		      struct mw_err *err)
{
	struct mw_configured *configured = calloc(1, sizeof(*configured));
	if (!configured)
		return mw_err_set(err, -ENOMEM, "out of memory");
	configured->options = *options;
	(void)snprintf(configured->profile, sizeof(configured->profile), "%s",
		       mw_flag_text(options->files.flags, MW_FLAG_PROFILE));
	exclude_own(configured);
	struct mw_files_options files = options->files;
	files.excludes = configured->excludes;
	int r = mw_files_new(&files, &configured->files, err);
	if (r < 0) {
		mw_configured_free(configured);
		return r;
	}
	/* Owned by the caller from here on: what is told from within may look at it. */
	*ret_configured = configured;
	const struct mw_agent_host host = {.watch = on_watch,
					   .set_flag = on_set_flag,
					   .applied = on_applied,
					   .warn = on_warning,
					   .data = configured};
	mw_agent_set_host(options->agent, &host);
	configured->start_timer = (struct mw_timer){.fire = on_start, .data = configured};
	int64_t others_ms = mw_flag_int(files.flags, MW_FLAG_ATTACH_TIMEOUT_MS) + OTHERS_MS;
	configured->start_until_ns = mw_clock_mono_ns() + others_ms * MW_NS_PER_MS;
	mw_timer_set(files.loop, &configured->start_timer, AGAIN_MS);
	return 0;
}

void mw_configured_hurry(struct mw_configured *configured)
{
	struct mw_err why = {""};
	if (open_config_file(configured, &why) < 0)
		report(configured, why.text);
}

void mw_configured_free(struct mw_configured *configured)
{
	if (!configured)
		return;
	mw_timer_clear(configured->options.files.loop, &configured->start_timer);
	mw_config_file_free(configured->file);
	mw_files_free(configured->files);
	mw_file_paths_release(&configured->profile_files);
	free(configured);
}

struct mw_files *mw_configured_files(const struct mw_configured *configured)
{
	return configured->files;
}

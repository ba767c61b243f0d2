#include "cli/config_document.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "flag/file_paths.h"
#include "flag/flag.h"
#include "loop/loop.h"
#include "script/agent.h"

enum {
	DOCUMENT_BYTES = 4 << 20, /* as the sensor reads */
};

struct look {
	struct mw_flags *flags;
	struct mw_file_paths *files;
	void (*warn)(const char *line);
	int warnings;
};

static int on_watch(void *data, enum mw_flag_source source, struct mw_file_paths *paths, struct mw_err *err)
{
	struct look *look = data;
	(void)source;
	return mw_file_paths_lay(look->files, paths, err);
}

static int on_set_flag(void *data, const char *name, const char *text, enum mw_flag_source source, const char *origin,
		       struct mw_err *err)
{
	struct look *look = data;
	return mw_flags_set_at(look->flags, name, text, source, origin, err);
}

static void on_warning(void *data, const char *line)
{
	struct look *look = data;
	look->warnings++;
	look->warn(line);
}

static void on_report(void *data, const char *line)
{
	on_warning(data, line);
}

static void ignore_applied(void *data)
{
	(void)data;
}

/* Bundles and changes to rules are judged by the sensor, which has the rules. */
static int take_bundle(void *data, const void *bytes, size_t n, const char *origin, struct mw_err *err)
{
	(void)data;
	(void)bytes;
	(void)n;
	(void)origin;
	(void)err;
	return 0;
}

static const char *no_version(const void *data)
{
	(void)data;
	return "";
}

static int take_override(void *data, const char *json, struct mw_err *err)
{
	(void)data;
	(void)json;
	(void)err;
	return 0;
}

int mw_config_document_load(struct mw_flags *flags, const char *tree, struct mw_file_paths *ret_files,
			    void (*warn)(const char *line), struct mw_err *err)
{
	const char *path = mw_flag_text(flags, MW_FLAG_CONFIG_PATH);
	if (!*path)
		return 0;
	MW_AUTO(mw_buf) text = MW_BUF(DOCUMENT_BYTES);
	int r = mw_file_read_at(AT_FDCWD, path, &text);
	if (r < 0)
		return mw_err_set(err, r, "%s: %s", path, strerror(-r));
	struct look look = {.flags = flags, .files = ret_files, .warn = warn};
	struct mw_loop *loop;
	r = mw_loop_new(&loop, err);
	if (r < 0)
		return r;
	const struct mw_agent_options options = {
		.loop = loop,
		.tree = tree,
		.flags = flags,
		.state_dir = "",
		.run = "",
		.reference = "",
		.report = on_report,
		.data = &look,
	};
	struct mw_agent *agent = NULL;
	r = mw_agent_new(&options, &agent);
	if (r == 0) {
		const struct mw_agent_host host = {.watch = on_watch,
						   .set_flag = on_set_flag,
						   .applied = ignore_applied,
						   .warn = on_warning,
						   .data = &look};
		struct mw_err why = {""};
		const struct mw_agent_bundles bundles = {
			.apply = take_bundle, .version = no_version, .override = take_override};
		mw_agent_set_host(agent, &host);
		mw_agent_set_bundles(agent, &bundles);
		r = mw_agent_apply(agent, text.data ? text.data : "", text.size, MW_FROM_CONFIG, path, &why);
		if (r < 0)
			(void)mw_err_set(err, r, "%s: %s", path, why.text);
		mw_agent_free(agent);
	} else {
		(void)mw_err_set(err, r, "%s: %s", path, strerror(-r));
	}
	mw_loop_free(loop);
	return r < 0 ? r : look.warnings;
}

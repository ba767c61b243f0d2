#include "sensor/outside.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "event/board.h"
#include "event/identity.h"
#include "flag/enroll.h"
#include "flag/flag.h"
#include "loop/loop.h"
#include "script/agent.h"
#include "sensor/bundles.h"
#include "spool/spool.h"

enum {
	/* The beginning of event ids. */
	RUN_BYTES = 17,
};

struct mw_outside {
	struct mw_outside_options options;
	struct mw_agent *agent;
	struct mw_bundles *bundles;
	struct mw_timer timer;
	char run[RUN_BYTES];
};

static void on_report(void *data, const char *line)
{
	const struct mw_outside *outside = data;
	outside->options.report(outside->options.data, line);
}

static void on_identity(void *data, const char *column, const char *text)
{
	const struct mw_outside *outside = data;
	(void)mw_identity_set(outside->options.identity, column, text); /* out of memory: events lack it */
}

static void on_document(void *data, const char *name, const char *json, size_t bytes)
{
	const struct mw_outside *outside = data;
	struct mw_err err;
	if (mw_spool_put_document(outside->options.spool, name, json, bytes, &err) < 0)
		mw_log("spool: what is known of %s cannot be kept: %s", name, err.text);
}

static bool is_on_ecs(void)
{
	const char *execution = getenv("AWS_EXECUTION_ENV");
	return getenv("ECS_CONTAINER_METADATA_URI_V4") || getenv("ECS_CONTAINER_METADATA_URI") ||
	       (execution && strncmp(execution, "AWS_ECS", 7) == 0);
}

static bool has_tasks(const struct mw_outside *outside)
{
	return outside->options.has_sinks || *mw_flag_text(outside->options.flags, MW_FLAG_BUNDLE_URL) ||
	       *mw_flag_text(outside->options.flags, MW_FLAG_CONFIG_PATH) || outside->options.enroll->reference[0] ||
	       *mw_flag_text(outside->options.flags, MW_FLAG_TLS_HOSTNAME) || is_on_ecs();
}

/* After all else: it takes some milliseconds, of libraries and scripts. */
static void start(void *data)
{
	struct mw_outside *outside = data;
	struct mw_err err;
	if (mw_agent_start(outside->agent, &err) < 0)
		on_report(outside, err.text);
}

static int apply_bundle(void *data, const void *bytes, size_t n, const char *origin, struct mw_err *err)
{
	struct mw_outside *outside = data;
	return mw_bundles_apply(outside->bundles, bytes, n, origin, err);
}

static const char *bundle_version(const void *data)
{
	const struct mw_outside *outside = data;
	return mw_bundles_version(outside->bundles);
}

static int override_rules(void *data, const char *json, struct mw_err *err)
{
	const struct mw_outside *outside = data;
	return outside->options.override_rules(outside->options.data, json, err);
}

static int make_bundles(struct mw_outside *outside, struct mw_err *err)
{
	const struct mw_outside_options *options = &outside->options;
	const struct mw_bundles_options own = {
		.tree = options->tree,
		.state_dir = options->state_dir,
		.flags = options->flags,
		.rules = options->rules,
		.report = options->report,
		.changed = options->changed_rules,
		.data = options->data,
	};
	int r = mw_bundles_new(&own, &outside->bundles, err);
	if (r < 0)
		return r;
	const struct mw_agent_bundles bundles = {
		.apply = apply_bundle, .version = bundle_version, .override = override_rules, .data = outside};
	mw_agent_set_bundles(outside->agent, &bundles);
	return 0;
}

int mw_outside_new(const struct mw_outside_options *options, struct mw_outside **ret_outside, struct mw_err *err)
{
	struct mw_outside *outside = calloc(1, sizeof(*outside));
	if (!outside)
		return mw_err_set(err, -ENOMEM, "out of memory");
	outside->options = *options;
	outside->timer = (struct mw_timer){.fire = start, .data = outside};
	(void)snprintf(outside->run, sizeof(outside->run), "%016" PRIx64, (uint64_t)options->board->start_ns);
	const struct mw_agent_options agent = {
		.loop = options->loop,
		.tree = options->tree,
		.flags = options->flags,
		.spool = options->spool,
		.state_dir = options->state_dir,
		.run = outside->run,
		.reference = options->enroll->reference,
		.secret = options->enroll->secret,
		.taken = options->enroll->taken,
		.taken_count = options->enroll->taken_count,
		.report = on_report,
		.identify = on_identity,
		.keep = on_document,
		.data = outside,
	};
	int r = mw_agent_new(&agent, &outside->agent);
	if (r < 0) {
		free(outside);
		return mw_err_set(err, r, "out of memory for the agent");
	}
	r = make_bundles(outside, err);
	if (r < 0) {
		mw_outside_free(outside);
		return r;
	}
	*ret_outside = outside;
	return 0;
}

void mw_outside_free(struct mw_outside *outside)
{
	if (!outside)
		return;
	mw_timer_clear(outside->options.loop, &outside->timer);
	mw_agent_free(outside->agent);
	mw_bundles_free(outside->bundles);
	free(outside);
}

const struct mw_bundles *mw_outside_bundles(const struct mw_outside *outside)
{
	return outside->bundles;
}

bool mw_outside_has_bundle(const struct mw_outside *outside)
{
	return mw_bundles_version(outside->bundles)[0] != '\0';
}

void mw_outside_reload_bundle(struct mw_outside *outside)
{
	mw_bundles_reload(outside->bundles);
}

int mw_outside_open_rules(struct mw_outside *outside, struct mw_err *err)
{
	return mw_bundles_open_rules(outside->bundles, err);
}

struct mw_agent *mw_outside_agent(const struct mw_outside *outside)
{
	return outside->agent;
}

void mw_outside_start(struct mw_outside *outside)
{
	if (has_tasks(outside))
		mw_timer_set(outside->options.loop, &outside->timer, 0);
}

void mw_outside_flush(struct mw_outside *outside, int64_t ms, void (*done)(void *data), void *data)
{
	/* The application has ended before all else was ready. */
	if (outside->timer.is_set) {
		mw_timer_clear(outside->options.loop, &outside->timer);
		start(outside);
	}
	mw_agent_flush(outside->agent, ms, done, data);
}

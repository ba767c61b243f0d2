/* The sensor's side of its agent (script/agent.h): what that is given, when its tasks begin, and what it tells. */
#pragma once

#include <stdint.h>
#include <stdbool.h>

struct mw_agent;
struct mw_bundles;
struct mw_board;
struct mw_enroll;
struct mw_err;
struct mw_flags;
struct mw_identity;
struct mw_loop;
struct mw_outside;
struct mw_rules;
struct mw_spool;

/* What it points to is borrowed. */
struct mw_outside_options {
	struct mw_loop *loop;
	const char *tree;
	struct mw_flags *flags;
	const struct mw_enroll *enroll;
	struct mw_spool *spool;
	const char *state_dir;
	bool has_sinks;               /* outputs that are the agent's */
	struct mw_board *board;       /* whose start names the run */
	struct mw_identity *identity; /* of all events from now on */
	struct mw_rules **rules;      /* in force: another bundle puts others there */
	/* Those are others now. */
	void (*changed_rules)(void *data);
	/* Change them as a configuration says: mw_live_rules_override(). */
	int (*override_rules)(void *data, const char *json, struct mw_err *err);
	/* A line about what does not work, or works again. */
	void (*report)(void *data, const char *line);
	void *data;
};

int mw_outside_new(const struct mw_outside_options *options, struct mw_outside **ret_outside, struct mw_err *err);
/* NULL is nothing. */
void mw_outside_free(struct mw_outside *outside);

/* What is there is delivered, as far as it can be in that time; `done` is called once, from the loop or within. */
void mw_outside_flush(struct mw_outside *outside, int64_t ms, void (*done)(void *data), void *data);

const struct mw_bundles *mw_outside_bundles(const struct mw_outside *outside);
/* Load the rules to begin with: mw_bundles_open_rules(). */
int mw_outside_open_rules(struct mw_outside *outside, struct mw_err *err);
/* Is one in force?  Load it again, with the rules beside it, which have changed. */
bool mw_outside_has_bundle(const struct mw_outside *outside);
void mw_outside_reload_bundle(struct mw_outside *outside);
struct mw_agent *mw_outside_agent(const struct mw_outside *outside);
/* Begin its tasks, as soon as the loop runs, where there is anything for them to do. */
void mw_outside_start(struct mw_outside *outside);

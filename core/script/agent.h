/* The part of the sensor that talks to the outside, in Lua (lua/moonwatch/agent.lua): reads the secret to enrol with, asks ECS where
 * this runs.  Its tasks are resumed by the sensor's loop, and nothing waits for them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct mw_agent;
struct mw_err;
struct mw_loop;
struct mw_secret;

struct mw_agent_options {
	struct mw_loop *loop;
	const char *tree;
	/* As struct mw_enroll has them. */
	const char *reference;
	const struct mw_secret *secret;
	/* May AWS_ACCESS_KEY_ID and its kind be used? */
	bool uses_environment_keys;
	/* What is to be known: one line, without a secret in it. */
	void (*report)(void *data, const char *line);
	/* Where this runs, a column of ecs_metadata after the other; `text` NULL: not known.  See mw_identity_set(). */
	void (*identify)(void *data, const char *column, const char *text);
	/* To be kept for tables: mw_spool_put_document(). */
	void (*keep)(void *data, const char *name, const char *json, size_t bytes);
	void *data;
};

/* What is in `options` is kept, not copied, but for the secret. */
int mw_agent_new(const struct mw_agent_options *options, struct mw_agent **ret_agent, struct mw_err *err);
void mw_agent_free(struct mw_agent *agent);

/* Of the secret: "waiting", "read", or why it cannot be read. */
const char *mw_agent_secret_state(const struct mw_agent *agent);

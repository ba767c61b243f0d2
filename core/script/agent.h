/* The sensor's agent, in Lua: one state, in which configurations are applied, whoever they come from
 * (lua/moonwatch/osquery/config.lua), and in which all that talks to the outside runs as tasks (lua/moonwatch/agent.lua): the secret to
 * enrol with, the task's metadata, the backend, sinks on the network.  The sensor's loop resumes its tasks, and nothing waits for them.
 *
 * The state is made when it is first needed, since it takes some milliseconds. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flag/flag.h"

struct mw_agent;
struct mw_err;
struct mw_file_paths;
struct mw_loop;
struct mw_secret;
struct mw_spool;
struct mw_taken;

/* Borrowed, but for the secret, which is copied when the tasks begin. */
struct mw_agent_options {
	struct mw_loop *loop;
	const char *tree;
	struct mw_flags *flags;
	struct mw_spool *spool;
	const char *state_dir; /* "": there is none, all is in memory */
	const char *run;       /* names this run, as event ids do */
	const char *module;    /* its start() and flush(); NULL: moonwatch.agent */
	/* As struct mw_enroll has them. */
	const char *reference;
	const struct mw_secret *secret;
	const struct mw_taken *taken;
	unsigned taken_count;
	/* What is to be known: one line, without a secret in it. */
	void (*report)(void *data, const char *line);
	/* Where this runs, a column of ecs_metadata after the other; `text` NULL: not known.  See mw_identity_set(). */
	void (*identify)(void *data, const char *column, const char *text);
	/* To be kept for tables: mw_spool_put_document(). */
	void (*keep)(void *data, const char *name, const char *json, size_t bytes);
	void *data;
};

/* What configurations reach, by the modules moonwatch.watch and moonwatch.flags. */
struct mw_agent_host {
	/* Watch what `source` says, in place of what it said before; *paths may be taken over and emptied. */
	int (*watch)(void *data, enum mw_flag_source source, struct mw_file_paths *paths, struct mw_err *err);
	/* As mw_flags_set_at(), for flags that may change now. */
	int (*set_flag)(void *data, const char *name, const char *text, enum mw_flag_source source, const char *origin,
			struct mw_err *err);
	/* All of a document has been applied. */
	void (*applied)(void *data);
	/* A line about something in a configuration that has no effect. */
	void (*warn)(void *data, const char *line);
	void *data;
};

/* Bundles of rules, by the module moonwatch.bundles. */
struct mw_agent_bundles {
	/* Put one in force: sensor/bundles.h. */
	int (*apply)(void *data, const void *bytes, size_t n, const char *origin, struct mw_err *err);
	const char *(*version)(const void *data);
	/* What a configuration says of rules, JSON: mw_live_rules_override(). */
	int (*override)(void *data, const char *json, struct mw_err *err);
	void *data;
};

int mw_agent_new(const struct mw_agent_options *options, struct mw_agent **ret_agent);
void mw_agent_free(struct mw_agent *agent);
/* `bundles` is copied. */
void mw_agent_set_bundles(struct mw_agent *agent, const struct mw_agent_bundles *bundles);
/* `host` is copied. */
void mw_agent_set_host(struct mw_agent *agent, const struct mw_agent_host *host);

/* Begin its tasks: lua/moonwatch/agent.lua. */
int mw_agent_start(struct mw_agent *agent, struct mw_err *err);
bool mw_agent_is_started(const struct mw_agent *agent);

/* Apply a configuration document, JSON, that `source` gives; `origin` names it in messages.  -EINVAL: it is refused, with
 * line and reason in err, and what held before still does, but for flags. */
int mw_agent_apply(struct mw_agent *agent, const char *text, size_t bytes, enum mw_flag_source source,
		   const char *origin, struct mw_err *err);

/* As osquery has it. */
enum mw_status {
	MW_STATUS_INFO,
	MW_STATUS_WARNING,
	MW_STATUS_ERROR,
};

/* Something worth a status line to the backend, if there is one.  May be called from within a script; copied, and passed on by the
 * loop. */
void mw_agent_status(struct mw_agent *agent, enum mw_status severity, const char *line);

/* Deliver what is there, as far as it can be within `deadline_ms`; `done` is called once, from the loop or within, when that is over,
 * or the time. */
void mw_agent_flush(struct mw_agent *agent, int64_t deadline_ms, void (*done)(void *data), void *data);

/* Of the secret: "waiting", "read", or why it cannot be read; "" when there is none to be read. */
const char *mw_agent_secret_state(const struct mw_agent *agent);

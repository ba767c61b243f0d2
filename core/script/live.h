/* The agent's Lua state in the sensor: what applies configurations, from a file now, from a backend later
 * (lua/moonwatch/osquery/config.lua).  It reaches the sensor by the modules moonwatch.watch and moonwatch.flags, which call
 * the host. */
#pragma once

#include <stddef.h>

#include "flag/flag.h"

struct mw_live;
struct mw_err;
struct mw_file_paths;

struct mw_live_host {
	/* Watch what `source` says, in place of what it said before; *paths may be taken over and emptied. */
	int (*watch)(void *data, enum mw_flag_source source, struct mw_file_paths *paths, struct mw_err *err);
	/* As mw_flags_set_at(), for flags that may change now. */
	int (*set_flag)(void *data, const char *name, const char *text, enum mw_flag_source source, const char *origin,
			struct mw_err *err);
	/* A line about something in a configuration that has no effect. */
	void (*warn)(void *data, const char *line);
	void *data;
};

/* `host` is copied. */
int mw_live_new(const char *tree, const struct mw_live_host *host, struct mw_live **ret_live, struct mw_err *err);
void mw_live_free(struct mw_live *live);

/* Apply a configuration document, JSON, that `source` gives; `origin` names it in messages.  -EINVAL: it is refused, with
 * line and reason in err, and what held before still does, but for flags. */
int mw_live_apply(struct mw_live *live, const char *text, size_t bytes, enum mw_flag_source source,
		   const char *origin, struct mw_err *err);

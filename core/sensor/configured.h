/* What the sensor does by a configuration that may change while it runs: the files it watches (files.h), by the profile and the
 * file of --config_path, later a backend. */
#pragma once

#include "sensor/files.h"

struct mw_agent;
struct mw_configured;

struct mw_configured_options {
	struct mw_files_options files; /* all but `excludes` */
	const char *tree;
	struct mw_agent *agent; /* applies what is configured */
	/* Flags may have changed. */
	void (*changed)(void *data);
	void *data;
};

/* Nothing is watched, and no file read, before the loop runs, the application is attached to, and what the ring had was read:
 * then the flags and the file take effect.  A configuration that is no good is reported, and what can be done without it is
 * done. */
int mw_configured_new(const struct mw_configured_options *options, struct mw_configured **ret_configured,
		      struct mw_err *err);
void mw_configured_free(struct mw_configured *configured);

/* The application has ended before all that: read the file now, whose schedule is to be asked a last time. */
void mw_configured_hurry(struct mw_configured *configured);

struct mw_files *mw_configured_files(const struct mw_configured *configured);

/* Rules from signed bundles (bundle/bundle.h): whether one may be loaded, loading it beside the set that runs, and keeping it for
 * the next start.  Whatever goes wrong, the set that runs stays. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct mw_bundles;
struct mw_err;
struct mw_flags;
struct mw_rules;

/* Borrowed. */
struct mw_bundles_options {
	const char *tree;
	const char *state_dir; /* "": nothing can be kept, and nothing is loaded */
	const struct mw_flags *flags;
	/* Where the rules in force are; NULL there for none.  Others may compare what they remember of rules by address, never follow
	 * it. */
	struct mw_rules **rules;
	/* A line about a rule, as in struct mw_rules_options, or about what became of a bundle. */
	void (*report)(void *data, const char *line);
	/* *rules are others now. */
	void (*changed)(void *data);
	void *data;
};

int mw_bundles_new(const struct mw_bundles_options *options, struct mw_bundles **ret_bundles, struct mw_err *err);
/* NULL is nothing. */
void mw_bundles_free(struct mw_bundles *bundles);

/* Load the rules to begin with: those of the bundle that was kept, checked again, and the shipped ones; without a good one the
 * latter alone, and it is told. */
int mw_bundles_open_rules(struct mw_bundles *bundles, struct mw_err *err);

/* Put a bundle, as it came, in force; `origin` says where from.  0, also when it is in force already; else the reason in err, which
 * has been told. */
int mw_bundles_apply(struct mw_bundles *bundles, const void *bytes, size_t n, const char *origin, struct mw_err *err);

/* Load the bundle in force again, with the rules beside it, which have changed; it is told what became of it. */
void mw_bundles_reload(struct mw_bundles *bundles);

/* Of the bundle in force; "" without. */
const char *mw_bundles_version(const struct mw_bundles *bundles);
/* A line for the health table: what is in force, what was refused last and why; "" when there was never one. */
const char *mw_bundles_state(const struct mw_bundles *bundles);

/* The rules in force, and those that come after them: files of user rules and --rules_file are looked at now and then; when they
 * have changed, and stay so from one look to the next, a thread loads all rules anew and tries their examples.  If all are good
 * they take the place of the old ones between two events; if not, those stay, and it is said why.  Events flow meanwhile. */
#pragma once

#include <stdbool.h>

struct mw_err;
struct mw_flags;
struct mw_loop;
struct mw_rules;

struct mw_live_rules;

struct mw_live_rules_options {
	struct mw_loop *loop;
	const struct mw_flags *flags;
	const char *tree;
	/* Where the rules in force are; NULL there for none. */
	struct mw_rules **rules;
	/* A line for people. */
	void (*report)(void *data, const char *line);
	/* Other rules are in force, or what they want has changed. */
	void (*changed)(void *data);
	/* Are there rules that come from elsewhere, a bundle?  Then load all anew; both are called with `data`. */
	bool (*has_others)(void *data);
	void (*reload_others)(void *data);
	void *data;
};

/* Lays what profile and file say over the rules in force.  -ENOMEM, with err set. */
int mw_live_rules_new(const struct mw_live_rules_options *options, struct mw_live_rules **ret_live, struct mw_err *err);
/* The rules stay; NULL is allowed. */
void mw_live_rules_free(struct mw_live_rules *live);

/* Somebody else has put other rules in force: lay over them what is said of rules. */
void mw_live_rules_adopt(struct mw_live_rules *live);
/* Load all anew, soon. */
void mw_live_rules_reload(struct mw_live_rules *live);
/* What the backend says of rules (mw_rules_override()); holds for those that come later, too. */
int mw_live_rules_override(struct mw_live_rules *live, const char *json, struct mw_err *err);

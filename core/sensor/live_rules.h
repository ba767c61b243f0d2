/* The rules in force, and those that come after them: files of user rules and --rules_file are looked at now and then; when they
 * have changed, and stay so from one look to the next, a thread loads all rules anew and tries their examples.  If all are good
 * they take the place of the old ones between two events; if not, those stay, and it is said why.  Events flow meanwhile. */
#pragma once

struct mw_err;
struct mw_flags;
struct mw_loop;
struct mw_rules;

struct mw_live_rules;

struct mw_live_rules_options {
	struct mw_loop *loop;
	const struct mw_flags *flags;
	const char *tree;
	/* A line for people. */
	void (*report)(void *data, const char *line);
	/* Other rules are in force (NULL: none can be), or what they want has changed. */
	void (*changed)(void *data, struct mw_rules *rules);
	void *data;
};

/* Loads rules, and tells them by `changed`, within.  -ENOMEM, with err set. */
int mw_live_rules_new(const struct mw_live_rules_options *options, struct mw_live_rules **ret_live, struct mw_err *err);
/* Frees the rules, too; NULL is allowed. */
void mw_live_rules_free(struct mw_live_rules *live);

/* Load all anew, soon. */
void mw_live_rules_reload(struct mw_live_rules *live);
/* What the backend says of rules (mw_rules_override()); holds for those that come later, too. */
int mw_live_rules_override(struct mw_live_rules *live, const char *json, struct mw_err *err);

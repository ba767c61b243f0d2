/* Which alerts would only repeat another: what is done to a file once may be told by more than one event, by that of its system
 * call and that of inotify, or by several of the latter (made, written to, closed). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct mw_alert;
struct mw_rule_info;

enum {
	/* Rules remembered that gave an alert for one event. */
	MW_MUTED_RULES = 4,
	MW_MUTED_FILES = 64,
};

/* Zeroed to begin with. */
struct mw_muted {
	/* Rules that gave an alert for the event at hand; behind the last NULL. */
	const struct mw_rule_info *alerted[MW_MUTED_RULES + 1];
	/* Those that gave one for the same act before; ended by NULL, or NULL. */
	const struct mw_rule_info *const *before;
	/* Alerts about files that no system call told of, of the last second. */
	struct {
		const struct mw_rule_info *rule;
		uint64_t path_hash;
		int64_t time_ns;
	} files[MW_MUTED_FILES];
	unsigned next;
	uint64_t count; /* alerts muted */
};

/* A new event; `before` is borrowed until the next. */
void mw_muted_begin(struct mw_muted *muted, const struct mw_rule_info *const *before);
/* Whether an alert about it repeats another.  If not, it is remembered. */
bool mw_muted_is(struct mw_muted *muted, const struct mw_alert *alert);

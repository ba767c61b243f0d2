/* What a rule says of an event: the event's own fields, the rule, and a sentence. */
#pragma once

#include <stddef.h>

#include "event/event.h"

/* Lowest first. */
enum mw_severity {
	MW_SEVERITY_INFO,
	MW_SEVERITY_LOW,
	MW_SEVERITY_MEDIUM,
	MW_SEVERITY_HIGH,
	MW_SEVERITY_CRITICAL,
	MW_SEVERITIES,
};

extern const char *const mw_severity_names[MW_SEVERITIES];

/* What of a rule goes into its alerts. */
struct mw_rule_info {
	const char *id;
	const char *summary;
	enum mw_severity severity;
	const char *attack; /* ATT&CK technique ids, each with its NUL, one after the other */
	size_t attack_bytes;
	const char *attack_version; /* of ATT&CK; NULL: not said */
	const char *tags;           /* likewise, one after the other; NULL: none */
	size_t tags_bytes;
	/* enum mw_level: how closely the processes of its alerts are watched from then on; 0: as before. */
	unsigned attention;
	/* enum mw_verdict: what is done to the process of a match, where enforcement is on. */
	unsigned respond;
};

struct mw_alert {
	const struct mw_event *event;
	const struct mw_rule_info *rule;
	const char *message;
	int64_t count;       /* threshold: what was counted; else 0 */
	uint64_t folded;     /* throttle: alerts left out since the last one with the same key */
	const char *earlier; /* sequence: ids of the events of the steps before, each with its NUL; or NULL */
	size_t earlier_bytes;
	const char *response; /* what is done about it: "kill", "deny"; NULL: nothing */
};

extern const struct mw_shape mw_alert_shape;
extern const struct mw_shape mw_rule_shape;

/* How closely a process is watched (design, section 3). */
#pragma once

enum mw_level {
	MW_LEVEL_OFF,    /* not at all: nothing of it is recorded */
	MW_LEVEL_EVENTS, /* exec, fork, exit: no cost between */
	MW_LEVEL_CALLS,  /* also system calls, with their results: two stops each */
	MW_LEVELS,
};

extern const char *const mw_level_names[MW_LEVELS];

static inline const char *mw_level_name(unsigned level)
{
	return level < MW_LEVELS ? mw_level_names[level] : "";
}

/* A line on standard error that says how long something has been going on. */
#pragma once

/* After a second, and then every half a second, until the end: "NOTE (12 s)".  From a thread, so that whoever works needs not
 * look at the clock.  Nothing when it cannot be started, or when one is there already. */
void mw_progress_begin(const char *note);
/* Takes the line away.  Nothing when there is none. */
void mw_progress_end(void);

/* "Stop what you are doing", from a handler of signals, to all queries of this process. */
#pragma once

#include <stdbool.h>

/* May be called by a handler of signals.  Until mw_sql_go_on(), queries end with -EINTR. */
void mw_sql_interrupt(void);
void mw_sql_go_on(void);
bool mw_sql_is_interrupted(void);

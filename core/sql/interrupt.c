#include "sql/interrupt.h"

#include <stdatomic.h>

/* Without a lock, and so for handlers of signals and all threads. */
static atomic_int is_interrupted;

void mw_sql_interrupt(void)
{
	is_interrupted = 1;
}

void mw_sql_go_on(void)
{
	is_interrupted = 0;
}

bool mw_sql_is_interrupted(void)
{
	return is_interrupted != 0;
}

#include "sql/interrupt.h"

#include <signal.h>

static volatile sig_atomic_t is_interrupted;

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

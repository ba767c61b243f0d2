/* Writes when it started: nanoseconds of CLOCK_MONOTONIC, to standard output. */
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"

int main(void)
{
	int64_t now = mw_clock_mono_ns();
	return printf("%" PRId64 "\n", now) > 0 ? 0 : 1;
}

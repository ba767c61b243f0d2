/* Writes when it started: CLOCK_MONOTONIC, as an int64_t of nanoseconds, to standard output. */
#include <unistd.h>

#include "base/clock.h"

int main(void)
{
	int64_t now = mw_clock_mono_ns();
	return write(STDOUT_FILENO, &now, sizeof(now)) == sizeof(now) ? 0 : 1;
}

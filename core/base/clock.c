#include "base/clock.h"

#include <stdio.h>

void mw_clock_rfc3339(int64_t real_ns, char out[MW_RFC3339_BYTES])
{
	int64_t nanoseconds = real_ns % MW_NS_PER_S;
	time_t seconds = (time_t)(real_ns / MW_NS_PER_S);
	if (nanoseconds < 0) {
		nanoseconds += MW_NS_PER_S;
		seconds--;
	}
	struct tm utc;
	if (!gmtime_r(&seconds, &utc) || utc.tm_year > 9999 - 1900 || utc.tm_year < -1900) {
		time_t epoch = 0;
		(void)gmtime_r(&epoch, &utc);
	}
	char text[MW_RFC3339_BYTES + 64]; /* so that gcc sees room for any int */
	(void)snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%09dZ", utc.tm_year + 1900, utc.tm_mon + 1,
		       utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, (int)nanoseconds);
	(void)snprintf(out, MW_RFC3339_BYTES, "%.30s", text);
}

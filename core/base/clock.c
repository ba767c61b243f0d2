#include "base/clock.h"

#include <string.h>

static void put(char *out, unsigned digits, int value)
{
	while (digits-- > 0) {
		out[digits] = (char)('0' + value % 10);
		value /= 10;
	}
}

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
	/* Done several times for each event, so without the machinery of printf(3). */
	static const char form[MW_RFC3339_BYTES] = "0000-00-00T00:00:00.000000000Z";
	memcpy(out, form, sizeof(form));
	put(out, 4, utc.tm_year + 1900);
	put(out + 5, 2, utc.tm_mon + 1);
	put(out + 8, 2, utc.tm_mday);
	put(out + 11, 2, utc.tm_hour);
	put(out + 14, 2, utc.tm_min);
	put(out + 17, 2, utc.tm_sec);
	put(out + 20, 9, (int)nanoseconds);
}

#include "base/clock.h"

#include <string.h>

static void put(char *out, unsigned digits, int value)
{
	while (digits-- > 0) {
		out[digits] = (char)('0' + value % 10);
		value /= 10;
	}
}

enum {
	DAY_S = 24 * 60 * 60,
	DATE_BYTES = 11, /* with the T */
};

static void put_date(int64_t day, char out[DATE_BYTES])
{
	struct tm utc;
	time_t seconds = (time_t)(day * DAY_S);
	(void)gmtime_r(&seconds, &utc); /* of 64 bits in nanoseconds: the years 1677 to 2262 */
	put(out, 4, utc.tm_year + 1900);
	put(out + 5, 2, utc.tm_mon + 1);
	put(out + 8, 2, utc.tm_mday);
	out[4] = out[7] = '-';
	out[10] = 'T';
}

void mw_clock_rfc3339(int64_t real_ns, char out[MW_RFC3339_BYTES])
{
	/* Done several times for each event, nearly always of the same day; so without the machinery of printf(3) and gmtime(3). */
	static _Thread_local struct {
		int64_t day;
		char date[DATE_BYTES];
	} last;
	int64_t nanoseconds = real_ns % MW_NS_PER_S;
	int64_t seconds = real_ns / MW_NS_PER_S;
	if (nanoseconds < 0) {
		nanoseconds += MW_NS_PER_S;
		seconds--;
	}
	int64_t day = seconds / DAY_S - (seconds % DAY_S < 0);
	if (!*last.date || last.day != day) {
		put_date(day, last.date);
		last.day = day;
	}
	int second = (int)(seconds - day * DAY_S);
	memcpy(out, last.date, DATE_BYTES);
	memcpy(out + DATE_BYTES, "00:00:00.000000000Z", MW_RFC3339_BYTES - DATE_BYTES);
	put(out + 11, 2, second / 3600);
	put(out + 14, 2, second / 60 % 60);
	put(out + 17, 2, second % 60);
	put(out + 20, 9, (int)nanoseconds);
}

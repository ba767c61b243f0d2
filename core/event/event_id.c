#include <string.h>

#include "event/event.h"

/* As "%016x-%012u"; done for each event, so without the machinery of printf(3). */
void mw_event_set_id(struct mw_event *event, int64_t start_ns, uint64_t number)
{
	static const char digits[] = "0123456789abcdef";
	char text[24];
	char *out = event->id;
	for (int shift = 60; shift >= 0; shift -= 4)
		*out++ = digits[(uint64_t)start_ns >> shift & 15];
	*out++ = '-';
	unsigned n = 0;
	for (; number || n < 12; number /= 10)
		text[sizeof(text) - ++n] = digits[number % 10];
	memcpy(out, text + sizeof(text) - n, n);
	out[n] = '\0';
}

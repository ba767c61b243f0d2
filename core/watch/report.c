#include "watch/state.h"

#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

void mw_said(struct mw_watch *watch, enum mw_said what, bool is_urgent, const char *format, ...)
{
	uint64_t bit = (uint64_t)1 << what;
	if (watch->said & bit || !watch->options.report)
		return;
	watch->said |= bit;
	char line[MW_LOG_BYTES];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	watch->options.report(watch->options.data, line, is_urgent);
}

bool mw_said_over(struct mw_watch *watch, enum mw_said what)
{
	uint64_t bit = (uint64_t)1 << what;
	bool was_said = watch->said & bit;
	watch->said &= ~bit;
	return was_said;
}

#include "cli/command.h"

#include <stdarg.h>

#include "base/log.h"

void mw_complain(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	mw_log_v(format, arguments);
	va_end(arguments);
}

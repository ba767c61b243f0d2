#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int mw_err_set(struct mw_err *err, int code, const char *format, ...)
{
	if (!err)
		return code;
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(err->text, sizeof(err->text), format, arguments);
	va_end(arguments);
	return code;
}

void mw_err_prefix(struct mw_err *err, const char *format, ...)
{
	if (!err)
		return;
	char text[MW_ERR_BYTES];
	va_list arguments;
	va_start(arguments, format);
	int n = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (n < 0 || (size_t)n >= sizeof(text) - 3)
		return;
	size_t start = (size_t)n;
	text[start++] = ':';
	text[start++] = ' ';
	size_t kept = strnlen(err->text, sizeof(text) - 1 - start);
	memcpy(text + start, err->text, kept);
	text[start + kept] = '\0';
	memcpy(err->text, text, start + kept + 1);
}

const char *mw_err_name(int code)
{
	const char *name = mw_errno_name(code < 0 ? -code : code);
	return name ? name : "EUNKNOWN";
}

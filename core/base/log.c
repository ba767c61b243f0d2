#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void mw_log_v(const char *format, va_list arguments)
{
	static const char prefix[] = "moonwatch: ";
	int error = errno;
	char line[MW_LOG_BYTES];
	size_t start = sizeof(prefix) - 1;
	memcpy(line, prefix, sizeof(prefix));
	int n = vsnprintf(line + start, sizeof(line) - start - 1, format, arguments); /* 1 for the newline */
	if (n < 0)
		return;
	size_t size = strlen(line);
	for (size_t i = start; i < size; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7F)
			line[i] = '?';
	line[size++] = '\n';
	/* Nobody is left to tell when this fails. */
	ssize_t written;
	do
		written = write(STDERR_FILENO, line, size);
	while (written < 0 && errno == EINTR);
	errno = error;
}

void mw_log(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	mw_log_v(format, arguments);
	va_end(arguments);
}

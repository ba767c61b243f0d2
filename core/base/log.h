/* Our own messages: one line each on standard error, "moonwatch: text".  Only the command line and the sensor's main
 * loop use this; everything else returns a struct mw_err. */
#pragma once

#include <stdarg.h>

enum {
	/* With prefix and newline; longer text is cut.  Below PIPE_BUF, so that lines of several processes never mix
	 * in a pipe. */
	MW_LOG_BYTES = 1024
};

/* One write(2) of one line.  Control characters in the text become '?': what a message quotes may come from anybody,
 * and must neither begin a new line nor drive a terminal.  Keeps errno. */
__attribute__((format(printf, 1, 2))) void mw_log(const char *format, ...);
__attribute__((format(printf, 1, 0))) void mw_log_v(const char *format, va_list arguments);

/* Text of an error, for people.  Functions return 0 or a negative errno; where a number is not enough they take a
 * trailing `struct mw_err *err`, which may be NULL, and write it where the cause is known: what happened, where,
 * and what to do. */
#pragma once

#include <stddef.h>

enum {
	MW_ERR_BYTES = 512
};

struct mw_err {
	char text[MW_ERR_BYTES];
};

/* Write the text, cut to fit, and return `code` (a negative errno), so that a failing function ends in
 * `return mw_err_set(err, -EINVAL, "…", …);`. */
__attribute__((format(printf, 3, 4))) int mw_err_set(struct mw_err *err, int code, const char *format, ...);

/* Put "text: " in front of what is there. */
__attribute__((format(printf, 2, 3))) void mw_err_prefix(struct mw_err *err, const char *format, ...);

/* Name of an errno ("ENOENT"), positive or negative. */
const char *mw_err_name(int code);

/* The same of a positive one; NULL when there is none of that number. */
const char *mw_errno_name(int code);

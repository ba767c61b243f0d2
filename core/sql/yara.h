/* What rules of YARA (https://yara.readthedocs.io) find in bytes and in the memory of processes.
 *
 * libyara is loaded when the first rules are compiled, if this program was built with its header.  Rules come from configurations and
 * queries, and what they look through from anybody: texts, includes, matches and time are bounded. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"

struct mw_err;

/* Rules, compiled and counted. */
struct mw_yara;

struct mw_yara_text {
	const char *text;
	size_t bytes;
	/* What `include "name"` stands for, allocated; NULL: there is no such file.  Without this there are no includes.
	 * Called from another thread, while the caller waits. */
	char *(*include)(void *data, const char *name);
	void *data;
};

/* -ENOSYS: there is no libyara; -EINVAL: err says what is wrong, and in which line. */
int mw_yara_compile(const struct mw_yara_text *text, struct mw_yara **ret_rules, struct mw_err *err);
struct mw_yara *mw_yara_ref(struct mw_yara *rules);
void mw_yara_unref(struct mw_yara *rules);

/* Of all scans since it was made: names with commas between. */
struct mw_yara_found {
	unsigned count;
	struct mw_buf rules, tags;
	struct mw_buf strings; /* "$name:OFFSET", in hexadecimal digits */
};

void mw_yara_found_init(struct mw_yara_found *found);
void mw_yara_found_release(struct mw_yara_found *found);

/* 0; -ETIME after that many seconds; -EACCES: we may not look into that process; -ENOMEM, -EIO. */
int mw_yara_scan(struct mw_yara *rules, const void *bytes, size_t n, int seconds, struct mw_yara_found *found);
int mw_yara_scan_process(struct mw_yara *rules, pid_t pid, int seconds, struct mw_yara_found *found);

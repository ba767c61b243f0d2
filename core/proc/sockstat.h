/* Has anything about the sockets of this network namespace changed?  /proc/net/sockstat and sockstat6 count them, and are read
 * for a hundredth of what a snapshot takes; a socket that has taken the place of another leaves no trace there. */
#pragma once

#include <stdbool.h>

enum {
	MW_SOCKSTAT_BYTES = 512
};

/* What the files said last; zeroed: nothing yet. */
struct mw_sockstat {
	char text[2][MW_SOCKSTAT_BYTES];
};

/* Compare with the last call, and remember.  `net_fd` is an open /proc/net.  True also when they cannot be read. */
bool mw_sockstat_has_changed(int net_fd, struct mw_sockstat *last);

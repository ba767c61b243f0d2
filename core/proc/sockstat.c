#include "proc/sockstat.h"

#include <string.h>

#include "proc/procfs.h"

bool mw_sockstat_has_changed(int net_fd, struct mw_sockstat *last)
{
	static const char *const names[] = {"sockstat", "sockstat6"};
	bool has_changed = false;
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char text[MW_SOCKSTAT_BYTES];
		ssize_t n = mw_procfs_read_small(net_fd, names[i], text, sizeof(text) - 1);
		text[n > 0 ? n : 0] = '\0';
		/* The second is not there without IPv6; then the first must do. */
		has_changed |= strcmp(text, last->text[i]) != 0 || (i == 0 && n <= 0);
		memcpy(last->text[i], text, sizeof(text));
	}
	return has_changed;
}

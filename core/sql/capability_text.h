/* Capabilities of a file, as cap_to_text(3) has them: "cap_net_raw=ep". */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct mw_buf;

/* `value` is the attribute security.capability: struct vfs_cap_data of linux/capability.h.  False when it is none. */
bool mw_capability_text(const char *value, size_t bytes, struct mw_buf *text);

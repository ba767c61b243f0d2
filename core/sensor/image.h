/* What a new program is, from the record of its exec. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct mw_image;
struct mw_record_exec;
struct mw_users;

/* Does `bytes` hold all the strings the record says it has? */
int mw_image_record_is_whole(const struct mw_record_exec *record, size_t bytes);

/* NULL when memory is exhausted.  `container_start_ns` is what "dropped" is measured against, wall clock. */
struct mw_image *mw_image_from_record(const struct mw_record_exec *record, struct mw_users *users,
				      int64_t container_start_ns);

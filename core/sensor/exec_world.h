/* What the record of an exec does not say but the machine does, while the process is still there: the files of scripts and
 * programs that are run by another, other ends of sockets, hashes.  Best effort: what has gone stays unknown. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct mw_exec_world;
struct mw_image;

/* `hash_all`: hash every executable, not only when somebody asks.  -ENOMEM, or -errno when /proc cannot be opened. */
int mw_exec_world_new(int64_t container_start_ns, bool hash_all, struct mw_exec_world **ret_world);
void mw_exec_world_free(struct mw_exec_world *world);

/* Find out about an image that was just made from its record. */
void mw_exec_world_look(struct mw_exec_world *world, struct mw_image *image);

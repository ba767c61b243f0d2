/* Hashes of executables, computed when somebody asks: mw_image.hash.  A file is read once; what its device, inode, size and
 * time of change say is the same file is not read again. */
#pragma once

struct mw_hasher;
struct mw_image;

/* `proc_fd` is an open /proc, borrowed.  -ENOMEM. */
int mw_hasher_new(int proc_fd, struct mw_hasher **ret_hasher);
void mw_hasher_free(struct mw_hasher *hasher);

/* Set image->sha256; it stays empty when the file is gone or changed, or larger than 512 MiB.  `data` is a struct
 * mw_hasher. */
void mw_hasher_hash(void *data, struct mw_image *image);

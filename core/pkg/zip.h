/* Zip archives: their list of members, and single members inflated.  APPNOTE.TXT of PKWARE, with Zip64; no encryption, no
 * parts, methods stored and deflated.
 *
 * Bounded whatever the archive says: members and their names here, bytes inflated by the caller. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pkg/bytes.h"
#include "pkg/inflate.h"

struct mw_buf;

enum {
	MW_ZIP_NAME_BYTES = 1024, /* with its NUL; a member of a longer name is passed over */
};

struct mw_zip {
	struct mw_bytes bytes;
	uint64_t shift; /* what stands before the archive, and its offsets know nothing of: a script that starts it */
	uint64_t directory, directory_size;
	uint64_t members; /* as it says itself */
	/* While going through the list. */
	uint64_t at, seen;
	char name[MW_ZIP_NAME_BYTES];
	uint64_t window_at;
	size_t window_bytes;
	char window[4096];
};

struct mw_zip_member {
	const char *name; /* borrowed until the next */
	uint64_t packed, unpacked;
	uint64_t header; /* offset of its local header */
	uint32_t crc;
	uint16_t method;
	bool is_encrypted;
};

/* `bytes` is copied; what it borrows must live as long.  -EPROTO when it is no zip archive, -EBADMSG when it is a broken one. */
int mw_zip_open(const struct mw_bytes *bytes, struct mw_zip *ret_zip);

/* 1 with a member, 0 at the end; -EBADMSG when the list is broken, -E2BIG when it has more members than are looked at. */
int mw_zip_next(struct mw_zip *zip, struct mw_zip_member *ret_member);

/* Append the whole of a member.  -EFBIG: longer than `out` may become, and what fits is there; -ENOSPC: past the budget;
 * -EBADMSG: its bytes are broken; -EOPNOTSUPP: encrypted, or packed in another way. */
int mw_zip_read(const struct mw_zip *zip, const struct mw_zip_member *member, struct mw_inflate_budget *budget,
		struct mw_buf *out);

/* Where the bytes of a member that is stored as it is are.  -EOPNOTSUPP for others. */
int mw_zip_stored(const struct mw_zip *zip, const struct mw_zip_member *member, struct mw_bytes *ret_bytes);

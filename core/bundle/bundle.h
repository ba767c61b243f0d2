/* Rules in one signed file.
 *
 *   "MWBUNDLE", 1, number of signatures, two zero bytes, length of the archive (4 bytes, little endian)
 *   for each signature: id of its key (8 bytes), signature (64)
 *   the archive: tar (POSIX ustar), packed by gzip
 *
 * What is signed is a line that holds the SHA-256 of the archive, so that nothing of it need be looked at before.  Its first
 * file is "manifest", lines of text:
 *
 *   moonwatch-bundle 1
 *   name NAME
 *   version VERSION
 *   api N                      of the rules: moonwatch.rule
 *   rollback-from VERSION      may replace a newer one, up to this
 *   file SHA256 BYTES PATH     for each of the files that follow, in their order
 *
 * Nobody is trusted with any of it: all is bounded, and what is not exactly so is refused. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "bundle/ed25519.h"

struct mw_err;

enum {
	/* The whole file, and what of it unpacked. */
	MW_BUNDLE_BYTES = 4 << 20,
	MW_BUNDLE_UNPACKED_BYTES = 16 << 20,
	MW_BUNDLE_MANIFEST_BYTES = 256 << 10,
	MW_BUNDLE_FILES = 1000,
	MW_BUNDLE_SIGNATURES = 8,
	/* That a sensor may hold: the present one, and those that come and go. */
	MW_BUNDLE_KEYS = 16,
	MW_BUNDLE_KEY_ID_BYTES = 8,
	/* Of a name, and of a version; with its NUL. */
	MW_BUNDLE_WORD_BYTES = 65,
	/* A path, with its NUL: what the name of a file in an archive holds. */
	MW_BUNDLE_PATH_BYTES = 101,
	/* A key as text: "ed25519:" or "ed25519-private:", and its bytes in base64; with its NUL. */
	MW_BUNDLE_KEY_TEXT_BYTES = 64,
	/* Of the rules this moonwatch can load: M.api of lua/moonwatch/rule.lua. */
	MW_BUNDLE_API = 1,
};

struct mw_bundle_key {
	unsigned char id[MW_BUNDLE_KEY_ID_BYTES];
	unsigned char bytes[MW_ED25519_KEY_BYTES];
};

struct mw_bundle_keys {
	struct mw_bundle_key list[MW_BUNDLE_KEYS];
	size_t count;
};

/* One key, "ed25519:BASE64": -EINVAL. */
int mw_bundle_key_parse(const char *text, size_t n, struct mw_bundle_key *ret_key, struct mw_err *err);
/* A list of them, with commas between; empty for none. */
int mw_bundle_keys_parse(const char *text, struct mw_bundle_keys *ret_keys, struct mw_err *err);
/* "ed25519-private:BASE64": -EINVAL. */
int mw_bundle_seed_parse(const char *text, size_t n, unsigned char ret_seed[MW_ED25519_KEY_BYTES], struct mw_err *err);
void mw_bundle_key_id(struct mw_bundle_key *key);
void mw_bundle_key_text(const char *prefix, const unsigned char bytes[MW_ED25519_KEY_BYTES],
			char out[MW_BUNDLE_KEY_TEXT_BYTES]);
/* 16 hex digits, and a NUL. */
void mw_bundle_id_text(const unsigned char id[MW_BUNDLE_KEY_ID_BYTES], char out[2 * MW_BUNDLE_KEY_ID_BYTES + 1]);

/* A file as it came, not trusted yet.  Points into its bytes. */
struct mw_bundle_envelope {
	const unsigned char *signatures; /* id and signature, one after the other */
	size_t signature_count;
	const unsigned char *archive;
	size_t archive_bytes;
};

/* -EPROTO: it is none; -EFBIG. */
int mw_bundle_open(const void *bytes, size_t n, struct mw_bundle_envelope *ret, struct mw_err *err);
/* Id of the key of the n-th signature, as it says. */
const unsigned char *mw_bundle_signer(const struct mw_bundle_envelope *envelope, size_t n);
/* SHA-256 of the archive, hex. */
int mw_bundle_digest(const struct mw_bundle_envelope *envelope, char out[65]);
/* Has one of the keys signed it?  *ret_key (may be NULL) is the one.  -EBADMSG: no; -ENOSYS: cannot be told here. */
int mw_bundle_verify(const struct mw_bundle_envelope *envelope, const struct mw_bundle_keys *keys,
		     const struct mw_bundle_key **ret_key, struct mw_err *err);
/* Put the same with one signature more (in the place of an older one of that key) into `out`. */
int mw_bundle_sign(const struct mw_bundle_envelope *envelope, const unsigned char seed[MW_ED25519_KEY_BYTES],
		   struct mw_buf *out, struct mw_err *err);

struct mw_bundle_file {
	const char *path; /* relative: names of letters, digits, '_', '-' and '.', none beginning with a dot */
	const char *text;
	size_t bytes;
};

/* What an archive holds. */
struct mw_bundle {
	char name[MW_BUNDLE_WORD_BYTES], version[MW_BUNDLE_WORD_BYTES];
	char rollback_from[MW_BUNDLE_WORD_BYTES]; /* "" */
	unsigned api;
	char digest[65]; /* SHA-256 of the archive, hex */
	struct mw_bundle_file *files;
	size_t file_count;
	struct mw_buf unpacked;
};

/* Read what was verified.  -EPROTO: broken, or not as it must be; -EFBIG; -ENOTSUP: for a newer moonwatch; -ENOMEM. */
int mw_bundle_read(const struct mw_bundle_envelope *envelope, struct mw_bundle *ret, struct mw_err *err);
void mw_bundle_release(struct mw_bundle *bundle);

/* Make one of these files, unsigned, into `out`: name, version, api, rollback_from and the files are taken from `bundle`.
 * -EINVAL: a name or a path is not as it must be; -EFBIG. */
int mw_bundle_write(const struct mw_bundle *bundle, struct mw_buf *out, struct mw_err *err);

/* May `next` take the place of what runs, version `running` ("" for nothing) with `digest`?  0; -EALREADY: it is what runs;
 * -EPERM: it is older, or another of the same version. */
int mw_bundle_may_replace(const struct mw_bundle *next, const char *running, const char *digest, struct mw_err *err);

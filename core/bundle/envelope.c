/* What is around an archive: who signed it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "bundle/private.h"

enum {
	HEAD_BYTES = 16,
	ENTRY_BYTES = MW_BUNDLE_KEY_ID_BYTES + MW_ED25519_SIGNATURE_BYTES,
	FORMAT = 1,
	MESSAGE_BYTES = 128,
};

static const char magic[] = "MWBUNDLE";

int mw_bundle_open(const void *bytes, size_t n, struct mw_bundle_envelope *ret, struct mw_err *err)
{
	const unsigned char *head = bytes;
	if (n > MW_BUNDLE_BYTES)
		return mw_err_set(err, -EFBIG, "a bundle has at most %d bytes, this has %zu", MW_BUNDLE_BYTES, n);
	if (n < HEAD_BYTES || memcmp(head, magic, 8) != 0)
		return mw_err_set(err, -EPROTO, "not a bundle");
	if (head[8] != FORMAT)
		return mw_err_set(err, -ENOTSUP, "a bundle of format %u; this moonwatch knows format %d", head[8],
				  FORMAT);
	size_t count = head[9];
	size_t archive = head[12] | (size_t)head[13] << 8 | (size_t)head[14] << 16 | (size_t)head[15] << 24;
	if (count > MW_BUNDLE_SIGNATURES || head[10] || head[11] || n - HEAD_BYTES < count * ENTRY_BYTES ||
	    n - HEAD_BYTES - count * ENTRY_BYTES != archive)
		return mw_err_set(err, -EPROTO, "a broken bundle: its parts are not as long as it says");
	*ret = (struct mw_bundle_envelope){
		.signatures = head + HEAD_BYTES,
		.signature_count = count,
		.archive = head + HEAD_BYTES + count * ENTRY_BYTES,
		.archive_bytes = archive,
	};
	return 0;
}

const unsigned char *mw_bundle_signer(const struct mw_bundle_envelope *envelope, size_t n)
{
	return envelope->signatures + n * ENTRY_BYTES;
}

int mw_bundle_digest(const struct mw_bundle_envelope *envelope, char out[65])
{
	return mw_bundle_sha256(envelope->archive, envelope->archive_bytes, out);
}

/* What is signed. */
static int message_of(const struct mw_bundle_envelope *envelope, char out[MESSAGE_BYTES], struct mw_err *err)
{
	char digest[65];
	int r = mw_bundle_sha256(envelope->archive, envelope->archive_bytes, digest);
	if (r < 0)
		return mw_err_set(err, r, "libcrypto failed");
	(void)snprintf(out, MESSAGE_BYTES, "moonwatch bundle %d sha256 %s\n", FORMAT, digest);
	return 0;
}

int mw_bundle_verify(const struct mw_bundle_envelope *envelope, const struct mw_bundle_keys *keys,
		     const struct mw_bundle_key **ret_key, struct mw_err *err)
{
	char message[MESSAGE_BYTES];
	if (!keys->count)
		return mw_err_set(err, -EBADMSG, "there is no key to check signatures with: bundle_keys");
	if (!envelope->signature_count)
		return mw_err_set(err, -EBADMSG, "the bundle is not signed");
	int r = message_of(envelope, message, err);
	if (r < 0)
		return r;
	bool is_known = false;
	for (size_t i = 0; i < envelope->signature_count; i++) {
		const unsigned char *entry = envelope->signatures + i * ENTRY_BYTES;
		for (size_t k = 0; k < keys->count; k++) {
			if (memcmp(entry, keys->list[k].id, MW_BUNDLE_KEY_ID_BYTES) != 0)
				continue;
			is_known = true;
			r = mw_ed25519_verify(keys->list[k].bytes, message, strlen(message),
					      entry + MW_BUNDLE_KEY_ID_BYTES, err);
			if (r == -ENOSYS || r == -ENOMEM)
				return r;
			if (r == 0) {
				if (ret_key)
					*ret_key = &keys->list[k];
				return 0;
			}
		}
	}
	return mw_err_set(err, -EBADMSG, "%s",
			  is_known ? "the signature does not fit: the bundle was changed, or is not by who it says"
				   : "the bundle is signed by none of the keys in bundle_keys");
}

static void put_head(struct mw_buf *out, size_t signatures, size_t archive_bytes)
{
	unsigned char head[HEAD_BYTES] = {0};
	memcpy(head, magic, 8);
	head[8] = FORMAT;
	head[9] = (unsigned char)signatures;
	for (unsigned i = 0; i < 4; i++)
		head[12 + i] = (unsigned char)(archive_bytes >> 8 * i);
	mw_buf_add(out, head, sizeof(head));
}

int mw_bundle_sign(const struct mw_bundle_envelope *envelope, const unsigned char seed[MW_ED25519_KEY_BYTES],
		   struct mw_buf *out, struct mw_err *err)
{
	struct mw_bundle_key key;
	unsigned char signature[MW_ED25519_SIGNATURE_BYTES];
	char message[MESSAGE_BYTES];
	int r = message_of(envelope, message, err);
	if (r == 0)
		r = mw_ed25519_public(seed, key.bytes, err);
	if (r == 0)
		r = mw_ed25519_sign(seed, message, strlen(message), signature, err);
	if (r < 0)
		return r;
	mw_bundle_key_id(&key);

	size_t kept = 0;
	for (size_t i = 0; i < envelope->signature_count; i++)
		kept += memcmp(envelope->signatures + i * ENTRY_BYTES, key.id, sizeof(key.id)) != 0;
	if (kept == MW_BUNDLE_SIGNATURES)
		return mw_err_set(err, -E2BIG, "a bundle has at most %d signatures", MW_BUNDLE_SIGNATURES);
	put_head(out, kept + 1, envelope->archive_bytes);
	for (size_t i = 0; i < envelope->signature_count; i++) {
		const unsigned char *entry = envelope->signatures + i * ENTRY_BYTES;
		if (memcmp(entry, key.id, sizeof(key.id)) != 0)
			mw_buf_add(out, entry, ENTRY_BYTES);
	}
	mw_buf_add(out, key.id, sizeof(key.id));
	mw_buf_add(out, signature, sizeof(signature));
	mw_buf_add(out, envelope->archive, envelope->archive_bytes);
	return mw_buf_status(out) < 0 ? mw_err_set(err, -EFBIG, "a bundle has at most %d bytes", MW_BUNDLE_BYTES) : 0;
}

int mw_bundle_write(const struct mw_bundle *bundle, struct mw_buf *out, struct mw_err *err)
{
	MW_AUTO(mw_buf) tar = MW_BUF(MW_BUNDLE_UNPACKED_BYTES);
	MW_AUTO(mw_buf) packed = MW_BUF(MW_BUNDLE_BYTES);
	int r = mw_bundle_put_files(bundle, &tar, err);
	if (r == 0)
		r = mw_bundle_pack(tar.data, tar.size, &packed, err);
	if (r < 0)
		return r;
	put_head(out, 0, packed.size);
	mw_buf_add(out, packed.data, packed.size);
	return mw_buf_status(out) < 0 ? mw_err_set(err, -EFBIG, "a bundle has at most %d bytes", MW_BUNDLE_BYTES) : 0;
}

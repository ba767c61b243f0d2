/* Keys as texts. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "bundle/private.h"
#include "crypto/hash.h"

enum {
	ID_TEXT_BYTES = 2 * MW_BUNDLE_KEY_ID_BYTES + 1,
};

static const char public_prefix[] = "ed25519:";
static const char private_prefix[] = "ed25519-private:";

static void hex(const unsigned char *bytes, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * n] = '\0';
}

int mw_bundle_sha256(const void *bytes, size_t n, char out[65])
{
	unsigned char sum[MW_HASH_BYTES];
	int size = mw_hash(MW_HASH_SHA256, bytes, n, sum);
	if (size < 0)
		return size;
	hex(sum, MW_HASH_BYTES, out);
	return 0;
}

void mw_bundle_id_text(const unsigned char id[MW_BUNDLE_KEY_ID_BYTES], char out[ID_TEXT_BYTES])
{
	hex(id, MW_BUNDLE_KEY_ID_BYTES, out);
}

void mw_bundle_key_id(struct mw_bundle_key *key)
{
	unsigned char sum[MW_HASH_BYTES] = {0};
	(void)mw_hash(MW_HASH_SHA256, key->bytes, sizeof(key->bytes), sum);
	memcpy(key->id, sum, sizeof(key->id));
}

void mw_bundle_key_text(const char *prefix, const unsigned char bytes[MW_ED25519_KEY_BYTES],
			char out[MW_BUNDLE_KEY_TEXT_BYTES])
{
	MW_AUTO(mw_buf) text = MW_BUF(MW_BUNDLE_KEY_TEXT_BYTES);
	mw_buf_str(&text, prefix);
	mw_buf_char(&text, ':');
	mw_base64_encode(bytes, MW_ED25519_KEY_BYTES, &text);
	(void)snprintf(out, MW_BUNDLE_KEY_TEXT_BYTES, "%s", mw_buf_status(&text) == 0 ? text.data : "");
	if (text.data)
		explicit_bzero(text.data, text.size);
}

static int parse(const char *prefix, const char *text, size_t n, unsigned char ret[MW_ED25519_KEY_BYTES])
{
	MW_AUTO(mw_buf) bytes = MW_BUF(MW_ED25519_KEY_BYTES);
	size_t skip = strlen(prefix);
	while (n && (text[n - 1] == '\n' || text[n - 1] == '\r' || text[n - 1] == ' '))
		n--;
	if (n < skip || memcmp(text, prefix, skip) != 0 || mw_base64_decode(text + skip, n - skip, &bytes) < 0 ||
	    mw_buf_status(&bytes) < 0 || bytes.size != MW_ED25519_KEY_BYTES)
		return -EINVAL;
	memcpy(ret, bytes.data, MW_ED25519_KEY_BYTES);
	explicit_bzero(bytes.data, bytes.size);
	return 0;
}

int mw_bundle_key_parse(const char *text, size_t n, struct mw_bundle_key *ret_key, struct mw_err *err)
{
	struct mw_bundle_key key;
	if (parse(public_prefix, text, n, key.bytes) < 0)
		return mw_err_set(err, -EINVAL, "not a public key: %s and 32 bytes in base64 are one", public_prefix);
	mw_bundle_key_id(&key);
	*ret_key = key;
	return 0;
}

int mw_bundle_seed_parse(const char *text, size_t n, unsigned char ret_seed[MW_ED25519_KEY_BYTES], struct mw_err *err)
{
	if (parse(private_prefix, text, n, ret_seed) < 0)
		return mw_err_set(err, -EINVAL, "not a private key: %s and 32 bytes in base64 are one", private_prefix);
	return 0;
}

int mw_bundle_keys_parse(const char *text, struct mw_bundle_keys *ret_keys, struct mw_err *err)
{
	struct mw_bundle_keys keys = {.count = 0};
	while (*text) {
		size_t n = strcspn(text, ",");
		size_t skip = strspn(text, " \n");
		if (skip < n) {
			if (keys.count == MW_BUNDLE_KEYS)
				return mw_err_set(err, -E2BIG, "more than %d keys", MW_BUNDLE_KEYS);
			int r = mw_bundle_key_parse(text + skip, n - skip, &keys.list[keys.count], err);
			if (r < 0)
				return r;
			keys.count++;
		}
		text += n;
		text += *text == ',';
	}
	*ret_keys = keys;
	return 0;
}

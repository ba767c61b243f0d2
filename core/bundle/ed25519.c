#include "bundle/ed25519.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/err.h"
#include "net/curl.h"

enum {
	/* NID_ED25519 of openssl/obj_mac.h: EVP_PKEY_ED25519. */
	ED25519 = 1087,
};

/* Of openssl/evp.h, since 1.1.1: opaque, and the same since. */
struct evp_pkey;
struct evp_md_ctx;

static struct {
	struct evp_pkey *(*new_public)(int type, void *engine, const unsigned char *key, size_t n);
	struct evp_pkey *(*new_private)(int type, void *engine, const unsigned char *key, size_t n);
	int (*get_public)(const struct evp_pkey *key, unsigned char *ret, size_t *n);
	void (*free_key)(struct evp_pkey *key);
	struct evp_md_ctx *(*new_context)(void);
	void (*free_context)(struct evp_md_ctx *context);
	int (*verify_init)(struct evp_md_ctx *context, void *ret, const void *digest, void *engine,
			   struct evp_pkey *key);
	int (*verify)(struct evp_md_ctx *context, const unsigned char *signature, size_t bytes, const void *message,
		      size_t n);
	int (*sign_init)(struct evp_md_ctx *context, void *ret, const void *digest, void *engine, struct evp_pkey *key);
	int (*sign)(struct evp_md_ctx *context, unsigned char *ret_signature, size_t *bytes, const void *message,
		    size_t n);
} evp;

#if defined(MOONWATCH_CURL_NONE)

static int load(struct mw_err *err)
{
	return mw_err_set(err, -ENOSYS, "this moonwatch cannot check signatures: it was linked statically");
}

#else

/* What is taken of it, and where it goes. */
#define EVP_FUNCTIONS(X) \
	X(EVP_PKEY_new_raw_public_key, new_public) \
	X(EVP_PKEY_new_raw_private_key, new_private) \
	X(EVP_PKEY_get_raw_public_key, get_public) \
	X(EVP_PKEY_free, free_key) \
	X(EVP_MD_CTX_new, new_context) \
	X(EVP_MD_CTX_free, free_context) \
	X(EVP_DigestVerifyInit, verify_init) \
	X(EVP_DigestVerify, verify) \
	X(EVP_DigestSignInit, sign_init) \
	X(EVP_DigestSign, sign)

#if defined(MOONWATCH_ALL_LINKED)

// NOLINTNEXTLINE(bugprone-macro-parentheses): a declaration
#define DECLARE(name, member) extern __typeof__(*evp.member) name;
EVP_FUNCTIONS(DECLARE)

static int find(struct mw_err *err)
{
	(void)err;
#define TAKE(name, member) evp.member = name;
	EVP_FUNCTIONS(TAKE)
	return 0;
}

#else

static int find(struct mw_err *err)
{
	static const char *const names[] = {"libcrypto.so.3", "libcrypto.so.1.1"};
	void *library = NULL;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names) && !library; i++)
		library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return mw_err_set(err, -ENOSYS, "signatures cannot be checked: libcrypto.so.3 of OpenSSL is not there");

	static const struct {
		const char *name;
		void **to;
	} symbols[] = {
#define SYMBOL(name, member) {#name, (void **)&evp.member},
		EVP_FUNCTIONS(SYMBOL)};
	for (size_t i = 0; i < sizeof(symbols) / sizeof(*symbols); i++)
		if (!(*symbols[i].to = dlsym(library, symbols[i].name)))
			return mw_err_set(err, -ENOSYS, "signatures cannot be checked: libcrypto has no %s",
					  symbols[i].name);
	return 0;
}

#endif

static int load(struct mw_err *err)
{
	/* It sees to it that libcrypto reads nothing of the application's environment, and wipes what it frees: both must be
	 * said before anything of it is used.  Without it there is no network, but signatures. */
	const struct mw_curl *curl;
	(void)mw_curl_load(&curl, NULL);
	return find(err);
}

#endif

static int ready(struct mw_err *err)
{
	static bool is_loaded;
	if (is_loaded)
		return 0;
	int r = load(err);
	is_loaded = r == 0;
	return r;
}

int mw_ed25519_verify(const unsigned char key[MW_ED25519_KEY_BYTES], const void *message, size_t n,
		      const unsigned char signature[MW_ED25519_SIGNATURE_BYTES], struct mw_err *err)
{
	int r = ready(err);
	if (r < 0)
		return r;
	struct evp_pkey *public = evp.new_public(ED25519, NULL, key, MW_ED25519_KEY_BYTES);
	struct evp_md_ctx *context = evp.new_context();
	if (!public || !context)
		r = mw_err_set(err, -ENOMEM, "a public key cannot be used");
	else if (evp.verify_init(context, NULL, NULL, NULL, public) != 1 ||
		 evp.verify(context, signature, MW_ED25519_SIGNATURE_BYTES, message, n) != 1)
		r = mw_err_set(err, -EBADMSG, "the signature does not fit");
	evp.free_context(context);
	evp.free_key(public);
	return r;
}

int mw_ed25519_sign(const unsigned char seed[MW_ED25519_KEY_BYTES], const void *message, size_t n,
		    unsigned char ret_signature[MW_ED25519_SIGNATURE_BYTES], struct mw_err *err)
{
	int r = ready(err);
	if (r < 0)
		return r;
	size_t bytes = MW_ED25519_SIGNATURE_BYTES;
	struct evp_pkey *private = evp.new_private(ED25519, NULL, seed, MW_ED25519_KEY_BYTES);
	struct evp_md_ctx *context = evp.new_context();
	if (!private || !context || evp.sign_init(context, NULL, NULL, NULL, private) != 1 ||
	    evp.sign(context, ret_signature, &bytes, message, n) != 1 || bytes != MW_ED25519_SIGNATURE_BYTES)
		r = mw_err_set(err, -EIO, "libcrypto could not sign");
	evp.free_context(context);
	evp.free_key(private);
	return r;
}

int mw_ed25519_public(const unsigned char seed[MW_ED25519_KEY_BYTES], unsigned char ret_key[MW_ED25519_KEY_BYTES],
		      struct mw_err *err)
{
	int r = ready(err);
	if (r < 0)
		return r;
	size_t bytes = MW_ED25519_KEY_BYTES;
	struct evp_pkey *private = evp.new_private(ED25519, NULL, seed, MW_ED25519_KEY_BYTES);
	if (!private || evp.get_public(private, ret_key, &bytes) != 1 || bytes != MW_ED25519_KEY_BYTES)
		r = mw_err_set(err, -EIO, "libcrypto could not make a public key");
	evp.free_key(private);
	return r;
}

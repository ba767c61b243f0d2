/* Signatures of RFC 8032, by OpenSSL's libcrypto, which is loaded when this is first used: few processes ever do, and what of it
 * would be linked costs each of them some milliseconds and megabytes.
 *
 * -ENOSYS, with the reason in err, where it is not to be had. */
#pragma once

#include <stddef.h>

struct mw_err;

enum {
	MW_ED25519_KEY_BYTES = 32, /* public, and the seed of a private one */
	MW_ED25519_SIGNATURE_BYTES = 64,
};

/* 0; -EBADMSG: not signed so; -ENOSYS, -ENOMEM. */
int mw_ed25519_verify(const unsigned char key[MW_ED25519_KEY_BYTES], const void *message, size_t n,
		      const unsigned char signature[MW_ED25519_SIGNATURE_BYTES], struct mw_err *err);

int mw_ed25519_sign(const unsigned char seed[MW_ED25519_KEY_BYTES], const void *message, size_t n,
		    unsigned char ret_signature[MW_ED25519_SIGNATURE_BYTES], struct mw_err *err);

/* The public key of a seed. */
int mw_ed25519_public(const unsigned char seed[MW_ED25519_KEY_BYTES], unsigned char ret_key[MW_ED25519_KEY_BYTES],
		      struct mw_err *err);

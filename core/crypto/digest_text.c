#define OPENSSL_SUPPRESS_DEPRECATED /* as in sha256.c */

#include "crypto/digest_text.h"

#include <openssl/sha.h>

void mw_digest_text(const char *text, size_t n, char ret_hex[MW_DIGEST_TEXT_BYTES])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char digest[SHA256_DIGEST_LENGTH] = {0};
	SHA256_CTX context;
	(void)SHA256_Init(&context);
	(void)SHA256_Update(&context, text, n);
	(void)SHA256_Final(digest, &context);
	for (unsigned i = 0; i < sizeof(digest); i++) {
		ret_hex[2 * i] = digits[digest[i] >> 4];
		ret_hex[2 * i + 1] = digits[digest[i] & 15];
	}
	ret_hex[2 * sizeof(digest)] = '\0';
}

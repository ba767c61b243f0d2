/* The functions of one algorithm, not those that choose one (EVP): these read no configuration, which would be that of the
 * application (OPENSSL_CONF), and bring in a few objects of the library, not all of it. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/hash.h"

#include <errno.h>
#include <openssl/md5.h>
#include <openssl/sha.h>
#include <stdbool.h>

union context {
	MD5_CTX md5;
	SHA_CTX sha1;
	SHA256_CTX sha256;
};

int mw_hash(enum mw_hash_kind kind, const void *bytes, size_t size, unsigned char ret[MW_HASH_BYTES])
{
	union context context;
	switch (kind) {
	case MW_HASH_MD5:
		return MD5_Init(&context.md5) == 1 && MD5_Update(&context.md5, bytes, size) == 1 &&
				       MD5_Final(ret, &context.md5) == 1
			       ? MD5_DIGEST_LENGTH
			       : -EIO;
	case MW_HASH_SHA1:
		return SHA1_Init(&context.sha1) == 1 && SHA1_Update(&context.sha1, bytes, size) == 1 &&
				       SHA1_Final(ret, &context.sha1) == 1
			       ? SHA_DIGEST_LENGTH
			       : -EIO;
	case MW_HASH_SHA256:
		return SHA256_Init(&context.sha256) == 1 && SHA256_Update(&context.sha256, bytes, size) == 1 &&
				       SHA256_Final(ret, &context.sha256) == 1
			       ? SHA256_DIGEST_LENGTH
			       : -EIO;
	}
	return -EIO;
}

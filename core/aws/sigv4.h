/* AWS Signature Version 4: who sends a request proves that it has a key, without sending it.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct mw_secret;

enum {
	MW_SIGV4_HEADERS_MAX = 64,
	/* Of a canonical request: an address, headers with a session token, the hash of the body. */
	MW_SIGV4_BYTES = 64 << 10,
	/* "20150830T123600Z" and its NUL. */
	MW_SIGV4_DATE_BYTES = 17,
	/* "AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…". */
	MW_SIGV4_AUTHORIZATION_BYTES = 4096,
	MW_SIGV4_SIGNATURE_BYTES = 65,
};

struct mw_sigv4_header {
	const char *name;
	const char *value;
	size_t value_bytes;
};

/* All headers given are signed: host and x-amz-date must be among them, and x-amz-security-token where there is one. */
struct mw_sigv4 {
	const char *method;
	const char *path;  /* as it is sent; "" is "/" */
	const char *query; /* as it is sent, without '?'; "" for none */
	bool keeps_path;   /* as S3 wants it: neither dot segments removed nor what is encoded encoded again */
	const struct mw_sigv4_header *headers;
	size_t header_count;
	const void *body;
	size_t body_bytes;
	const char *date; /* MW_SIGV4_DATE_BYTES */
	const char *region;
	const char *service;
	const char *key_id;
	const void *key; /* the secret access key */
	size_t key_bytes;
};

/* Steps, each of which the official vectors name: -ENOBUFS when something is larger than the limits above, -EINVAL for a date of
 * another form. */
int mw_sigv4_canonical(const struct mw_sigv4 *request, struct mw_secret **ret_canonical);
int mw_sigv4_to_sign(const struct mw_sigv4 *request, struct mw_secret **ret_text);
int mw_sigv4_signature(const struct mw_sigv4 *request, char ret_signature[MW_SIGV4_SIGNATURE_BYTES]);
int mw_sigv4_authorization(const struct mw_sigv4 *request, char ret_value[MW_SIGV4_AUTHORIZATION_BYTES]);

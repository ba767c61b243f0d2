/* What a certificate says, RFC 5280.  It is not judged: neither signatures nor chains are looked at.
 *
 * Read by ourselves: libcrypto's reader is 3 MB that every process of the sensor would carry, and its relocations half a
 * millisecond of each start.  Texts are written as OpenSSL writes them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/der.h"

struct mw_buf;

/* Points into the bytes it was read from. */
struct mw_x509 {
	struct mw_der whole, serial, issuer, subject;
	int version;                   /* 1 to 3 */
	int64_t not_before, not_after; /* seconds since 1970 */
	struct mw_der signature_oid, signature;
	struct mw_der key_oid, curve_oid;
	int key_bits;                                   /* of RSA and DSA; else 0 */
	struct mw_der subject_key_id, authority_key_id; /* empty without */
	struct mw_der extensions;                       /* elements: SEQUENCE { oid, critical, OCTET STRING } */
	bool has_basic_constraints, is_ca, has_key_usage;
	int path_length;    /* -1: not said */
	unsigned key_usage; /* KU_… of openssl/x509v3.h */
};

/* The next certificate of `from`, which goes on behind it; false when there is none. */
bool mw_x509_parse(struct mw_der *from, struct mw_x509 *ret);

/* As X509_check_ca() sees it; is its issuer itself? */
bool mw_x509_is_ca(const struct mw_x509 *certificate);
bool mw_x509_is_self_signed(const struct mw_x509 *certificate);
/* The content of an extension by its OID (DER, without head): empty without it. */
struct mw_der mw_x509_extension(const struct mw_x509 *certificate, const char *oid, size_t size);

/* "/C=US/CN=x", as X509_NAME_oneline(); or "C = US, CN = x", as XN_FLAG_ONELINE. */
void mw_x509_name(struct mw_der name, bool is_old, struct mw_buf *out);
/* The first value of an attribute, by its short name: "CN", "O", "OU". */
void mw_x509_name_part(struct mw_der name, const char *part, struct mw_buf *out);
/* "Digital Signature, …" */
void mw_x509_key_usage(unsigned usage, struct mw_buf *out);
/* OpenSSL's long name of an algorithm or curve; the numbers of one that is not known. */
void mw_x509_oid(struct mw_der oid, struct mw_buf *out);
/* "DNS:x, IP Address:192.0.2.1", of subjectAltName and the like. */
void mw_x509_general_names(struct mw_der names, struct mw_buf *out);
/* The next of such names. */
bool mw_x509_general_name(struct mw_der *from, struct mw_buf *out);
/* A time as ASN1_TIME_print(): "Jan  1 00:00:00 2030 GMT". */
void mw_x509_time(int64_t time, struct mw_buf *out);
void mw_x509_hex(struct mw_der bytes, bool is_upper, struct mw_buf *out);

#include "crypto/x509.h"

#include <string.h>
#include <time.h>

enum {
	EXTENSIONS = 64,
	VERSION = MW_DER_CONTEXT_CONSTRUCTED,            /* [0] */
	ISSUER_UNIQUE_ID = MW_DER_CONTEXT | 1,           /* [1] */
	SUBJECT_UNIQUE_ID = MW_DER_CONTEXT | 2,          /* [2] */
	EXTENSION_LIST = MW_DER_CONTEXT_CONSTRUCTED | 3, /* [3] */
	KEY_ID = MW_DER_CONTEXT,                         /* [0] of AuthorityKeyIdentifier */
	KEY_CERT_SIGN = 0x04,
};

#define OID_SUBJECT_KEY_ID "\x55\x1d\x0e"
#define OID_KEY_USAGE "\x55\x1d\x0f"
#define OID_BASIC_CONSTRAINTS "\x55\x1d\x13"
#define OID_AUTHORITY_KEY_ID "\x55\x1d\x23"
#define OID_RSA "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"
#define OID_DSA "\x2a\x86\x48\xce\x38\x04\x01"

static int digits(const unsigned char **at, unsigned count)
{
	int value = 0;
	for (; count; count--, (*at)++)
		value = value * 10 + (**at >= '0' && **at <= '9' ? **at - '0' : 0);
	return value;
}

/* "YYMMDDhhmmssZ" from 1950 to 2049, or "YYYYMMDDhhmmssZ". */
static bool take_time(struct mw_der *from, int64_t *ret)
{
	struct mw_der text;
	bool is_long = mw_der_tag(from) == MW_DER_TIME;
	if (!mw_der_take(from, is_long ? MW_DER_TIME : MW_DER_UTC_TIME, &text) || text.left < (is_long ? 14 : 12))
		return false;
	const unsigned char *at = text.at;
	struct tm tm = {0};
	int year = digits(&at, is_long ? 4 : 2);
	tm.tm_year = is_long ? year - 1900 : year < 50 ? year + 100 : year;
	tm.tm_mon = digits(&at, 2) - 1;
	tm.tm_mday = digits(&at, 2);
	tm.tm_hour = digits(&at, 2);
	tm.tm_min = digits(&at, 2);
	tm.tm_sec = digits(&at, 2);
	*ret = timegm(&tm);
	return true;
}

/* SubjectPublicKeyInfo: SEQUENCE { SEQUENCE { algorithm, parameters }, BIT STRING } */
static bool take_key(struct mw_der *from, struct mw_x509 *ret)
{
	struct mw_der info;
	struct mw_der algorithm;
	struct mw_der bits;
	struct mw_der number;
	if (!mw_der_take(from, MW_DER_SEQUENCE, &info) || !mw_der_take(&info, MW_DER_SEQUENCE, &algorithm) ||
	    !mw_der_take(&algorithm, MW_DER_OID, &ret->key_oid) || !mw_der_take(&info, MW_DER_BITS, &bits))
		return false;
	if (mw_der_tag(&algorithm) == MW_DER_OID)
		(void)mw_der_take(&algorithm, MW_DER_OID, &ret->curve_oid);
	/* RSA: the number is in the key, behind a byte that says how many bits are unused; DSA: in the parameters. */
	struct mw_der numbers = algorithm;
	if (mw_der_is(ret->key_oid, OID_RSA, sizeof(OID_RSA) - 1) && bits.left)
		numbers = (struct mw_der){bits.at + 1, bits.left - 1};
	else if (!mw_der_is(ret->key_oid, OID_DSA, sizeof(OID_DSA) - 1))
		return true;
	if (mw_der_take(&numbers, MW_DER_SEQUENCE, &numbers) && mw_der_take(&numbers, MW_DER_INTEGER, &number))
		ret->key_bits = mw_der_bits(number);
	return true;
}

struct mw_der mw_x509_extension(const struct mw_x509 *certificate, const char *oid, size_t size)
{
	struct mw_der list = certificate->extensions;
	struct mw_der extension;
	for (unsigned i = 0; i < EXTENSIONS && mw_der_take(&list, MW_DER_SEQUENCE, &extension); i++) {
		struct mw_der name;
		struct mw_der skipped;
		struct mw_der value;
		if (!mw_der_take(&extension, MW_DER_OID, &name) || !mw_der_is(name, oid, size))
			continue;
		(void)mw_der_take(&extension, MW_DER_BOOLEAN, &skipped);
		if (mw_der_take(&extension, MW_DER_OCTETS, &value))
			return value;
	}
	return (struct mw_der){0};
}

static void read_extensions(struct mw_x509 *ret)
{
	struct mw_der value = mw_x509_extension(ret, OID_SUBJECT_KEY_ID, sizeof(OID_SUBJECT_KEY_ID) - 1);
	struct mw_der inner;
	(void)mw_der_take(&value, MW_DER_OCTETS, &ret->subject_key_id);

	value = mw_x509_extension(ret, OID_AUTHORITY_KEY_ID, sizeof(OID_AUTHORITY_KEY_ID) - 1);
	if (mw_der_take(&value, MW_DER_SEQUENCE, &inner))
		(void)mw_der_take(&inner, KEY_ID, &ret->authority_key_id);

	value = mw_x509_extension(ret, OID_KEY_USAGE, sizeof(OID_KEY_USAGE) - 1);
	if (mw_der_take(&value, MW_DER_BITS, &inner) && inner.left > 1) {
		ret->has_key_usage = true;
		ret->key_usage = inner.at[1] | (inner.left > 2 ? (unsigned)inner.at[2] << 8 : 0);
	}

	/* SEQUENCE { BOOLEAN DEFAULT FALSE, INTEGER OPTIONAL } */
	value = mw_x509_extension(ret, OID_BASIC_CONSTRAINTS, sizeof(OID_BASIC_CONSTRAINTS) - 1);
	ret->path_length = -1;
	if (mw_der_take(&value, MW_DER_SEQUENCE, &inner)) {
		struct mw_der flag;
		struct mw_der length;
		ret->has_basic_constraints = true;
		ret->is_ca = mw_der_take(&inner, MW_DER_BOOLEAN, &flag) && flag.left && flag.at[0];
		if (mw_der_take(&inner, MW_DER_INTEGER, &length) && length.left == 1)
			ret->path_length = length.at[0];
	}
}

bool mw_x509_parse(struct mw_der *from, struct mw_x509 *ret)
{
	struct mw_der certificate;
	struct mw_der signed_part;
	struct mw_der part;
	struct mw_der version;
	const unsigned char *begin = from->at;
	*ret = (struct mw_x509){.version = 1};
	if (!mw_der_take(from, MW_DER_SEQUENCE, &certificate) ||
	    !mw_der_take(&certificate, MW_DER_SEQUENCE, &signed_part))
		return false;
	ret->whole = (struct mw_der){begin, (size_t)(from->at - begin)};
	if (mw_der_take(&signed_part, VERSION, &part) && mw_der_take(&part, MW_DER_INTEGER, &version) &&
	    version.left == 1)
		ret->version = version.at[0] + 1;
	if (!mw_der_take(&signed_part, MW_DER_INTEGER, &ret->serial) ||
	    !mw_der_take(&signed_part, MW_DER_SEQUENCE, &part) ||
	    !mw_der_take(&signed_part, MW_DER_SEQUENCE, &ret->issuer) ||
	    !mw_der_take(&signed_part, MW_DER_SEQUENCE, &part) || !take_time(&part, &ret->not_before) ||
	    !take_time(&part, &ret->not_after) || !mw_der_take(&signed_part, MW_DER_SEQUENCE, &ret->subject) ||
	    !take_key(&signed_part, ret))
		return false;
	(void)mw_der_take(&signed_part, ISSUER_UNIQUE_ID, &part);
	(void)mw_der_take(&signed_part, SUBJECT_UNIQUE_ID, &part);
	if (mw_der_take(&signed_part, EXTENSION_LIST, &part))
		(void)mw_der_take(&part, MW_DER_SEQUENCE, &ret->extensions);
	if (!mw_der_take(&certificate, MW_DER_SEQUENCE, &part) || !mw_der_take(&part, MW_DER_OID, &ret->signature_oid))
		return false;
	if (mw_der_take(&certificate, MW_DER_BITS, &part) && part.left)
		ret->signature = (struct mw_der){part.at + 1, part.left - 1};
	read_extensions(ret);
	return true;
}

static bool is_same(struct mw_der a, struct mw_der b)
{
	return mw_der_is(a, (const char *)b.at, b.left);
}

bool mw_x509_is_self_signed(const struct mw_x509 *certificate)
{
	return is_same(certificate->issuer, certificate->subject) &&
	       (!certificate->authority_key_id.left ||
		is_same(certificate->authority_key_id, certificate->subject_key_id));
}

bool mw_x509_is_ca(const struct mw_x509 *certificate)
{
	if (certificate->has_key_usage && !(certificate->key_usage & KEY_CERT_SIGN))
		return false;
	if (certificate->has_basic_constraints)
		return certificate->is_ca;
	return certificate->has_key_usage || (certificate->version == 1 && mw_x509_is_self_signed(certificate));
}

/* RFC 7468 (PEM), RFC 8017 (PKCS #1), RFC 5208 (PKCS #8), RFC 5915 (SEC 1), and PROTOCOL.key of OpenSSH. */
#include "sql/ssh_key.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/der.h"

enum {
	PARAMETERS = MW_DER_CONTEXT_CONSTRUCTED, /* [0] of SEC 1 */
};

static const struct {
	const char *ssh; /* of OpenSSH */
	const char *oid; /* DER */
	size_t oid_bytes;
	const char *type, *group;
	int bits; /* 0: those of the first number */
	int security_bits;
} kinds[] = {
	{"ssh-rsa", "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", 9, "rsa", "", 0, 0},
	{"ssh-dss", "\x2a\x86\x48\xce\x38\x04\x01", 7, "dsa", "", 0, 0},
	{"ssh-ed25519", "\x2b\x65\x70", 3, "ed25519", "", 256, 128},
	{"ecdsa-sha2-nistp256", "\x2a\x86\x48\xce\x3d\x03\x01\x07", 8, "ec", "prime256v1", 256, 128},
	{"ecdsa-sha2-nistp384", "\x2b\x81\x04\x00\x22", 5, "ec", "secp384r1", 384, 192},
	{"ecdsa-sha2-nistp521", "\x2b\x81\x04\x00\x23", 5, "ec", "secp521r1", 521, 256},
};

static const char ec_oid[] = "\x2a\x86\x48\xce\x3d\x02\x01"; /* id-ecPublicKey: the curve follows */

/* NIST SP 800-57 part 1, table 2. */
static int security_of(int bits)
{
	return bits >= 15360  ? 256
	       : bits >= 7680 ? 192
	       : bits >= 3072 ? 128
	       : bits >= 2048 ? 112
	       : bits >= 1024 ? 80
			      : 0;
}

/* A length of four bytes, then as many. */
static bool take_ssh(struct mw_der *from, struct mw_der *ret)
{
	if (from->left < 4)
		return false;
	size_t length = (size_t)from->at[0] << 24 | (size_t)from->at[1] << 16 | (size_t)from->at[2] << 8 | from->at[3];
	if (length > from->left - 4)
		return false;
	*ret = (struct mw_der){from->at + 4, length};
	from->at += 4 + length;
	from->left -= 4 + length;
	return true;
}

static void set_kind(struct mw_ssh_key *key, size_t kind, int bits)
{
	key->type = kinds[kind].type;
	key->group = kinds[kind].group;
	key->bits = kinds[kind].bits ? kinds[kind].bits : bits;
	key->security_bits = kinds[kind].security_bits ? kinds[kind].security_bits : security_of(bits);
}

static void set_oid(struct mw_ssh_key *key, struct mw_der oid, int bits)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (mw_der_is(oid, kinds[i].oid, kinds[i].oid_bytes))
			set_kind(key, i, bits);
}

/* SEQUENCE { version, n or p, … } */
static int first_number(struct mw_der der)
{
	struct mw_der sequence;
	struct mw_der number;
	if (mw_der_take(&der, MW_DER_SEQUENCE, &sequence) && mw_der_take(&sequence, MW_DER_INTEGER, &number) &&
	    mw_der_take(&sequence, MW_DER_INTEGER, &number))
		return mw_der_bits(number);
	return 0;
}

/* SEQUENCE { version, SEQUENCE { algorithm, parameters }, OCTET STRING { key } } */
static void look_into_pkcs8(struct mw_der der, struct mw_ssh_key *key)
{
	struct mw_der sequence;
	struct mw_der version;
	struct mw_der algorithm;
	struct mw_der oid;
	struct mw_der inner = {0};
	if (!mw_der_take(&der, MW_DER_SEQUENCE, &sequence) || !mw_der_take(&sequence, MW_DER_INTEGER, &version) ||
	    !mw_der_take(&sequence, MW_DER_SEQUENCE, &algorithm) || !mw_der_take(&algorithm, MW_DER_OID, &oid))
		return;
	(void)mw_der_take(&sequence, MW_DER_OCTETS, &inner);
	if (mw_der_is(oid, ec_oid, sizeof(ec_oid) - 1))
		(void)mw_der_take(&algorithm, MW_DER_OID, &oid);
	struct mw_der parameters;
	struct mw_der prime;
	bool is_dsa = mw_der_take(&algorithm, MW_DER_SEQUENCE, &parameters) &&
		      mw_der_take(&parameters, MW_DER_INTEGER, &prime);
	set_oid(key, oid, is_dsa ? mw_der_bits(prime) : first_number(inner));
}

/* SEQUENCE { 1, OCTET STRING, [0] { curve } } */
static void look_into_ec(struct mw_der der, struct mw_ssh_key *key)
{
	struct mw_der sequence;
	struct mw_der skipped;
	struct mw_der parameters;
	struct mw_der oid;
	key->type = "ec";
	if (mw_der_take(&der, MW_DER_SEQUENCE, &sequence) && mw_der_take(&sequence, MW_DER_INTEGER, &skipped) &&
	    mw_der_take(&sequence, MW_DER_OCTETS, &skipped) && mw_der_take(&sequence, PARAMETERS, &parameters) &&
	    mw_der_take(&parameters, MW_DER_OID, &oid))
		set_oid(key, oid, 0);
}

/* "openssh-key-v1", cipher, its key, options, the number of keys, a public key */
static void look_into_openssh(struct mw_der bytes, struct mw_ssh_key *key)
{
	static const char magic[] = "openssh-key-v1"; /* with its NUL */
	struct mw_der cipher;
	struct mw_der skipped;
	struct mw_der public;
	struct mw_der name;
	struct mw_der number = {0};
	if (bytes.left < sizeof(magic) || memcmp(bytes.at, magic, sizeof(magic)) != 0)
		return;
	bytes.at += sizeof(magic);
	bytes.left -= sizeof(magic);
	if (!take_ssh(&bytes, &cipher) || !take_ssh(&bytes, &skipped) || !take_ssh(&bytes, &skipped) || bytes.left < 4)
		return;
	key->is_encrypted = !mw_der_is(cipher, "none", 4);
	bytes.at += 4;
	bytes.left -= 4;
	if (!take_ssh(&bytes, &public) || !take_ssh(&public, &name) || !take_ssh(&public, &number))
		return;
	bool is_rsa = mw_der_is(name, "ssh-rsa", 7); /* its first number is the exponent */
	if (is_rsa)
		(void)take_ssh(&public, &number);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (mw_der_is(name, kinds[i].ssh, strlen(kinds[i].ssh)))
			set_kind(key, i, mw_der_bits(number));
}

/* Base64 until the line that ends it, in place; anything else is passed over. */
static struct mw_der decode(char *from, const char *end)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned char *to = (unsigned char *)from;
	size_t size = 0;
	uint32_t word = 0;
	unsigned bits = 0;
	for (const char *at = from; at < end; at++) {
		const char *digit = *at ? strchr(digits, *at) : NULL;
		if (!digit)
			continue;
		word = word << 6 | (uint32_t)(digit - digits);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			to[size++] = (unsigned char)(word >> bits);
		}
	}
	return (struct mw_der){to, size};
}

bool mw_ssh_key_parse(char *text, struct mw_ssh_key *ret)
{
	static const char end_mark[] = "PRIVATE KEY-----";
	*ret = (struct mw_ssh_key){.type = "", .group = ""};
	char *begin = strstr(text, "-----BEGIN ");
	char *body = begin ? strstr(begin, end_mark) : NULL;
	const char *newline = begin ? strchr(begin, '\n') : NULL;
	if (!body || (newline && body > newline))
		return false;
	const char *kind = begin + strlen("-----BEGIN ");
	body += sizeof(end_mark) - 1;
	char *end = strstr(body, "-----END ");
	if (!end)
		end = body + strlen(body);
	/* "Proc-Type: 4,ENCRYPTED", or a kind of its own. */
	const char *mark = strstr(kind, "ENCRYPTED");
	ret->is_encrypted = mark && mark < end;
	if (strncmp(kind, "RSA", 3) == 0)
		ret->type = "rsa";
	else if (strncmp(kind, "DSA", 3) == 0)
		ret->type = "dsa";
	else if (strncmp(kind, "EC ", 3) == 0)
		ret->type = "ec";
	if (ret->is_encrypted)
		return true;
	struct mw_der der = decode(body, end);
	bool is_openssh = strncmp(kind, "OPENSSH", 7) == 0; /* still there: only the body was written into */
	if (is_openssh)
		look_into_openssh(der, ret);
	else if (strcmp(ret->type, "ec") == 0)
		look_into_ec(der, ret);
	else if (!*ret->type)
		look_into_pkcs8(der, ret);
	else
		ret->security_bits = security_of(ret->bits = first_number(der));
	return true;
}

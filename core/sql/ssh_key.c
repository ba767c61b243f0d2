/* RFC 7468 (PEM), RFC 8017 (PKCS #1), RFC 5208 (PKCS #8), RFC 5915 (SEC 1), and PROTOCOL.key of OpenSSH.  Of DER only as much
 * as these need: tags of one byte, lengths of at most three. */
#include "sql/ssh_key.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* What is left to read. */
struct bytes {
	const unsigned char *at;
	size_t left;
};

enum {
	INTEGER = 0x02,
	OCTETS = 0x04,
	OID = 0x06,
	SEQUENCE = 0x30,
	PARAMETERS = 0xa0, /* [0] of SEC 1 */
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

static int bits_of(struct bytes number)
{
	while (number.left && *number.at == 0) {
		number.at++;
		number.left--;
	}
	int bits = (int)number.left * 8;
	for (int mask = 0x80; number.left && mask && !(*number.at & mask); mask >>= 1)
		bits--;
	return bits;
}

static bool take_der(struct bytes *from, unsigned tag, struct bytes *ret)
{
	if (from->left < 2 || from->at[0] != tag)
		return false;
	size_t head = 2;
	size_t length = from->at[1];
	if (length & 0x80) {
		size_t count = length & 0x7f;
		if (count == 0 || count > 3 || from->left < 2 + count)
			return false;
		length = 0;
		for (size_t i = 0; i < count; i++)
			length = length << 8 | from->at[2 + i];
		head += count;
	}
	if (length > from->left - head)
		return false;
	*ret = (struct bytes){from->at + head, length};
	from->at += head + length;
	from->left -= head + length;
	return true;
}

/* A length of four bytes, then as many. */
static bool take_ssh(struct bytes *from, struct bytes *ret)
{
	if (from->left < 4)
		return false;
	size_t length = (size_t)from->at[0] << 24 | (size_t)from->at[1] << 16 | (size_t)from->at[2] << 8 | from->at[3];
	if (length > from->left - 4)
		return false;
	*ret = (struct bytes){from->at + 4, length};
	from->at += 4 + length;
	from->left -= 4 + length;
	return true;
}

static bool is_text(struct bytes bytes, const char *text, size_t length)
{
	return bytes.left == length && memcmp(bytes.at, text, length) == 0;
}

static void set_kind(struct mw_ssh_key *key, size_t kind, int bits)
{
	key->type = kinds[kind].type;
	key->group = kinds[kind].group;
	key->bits = kinds[kind].bits ? kinds[kind].bits : bits;
	key->security_bits = kinds[kind].security_bits ? kinds[kind].security_bits : security_of(bits);
}

static void set_oid(struct mw_ssh_key *key, struct bytes oid, int bits)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (is_text(oid, kinds[i].oid, kinds[i].oid_bytes))
			set_kind(key, i, bits);
}

/* SEQUENCE { version, n or p, … } */
static int first_number(struct bytes der)
{
	struct bytes sequence;
	struct bytes number;
	if (take_der(&der, SEQUENCE, &sequence) && take_der(&sequence, INTEGER, &number) &&
	    take_der(&sequence, INTEGER, &number))
		return bits_of(number);
	return 0;
}

/* SEQUENCE { version, SEQUENCE { algorithm, parameters }, OCTET STRING { key } } */
static void look_into_pkcs8(struct bytes der, struct mw_ssh_key *key)
{
	struct bytes sequence;
	struct bytes version;
	struct bytes algorithm;
	struct bytes oid;
	struct bytes inner = {0};
	if (!take_der(&der, SEQUENCE, &sequence) || !take_der(&sequence, INTEGER, &version) ||
	    !take_der(&sequence, SEQUENCE, &algorithm) || !take_der(&algorithm, OID, &oid))
		return;
	(void)take_der(&sequence, OCTETS, &inner);
	if (is_text(oid, ec_oid, sizeof(ec_oid) - 1))
		(void)take_der(&algorithm, OID, &oid);
	struct bytes parameters;
	struct bytes prime;
	bool is_dsa = take_der(&algorithm, SEQUENCE, &parameters) && take_der(&parameters, INTEGER, &prime);
	set_oid(key, oid, is_dsa ? bits_of(prime) : first_number(inner));
}

/* SEQUENCE { 1, OCTET STRING, [0] { curve } } */
static void look_into_ec(struct bytes der, struct mw_ssh_key *key)
{
	struct bytes sequence;
	struct bytes skipped;
	struct bytes parameters;
	struct bytes oid;
	key->type = "ec";
	if (take_der(&der, SEQUENCE, &sequence) && take_der(&sequence, INTEGER, &skipped) &&
	    take_der(&sequence, OCTETS, &skipped) && take_der(&sequence, PARAMETERS, &parameters) &&
	    take_der(&parameters, OID, &oid))
		set_oid(key, oid, 0);
}

/* "openssh-key-v1", cipher, its key, options, the number of keys, a public key */
static void look_into_openssh(struct bytes bytes, struct mw_ssh_key *key)
{
	static const char magic[] = "openssh-key-v1"; /* with its NUL */
	struct bytes cipher;
	struct bytes skipped;
	struct bytes public;
	struct bytes name;
	struct bytes number = {0};
	if (bytes.left < sizeof(magic) || memcmp(bytes.at, magic, sizeof(magic)) != 0)
		return;
	bytes.at += sizeof(magic);
	bytes.left -= sizeof(magic);
	if (!take_ssh(&bytes, &cipher) || !take_ssh(&bytes, &skipped) || !take_ssh(&bytes, &skipped) || bytes.left < 4)
		return;
	key->is_encrypted = !is_text(cipher, "none", 4);
	bytes.at += 4;
	bytes.left -= 4;
	if (!take_ssh(&bytes, &public) || !take_ssh(&public, &name) || !take_ssh(&public, &number))
		return;
	bool is_rsa = is_text(name, "ssh-rsa", 7); /* its first number is the exponent */
	if (is_rsa)
		(void)take_ssh(&public, &number);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (is_text(name, kinds[i].ssh, strlen(kinds[i].ssh)))
			set_kind(key, i, bits_of(number));
}

/* Base64 until the line that ends it, in place; anything else is passed over. */
static struct bytes decode(char *from, const char *end)
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
	return (struct bytes){to, size};
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
	struct bytes der = decode(body, end);
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

/* Names and texts of certificates. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "crypto/x509.h"

enum {
	ATTRIBUTES = 64,
	NAMES = 1024,
};

/* OpenSSL's short name of an attribute, or its long name of an algorithm, by DER. */
static const struct {
	const char *oid;
	size_t size;
	const char *name;
} known[] = {
#define OID(bytes, name) \
	{ \
		bytes, sizeof(bytes) - 1, name \
	}
	OID("\x55\x04\x03", "CN"),
	OID("\x55\x04\x04", "SN"),
	OID("\x55\x04\x05", "serialNumber"),
	OID("\x55\x04\x06", "C"),
	OID("\x55\x04\x07", "L"),
	OID("\x55\x04\x08", "ST"),
	OID("\x55\x04\x09", "street"),
	OID("\x55\x04\x0a", "O"),
	OID("\x55\x04\x0b", "OU"),
	OID("\x55\x04\x0c", "title"),
	OID("\x55\x04\x0d", "description"),
	OID("\x55\x04\x11", "postalCode"),
	OID("\x55\x04\x2a", "GN"),
	OID("\x55\x04\x2e", "dnQualifier"),
	OID("\x55\x04\x61", "organizationIdentifier"),
	OID("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01", "UID"),
	OID("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19", "DC"),
	OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01", "emailAddress"),
	OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", "rsaEncryption"),
	OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04", "md5WithRSAEncryption"),
	OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05", "sha1WithRSAEncryption"),
	OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a", "rsassaPss"),
	OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", "sha256WithRSAEncryption"),
	OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c", "sha384WithRSAEncryption"),
	OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d", "sha512WithRSAEncryption"),
	OID("\x2a\x86\x48\xce\x38\x04\x01", "dsaEncryption"),
	OID("\x2a\x86\x48\xce\x38\x04\x03", "dsaWithSHA1"),
	OID("\x2a\x86\x48\xce\x3d\x02\x01", "id-ecPublicKey"),
	OID("\x2a\x86\x48\xce\x3d\x03\x01\x07", "prime256v1"),
	OID("\x2a\x86\x48\xce\x3d\x04\x01", "ecdsa-with-SHA1"),
	OID("\x2a\x86\x48\xce\x3d\x04\x03\x02", "ecdsa-with-SHA256"),
	OID("\x2a\x86\x48\xce\x3d\x04\x03\x03", "ecdsa-with-SHA384"),
	OID("\x2a\x86\x48\xce\x3d\x04\x03\x04", "ecdsa-with-SHA512"),
	OID("\x2b\x81\x04\x00\x0a", "secp256k1"),
	OID("\x2b\x81\x04\x00\x22", "secp384r1"),
	OID("\x2b\x81\x04\x00\x23", "secp521r1"),
	OID("\x2b\x65\x70", "ED25519"),
	OID("\x2b\x65\x71", "ED448"),
	OID("\x2b\x06\x01\x05\x05\x07\x03\x01", "TLS Web Server Authentication"),
	OID("\x2b\x06\x01\x05\x05\x07\x03\x02", "TLS Web Client Authentication"),
	OID("\x2b\x06\x01\x05\x05\x07\x03\x03", "Code Signing"),
	OID("\x2b\x06\x01\x05\x05\x07\x03\x04", "E-mail Protection"),
	OID("\x2b\x06\x01\x05\x05\x07\x03\x08", "Time Stamping"),
	OID("\x2b\x06\x01\x05\x05\x07\x03\x09", "OCSP Signing"),
	OID("\x2b\x06\x01\x05\x05\x07\x30\x01", "OCSP"),
	OID("\x2b\x06\x01\x05\x05\x07\x30\x02", "CA Issuers"),
#undef OID
};

static const char *name_of(struct mw_der oid)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (mw_der_is(oid, known[i].oid, known[i].size))
			return known[i].name;
	return NULL;
}

void mw_x509_oid(struct mw_der oid, struct mw_buf *out)
{
	char text[MW_DER_OID_TEXT_BYTES];
	const char *name = name_of(oid);
	mw_der_oid_text(oid, text);
	mw_buf_str(out, name ? name : text);
}

/* A character of UTF-16, of its first plane, as UTF-8. */
static void add_wide(unsigned c, struct mw_buf *out)
{
	if (c < 0x80) {
		mw_buf_char(out, (char)c);
	} else if (c < 0x800) {
		mw_buf_char(out, (char)(0xc0 | c >> 6));
		mw_buf_char(out, (char)(0x80 | (c & 0x3f)));
	} else {
		mw_buf_char(out, (char)(0xe0 | c >> 12));
		mw_buf_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
		mw_buf_char(out, (char)(0x80 | (c & 0x3f)));
	}
}

static void add_text(unsigned tag, struct mw_der value, struct mw_buf *out)
{
	if (tag != MW_DER_BMP)
		mw_buf_add(out, value.at, value.left);
	else
		for (size_t i = 0; i + 1 < value.left; i += 2)
			add_wide((unsigned)value.at[i] << 8 | value.at[i + 1], out);
}

/* X509_NAME_oneline(): what is not printable as \xHH, and what joins attributes behind a backslash. */
static void add_old(struct mw_der value, struct mw_buf *out)
{
	for (size_t i = 0; i < value.left; i++) {
		unsigned char c = value.at[i];
		if (c < ' ' || c > '~')
			mw_buf_printf(out, "\\x%02X", c);
		else
			mw_buf_printf(out, c == '/' || c == '+' ? "\\%c" : "%c", c);
	}
}

/* ASN1_STRFLGS_RFC2253 with ASN1_STRFLGS_ESC_QUOTE: quoted when something in it is special. */
static void add_new(unsigned tag, struct mw_der value, struct mw_buf *out)
{
	struct mw_buf text = MW_BUF(out->max);
	add_text(tag, value, &text);
	bool is_quoted = false;
	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];
		bool is_end = i == 0 || i == text.size - 1;
		is_quoted |= strchr(",+<>;", c) || (c == ' ' && is_end) || (c == '#' && i == 0);
	}
	mw_buf_str(out, is_quoted ? "\"" : "");
	for (size_t i = 0; i < text.size; i++) {
		unsigned char c = (unsigned char)text.data[i];
		if (c < ' ' || c > '~')
			mw_buf_printf(out, "\\%02X", c);
		else
			mw_buf_printf(out, c == '"' || c == '\\' ? "\\%c" : "%c", c);
	}
	mw_buf_str(out, is_quoted ? "\"" : "");
	mw_buf_release(&text);
}

/* SEQUENCE OF SET OF SEQUENCE { type, value }.  False at the end. */
struct attributes {
	struct mw_der name, set;
	unsigned count;
};

static bool next_attribute(struct attributes *all, struct mw_der *ret_type, unsigned *ret_tag, struct mw_der *ret_value,
			   bool *ret_joins)
{
	struct mw_der pair;
	*ret_joins = all->set.left != 0;
	if (!all->set.left && !mw_der_take(&all->name, MW_DER_SET, &all->set))
		return false;
	if (all->count++ == ATTRIBUTES || !mw_der_take(&all->set, MW_DER_SEQUENCE, &pair) ||
	    !mw_der_take(&pair, MW_DER_OID, ret_type))
		return false;
	*ret_tag = mw_der_tag(&pair);
	return mw_der_skip(&pair, ret_value);
}

void mw_x509_name(struct mw_der name, bool is_old, struct mw_buf *out)
{
	struct attributes all = {.name = name};
	struct mw_der type;
	struct mw_der value;
	unsigned tag;
	bool joins;
	bool is_first = true;
	while (next_attribute(&all, &type, &tag, &value, &joins)) {
		const char *between = joins ? " + " : ", ";
		if (is_old)
			mw_buf_char(out, joins ? '+' : '/');
		else if (!is_first)
			mw_buf_str(out, between);
		mw_x509_oid(type, out);
		mw_buf_str(out, is_old ? "=" : " = ");
		if (is_old)
			add_old(value, out);
		else
			add_new(tag, value, out);
		is_first = false;
	}
}

void mw_x509_name_part(struct mw_der name, const char *part, struct mw_buf *out)
{
	struct attributes all = {.name = name};
	struct mw_der type;
	struct mw_der value;
	unsigned tag;
	bool joins;
	while (next_attribute(&all, &type, &tag, &value, &joins)) {
		const char *found = name_of(type);
		if (found && strcmp(found, part) == 0) {
			add_text(tag, value, out);
			return;
		}
	}
}

void mw_x509_key_usage(unsigned usage, struct mw_buf *out)
{
	/* KU_… of openssl/x509v3.h, in osquery's order. */
	static const struct {
		unsigned flag;
		const char *name;
	} flags[] = {
		{0x0001, "Encipher Only"},   {0x0002, "CRL Sign"},          {0x0004, "Key Cert Sign"},
		{0x0008, "Key Agreement"},   {0x0010, "Data Encipherment"}, {0x0020, "Key Encipherment"},
		{0x0040, "Non Repudiation"}, {0x0080, "Digital Signature"}, {0x8000, "Decipher Only"},
	};
	const char *between = "";
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if (usage & flags[i].flag) {
			mw_buf_printf(out, "%s%s", between, flags[i].name);
			between = ", ";
		}
}

/* GeneralName, RFC 5280, 4.2.1.6: [1] mail, [2] DNS, [6] URI, [7] address. */
static void add_general_name(unsigned tag, struct mw_der value, struct mw_buf *out)
{
	char text[INET6_ADDRSTRLEN] = "";
	switch (tag) {
	case MW_DER_CONTEXT | 1:
		mw_buf_str(out, "email:");
		break;
	case MW_DER_CONTEXT | 2:
		mw_buf_str(out, "DNS:");
		break;
	case MW_DER_CONTEXT | 6:
		mw_buf_str(out, "URI:");
		break;
	case MW_DER_CONTEXT | 7:
		if (value.left == 4 || value.left == 16)
			(void)inet_ntop(value.left == 4 ? AF_INET : AF_INET6, value.at, text, sizeof(text));
		mw_buf_printf(out, "IP Address:%s", text);
		return;
	case MW_DER_CONTEXT_CONSTRUCTED | 4:
		mw_buf_str(out, "DirName:");
		if (mw_der_take(&value, MW_DER_SEQUENCE, &value))
			mw_x509_name(value, false, out);
		return;
	default:
		mw_buf_str(out, "othername:<unsupported>");
		return;
	}
	mw_buf_add(out, value.at, value.left);
}

bool mw_x509_general_name(struct mw_der *from, struct mw_buf *out)
{
	struct mw_der value;
	unsigned tag = mw_der_tag(from);
	if (!mw_der_skip(from, &value))
		return false;
	add_general_name(tag, value, out);
	return true;
}

void mw_x509_general_names(struct mw_der names, struct mw_buf *out)
{
	struct mw_der list;
	if (!mw_der_take(&names, MW_DER_SEQUENCE, &list))
		return;
	for (unsigned i = 0; i < NAMES && list.left; i++) {
		mw_buf_str(out, i ? ", " : "");
		if (!mw_x509_general_name(&list, out))
			return;
	}
}

void mw_x509_time(int64_t seconds, struct mw_buf *out)
{
	char text[64];
	struct tm tm;
	time_t time = (time_t)seconds;
	if (gmtime_r(&time, &tm) && strftime(text, sizeof(text), "%b %e %H:%M:%S %Y GMT", &tm))
		mw_buf_str(out, text);
}

void mw_x509_hex(struct mw_der bytes, bool is_upper, struct mw_buf *out)
{
	for (size_t i = 0; i < bytes.left; i++)
		mw_buf_printf(out, is_upper ? "%02X" : "%02x", bytes.at[i]);
}

#include <errno.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "crypto/hash.h"
#include "crypto/x509.h"
#include "sql/pem.h"
#include "sql/place.h"
#include "sql/rows.h"
#include "sql/table.h"
#include "sql/world.h"

enum {
	COMMON_NAME,
	SUBJECT,
	SUBJECT2,
	ISSUER,
	ISSUER2,
	CA,
	SELF_SIGNED,
	NOT_VALID_BEFORE,
	NOT_VALID_AFTER,
	SIGNING_ALGORITHM,
	KEY_ALGORITHM,
	KEY_STRENGTH,
	KEY_USAGE,
	SUBJECT_KEY_ID,
	AUTHORITY_KEY_ID,
	SHA1,
	PATH,
	SERIAL,
	SID,
	STORE_LOCATION,
	STORE,
	USERNAME,
	STORE_ID,
};

static const struct mw_sql_column columns[] = {
	[COMMON_NAME] = {"common_name", MW_SQL_TEXT, 0, "Name the certificate is for"},
	[SUBJECT] = {"subject", MW_SQL_TEXT, 0, "Whom it is for: /C=US/O=…/CN=…"},
	[SUBJECT2] = {"subject2", MW_SQL_TEXT, 0, "The same: C = US, O = …, CN = …"},
	[ISSUER] = {"issuer", MW_SQL_TEXT, 0, "Who made it, written as subject"},
	[ISSUER2] = {"issuer2", MW_SQL_TEXT, 0, "Who made it, written as subject2"},
	[CA] = {"ca", MW_SQL_INTEGER, 0, "1 when it may sign others"},
	[SELF_SIGNED] = {"self_signed", MW_SQL_INTEGER, 0, "1 when it is its own issuer"},
	[NOT_VALID_BEFORE] = {"not_valid_before", MW_SQL_TEXT, 0, "Seconds since 1970 when it begins to hold"},
	[NOT_VALID_AFTER] = {"not_valid_after", MW_SQL_TEXT, 0, "Seconds since 1970 when it ends"},
	[SIGNING_ALGORITHM] = {"signing_algorithm", MW_SQL_TEXT, 0, "How it is signed"},
	[KEY_ALGORITHM] = {"key_algorithm", MW_SQL_TEXT, 0, "What kind of key it holds"},
	[KEY_STRENGTH] = {"key_strength", MW_SQL_TEXT, 0, "Bits of an RSA or DSA key; curve of another"},
	[KEY_USAGE] = {"key_usage", MW_SQL_TEXT, 0, "What the key is for"},
	[SUBJECT_KEY_ID] = {"subject_key_id", MW_SQL_TEXT, 0, "Identifier of its key, in hex", "nocase"},
	[AUTHORITY_KEY_ID] = {"authority_key_id", MW_SQL_TEXT, 0, "Identifier of the issuer's key, in hex", "nocase"},
	[SHA1] = {"sha1", MW_SQL_TEXT, 0, "Its SHA-1", "nocase"},
	[PATH] = {"path", MW_SQL_TEXT, MW_SQL_ADDITIONAL, "File it is in; `= FILE` reads that one"},
	[SERIAL] = {"serial", MW_SQL_TEXT, 0, "Its number, in hex", "nocase"},
	[SID] = {"sid", MW_SQL_TEXT, MW_SQL_FOREIGN, "Windows only"},
	[STORE_LOCATION] = {"store_location", MW_SQL_TEXT, MW_SQL_FOREIGN, "Windows only"},
	[STORE] = {"store", MW_SQL_TEXT, MW_SQL_FOREIGN, "Windows only"},
	[USERNAME] = {"username", MW_SQL_TEXT, MW_SQL_FOREIGN, "Windows only"},
	[STORE_ID] = {"store_id", MW_SQL_TEXT, MW_SQL_FOREIGN, "Windows only"},
	{0},
};

enum {
	FILE_BYTES = 8 << 20,
	CERTIFICATE_BYTES = 64 << 10,
	/* Of a name of 64 KiB each byte may be escaped. */
	TEXT_BYTES = 512 << 10,
};

static void add(struct mw_rows *rows, unsigned column, struct mw_buf *text)
{
	mw_rows_text(rows, column, text->data ? text->data : "", text->size);
	mw_buf_clear(text);
}

static void add_names(struct mw_rows *rows, const struct mw_x509 *certificate, struct mw_buf *text)
{
	mw_x509_name_part(certificate->subject, "CN", text);
	add(rows, COMMON_NAME, text);
	mw_x509_name(certificate->subject, true, text);
	add(rows, SUBJECT, text);
	mw_x509_name(certificate->subject, false, text);
	add(rows, SUBJECT2, text);
	mw_x509_name(certificate->issuer, true, text);
	add(rows, ISSUER, text);
	mw_x509_name(certificate->issuer, false, text);
	add(rows, ISSUER2, text);
}

static void add_key(struct mw_rows *rows, const struct mw_x509 *certificate, struct mw_buf *text)
{
	mw_x509_oid(certificate->signature_oid, text);
	add(rows, SIGNING_ALGORITHM, text);
	mw_x509_oid(certificate->key_oid, text);
	add(rows, KEY_ALGORITHM, text);
	if (certificate->key_bits)
		mw_buf_int(text, (certificate->key_bits + 7) / 8 * 8); /* whole bytes, as osquery */
	else
		mw_x509_oid(certificate->curve_oid, text);
	add(rows, KEY_STRENGTH, text);
	mw_x509_key_usage(certificate->key_usage, text);
	add(rows, KEY_USAGE, text);
	mw_x509_hex(certificate->subject_key_id, false, text);
	add(rows, SUBJECT_KEY_ID, text);
	mw_x509_hex(certificate->authority_key_id, false, text);
	add(rows, AUTHORITY_KEY_ID, text);
}

static int add_certificate(struct mw_rows *rows, const struct mw_x509 *certificate, const char *path)
{
	MW_AUTO(mw_buf) text = MW_BUF(TEXT_BYTES);
	unsigned char sha1[MW_HASH_BYTES];
	struct mw_der serial = certificate->serial;
	int r = mw_rows_add(rows);
	if (r < 0)
		return r;
	add_names(rows, certificate, &text);
	add_key(rows, certificate, &text);
	mw_rows_int(rows, CA, mw_x509_is_ca(certificate));
	mw_rows_int(rows, SELF_SIGNED, mw_x509_is_self_signed(certificate));
	mw_buf_int(&text, certificate->not_before);
	add(rows, NOT_VALID_BEFORE, &text);
	mw_buf_int(&text, certificate->not_after);
	add(rows, NOT_VALID_AFTER, &text);
	int size = mw_hash(MW_HASH_SHA1, certificate->whole.at, certificate->whole.left, sha1);
	mw_x509_hex((struct mw_der){sha1, size > 0 ? (size_t)size : 0}, false, &text);
	add(rows, SHA1, &text);
	if (serial.left > 1 && serial.at[0] == 0) /* only keeps it positive */
		serial = (struct mw_der){serial.at + 1, serial.left - 1};
	mw_x509_hex(serial, true, &text);
	add(rows, SERIAL, &text);
	mw_rows_string(rows, PATH, path);
	return 0;
}

static int add_file(const struct mw_sql_place *place, const char *path, struct mw_rows *rows)
{
	MW_AUTO(mw_buf) text = MW_BUF(FILE_BYTES);
	MW_AUTO(mw_buf) der = MW_BUF(CERTIFICATE_BYTES);
	int r = mw_sql_read_file(place, path, &text);
	const char *at = r == 0 || r == -EFBIG ? text.data : NULL;
	for (r = 0; r == 0 && mw_pem_next(&at, &der);) {
		struct mw_x509 certificate;
		struct mw_der bytes = {(const unsigned char *)der.data, der.size};
		if (mw_x509_parse(&bytes, &certificate))
			r = add_certificate(rows, &certificate, path);
		else
			mw_sql_warn(place->world, "%s: a certificate is not understood; left out", path);
	}
	return r;
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	static const char *const bundles[] = {"/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt",
					      "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};
	const struct mw_sql_constraint *path = mw_sql_equal(scan, PATH);
	struct mw_sql_place place;
	(void)err;
	int r = mw_sql_place_init(&place, scan, MW_SQL_NO_COLUMN);
	if (r < 0 || path)
		return r < 0 ? r : add_file(&place, path->text, rows);
	size_t before = rows->count;
	/* The first that has any: the others are other names of it. */
	for (size_t i = 0; r == 0 && rows->count == before && i < sizeof(bundles) / sizeof(*bundles); i++)
		r = add_file(&place, bundles[i], rows);
	return r;
}

const struct mw_sql_table mw_table_certificates = {
	.name = "certificates",
	.doc = "Certificates the system trusts, or those of a file.",
	.source = "/etc/ssl/certs/ca-certificates.crt, /etc/pki/tls/certs/ca-bundle.crt and the like",
	.example = "SELECT common_name, issuer FROM certificates WHERE not_valid_after < unixepoch()",
	.columns = columns,
	.fill = fill,
};

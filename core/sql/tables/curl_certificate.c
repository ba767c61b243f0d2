#include <time.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "crypto/hash.h"
#include "crypto/x509.h"
#include "net/peer.h"
#include "sql/pem.h"
#include "sql/table.h"
#include "sql/world.h"

enum {
	HOSTNAME,
	COMMON_NAME,
	ORGANIZATION,
	ORGANIZATION_UNIT,
	SERIAL_NUMBER,
	ISSUER_COMMON_NAME,
	ISSUER_ORGANIZATION,
	ISSUER_ORGANIZATION_UNIT,
	VALID_FROM,
	VALID_TO,
	SHA256_FINGERPRINT,
	SHA1_FINGERPRINT,
	VERSION,
	SIGNATURE_ALGORITHM,
	SIGNATURE,
	SUBJECT_KEY_IDENTIFIER,
	AUTHORITY_KEY_IDENTIFIER,
	KEY_USAGE,
	EXTENDED_KEY_USAGE,
	POLICIES,
	SUBJECT_ALTERNATIVE_NAMES,
	ISSUER_ALTERNATIVE_NAMES,
	INFO_ACCESS,
	SUBJECT_INFO_ACCESS,
	POLICY_MAPPINGS,
	HAS_EXPIRED,
	BASIC_CONSTRAINT,
	NAME_CONSTRAINTS,
	POLICY_CONSTRAINTS,
	DUMP_CERTIFICATE,
	TIMEOUT,
	PEM,
};

static const struct mw_sql_column columns[] = {
	[HOSTNAME] = {"hostname", MW_SQL_TEXT, MW_SQL_REQUIRED, "Server to ask, as name or name:port; must be given"},
	[COMMON_NAME] = {"common_name", MW_SQL_TEXT, 0, "Name the certificate is for"},
	[ORGANIZATION] = {"organization", MW_SQL_TEXT, 0, "Organisation it is for"},
	[ORGANIZATION_UNIT] = {"organization_unit", MW_SQL_TEXT, 0, "Part of the organisation"},
	[SERIAL_NUMBER] = {"serial_number", MW_SQL_TEXT, 0, "Its number, in hex", "nocase"},
	[ISSUER_COMMON_NAME] = {"issuer_common_name", MW_SQL_TEXT, 0, "Name of who made it"},
	[ISSUER_ORGANIZATION] = {"issuer_organization", MW_SQL_TEXT, 0, "Organisation of who made it"},
	[ISSUER_ORGANIZATION_UNIT] = {"issuer_organization_unit", MW_SQL_TEXT, 0, "Part of that organisation"},
	[VALID_FROM] = {"valid_from", MW_SQL_TEXT, 0, "When it begins to hold"},
	[VALID_TO] = {"valid_to", MW_SQL_TEXT, 0, "When it ends"},
	[SHA256_FINGERPRINT] = {"sha256_fingerprint", MW_SQL_TEXT, 0, "Its SHA-256", "nocase"},
	[SHA1_FINGERPRINT] = {"sha1_fingerprint", MW_SQL_TEXT, 0, "Its SHA-1", "nocase"},
	[VERSION] = {"version", MW_SQL_INTEGER, 0, "Version of the format: 3"},
	[SIGNATURE_ALGORITHM] = {"signature_algorithm", MW_SQL_TEXT, 0, "How it is signed"},
	[SIGNATURE] = {"signature", MW_SQL_TEXT, 0, "The signature, in hex"},
	[SUBJECT_KEY_IDENTIFIER] = {"subject_key_identifier", MW_SQL_TEXT, 0, "Identifier of its key, in hex",
				    "nocase"},
	[AUTHORITY_KEY_IDENTIFIER] = {"authority_key_identifier", MW_SQL_TEXT, 0,
				      "Identifier of the issuer's key, in hex", "nocase"},
	[KEY_USAGE] = {"key_usage", MW_SQL_TEXT, 0, "What the key is for"},
	[EXTENDED_KEY_USAGE] = {"extended_key_usage", MW_SQL_TEXT, 0, "What it is for in detail"},
	[POLICIES] = {"policies", MW_SQL_TEXT, 0, "Policies it was made under"},
	[SUBJECT_ALTERNATIVE_NAMES] = {"subject_alternative_names", MW_SQL_TEXT, 0, "Names it holds for"},
	[ISSUER_ALTERNATIVE_NAMES] = {"issuer_alternative_names", MW_SQL_TEXT, 0, "Other names of who made it"},
	[INFO_ACCESS] = {"info_access", MW_SQL_TEXT, 0, "Where more is to be had: OCSP, the issuer's certificate"},
	[SUBJECT_INFO_ACCESS] = {"subject_info_access", MW_SQL_TEXT, 0, "The same of its subject"},
	[POLICY_MAPPINGS] = {"policy_mappings", MW_SQL_TEXT, 0, "The extension in hex"},
	[HAS_EXPIRED] = {"has_expired", MW_SQL_INTEGER, 0, "1 when it has ended"},
	[BASIC_CONSTRAINT] = {"basic_constraint", MW_SQL_TEXT, 0, "Whether it may sign others"},
	[NAME_CONSTRAINTS] = {"name_constraints", MW_SQL_TEXT, 0, "The extension in hex"},
	[POLICY_CONSTRAINTS] = {"policy_constraints", MW_SQL_TEXT, 0, "The extension in hex"},
	[DUMP_CERTIFICATE] = {"dump_certificate", MW_SQL_INTEGER, MW_SQL_ADDITIONAL | MW_SQL_HIDDEN, "`= 1`: fill pem"},
	[TIMEOUT] = {"timeout", MW_SQL_INTEGER, MW_SQL_ADDITIONAL | MW_SQL_HIDDEN, "Seconds to wait: 4"},
	[PEM] = {"pem", MW_SQL_TEXT, 0, "The certificate itself, when dump_certificate is 1"},
	{0},
};

enum {
	PEM_BYTES = 256 << 10,
	TEXT_BYTES = 1 << 20,
	TIMEOUT_SECONDS = 4,
	MOST_SECONDS = 30,
	ELEMENTS = 256,
};

static void add(struct mw_rows *rows, unsigned column, struct mw_buf *text)
{
	mw_rows_text(rows, column, text->data ? text->data : "", text->size);
	mw_buf_clear(text);
}

static void add_part(struct mw_rows *rows, unsigned column, struct mw_der name, const char *part, struct mw_buf *text)
{
	mw_x509_name_part(name, part, text);
	add(rows, column, text);
}

static void add_hash(struct mw_rows *rows, unsigned column, enum mw_hash_kind kind, struct mw_der bytes,
		     struct mw_buf *text)
{
	unsigned char hash[MW_HASH_BYTES];
	int size = mw_hash(kind, bytes.at, bytes.left, hash);
	mw_x509_hex((struct mw_der){hash, size > 0 ? (size_t)size : 0}, false, text);
	add(rows, column, text);
}

/* SEQUENCE OF oid, or of SEQUENCE { oid, … }. */
static void oids(struct mw_der value, bool is_nested, struct mw_buf *text)
{
	struct mw_der list;
	struct mw_der oid;
	if (!mw_der_take(&value, MW_DER_SEQUENCE, &list))
		return;
	for (unsigned i = 0; i < ELEMENTS; i++) {
		struct mw_der inner = list;
		if (is_nested && !mw_der_take(&list, MW_DER_SEQUENCE, &inner))
			return;
		if (!mw_der_take(is_nested ? &inner : &list, MW_DER_OID, &oid))
			return;
		mw_buf_str(text, i ? ", " : "");
		mw_x509_oid(oid, text);
	}
}

/* SEQUENCE OF SEQUENCE { how, where } */
static void accesses(struct mw_der value, struct mw_buf *text)
{
	struct mw_der list;
	struct mw_der pair;
	struct mw_der how;
	if (!mw_der_take(&value, MW_DER_SEQUENCE, &list))
		return;
	for (unsigned i = 0; i < ELEMENTS && mw_der_take(&list, MW_DER_SEQUENCE, &pair); i++) {
		if (!mw_der_take(&pair, MW_DER_OID, &how))
			return;
		mw_buf_str(text, i ? ", " : "");
		mw_x509_oid(how, text);
		mw_buf_str(text, " - ");
		mw_x509_general_name(&pair, text);
	}
}

/* Extensions by the last byte of 2.5.29.n, RFC 5280; the two accesses have numbers of their own. */
static void add_extensions(struct mw_rows *rows, const struct mw_x509 *certificate, struct mw_buf *text)
{
	static const struct {
		const char *oid;
		size_t size;
		unsigned column;
	} extensions[] = {
		{"\x55\x1d\x25", 3, EXTENDED_KEY_USAGE},
		{"\x55\x1d\x20", 3, POLICIES},
		{"\x55\x1d\x11", 3, SUBJECT_ALTERNATIVE_NAMES},
		{"\x55\x1d\x12", 3, ISSUER_ALTERNATIVE_NAMES},
		{"\x2b\x06\x01\x05\x05\x07\x01\x01", 8, INFO_ACCESS},
		{"\x2b\x06\x01\x05\x05\x07\x01\x0b", 8, SUBJECT_INFO_ACCESS},
		{"\x55\x1d\x21", 3, POLICY_MAPPINGS},
		{"\x55\x1d\x1e", 3, NAME_CONSTRAINTS},
		{"\x55\x1d\x24", 3, POLICY_CONSTRAINTS},
	};
	for (size_t i = 0; i < sizeof(extensions) / sizeof(*extensions); i++) {
		struct mw_der value = mw_x509_extension(certificate, extensions[i].oid, extensions[i].size);
		switch (extensions[i].column) {
		case EXTENDED_KEY_USAGE:
		case POLICIES:
			oids(value, extensions[i].column == POLICIES, text);
			break;
		case SUBJECT_ALTERNATIVE_NAMES:
		case ISSUER_ALTERNATIVE_NAMES:
			mw_x509_general_names(value, text);
			break;
		case INFO_ACCESS:
		case SUBJECT_INFO_ACCESS:
			accesses(value, text);
			break;
		default:
			mw_x509_hex(value, false, text);
		}
		add(rows, extensions[i].column, text);
	}
}

static void add_certificate(struct mw_rows *rows, const struct mw_x509 *certificate)
{
	MW_AUTO(mw_buf) text = MW_BUF(TEXT_BYTES);
	add_part(rows, COMMON_NAME, certificate->subject, "CN", &text);
	add_part(rows, ORGANIZATION, certificate->subject, "O", &text);
	add_part(rows, ORGANIZATION_UNIT, certificate->subject, "OU", &text);
	add_part(rows, ISSUER_COMMON_NAME, certificate->issuer, "CN", &text);
	add_part(rows, ISSUER_ORGANIZATION, certificate->issuer, "O", &text);
	add_part(rows, ISSUER_ORGANIZATION_UNIT, certificate->issuer, "OU", &text);
	mw_x509_hex(certificate->serial, false, &text);
	add(rows, SERIAL_NUMBER, &text);
	mw_x509_time(certificate->not_before, &text);
	add(rows, VALID_FROM, &text);
	mw_x509_time(certificate->not_after, &text);
	add(rows, VALID_TO, &text);
	add_hash(rows, SHA256_FINGERPRINT, MW_HASH_SHA256, certificate->whole, &text);
	add_hash(rows, SHA1_FINGERPRINT, MW_HASH_SHA1, certificate->whole, &text);
	mw_rows_int(rows, VERSION, certificate->version);
	mw_x509_oid(certificate->signature_oid, &text);
	add(rows, SIGNATURE_ALGORITHM, &text);
	mw_x509_hex(certificate->signature, false, &text);
	add(rows, SIGNATURE, &text);
	mw_x509_hex(certificate->subject_key_id, false, &text);
	add(rows, SUBJECT_KEY_IDENTIFIER, &text);
	mw_x509_hex(certificate->authority_key_id, false, &text);
	add(rows, AUTHORITY_KEY_IDENTIFIER, &text);
	mw_x509_key_usage(certificate->key_usage, &text);
	add(rows, KEY_USAGE, &text);
	add_extensions(rows, certificate, &text);
	mw_rows_int(rows, HAS_EXPIRED, certificate->not_after < time(NULL));
	if (certificate->has_basic_constraints)
		mw_buf_str(&text, certificate->is_ca ? "CA:TRUE" : "CA:FALSE");
	if (certificate->path_length >= 0)
		mw_buf_printf(&text, ", pathlen:%d", certificate->path_length);
	add(rows, BASIC_CONSTRAINT, &text);
}

/* Milliseconds to wait: what is asked for, and no more than the query has left. */
static int time_for(const struct mw_sql_scan *scan, int64_t *ret_seconds)
{
	const struct mw_sql_constraint *timeout = mw_sql_equal(scan, TIMEOUT);
	int64_t left_ms = (scan->world->deadline_ns - mw_clock_mono_ns()) / MW_NS_PER_MS;
	*ret_seconds = timeout && timeout->is_integer ? timeout->integer : TIMEOUT_SECONDS;
	int64_t seconds = *ret_seconds < 1 ? 1 : *ret_seconds > MOST_SECONDS ? MOST_SECONDS : *ret_seconds;
	int64_t ms = seconds * 1000;
	return (int)(ms < left_ms ? ms : left_ms > 1 ? left_ms : 1);
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	const struct mw_sql_constraint *host = mw_sql_equal(scan, HOSTNAME);
	const struct mw_sql_constraint *dump = mw_sql_equal(scan, DUMP_CERTIFICATE);
	MW_AUTO(mw_buf) pem = MW_BUF(PEM_BYTES);
	MW_AUTO(mw_buf) der = MW_BUF(PEM_BYTES);
	struct mw_x509 certificate;
	int64_t seconds;
	if (!host)
		return 0;
	int timeout_ms = time_for(scan, &seconds);
	if (mw_net_peer(host->text, timeout_ms, &pem, err) < 0) {
		mw_sql_warn(scan->world, "curl_certificate: %s: %s", host->text, err->text);
		err->text[0] = '\0';
		return 0;
	}
	const char *at = pem.data;
	bool is_there = mw_pem_next(&at, &der);
	struct mw_der bytes = {(const unsigned char *)der.data, der.size};
	if (!is_there || !mw_x509_parse(&bytes, &certificate)) {
		mw_sql_warn(scan->world, "curl_certificate: %s: its certificate is not understood", host->text);
		return 0;
	}
	int r = mw_rows_add(rows);
	if (r < 0)
		return r;
	bool is_dumped = dump && dump->is_integer && dump->integer;
	mw_rows_string(rows, HOSTNAME, host->text);
	mw_rows_int(rows, DUMP_CERTIFICATE, dump && dump->is_integer ? dump->integer : 0);
	mw_rows_int(rows, TIMEOUT, seconds);
	mw_rows_text(rows, PEM, is_dumped ? pem.data : "", is_dumped ? pem.size : 0);
	add_certificate(rows, &certificate);
	return 0;
}

const struct mw_sql_table mw_table_curl_certificate = {
	.name = "curl_certificate",
	.doc = "The certificate a TLS server shows; it is not checked.",
	.source = "libcurl, where it is installed; nothing but a TLS handshake is sent",
	.example = "SELECT common_name, valid_to, has_expired FROM curl_certificate WHERE hostname = '127.0.0.1:1'",
	.columns = columns,
	.fill = fill,
};

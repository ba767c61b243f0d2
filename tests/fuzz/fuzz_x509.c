/* Certificates: all that is read of one, and all that is written of it. */
#include "base/buf.h"
#include "crypto/x509.h"

enum {
	TEXT_BYTES = 1 << 20
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mw_der from = {data, size};
	struct mw_x509 certificate;
	struct mw_buf text = MW_BUF(TEXT_BYTES);
	while (mw_x509_parse(&from, &certificate)) {
		mw_x509_name(certificate.subject, true, &text);
		mw_x509_name(certificate.issuer, false, &text);
		mw_x509_name_part(certificate.subject, "CN", &text);
		mw_x509_oid(certificate.signature_oid, &text);
		mw_x509_key_usage(certificate.key_usage, &text);
		mw_x509_general_names(mw_x509_extension(&certificate, "\x55\x1d\x11", 3), &text);
		mw_x509_time(certificate.not_after, &text);
		mw_x509_hex(certificate.serial, true, &text);
		if (mw_x509_is_ca(&certificate) && mw_x509_is_self_signed(&certificate))
			mw_buf_char(&text, '.');
	}
	mw_buf_release(&text);
	return 0;
}

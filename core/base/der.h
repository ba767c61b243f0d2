/* Reading DER, ITU-T X.690, as keys and certificates have it: tags of one byte, lengths of at most three.  Nothing is copied, and
 * nothing outside of the bytes is read. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* What is left to read, or the content of one element. */
struct mw_der {
	const unsigned char *at;
	size_t left;
};

enum {
	MW_DER_BOOLEAN = 0x01,
	MW_DER_INTEGER = 0x02,
	MW_DER_BITS = 0x03,
	MW_DER_OCTETS = 0x04,
	MW_DER_OID = 0x06,
	MW_DER_UTF8 = 0x0c,
	MW_DER_UTC_TIME = 0x17,
	MW_DER_TIME = 0x18,
	MW_DER_BMP = 0x1e,
	MW_DER_SEQUENCE = 0x30,
	MW_DER_SET = 0x31,
	/* [n], plain and constructed. */
	MW_DER_CONTEXT = 0x80,
	MW_DER_CONTEXT_CONSTRUCTED = 0xa0,
	/* OIDs as text, cut after this. */
	MW_DER_OID_TEXT_BYTES = 128,
};

/* Tag of the next element; 0 at the end. */
unsigned mw_der_tag(const struct mw_der *from);
/* The next element when it has this tag: its content, and `from` goes on behind it. */
bool mw_der_take(struct mw_der *from, unsigned tag, struct mw_der *ret);
/* The next one, whatever it is. */
bool mw_der_skip(struct mw_der *from, struct mw_der *ret);
bool mw_der_is(struct mw_der content, const char *bytes, size_t size);
/* "1.2.840", "" when it is none. */
void mw_der_oid_text(struct mw_der oid, char out[MW_DER_OID_TEXT_BYTES]);
/* Bits of an unsigned number, without leading zeros. */
int mw_der_bits(struct mw_der number);

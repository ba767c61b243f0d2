#include "base/der.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum {
	LENGTH_BYTES = 3,
	LONG_FORM = 0x80,
	OID_MORE = 0x80,
};

unsigned mw_der_tag(const struct mw_der *from)
{
	return from->left ? from->at[0] : 0;
}

bool mw_der_skip(struct mw_der *from, struct mw_der *ret)
{
	if (from->left < 2)
		return false;
	size_t head = 2;
	size_t length = from->at[1];
	if (length & LONG_FORM) {
		size_t count = length & (LONG_FORM - 1);
		if (count == 0 || count > LENGTH_BYTES || from->left < head + count)
			return false;
		length = 0;
		for (size_t i = 0; i < count; i++)
			length = length << 8 | from->at[head + i];
		head += count;
	}
	if (length > from->left - head)
		return false;
	/* `ret` may be `from`. */
	struct mw_der content = {from->at + head, length};
	from->at += head + length;
	from->left -= head + length;
	*ret = content;
	return true;
}

bool mw_der_take(struct mw_der *from, unsigned tag, struct mw_der *ret)
{
	return mw_der_tag(from) == tag && mw_der_skip(from, ret);
}

bool mw_der_is(struct mw_der content, const char *bytes, size_t size)
{
	return content.left == size && (size == 0 || memcmp(content.at, bytes, size) == 0);
}

/* The first number holds two arcs. */
void mw_der_oid_text(struct mw_der oid, char out[MW_DER_OID_TEXT_BYTES])
{
	size_t size = 0;
	uint64_t arc = 0;
	bool is_first = true;
	out[0] = '\0';
	for (size_t i = 0; i < oid.left && size < MW_DER_OID_TEXT_BYTES; i++) {
		arc = arc << 7 | (oid.at[i] & (OID_MORE - 1));
		if (oid.at[i] & OID_MORE)
			continue;
		unsigned long long top = arc < 80 ? arc / 40 : 2;
		unsigned long long value = is_first ? arc - top * 40 : arc;
		int n = is_first ? snprintf(out, MW_DER_OID_TEXT_BYTES, "%llu.%llu", top, value)
				 : snprintf(out + size, MW_DER_OID_TEXT_BYTES - size, ".%llu", value);
		size += n > 0 ? (size_t)n : 0;
		is_first = false;
		arc = 0;
	}
}

int mw_der_bits(struct mw_der number)
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

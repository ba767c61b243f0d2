#include "base/cidr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

enum {
	TEXT_BYTES = INET6_ADDRSTRLEN + 1,
	MAPPED_BITS = 96, /* of ::ffff:0:0 */
};

int mw_cidr_parse(const char *text, struct mw_cidr *ret_cidr)
{
	static const uint8_t mapped[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	char address[TEXT_BYTES];
	size_t length = strcspn(text, "/%");
	if (length >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, length);
	address[length] = '\0';
	unsigned max, first;
	if (inet_pton(AF_INET, address, ret_cidr->address + sizeof(mapped)) == 1) {
		memcpy(ret_cidr->address, mapped, sizeof(mapped));
		first = MAPPED_BITS;
		max = 32;
	} else if (inet_pton(AF_INET6, address, ret_cidr->address) == 1) {
		first = 0;
		max = 128;
	} else {
		return -EINVAL;
	}
	unsigned bits = max;
	/* A scope ("fe80::1%eth0") says nothing of the network. */
	if (text[length] == '/') {
		const char *digits = text + length + 1;
		size_t n = strspn(digits, "0123456789");
		if (n == 0 || n > 3 || digits[n])
			return -EINVAL;
		bits = 0;
		for (size_t i = 0; i < n; i++)
			bits = bits * 10 + (unsigned)(digits[i] - '0');
		if (bits > max)
			return -EINVAL;
	}
	ret_cidr->bits = first + bits;
	return 0;
}

bool mw_cidr_holds(const struct mw_cidr *cidr, const struct mw_cidr *address)
{
	unsigned bytes = cidr->bits / 8, rest = cidr->bits % 8;
	if (memcmp(cidr->address, address->address, bytes) != 0)
		return false;
	return rest == 0 || (cidr->address[bytes] ^ address->address[bytes]) >> (8 - rest) == 0;
}

/* Answers of rtnetlink: a datagram, its messages, their attributes. */
#include <stdlib.h>
#include <string.h>

#include "proc/rtnl.h"

enum {
	ATTRIBUTES = 32
};

static int look(void *data, const struct nlmsghdr *message)
{
	const struct rtattr *attributes[ATTRIBUTES];
	char text[64];
	size_t *sum = data;
	mw_rtnl_attributes(message, sizeof(struct rtmsg), attributes, ATTRIBUTES);
	for (size_t i = 0; i < ATTRIBUTES; i++) {
		mw_rtnl_address(attributes[i], AF_INET6, text);
		mw_rtnl_mac(attributes[i], text);
		*sum += strlen(text) + strlen(mw_rtnl_text(attributes[i])) + mw_rtnl_u32(attributes[i], 0);
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t sum = 0;
	void *aligned = malloc(size + 1);
	if (!aligned)
		abort();
	if (size)
		memcpy(aligned, data, size);
	(void)mw_rtnl_parse(aligned, size, 1, look, &sum);
	free(aligned);
	return 0;
}

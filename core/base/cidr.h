/* Networks: "10.0.0.0/8", "fe80::/10", or one address. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* IPv4 as ::ffff:A.B.C.D, so that an address is found whichever way the socket names it. */
struct mw_cidr {
	uint8_t address[16];
	unsigned bits;
};

/* -EINVAL for what is neither. */
int mw_cidr_parse(const char *text, struct mw_cidr *ret_cidr);
bool mw_cidr_holds(const struct mw_cidr *cidr, const struct mw_cidr *address);

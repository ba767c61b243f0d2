#include "aws/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static bool is_container_ipv4(uint32_t address)
{
	return address >> 24 == 127 || address == 0xA9FEAA02 || address == 0xA9FEAA17;
}

bool mw_aws_is_container_address(const struct sockaddr *address)
{
	/* EKS Pod Identity, fd00:ec2::23. */
	static const struct in6_addr eks = {.s6_addr = {0xFD, 0, 0x0E, 0xC2, [15] = 0x23}};
	if (address->sa_family == AF_INET)
		return is_container_ipv4(ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr));
	if (address->sa_family != AF_INET6)
		return false;
	const struct in6_addr *six = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
	return IN6_IS_ADDR_LOOPBACK(six) || memcmp(six, &eks, sizeof(eks)) == 0;
}

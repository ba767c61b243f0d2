/* Sockets to be seen.  usage: sockets ipv4|ipv6|udp|PATH hold|close|leave
 *
 * Listens, connects to itself and accepts (udp: binds, and connects another), and prints the ports of listener and client
 * (nothing for a unix socket at PATH, "@NAME" for an abstract one).  Then: hold: waits for the end of its input; close:
 * closes them; leave: ends with all open.  Exits with 77 where there is no such address. */
#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static socklen_t fill(const char *what, struct sockaddr_storage *address)
{
	struct sockaddr_in *ipv4 = (struct sockaddr_in *)address;
	struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)address;
	struct sockaddr_un *local = (struct sockaddr_un *)address;
	memset(address, 0, sizeof(*address));
	if (strcmp(what, "ipv6") == 0) {
		ipv6->sin6_family = AF_INET6;
		ipv6->sin6_addr = in6addr_loopback;
		return sizeof(*ipv6);
	}
	if (strcmp(what, "ipv4") == 0 || strcmp(what, "udp") == 0) {
		ipv4->sin_family = AF_INET;
		ipv4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return sizeof(*ipv4);
	}
	local->sun_family = AF_UNIX;
	size_t n = strlen(what);
	memcpy(local->sun_path, what, n);
	if (what[0] == '@')
		local->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
}

static int port_of(int fd)
{
	struct sockaddr_storage address;
	memset(&address, 0, sizeof(address));
	socklen_t size = sizeof(address);
	if (getsockname(fd, (struct sockaddr *)&address, &size) < 0 || address.ss_family == AF_UNIX)
		return 0;
	return ntohs(address.ss_family == AF_INET ? ((struct sockaddr_in *)&address)->sin_port
						  : ((struct sockaddr_in6 *)&address)->sin6_port);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	struct sockaddr_storage address;
	memset(&address, 0, sizeof(address));
	socklen_t size = fill(argv[1], &address);
	int is_udp = strcmp(argv[1], "udp") == 0;
	int type = is_udp ? SOCK_DGRAM : SOCK_STREAM;
	int listener = socket(address.ss_family, type, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) < 0)
		return 77;
	if (!is_udp && listen(listener, 4) < 0)
		return 1;
	(void)getsockname(listener, (struct sockaddr *)&address, &size);
	int client = socket(address.ss_family, type, 0);
	if (client < 0 || connect(client, (struct sockaddr *)&address, size) < 0)
		return 1;
	int server = is_udp ? -1 : accept(listener, NULL, NULL);
	printf("%d %d\n", port_of(listener), port_of(client));
	(void)fflush(stdout);
	if (strcmp(argv[2], "close") == 0) {
		close(client);
		close(server);
		close(listener);
	}
	char byte;
	if (strcmp(argv[2], "hold") == 0)
		while (read(STDIN_FILENO, &byte, 1) > 0)
			;
	return 0;
}

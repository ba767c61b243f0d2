/* Stands for tools that need not be installed: a copy under a tool's name connects to the address and port among its arguments, as
 * the tool would, and ends.  usage: TOOL [OPTION…] [USER@]ADDRESS[:PORT] [PORT], [-p PORT], proto://ADDRESS:PORT
 *
 * -e PROGRAM: when connected, becomes that program with the connection as its input and output; -l: it listens instead, until it is
 * ended.  Without an address or a port it does nothing; ssh and its like have a port of their own.  Always exits with 0. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A number that is a port. */
static int port_of(const char *text)
{
	char *end;
	long port = strtol(text, &end, 10);
	return *text && !*end && port > 0 && port < 65536 ? (int)port : 0;
}

/* "user@203.0.113.9:22" and its like: the address without what stands around it. */
static void read_place(const char *text, struct sockaddr_in *place)
{
	char word[256];
	const char *after = strstr(text, "//");
	const char *name = strchr(text, '@');
	(void)snprintf(word, sizeof(word), "%s", after ? after + 2 : name ? name + 1 : text);
	char *colon = strchr(word, ':');
	if (colon)
		*colon = '\0';
	if (inet_pton(AF_INET, word, &place->sin_addr) != 1)
		return;
	place->sin_family = AF_INET;
	if (colon && port_of(colon + 1))
		place->sin_port = htons((uint16_t)port_of(colon + 1));
}

int main(int argc, char **argv)
{
	struct sockaddr_in place = {0};
	const char *program = NULL;
	int listens = 0;
	if (strstr(argv[0], "ssh") || strstr(argv[0], "scp"))
		place.sin_port = htons(22);
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-e") == 0 && argv[i + 1])
			program = argv[++i];
		else if (strcmp(argv[i], "-l") == 0)
			listens = 1;
		else if (port_of(argv[i]))
			place.sin_port = htons((uint16_t)port_of(argv[i]));
		else
			read_place(argv[i], &place);
	}
	if (place.sin_family != AF_INET || !place.sin_port)
		return 0;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0)
		return 0;
	if (listens) {
		if (bind(fd, (struct sockaddr *)&place, sizeof(place)) == 0 && listen(fd, 1) == 0)
			(void)pause();
		return 0;
	}
	if (connect(fd, (struct sockaddr *)&place, sizeof(place)) == 0 && program) {
		for (int i = 0; i < 3; i++)
			(void)dup2(fd, i);
		(void)close(fd);
		(void)execl(program, program, (char *)NULL);
	}
	return 0;
}

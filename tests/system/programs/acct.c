/* Let the kernel keep a record of every process of this PID namespace that ends; acct(2), acct(5).
 *
 * usage: acct FILE    begin, or go on in another file
 *        acct         stop */

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : NULL;
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : 0;
	if (fd < 0 || acct(path) < 0) {
		perror("acct");
		return 1;
	}
	return 0;
}

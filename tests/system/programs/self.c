/* Removes its own file. */
#include <unistd.h>

int main(int argc, char **argv)
{
	(void)argc;
	return unlink(argv[0]) == 0 ? 0 : 1;
}

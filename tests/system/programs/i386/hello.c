/* A 32-bit program for x86 without a C library, so that building it takes no 32-bit one.
 *
 * Prints "32 bits" and the first argument, starts a child that ends with exit code 3, and ends with the sum of that and 4. */

enum {
	SYS_exit = 1,
	SYS_fork = 2,
	SYS_write = 4,
	SYS_waitpid = 7,
};

static int call(int number, int first, int second, int third)
{
	int result;
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(first), "c"(second), "d"(third) : "memory");
	return result;
}

static void print(const char *text)
{
	int n = 0;
	while (text[n])
		n++;
	(void)call(SYS_write, 1, (int)text, n);
}

/* `stack` is what the kernel left there: argc, then argv. */
__attribute__((used)) static void start(const int *stack)
{
	int status = 0;
	print("32 bits: ");
	if (stack[0] > 1)
		print((const char *)stack[2]);
	print("\n");
	int pid = call(SYS_fork, 0, 0, 0);
	if (pid == 0)
		(void)call(SYS_exit, 3, 0, 0);
	(void)call(SYS_waitpid, pid, (int)&status, 0);
	(void)call(SYS_exit, (status >> 8) + 4, 0, 0);
}

__asm__(".globl _start\n"
	"_start: mov %esp, %eax\n"
	"push %eax\n"
	"call start\n");

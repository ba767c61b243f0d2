/* Run a command on a terminal of its own and type to it.
 *
 * usage: pty COMMAND [ARG…] <SCRIPT
 *
 * Lines of the script: "expect TEXT" waits until the terminal has shown TEXT, anywhere after what was expected last;
 * "send TEXT" types; "resize COLUMNS" makes the terminal as wide; "hangup now" closes it.  In TEXT \n is a newline, \r a
 * return, \s a blank and ^X the control character of X.  Prints all that the terminal showed.  Ends as the command does (128
 * and the number of a signal), and with 124 when nothing is shown for ten seconds although something is expected. */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "check.h"

enum {
	PATIENCE_MS = 10000,
	EXIT_TIMEOUT = 124,
};

static char shown[1 << 20];
static size_t shown_bytes;
static size_t expected_bytes;

static void unescape(char *text)
{
	char *out = text;
	for (; *text; text++) {
		if (text[0] == '^' && text[1])
			*out++ = (char)(*++text & 0x1f);
		else if (text[0] == '\\' && strchr("nrs", text[1]))
			*out++ = *++text == 'n' ? '\n' : *text == 'r' ? '\r' : ' ';
		else
			*out++ = *text;
	}
	*out = '\0';
}

/* 0 at the end, which is an error of reading once nobody holds the terminal open. */
static int take(int terminal)
{
	struct pollfd ready = {.fd = terminal, .events = POLLIN};
	if (poll(&ready, 1, PATIENCE_MS) <= 0) {
		(void)fwrite(shown, 1, shown_bytes, stdout);
		(void)fprintf(stderr, "pty: nothing more is shown\n");
		(void)fflush(stdout);
		exit(EXIT_TIMEOUT);
	}
	CHECK(shown_bytes < sizeof(shown));
	ssize_t n = read(terminal, shown + shown_bytes, sizeof(shown) - shown_bytes);
	if (n <= 0)
		return 0;
	shown_bytes += (size_t)n;
	return 1;
}

static void expect(int terminal, const char *text)
{
	for (;;) {
		const char *found = memmem(shown + expected_bytes, shown_bytes - expected_bytes, text, strlen(text));
		if (found) {
			expected_bytes = (size_t)(found - shown) + strlen(text);
			return;
		}
		if (!take(terminal)) {
			(void)fwrite(shown, 1, shown_bytes, stdout);
			(void)fprintf(stderr, "pty: it ended before it showed: %s\n", text);
			(void)fflush(stdout);
			exit(EXIT_TIMEOUT);
		}
	}
}

static void resize(int terminal, unsigned short columns)
{
	struct winsize size = {.ws_row = 24, .ws_col = columns};
	CHECK(ioctl(terminal, TIOCSWINSZ, &size) == 0);
}

static pid_t start(int terminal, char **argv)
{
	const char *name = ptsname(terminal);
	pid_t pid = fork();
	CHECK(name && pid >= 0);
	if (pid > 0)
		return pid;
	(void)setsid();
	int own = open(name, O_RDWR); /* and, as the session has none, its controlling terminal */
	struct termios settings;
	CHECK(own >= 0 && tcgetattr(own, &settings) == 0);
	settings.c_lflag &= ~(tcflag_t)ECHO;
	CHECK(tcsetattr(own, TCSANOW, &settings) == 0);
	for (int fd = 0; fd <= 2; fd++)
		(void)dup2(own, fd);
	(void)close(own);
	(void)close(terminal);
	(void)execvp(argv[0], argv);
	_exit(127);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	int terminal = posix_openpt(O_RDWR | O_NOCTTY);
	CHECK(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
	resize(terminal, 80);
	pid_t pid = start(terminal, argv + 1);

	int is_open = 1;
	char line[4096];
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		char *text = strchr(line, ' ');
		CHECK(text != NULL);
		unescape(++text);
		if (strncmp(line, "expect ", 7) == 0)
			expect(terminal, text);
		else if (strncmp(line, "resize ", 7) == 0)
			resize(terminal, (unsigned short)atoi(text));
		else if (strncmp(line, "hangup ", 7) == 0)
			is_open = close(terminal) != 0;
		else
			CHECK(write(terminal, text, strlen(text)) == (ssize_t)strlen(text));
	}
	while (is_open && take(terminal))
		;
	int status;
	CHECK(waitpid(pid, &status, 0) == pid);
	(void)fwrite(shown, 1, shown_bytes, stdout);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

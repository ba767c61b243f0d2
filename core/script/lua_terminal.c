/* moonwatch.terminal: what an editor of lines needs of a terminal; the editor is lua/moonwatch/shell/editor.lua.
 *
 * There is one terminal, that of standard input and output.  It is put back as it was found when the object goes, when the
 * program ends in order, and when a signal ends it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "script/bind.h"
#include "script/progress.h"
#include "sql/interrupt.h"

#define TERMINAL "moonwatch.Terminal"

int luaopen_moonwatch_terminal(lua_State *L);

enum {
	READ_BYTES = 4096,
	/* Of a terminal that does not tell. */
	COLUMNS = 80,
	ROWS = 24,
};

static struct termios as_found;
static volatile sig_atomic_t is_raw;
static volatile sig_atomic_t is_resized;

/* May be called by a handler of signals. */
static void restore(void)
{
	if (is_raw)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &as_found);
	is_raw = 0;
}

static void on_end(int signal)
{
	restore();
	(void)raise(signal); /* SA_RESETHAND: it now ends us, once the handler returns */
}

static void on_resize(int signal)
{
	(void)signal;
	is_resized = 1;
}

static void on_interrupt(int signal)
{
	(void)signal;
	mw_sql_interrupt();
}

static void handle(int signal, void (*handler)(int), int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(signal, &action, NULL);
}

/* is_terminal(fd) -> boolean */
static int terminal_is_terminal(lua_State *L)
{
	lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
	return 1;
}

/* open() -> terminal | nil, message, code */
static int terminal_open(lua_State *L)
{
	if (!isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &as_found) < 0)
		return mw_lua_fail(L, -errno, "terminal");
	(void)lua_newuserdatauv(L, 0, 0);
	luaL_setmetatable(L, TERMINAL);
	handle(SIGWINCH, on_resize, 0); /* without SA_RESTART: poll() returns anyhow */
	handle(SIGTERM, on_end, (int)SA_RESETHAND);
	handle(SIGHUP, on_end, (int)SA_RESETHAND);
	handle(SIGQUIT, on_end, (int)SA_RESETHAND);
	return 1;
}

/* terminal:set_raw(boolean): every key at once, none with an effect of its own. */
static int terminal_set_raw(lua_State *L)
{
	(void)luaL_checkudata(L, 1, TERMINAL);
	if (!lua_toboolean(L, 2)) {
		restore();
		return 0;
	}
	struct termios raw = as_found;
	raw.c_iflag &= ~(tcflag_t)(BRKINT | ICRNL | INPCK | ISTRIP | IXON);
	raw.c_cflag |= CS8;
	raw.c_lflag &= ~(tcflag_t)(ECHO | ICANON | IEXTEN | ISIG);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	is_raw = 1;
	(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &raw); /* what was typed ahead stays */
	return 0;
}

/* Also __gc and __close. */
static int terminal_close(lua_State *L)
{
	(void)luaL_checkudata(L, 1, TERMINAL);
	restore();
	return 0;
}

/* terminal:read([timeout_ms]) -> bytes | nil, "timeout" | "resized" | "closed" */
static int terminal_read(lua_State *L)
{
	(void)luaL_checkudata(L, 1, TERMINAL);
	int timeout_ms = (int)luaL_optinteger(L, 2, -1);
	char bytes[READ_BYTES];
	for (;;) {
		struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
		int ready = is_resized ? 0 : poll(&input, 1, timeout_ms);
		lua_pushnil(L);
		if (is_resized) {
			is_resized = 0;
			lua_pushliteral(L, "resized");
			return 2;
		}
		if (ready == 0) {
			lua_pushliteral(L, "timeout");
			return 2;
		}
		ssize_t n = ready < 0 ? -1 : read(STDIN_FILENO, bytes, sizeof(bytes));
		if (n > 0) {
			lua_pushlstring(L, bytes, (size_t)n);
			return 1;
		}
		if (n == 0 || errno != EINTR) {
			lua_pushliteral(L, "closed");
			return 2;
		}
		lua_pop(L, 1);
	}
}

/* terminal:size() -> columns, rows */
static int terminal_size(lua_State *L)
{
	struct winsize size = {0};
	(void)luaL_checkudata(L, 1, TERMINAL);
	(void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	lua_pushinteger(L, size.ws_col ? size.ws_col : COLUMNS);
	lua_pushinteger(L, size.ws_row ? size.ws_row : ROWS);
	return 2;
}

/* terminal:suspend(): as Ctrl-Z does elsewhere; returns when we are continued.  Not raw then. */
static int terminal_suspend(lua_State *L)
{
	(void)luaL_checkudata(L, 1, TERMINAL);
	restore();
	(void)kill(0, SIGTSTP);
	return 0;
}

/* catch_interrupts(): from now on SIGINT ends the running query, not the program. */
static int terminal_catch_interrupts(lua_State *L)
{
	(void)L;
	handle(SIGINT, on_interrupt, SA_RESTART);
	return 0;
}

/* take_interrupt() -> boolean: was there one since the last call? */
static int terminal_take_interrupt(lua_State *L)
{
	lua_pushboolean(L, mw_sql_is_interrupted());
	mw_sql_go_on();
	return 1;
}

/* begin_progress(note) */
static int terminal_begin_progress(lua_State *L)
{
	mw_progress_begin(luaL_checkstring(L, 1));
	return 0;
}

/* end_progress() */
static int terminal_end_progress(lua_State *L)
{
	(void)L;
	mw_progress_end();
	return 0;
}

static double seconds_of(const struct timeval *time)
{
	return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

/* times() -> real, user, system: seconds, the first from some moment in the past */
static int terminal_times(lua_State *L)
{
	struct rusage usage = {0};
	(void)getrusage(RUSAGE_SELF, &usage);
	lua_pushnumber(L, (double)mw_clock_mono_ns() / 1e9);
	lua_pushnumber(L, seconds_of(&usage.ru_utime));
	lua_pushnumber(L, seconds_of(&usage.ru_stime));
	return 3;
}

/* 0 or a negative errno. */
static int append(int fd, const char *text, size_t size)
{
	struct stat status;
	if (fstat(fd, &status) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode) || status.st_uid != geteuid())
		return -EPERM;
	if (status.st_mode & 077 && fchmod(fd, 0600) < 0)
		return -errno;
	ssize_t written = write(fd, text, size);
	if (written < 0)
		return -errno;
	return (size_t)written == size ? 0 : -EIO;
}

/* append_private(path, text) -> true | nil, message, code: to a regular file of ours that nobody else may read; made when
 * it is not there. */
static int terminal_append_private(lua_State *L)
{
	const char *path = luaL_checkstring(L, 1);
	size_t size;
	const char *text = luaL_checklstring(L, 2, &size);
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0)
		return mw_lua_fail(L, -errno, path);
	int r = append(fd, text, size);
	(void)close(fd);
	if (r < 0)
		return mw_lua_fail(L, r, path);
	lua_pushboolean(L, true);
	return 1;
}

int luaopen_moonwatch_terminal(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"is_terminal", terminal_is_terminal},
		{"open", terminal_open},
		{"catch_interrupts", terminal_catch_interrupts},
		{"take_interrupt", terminal_take_interrupt},
		{"begin_progress", terminal_begin_progress},
		{"end_progress", terminal_end_progress},
		{"times", terminal_times},
		{"append_private", terminal_append_private},
		{NULL, NULL},
	};
	static const luaL_Reg methods[] = {
		{"set_raw", terminal_set_raw}, {"read", terminal_read},   {"size", terminal_size},
		{"suspend", terminal_suspend}, {"close", terminal_close}, {NULL, NULL},
	};
	luaL_newmetatable(L, TERMINAL);
	lua_pushcfunction(L, terminal_close);
	lua_setfield(L, -2, "__gc");
	lua_pushcfunction(L, terminal_close);
	lua_setfield(L, -2, "__close");
	lua_newtable(L);
	luaL_setfuncs(L, methods, 0);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
	luaL_newlib(L, functions);
	return 1;
}

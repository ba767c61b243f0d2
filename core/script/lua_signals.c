/* moonwatch.signals: being asked to end, for commands that run for long. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "script/bind.h"
#include "script/lua_loop.h"

int luaopen_moonwatch_signals(lua_State *L);

/* One process, one of it. */
static struct {
	int fd;
	struct mw_lua_wait *wait;
} asked = {.fd = -1};

static int push_name(lua_State *task, void *data)
{
	const struct signalfd_siginfo *info = data;
	lua_pushstring(task, info->ssi_signo == SIGINT ? "SIGINT" : "SIGTERM");
	return 1;
}

static void on_signal(void *data, uint32_t events)
{
	struct signalfd_siginfo info;
	(void)data;
	(void)events;
	if (read(asked.fd, &info, sizeof(info)) != sizeof(info) || !asked.wait)
		return;
	struct mw_lua_wait *wait = asked.wait;
	asked.wait = NULL;
	mw_loop_unwatch(mw_lua_tasks_loop(wait->tasks), asked.fd);
	mw_lua_wake(wait, push_name, &info);
}

/* hold(): from now on SIGTERM and SIGINT are kept for wait() */
static int signals_hold(lua_State *L)
{
	sigset_t set;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	if (asked.fd < 0) {
		(void)sigprocmask(SIG_BLOCK, &set, NULL);
		asked.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	}
	return asked.fd < 0 ? luaL_error(L, "signalfd: %s", strerror(errno)) : 0;
}

/* wait() -> "SIGTERM" | "SIGINT" */
static int signals_wait(lua_State *L)
{
	if (asked.fd < 0 || asked.wait)
		return luaL_error(L, asked.wait ? "another task waits for them" : "hold() them first");
	struct mw_lua_wait *wait = mw_lua_wait_new(L);
	int r = mw_loop_watch(mw_lua_tasks_loop(wait->tasks), asked.fd, EPOLLIN, on_signal, NULL);
	if (r < 0) {
		mw_lua_wait_free(wait);
		return luaL_error(L, "epoll_ctl: %s", strerror(-r));
	}
	asked.wait = wait;
	return lua_yield(L, 0);
}

int luaopen_moonwatch_signals(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"hold", signals_hold},
		{"wait", signals_wait},
		{NULL, NULL},
	};
	luaL_newlib(L, functions);
	return 1;
}

/* moonwatch.environment: what AWS and ECS tell a container, and nothing else of what belongs to the application. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "script/bind.h"

int luaopen_moonwatch_environment(lua_State *L);

static bool is_of_the_container(const char *name)
{
	static const char *const others[] = {"FLUENT_HOST", "FLUENT_PORT", "HOSTNAME"};
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (strcmp(name, others[i]) == 0)
			return true;
	return strncmp(name, "AWS_", 4) == 0 || strncmp(name, "ECS_", 4) == 0;
}

/* get(name) -> string, or nil when it is not set or empty */
static int environment_get(lua_State *L)
{
	const char *name = luaL_checkstring(L, 1);
	luaL_argcheck(L, is_of_the_container(name), 1,
		      "begins with AWS_ or ECS_, or is FLUENT_HOST, FLUENT_PORT or HOSTNAME");
	const char *value = getenv(name);
	lua_pushstring(L, value && *value ? value : NULL);
	return 1;
}

/* hostname() -> string */
static int environment_hostname(lua_State *L)
{
	struct utsname names;
	lua_pushstring(L, uname(&names) == 0 ? names.nodename : "");
	return 1;
}

int luaopen_moonwatch_environment(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"get", environment_get},
		{"hostname", environment_hostname},
		{NULL, NULL},
	};
	luaL_newlib(L, functions);
	return 1;
}

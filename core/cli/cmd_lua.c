#include <string.h>

#include "cli/command.h"
#include "script/tool.h"

static int run(int argc, char **argv)
{
	if (argc >= 2 && strcmp(argv[1], "--") == 0) {
		argv++;
		argc--;
	} else if (argc >= 2 && argv[1][0] == '-') {
		mw_complain("lua: unknown option '%s'; see moonwatch lua --help", argv[1]);
		return MW_EXIT_USAGE;
	}
	if (argc < 2) {
		mw_complain("lua: names no file; usage: moonwatch lua FILE [ARG…]");
		return MW_EXIT_USAGE;
	}
	const char *tree = mw_tree();
	return *tree ? mw_tool_run(tree, "moonwatch", argc - 1, argv + 1) : MW_EXIT_NO;
}

const struct mw_command mw_command_lua = {
	.name = "lua",
	.usage = "FILE [ARG…]",
	.summary = "run a Lua script with moonwatch's modules",
	.help = "All of Lua's libraries are there, and what require finds in lua/ of the installed tree.\n"
		"Exit status: what the script gives os.exit, 1 when it fails, else 0.\n",
	.run = run,
};

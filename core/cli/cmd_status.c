/* moonwatch status: what it prints is lua/moonwatch/status.lua. */
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "cli/command.h"
#include "flag/flag.h"
#include "script/tool.h"

enum {
	ARGUMENTS = 16
};

static int run(int argc, char **argv)
{
	/* What the sensor would take; an argument of the user comes later and so wins. */
	static char flag[MW_PATH_BYTES + 16];
	char *all[ARGUMENTS];
	const char *dir = getenv("MOONWATCH_STATE_DIR");
	int n = snprintf(flag, sizeof(flag), "--state_dir=%s",
			 dir && *dir ? dir : mw_flag_list[MW_FLAG_STATE_DIR].def_text);
	if (n < 0 || (size_t)n >= sizeof(flag) || argc >= ARGUMENTS) {
		mw_complain("status: %s", argc >= ARGUMENTS ? "too many arguments" : "MOONWATCH_STATE_DIR is too long");
		return MW_EXIT_USAGE;
	}
	all[0] = flag;
	for (int i = 1; i < argc; i++)
		all[i] = argv[i];
	const char *tree = mw_tree();
	return *tree ? mw_script_run_module(tree, "moonwatch.status", argc, all) : MW_EXIT_NO;
}

const struct mw_command mw_command_status = {
	.name = "status",
	.usage = "[--json] [--state_dir=DIR]",
	.summary = "Say how the sensor fares: what it watches, what it has seen, what was dropped.",
	.help = "  --json           the same as one JSON object\n"
		"  --state_dir=DIR  where the sensor keeps what it saw (MOONWATCH_STATE_DIR)\n\n"
		"Exit status: 0 when a sensor runs here and collects what it is to collect; 1 when none does, when it has\n"
		"not been heard of for 15 s, when collection stopped, or when its state cannot be read, being in memory; 2 for\n"
		"wrong arguments.\n",
	.run = run,
};

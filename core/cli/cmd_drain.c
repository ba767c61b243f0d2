/* moonwatch drain: what it does is lua/moonwatch/drain.lua. */
#include <stdlib.h>

#include "cli/command.h"
#include "net/http.h"
#include "script/tool.h"

enum {
	ARGUMENTS = 32
};

static int run(int argc, char **argv)
{
	static char none[] = "";
	char *all[ARGUMENTS];
	if (argc >= ARGUMENTS) {
		mw_complain("drain: too many arguments");
		return MW_EXIT_USAGE;
	}
	all[0] = getenv("MOONWATCH_OUTPUTS");
	if (!all[0])
		all[0] = none;
	for (int i = 1; i < argc; i++)
		all[i] = argv[i];
	const char *tree = mw_tree();
	if (!*tree)
		return MW_EXIT_NO;
	mw_http_set_tree(tree);
	return mw_script_run_module(tree, "moonwatch.drain", argc, all);
}

const struct mw_command mw_command_drain = {
	.name = "drain",
	.usage = "[--outputs=LIST] [--once] [--stop_ms=MS] DIR",
	.summary = "Deliver what sensors of this task could not, and left in DIR (--spool_handover) at their end.",
	.help = "  --outputs=LIST   as the sensors have it (MOONWATCH_OUTPUTS); those that are not in it are left alone\n"
		"  --once           end when nothing is left to be delivered, or as soon as something cannot be\n"
		"  --stop_ms=MS     how long it goes on after SIGTERM: 25000, which is less than ECS waits\n\n"
		"It runs as a container beside the application, stopped after it, and delivers with the same batches, back-off\n"
		"and identities as the sensor would have. What was taken is removed from DIR.\n\n"
		"Exit status: 0 when nothing is left in DIR; 1 when something is; 2 for wrong arguments.\n",
	.run = run,
};

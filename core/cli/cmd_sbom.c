/* moonwatch sbom: what it writes is lua/moonwatch/sbom/. */
#include "cli/command.h"
#include "script/tool.h"

enum {
	ARGUMENTS = 32
};

static int run(int argc, char **argv)
{
	static char version[] = "--version=" MOONWATCH_VERSION;
	char *all[ARGUMENTS];
	if (argc >= ARGUMENTS) {
		mw_complain("sbom: too many arguments");
		return MW_EXIT_USAGE;
	}
	all[0] = version;
	for (int i = 1; i < argc; i++)
		all[i] = argv[i];
	const char *tree = mw_tree();
	return *tree ? mw_script_run_module(tree, "moonwatch.sbom", argc, all) : MW_EXIT_NO;
}

const struct mw_command mw_command_sbom = {
	.name = "sbom",
	.usage = "[--format=cyclonedx|spdx] [-o FILE] [--root=DIR] [--name=NAME] [--time_limit=MS]",
	.summary = "write a bill of materials: the packages of this container, with their package URLs",
	.help = "  --format=cyclonedx CycloneDX 1.6 as JSON (the default)\n"
		"  --format=spdx      SPDX 2.3 as JSON\n"
		"  -o, --output=FILE  where to; standard output unless given\n"
		"  --root=DIR         the folder that holds the container's files, if it is not this one\n"
		"  --name=NAME        what the container is called: container\n"
		"  --time_limit=MS    most time for one kind of package: 60000; what is not found by then is missing, and the\n"
		"                     document says that it is incomplete\n\n"
		"The same packages give the same document when SOURCE_DATE_EPOCH is set (its time stamp is the only difference\n"
		"else, and what is derived from it).\n\n"
		"Exit status: 0, also when something was missed, which a warning tells; 1 when it could not be written; 2 for\n"
		"wrong arguments.\n",
	.run = run,
};

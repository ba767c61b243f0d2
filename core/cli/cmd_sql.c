/* moonwatch sql: what it prints and how it reads lines is lua/moonwatch/shell/. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "cli/command.h"
#include "flag/flag.h"
#include "script/tool.h"

enum {
	ARGUMENTS = 256
};

/* --allow_plain_env[=BOOL]: the tables ask the environment, as for all flags. */
static bool take_plain(const char *argument)
{
	static const char name[] = "--allow_plain_env";
	size_t n = sizeof(name) - 1;
	if (strncmp(argument, name, n) != 0 || (argument[n] && argument[n] != '='))
		return false;
	(void)setenv("MOONWATCH_ALLOW_PLAIN_ENV", argument[n] ? argument + n + 1 : "true", 1);
	return true;
}

static int run(int argc, char **argv)
{
	/* What the sensor would take; an argument of the user comes later and so wins. */
	static char flag[MW_PATH_BYTES + 16];
	static char yes[] = "--interactive=true";
	static char no[] = "--interactive=false";
	char *all[ARGUMENTS];
	const char *dir = getenv("MOONWATCH_STATE_DIR");
	if (argc >= ARGUMENTS - 1) {
		mw_complain("sql: more than %d arguments; put the query into quotes", ARGUMENTS - 2);
		return MW_EXIT_USAGE;
	}
	int n = snprintf(flag, sizeof(flag), "--state_dir=%s",
			 dir && *dir ? dir : mw_flag_list[MW_FLAG_STATE_DIR].def_text);
	if (n < 0 || (size_t)n >= sizeof(flag)) {
		mw_complain("sql: MOONWATCH_STATE_DIR is too long for a path");
		return MW_EXIT_USAGE;
	}
	all[0] = flag;
	all[1] = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) ? yes : no;
	int count = 2;
	for (int i = 1; i < argc; i++)
		if (!take_plain(argv[i]))
			all[count++] = argv[i];
	const char *tree = mw_tree();
	return *tree ? mw_script_run_module(tree, "moonwatch.shell", count, all) : MW_EXIT_NO;
}

const struct mw_command mw_command_sql = {
	.name = "sql",
	.usage =
		"[--table|--column|--line|--list|--csv|--json|--json_pretty|--jsonl] [--header=false] [--separator=X]\n"
		"           [--nullvalue=X] [--state_dir=DIR] [QUERY]",
	.summary = "ask about this container, and about what the sensor saw, in SQL",
	.help = "Without QUERY, statements are read from standard input, each ended by ';'; on a terminal with a prompt,\n"
		"where .help tells more: there is a history (~/.moonwatch_history, or MOONWATCH_HISTORY; none when that is\n"
		"empty), the Tab key completes names, and Ctrl-C ends the query that runs.\n\n"
		"  --table            a table (the default)\n"
		"  --column           the same without its lines\n"
		"  --json             a list of objects, as osqueryi: every value a string, NULL an empty one\n"
		"  --json_pretty      the same with a line for each value\n"
		"  --jsonl            one such object a line\n"
		"  --csv              a line each, values that need it in double quotes (RFC 4180)\n"
		"  --list             a line each, values as they are\n"
		"  --line             a line for each value: column = value\n"
		"  --separator=X      between the values of --csv and --list: '|', as osqueryi, unless given\n"
		"  --header=false     without the line of column names\n"
		"  --nullvalue=X      what NULL is shown as, but in JSON: nothing unless given\n"
		"  --state_dir=DIR    where the sensor keeps what it saw (MOONWATCH_STATE_DIR); when there is nothing,\n"
		"                     the places it falls back to are looked into as well\n"
		"  --interactive=true with a prompt, though standard input is no terminal\n"
		"  --allow_plain_env  secrets in environments and command lines as they are, not [redacted:…]\n"
		"  --time_limit=MS    most time for one statement: 30000\n"
		"  --row_limit=N      most rows of one statement: 1048576\n\n"
		"Exit status: 0, 1 when a statement failed, 2 for wrong arguments.\n\n"
		"  moonwatch sql 'SELECT pid, name, cmdline FROM processes WHERE on_disk = 0'\n"
		"  moonwatch sql --json 'SELECT time, rule, message FROM moonwatch_alerts ORDER BY time'\n",
	.run = run,
};

/* moonwatch COMMAND …: find the command, show help, hand over. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/nearest.h"
#include "cli/command.h"
#include "flag/flag.h"

enum {
	HELP_BYTES = 65536
};

/* Under these names the program is `moonwatch run`, so that it can stand where an image has its entrypoint. */
static const char *const entrypoints[] = {"entrypoint", "entrypoint.sh", "moonwatch-run", NULL};

static const struct mw_command *find(const char *name)
{
	for (const struct mw_command *const *command = mw_commands; *command; command++)
		if (strcmp((*command)->name, name) == 0)
			return *command;
	return NULL;
}

static bool is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* --help anywhere among the leading flags: what follows the first other word is not ours (`run ls --help`). */
static bool wants_help(int argc, char *const *argv)
{
	for (int i = 1; i < argc && argv[i][0] == '-' && strcmp(argv[i], "--") != 0; i++)
		if (is_help(argv[i]))
			return true;
	return false;
}

void mw_command_help(const struct mw_command *command)
{
	printf("Usage: moonwatch %s %s\n\n%s\n", command->name, command->usage, command->summary);
	if (command->help) {
		bool has_end = *command->help && command->help[strlen(command->help) - 1] == '\n';
		printf("\n%s%s", command->help, has_end ? "" : "\n");
	}
	if (!strstr(command->usage, "[flags]"))
		return;
	MW_AUTO(mw_buf) flags = MW_BUF(HELP_BYTES);
	mw_flag_help(&flags);
	printf("\nFlags and their defaults. Each may also be given as MOONWATCH_NAME in the environment, in a\n"
	       "file (--flagfile) or a profile (--profile); the first of these that has it wins:\n\n%s",
	       flags.data ? flags.data : "");
}

static void usage(FILE *to)
{
	(void)fprintf(
		to,
		"Usage: moonwatch COMMAND [ARGUMENT…]\n\n"
		"A security sensor that lives in the container: starts the application, sees what it does, tells.\n\n");
	for (const struct mw_command *const *command = mw_commands; *command; command++)
		(void)fprintf(to, "  %-9s %s\n", (*command)->name, (*command)->summary);
	(void)fprintf(to, "\n`moonwatch COMMAND --help` tells more.\n");
}

static int unknown(const char *word)
{
	struct mw_nearest nearest = {.word = word};
	for (const struct mw_command *const *command = mw_commands; *command; command++)
		mw_nearest_try(&nearest, (*command)->name);
	const char *what = word[0] == '-' ? "flag" : "command";
	if (nearest.name)
		mw_complain("unknown %s \"%s\"; did you mean `moonwatch %s`?", what, word, nearest.name);
	else
		mw_complain("unknown %s \"%s\"; `moonwatch --help` lists what there is", what, word);
	return MW_EXIT_USAGE;
}

/* What was printed must have arrived: a full disk or a closed pipe behind standard output is a failure. */
static int flush_output(int status)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	if (errno != EPIPE)
		mw_complain("cannot write to standard output: %s", strerror(errno ? errno : EIO));
	return status == MW_EXIT_OK ? MW_EXIT_NO : status;
}

static int run(const struct mw_command *command, int argc, char **argv)
{
	if (wants_help(argc, argv)) {
		mw_command_help(command);
		return MW_EXIT_OK;
	}
	return command->run(argc, argv);
}

static bool is_entrypoint(const char *program)
{
	const char *slash = strrchr(program, '/');
	const char *name = slash ? slash + 1 : program;
	for (const char *const *entrypoint = entrypoints; *entrypoint; entrypoint++)
		if (strcmp(name, *entrypoint) == 0)
			return true;
	return false;
}

int main(int argc, char **argv)
{
	if (argc > 0 && is_entrypoint(argv[0]))
		return flush_output(run(find("run"), argc, argv));
	if (argc < 2) {
		usage(stderr);
		return MW_EXIT_USAGE;
	}
	if (is_help(argv[1])) {
		usage(stdout);
		return flush_output(MW_EXIT_OK);
	}
	const struct mw_command *command = find(strcmp(argv[1], "--version") == 0 ? "version" : argv[1]);
	if (!command)
		return unknown(argv[1]);
	return flush_output(run(command, argc - 1, argv + 1));
}

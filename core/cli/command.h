/* A subcommand: one file cmd_NAME.c with one of these, and a line in commands.c. */
#pragma once

struct mw_command {
	const char *name;
	const char *usage;   /* arguments: "[flags] -- COMMAND [ARG…]" */
	const char *summary; /* one line */
	const char *help;    /* what --help says below usage; may be NULL */
	/* argv[0] is the command's name.  Returns the exit status. */
	int (*run)(int argc, char **argv);
};

/* Exit statuses every command shares (design, section 11). */
enum {
	MW_EXIT_OK = 0,
	MW_EXIT_NO = 1,
	MW_EXIT_USAGE = 2,
	MW_EXIT_CONFIG = 78, /* EX_CONFIG of sysexits.h */
};

/* Ended by NULL. */
extern const struct mw_command *const mw_commands[];

/* "moonwatch: text" on standard error, one line. */
__attribute__((format(printf, 1, 2))) void mw_complain(const char *format, ...);

/* Usage and help of a command on standard output. */
void mw_command_help(const struct mw_command *command);

/* The folder that holds bin/, lua/, rules/ and policies/: the parent of the folder of this program.
 * "" when it cannot be found; then a complaint has been made. */
const char *mw_tree(void);

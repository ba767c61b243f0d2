/* moonwatch record: the events of a command as JSON lines, which `moonwatch rules replay` reads. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"

extern const struct mw_command mw_command_run;

enum {
	OUTPUT_BYTES = 4200,
};

static int run(int argc, char **argv)
{
	static char outputs[OUTPUT_BYTES];
	const char *file = NULL;
	int at = 1;
	if (argc > 2 && (strcmp(argv[1], "-o") == 0 || strcmp(argv[1], "--output") == 0)) {
		file = argv[2];
		at = 3;
	} else if (argc > 1 && strncmp(argv[1], "--output=", 9) == 0) {
		file = argv[1] + 9;
		at = 2;
	}
	if (!file || !*file || strchr(file, ',')) {
		mw_complain("record: say where to; usage: moonwatch record -o FILE [flags] -- COMMAND [ARG…]");
		return MW_EXIT_USAGE;
	}
	int n = snprintf(outputs, sizeof(outputs), "--outputs=events/json:file=%s", file);
	char **words = calloc((size_t)argc + 3, sizeof(*words));
	if (!words || n < 0 || (size_t)n >= sizeof(outputs)) {
		mw_complain("record: %s", words ? "path too long" : "no memory");
		free(words);
		return MW_EXIT_NO;
	}
	static char name[] = "run";
	int count = 0;
	words[count++] = name;
	words[count++] = outputs;
	for (; at < argc; at++)
		words[count++] = argv[at];
	int status = mw_command_run.run(count, words);
	free(words);
	return status;
}

const struct mw_command mw_command_record = {
	.name = "record",
	.usage = "-o FILE [flags] -- COMMAND [ARG…]",
	.summary = "run a command and write its events to a file, for `moonwatch rules replay`",
	.help = "  -o, --output FILE  JSON lines are appended to it\n\n"
		"Flags are those of `moonwatch run`; all kinds of events are recorded.\n",
	.run = run,
};

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "cli/command.h"

enum {
	LINE_BYTES = 1024
};

static void print_json(const struct utsname *system)
{
	const char *const members[][2] = {
		{"version", MOONWATCH_VERSION}, {"compiler", __VERSION__},    {"system", system->sysname},
		{"kernel", system->release},    {"machine", system->machine},
	};
	MW_AUTO(mw_buf) line = MW_BUF(LINE_BYTES);
	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
		mw_buf_str(&line, i ? ",\"" : "{\"");
		mw_buf_str(&line, members[i][0]);
		mw_buf_str(&line, "\":");
		mw_json_string(&line, members[i][1], strlen(members[i][1]));
	}
	mw_buf_str(&line, "}");
	puts(line.data);
}

static int run(int argc, char **argv)
{
	struct utsname system = {0};
	(void)uname(&system);
	if (argc == 2 && strcmp(argv[1], "--json") == 0) {
		print_json(&system);
		return MW_EXIT_OK;
	}
	if (argc != 1) {
		mw_complain("version takes --json or nothing, not \"%s\"", argv[1]);
		return MW_EXIT_USAGE;
	}
	printf("moonwatch %s (%s, %s)\n", MOONWATCH_VERSION, system.machine, system.sysname);
	return MW_EXIT_OK;
}

const struct mw_command mw_command_version = {
	.name = "version",
	.usage = "[--json]",
	.summary = "Say which version this is.",
	.run = run,
};

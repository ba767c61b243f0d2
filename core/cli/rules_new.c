/* moonwatch rules new, import: rules to begin with. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "cli/command.h"
#include "cli/rules.h"
#include "script/tool.h"

enum {
	ID_BYTES = 48,
};

static const char template[] =
	"local lists = require \"moonwatch.lists\"\n"
	"local match = require \"moonwatch.match\"\n"
	"\n"
	"return {\n"
	"  id = \"%s\",\n"
	"  summary = \"Shell started by a web server\",\n"
	"  why = \"Web servers seldom need a shell; command injection nearly always does.\",\n"
	"  on = { \"process.exec\" },\n"
	"  severity = \"medium\",\n"
	"  attack = { \"T1059.004\" },\n"
	"  message = \"{process.parent.name} started {process.cmdline} as {process.user}\",\n"
	"  -- Native, so that events of others cost nothing: docs/howto/rules.md has all conditions.\n"
	"  where = { names = lists.shells, lineage = \"web_server\" },\n"
	"  -- What is left, in Lua.  Leave it out when `where` says it all.\n"
	"  match = function(event)\n"
	"    return not match.contains(event.process.cmdline, \"pg_isready\")\n"
	"  end,\n"
	"  false_positives = { \"CGI scripts\" },\n"
	"  references = { \"https://attack.mitre.org/techniques/T1059/004/\" },\n"
	"  throttle = { by = { \"process.parent\" }, period_s = 60 },\n"
	"  examples = {\n"
	"    { expect = true, event = { process = { name = \"sh\", argv = { \"sh\", \"-c\", \"id\" },\n"
	"      parent = { name = \"nginx\" } } } },\n"
	"    { expect = false, event = { process = { name = \"sh\", argv = { \"sh\", \"-c\", \"pg_isready\" },\n"
	"      parent = { name = \"nginx\" } } } },\n"
	"    { expect = false, event = { process = { name = \"sh\", parent = { name = \"crond\" } } } },\n"
	"  },\n"
	"}\n";

int mw_rules_new(const struct mw_rules_arguments *arguments)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
	const char *id = arguments->words[0];
	if (!id || arguments->words[1] || id[strspn(id, letters)] || !*id || strlen(id) > ID_BYTES || *id < 'a') {
		mw_complain("rules new: give one name, snake_case, at most %d bytes", ID_BYTES);
		return MW_EXIT_USAGE;
	}
	char path[MW_PATH_BYTES];
	int n = snprintf(path, sizeof(path), "%s/%s.lua", arguments->folder ? arguments->folder : ".", id);
	if (n < 0 || (size_t)n >= sizeof(path)) {
		mw_complain("rules new: path too long");
		return MW_EXIT_USAGE;
	}
	/* Never over something that is there. */
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0) {
		mw_complain("rules new: %s: %s", path, strerror(errno));
		return MW_EXIT_NO;
	}
	bool is_well = dprintf(fd, template, id) > 0;
	is_well = close(fd) == 0 && is_well;
	if (!is_well)
		mw_complain("rules new: %s cannot be written", path);
	else
		printf("%s\n", path);
	return is_well ? MW_EXIT_OK : MW_EXIT_NO;
}

int mw_rules_import(const struct mw_rules_arguments *arguments)
{
	if (!arguments->falco == !arguments->sigma || arguments->words[0]) {
		mw_complain("rules import: give --falco=FILE or --sigma=FILE");
		return MW_EXIT_USAGE;
	}
	static char falco[] = "falco", sigma[] = "sigma";
	char *words[] = {arguments->falco ? falco : sigma,
			 (char *)(arguments->falco ? arguments->falco : arguments->sigma),
			 (char *)(arguments->folder ? arguments->folder : "."), NULL};
	const char *tree = mw_tree();
	return *tree ? mw_script_run_module(tree, "moonwatch.import", 3, words) : MW_EXIT_NO;
}

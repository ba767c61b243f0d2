/* moonwatch doctor: what it finds out and says is lua/moonwatch/doctor/; what only C can try out is tried here, and handed over as
 * JSON. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/json.h"
#include "base/secret.h"
#include "cli/command.h"
#include "event/attention.h"
#include "flag/enroll.h"
#include "flag/file_paths.h"
#include "flag/flag.h"
#include "launch/filter.h"
#include "launch/probe.h"
#include "proc/sockdiag.h"
#include "script/config.h"
#include "script/tool.h"
#include "spool/state_dir.h"

enum {
	FACTS_BYTES = 1 << 18,
};

static struct mw_attention attention; /* large, and there is one */
static struct mw_file_paths files;

static void add_text(struct mw_buf *facts, const char *name, const char *text)
{
	mw_buf_printf(facts, "%s\"%s\":", !facts->size || facts->data[facts->size - 1] == '{' ? "" : ",", name);
	mw_json_string(facts, text, strlen(text));
}

/* 0, or the positive errno. */
static void add_result(struct mw_buf *facts, const char *name, int result)
{
	mw_buf_printf(facts, ",\"%s\":%d", name, -result);
	if (result < 0) {
		mw_buf_printf(facts, ",\"%s_error\":", name);
		mw_json_string(facts, strerror(-result), strlen(strerror(-result)));
	}
}

static int probe_sockdiag(void)
{
	struct mw_sockdiag diag;
	int r = mw_sockdiag_open(&diag);
	if (r < 0)
		return r;
	mw_sockdiag_close(&diag);
	return 0;
}

static void gather(struct mw_buf *facts, const struct mw_flags *flags, const struct mw_enroll *enroll)
{
	char dir[MW_PATH_BYTES];
	struct mw_err note = {""};
	mw_buf_printf(facts, "{");
	mw_state_dir_choose(mw_flag_text(flags, MW_FLAG_STATE_DIR), dir, &note);
	add_text(facts, "state_dir", dir);
	add_text(facts, "state_dir_note", note.text);
	add_text(facts, "tree", mw_tree());
	add_result(facts, "ptrace_child", mw_probe_ptrace_child());
	add_result(facts, "ptrace_other", mw_probe_ptrace_other());
	add_result(facts, "notify", mw_filter_probe());
	add_result(facts, "sock_diag", probe_sockdiag());
	add_text(facts, "enroll_secret", enroll->reference);
	mw_buf_printf(facts, ",\"enroll_secret_bytes\":%zu", enroll->secret ? mw_secret_size(enroll->secret) : 0);
	mw_buf_printf(facts, ",\"euid\":%d,\"flags\":{", (int)geteuid());
	for (int id = 0; id < MW_FLAG_COUNT; id++) {
		MW_AUTO(mw_buf) value = MW_BUF(MW_FLAG_TEXT_BYTES);
		mw_flag_format(flags, (enum mw_flag_id)id, &value);
		add_text(facts, mw_flag_list[id].name, value.data ? value.data : "");
	}
	mw_buf_printf(facts, "}}");
}

static int run(int argc, char **argv)
{
	const char *tree = mw_tree();
	if (!*tree)
		return MW_EXIT_NO;
	/* --json is the command's own; all others are flags of the sensor. */
	char *json = NULL;
	int n = 0;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			json = argv[i];
		else
			argv[n++] = argv[i];
	}
	struct mw_flags *flags;
	struct mw_err err = {""};
	int rest;
	int r = mw_config_load(tree, n, argv, environ, &flags, &attention, &files, &rest, &err);
	if (r < 0) {
		mw_complain("doctor: %s", err.text);
		return r == -EINVAL ? MW_EXIT_USAGE : MW_EXIT_CONFIG;
	}
	if (rest < n) {
		mw_complain("doctor: \"%s\" is not a flag; see `moonwatch doctor --help`", argv[rest]);
		mw_flags_free(flags);
		return MW_EXIT_USAGE;
	}
	static struct mw_enroll enroll; /* large */
	MW_AUTO(mw_buf) facts = MW_BUF(FACTS_BYTES);
	r = mw_enroll_take(flags, environ, &enroll, &err);
	if (r == 0)
		gather(&facts, flags, &enroll);
	mw_enroll_release(&enroll);
	mw_flags_free(flags);
	if (r < 0) {
		mw_complain("doctor: %s", err.text);
		return MW_EXIT_NO;
	}
	if (mw_buf_status(&facts) < 0) {
		mw_complain("doctor: out of memory");
		return MW_EXIT_NO;
	}
	char *arguments[] = {facts.data, json};
	return mw_script_run_module(tree, "moonwatch.doctor", json ? 2 : 1, arguments);
}

const struct mw_command mw_command_doctor = {
	.name = "doctor",
	.usage = "[--json] [flags]",
	.summary = "Say what works here, what does not, what that means, and the one change that mends it.",
	.help = "  --json   the same as one JSON object\n\n"
		"Flags are those of `moonwatch run`: give the same, or set the same MOONWATCH_… variables. Nothing is changed,\n"
		"and no secret is shown. Takes 10 s at most.\n\n"
		"Exit status: 0 when nothing failed (what is degraded does not count), 1 otherwise; 2 and 78 as all commands.\n",
	.run = run,
};

#include "sensor/bundles.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/limits.h"
#include "bundle/bundle.h"
#include "bundle/store.h"
#include "flag/flag.h"
#include "rule/engine.h"
#include "rule/files.h"
#include "sensor/opening.h"

enum {
	LINE_BYTES = 1024,
	REASON_BYTES = 512,
	DIGEST_BYTES = 65,
};

struct mw_bundles {
	struct mw_bundles_options options;
	struct mw_bundle_keys keys;
	char name[MW_BUNDLE_WORD_BYTES], version[MW_BUNDLE_WORD_BYTES];
	char digest[DIGEST_BYTES];
	char refused_digest[DIGEST_BYTES]; /* told once */
	char refused[REASON_BYTES];
	char state[LINE_BYTES];
};

/* One on its way. */
struct attempt {
	struct mw_bundles *bundles;
	struct mw_bundle bundle;
	char folder[MW_PATH_BYTES]; /* of its files */
	char problem[REASON_BYTES]; /* the first, of a rule of its */
	bool is_again;              /* it is in force, and loaded anew */
};

static void describe(struct mw_bundles *bundles)
{
	int n = bundles->version[0] ? snprintf(bundles->state, sizeof(bundles->state), "%s %s is in force",
					       bundles->name, bundles->version)
				    : snprintf(bundles->state, sizeof(bundles->state), "%s", "none is in force");
	if (bundles->refused[0] && n > 0 && (size_t)n < sizeof(bundles->state))
		(void)snprintf(bundles->state + n, sizeof(bundles->state) - (size_t)n, "; refused: %s",
			       bundles->refused);
}

int mw_bundles_new(const struct mw_bundles_options *options, struct mw_bundles **ret_bundles, struct mw_err *err)
{
	struct mw_bundles *bundles = calloc(1, sizeof(*bundles));
	if (!bundles)
		return mw_err_set(err, -ENOMEM, "out of memory for bundles");
	bundles->options = *options;
	struct mw_err why;
	if (mw_bundle_keys_parse(mw_flag_text(options->flags, MW_FLAG_BUNDLE_KEYS), &bundles->keys, &why) < 0) {
		char line[LINE_BYTES];
		(void)snprintf(line, sizeof(line), "bundle_keys: %s; no bundle is taken", why.text);
		options->report(options->data, line);
	}
	*ret_bundles = bundles;
	return 0;
}

void mw_bundles_free(struct mw_bundles *bundles)
{
	free(bundles);
}

const char *mw_bundles_version(const struct mw_bundles *bundles)
{
	return bundles->version;
}

const char *mw_bundles_state(const struct mw_bundles *bundles)
{
	return bundles->state;
}

/* Lines about the bundle's own rules refuse it; others are about the rules beside it, as ever. */
static void on_report(void *data, const char *line)
{
	struct attempt *attempt = data;
	const struct mw_bundles_options *options = &attempt->bundles->options;
	size_t n = strlen(attempt->folder);
	if (strncmp(line, attempt->folder, n) != 0 || line[n] != '/') {
		options->report(options->data, line);
		return;
	}
	if (!attempt->problem[0])
		(void)snprintf(attempt->problem, sizeof(attempt->problem), "%s", line + n + 1);
}

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* A rule of the bundle takes the place of the shipped one of its name. */
static bool is_replaced(const struct mw_bundle *bundle, const char *path)
{
	for (size_t i = 0; i < bundle->file_count; i++)
		if (strcmp(base_of(bundle->files[i].path), base_of(path)) == 0)
			return true;
	return false;
}

/* Load the bundle's rules, then the shipped ones that it does not replace, then those of the folders in flags. */
static int load_rules(struct attempt *attempt, struct mw_rules **ret_rules, struct mw_err *err)
{
	const struct mw_bundles_options *options = &attempt->bundles->options;
	char shipped[MW_PATH_BYTES];
	char dirs[MW_RULES_DIRS_BYTES];
	struct mw_rule_files files = {0};
	(void)snprintf(shipped, sizeof(shipped), "%s/rules", options->tree);
	mw_rules_dirs(options->flags, dirs);
	int r = mw_rule_files_add(&files, shipped, 1, err);
	size_t most = files.count + strlen(dirs) + 3;
	const char **paths = r == 0 ? calloc(most, sizeof(*paths)) : NULL;
	if (r == 0 && !paths)
		r = mw_err_set(err, -ENOMEM, "out of memory for rules");
	if (r == 0) {
		size_t n = 0;
		char *rest = dirs;
		paths[n++] = attempt->folder;
		for (size_t i = 0; i < files.count; i++)
			if (!is_replaced(&attempt->bundle, files.paths[i]))
				paths[n++] = files.paths[i];
		for (char *dir; (dir = strsep(&rest, ":"));)
			if (*dir)
				paths[n++] = dir;
		const struct mw_rules_options rules = {
			.tree = options->tree,
			.extra_dirs = "",
			.memory_bytes = (size_t)mw_flag_int(options->flags, MW_FLAG_RULE_MEMORY_MIB) << 20,
			.event_instructions = (uint64_t)mw_flag_int(options->flags, MW_FLAG_RULE_EVENT_INSTRUCTIONS),
			.is_watched = true,
			.report = on_report,
			.data = attempt,
			.paths = paths,
		};
		r = mw_rules_load_apart(&rules, ret_rules, err);
	}
	free(paths);
	mw_rule_files_release(&files);
	return r;
}

/* From then on it is the options' `report` that is told, not an attempt that is over. */
static int try_rules(struct attempt *attempt, struct mw_rules **ret_rules, struct mw_err *err)
{
	struct mw_rules *rules = NULL;
	const struct mw_bundles_options *options = &attempt->bundles->options;
	int r = mw_bundle_extract(&attempt->bundle, options->state_dir, attempt->folder, err);
	if (r < 0)
		return r;
	r = load_rules(attempt, &rules, err);
	mw_bundle_remove(&attempt->bundle, attempt->folder);
	if (r < 0)
		return r;
	if (attempt->problem[0]) {
		mw_rules_free(rules);
		return mw_err_set(err, -EINVAL, "%s", attempt->problem);
	}
	mw_rules_set_report(rules, options->report, options->data);
	*ret_rules = rules;
	return 0;
}

/* Verified before anything of it is looked at.  -EALREADY: it is in force. */
static int judge(struct attempt *attempt, const void *bytes, size_t n, struct mw_rules **ret_rules, struct mw_err *err)
{
	struct mw_bundles *bundles = attempt->bundles;
	struct mw_bundle_envelope envelope;
	int r = mw_bundle_open(bytes, n, &envelope, err);
	if (r == 0)
		r = mw_bundle_verify(&envelope, &bundles->keys, NULL, err);
	if (r == 0)
		r = mw_bundle_read(&envelope, &attempt->bundle, err);
	if (r < 0)
		return r;
	if (attempt->bundle.api > MW_BUNDLE_API)
		return mw_err_set(err, -ENOTSUP, "%s %s is for api %u of rules; this moonwatch has api %d",
				  attempt->bundle.name, attempt->bundle.version, attempt->bundle.api, MW_BUNDLE_API);
	r = attempt->is_again ? 0 : mw_bundle_may_replace(&attempt->bundle, bundles->version, bundles->digest, err);
	if (r < 0)
		return r;
	if (!bundles->options.state_dir[0])
		return mw_err_set(err, -EROFS, "there is no state folder to keep a bundle in");
	return try_rules(attempt, ret_rules, err);
}

static void adopt(struct mw_bundles *bundles, const struct mw_bundle *bundle)
{
	(void)snprintf(bundles->name, sizeof(bundles->name), "%s", bundle->name);
	(void)snprintf(bundles->version, sizeof(bundles->version), "%s", bundle->version);
	(void)snprintf(bundles->digest, sizeof(bundles->digest), "%s", bundle->digest);
	bundles->refused[0] = '\0';
	bundles->refused_digest[0] = '\0';
	describe(bundles);
}

/* Told once of each: whoever gives it asks again and again. */
static void refuse(struct attempt *attempt, const void *bytes, size_t n, const char *origin, const struct mw_err *err)
{
	struct mw_bundles *bundles = attempt->bundles;
	struct mw_bundle_envelope envelope;
	char digest[DIGEST_BYTES] = "?";
	char line[LINE_BYTES];
	if (mw_bundle_open(bytes, n, &envelope, NULL) == 0)
		(void)mw_bundle_digest(&envelope, digest);
	bool is_told = strcmp(digest, bundles->refused_digest) == 0 && strcmp(err->text, bundles->refused) == 0;
	(void)snprintf(bundles->refused, sizeof(bundles->refused), "%.*s", REASON_BYTES - 1, err->text);
	(void)snprintf(bundles->refused_digest, sizeof(bundles->refused_digest), "%s", digest);
	describe(bundles);
	(void)snprintf(line, sizeof(line), "the bundle of %s is refused: %s; %s%s", origin, bundles->refused,
		       bundles->version[0] ? "in force stays version " : "the rules stay as they are",
		       bundles->version);
	if (!is_told)
		bundles->options.report(bundles->options.data, line);
}

/* What throttles and sequences remember goes over. */
static void put_in_force(struct mw_bundles *bundles, struct mw_rules *rules)
{
	mw_rules_swap(*bundles->options.rules, rules);
	*bundles->options.rules = rules;
	bundles->options.changed(bundles->options.data);
}

void mw_bundles_reload(struct mw_bundles *bundles)
{
	MW_AUTO(mw_buf) kept = MW_BUF(MW_BUNDLE_BYTES);
	struct attempt attempt = {.bundles = bundles, .is_again = true};
	struct mw_rules *rules = NULL;
	struct mw_err err = {""};
	char line[LINE_BYTES];
	int r = mw_bundle_kept(bundles->options.state_dir, &kept, &err);
	if (r == 0)
		r = judge(&attempt, kept.data ? kept.data : "", kept.size, &rules, &err);
	/* Files of the user's own count, too. */
	if (r == 0 && mw_rules_refused(rules)) {
		mw_rules_free(rules);
		r = -EINVAL;
	}
	if (r == 0) {
		put_in_force(bundles, rules);
		(void)snprintf(line, sizeof(line), "rules: a new set of %zu is in force, with the bundle %s %s",
			       mw_rules_count(rules), bundles->name, bundles->version);
	} else {
		(void)snprintf(line, sizeof(line), "rules: the new set is refused%s%s; the old one stays",
			       err.text[0] ? ": " : " (above)", err.text);
	}
	bundles->options.report(bundles->options.data, line);
	mw_bundle_release(&attempt.bundle);
}

int mw_bundles_apply(struct mw_bundles *bundles, const void *bytes, size_t n, const char *origin, struct mw_err *err)
{
	struct attempt attempt = {.bundles = bundles};
	struct mw_rules *rules = NULL;
	char line[LINE_BYTES];
	int r = judge(&attempt, bytes, n, &rules, err);
	if (r == 0 && (r = mw_bundle_keep(bundles->options.state_dir, bytes, n, err)) < 0)
		mw_rules_free(rules);
	if (r == 0) {
		put_in_force(bundles, rules);
		adopt(bundles, &attempt.bundle);
		(void)snprintf(line, sizeof(line), "the bundle %s %s of %s is in force: %zu rules, %zu of them its own",
			       bundles->name, bundles->version, origin, mw_rules_count(rules),
			       attempt.bundle.file_count);
		bundles->options.report(bundles->options.data, line);
	} else if (r != -EALREADY) {
		refuse(&attempt, bytes, n, origin, err);
	}
	mw_bundle_release(&attempt.bundle);
	return r == -EALREADY ? 0 : r;
}

int mw_bundles_open_rules(struct mw_bundles *bundles, struct mw_err *err)
{
	const struct mw_bundles_options *options = &bundles->options;
	MW_AUTO(mw_buf) kept = MW_BUF(MW_BUNDLE_BYTES);
	struct attempt attempt = {.bundles = bundles};
	struct mw_err why = {""};
	int r = options->state_dir[0] && bundles->keys.count ? mw_bundle_kept(options->state_dir, &kept, &why)
							     : -ENOENT;
	if (r == 0)
		r = judge(&attempt, kept.data ? kept.data : "", kept.size, options->rules, &why);
	if (r == 0) {
		mw_rules_swap(NULL, *options->rules);
		adopt(bundles, &attempt.bundle);
	} else {
		if (r != -ENOENT)
			refuse(&attempt, kept.data ? kept.data : "", kept.size, "the last start", &why);
		r = mw_open_rules(options->flags, options->tree, options->report, options->data, options->rules, err);
	}
	mw_bundle_release(&attempt.bundle);
	return r;
}

/* moonwatch rules test: examples as TAP and JUnit, branches that no example takes. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "cli/command.h"
#include "cli/rules.h"
#include "script/coverage.h"

enum {
	XML_BYTES = 64 << 20,
};

struct work {
	unsigned findings;
	unsigned examples; /* tried */
	unsigned failed;
	struct mw_buf cases; /* JUnit's */
	bool is_quiet;       /* a second run */
};

/* Text in XML; what XML cannot say is '?'. */
static void add_xml(struct mw_buf *out, const char *text)
{
	for (; *text; text++)
		switch (*text) {
		case '<':
			mw_buf_str(out, "&lt;");
			break;
		case '>':
			mw_buf_str(out, "&gt;");
			break;
		case '&':
			mw_buf_str(out, "&amp;");
			break;
		case '"':
			mw_buf_str(out, "&quot;");
			break;
		default:
			mw_buf_char(out, (unsigned char)*text < ' ' ? '?' : *text);
		}
}

static void add_case(struct work *work, const char *class, const char *name, const char *why)
{
	mw_buf_str(&work->cases, "  <testcase classname=\"");
	add_xml(&work->cases, class);
	mw_buf_str(&work->cases, "\" name=\"");
	add_xml(&work->cases, name);
	if (why) {
		mw_buf_str(&work->cases, "\"><failure message=\"");
		add_xml(&work->cases, why);
		mw_buf_str(&work->cases, "\"/></testcase>\n");
	} else {
		mw_buf_str(&work->cases, "\"/>\n");
	}
}

static void on_finding(void *data, const char *line)
{
	struct work *work = data;
	if (work->is_quiet)
		return;
	work->findings++;
	printf("# %s\n", line);
	add_case(work, "rules", "loads", line);
}

static void on_example(void *data, const char *rule, unsigned example, const char *why)
{
	struct work *work = data;
	char name[32];
	if (work->is_quiet)
		return;
	work->examples++;
	work->failed += why != NULL;
	printf("%sok %u - %s, example %u\n", why ? "not " : "", work->examples, rule, example);
	if (why)
		printf("#   %s\n", why);
	(void)snprintf(name, sizeof(name), "example %u", example);
	add_case(work, rule, name, why);
}

static bool write_junit(const struct work *work, const char *path)
{
	FILE *to = fopen(path, "we");
	bool is_well = to != NULL && mw_buf_status(&work->cases) == 0;
	if (to) {
		is_well = fprintf(to,
				  "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
				  "<testsuite name=\"moonwatch rules\" tests=\"%u\" failures=\"%u\">\n%s</testsuite>\n",
				  work->examples + work->findings, work->failed + work->findings,
				  work->cases.data ? work->cases.data : "") > 0 &&
			  is_well;
		is_well = fclose(to) == 0 && is_well;
	}
	if (!is_well)
		mw_complain("rules test: %s cannot be written", path);
	return is_well;
}

struct branches {
	unsigned all, taken; /* ways */
	char missing[512];
};

static void on_branch(void *data, const struct mw_branch *branch)
{
	struct branches *branches = data;
	unsigned taken = (unsigned)branch->was_first + (unsigned)branch->was_second;
	branches->all += 2;
	branches->taken += taken;
	char place[24];
	(void)snprintf(place, sizeof(place), " %d", branch->line);
	size_t n = strlen(branches->missing);
	size_t k = strlen(place);
	bool is_told = n >= k && strcmp(branches->missing + n - k, place) == 0;
	if (taken < 2 && !is_told)
		(void)snprintf(branches->missing + n, sizeof(branches->missing) - n, "%s", place);
}

/* The examples once more, followed instruction by instruction. */
static int cover(struct work *work, const struct mw_rules_arguments *arguments)
{
	struct mw_rules_options options = mw_rules_defaults((const char *const *)arguments->words);
	struct mw_rules *rules = NULL;
	struct mw_err err;
	work->is_quiet = true;
	options.report = on_finding;
	options.data = work;
	options.coverage = mw_coverage_new();
	if (!options.coverage || mw_rules_load(&options, &rules, &err) < 0) {
		mw_complain("rules test: %s", options.coverage ? err.text : "no memory");
		mw_coverage_free(options.coverage);
		return -1;
	}
	unsigned all = 0, taken = 0, whole = 0;
	for (size_t i = 0; i < mw_rules_count(rules); i++) {
		struct branches branches = {0};
		mw_coverage_each(options.coverage, mw_rules_file(rules, i), on_branch, &branches);
		all += branches.all;
		taken += branches.taken;
		whole += branches.all == branches.taken;
		printf("# coverage %-32s %3u of %3u ways%s%s\n", mw_rules_info(rules, i)->id, branches.taken,
		       branches.all, branches.missing[0] ? "; one is not taken at line" : "", branches.missing);
	}
	printf("# coverage %u of %u ways (%.1f %%); %u of %zu rules whole\n", taken, all,
	       all ? 100.0 * taken / all : 100.0, whole, mw_rules_count(rules));
	mw_rules_free(rules);
	mw_coverage_free(options.coverage);
	return 0;
}

int mw_rules_test(const struct mw_rules_arguments *arguments)
{
	struct work work = {.cases = MW_BUF(XML_BYTES)};
	struct mw_rules_options options = mw_rules_defaults((const char *const *)arguments->words);
	struct mw_rules *rules = NULL;
	struct mw_err err;
	options.report = on_finding;
	options.on_example = on_example;
	options.data = &work;
	if (!*options.tree || mw_rules_load(&options, &rules, &err) < 0) {
		mw_complain("rules: %s", *options.tree ? err.text : "no rules");
		return MW_EXIT_NO;
	}
	printf("1..%u\n# %zu rules, %u examples, %u failed\n", work.examples, mw_rules_count(rules), work.examples,
	       work.failed);
	mw_rules_free(rules);
	bool is_well = !work.findings && work.examples;
	if (arguments->junit)
		is_well = write_junit(&work, arguments->junit) && is_well;
	if (arguments->has_coverage && cover(&work, arguments) < 0)
		is_well = false;
	mw_buf_release(&work.cases);
	return is_well ? MW_EXIT_OK : MW_EXIT_NO;
}

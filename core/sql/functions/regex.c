/* Regular expressions, by PCRE2.
 *
 * osquery's are those of ECMAScript (std::regex), on bytes; PCRE2's are a superset of what is in use.  Any pattern may come
 * from a backend, and a bad one backtracks without end, so each step of a match is counted (by a callout before each item of
 * the pattern): the clock is looked at often enough, whatever the pattern and the text. */
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/clock.h"
#include "sql/function.h"
#include "sql/functions/values.h"
#include "sql/interrupt.h"
#include "sql/world.h"

enum {
	PATTERN_BYTES = 4096,
	NESTED_PARENTHESES = 50,
	/* What a match may remember to come back to. */
	HEAP_KIB = 32 << 10,
	/* One match: a pattern that takes longer is not meant so. */
	MATCH_MS = 1000,
	/* Between two looks at the clock: some 50 µs. */
	CLOCK_STEPS = 2000,
	/* One item of a pattern may go over the whole text: so much of it is another step. */
	STEP_BYTES = 10000,
};

struct regex {
	pcre2_code *code;
	pcre2_match_data *match;
	pcre2_match_context *context;
	/* Of the running match. */
	int64_t deadline_ns;
	size_t steps, step;
};

static void free_regex(void *data)
{
	struct regex *regex = data;
	pcre2_match_context_free(regex->context);
	pcre2_match_data_free(regex->match);
	pcre2_code_free(regex->code);
	sqlite3_free(regex);
}

/* pcre2_set_callout() */
static int count_step(pcre2_callout_block *block, void *data)
{
	(void)block;
	struct regex *regex = data;
	regex->steps += regex->step;
	if (regex->steps < CLOCK_STEPS)
		return 0;
	regex->steps = 0;
	return mw_sql_is_interrupted() || mw_clock_mono_ns() > regex->deadline_ns ? PCRE2_ERROR_CALLOUT : 0;
}

static pcre2_code *compile(sqlite3_context *context, struct mw_value pattern)
{
	static const uint32_t options = PCRE2_ALLOW_EMPTY_CLASS | PCRE2_ALT_BSUX | PCRE2_MATCH_UNSET_BACKREF |
					PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C | PCRE2_NEVER_UCP |
					PCRE2_NEVER_UTF | PCRE2_AUTO_CALLOUT;
	int code;
	PCRE2_SIZE at;
	pcre2_compile_context *compiler = pcre2_compile_context_create(NULL);
	if (!compiler) {
		sqlite3_result_error_nomem(context);
		return NULL;
	}
	(void)pcre2_set_max_pattern_length(compiler, PATTERN_BYTES);
	(void)pcre2_set_parens_nest_limit(compiler, NESTED_PARENTHESES);
	pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)pattern.data, pattern.size, options, &code, &at, compiler);
	pcre2_compile_context_free(compiler);
	if (!compiled) {
		PCRE2_UCHAR text[160];
		(void)pcre2_get_error_message(code, text, sizeof(text));
		char *message = sqlite3_mprintf("the regular expression is wrong at character %llu: %s",
						(unsigned long long)at + 1, (const char *)text);
		sqlite3_result_error(context, message ? message : "out of memory", -1);
		sqlite3_free(message);
	}
	return compiled;
}

static struct regex *make_regex(sqlite3_context *context, struct mw_value pattern)
{
	struct regex *regex = sqlite3_malloc(sizeof(*regex));
	if (!regex) {
		sqlite3_result_error_nomem(context);
		return NULL;
	}
	*regex = (struct regex){.code = compile(context, pattern)};
	if (!regex->code) {
		free_regex(regex);
		return NULL;
	}
	regex->match = pcre2_match_data_create_from_pattern(regex->code, NULL);
	regex->context = pcre2_match_context_create(NULL);
	if (!regex->match || !regex->context) {
		free_regex(regex);
		sqlite3_result_error_nomem(context);
		return NULL;
	}
	(void)pcre2_set_heap_limit(regex->context, HEAP_KIB);
	(void)pcre2_set_callout(regex->context, count_step, regex);
	return regex;
}

/* Of argument `index`; SQLite keeps it for the next row when the pattern is constant.  NULL once an error is reported. */
static struct regex *regex_of(sqlite3_context *context, int index, sqlite3_value **values)
{
	struct regex *regex = sqlite3_get_auxdata(context, index);
	if (regex)
		return regex;
	regex = make_regex(context, mw_value_of(values[index]));
	if (!regex)
		return NULL;
	sqlite3_set_auxdata(context, index, regex, free_regex);
	/* Freed already when there was no memory to keep it in. */
	regex = sqlite3_get_auxdata(context, index);
	if (!regex)
		sqlite3_result_error_nomem(context);
	return regex;
}

/* The world's is of the whole query. */
static void start_clock(sqlite3_context *context, struct regex *regex, size_t text_bytes)
{
	int64_t end_ns = mw_clock_mono_ns() + MATCH_MS * MW_NS_PER_MS;
	int64_t query_ns = mw_sql_function_world(context)->deadline_ns;
	regex->deadline_ns = end_ns < query_ns ? end_ns : query_ns;
	regex->steps = 0;
	regex->step = 1 + text_bytes / STEP_BYTES;
}

/* Look for the next match: true with one in regex->match.  False with none, or once an error is reported, which
 * *ret_failed says. */
static bool find(sqlite3_context *context, struct regex *regex, struct mw_value text, size_t from, bool *ret_failed)
{
	int r = pcre2_match(regex->code, (PCRE2_SPTR)text.data, text.size, from, 0, regex->match, regex->context);
	*ret_failed = r < 0 && r != PCRE2_ERROR_NOMATCH;
	if (r == PCRE2_ERROR_CALLOUT &&
	    (mw_sql_is_interrupted() || mw_clock_mono_ns() > mw_sql_function_world(context)->deadline_ns))
		sqlite3_result_error_code(context, SQLITE_INTERRUPT);
	else if (r == PCRE2_ERROR_CALLOUT || r == PCRE2_ERROR_MATCHLIMIT || r == PCRE2_ERROR_HEAPLIMIT)
		sqlite3_result_error(context,
				     "the regular expression takes too long: it tries too many ways to match a text; "
				     "avoid one repetition inside another, as in (a+)+",
				     -1);
	else if (r == PCRE2_ERROR_NOMEMORY)
		sqlite3_result_error_nomem(context);
	else if (*ret_failed)
		sqlite3_result_error(context, "the regular expression failed", -1);
	return r > 0;
}

static void regex_match(sqlite3_context *context, int count, sqlite3_value **values)
{
	if (mw_any_null(count, values))
		return;
	struct regex *regex = regex_of(context, 1, values);
	if (!regex)
		return;
	struct mw_value text = mw_value_of(values[0]);
	sqlite3_int64 index = sqlite3_value_int64(values[2]);
	bool failed;
	start_clock(context, regex, text.size);
	if (index < 0 || index >= pcre2_get_ovector_count(regex->match) || !find(context, regex, text, 0, &failed))
		return;
	const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(regex->match) + 2 * index;
	if (ends[0] == PCRE2_UNSET || ends[0] > ends[1])
		mw_result_bytes(context, "", 0); /* a group that took no part */
	else
		mw_result_bytes(context, text.data + ends[0], ends[1] - ends[0]);
}

static void regex_split(sqlite3_context *context, int count, sqlite3_value **values)
{
	if (mw_any_null(count, values))
		return;
	struct mw_value text = mw_value_of(values[0]);
	sqlite3_int64 index = sqlite3_value_int64(values[2]);
	if (mw_value_of(values[1]).size == 0) {
		sqlite3_result_error(context, "regex_split: the pattern is empty", -1);
		return;
	}
	struct regex *regex = regex_of(context, 1, values);
	if (!regex || index < 0)
		return;
	size_t start = 0; /* of the part */
	size_t from = 0;  /* where to look */
	bool failed = false;
	start_clock(context, regex, text.size);
	while (from <= text.size && find(context, regex, text, from, &failed)) {
		const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(regex->match);
		/* A match of nothing separates only inside of a part. */
		if (ends[1] > ends[0] || (ends[0] > start && ends[0] < text.size)) {
			if (index-- == 0) {
				mw_result_bytes(context, text.data + start, ends[0] - start);
				return;
			}
			start = ends[1];
		}
		from = ends[1] > ends[0] ? ends[1] : ends[1] + 1;
	}
	/* What is left behind the last separator, unless that is nothing. */
	if (!failed && index == 0 && (start < text.size || start == 0))
		mw_result_bytes(context, text.data + start, text.size - start);
}

/* TEXT REGEXP PATTERN is regexp(PATTERN, TEXT). */
static void regexp(sqlite3_context *context, int count, sqlite3_value **values)
{
	if (mw_any_null(count, values))
		return;
	struct regex *regex = regex_of(context, 0, values);
	if (!regex)
		return;
	struct mw_value text = mw_value_of(values[1]);
	bool failed;
	start_clock(context, regex, text.size);
	bool is_found = find(context, regex, text, 0, &failed);
	if (!failed)
		sqlite3_result_int(context, is_found);
}

const char *mw_sql_regex_version(void)
{
	static char version[64]; /* "10.42 2022-12-11" */
	if (!*version && pcre2_config(PCRE2_CONFIG_VERSION, NULL) <= (int)sizeof(version))
		(void)pcre2_config(PCRE2_CONFIG_VERSION, version);
	return version;
}

static const struct mw_sql_function functions[] = {
	{"regex_match", "TEXT, PATTERN, INDEX", 3, 3,
	 "What the first match of PATTERN in TEXT found: all of it (INDEX 0) or one of its groups. NULL without a match or group.",
	 "regex_match('hello world. Goodbye', '(\\w+) (\\w+)', 2)", "world", regex_match},
	{"regex_split", "TEXT, PATTERN, INDEX", 3, 3,
	 "The part of TEXT with that INDEX (the first is 0) when it is cut at each match of PATTERN, or NULL.",
	 "regex_split('a, b;c', '[,;] *', 1)", "b", regex_split},
	{"regexp", "PATTERN, TEXT", 2, 2,
	 "Is there a match of PATTERN in TEXT? Also as an operator: TEXT REGEXP PATTERN.",
	 "'nginx: worker' REGEXP '^nginx:'", "1", regexp},
	{0},
};

const struct mw_sql_family mw_family_regex = {"Regular expressions", functions};

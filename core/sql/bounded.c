/* What they answer is written in https://www.sqlite.org/lang_corefunc.html and lang_expr.html; SQLite's own compare every byte of
 * one argument with every byte of the other, and its progress handler is not called meanwhile. */
#include "sql/bounded.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sql/world.h"

enum {
	PATTERN_BYTES = 4096,
	CHECK_STEPS = 1 << 16, /* between two looks at the clock */
	CODE_POINTS = 0x110000,
	BAD = 0xFFFD, /* what stands for bytes that are no UTF-8 */
};

struct text {
	const unsigned char *at, *end;
};

static struct text text_of(sqlite3_value *value)
{
	const unsigned char *text = sqlite3_value_text(value);
	return (struct text){text, text ? text + sqlite3_value_bytes(value) : NULL};
}

/* The next code point, and behind it; bytes that are no UTF-8 count one each. */
static uint32_t take_code_point(struct text *text)
{
	uint32_t c = *text->at++;
	if (c < 0xC0)
		return c < 0x80 ? c : BAD;
	unsigned more = c >= 0xF0 ? 3 : c >= 0xE0 ? 2 : 1;
	c &= 0x3FU >> more;
	for (; more && text->at < text->end && (*text->at & 0xC0) == 0x80; more--)
		c = c << 6 | (*text->at++ & 0x3FU);
	return more || c >= CODE_POINTS ? BAD : c;
}

struct kind {
	unsigned char many, one, set; /* set: 0 for none */
	bool folds;                   /* letters of ASCII are alike in both cases */
};

static const struct kind like = {.many = '%', .one = '_', .folds = true};
static const struct kind glob = {.many = '*', .one = '?', .set = '['};

static uint32_t folded(const struct kind *kind, uint32_t c)
{
	return kind->folds && c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

/* "[…]", behind its '[': moved behind the ']'.  One that is not closed matches nothing. */
static bool is_in_set(struct text *pattern, uint32_t c)
{
	bool is_inverted = pattern->at < pattern->end && *pattern->at == '^';
	bool is_in = false;
	pattern->at += is_inverted;
	for (bool is_first = true; pattern->at < pattern->end; is_first = false) {
		uint32_t low = take_code_point(pattern);
		if (low == ']' && !is_first)
			return is_in != is_inverted;
		uint32_t high = low;
		if (pattern->end - pattern->at > 1 && pattern->at[0] == '-' && pattern->at[1] != ']') {
			pattern->at++;
			high = take_code_point(pattern);
		}
		is_in |= c >= low && c <= high;
	}
	return false;
}

/* Does the pattern, at anything but a `many`, match the next character of the text?  Both are then behind it. */
static bool match_one(const struct kind *kind, uint32_t escape, struct text *pattern, struct text *text)
{
	struct text p = *pattern;
	struct text t = *text;
	if (p.at == p.end || t.at == t.end)
		return false;
	uint32_t c = take_code_point(&t);
	uint32_t wanted = take_code_point(&p);
	bool is_literal = escape && wanted == escape;
	if (is_literal) {
		if (p.at == p.end)
			return false;
		wanted = take_code_point(&p);
	}
	bool is_match = folded(kind, wanted) == folded(kind, c);
	if (!is_literal && wanted == kind->one)
		is_match = true;
	else if (!is_literal && kind->set && wanted == kind->set)
		is_match = is_in_set(&p, c);
	*pattern = p;
	*text = t;
	return is_match;
}

static bool is_many(const struct kind *kind, uint32_t escape, const struct text *pattern)
{
	return pattern->at < pattern->end && *pattern->at == kind->many && escape != kind->many;
}

/* 1, 0, or -1 when the query's time is over.  Of several `many`, only the last one must be tried again. */
static int matches(const struct kind *kind, uint32_t escape, struct text pattern, struct text text, int64_t deadline_ns)
{
	struct text pattern_again = {NULL, NULL};
	struct text text_again = text;
	uint64_t steps = 0;
	while (text.at < text.end) {
		if (++steps % CHECK_STEPS == 0 && mw_clock_mono_ns() > deadline_ns)
			return -1;
		if (is_many(kind, escape, &pattern)) {
			pattern.at++;
			pattern_again = pattern;
			text_again = text;
			continue;
		}
		if (match_one(kind, escape, &pattern, &text))
			continue;
		if (!pattern_again.at)
			return 0;
		(void)take_code_point(&text_again);
		pattern = pattern_again;
		text = text_again;
	}
	while (is_many(kind, escape, &pattern))
		pattern.at++;
	return pattern.at == pattern.end;
}

struct pattern_function {
	const struct kind *kind;
	struct mw_sql_world *world;
};

/* like(pattern, text[, escape]), glob(pattern, text) */
static void match(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	const struct kind *kind = ((const struct pattern_function *)sqlite3_user_data(context))->kind;
	const struct mw_sql_world *world = ((const struct pattern_function *)sqlite3_user_data(context))->world;
	/* Debian's SQLite is made so, and whatever else it may be: a pattern is about text. */
	if (sqlite3_value_type(argv[0]) == SQLITE_BLOB || sqlite3_value_type(argv[1]) == SQLITE_BLOB) {
		sqlite3_result_int(context, 0);
		return;
	}
	struct text pattern = text_of(argv[0]);
	struct text text = text_of(argv[1]);
	uint32_t escape = 0;
	if (argc == 3) {
		struct text given = text_of(argv[2]);
		if (!given.at)
			return;
		if (given.at < given.end)
			escape = take_code_point(&given);
		if (!escape || given.at < given.end) {
			sqlite3_result_error(context, "ESCAPE expression must be a single character", -1);
			return;
		}
	}
	if (!pattern.at || !text.at)
		return;
	if (pattern.end - pattern.at > PATTERN_BYTES) {
		sqlite3_result_error(context, "LIKE or GLOB pattern too complex", -1);
		return;
	}
	int r = matches(kind, escape, pattern, text, world->deadline_ns);
	if (r < 0)
		sqlite3_result_error_code(context, SQLITE_INTERRUPT);
	else
		sqlite3_result_int(context, r);
}

/* instr(text, what): the place of the first, from 1, in characters; in bytes when both are blobs. */
static void instr(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	(void)argc;
	int types[] = {sqlite3_value_type(argv[0]), sqlite3_value_type(argv[1])};
	if (types[0] == SQLITE_NULL || types[1] == SQLITE_NULL)
		return;
	bool is_blob = types[0] == SQLITE_BLOB && types[1] == SQLITE_BLOB;
	const unsigned char *texts[2];
	size_t bytes[2];
	for (size_t i = 0; i < 2; i++) {
		texts[i] = is_blob ? sqlite3_value_blob(argv[i]) : sqlite3_value_text(argv[i]);
		bytes[i] = (size_t)sqlite3_value_bytes(argv[i]);
		if (!texts[i] && bytes[i]) {
			sqlite3_result_error_nomem(context);
			return;
		}
	}
	if (!bytes[1]) {
		sqlite3_result_int(context, 1);
		return;
	}
	const unsigned char *found = bytes[0] ? memmem(texts[0], bytes[0], texts[1], bytes[1]) : NULL;
	sqlite3_int64 place = found != NULL;
	for (const unsigned char *at = texts[0]; found && at < found; at++)
		place += is_blob || (*at & 0xC0) != 0x80;
	sqlite3_result_int64(context, place);
}

/* replace(text, what, with) */
static void replace(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	(void)argc;
	struct text text = text_of(argv[0]);
	struct text what = text_of(argv[1]);
	struct text with = text_of(argv[2]);
	if (!text.at || !what.at || !with.at)
		return;
	size_t length = (size_t)(what.end - what.at);
	if (!length) {
		sqlite3_result_value(context, argv[0]);
		return;
	}
	sqlite3_str *out = sqlite3_str_new(sqlite3_context_db_handle(context));
	for (const unsigned char *found; text.at < text.end; text.at = found + length) {
		found = memmem(text.at, (size_t)(text.end - text.at), what.at, length);
		sqlite3_str_append(out, (const char *)text.at, (int)((found ? found : text.end) - text.at));
		if (!found)
			break;
		sqlite3_str_append(out, (const char *)with.at, (int)(with.end - with.at));
		if (sqlite3_str_errcode(out) != SQLITE_OK)
			break;
	}
	int r = sqlite3_str_errcode(out);
	int bytes = sqlite3_str_length(out);
	char *result = sqlite3_str_finish(out);
	if (r == SQLITE_TOOBIG)
		sqlite3_result_error_toobig(context);
	else if (r != SQLITE_OK)
		sqlite3_result_error_nomem(context);
	else
		sqlite3_result_text(context, result ? result : "", result ? bytes : 0,
				    result ? sqlite3_free : SQLITE_STATIC);
	if (r != SQLITE_OK)
		sqlite3_free(result);
}

enum {
	LEFT = 1,
	RIGHT = 2,
};

static const int sides[] = {LEFT, RIGHT, LEFT | RIGHT};

static bool is_marked(const unsigned char *set, uint32_t c)
{
	return set[c / 8] >> c % 8 & 1;
}

/* trim(text, characters): without those of the characters at its ends. */
static void trim(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	(void)argc;
	int side = *(const int *)sqlite3_user_data(context);
	struct text text = text_of(argv[0]);
	struct text characters = text_of(argv[1]);
	if (!text.at || !characters.at)
		return;
	unsigned char *set = calloc(CODE_POINTS / 8, 1);
	if (!set) {
		sqlite3_result_error_nomem(context);
		return;
	}
	while (characters.at < characters.end) {
		uint32_t c = take_code_point(&characters);
		set[c / 8] |= (unsigned char)(1U << c % 8);
	}
	while (side & LEFT && text.at < text.end) {
		struct text next = text;
		if (!is_marked(set, take_code_point(&next)))
			break;
		text = next;
	}
	while (side & RIGHT && text.at < text.end) {
		struct text last = {text.end - 1, text.end};
		while (last.at > text.at && (*last.at & 0xC0) == 0x80)
			last.at--;
		const unsigned char *start = last.at;
		if (!is_marked(set, take_code_point(&last)))
			break;
		text.end = start;
	}
	free(set);
	sqlite3_result_text(context, (const char *)text.at, (int)(text.end - text.at), SQLITE_TRANSIENT);
}

int mw_sql_bounded_register(struct sqlite3 *db, struct mw_sql_world *world)
{
	static const struct {
		const char *name;
		int arguments;
		const struct kind *kind;
	} patterns[] = {{"like", 2, &like}, {"like", 3, &like}, {"glob", 2, &glob}};
	static const char *const trims[] = {"ltrim", "rtrim", "trim"}; /* as `sides` */
	enum {
		/* Neither writes nor tells of anything: may be used wherever. */
		FLAGS = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS,
	};
	int r = SQLITE_OK;
	for (size_t i = 0; r == SQLITE_OK && i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		struct pattern_function *function = malloc(sizeof(*function));
		if (!function)
			return SQLITE_NOMEM;
		*function = (struct pattern_function){patterns[i].kind, world};
		r = sqlite3_create_function_v2(db, patterns[i].name, patterns[i].arguments, FLAGS, function, match,
					       NULL, NULL, free);
	}
	for (size_t i = 0; r == SQLITE_OK && i < 3; i++)
		r = sqlite3_create_function_v2(db, trims[i], 2, FLAGS, (void *)(uintptr_t)&sides[i], trim, NULL, NULL,
					       NULL);
	if (r == SQLITE_OK)
		r = sqlite3_create_function_v2(db, "instr", 2, FLAGS, NULL, instr, NULL, NULL, NULL);
	if (r == SQLITE_OK)
		r = sqlite3_create_function_v2(db, "replace", 3, FLAGS, NULL, replace, NULL, NULL, NULL);
	return r;
}

/* SQL: what a query says reaches the table, limits hold, and nothing can be written. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/clock.h"
#include "base/err.h"
#include "spool/spool.h"
#include "sql/db.h"
#include "sql/empty.h"
#include "sql/table.h"
#include "sql/vtab.h"
#include "sql/world.h"

#include "sql_world.h"

static void nothing_can_be_written(void **state)
{
	(void)state;
	static const char *const statements[] = {
		"CREATE TABLE t(a)",
		"CREATE TEMP TABLE t(a)",
		"CREATE VIEW v AS SELECT 1",
		"ATTACH '/tmp/moonwatch-vacuumed' AS x",
		"DETACH main",
		"PRAGMA journal_mode = DELETE",
		"PRAGMA writable_schema = 1",
		"PRAGMA temp_store_directory = '/'",
		"SELECT load_extension('x')",
		"DELETE FROM processes",
		"INSERT INTO processes(pid) VALUES(1)",
		"UPDATE time SET year = 1",
		"BEGIN",
		"VACUUM",
		"VACUUM INTO '/tmp/moonwatch-vacuumed'",
		"ANALYZE",
		"DROP TABLE time",
		"CREATE VIRTUAL TABLE f USING fts5(a)",
		"SELECT fts3_tokenizer('simple', x'00')",
	};
	struct mw_sql *sql = open_sql();
	for (size_t i = 0; i < sizeof(statements) / sizeof(*statements); i++)
		if (*rows_of(sql, statements[i]) != '!')
			fail_msg("%s was possible", statements[i]);
	assert_int_equal(access("/tmp/moonwatch-vacuumed", F_OK), -1);
	assert_string_equal(rows_of(sql, "SELECT 1 + 1"), "2");
	mw_sql_close(sql);
}

static void a_query_has_limits(void **state)
{
	(void)state;
	struct mw_sql_options options = {.state_dir = dir, .proc = proc, .root = dir, .time_ms = 100, .rows = 10};
	static const char endless[] = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT ";
	char text[256];
	struct mw_sql *sql = NULL;
	assert_int_equal(mw_sql_open(&options, &sql, NULL), 0);
	int64_t before = mw_clock_mono_ns();
	(void)snprintf(text, sizeof(text), "%scount(*) FROM c", endless);
	assert_string_equal(rows_of(sql, text), "!stopped after 100 ms: ask for less, e.g. with WHERE or LIMIT");
	assert_true(mw_clock_mono_ns() - before < 5LL * MW_NS_PER_S);
	(void)snprintf(text, sizeof(text), "%sx FROM c", endless);
	assert_string_equal(rows_of(sql, text), "!stopped after 10 rows: ask for less, e.g. with WHERE or LIMIT");
	assert_int_equal(*rows_of(sql, "SELECT randomblob(100000000)"), '!');
	/* The next one is not hindered. */
	assert_string_equal(rows_of(sql, "SELECT 1"), "1");
	mw_sql_close(sql);
}

/* A table of ours, to see what of a query reaches one. */
enum {
	PATH,
	SIZE,
	OTHER,
	ONE_OF,
};

static struct mw_sql_scan seen;
static char seen_text[64];
static unsigned seen_scans;

static int fill_probe(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	seen = *scan;
	seen_text[0] = '\0';
	for (unsigned i = 0; i < scan->constraint_count; i++) {
		const struct mw_sql_constraint *constraint = &scan->constraints[i];
		const struct mw_sql_constraint *value = constraint->values ? constraint->values : constraint;
		for (size_t k = 0; k == 0 || k < constraint->value_count; k++) {
			size_t n = strlen(seen_text);
			(void)snprintf(seen_text + n, sizeof(seen_text) - n, "%u:%d:%s ", constraint->column,
				       (int)constraint->op, value[k].text);
		}
	}
	seen_scans++;
	if (scan->constraint_count && scan->constraints[0].text && strcmp(scan->constraints[0].text, "fail") == 0)
		return mw_err_set(err, -EIO, "it failed");
	int r = 0;
	while (scan->constraint_count && scan->constraints[0].text && strcmp(scan->constraints[0].text, "many") == 0 &&
	       r == 0)
		r = mw_rows_add(rows);
	if (r < 0 || (r = mw_rows_add(rows)) < 0)
		return r;
	mw_rows_text(rows, PATH, "a\0b", 3);
	mw_rows_int(rows, SIZE, 5);
	mw_rows_double(rows, OTHER, 1.5);
	return 0;
}

static const struct mw_sql_column probe_columns[] = {
	[PATH] = {"path", MW_SQL_TEXT, MW_SQL_INDEX | MW_SQL_REQUIRED | MW_SQL_LIKE, "Path"},
	[SIZE] = {"size", MW_SQL_BIGINT, MW_SQL_RANGE, "Size"},
	[OTHER] = {"other", MW_SQL_DOUBLE, 0, "Other"},
	[ONE_OF] = {"one_of", MW_SQL_TEXT, MW_SQL_INDEX | MW_SQL_REQUIRED | MW_SQL_SET, "Other"},
	{0},
};

static const struct mw_sql_table probe = {
	.name = "probe", .doc = "For the test.", .source = "test", .columns = probe_columns, .fill = fill_probe};

static const char *ask_probe(sqlite3 *db, const char *text)
{
	static char out[256];
	sqlite3_stmt *statement = NULL;
	int rows = 0;
	int r = sqlite3_prepare_v2(db, text, -1, &statement, NULL);
	while (r == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
		rows++;
	if (r == SQLITE_OK)
		r = sqlite3_reset(statement);
	(void)snprintf(out, sizeof(out), "%s", r == SQLITE_OK ? seen_text : sqlite3_errmsg(db));
	sqlite3_finalize(statement);
	(void)rows;
	return out;
}

static void constraints_reach_the_table(void **state)
{
	(void)state;
	sqlite3 *db;
	struct mw_sql_world world = {.deadline_ns = INT64_MAX, .procfd = -1};
	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	assert_int_equal(mw_vtab_register(db, &probe, &world), SQLITE_OK);

	assert_string_equal(ask_probe(db, "SELECT path FROM probe WHERE path = '/a'"), "0:0:/a ");
	assert_int_equal(seen.wanted, 1);
	assert_string_equal(ask_probe(db, "SELECT other FROM probe WHERE path LIKE '/a%'"), "0:5:/a% ");
	assert_int_equal(seen.wanted, 5);
	assert_string_equal(ask_probe(db, "SELECT 1 FROM probe WHERE size > 3 AND path GLOB '/a*'"), "1:3:3 0:6:/a* ");
	assert_string_equal(ask_probe(db, "SELECT 1 FROM probe WHERE path = '/a' AND other = 3"), "0:0:/a ");
	assert_string_equal(ask_probe(db, "SELECT p.path FROM (SELECT '/x' AS y) JOIN probe p ON p.path = y"),
			    "0:0:/x ");

	assert_string_equal(
		ask_probe(db, "SELECT * FROM probe"),
		"table probe: queried without a required column in the WHERE clause; say WHERE path = … or one_of = …");
	assert_string_equal(
		ask_probe(db, "SELECT * FROM probe WHERE size = 1"),
		"table probe: queried without a required column in the WHERE clause; say WHERE path = … or one_of = …");
	assert_string_equal(ask_probe(db, "SELECT * FROM probe WHERE path = 'fail'"), "table probe: it failed");
	assert_non_null(strstr(ask_probe(db, "SELECT * FROM probe WHERE path = 'many'"), "too many rows"));
	/* IN is one scan where the table can do that, and else one for each value. */
	seen_scans = 0;
	assert_string_equal(ask_probe(db, "SELECT 1 FROM probe WHERE one_of IN ('c', 'a', NULL, 'a')"), "3:7:a 3:7:c ");
	assert_string_equal(ask_probe(db, "WITH w(x) AS (VALUES('v'), ('w')) SELECT 1 FROM probe WHERE one_of IN w"),
			    "3:7:v 3:7:w ");
	assert_string_equal(ask_probe(db, "SELECT 1 FROM probe WHERE one_of = 'x'"), "3:0:x ");
	assert_int_equal(seen_scans, 3);
	assert_string_equal(ask_probe(db, "SELECT 1 FROM probe WHERE path IN ('a', 'b')"), "0:0:b ");
	assert_int_equal(seen_scans, 5);
	assert_string_equal(ask_probe(db, "SELECT 1 FROM probe WHERE one_of IN (NULL)"), "0:0:b "); /* is not asked */
	assert_int_equal(seen_scans, 5);
	world.deadline_ns = 1;
	assert_string_equal(ask_probe(db, "SELECT * FROM probe WHERE path = 'many'"), "interrupted");
	sqlite3_close(db);
}

static void every_column_is_described(void **state)
{
	(void)state;
	for (size_t i = 0; mw_sql_tables[i]; i++) {
		const struct mw_sql_table *table = mw_sql_tables[i];
		unsigned columns = 0;
		assert_true(table->doc && *table->doc && table->source && *table->source);
		assert_true((table->fill != NULL) != (table->open && table->next && table->close));
		for (; table->columns[columns].name; columns++) {
			const struct mw_sql_column *column = &table->columns[columns];
			if (!column->doc || !*column->doc)
				fail_msg("%s.%s has no text", table->name, column->name);
		}
		assert_in_range(columns, 1, MW_SQL_COLUMNS);
		assert_ptr_equal(mw_sql_table(table->name), table);
		if (i)
			assert_true(strcmp(mw_sql_tables[i - 1]->name, table->name) < 0);
	}
}

/* A table that is implemented needs no declaration any more. */
static void no_table_is_declared_twice(void **state)
{
	(void)state;
	char twice[4096] = "";
	const struct mw_sql_table *const *all = mw_sql_all_tables();
	assert_non_null(all);
	for (size_t i = 0; all[i]; i++) {
		assert_true(all[i]->doc && *all[i]->doc && all[i]->example && *all[i]->example);
		if (i && strcmp(all[i - 1]->name, all[i]->name) == 0)
			fail_msg("%s has two lines in core/sql/empty_list.c", all[i]->name);
	}
	for (const struct mw_sql_empty *empty = mw_sql_empties; empty->tables; empty++)
		for (const char *line = empty->tables; *line; line = strchr(line, '\n') + 1) {
			char name[64];
			size_t length = strcspn(line, ":=");
			assert_true(length < sizeof(name));
			(void)snprintf(name, sizeof(name), "%.*s", (int)length, line);
			for (size_t i = 0; mw_sql_tables[i]; i++)
				if (strcmp(mw_sql_tables[i]->name, name) == 0) {
					size_t n = strlen(twice);
					(void)snprintf(twice + n, sizeof(twice) - n, " %s", name);
				}
		}
	if (*twice)
		fail_msg("implemented, so take their lines out of core/sql/empty_list.c:%s", twice);
}

static void versions_are_ordered_as_their_managers_do(void **state)
{
	(void)state;
	struct mw_sql *sql = open_sql();
	assert_string_equal(
		rows_of(sql, "WITH v(x) AS (VALUES('1.10'), ('1.9')) SELECT x FROM v ORDER BY x COLLATE version"),
		"1.9 1.10");
	assert_string_equal(rows_of(sql, "SELECT '1~' < '1' COLLATE version_dpkg, '1~' < '1' COLLATE version_rhel,"
					 " '1:0' > '2' COLLATE version_arch, 'A' = 'a' COLLATE nocase"),
			    "1,1,1,1");
	/* Columns bring theirs along. */
	assert_string_equal(rows_of(sql, "SELECT version FROM deb_packages WHERE version > '1.9' ORDER BY version"
					 " LIMIT 0"),
			    "");
	mw_sql_close(sql);
}

static void no_query_takes_all_memory(void **state)
{
	(void)state;
	static const char *const bombs[] = {
		"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"
		" SELECT max(b) FROM (SELECT randomblob(1000000) AS b FROM c ORDER BY b LIMIT 100000)",
		"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT group_concat(randomblob(1000)) FROM c",
		"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT json_group_array(hex(randomblob(10000)))"
		" FROM c",
		"WITH RECURSIVE c(x) AS (SELECT 1 UNION SELECT x + 1 FROM c) SELECT count(DISTINCT randomblob(10000)) FROM c",
		"WITH RECURSIVE c(x) AS (SELECT hex(zeroblob(1000)) UNION ALL SELECT x || x FROM c) SELECT count(*) FROM c",
		"SELECT zeroblob(1000000000)",
		"SELECT printf('%1000000000d', 1)",
		"SELECT hex(zeroblob(16000000))",
		"SELECT replace(hex(zeroblob(1000000)), '0', hex(zeroblob(1000)))",
	};
	struct mw_sql_options options = {.state_dir = dir, .proc = proc, .root = dir, .time_ms = 2000};
	struct mw_sql *sql = NULL;
	assert_int_equal(mw_sql_open(&options, &sql, NULL), 0);
	for (size_t i = 0; i < sizeof(bombs) / sizeof(bombs[0]); i++) {
		(void)sqlite3_memory_highwater(1);
		const char *rows = rows_of(sql, bombs[i]);
		if (*rows != '!' && strcmp(rows, "NULL") != 0)
			fail_msg("%s gave %.100s", bombs[i], rows);
		assert_in_range(sqlite3_memory_highwater(0), 0, 160 << 20);
	}
	assert_string_equal(rows_of(sql, "SELECT 1"), "1");
	mw_sql_close(sql);
}

/* Ours in place of SQLite's: asked of a connection without ours, the answers are the same. */
static void functions_that_are_bounded_answer_as_sqlites(void **state)
{
	(void)state;
	static const char *const texts[] = {"''",    "'a'",   "'A'",    "'abc'",       "'aXbc'", "'%'",
					    "'a%c'", "'äöü'", "'Äbc'",  "'日本語abc'", "'a_b'",  "'[a]'",
					    "NULL",  "12",    "1.5",    "x'616263'",   "'aaa'",  "'abcabc'",
					    "'a]c'", "'-'",   "'xaxbx'"};
	static const char *const patterns[] = {
		"''",      "'%'",     "'a%'",     "'%c'",     "'_'",     "'a_c'",    "'%b%'", "'__'", "'%%a'",
		"'A'",     "'ä%'",    "'Ä%'",     "'[abc]'",  "'[^a]*'", "'[a-c]*'", "'*c'",  "'?'",  "'a?c'",
		"'[]]'",   "'[a'",    "'*[]-]*'", "'a'",      "'bc'",    "'aa'",     "NULL",  "1",    "x'62'",
		"'[^]a]'", "'%a%b%'", "'*a*b*'",  "'日_語%'", "'語'",    "'[-a]'",   "'ab'"};
	static const struct {
		const char *before, *between, *after;
	} forms[] = {
		{"", " LIKE ", ""},           {"", " GLOB ", ""},
		{"instr(", ", ", ")"},        {"trim(", ", ", ")"},
		{"ltrim(", ", ", ")"},        {"rtrim(", ", ", ")"},
		{"replace(", ", ", ", 'é')"}, {"", " LIKE ", " ESCAPE 'a'"},
	};
	sqlite3 *plain;
	assert_int_equal(sqlite3_open(":memory:", &plain), SQLITE_OK);
	struct mw_sql *sql = open_sql();
	for (size_t f = 0; f < sizeof(forms) / sizeof(forms[0]); f++)
		for (size_t t = 0; t < sizeof(texts) / sizeof(texts[0]); t++)
			for (size_t p = 0; p < sizeof(patterns) / sizeof(patterns[0]); p++) {
				char query[256];
				sqlite3_stmt *statement;
				(void)snprintf(query, sizeof(query), "SELECT quote(%s%s%s%s%s)", forms[f].before,
					       texts[t], forms[f].between, patterns[p], forms[f].after);
				assert_int_equal(sqlite3_prepare_v2(plain, query, -1, &statement, NULL), SQLITE_OK);
				assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
				const char *ours = rows_of(sql, query);
				const char *theirs = (const char *)sqlite3_column_text(statement, 0);
				if (strcmp(ours, theirs) != 0)
					fail_msg("%s: %s, not %s", query, theirs, ours);
				(void)sqlite3_finalize(statement);
			}
	(void)sqlite3_close(plain);
	mw_sql_close(sql);
}

static void no_pattern_takes_for_ever(void **state)
{
	(void)state;
	struct mw_sql_options options = {.state_dir = dir, .proc = proc, .root = dir, .time_ms = 300};
	struct mw_sql *sql = NULL;
	assert_int_equal(mw_sql_open(&options, &sql, NULL), 0);
	static const char *const bombs[] = {
		"SELECT hex(zeroblob(8000000)) LIKE replace(hex(zeroblob(500)), '0', '%0') || 'x'",
		"SELECT hex(zeroblob(8000000)) LIKE '%' || hex(zeroblob(2000)) || 'x'",
		"SELECT hex(zeroblob(8000000)) GLOB '*' || hex(zeroblob(2000)) || 'x'",
		"SELECT instr(hex(zeroblob(8000000)), hex(zeroblob(4000000)) || 'x')",
		"SELECT length(replace(hex(zeroblob(8000000)), hex(zeroblob(2000000)) || 'x', ''))",
		"SELECT trim(hex(zeroblob(8000000)), hex(zeroblob(7000000)))",
	};
	for (size_t i = 0; i < sizeof(bombs) / sizeof(bombs[0]); i++) {
		int64_t before = mw_clock_mono_ns();
		(void)rows_of(sql, bombs[i]);
		int64_t took_ms = (mw_clock_mono_ns() - before) / MW_NS_PER_MS;
		if (took_ms > 5000)
			fail_msg("%s took %lld ms", bombs[i], (long long)took_ms);
	}
	mw_sql_close(sql);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, remove_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_can_be_written),
		TEST(a_query_has_limits),
		TEST(no_query_takes_all_memory),
		TEST(functions_that_are_bounded_answer_as_sqlites),
		TEST(no_pattern_takes_for_ever),
		TEST(versions_are_ordered_as_their_managers_do),
		cmocka_unit_test(no_table_is_declared_twice),
		cmocka_unit_test(constraints_reach_the_table),
		cmocka_unit_test(every_column_is_described),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What a function of SQL is: an entry of the list of its family, one file in functions/.
 *
 * Help, documentation and completion read these lists, and a test runs each example and compares what it gives. */
#pragma once

struct mw_sql_world;
struct sqlite3;
struct sqlite3_context;
struct sqlite3_value;

enum {
	/* As many arguments as SQLite allows. */
	MW_SQL_VARIADIC = 127
};

struct mw_sql_function {
	const char *name;
	const char *arguments; /* as in the documentation: "TEXT, PATTERN, INDEX"; what may be left out in brackets */
	int least, most;       /* how many */
	const char *doc;
	const char *example; /* an expression or a query */
	const char *result;  /* of the example, as a text; NULL for NULL */
	/* All NULL: SQLite has it itself; it is listed for the documentation. */
	void (*call)(struct sqlite3_context *context, int count, struct sqlite3_value **values);
	/* Of an aggregate instead. */
	void (*step)(struct sqlite3_context *context, int count, struct sqlite3_value **values);
	void (*finish)(struct sqlite3_context *context);
};

struct mw_sql_family {
	const char *name;                        /* "Text" */
	const struct mw_sql_function *functions; /* ended by one without a name */
};

/* Ended by NULL. */
extern const struct mw_sql_family *const mw_sql_families[];

/* Make all of them known to a connection; `world` is what mw_sql_function_world() gives.  Returns SQLite's code. */
int mw_sql_functions_register(struct sqlite3 *db, struct mw_sql_world *world);
struct mw_sql_world *mw_sql_function_world(struct sqlite3_context *context);

/* Of PCRE2. */
const char *mw_sql_regex_version(void);

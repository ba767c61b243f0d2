#include "sql/db.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "crypto/digest_cache.h"
#include "crypto/redact.h"
#include "flag/flag.h"
#include "proc/users.h"
#include "sql/bounded.h"
#include "sql/collations.h"
#include "sql/empty.h"
#include "sql/function.h"
#include "sql/interrupt.h"
#include "sql/memory.h"
#include "sql/packages.h"
#include "sql/table.h"
#include "sql/vtab.h"
#include "sql/world.h"
#include "sql/yara_rules.h"

enum {
	TIME_MS = 30000,
	ROWS = 1 << 20,
	MEMORY_BYTES = 128 << 20,
	WARNINGS_BYTES = 8192,
	TABLES_BYTES = 8192,
	VIEW_NAME_BYTES = 128,
	/* Virtual machine instructions between two looks at the clock: some 10 µs. */
	CLOCK_STEPS = 1000,
};

struct mw_sql {
	sqlite3 *db;
	struct mw_sql_world world;
	char *state_dir;
	struct mw_flags *own_flags; /* NULL when they are the caller's */
	int64_t time_ms;
	uint64_t rows;
	int64_t memory_bytes;
	struct mw_buf warnings, told;
	struct mw_buf tables; /* that the last statement reads */
	bool is_refused;      /* by the authorizer */
};

struct mw_sql_query {
	struct mw_sql *sql;
	sqlite3_stmt *statement;
	int64_t began_ns, deadline_ns; /* 0 until the first step */
	uint64_t rows;
	sqlite3_int64 used_before; /* by SQLite */
};

/* Tables may have several threads. */
static pthread_mutex_t warnings_lock = PTHREAD_MUTEX_INITIALIZER;

void mw_sql_warn(struct mw_sql_world *world, const char *format, ...)
{
	struct mw_err line;
	va_list arguments;
	va_start(arguments, format);
	int n = vsnprintf(line.text, sizeof(line.text), format, arguments);
	va_end(arguments);
	struct mw_buf *lines = world->warnings;
	(void)pthread_mutex_lock(&warnings_lock);
	bool is_new = n >= 0 && !(lines->size && strstr(lines->data, line.text));
	/* What does not fit is left out whole. */
	if (is_new && mw_buf_reserve(lines, strlen(line.text) + 1)) {
		mw_buf_str(lines, line.text);
		mw_buf_char(lines, '\n');
	}
	lines->failed = false;
	(void)pthread_mutex_unlock(&warnings_lock);
}

/* sqlite3_progress_handler() */
static int is_late(void *data)
{
	const struct mw_sql *sql = data;
	return mw_sql_is_interrupted() || mw_clock_mono_ns() > sql->world.deadline_ns;
}

static void note_table(struct mw_buf *tables, const char *name)
{
	for (const char *at = tables->data; at && at < tables->data + tables->size; at += strlen(at) + 1)
		if (sqlite3_stricmp(at, name) == 0)
			return;
	mw_buf_add(tables, name, strlen(name) + 1);
}

static bool is_listed(const char *const *names, const char *name)
{
	for (; *names; names++)
		if (name && sqlite3_stricmp(*names, name) == 0)
			return true;
	return false;
}

/* sqlite3_set_authorizer(): what is not named here is refused. */
static int authorize(void *data, int action, const char *first, const char *second, const char *database,
		     const char *trigger)
{
	static const char *const pragmas[] = {
		"table_info",      "table_xinfo",   "table_list",  "function_list", "collation_list",
		"compile_options", "database_list", "module_list", "pragma_list",   NULL};
	static const char *const bad_functions[] = {"load_extension", "fts3_tokenizer", "readfile",
						    "writefile",      "edit",           NULL};
	(void)database;
	(void)trigger;
	struct mw_sql *sql = data;
	if (sql->world.is_declaring)
		return SQLITE_OK;
	switch (action) {
	case SQLITE_READ:
		note_table(&sql->tables, first);
		return SQLITE_OK;
	case SQLITE_SELECT:
	case SQLITE_RECURSIVE:
		return SQLITE_OK;
	case SQLITE_FUNCTION:
		if (!is_listed(bad_functions, second))
			return SQLITE_OK;
		break;
	case SQLITE_PRAGMA:
		if (is_listed(pragmas, first))
			return SQLITE_OK;
		break;
	default:
		break;
	}
	sql->is_refused = true;
	return SQLITE_DENY;
}

static void set_limits(sqlite3 *db)
{
	static const struct {
		int limit;
		int value;
	} limits[] = {
		{SQLITE_LIMIT_LENGTH, 16 << 20},     {SQLITE_LIMIT_SQL_LENGTH, 1 << 20},
		{SQLITE_LIMIT_COLUMN, 500},          {SQLITE_LIMIT_EXPR_DEPTH, 500},
		{SQLITE_LIMIT_COMPOUND_SELECT, 200}, {SQLITE_LIMIT_VDBE_OP, 1 << 20},
		{SQLITE_LIMIT_ATTACHED, 0},          {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 4096},
		{SQLITE_LIMIT_WORKER_THREADS, 0},
	};
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		(void)sqlite3_limit(db, limits[i].limit, limits[i].value);
}

static int open_database(struct mw_sql *sql, struct mw_err *err)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX;
	int r = sqlite3_open_v2(":memory:", &sql->db, flags, NULL);
	/* What is sorted may be secret: not into files. */
	if (r == SQLITE_OK)
		r = sqlite3_exec(sql->db, "PRAGMA temp_store = MEMORY", NULL, NULL, NULL);
	if (r == SQLITE_OK)
		r = mw_sql_collations_register(sql->db);
	if (r == SQLITE_OK)
		r = mw_sql_bounded_register(sql->db, &sql->world);
	const struct mw_sql_table *const *table = mw_sql_all_tables();
	if (!table)
		r = SQLITE_NOMEM;
	for (; r == SQLITE_OK && *table; table++)
		r = mw_vtab_register(sql->db, *table, &sql->world);
	if (r == SQLITE_OK)
		r = mw_sql_functions_register(sql->db, &sql->world);
	/* Tables of SQLite's own, like ours, declare their columns when they are first used: before the authorizer is there. */
	if (r == SQLITE_OK)
		r = sqlite3_exec(sql->db, "SELECT 1 FROM json_each('[]'), json_tree('[]')", NULL, NULL, NULL);
	if (r != SQLITE_OK)
		return mw_err_set(err, r == SQLITE_NOMEM ? -ENOMEM : -EIO, "SQLite cannot be set up: %s",
				  sql->db ? sqlite3_errmsg(sql->db) : sqlite3_errstr(r));
	(void)sqlite3_db_config(sql->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	set_limits(sql->db);
	sqlite3_progress_handler(sql->db, CLOCK_STEPS, is_late, sql);
	(void)sqlite3_set_authorizer(sql->db, authorize, sql);
	return 0;
}

/* A program of its own has no command line with flags. */
static int set_flags(struct mw_sql *sql, const struct mw_sql_options *options, struct mw_err *err)
{
	sql->world.flags = options->flags;
	if (options->flags)
		return 0;
	sql->own_flags = mw_flags_new();
	if (!sql->own_flags)
		return mw_err_set(err, -ENOMEM, "out of memory");
	sql->world.flags = sql->own_flags;
	struct mw_err why;
	if (mw_flags_parse_environment(sql->own_flags, environ, NULL, &why) < 0)
		mw_sql_warn(&sql->world, "%s", why.text);
	mw_redact_allow_plain(mw_flag_bool(sql->own_flags, MW_FLAG_ALLOW_PLAIN_ENV));
	return 0;
}

void mw_sql_set_limits(struct mw_sql *sql, int64_t time_ms, uint64_t rows, uint64_t memory_bytes)
{
	sql->time_ms = time_ms > 0 ? time_ms : TIME_MS;
	sql->rows = rows ? rows : ROWS;
	sql->memory_bytes = memory_bytes ? (int64_t)memory_bytes : MEMORY_BYTES;
}

void mw_sql_set_window(struct mw_sql *sql, struct mw_sql_window *window)
{
	sql->world.window = window;
}

static unsigned helpers(unsigned most)
{
	cpu_set_t cpus;
	if (!most || sched_getaffinity(0, sizeof(cpus), &cpus) < 0)
		return 0;
	unsigned others = (unsigned)CPU_COUNT(&cpus) - 1;
	return others < most ? others : most;
}

int mw_sql_open(const struct mw_sql_options *options, struct mw_sql **ret_sql, struct mw_err *err)
{
	struct mw_sql *sql = calloc(1, sizeof(*sql));
	if (!sql)
		return mw_err_set(err, -ENOMEM, "out of memory");
	sql->warnings = (struct mw_buf)MW_BUF(WARNINGS_BYTES);
	sql->told = (struct mw_buf)MW_BUF(WARNINGS_BYTES);
	sql->tables = (struct mw_buf)MW_BUF(TABLES_BYTES);
	mw_sql_memory_begin(true);
	mw_sql_set_limits(sql, options->time_ms, options->rows, options->memory_bytes);
	sql->state_dir = strdup(options->state_dir ? options->state_dir : "");
	sql->world = (struct mw_sql_world){
		.procfd = open(options->proc ? options->proc : "/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
		.rootfd =
			open(options->root && *options->root ? options->root : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
		.state_dir = sql->state_dir,
		.deadline_ns = INT64_MAX,
		.warnings = &sql->warnings,
		.helpers = helpers(options->helpers),
	};
	if (options->process_memory_bytes)
		(void)sqlite3_hard_heap_limit64((sqlite3_int64)options->process_memory_bytes);

	int r = sql->state_dir ? mw_users_new(options->root ? options->root : "", &sql->world.users) : -ENOMEM;
	if (r < 0)
		(void)mw_err_set(err, r, "out of memory");
	else
		r = set_flags(sql, options, err);
	if (r == 0)
		r = open_database(sql, err);
	if (r < 0) {
		mw_sql_close(sql);
		return r;
	}
	*ret_sql = sql;
	return 0;
}

void mw_sql_close(struct mw_sql *sql)
{
	if (!sql)
		return;
	(void)sqlite3_close(sql->db);
	mw_users_free(sql->world.users);
	mw_sql_packages_release(&sql->world);
	mw_flags_free(sql->own_flags);
	mw_digest_cache_free(sql->world.digests);
	mw_yara_cache_free(sql->world.yara);
	if (sql->world.procfd >= 0)
		(void)close(sql->world.procfd);
	if (sql->world.rootfd >= 0)
		(void)close(sql->world.rootfd);
	mw_buf_release(&sql->warnings);
	mw_buf_release(&sql->told);
	mw_buf_release(&sql->tables);
	free(sql->state_dir);
	free(sql);
}

static int fail(struct mw_sql *sql, int code, struct mw_err *err)
{
	switch (code & 0xFF) {
	case SQLITE_INTERRUPT:
		if (mw_sql_is_interrupted())
			return mw_err_set(err, -EINTR, "interrupted");
		return mw_err_set(err, -ETIME, "stopped after %lld ms: ask for less, e.g. with WHERE or LIMIT",
				  (long long)sql->time_ms);
	case SQLITE_NOMEM:
		return mw_err_set(err, -ENOMEM, "out of memory: ask for less, e.g. with WHERE or LIMIT");
	case SQLITE_AUTH:
		return mw_err_set(err, -EPERM, "refused: only reading is possible here (%s)", sqlite3_errmsg(sql->db));
	default:
		return mw_err_set(err, sql->is_refused ? -EPERM : -EINVAL, "%s", sqlite3_errmsg(sql->db));
	}
}

int mw_sql_prepare(struct mw_sql *sql, const char *text, size_t bytes, struct mw_sql_query **ret_query,
		   const char **ret_rest, struct mw_err *err)
{
	sqlite3_stmt *statement = NULL;
	const char *rest = text + bytes;
	sql->is_refused = false;
	mw_buf_clear(&sql->tables);
	if (bytes > INT32_MAX)
		return mw_err_set(err, -E2BIG, "the query is too long");
	int r = sqlite3_prepare_v2(sql->db, text, (int)bytes, &statement, &rest);
	if (r != SQLITE_OK)
		return fail(sql, r, err);
	*ret_rest = rest;
	*ret_query = NULL;
	if (!statement)
		return 0;
	struct mw_sql_query *query = calloc(1, sizeof(*query));
	if (!query) {
		(void)sqlite3_finalize(statement);
		return mw_err_set(err, -ENOMEM, "out of memory");
	}
	*query = (struct mw_sql_query){
		.sql = sql,
		.statement = statement,
		.used_before = mw_sql_memory_is_counted() ? mw_sql_memory_used() : sqlite3_memory_used(),
	};
	*ret_query = query;
	return 0;
}

void mw_sql_finish(struct mw_sql_query *query)
{
	if (!query)
		return;
	(void)sqlite3_finalize(query->statement);
	free(query);
}

unsigned mw_sql_columns(const struct mw_sql_query *query)
{
	return (unsigned)sqlite3_column_count(query->statement);
}

const char *mw_sql_column_name(const struct mw_sql_query *query, unsigned column)
{
	const char *name = sqlite3_column_name(query->statement, (int)column);
	return name ? name : "";
}

/* Where memory is not counted by thread, SQLite knows a limit for all of the process alone: it is that of the query for as long as
 * the query runs. */
static int step(struct mw_sql_query *query)
{
	sqlite3_int64 limit = query->used_before + query->sql->memory_bytes;
	if (mw_sql_memory_is_counted()) {
		mw_sql_memory_limit(limit);
		int code = sqlite3_step(query->statement);
		mw_sql_memory_limit(0);
		return code;
	}
	sqlite3_int64 others = sqlite3_hard_heap_limit64(-1);
	if (others == 0 || limit < others)
		(void)sqlite3_hard_heap_limit64(limit);
	int r = sqlite3_step(query->statement);
	(void)sqlite3_hard_heap_limit64(others);
	return r;
}

const char *mw_sql_column_type(const struct mw_sql_query *query, unsigned column)
{
	const char *type = sqlite3_column_decltype(query->statement, (int)column);
	return type ? type : "";
}

int mw_sql_step(struct mw_sql_query *query, struct mw_err *err)
{
	struct mw_sql *sql = query->sql;
	if (!query->deadline_ns) {
		query->began_ns = mw_clock_mono_ns();
		query->deadline_ns = query->began_ns + sql->time_ms * MW_NS_PER_MS;
	}
	if (query->rows > sql->rows)
		return -ENOBUFS;
	if (mw_sql_is_interrupted()) /* while its rows were shown */
		return fail(sql, SQLITE_INTERRUPT, err);
	sql->world.deadline_ns = query->deadline_ns;
	sql->world.began_ns = query->began_ns;
	int r = step(query);
	sql->world.deadline_ns = INT64_MAX;
	if (r == SQLITE_DONE)
		return 0;
	if (r != SQLITE_ROW)
		return fail(sql, r, err);
	if (++query->rows > sql->rows)
		return mw_err_set(err, -ENOBUFS, "stopped after %llu rows: ask for less, e.g. with WHERE or LIMIT",
				  (unsigned long long)sql->rows);
	return 1;
}

enum mw_sql_value_type mw_sql_value_type(const struct mw_sql_query *query, unsigned column)
{
	switch (sqlite3_column_type(query->statement, (int)column)) {
	case SQLITE_NULL:
		return MW_SQL_VALUE_NULL;
	case SQLITE_INTEGER:
		return MW_SQL_VALUE_INTEGER;
	case SQLITE_FLOAT:
		return MW_SQL_VALUE_REAL;
	default:
		return MW_SQL_VALUE_BYTES;
	}
}

int64_t mw_sql_value_integer(const struct mw_sql_query *query, unsigned column)
{
	return sqlite3_column_int64(query->statement, (int)column);
}

double mw_sql_value_real(const struct mw_sql_query *query, unsigned column)
{
	return sqlite3_column_double(query->statement, (int)column);
}

const char *mw_sql_value_bytes(struct mw_sql_query *query, unsigned column, size_t *ret_bytes)
{
	int n = (int)column;
	int type = sqlite3_column_type(query->statement, n);
	const char *bytes = type == SQLITE_BLOB ? sqlite3_column_blob(query->statement, n)
						: (const char *)sqlite3_column_text(query->statement, n);
	*ret_bytes = (size_t)sqlite3_column_bytes(query->statement, n);
	return type == SQLITE_NULL ? NULL : bytes ? bytes : "";
}

bool mw_sql_is_complete(const char *text)
{
	return sqlite3_complete(text) != 0;
}

const char *mw_sql_tables_read(const struct mw_sql *sql, size_t *ret_bytes)
{
	*ret_bytes = sql->tables.size;
	return mw_buf_status(&sql->tables) < 0 || sql->tables.size == 0 ? NULL : sql->tables.data;
}

static bool is_view_name(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
	size_t length = strlen(name);
	return length && length < VIEW_NAME_BYTES && strspn(name, letters) == length &&
	       (name[0] < '0' || name[0] > '9') && sqlite3_strnicmp(name, "sqlite_", 7) != 0;
}

/* One SELECT, and nothing behind it. */
static int check_view(struct mw_sql *sql, const char *text, size_t bytes, struct mw_err *err)
{
	struct mw_sql_query *query = NULL;
	const char *rest = text;
	int r = mw_sql_prepare(sql, text, bytes, &query, &rest, err);
	if (r < 0)
		return r;
	bool is_select = query && mw_sql_columns(query) > 0 && sqlite3_stmt_readonly(query->statement) &&
			 !sqlite3_stmt_isexplain(query->statement);
	mw_sql_finish(query);
	/* A PRAGMA gives rows, too. */
	while (is_select && bytes && strchr(" \t\r\n(", *text)) {
		text++;
		bytes--;
	}
	is_select = is_select && bytes > 6 &&
		    (sqlite3_strnicmp(text, "select", 6) == 0 || sqlite3_strnicmp(text, "with", 4) == 0 ||
		     sqlite3_strnicmp(text, "values", 6) == 0);
	if (!is_select)
		return mw_err_set(err, -EINVAL, "a view is one SELECT");
	query = NULL;
	r = mw_sql_prepare(sql, rest, (size_t)(text + bytes - rest), &query, &rest, err);
	if (r < 0 || query)
		r = mw_err_set(err, -EINVAL, "a view is one SELECT, with nothing behind it");
	if (query)
		mw_sql_finish(query);
	return r;
}

int mw_sql_add_view(struct mw_sql *sql, const char *name, const char *text, size_t bytes, struct mw_err *err)
{
	if (!is_view_name(name))
		return mw_err_set(err, -EINVAL, "\"%.60s\" is no name for a view", name);
	if (mw_sql_table(name))
		return mw_err_set(err, -EINVAL, "there is a table named %s", name);
	if (memchr(text, '\0', bytes))
		return mw_err_set(err, -EINVAL, "the text has a NUL");
	int r = check_view(sql, text, bytes, err);
	if (r < 0)
		return r;
	size_t end = bytes;
	while (end && strchr(" \t\r\n;", text[end - 1]))
		end--;
	char *create = sqlite3_mprintf("CREATE TEMP VIEW \"%w\" AS %.*s", name, (int)end, text);
	if (!create)
		return mw_err_set(err, -ENOMEM, "out of memory");
	sql->world.is_declaring = true;
	int code = sqlite3_exec(sql->db, create, NULL, NULL, NULL);
	sql->world.is_declaring = false;
	sqlite3_free(create);
	return code == SQLITE_OK ? 0 : fail(sql, code, err);
}

const char *mw_sql_warnings(struct mw_sql *sql)
{
	mw_buf_clear(&sql->told);
	(void)pthread_mutex_lock(&warnings_lock);
	if (sql->warnings.size)
		mw_buf_add(&sql->told, sql->warnings.data, sql->warnings.size);
	mw_buf_clear(&sql->warnings);
	(void)pthread_mutex_unlock(&warnings_lock);
	return sql->told.size ? sql->told.data : NULL;
}

const struct mw_sql_table *mw_sql_table(const char *name)
{
	for (const struct mw_sql_table *const *table = mw_sql_all_tables(); table && *table; table++)
		if (sqlite3_stricmp((*table)->name, name) == 0 || sqlite3_stricmp((*table)->alias, name) == 0)
			return *table;
	return NULL;
}

const char *mw_sql_sqlite_version(void)
{
	return sqlite3_libversion();
}

struct mw_sql_world *mw_sql_world(struct mw_sql *sql)
{
	return &sql->world;
}

#include "spool/handover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "spool/queue.h"
#include "spool/spool_private.h"
#include "spool/store.h"

enum {
	DIR_MODE = 0700,
	/* Names tried. */
	NAMES = 100,
	STATEMENT_BYTES = 1024,
	FILE_BYTES = 64 << 10,
};

static const enum mw_spool_stream by_value[MW_SPOOL_STREAMS] = {
	MW_SPOOL_ALERTS,
	MW_SPOOL_RESULTS,
	MW_SPOOL_EVENTS,
	MW_SPOOL_STATUS,
};

/* Where the consumer that is furthest behind is; -1: nobody wants the stream. */
static int64_t behind(struct mw_spool *spool, unsigned stream)
{
	int64_t least = -1;
	const struct mw_spool_consumer *consumer;
	for (unsigned i = 0; (consumer = mw_spool_consumer_at(spool, i)); i++) {
		struct mw_spool_counts counts;
		if (!(consumer->streams >> stream & 1) ||
		    mw_spool_count(spool, consumer->name, (enum mw_spool_stream)stream, &counts, NULL) < 0)
			continue;
		int64_t seq = counts.last - (int64_t)counts.waiting;
		least = least < 0 || seq < least ? seq : least;
	}
	return least;
}

static int64_t last_of(struct mw_spool *spool, unsigned stream)
{
	struct sqlite3_stmt *last = spool->statement[MW_SPOOL_LAST];
	(void)sqlite3_bind_text(last, 1, mw_spool_stream_names[stream], -1, SQLITE_STATIC);
	return mw_store_integer(last, 0);
}

void mw_spool_undelivered(struct mw_spool *spool, uint64_t ret_rows[MW_SPOOL_STREAMS])
{
	for (unsigned i = 0; i < MW_SPOOL_STREAMS; i++) {
		int64_t from = spool->db ? behind(spool, i) : -1;
		ret_rows[i] = from < 0 ? 0 : (uint64_t)(last_of(spool, i) - from);
	}
}

/* A copy on its way. */
struct copy {
	struct mw_spool *spool;
	struct sqlite3 *to;
	uint64_t bytes, limit_bytes;
	struct mw_spool_handed *handed;
	int64_t upto[MW_SPOOL_STREAMS]; /* of each stream, the last row that was copied, or where the copy begins */
};

/* Bind the columns of a row to the same places of a statement, and run it. */
static int put_row(struct sqlite3 *db, struct sqlite3_stmt *put, struct sqlite3_stmt *row, struct mw_err *err)
{
	int n = sqlite3_column_count(row);
	for (int i = 0; i < n; i++)
		(void)sqlite3_bind_value(put, i + 1, sqlite3_column_value(row, i));
	int r = sqlite3_step(put) == SQLITE_DONE ? 0 : mw_store_error(db, err);
	(void)sqlite3_reset(put);
	return r;
}

static const char *const columns[MW_SPOOL_STREAMS] = {
	[MW_SPOOL_EVENTS] = "seq, id, time_ns, kind, body, pid",
	[MW_SPOOL_ALERTS] = "seq, id, time_ns, kind, body, pid, rule",
	[MW_SPOOL_RESULTS] = "seq, id, time_ns, kind, body",
	[MW_SPOOL_STATUS] = "seq, id, time_ns, kind, body",
};

static const char *const places[MW_SPOOL_STREAMS] = {
	[MW_SPOOL_EVENTS] = "?1, ?2, ?3, ?4, ?5, ?6",
	[MW_SPOOL_ALERTS] = "?1, ?2, ?3, ?4, ?5, ?6, ?7",
	[MW_SPOOL_RESULTS] = "?1, ?2, ?3, ?4, ?5",
	[MW_SPOOL_STATUS] = "?1, ?2, ?3, ?4, ?5",
};

enum {
	BODY_COLUMN = 4
};

static int copy_stream(struct copy *copy, unsigned stream, struct mw_err *err)
{
	const char *table = mw_spool_stream_names[stream];
	struct sqlite3_stmt *from = NULL;
	struct sqlite3_stmt *to = NULL;
	int64_t begin = behind(copy->spool, stream);
	if (begin < 0)
		return 0;
	copy->upto[stream] = begin;
	char select[STATEMENT_BYTES];
	char insert[STATEMENT_BYTES];
	(void)snprintf(select, sizeof(select), "SELECT %s FROM %s WHERE seq > ?1 ORDER BY seq", columns[stream], table);
	(void)snprintf(insert, sizeof(insert), "INSERT INTO %s(%s) VALUES(%s)", table, columns[stream], places[stream]);
	int r = mw_store_prepare(copy->spool->db, select, &from, err);
	if (r == 0)
		r = mw_store_prepare(copy->to, insert, &to, err);
	if (r == 0)
		(void)sqlite3_bind_int64(from, 1, begin);
	int code = SQLITE_DONE;
	while (r == 0 && (code = sqlite3_step(from)) == SQLITE_ROW) {
		copy->bytes += (uint64_t)sqlite3_column_bytes(from, BODY_COLUMN);
		if (copy->bytes > copy->limit_bytes)
			break;
		copy->upto[stream] = sqlite3_column_int64(from, 0);
		copy->handed->rows[stream]++;
		r = put_row(copy->to, to, from, err);
	}
	if (r == 0 && code != SQLITE_ROW && code != SQLITE_DONE)
		r = mw_store_error(copy->spool->db, err);
	(void)sqlite3_finalize(from);
	(void)sqlite3_finalize(to);
	copy->handed->left[stream] = (uint64_t)(last_of(copy->spool, stream) - copy->upto[stream]);
	if (r < 0)
		return r;
	/* The numbers go on behind what is there, also when that is nothing. */
	char last[STATEMENT_BYTES];
	(void)snprintf(last, sizeof(last),
		       "DELETE FROM sqlite_sequence WHERE name = '%s';"
		       "INSERT INTO sqlite_sequence(name, seq) VALUES('%s', %lld)",
		       table, table, (long long)copy->upto[stream]);
	return mw_store_exec(copy->to, last, err);
}

/* Rows of a table about `what`, as they are. */
static int copy_rows(struct copy *copy, const char *select, const char *what, const char *insert, struct mw_err *err)
{
	struct sqlite3_stmt *from = NULL;
	struct sqlite3_stmt *to = NULL;
	int r = mw_store_prepare(copy->spool->db, select, &from, err);
	if (r == 0)
		r = mw_store_prepare(copy->to, insert, &to, err);
	if (r == 0)
		(void)sqlite3_bind_text(from, 1, what, -1, SQLITE_STATIC);
	while (r == 0 && sqlite3_step(from) == SQLITE_ROW)
		r = put_row(copy->to, to, from, err);
	(void)sqlite3_finalize(from);
	(void)sqlite3_finalize(to);
	return r;
}

/* Each begins to count anew there, at what is there: the limit may have cut off all that it lacks. */
static int copy_cursors(struct copy *copy, const char *name, struct mw_err *err)
{
	return copy_rows(
		copy, "SELECT consumer, stream, seen_ns, seq FROM cursors WHERE consumer = ?1", name,
		"INSERT INTO cursors(consumer, stream, seen_ns, first, seq)"
		" SELECT ?1, ?2, ?3, at, at FROM (SELECT min(?4, max(seq)) AS at FROM sqlite_sequence WHERE name = ?2)",
		err);
}

static int copy_document(struct copy *copy, const char *name, struct mw_err *err)
{
	return copy_rows(copy, "SELECT name, time_ns, body FROM documents WHERE name = ?1", name,
			 "INSERT INTO documents VALUES(?1, ?2, ?3)", err);
}

static int copy_all(struct copy *copy, struct mw_err *err)
{
	int r = mw_store_exec(copy->to, "BEGIN IMMEDIATE", err);
	for (unsigned i = 0; i < MW_SPOOL_STREAMS && r == 0; i++)
		r = copy_stream(copy, by_value[i], err);
	const struct mw_spool_consumer *consumer;
	for (unsigned i = 0; r == 0 && (consumer = mw_spool_consumer_at(copy->spool, i)); i++)
		r = copy_cursors(copy, consumer->name, err);
	/* Who it is of. */
	if (r == 0)
		r = copy_document(copy, "ecs", err);
	if (r == 0)
		r = copy_document(copy, "host", err);
	return r == 0 ? mw_store_exec(copy->to, "COMMIT", err) : r;
}

/* Give the folder its name, which nobody has yet. */
static int settle(const char *made, const char *dir, const char *name, char out[MW_PATH_BYTES], struct mw_err *err)
{
	for (unsigned i = 1; i < NAMES; i++) {
		int n = i == 1 ? snprintf(out, MW_PATH_BYTES, "%s/%s", dir, name)
			       : snprintf(out, MW_PATH_BYTES, "%s/%s.%u", dir, name, i);
		if (n < 0 || n >= MW_PATH_BYTES)
			return mw_err_set(err, -ENAMETOOLONG, "%s: path too long", dir);
		if (rename(made, out) == 0)
			return 0;
		/* An empty folder would be replaced; one with something in it is not. */
		if (errno != EEXIST && errno != ENOTEMPTY)
			break;
	}
	return mw_err_set(err, -errno, "%s: %s", out, strerror(errno));
}

static int discard(const char *made)
{
	char path[MW_PATH_BYTES + 32];
	static const char *const endings[] = {"", "-wal", "-shm"};
	static const char *const files[] = MW_SPOOL_HANDED_FILES;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", made, files[i]);
		(void)unlink(path);
	}
	for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++) {
		(void)snprintf(path, sizeof(path), "%s/" MW_SPOOL_FILE "%s", made, endings[i]);
		(void)unlink(path);
	}
	return rmdir(made) < 0 ? -errno : 0;
}

static int write_copy(struct copy *copy, const char *made, struct mw_err *err)
{
	char path[MW_PATH_BYTES];
	int was;
	int r = mw_store_path(made, path, err);
	if (r == 0)
		r = mw_store_open(path, &copy->to, &was, err);
	/* We are killed soon, the machine is not: what is written is there, and there is no time to wait for the disk. */
	if (r == 0)
		r = mw_store_exec(copy->to, "PRAGMA synchronous = OFF", err);
	if (r == 0)
		r = copy_all(copy, err);
	/* The last one to close copies the log. */
	if (copy->to && sqlite3_close(copy->to) != SQLITE_OK && r == 0)
		r = mw_err_set(err, -EIO, "%s: cannot be closed", path);
	return r;
}

/* Here they are somebody else's now. */
static int note_handed(struct copy *copy, struct mw_err *err)
{
	int r = mw_spool_run(copy->spool, MW_SPOOL_BEGIN, err);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < MW_SPOOL_STREAMS && r == 0; i++) {
		struct sqlite3_stmt *hand = copy->spool->statement[MW_SPOOL_HAND];
		(void)sqlite3_bind_text(hand, 1, mw_spool_stream_names[i], -1, SQLITE_STATIC);
		(void)sqlite3_bind_int64(hand, 2, copy->upto[i]);
		r = mw_spool_run(copy->spool, MW_SPOOL_HAND, err);
	}
	return mw_spool_end(copy->spool, r, err);
}

/* A small file that is there; none is fine. */
static int copy_file(const char *from_dir, const char *to_dir, const char *name, struct mw_err *err)
{
	char path[MW_PATH_BYTES + 32];
	char bytes[FILE_BYTES];
	(void)snprintf(path, sizeof(path), "%s/%s", from_dir, name);
	MW_AUTO_FD from = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (from < 0)
		return 0;
	ssize_t n = read(from, bytes, sizeof(bytes));
	(void)snprintf(path, sizeof(path), "%s/%s", to_dir, name);
	MW_AUTO_FD to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool is_well = n >= 0 && to >= 0 && write(to, bytes, (size_t)n) == n;
	explicit_bzero(bytes, sizeof(bytes));
	return is_well ? 0 : mw_err_set(err, -EIO, "%s: cannot be written", path);
}

static int copy_files(const char *from_dir, const char *to_dir, struct mw_err *err)
{
	static const char *const names[] = MW_SPOOL_HANDED_FILES;
	int r = 0;
	for (size_t i = 0; *from_dir && r == 0 && i < sizeof(names) / sizeof(*names); i++)
		r = copy_file(from_dir, to_dir, names[i], err);
	return r;
}

int mw_spool_hand_over(struct mw_spool *spool, const char *state_dir, const char *dir, const char *name,
		       uint64_t limit_bytes, struct mw_spool_handed *ret_handed, struct mw_err *err)
{
	*ret_handed = (struct mw_spool_handed){.path = ""};
	struct copy copy = {.spool = spool, .limit_bytes = limit_bytes, .handed = ret_handed};
	uint64_t rows[MW_SPOOL_STREAMS];
	uint64_t all = 0;
	mw_spool_undelivered(spool, rows);
	for (unsigned i = 0; i < MW_SPOOL_STREAMS; i++)
		all += rows[i];
	if (!all)
		return 0;
	char made[MW_PATH_BYTES];
	int n = snprintf(made, sizeof(made), "%s/.%s.%d", dir, name, (int)getpid());
	if (n < 0 || (size_t)n >= sizeof(made))
		return mw_err_set(err, -ENAMETOOLONG, "%s: path too long", dir);
	int r = mw_file_make_dirs(dir, DIR_MODE);
	if (r < 0)
		return mw_err_set(err, r, "%s: %s", dir, strerror(-r));
	(void)discard(made); /* of one who had our process id */
	if (mkdir(made, DIR_MODE) < 0)
		return mw_err_set(err, -errno, "%s: %s", made, strerror(errno));
	r = write_copy(&copy, made, err);
	if (r == 0)
		r = copy_files(state_dir, made, err);
	if (r == 0)
		r = settle(made, dir, name, ret_handed->path, err);
	if (r < 0) {
		(void)discard(made);
		return r;
	}
	return note_handed(&copy, err);
}

int mw_spool_handed_list(const char *dir, void (*take)(void *data, const char *name), void *data, struct mw_err *err)
{
	struct dirent **entries;
	int n = scandir(dir, &entries, NULL, alphasort);
	if (n < 0)
		return mw_err_set(err, -errno, "%s: %s", dir, strerror(errno));
	for (int i = 0; i < n; i++) {
		char path[MW_PATH_BYTES];
		struct stat st;
		const char *name = entries[i]->d_name;
		int length = snprintf(path, sizeof(path), "%s/%s/" MW_SPOOL_FILE, dir, name);
		if (*name != '.' && length > 0 && (size_t)length < sizeof(path) && lstat(path, &st) == 0 &&
		    S_ISREG(st.st_mode))
			take(data, name);
		free(entries[i]);
	}
	free(entries);
	return 0;
}

int mw_spool_handed_remove(const char *path, struct mw_err *err)
{
	int r = discard(path);
	return r < 0 ? mw_err_set(err, r, "%s: cannot be removed: %s", path, strerror(-r)) : 0;
}

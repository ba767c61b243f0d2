/* moonwatch.archive: files in a tar (POSIX.1-2001 pax, ustar), packed by zstd or not, in a file that nobody else sees.  A piece at a
 * time, so that the loop goes on between. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/limits.h"
#include "crypto/sha256.h"
#include "script/agent_private.h"
#include "script/bind.h"
#include "script/zstd.h"

#define ARCHIVE "moonwatch.Archive"

int luaopen_moonwatch_archive(lua_State *L);

enum {
	BLOCK = 512,
	CHUNK_BYTES = 256 << 10,
	/* Of one piece that is sent. */
	PIECE_BYTES = 8 << 20,
	NAME_BYTES = 100,
};

struct archive {
	int fd;        /* -1 once closed */
	int source_fd; /* the file that is being added; -1: none */
	uint64_t source_left, padding;
	uint64_t size;
	struct mw_sha256 *hash;
	struct mw_zstd *zstd; /* NULL: not packed */
	char chunk[CHUNK_BYTES];
};

/* POSIX.1-2017, pax, "ustar Interchange Format". */
struct header {
	char name[NAME_BYTES];
	char mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8];
	char type;
	char linkname[NAME_BYTES];
	char magic[6], version[2], uname[32], gname[32], devmajor[8], devminor[8], prefix[155], rest[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header is a block");

static int archive_close(lua_State *L)
{
	struct archive *archive = luaL_checkudata(L, 1, ARCHIVE);
	if (archive->source_fd >= 0)
		(void)close(archive->source_fd);
	if (archive->fd >= 0)
		(void)close(archive->fd);
	archive->fd = archive->source_fd = -1;
	mw_sha256_free(archive->hash);
	mw_zstd_free(archive->zstd);
	archive->hash = NULL;
	archive->zstd = NULL;
	return 0;
}

static struct archive *check(lua_State *L)
{
	struct archive *archive = luaL_checkudata(L, 1, ARCHIVE);
	luaL_argcheck(L, archive->fd >= 0, 1, "closed archive");
	return archive;
}

static int fail(lua_State *L, int code)
{
	return mw_lua_fail(L, code, strerror(-code));
}

/* Without a name: in the state folder, where there is room for it, else in memory. */
static int open_unnamed(const char *dir)
{
	int fd = *dir ? open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) : -1;
	if (fd < 0)
		fd = memfd_create("archive", MFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* new(is_packed) -> archive | nil, message, code; "ENOSYS": it cannot be packed here */
static int archive_new(lua_State *L)
{
	bool is_packed = lua_toboolean(L, 1);
	const char *dir = mw_agent_options_of(L)->state_dir;
	struct archive *archive = lua_newuserdatauv(L, sizeof(*archive), 0);
	archive->fd = archive->source_fd = -1;
	archive->source_left = archive->padding = archive->size = 0;
	archive->hash = NULL;
	archive->zstd = NULL;
	luaL_setmetatable(L, ARCHIVE);
	archive->fd = open_unnamed(dir);
	archive->hash = mw_sha256_new();
	if (archive->fd < 0 || !archive->hash)
		return fail(L, archive->fd < 0 ? archive->fd : -ENOMEM);
	if (is_packed && !(archive->zstd = mw_zstd_new()))
		return mw_lua_fail(L, -ENOSYS, "libzstd is not there");
	return 1;
}

static int put_raw(void *data, const void *bytes, size_t n)
{
	struct archive *archive = data;
	const char *at = bytes;
	mw_sha256_add(archive->hash, bytes, n);
	while (n) {
		ssize_t written = write(archive->fd, at, n);
		if (written < 0 && errno != EINTR)
			return -errno;
		if (written > 0) {
			at += written;
			n -= (size_t)written;
			archive->size += (uint64_t)written;
		}
	}
	return 0;
}

static int put(struct archive *archive, const void *bytes, size_t n)
{
	return archive->zstd ? mw_zstd_pack(archive->zstd, bytes, n, false, put_raw, archive)
			     : put_raw(archive, bytes, n);
}

static void octal(char *field, size_t room, uint64_t value)
{
	for (size_t i = room - 1; i-- > 0; value >>= 3)
		field[i] = (char)('0' + (value & 7));
}

static int put_header(struct archive *archive, const char *name, char type, uint64_t size, const struct stat *st)
{
	struct header header = {.type = type, .magic = "ustar", .version = {'0', '0'}};
	size_t length = strlen(name);
	memcpy(header.name, name, length < NAME_BYTES ? length : NAME_BYTES);
	octal(header.mode, sizeof(header.mode), st->st_mode & 07777);
	octal(header.uid, sizeof(header.uid), st->st_uid & 07777777);
	octal(header.gid, sizeof(header.gid), st->st_gid & 07777777);
	octal(header.size, sizeof(header.size), size);
	octal(header.mtime, sizeof(header.mtime), st->st_mtim.tv_sec < 0 ? 0 : (uint64_t)st->st_mtim.tv_sec);
	memset(header.checksum, ' ', sizeof(header.checksum));
	unsigned sum = 0;
	const unsigned char *bytes = (const unsigned char *)&header;
	for (size_t i = 0; i < sizeof(header); i++)
		sum += bytes[i];
	octal(header.checksum, sizeof(header.checksum) - 1, sum);
	header.checksum[sizeof(header.checksum) - 2] = '\0';
	return put(archive, &header, sizeof(header));
}

static int put_zeros(struct archive *archive, size_t n)
{
	static const char zeros[2 * BLOCK];
	return put(archive, zeros, n);
}

/* A name too long for the header stands in a record before it, as GNU tar has it. */
static int put_name(struct archive *archive, const char *name, const struct stat *st)
{
	size_t n = strlen(name) + 1;
	int r = put_header(archive, "././@LongLink", 'L', n, st);
	if (r == 0)
		r = put(archive, name, n);
	return r == 0 ? put_zeros(archive, (BLOCK - n % BLOCK) % BLOCK) : r;
}

/* archive:add(path, limit) -> bytes | nil, message, code: begin a regular file of at most `limit` bytes; copy() copies it */
static int archive_add(lua_State *L)
{
	struct archive *archive = check(L);
	const char *path = luaL_checkstring(L, 2);
	lua_Integer limit = luaL_checkinteger(L, 3);
	struct stat st;
	luaL_argcheck(L, *path == '/' && strlen(path) < MW_PATH_BYTES, 2, "no path");
	luaL_argcheck(L, archive->source_fd < 0, 1, "the file before is not copied");
	/* Neither waiting for who writes to a FIFO, nor marking the file as read where that can be had. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOATIME);
	if (fd < 0 && errno == EPERM)
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return fail(L, -errno);
	int r = fstat(fd, &st) < 0 ? -errno : !S_ISREG(st.st_mode) ? -EINVAL : st.st_size > limit ? -EFBIG : 0;
	const char *name = path + 1;
	if (r == 0 && strlen(name) > NAME_BYTES)
		r = put_name(archive, name, &st);
	if (r == 0)
		r = put_header(archive, name, '0', (uint64_t)st.st_size, &st);
	if (r < 0) {
		(void)close(fd);
		return fail(L, r);
	}
	archive->source_fd = fd;
	archive->source_left = (uint64_t)st.st_size;
	archive->padding = (BLOCK - archive->source_left % BLOCK) % BLOCK;
	lua_pushinteger(L, (lua_Integer)st.st_size);
	return 1;
}

/* archive:copy() -> whether there is more | nil, message, code: a piece of it.  One that has become shorter is filled up with
 * zeros. */
static int archive_copy(lua_State *L)
{
	struct archive *archive = check(L);
	if (archive->source_fd < 0) {
		lua_pushboolean(L, false);
		return 1;
	}
	size_t wanted = archive->source_left < CHUNK_BYTES ? (size_t)archive->source_left : CHUNK_BYTES;
	ssize_t n = wanted ? read(archive->source_fd, archive->chunk, wanted) : 0;
	if (n < 0 && errno == EINTR)
		n = 0;
	else if (n <= 0) {
		memset(archive->chunk, 0, wanted);
		n = (ssize_t)wanted;
	}
	int r = put(archive, archive->chunk, (size_t)n);
	archive->source_left -= (uint64_t)n;
	bool has_more = archive->source_left > 0;
	if (r == 0 && !has_more)
		r = put_zeros(archive, (size_t)archive->padding);
	if (r < 0 || !has_more) {
		(void)close(archive->source_fd);
		archive->source_fd = -1;
	}
	if (r < 0)
		return fail(L, r);
	lua_pushboolean(L, has_more);
	return 1;
}

/* archive:finish() -> size, sha256 | nil, message, code */
static int archive_finish(lua_State *L)
{
	struct archive *archive = check(L);
	char hex[MW_SHA256_HEX_BYTES];
	int r = put_zeros(archive, 2 * BLOCK);
	if (r == 0 && archive->zstd)
		r = mw_zstd_pack(archive->zstd, "", 0, true, put_raw, archive);
	if (r < 0)
		return fail(L, r);
	mw_sha256_end(archive->hash, hex);
	lua_pushinteger(L, (lua_Integer)archive->size);
	lua_pushstring(L, hex);
	return 2;
}

static int buf_gc(lua_State *L)
{
	mw_buf_release(lua_touserdata(L, 1));
	return 0;
}

static struct mw_buf *push_buf(lua_State *L, size_t max)
{
	struct mw_buf *buf = lua_newuserdatauv(L, sizeof(*buf), 0);
	*buf = (struct mw_buf)MW_BUF(max);
	lua_createtable(L, 0, 1);
	lua_pushcfunction(L, buf_gc);
	lua_setfield(L, -2, "__gc");
	lua_setmetatable(L, -2);
	return buf;
}

/* archive:piece(offset, bytes) -> in base64 | nil, message, code */
static int archive_piece(lua_State *L)
{
	struct archive *archive = check(L);
	lua_Integer offset = luaL_checkinteger(L, 2);
	lua_Integer bytes = luaL_checkinteger(L, 3);
	luaL_argcheck(L, offset >= 0, 2, "negative");
	luaL_argcheck(L, bytes > 0 && bytes <= PIECE_BYTES, 3, "out of range");
	char *piece = lua_newuserdatauv(L, (size_t)bytes, 0);
	struct mw_buf *text = push_buf(L, 2 * PIECE_BYTES);
	ssize_t n = pread(archive->fd, piece, (size_t)bytes, (off_t)offset);
	if (n < 0)
		return fail(L, -errno);
	mw_base64_encode(piece, (size_t)n, text);
	int r = mw_buf_status(text);
	if (r == 0)
		lua_pushlstring(L, text->data ? text->data : "", text->size);
	mw_buf_release(text);
	return r < 0 ? fail(L, r) : 1;
}

int luaopen_moonwatch_archive(lua_State *L)
{
	static const luaL_Reg functions[] = {{"new", archive_new}, {NULL, NULL}};
	static const luaL_Reg methods[] = {
		{"add", archive_add},     {"copy", archive_copy},   {"finish", archive_finish},
		{"piece", archive_piece}, {"close", archive_close}, {NULL, NULL},
	};
	luaL_newmetatable(L, ARCHIVE);
	lua_pushcfunction(L, archive_close);
	lua_setfield(L, -2, "__gc");
	lua_pushcfunction(L, archive_close);
	lua_setfield(L, -2, "__close");
	luaL_newlib(L, methods);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
	luaL_newlib(L, functions);
	return 1;
}

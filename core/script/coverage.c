#include "script/coverage.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "script/bind.h"

enum {
	DUMP_BYTES = 4 << 20,
	DEPTH = 64, /* functions in functions */
	/* Lines given to one function; at most that many instructions. */
	LINES = 1 << 16,
	FUNCTIONS = (1 << 15) - 1,
	ABSOLUTE = -0x80, /* ABSLINEINFO of ldebug.h */
	/* lopcodes.h: from OP_EQ to OP_TESTSET, each followed by its jump; and the loops of `for … in`. */
	FIRST_TEST = 57,
	LAST_TEST = 67,
	OPCODE_MASK = 0x7f,
};

struct function {
	char *file;
	bool is_main;
	int count; /* of instructions */
	int *lines;
	uint8_t *is_test;
	uint8_t *went; /* bit 0: to the next but one, past its jump; bit 1: jumped */
};

struct mw_coverage {
	struct function *list;
	int count;
	int last; /* line of the instruction before, as the hook had it; 0: none */
	/* Of the chunk that is being read. */
	const unsigned char *at, *end;
	struct mw_buf out;
	const char *file;
	bool is_bad;
};

struct mw_coverage *mw_coverage_new(void)
{
	return calloc(1, sizeof(struct mw_coverage));
}

void mw_coverage_free(struct mw_coverage *coverage)
{
	for (int i = 0; coverage && i < coverage->count; i++) {
		free(coverage->list[i].file);
		free(coverage->list[i].lines);
		free(coverage->list[i].is_test);
		free(coverage->list[i].went);
	}
	if (coverage)
		free(coverage->list);
	free(coverage);
}

static const unsigned char *take(struct mw_coverage *coverage, size_t bytes)
{
	const unsigned char *at = coverage->at;
	if ((size_t)(coverage->end - at) < bytes) {
		coverage->is_bad = true;
		return NULL;
	}
	coverage->at += bytes;
	return at;
}

static void copy(struct mw_coverage *coverage, size_t bytes)
{
	const unsigned char *at = take(coverage, bytes);
	if (at)
		mw_buf_add(&coverage->out, at, bytes);
}

/* dumpSize(): seven bits a byte, the highest first; the last byte has its highest bit set. */
static size_t take_size(struct mw_coverage *coverage)
{
	size_t size = 0;
	const unsigned char *byte;
	do {
		byte = take(coverage, 1);
		if (!byte || size >> 32) {
			coverage->is_bad = true;
			return 0;
		}
		size = size << 7 | (*byte & 0x7fu);
	} while (!(*byte & 0x80));
	return size;
}

static void put_size(struct mw_coverage *coverage, size_t size)
{
	unsigned char bytes[10];
	size_t n = sizeof(bytes);
	do {
		bytes[--n] = size & 0x7f;
		size >>= 7;
	} while (size);
	bytes[sizeof(bytes) - 1] |= 0x80;
	mw_buf_add(&coverage->out, bytes + n, sizeof(bytes) - n);
}

static size_t copy_size(struct mw_coverage *coverage)
{
	size_t size = take_size(coverage);
	put_size(coverage, size);
	return size;
}

static void copy_string(struct mw_coverage *coverage)
{
	size_t size = copy_size(coverage);
	if (size)
		copy(coverage, size - 1);
}

static void copy_constants(struct mw_coverage *coverage)
{
	size_t count = copy_size(coverage);
	for (size_t i = 0; i < count && !coverage->is_bad; i++) {
		const unsigned char *type = take(coverage, 1);
		if (!type)
			return;
		mw_buf_add(&coverage->out, type, 1);
		switch (*type) {
		case 0x03: /* LUA_VNUMINT */
		case 0x13: /* LUA_VNUMFLT */
			copy(coverage, 8);
			break;
		case 0x04: /* LUA_VSHRSTR */
		case 0x14: /* LUA_VLNGSTR */
			copy_string(coverage);
			break;
		default:
			break;
		}
	}
}

static struct function *add_function(struct mw_coverage *coverage, int count, bool is_main)
{
	struct function *list = realloc(coverage->list, (size_t)(coverage->count + 1) * sizeof(*list));
	if (!list || coverage->count == FUNCTIONS || count >= LINES) {
		coverage->list = list ? list : coverage->list;
		coverage->is_bad = true;
		return NULL;
	}
	coverage->list = list;
	struct function *function = &list[coverage->count++];
	*function = (struct function){
		.file = strdup(coverage->file),
		.is_main = is_main,
		.count = count,
		.lines = calloc((size_t)count + 1, sizeof(int)),
		.is_test = calloc((size_t)count + 1, 1),
		.went = calloc((size_t)count + 1, 1),
	};
	coverage->is_bad =
		coverage->is_bad || !function->file || !function->lines || !function->is_test || !function->went;
	return coverage->is_bad ? NULL : function;
}

/* dumpDebug(): lines of our own in the place of the true ones, which are kept. */
static void copy_debug(struct mw_coverage *coverage, int index, size_t defined)
{
	size_t count = copy_size(coverage);
	const signed char *deltas = (const signed char *)take(coverage, count);
	struct function *function = &coverage->list[index];
	if (!deltas || count != (size_t)function->count) {
		coverage->is_bad = true;
		return;
	}
	for (size_t i = 0; i < count; i++)
		mw_buf_char(&coverage->out, 1);
	size_t absolute = take_size(coverage);
	put_size(coverage, 0);
	int line = (int)defined;
	size_t next = 0;
	for (size_t i = 0; i < absolute && !coverage->is_bad; i++) {
		size_t pc = take_size(coverage);
		size_t at = take_size(coverage);
		for (; next < pc && next < count; next++)
			function->lines[next] = line += deltas[next];
		line = (int)at;
		if (next < count)
			function->lines[next++] = line;
	}
	for (; next < count; next++)
		function->lines[next] = line += deltas[next] == ABSOLUTE ? 0 : deltas[next];
	size_t locals = copy_size(coverage);
	for (size_t i = 0; i < locals && !coverage->is_bad; i++) {
		copy_string(coverage);
		(void)copy_size(coverage);
		(void)copy_size(coverage);
	}
	size_t names = copy_size(coverage);
	for (size_t i = 0; i < names && !coverage->is_bad; i++)
		copy_string(coverage);
}

static void copy_function(struct mw_coverage *coverage, unsigned depth)
{
	if (depth > DEPTH)
		coverage->is_bad = true;
	copy_string(coverage); /* source */
	size_t defined = take_size(coverage);
	int index = coverage->count;
	put_size(coverage, (size_t)index * LINES);
	(void)copy_size(coverage); /* last line */
	copy(coverage, 3);         /* parameters, vararg, stack */
	size_t count = copy_size(coverage);
	const unsigned char *code = count < LINES ? take(coverage, 4 * count) : NULL;
	struct function *function = code ? add_function(coverage, (int)count, depth == 0) : NULL;
	if (!function || coverage->is_bad) {
		coverage->is_bad = true;
		return;
	}
	mw_buf_add(&coverage->out, code, 4 * count);
	for (size_t i = 0; i < count; i++) {
		uint32_t instruction;
		memcpy(&instruction, code + 4 * i, sizeof(instruction));
		unsigned opcode = instruction & OPCODE_MASK;
		function->is_test[i] = opcode >= FIRST_TEST && opcode <= LAST_TEST;
	}
	copy_constants(coverage);
	size_t upvalues = copy_size(coverage);
	if (upvalues > UINT8_MAX)
		coverage->is_bad = true;
	copy(coverage, 3 * upvalues);
	size_t protos = copy_size(coverage);
	for (size_t i = 0; i < protos && !coverage->is_bad; i++)
		copy_function(coverage, depth + 1);
	if (!coverage->is_bad)
		copy_debug(coverage, index, defined);
}

static int write_dump(lua_State *L, const void *data, size_t bytes, void *buf)
{
	(void)L;
	mw_buf_add(buf, data, bytes);
	return 0;
}

int mw_coverage_instrument(struct mw_coverage *coverage, lua_State *L, const char *file, struct mw_err *err)
{
	/* lundump.h: signature, version 5.4, format 0, LUAC_DATA, sizes of an instruction, an integer and a number. */
	static const char header[] = "\x1bLua\x54\x00\x19\x93\r\n\x1a\n\x04\x08\x08";
	enum {
		HEADER_BYTES = sizeof(header) - 1 + 16 /* an integer and a number */
	};
	struct mw_buf dump = MW_BUF(DUMP_BYTES);
	coverage->out = (struct mw_buf)MW_BUF(DUMP_BYTES);
	coverage->is_bad = lua_dump(L, write_dump, &dump, 0) != 0 || dump.size < HEADER_BYTES + 1 ||
			   memcmp(dump.data, header, sizeof(header) - 1) != 0;
	coverage->file = file;
	if (!coverage->is_bad) {
		coverage->at = (const unsigned char *)dump.data;
		coverage->end = coverage->at + dump.size;
		copy(coverage, HEADER_BYTES + 1); /* and the number of upvalues */
		copy_function(coverage, 0);
	}
	bool is_bad = coverage->is_bad || coverage->at != coverage->end || mw_buf_status(&coverage->out) < 0;
	if (!is_bad && luaL_loadbufferx(L, coverage->out.data, coverage->out.size, file, "b") == LUA_OK)
		lua_remove(L, -2);
	else if (!is_bad)
		is_bad = true;
	mw_buf_release(&dump);
	mw_buf_release(&coverage->out);
	return is_bad ? mw_err_set(err, -ENOTSUP, "%s: branches cannot be followed by this Lua", file) : 0;
}

void mw_coverage_hook(lua_State *L, lua_Debug *where)
{
	struct mw_coverage *coverage = mw_script_coverage(mw_script_of(L));
	int last = coverage->last;
	/* What is of no chunk of ours has small numbers, and tells nothing. */
	coverage->last = where->currentline;
	if (last <= 0 || last / LINES != where->currentline / LINES || last / LINES >= coverage->count)
		return;
	struct function *function = &coverage->list[last / LINES];
	int pc = last % LINES - 1;
	if (pc < 0 || pc >= function->count || !function->is_test[pc])
		return;
	function->went[pc] |= where->currentline == last + 2 ? 1 : 2;
}

void mw_coverage_each(const struct mw_coverage *coverage, const char *file,
		      void (*each)(void *data, const struct mw_branch *branch), void *data)
{
	for (int i = 0; i < coverage->count; i++) {
		const struct function *function = &coverage->list[i];
		if (function->is_main || strcmp(function->file, file) != 0)
			continue;
		for (int pc = 0; pc < function->count; pc++) {
			if (!function->is_test[pc])
				continue;
			const struct mw_branch branch = {
				.file = file,
				.line = function->lines[pc],
				.was_first = function->went[pc] & 1,
				.was_second = function->went[pc] & 2,
			};
			each(data, &branch);
		}
	}
}

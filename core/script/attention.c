/* Nothing of the profile is trusted: lists may have holes, texts NUL bytes, and metamethods are not asked. */
#include "script/attention.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "base/err.h"
#include "base/nearest.h"
#include "event/attention.h"

enum {
	/* "attention entry 12" */
	WHERE_BYTES = 32,
	/* Names to choose from, listed in a message. */
	CHOICES_BYTES = 160,
};

struct reading {
	lua_State *L;
	struct mw_err *err;
	struct mw_attention *own; /* what this profile itself says */
	unsigned entry;           /* from 0 */
	char where[WHERE_BYTES];
	bool has_default;
	bool extends;
};

/* "; did you mean "X"?", or what there is. */
static int unknown(struct reading *reading, const char *what, const char *word, const char *const *names, size_t count)
{
	char choices[CHOICES_BYTES] = "";
	size_t used = 0;
	struct mw_nearest nearest = {.word = word};
	for (size_t i = 0; i < count; i++) {
		mw_nearest_try(&nearest, names[i]);
		int n = snprintf(choices + used, sizeof(choices) - used, "%s%s", i ? ", " : "", names[i]);
		used += n > 0 && used + (size_t)n < sizeof(choices) ? (size_t)n : 0;
	}
	if (nearest.name)
		return mw_err_set(reading->err, -EINVAL, "unknown %s \"%.60s\"; did you mean \"%s\"?", what, word,
				  nearest.name);
	return mw_err_set(reading->err, -EINVAL, "unknown %s \"%.60s\"; known are %s", what, word, choices);
}

static int index_of(const char *word, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(word, names[i]) == 0)
			return (int)i;
	return -1;
}

static int read_level(struct reading *reading, const char *key, uint8_t *ret_level)
{
	lua_State *L = reading->L;
	if (lua_type(L, -1) != LUA_TSTRING)
		return mw_err_set(reading->err, -EINVAL, "%s is a %s; it takes \"off\", \"events\" or \"calls\"", key,
				  luaL_typename(L, -1));
	int level = index_of(lua_tostring(L, -1), mw_level_names, MW_LEVELS);
	if (level < 0)
		return unknown(reading, "level", lua_tostring(L, -1), mw_level_names, MW_LEVELS);
	*ret_level = (uint8_t)level;
	return 0;
}

/* What a key of an entry does with one text. */
typedef int take_text(struct reading *reading, const char *key, const char *text, size_t bytes);

static int read_text(struct reading *reading, const char *key, take_text *take)
{
	lua_State *L = reading->L;
	size_t bytes;
	if (lua_type(L, -1) != LUA_TSTRING)
		return mw_err_set(reading->err, -EINVAL, "%s has a %s in it; it takes a text or a list of texts", key,
				  luaL_typename(L, -1));
	const char *text = lua_tolstring(L, -1, &bytes);
	if (bytes == 0 || bytes > MW_ATTENTION_TEXT_BYTES || strlen(text) != bytes)
		return mw_err_set(reading->err, -EINVAL,
				  "%s has a text that is empty, longer than %d bytes or has a NUL", key,
				  MW_ATTENTION_TEXT_BYTES);
	return take(reading, key, text, bytes);
}

/* How many keys the table at the top has; -1 when one of them is no index of a list. */
static lua_Integer list_length(lua_State *L)
{
	lua_Integer count = 0;
	lua_Integer most = 0;
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1), count++) {
		lua_Integer index = lua_isinteger(L, -2) ? lua_tointeger(L, -2) : 0;
		if (index < 1) {
			lua_pop(L, 2);
			return -1;
		}
		most = index > most ? index : most;
	}
	return most == count ? count : -1;
}

/* A text, or a list of texts, on top of the stack. */
static int read_texts(struct reading *reading, const char *key, take_text *take)
{
	lua_State *L = reading->L;
	if (lua_type(L, -1) != LUA_TTABLE)
		return read_text(reading, key, take);
	lua_Integer count = list_length(L);
	if (count <= 0)
		return mw_err_set(reading->err, -EINVAL,
				  count ? "%s is a table with names or holes; it takes a text or a list of texts"
					: "%s is empty, so it would never hold; leave it out",
				  key);
	int r = 0;
	for (lua_Integer i = 1; i <= count && r == 0; i++) {
		lua_rawgeti(L, -1, i);
		r = read_text(reading, key, take);
		lua_pop(L, 1);
	}
	return r;
}

static struct mw_attention_entry *entry_of(struct reading *reading)
{
	return &reading->own->entries[reading->entry];
}

static int take_name(struct reading *reading, const char *key, const char *text, size_t bytes)
{
	if (memchr(text, '/', bytes))
		return mw_err_set(reading->err, -EINVAL,
				  "%s: \"%.60s\" is a path; %s takes names without folders, `paths` takes paths", key,
				  text, key);
	if (memchr(text, '*', bytes))
		return mw_err_set(reading->err, -EINVAL,
				  "%s: \"%.60s\": names take no *; a version at the end does "
				  "not count anyway",
				  key, text);
	enum mw_attention_use use = key[0] == 'n' ? MW_ATTENTION_NAME : MW_ATTENTION_PROGRAM;
	return mw_attention_name(reading->own, reading->entry, use, text, bytes, reading->err);
}

static int take_path(struct reading *reading, const char *key, const char *text, size_t bytes)
{
	if (text[0] != '/')
		return mw_err_set(reading->err, -EINVAL, "%s: \"%.60s\" does not begin with /", key, text);
	if (memchr(text, '*', bytes))
		return mw_err_set(reading->err, -EINVAL,
				  "%s: \"%.60s\": no * here; each is the beginning of a path anyway", key, text);
	return mw_attention_name(reading->own, reading->entry, MW_ATTENTION_PATH, text, bytes, reading->err);
}

static int take_argument(struct reading *reading, const char *key, const char *text, size_t bytes)
{
	const char *star = memchr(text, '*', bytes);
	bool is_option = key[0] == 'o';
	if (star && (star != text + bytes - 1 || bytes == 1))
		return mw_err_set(reading->err, -EINVAL,
				  "%s: \"%.60s\": a * may stand at the end alone, after something", key, text);
	if (is_option && text[0] != '-')
		return mw_err_set(reading->err, -EINVAL, "%s: \"%.60s\" does not begin with -; use `arguments`", key,
				  text);
	return mw_attention_name(reading->own, reading->entry, is_option ? MW_ATTENTION_OPTION : MW_ATTENTION_ARGUMENT,
				 text, bytes, reading->err);
}

static int take_fact(struct reading *reading, const char *key, const char *text, size_t bytes)
{
	(void)bytes;
	int fact = index_of(text, mw_attention_fact_names, MW_ATTENTION_FACTS);
	if (fact < 0) {
		int r = unknown(reading, "fact", text, mw_attention_fact_names, MW_ATTENTION_FACTS);
		mw_err_prefix(reading->err, "%s", key);
		return r;
	}
	struct mw_attention_entry *entry = entry_of(reading);
	*(key[0] == 'i' ? &entry->has : &entry->has_not) |= 1u << fact;
	return 0;
}

static int take_mark(struct reading *reading, const char *key, const char *text, size_t bytes)
{
	(void)bytes;
	uint64_t mark;
	int r = mw_attention_mark(reading->own, text, &mark, reading->err);
	if (r < 0)
		return r;
	struct mw_attention_entry *entry = entry_of(reading);
	*(strcmp(key, "marked") == 0 ? &entry->marked : &entry->mark) |= mark;
	return 0;
}

enum {
	KEYS = 9
};

static const char *const keys[KEYS] = {
	"names", "programs", "paths", "arguments", "options", "is", "unless", "mark", "marked",
};

static take_text *const takers[KEYS] = {
	take_name, take_name, take_path, take_argument, take_argument, take_fact, take_fact, take_mark, take_mark,
};

/* Of the key below the value on top. */
static int check_entry_key(struct reading *reading)
{
	lua_State *L = reading->L;
	if (lua_type(L, -2) != LUA_TSTRING)
		return mw_err_set(reading->err, -EINVAL,
				  "a value without a name; write names = { … }, mark = … or level = …");
	const char *key = lua_tostring(L, -2);
	if (index_of(key, keys, KEYS) >= 0 || strcmp(key, "level") == 0)
		return 0;
	const char *known[KEYS + 1];
	memcpy(known, keys, sizeof(keys));
	known[KEYS] = "level";
	return unknown(reading, "key", key, known, KEYS + 1);
}

/* In the order above, not in that of the table, which changes from run to run: marks are numbered as they come. */
static int read_entry_keys(struct reading *reading)
{
	lua_State *L = reading->L;
	int r = 0;
	for (int n = 0; n <= KEYS && r == 0; n++) {
		lua_pushstring(L, n < KEYS ? keys[n] : "level");
		if (lua_rawget(L, -2) != LUA_TNIL)
			r = n < KEYS ? read_texts(reading, keys[n], takers[n])
				     : read_level(reading, "level", &entry_of(reading)->level);
		lua_pop(L, 1);
	}
	return r;
}

/* On top of the stack. */
static int read_entry(struct reading *reading)
{
	lua_State *L = reading->L;
	struct mw_attention_entry *entry = entry_of(reading);
	if (lua_type(L, -1) != LUA_TTABLE)
		return mw_err_set(reading->err, -EINVAL, "is a %s; write { names = { … }, level = … }",
				  luaL_typename(L, -1));
	*entry = (struct mw_attention_entry){.level = MW_LEVELS};
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
		int r = check_entry_key(reading);
		if (r < 0)
			return r;
	}
	int r = read_entry_keys(reading);
	if (r < 0)
		return r;
	if (entry->level == MW_LEVELS && !entry->mark)
		return mw_err_set(reading->err, -EINVAL, "does nothing; give level or mark");
	if (entry->has & entry->has_not)
		return mw_err_set(reading->err, -EINVAL, "never holds: `is` and `unless` name the same fact");
	reading->own->entries_count++;
	return 0;
}

static int read_entries(struct reading *reading, lua_Integer count)
{
	lua_State *L = reading->L;
	if (count > MW_ATTENTION_ENTRIES)
		return mw_err_set(reading->err, -EINVAL, "more than %d entries", MW_ATTENTION_ENTRIES);
	for (lua_Integer i = 1; i <= count; i++) {
		(void)snprintf(reading->where, sizeof(reading->where), "attention entry %d", (int)i);
		reading->entry = (unsigned)i - 1;
		if (lua_rawgeti(L, -1, i) == LUA_TNIL)
			return mw_err_set(reading->err, -EINVAL, "is missing, and others follow");
		int r = read_entry(reading);
		lua_pop(L, 1);
		if (r < 0)
			return r;
	}
	(void)snprintf(reading->where, sizeof(reading->where), "attention");
	return 0;
}

/* The keys that are no entries, and how many entries there are. */
static int read_head(struct reading *reading, lua_Integer *ret_count)
{
	static const char *const known[] = {"default", "extends"};
	lua_State *L = reading->L;
	*ret_count = 0;
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
		if (lua_isinteger(L, -2) && lua_tointeger(L, -2) >= 1) {
			++*ret_count;
			continue;
		}
		if (lua_type(L, -2) != LUA_TSTRING)
			return mw_err_set(reading->err, -EINVAL,
					  "a key of type %s; it has default, extends and entries",
					  luaL_typename(L, -2));
		const char *key = lua_tostring(L, -2);
		int r = 0;
		switch (index_of(key, known, 2)) {
		case 0:
			r = read_level(reading, key, &reading->own->default_level);
			reading->has_default = true;
			break;
		case 1:
			if (!lua_isboolean(L, -1))
				r = mw_err_set(reading->err, -EINVAL, "extends takes true or false");
			reading->extends = lua_toboolean(L, -1);
			break;
		default:
			if (index_of(key, keys, KEYS) >= 0 || strcmp(key, "level") == 0)
				r = mw_err_set(reading->err, -EINVAL,
					       "\"%s\" belongs into an entry: attention = { { %s = … }, … }", key, key);
			else
				r = unknown(reading, "key", key, known, 2);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

/* A mark that is asked for and never given is a slip. */
static int check_marks(struct reading *reading, unsigned own_entries)
{
	const struct mw_attention *attention = reading->own;
	uint64_t given = 0;
	const char *names[MW_ATTENTION_MARKS];
	size_t count = 0;
	for (unsigned i = 0; i < attention->entries_count; i++)
		given |= attention->entries[i].mark;
	for (unsigned i = 0; i < attention->marks_count; i++)
		if (given >> i & 1)
			names[count++] = attention->pool + attention->marks[i];
	for (unsigned i = 0; i < own_entries; i++) {
		uint64_t missing = attention->entries[i].marked & ~given;
		if (!missing)
			continue;
		(void)snprintf(reading->where, sizeof(reading->where), "attention entry %u", i + 1);
		const char *name = attention->pool + attention->marks[__builtin_ctzll(missing)];
		if (count == 0)
			return mw_err_set(reading->err, -EINVAL, "marked: no entry gives the mark \"%.60s\"", name);
		int r = unknown(reading, "mark", name, names, count);
		mw_err_prefix(reading->err, "marked");
		return r;
	}
	return 0;
}

static int read_attention(struct reading *reading, const struct mw_attention *extended)
{
	lua_State *L = reading->L;
	lua_Integer count;
	if (lua_type(L, -1) != LUA_TTABLE)
		return mw_err_set(reading->err, -EINVAL,
				  "is a %s; write attention = { default = \"events\", { … }, … }",
				  luaL_typename(L, -1));
	int r = read_head(reading, &count);
	if (r == 0)
		r = read_entries(reading, count);
	unsigned own_entries = reading->own->entries_count;
	if (r == 0 && reading->extends) {
		if (!reading->has_default)
			reading->own->default_level = extended->default_level;
		r = mw_attention_append(reading->own, extended, reading->err);
	}
	return r < 0 ? r : check_marks(reading, own_entries);
}

int mw_attention_read(lua_State *L, const char *path, struct mw_attention *attention, struct mw_err *err)
{
	/* As a userdata: it is large, and an error of Lua's may jump past here. */
	struct mw_attention *own = lua_newuserdatauv(L, sizeof(*own), 0);
	mw_attention_init(own);
	struct reading reading = {.L = L, .err = err, .own = own, .where = "attention"};
	lua_pushvalue(L, -2);
	luaL_checkstack(L, 16, NULL);
	int r = read_attention(&reading, attention);
	if (r < 0) {
		mw_err_prefix(err, "%s: %s", path, reading.where);
		return -EINVAL;
	}
	*attention = *own;
	return 0;
}

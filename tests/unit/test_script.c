/* Lua states: their limits hold whatever a script does, and say where they were met. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "script/state.h"
#include "script/text.h"

enum {
	CAP = 4 << 20,
	BUDGET = 100000,
};

static char dir[MW_PATH_BYTES - 64];
static char file[MW_PATH_BYTES];

static int make_dir(void **state)
{
	(void)state;
	const char *above = getenv("TMPDIR");
	(void)snprintf(dir, sizeof(dir), "%s/script-XXXXXX", above ? above : "/tmp");
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(file, sizeof(file), "%s/s.lua", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	(void)unlink(file);
	return rmdir(dir);
}

static void write_file(const char *text, size_t n)
{
	FILE *to = fopen(file, "we");
	assert_non_null(to);
	assert_int_equal(fwrite(text, 1, n, to), n);
	assert_int_equal(fclose(to), 0);
	assert_int_equal(chmod(file, 0600), 0);
}

static struct mw_script *new_script(enum mw_script_kind kind, size_t memory_bytes)
{
	struct mw_script *script = NULL;
	struct mw_err err = {""};
	struct mw_script_options options = {.kind = kind, .tree = MW_TEST_TREE, .memory_bytes = memory_bytes};
	if (mw_script_new(&options, &script, &err) < 0)
		fail_msg("%s", err.text);
	return script;
}

/* Run `text` as a file of a state of its own. */
static int run_with(enum mw_script_kind kind, const char *text, uint64_t budget, struct mw_err *err)
{
	write_file(text, strlen(text));
	struct mw_script *script = new_script(kind, CAP);
	int r = mw_script_load_file(script, file, "s.lua", err);
	if (r == 0)
		r = mw_script_call(script, 0, 0, budget, err);
	assert_true(mw_script_memory(script) <= CAP);
	mw_script_free(script);
	return r;
}

static int run(enum mw_script_kind kind, const char *text, struct mw_err *err)
{
	return run_with(kind, text, BUDGET, err);
}

static void assert_fails_with(const char *text, uint64_t budget, int code, const char *says)
{
	struct mw_err err = {""};
	int r = run_with(MW_SCRIPT_RULES, text, budget, &err);
	if (r != code || !strstr(err.text, says))
		fail_msg("%s\n%d: \"%s\", expected %d: \"%s\"", text, r, err.text, code, says);
}

static void assert_fails(const char *text, int code, const char *says)
{
	assert_fails_with(text, BUDGET, code, says);
}

static void time_is_bounded(void **state)
{
	(void)state;
	assert_fails("\nwhile true do end", -ETIME, "s.lua:2: ran longer than 100000 instructions");
	assert_fails("local function f() return f() end return f()", -ETIME, "s.lua:1: ran longer");
	/* No pcall survives, however deep or often. */
	assert_fails("while true do pcall(function() while true do end end) end", -ETIME, "s.lua:1: ran longer");
	assert_fails("local function f() pcall(f) while true do end end f()", -ETIME, "ran longer");
	assert_fails("local t = {} for i = 1, 1000 do t[i] = 0 end while true do table.insert(t, 1, 0) end", -EINVAL,
		     "more than 1024 items");
}

/* None of these may take long, though each is few instructions: time in C counts for nothing. */
static void steps_are_bounded(void **state)
{
	(void)state;
	static const char *const scripts[] = {
		"local s = ('x'):byte() local t = 'x' for i = 1, 13 do t = t .. t end "
		"for i = 1, 1e9 do local a = t .. i < t .. i end",
		"local t = 'x' for i = 1, 13 do t = t .. t end while true do local a = {t:byte(1, -1)} end",
		"while true do table.unpack({}, 1, 1024) end",
		"while true do pcall(table.unpack, {}, 1, 1e8) end",
		"local t = {} for i = 1, 1000 do t[i] = 'abc' end while true do pcall(table.concat, t) end",
		"local t = 'x' while true do pcall(function() t = t .. t end) end",
		"local text = require 'moonwatch.text' local t = ('x') for i = 1, 13 do t = t .. t end "
		"local n = t:sub(1, 255) .. 'y' while true do text.contains(t, n) end",
		"local text = require 'moonwatch.text' local t = ('a') for i = 1, 13 do t = t .. t end "
		"while true do text.glob(t, '*a*a*a*a*a*a*b') end",
		"while true do string.format('%99.99f', 1e308) end",
	};
	for (size_t i = 0; i < sizeof(scripts) / sizeof(*scripts); i++) {
		int64_t start = mw_clock_mono_ns();
		struct mw_err err = {""};
		int r = run(MW_SCRIPT_RULES, scripts[i], &err);
		int64_t ms = (mw_clock_mono_ns() - start) / MW_NS_PER_MS;
		if (r == 0 || ms > 10000)
			fail_msg("%s\n%d \"%s\" after %lld ms", scripts[i], r, err.text, (long long)ms);
		print_message("# %lld ms: %s\n", (long long)ms, err.text);
	}
}

static void memory_is_bounded(void **state)
{
	(void)state;
	uint64_t much = 100 * BUDGET;
	assert_fails_with("local t = {}\nfor i = 1, 1e9 do t[i] = i .. 'x' end", much, -ENOMEM,
			  "s.lua:2: out of memory: all scripts together may take 4096 KiB");
	assert_fails_with("local t = {} while true do pcall(function() for i = 1, 1e9 do t[#t + 1] = {i} end end) end",
			  much, -ENOMEM, "s.lua:1: out of memory");
	assert_fails_with("local s = 'x'\nwhile true do s = s .. s end", much, -ENOMEM,
			  "s.lua:2: a string of more than 16384 bytes");
	/* Whichever of the stack's own limit and the cap comes first. */
	assert_fails_with("local function f() return 1 + f() end f()", much, -ENOMEM, "s.lua:1: out of memory");
}

static void the_state_is_good_after_a_limit(void **state)
{
	(void)state;
	static const char text[] = "local what = ...\n"
				   "if what == 1 then local t = {} for i = 1, 1e9 do t[i] = {} end end\n"
				   "if what == 2 then while true do end end\n"
				   "return 1 + 1";
	write_file(text, strlen(text));
	struct mw_script *script = new_script(MW_SCRIPT_RULES, CAP);
	static const int expected[] = {0, -ENOMEM, -ETIME, 0, -ETIME, -ENOMEM, 0};
	static const int what[] = {0, 1, 2, 0, 2, 1, 0};
	for (size_t i = 0; i < sizeof(what) / sizeof(*what); i++) {
		struct mw_err err = {""};
		assert_int_equal(mw_script_load_file(script, file, "s.lua", &err), 0);
		/* The argument is what another chunk returns. */
		char set[32];
		(void)snprintf(set, sizeof(set), "return %d", what[i]);
		write_file(set, strlen(set));
		assert_int_equal(mw_script_load_file(script, file, "s.lua", &err), 0);
		assert_int_equal(mw_script_call(script, 0, 1, BUDGET, &err), 0);
		assert_int_equal(mw_script_call(script, 1, 0, 100 * BUDGET, &err), expected[i]);
		write_file(text, strlen(text));
	}
	mw_script_collect(script);
	assert_true(mw_script_memory(script) < CAP / 4);
	mw_script_free(script);
}

static void chunks_are_text_of_bounded_size(void **state)
{
	(void)state;
	assert_fails("\x1bLua", -EINVAL, "attempt to load a binary chunk");
	assert_fails("local x =\n= 1", -EINVAL, "s.lua:2: unexpected symbol near '='");
	struct mw_err err = {""};
	assert_int_equal(run(MW_SCRIPT_RULES, "#!/bin/false\nlocal x = 1", &err), 0);

	char *big = calloc(1, MW_SCRIPT_BYTES + 1);
	assert_non_null(big);
	memset(big, '\n', MW_SCRIPT_BYTES + 1);
	write_file(big, MW_SCRIPT_BYTES + 1);
	free(big);
	struct mw_script *script = new_script(MW_SCRIPT_RULES, CAP);
	assert_int_equal(mw_script_load_file(script, file, NULL, &err), -EFBIG);
	assert_int_equal(mw_script_load_file(script, dir, NULL, &err), -EINVAL);
	assert_non_null(strstr(err.text, "not a regular file"));
	assert_int_equal(unlink(file), 0);
	assert_int_equal(mw_script_load_file(script, file, NULL, &err), -ENOENT);
	assert_int_equal(mkfifo(file, 0600), 0);
	assert_int_equal(mw_script_load_file(script, file, NULL, &err), -EINVAL);
	assert_int_equal(unlink(file), 0);
	write_file("", 0);
	assert_int_equal(chmod(file, 0666), 0);
	assert_int_equal(mw_script_load_file(script, file, NULL, &err), -EPERM);
	mw_script_free(script);
}

static void rules_see_what_is_listed_and_no_more(void **state)
{
	(void)state;
	static const char *const absent[] = {
		"io",           "os",          "debug",       "package",        "load",
		"loadfile",     "dofile",      "loadstring",  "coroutine",      "setmetatable",
		"getmetatable", "rawset",      "rawget",      "collectgarbage", "print",
		"_G",           "xpcall",      "string.find", "string.match",   "string.gmatch",
		"string.gsub",  "string.rep",  "string.dump", "string.pack",    "table.move",
		"table.sort",   "math.random", "('x').find",  "('x').rep",      "cjson",
	};
	for (size_t i = 0; i < sizeof(absent) / sizeof(*absent); i++) {
		char text[256];
		struct mw_err err = {""};
		(void)snprintf(text, sizeof(text), "assert(%s == nil)", absent[i]);
		if (run(MW_SCRIPT_RULES, text, &err) < 0)
			fail_msg("%s: %s", absent[i], err.text);
	}
	assert_fails("x = 1", -EINVAL, "s.lua:1: global 'x' cannot be set");
	assert_fails("_ENV.x = 1", -EINVAL, "global 'x' cannot be set");
	assert_fails("function f() end", -EINVAL, "global 'f' cannot be set");
	assert_fails("string.upper = nil", -EINVAL, "s.lua:1: 'upper' cannot be set: this table is read-only");
	assert_fails("table.insert(table, 1)", -EINVAL, "read-only");
	assert_fails("local l = require 'moonwatch.lists' l.shells.sh = nil", -EINVAL, "read-only");
	assert_fails("table.remove(require 'moonwatch.lists', 'shells')", -EINVAL, "");
	assert_fails("require 'moonwatch.rule'", -EINVAL, "is not for rules");
	assert_fails("require 'moonwatch.writer'", -EINVAL, "is not for rules");
	assert_fails("error('a\\nb\\27[31m')", -EINVAL, "s.lua:1: a b [31m");

	struct mw_err err = {""};
	if (run(MW_SCRIPT_RULES,
		"local lists = require 'moonwatch.lists'\n"
		"assert(lists == require 'moonwatch.lists' and lists.shells.bash)\n"
		"local n = 0 for name, is in pairs(lists.shells) do assert(is) n = n + 1 end assert(n > 5)\n"
		"assert(('x'):upper() == 'X' and #string.format('%5d', 1) == 5)\n"
		"local t = {1, 2} table.insert(t, 3) assert(table.concat(t, ',') == '1,2,3' and select('#', table.unpack(t)) == 3)\n"
		"assert(math.max(1, 2) == 2 and utf8.len('\xC3\xA4') == 1 and not pcall(error))",
		&err) < 0)
		fail_msg("%s", err.text);
}

static void profiles_see_nothing(void **state)
{
	(void)state;
	struct mw_err err = {""};
	assert_int_equal(run(MW_SCRIPT_PROFILE, "return { flags = { a = 1 + 1 } }", &err), 0);
	assert_int_equal(run(MW_SCRIPT_PROFILE, "return tostring(1)", &err), -EINVAL);
	assert_int_equal(run(MW_SCRIPT_PROFILE, "return ('x'):upper()", &err), -EINVAL);
	assert_int_equal(run(MW_SCRIPT_PROFILE, "x = 1", &err), -EINVAL);
	assert_int_equal(run(MW_SCRIPT_PROFILE, "while true do end", &err), -ETIME);
}

static void agents_do_not_run_programs(void **state)
{
	(void)state;
	struct mw_err err = {""};
	assert_int_equal(
		run(MW_SCRIPT_AGENT, "assert(not io and not os and not print and not load and not debug)", &err), 0);
	assert_int_equal(run(MW_SCRIPT_AGENT, "assert(require 'cjson'.encode({1}) == '[1]')", &err), 0);
	assert_int_equal(run(MW_SCRIPT_AGENT, "require '../../etc/x'", &err), -EINVAL);
	assert_int_equal(run(MW_SCRIPT_AGENT, "require '.moonwatch'", &err), -EINVAL);
	/* The environment of the application has no say. */
	assert_int_equal(setenv("LUA_PATH_5_4", "/tmp/?.lua", 1), 0);
	assert_int_equal(run(MW_SCRIPT_AGENT, "assert(not package) require 'nothing'", &err), -EINVAL);
	assert_int_equal(unsetenv("LUA_PATH_5_4"), 0);
	assert_non_null(strstr(err.text, "not found: neither built in nor in"));
}

static void assert_printable(const char *bytes, size_t n, size_t max, const char *expected)
{
	struct mw_buf out = MW_BUF(4096);
	mw_text_printable(&out, bytes, n, max);
	assert_string_equal(out.data ? out.data : "", expected);
	mw_buf_release(&out);
}

static void printable_text_drives_no_terminal(void **state)
{
	(void)state;
	assert_printable("", 0, 100, "");
	assert_printable("a\n\x1b[2Jb\x7f", 8, 100, "a\\x0a\\x1b[2Jb\\x7f");
	assert_printable("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80", 9, 100, "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80");
	/* C1 controls, right-to-left override, zero width, byte order mark. */
	assert_printable("\xC2\x9B", 2, 100, "\\xc2\\x9b");
	assert_printable((const char[]){'\xE2', '\x80', '\xAE', 0}, 3, 100, "\\xe2\\x80\\xae");
	assert_printable("\xEF\xBB\xBF", 3, 100, "\\xef\\xbb\\xbf");
	/* Not UTF-8: alone, overlong, surrogate, beyond, cut. */
	assert_printable("\x80", 1, 100, "\\x80");
	assert_printable("\xC0\xAF", 2, 100, "\\xc0\\xaf");
	assert_printable("\xED\xA0\x80", 3, 100, "\\xed\\xa0\\x80");
	assert_printable("\xF4\x90\x80\x80", 4, 100, "\\xf4\\x90\\x80\\x80");
	assert_printable("\xE2\x82", 2, 100, "\\xe2\\x82");
	/* Cut between characters. */
	assert_printable("abcdef", 6, 6, "abcdef");
	assert_printable("abcdefg", 7, 6, "abcdef…");
	assert_printable("abcde\xC3\xA4", 7, 6, "abcde…");
	assert_printable("abc\n", 4, 6, "abc…");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(time_is_bounded, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(steps_are_bounded, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(memory_is_bounded, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(the_state_is_good_after_a_limit, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(chunks_are_text_of_bounded_size, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(rules_see_what_is_listed_and_no_more, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(profiles_see_nothing, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(agents_do_not_run_programs, make_dir, remove_dir),
		cmocka_unit_test(printable_text_drives_no_terminal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

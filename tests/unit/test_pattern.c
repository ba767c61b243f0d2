/* Patterns of paths: osquery's language, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "watch/pattern.h"

static struct mw_pattern *make(const char *text, bool is_exclude)
{
	struct mw_pattern *pattern = NULL;
	struct mw_err err;
	if (mw_pattern_new(text, is_exclude, &pattern, &err) < 0)
		fail_msg("%s", err.text);
	return pattern;
}

static bool matches(const char *text, bool is_exclude, const char *path)
{
	struct mw_pattern *pattern = make(text, is_exclude);
	bool is_match = mw_pattern_matches(pattern, path);
	mw_pattern_free(pattern);
	return is_match;
}

static bool leads(const char *text, bool is_exclude, const char *path)
{
	struct mw_pattern *pattern = make(text, is_exclude);
	bool is_on_the_way = mw_pattern_leads_to(pattern, path);
	mw_pattern_free(pattern);
	return is_on_the_way;
}

static void what_is_meant(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *path;
		bool is_match;
	} cases[] = {
		{"/etc/passwd", "/etc/passwd", true},
		{"/etc/passwd", "/etc/passwd-", false},
		{"/etc/", "/etc/passwd", true}, /* a directory: what is directly in it */
		{"/etc", "/etc/ssh/config", false},
		{"/etc/%", "/etc/passwd", true},
		{"/etc/%", "/etc/.hidden", true},
		{"/etc/%", "/etc", false},
		{"/etc/%", "/etc/ssh/config", false},
		{"/etc/*", "/etc/passwd", true},
		{"/etc/%%", "/etc/ssh/config", true},
		{"/etc/**", "/etc/ssh/a/b/c", true},
		{"/etc/%%", "/etc", false},
		{"/etc/%%", "/etcetera/x", false},
		{"/home/%/.ssh/%", "/home/me/.ssh/id", true},
		{"/home/%/.ssh/%", "/home/me/.ssh", false},
		{"/home/%/.ssh/%%", "/home/me/.ssh/a/b", true},
		{"/var/log/%.log", "/var/log/a.log", true},
		{"/var/log/%.log", "/var/log/a.log.1", false},
		{"/var/log/a%b%c", "/var/log/aXbXbXc", true},
		{"/var/log/a%b%c", "/var/log/aXbXbX", false},
		{"/%%", "/x", true},
		{"//etc///%", "/etc/x", true},
		{"/a/new\nline\xff", "/a/new\nline\xff", true},
		{"/a/[x]?", "/a/[x]?", true}, /* bytes, no more */
		{"/a/[x]?", "/a/xy", false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (matches(cases[i].pattern, false, cases[i].path) != cases[i].is_match)
			fail_msg("'%s' and '%s'", cases[i].pattern, cases[i].path);
}

static void what_is_excluded(void **state)
{
	(void)state;
	assert_true(matches("/a/b", true, "/a/b"));
	assert_true(matches("/a/b", true, "/a/b/c/d")); /* a directory with all that is in it */
	assert_true(matches("/a/b/", true, "/a/b/c"));
	assert_true(matches("/a/%", true, "/a/b"));
	assert_false(matches("/a/%", true, "/a/b/c"));
	assert_true(matches("/a/%%", true, "/a/b/c"));
	assert_true(matches("/a/%/tmp/%%", true, "/a/x/tmp/y/z"));
	assert_false(matches("/a/%/tmp/%%", true, "/a/x/tmp"));
	assert_false(matches("/a/%.log", true, "/a/x.log")); /* no wildcard but a whole name */
	assert_true(matches("/a/%.log", true, "/a/%.log"));
}

static void which_directories_lead_there(void **state)
{
	(void)state;
	assert_true(leads("/home/%/.ssh/%", false, "/"));
	assert_true(leads("/home/%/.ssh/%", false, "/home/me"));
	assert_true(leads("/home/%/.ssh/%", false, "/home/me/.ssh"));
	assert_false(leads("/home/%/.ssh/%", false, "/home/me/.ssh/x"));
	assert_false(leads("/home/%/.ssh/%", false, "/home/me/docs"));
	assert_true(leads("/etc/%%", false, "/etc/a/b/c"));
	assert_false(leads("/etc/%%", false, "/usr"));
}

static void bases(void **state)
{
	(void)state;
	struct mw_pattern *pattern = make("/home/%/.ssh/%%", false);
	assert_string_equal(mw_pattern_base(pattern), "/home");
	assert_string_equal(mw_pattern_rest(pattern), "/%/.ssh/%%");
	mw_pattern_free(pattern);
	pattern = make("/%%", false);
	assert_string_equal(mw_pattern_base(pattern), "/");
	mw_pattern_free(pattern);
	pattern = make("/etc/passwd", false);
	assert_string_equal(mw_pattern_base(pattern), "/etc/passwd");
	assert_string_equal(mw_pattern_rest(pattern), "");
	mw_pattern_free(pattern);
}

static void what_is_refused_and_why(void **state)
{
	(void)state;
	static const struct {
		const char *pattern, *why;
	} cases[] = {
		{"", "absolute"},          {"etc/%", "absolute"}, {"%/x", "absolute"},
		{"/a/%%/b", "at the end"}, {"/proc/%%", "/proc"}, {"/proc", "/proc"},
		{"/sys/class/%", "/sys"},  {"/a/../b", "'..'"},   {"/a/./b", "'.'"},
	};
	struct mw_pattern *pattern = NULL;
	struct mw_err err;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_true(mw_pattern_new(cases[i].pattern, false, &pattern, &err) < 0);
		if (!strstr(err.text, cases[i].why))
			fail_msg("'%s': %s", cases[i].pattern, err.text);
	}
	assert_null(pattern);
	static char huge[5000];
	memset(huge, 'a', sizeof(huge) - 1);
	huge[0] = '/';
	assert_true(mw_pattern_new(huge, false, &pattern, &err) < 0);
	huge[300] = '\0';
	assert_true(mw_pattern_new(huge, false, &pattern, &err) < 0);
	assert_non_null(strstr(err.text, "255"));
	assert_int_equal(mw_pattern_new("/procfs", false, &pattern, &err), 0);
	mw_pattern_free(pattern);
}

/* The same answer, got slowly. */
static bool slowly(const char *pattern, const char *name)
{
	if (!*pattern)
		return !*name;
	if (*pattern == '%')
		return slowly(pattern + 1, name) || (*name && slowly(pattern, name + 1));
	return *name == *pattern && slowly(pattern + 1, name + 1);
}

static void odd_patterns(void **state)
{
	(void)state;
	uint64_t seed = 1;
	unsigned made = 0;
	for (unsigned i = 0; i < 200000; i++) {
		static const char bytes[] = "%%%/ab.\xff\n*";
		char text[24] = "/", path[24] = "/";
		for (char *at = text + 1; at < text + sizeof(text) - 1; at++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			*at = (seed >> 33) % 24 == 0 ? '\0' : bytes[(seed >> 40) % (sizeof(bytes) - 1)];
		}
		for (char *at = path + 1; at < path + 12; at++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			*at = "ab/.\xff"[(seed >> 40) % 5];
		}
		struct mw_pattern *pattern;
		bool is_exclude = i % 2;
		if (mw_pattern_new(text, is_exclude, &pattern, NULL) < 0)
			continue;
		made++;
		bool is_match = mw_pattern_matches(pattern, path);
		/* Of one name with single wildcards we know the answer. */
		if (!is_exclude && !strpbrk(text + 1, "/*") && !strstr(text, "%%") && text[1] && !strchr(path + 1, '/'))
			assert_int_equal(is_match, slowly(text + 1, path + 1));
		(void)mw_pattern_leads_to(pattern, path);
		mw_pattern_free(pattern);
	}
	assert_true(made > 1000);
	/* Many wildcards take no exponential time. */
	char text[256] = "/", path[256] = "/";
	for (unsigned i = 1; i < 200; i++)
		text[i] = i % 2 ? '%' : 'a';
	memset(path + 1, 'a', 200);
	path[200] = 'b';
	assert_false(matches(text, false, path) && text[199] == 'a');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_meant),
		cmocka_unit_test(what_is_excluded),
		cmocka_unit_test(which_directories_lead_there),
		cmocka_unit_test(bases),
		cmocka_unit_test(what_is_refused_and_why),
		cmocka_unit_test(odd_patterns),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

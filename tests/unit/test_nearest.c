/* Which names are near a slip of the finger, and which are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/nearest.h"

static const char *const names[] = {"run", "sql",       "rules",     "config",          "version",
				    "lua", "state_dir", "rules_dir", "spool_limit_mib", "audit_allow_process_events",
				    NULL};

static const char *nearest(const char *word)
{
	struct mw_nearest near = {.word = word};
	for (const char *const *name = names; *name; name++)
		mw_nearest_try(&near, *name);
	return near.name;
}

static void slips_are_near(void **state)
{
	(void)state;
	assert_string_equal(nearest("rnu"), "run");      /* swapped */
	assert_string_equal(nearest("confg"), "config"); /* dropped */
	assert_string_equal(nearest("rulles"), "rules"); /* added */
	assert_string_equal(nearest("sgl"), "sql");      /* changed */
	assert_string_equal(nearest("configure"), "config");
	assert_string_equal(nearest("run"), "run");
}

static void case_and_dashes_make_no_difference(void **state)
{
	(void)state;
	assert_string_equal(nearest("STATE-DIR"), "state_dir");
	assert_string_equal(nearest("audit-allow-process-events"), "audit_allow_process_events");
}

static void a_beginning_is_near(void **state)
{
	(void)state;
	assert_string_equal(nearest("spool"), "spool_limit_mib");
	assert_string_equal(nearest("audit_allow"), "audit_allow_process_events");
	assert_null(nearest("sp")); /* too short to say anything */
}

static void the_nearest_wins(void **state)
{
	(void)state;
	assert_string_equal(nearest("rules_dirs"), "rules_dir");
	assert_string_equal(nearest("rule"), "rules");
}

static void strange_words_are_near_nothing(void **state)
{
	(void)state;
	assert_null(nearest(""));
	assert_null(nearest("x"));
	assert_null(nearest("frobnicate"));
	assert_null(nearest("\xFF\xFE\x01"));

	char longest[2 * MW_NEAREST_BYTES];
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_null(nearest(longest));

	/* At the bound itself the table is just full. */
	longest[MW_NEAREST_BYTES] = '\0';
	assert_null(nearest(longest));
	struct mw_nearest near = {.word = longest};
	mw_nearest_try(&near, longest);
	assert_ptr_equal(near.name, longest);
	assert_int_equal(near.distance, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slips_are_near),
		cmocka_unit_test(case_and_dashes_make_no_difference),
		cmocka_unit_test(a_beginning_is_near),
		cmocka_unit_test(the_nearest_wins),
		cmocka_unit_test(strange_words_are_near_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

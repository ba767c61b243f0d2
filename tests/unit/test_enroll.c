#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/secret.h"
#include "flag/enroll.h"

enum {
	ENTRIES = 8,
	ENTRY_BYTES = 64,
};

static char entries[ENTRIES][ENTRY_BYTES];
static char *environment[ENTRIES + 1];
static struct mw_flags *flags;
static struct mw_enroll enroll;

static int set_up(void **state)
{
	(void)state;
	memset(entries, 0, sizeof(entries));
	memset(environment, 0, sizeof(environment));
	flags = mw_flags_new();
	return flags == NULL;
}

static int tear_down(void **state)
{
	(void)state;
	mw_flags_free(flags);
	mw_enroll_release(&enroll);
	return 0;
}

static void put(const char *entry)
{
	size_t i = 0;
	while (environment[i])
		i++;
	(void)strncpy(entries[i], entry, ENTRY_BYTES - 1);
	environment[i] = entries[i];
}

static void set(const char *name, const char *value)
{
	assert_int_equal(mw_flags_set(flags, name, value, MW_FROM_COMMAND_LINE, NULL), 0);
}

static void take(void)
{
	assert_int_equal(mw_enroll_take(flags, environment, &enroll, NULL), 0);
}

static void a_variable_is_overwritten_where_it_stood(void **state)
{
	(void)state;
	put("A=1");
	put("UPTYCS_SECRET=the secret");
	put("UPTYCS_SECRETS=another");
	put("UPTYCS_SECRET=the secret");
	take();
	assert_string_equal(enroll.reference, "env:UPTYCS_SECRET");
	assert_string_equal(mw_secret_bytes(enroll.secret), "the secret");
	assert_string_equal(environment[0], "A=1");
	assert_string_equal(environment[1], "UPTYCS_SECRETS=another");
	assert_null(environment[2]);
	static const char nothing[ENTRY_BYTES];
	assert_memory_equal(entries[1], nothing, ENTRY_BYTES);
	assert_memory_equal(entries[3], nothing, ENTRY_BYTES);
}

static void an_arn_in_it_is_where_the_secret_is(void **state)
{
	(void)state;
	put("UPTYCS_SECRET=arn:aws:ssm:us-east-1:1:parameter/x");
	take();
	assert_string_equal(enroll.reference, "arn:aws:ssm:us-east-1:1:parameter/x");
	assert_null(enroll.secret);
	assert_null(environment[0]);
}

static void a_flag_comes_first_and_the_variable_goes_all_the_same(void **state)
{
	(void)state;
	put("UPTYCS_SECRET=the secret");
	set("enroll_secret_env", "OTHER");
	set("enroll_secret_path", "/x");
	set("enroll_secret", "ssm:name");
	take();
	assert_string_equal(enroll.reference, "ssm:name");
	assert_null(enroll.secret);
	assert_null(environment[0]);
}

static void osquerys_flags_are_understood(void **state)
{
	(void)state;
	put("OTHER=value");
	set("enroll_secret_env", "OTHER");
	take();
	assert_string_equal(enroll.reference, "env:OTHER");
	assert_string_equal(mw_secret_bytes(enroll.secret), "value");
	assert_null(environment[0]);
	set("enroll_secret_path", "/x");
	mw_secret_free(enroll.secret);
	take();
	assert_string_equal(enroll.reference, "file:/x");
	assert_null(enroll.secret);
}

static void nothing_is_configured(void **state)
{
	(void)state;
	put("UPTYCS_SECRET=");
	put("B=2");
	take();
	assert_string_equal(enroll.reference, "");
	assert_null(enroll.secret);
	assert_string_equal(environment[0], "B=2");
	assert_null(environment[1]);
}

static void variables_that_outputs_name_are_taken_too(void **state)
{
	(void)state;
	put("TOKEN_1=one");
	put("B=2");
	put("PASSWORD=two");
	put("TOKEN_10=kept");
	set("outputs",
	    "alerts/json:http=https://h/;to=splunk;token=env:TOKEN_1,events/json:http=https://g/;password=env:PASSWORD;"
	    "header=X-Key: env:TOKEN_1;user=env:,alerts/json:http=https://i/;password=env:NOT_SET");
	take();
	assert_string_equal(enroll.reference, "");
	assert_int_equal(enroll.taken_count, 2);
	assert_string_equal(enroll.taken[0].name, "TOKEN_1");
	assert_string_equal(mw_secret_bytes(enroll.taken[0].secret), "one");
	assert_string_equal(enroll.taken[1].name, "PASSWORD");
	assert_string_equal(mw_secret_bytes(enroll.taken[1].secret), "two");
	assert_string_equal(environment[0], "B=2");
	assert_string_equal(environment[1], "TOKEN_10=kept");
	assert_null(environment[2]);
	for (size_t i = 0; i < sizeof(entries[0]); i++)
		assert_int_equal(entries[0][i], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_variable_is_overwritten_where_it_stood, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_arn_in_it_is_where_the_secret_is, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_flag_comes_first_and_the_variable_goes_all_the_same, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(osquerys_flags_are_understood, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_is_configured, set_up, tear_down),
		cmocka_unit_test_setup_teardown(variables_that_outputs_name_are_taken_too, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

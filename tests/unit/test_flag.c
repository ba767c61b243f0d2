/* Flags: the list itself, how values are written, which source wins. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "flag/flag.h"

/* A list of words as execve(2) wants it. */
#define WORDS(...) ((char *const *)(const char *[]){__VA_ARGS__, NULL})

static int make_flags(void **state)
{
	*state = mw_flags_new();
	return *state ? 0 : -1;
}

static int free_flags(void **state)
{
	mw_flags_free(*state);
	return 0;
}

static int count(char *const *argv)
{
	int n = 0;
	while (argv[n])
		n++;
	return n;
}

static int parse(struct mw_flags *flags, char *const *argv, int *ret_rest, struct mw_err *err)
{
	return mw_flags_parse_arguments(flags, count(argv), argv, ret_rest, err);
}

#define ASSERT_SAYS(err, part) \
	do { \
		if (!strstr((err).text, (part))) \
			fail_msg("\"%s\" does not say \"%s\"", (err).text, (part)); \
	} while (0)

static void every_flag_is_declared_whole(void **state)
{
	struct mw_flags *flags = *state;
	for (size_t i = 0; i < MW_FLAG_COUNT; i++) {
		const struct mw_flag *flag = &mw_flag_list[i];
		assert_non_null(flag->name);
		assert_ptr_equal(mw_flag_find(flag->name), flag); /* no name twice */
		assert_int_equal(strspn(flag->name, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(flag->name));
		assert_true(strncmp(flag->name, "no", 2) != 0); /* --noX must stay free */
		assert_true(strlen(flag->doc) > 10);
		assert_int_equal(flag->doc[strlen(flag->doc) - 1], '.');
		if (flag->type == MW_FLAG_INT) {
			assert_true(flag->min < flag->max);
			assert_true(flag->def >= flag->min && flag->def <= flag->max);
		}
		if (flag->type == MW_FLAG_TEXT || flag->type == MW_FLAG_ENUM)
			assert_non_null(flag->def_text);

		/* What a flag's value looks like, it takes. */
		MW_AUTO(mw_buf) text = MW_BUF(4096);
		mw_flag_format(flags, (enum mw_flag_id)i, &text);
		struct mw_err err = {""};
		assert_int_equal(mw_flag_source(flags, (enum mw_flag_id)i), MW_FROM_DEFAULT);
		assert_int_equal(mw_flags_set(flags, flag->name, text.data ? text.data : "", MW_FROM_FILE, &err), 0);
		MW_AUTO(mw_buf) again = MW_BUF(4096);
		mw_flag_format(flags, (enum mw_flag_id)i, &again);
		assert_string_equal(again.data ? again.data : "", text.data ? text.data : "");
		assert_int_equal(mw_flag_source(flags, (enum mw_flag_id)i), MW_FROM_FILE);
	}
}

static void help_names_every_flag(void **state)
{
	(void)state;
	MW_AUTO(mw_buf) help = MW_BUF(65536);
	mw_flag_help(&help);
	assert_int_equal(mw_buf_status(&help), 0);
	for (size_t i = 0; i < MW_FLAG_COUNT; i++) {
		assert_non_null(strstr(help.data, mw_flag_list[i].name));
		assert_non_null(strstr(help.data, mw_flag_list[i].doc));
	}
}

static void arguments_are_written_in_every_way(void **state)
{
	struct mw_flags *flags = *state;
	struct mw_err err = {""};
	int rest = -1;
	assert_int_equal(parse(flags,
			       WORDS("--state_dir=/a=b", "--spool_limit_mib", "64", "--noaudit_allow_process_events",
				     "--audit_allow_fork_process_events", "--rules_dir=", "--", "--profile=x"),
			       &rest, &err),
			 0);
	assert_int_equal(rest, 7);
	assert_string_equal(mw_flag_text(flags, MW_FLAG_STATE_DIR), "/a=b");
	assert_int_equal(mw_flag_int(flags, MW_FLAG_SPOOL_LIMIT_MIB), 64);
	assert_false(mw_flag_bool(flags, MW_FLAG_AUDIT_ALLOW_PROCESS_EVENTS));
	assert_true(mw_flag_bool(flags, MW_FLAG_AUDIT_ALLOW_FORK_PROCESS_EVENTS));
	assert_string_equal(mw_flag_text(flags, MW_FLAG_RULES_DIR), "");
	assert_int_equal(mw_flag_source(flags, MW_FLAG_RULES_DIR), MW_FROM_COMMAND_LINE);
	assert_string_equal(mw_flag_text(flags, MW_FLAG_PROFILE), "default");

	assert_int_equal(parse(flags, WORDS("--no-audit_allow_fork_process_events"), &rest, &err), 0);
	assert_int_equal(rest, 1);
	assert_false(mw_flag_bool(flags, MW_FLAG_AUDIT_ALLOW_FORK_PROCESS_EVENTS));

	static const char *const trues[] = {"true", "1", "yes", "TRUE"};
	static const char *const falses[] = {"false", "0", "no", "False"};
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(
			mw_flags_set(flags, "audit_allow_process_events", trues[i], MW_FROM_COMMAND_LINE, &err), 0);
		assert_true(mw_flag_bool(flags, MW_FLAG_AUDIT_ALLOW_PROCESS_EVENTS));
		assert_int_equal(
			mw_flags_set(flags, "audit_allow_process_events", falses[i], MW_FROM_COMMAND_LINE, &err), 0);
		assert_false(mw_flag_bool(flags, MW_FLAG_AUDIT_ALLOW_PROCESS_EVENTS));
	}
}

static void arguments_end_where_the_command_begins(void **state)
{
	struct mw_flags *flags = *state;
	struct mw_err err = {""};
	int rest = -1;
	/* A bool takes no separate value: "false" is the command. */
	assert_int_equal(parse(flags, WORDS("--audit_allow_process_events", "false", "--unknown"), &rest, &err), 0);
	assert_int_equal(rest, 1);
	assert_int_equal(parse(flags, WORDS("ls", "--unknown"), &rest, &err), 0);
	assert_int_equal(rest, 0);
	assert_int_equal(parse(flags, WORDS("-"), &rest, &err), 0);
	assert_int_equal(rest, 0);
	assert_int_equal(parse(flags, WORDS(""), &rest, &err), 0);
	assert_int_equal(rest, 0);
	assert_int_equal(parse(flags, WORDS("--"), &rest, &err), 0);
	assert_int_equal(rest, 1);
	assert_int_equal(mw_flags_parse_arguments(flags, 0, WORDS(NULL), &rest, &err), 0);
	assert_int_equal(rest, 0);
}

static void wrong_arguments_say_what_to_do(void **state)
{
	struct mw_flags *flags = *state;
	char long_name[300] = "--";
	memset(long_name + 2, 'a', sizeof(long_name) - 3);
	char long_value[MW_FLAG_TEXT_BYTES + 32] = "--state_dir=";
	memset(long_value + strlen(long_value), 'a', MW_FLAG_TEXT_BYTES);
	const struct {
		const char *word;
		int code;
		const char *says;
	} cases[] = {
		{"--state-dir=/x", -ENOENT, "did you mean --state_dir"},
		{"--spool_limit=9", -ENOENT, "did you mean --spool_limit_mib"},
		{"--frobnicate", -ENOENT, "moonwatch config explain"},
		{"--=x", -ENOENT, "unknown flag"},
		{"-state_dir=/x", -ENOENT, "two dashes"},
		{"--nostate_dir", -ENOENT, "unknown flag --nostate_dir"},
		{"--noaudit_allow_process_events=true", -EINVAL, "takes no value"},
		{"--audit_allow_process_events=maybe", -EINVAL, "true or false, not \"maybe\""},
		{"--audit_allow_process_events=", -EINVAL, "true or false"},
		{"--spool_limit_mib=lots", -EINVAL, "from 8 to 65536, not \"lots\""},
		{"--spool_limit_mib=", -EINVAL, "whole number"},
		{"--spool_limit_mib= 9", -EINVAL, "whole number"},
		{"--spool_limit_mib=9MiB", -EINVAL, "whole number"},
		{"--spool_limit_mib=0x10", -EINVAL, "whole number"},
		{"--spool_limit_mib=7", -ERANGE, "from 8 to 65536"},
		{"--spool_limit_mib=65537", -ERANGE, "from 8 to 65536"},
		{"--spool_limit_mib=99999999999999999999999", -ERANGE, "from 8 to 65536"},
		{"--spool_limit_mib=-1", -ERANGE, "from 8 to 65536"},
		{"--spool_limit_mib", -EINVAL, "wants a value"},
		{"--outputs=a\nb", -EINVAL, "control character (\\x0a at byte 2)"},
		{long_name, -ENOENT, "unknown flag --aaa"},
		{long_value, -ERANGE, "longer than"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char word[MW_FLAG_TEXT_BYTES + 32];
		(void)snprintf(word, sizeof(word), "%s", cases[i].word);
		struct mw_err err = {""};
		int rest = -7;
		assert_int_equal(parse(flags, WORDS(word), &rest, &err), cases[i].code);
		ASSERT_SAYS(err, cases[i].says);
		assert_int_equal(rest, -7);
	}
	/* Nothing of it stuck. */
	for (size_t i = 0; i < MW_FLAG_COUNT; i++)
		assert_int_equal(mw_flag_source(flags, (enum mw_flag_id)i), MW_FROM_DEFAULT);
}

static void the_higher_source_wins_in_any_order(void **state)
{
	struct mw_flags *flags = *state;
	struct mw_err err = {""};
	static const enum mw_flag_source order[] = {MW_FROM_FILE, MW_FROM_COMMAND_LINE, MW_FROM_PROFILE,
						    MW_FROM_ENVIRONMENT, MW_FROM_BACKEND};
	for (size_t i = 0; i < 5; i++) {
		char text[16];
		(void)snprintf(text, sizeof(text), "%d", 100 + (int)order[i]);
		assert_int_equal(mw_flags_set_at(flags, "ring_size_mib", text, order[i], "/some/file", &err), 0);
	}
	assert_int_equal(mw_flag_int(flags, MW_FLAG_RING_SIZE_MIB), 100 + MW_FROM_COMMAND_LINE);
	assert_int_equal(mw_flag_source(flags, MW_FLAG_RING_SIZE_MIB), MW_FROM_COMMAND_LINE);
	assert_string_equal(mw_flag_origin(flags, MW_FLAG_RING_SIZE_MIB), "/some/file");

	/* Of the same source, the last. */
	assert_int_equal(mw_flags_set(flags, "ring_size_mib", "7", MW_FROM_COMMAND_LINE, &err), 0);
	assert_int_equal(mw_flag_int(flags, MW_FLAG_RING_SIZE_MIB), 7);
	assert_string_equal(mw_flag_origin(flags, MW_FLAG_RING_SIZE_MIB), "");

	/* A value that would lose anyway is checked all the same. */
	assert_int_equal(mw_flags_set(flags, "ring_size_mib", "x", MW_FROM_PROFILE, &err), -EINVAL);
	assert_int_equal(mw_flag_int(flags, MW_FLAG_RING_SIZE_MIB), 7);
}

static void the_environment_is_read(void **state)
{
	struct mw_flags *flags = *state;
	struct mw_err err = {""};
	struct mw_err warning = {"old"};
	char *const *good = WORDS("PATH=/bin", "MOONWATCH_STATE_DIR=/e", "MOONWATCH_RING_SIZE_MIB=9",
				  "MOONWATCH_RULES_DIR=", "MOONWATCH_SPOOL_LIMIT_MIB=", "MOONWATCH_", "MOONWATCH_=x",
				  "NOEQUALS", "MOONWATCH_SERVICE_HOST=10.0.0.1");
	assert_int_equal(mw_flags_parse_environment(flags, good, &warning, &err), 0);
	assert_string_equal(warning.text, "");
	assert_string_equal(mw_flag_text(flags, MW_FLAG_STATE_DIR), "/e");
	assert_int_equal(mw_flag_source(flags, MW_FLAG_STATE_DIR), MW_FROM_ENVIRONMENT);
	assert_int_equal(mw_flag_int(flags, MW_FLAG_RING_SIZE_MIB), 9);
	assert_int_equal(mw_flag_source(flags, MW_FLAG_RULES_DIR), MW_FROM_DEFAULT);

	char *const *slip = WORDS("MOONWATCH_STATEDIR=/e", "MOONWATCH_OUTPUT=x");
	assert_int_equal(mw_flags_parse_environment(flags, slip, &warning, &err), 0);
	ASSERT_SAYS(warning, "MOONWATCH_STATEDIR is no flag");
	ASSERT_SAYS(warning, "did you mean MOONWATCH_STATE_DIR?");
	assert_int_equal(mw_flags_parse_environment(flags, slip, NULL, &err), 0);

	char *const *bad = WORDS("MOONWATCH_RING_SIZE_MIB=many");
	assert_int_equal(mw_flags_parse_environment(flags, bad, &warning, &err), -EINVAL);
	ASSERT_SAYS(err, "environment, MOONWATCH_RING_SIZE_MIB: ");
	assert_int_equal(mw_flag_int(flags, MW_FLAG_RING_SIZE_MIB), 9);
}

/* --- flag file --- */

static char file_path[] = "/tmp/moonwatch-flags-XXXXXX";

static const char *write_file(const char *bytes, size_t n)
{
	(void)snprintf(file_path, sizeof(file_path), "/tmp/moonwatch-flags-XXXXXX");
	int fd = mkstemp(file_path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
	close(fd);
	return file_path;
}

static int parse_file(struct mw_flags *flags, const char *bytes, size_t n, struct mw_err *err)
{
	const char *path = write_file(bytes, n);
	int r = mw_flags_parse_file(flags, path, err);
	unlink(path);
	return r;
}
#define PARSE_FILE(flags, literal, err) parse_file(flags, literal, sizeof(literal) - 1, err)

static void a_flag_file_is_read(void **state)
{
	struct mw_flags *flags = *state;
	struct mw_err err = {""};
	assert_int_equal(
		PARSE_FILE(flags,
			   "# what we want\r\n\n  --state_dir=/f # kept  \r\n\t\n--no-audit_allow_process_events\n"
			   "--audit_allow_exit_process_events\n--ring_size_mib=3",
			   &err),
		0);
	assert_string_equal(mw_flag_text(flags, MW_FLAG_STATE_DIR), "/f # kept");
	assert_string_equal(mw_flag_origin(flags, MW_FLAG_STATE_DIR), file_path);
	assert_int_equal(mw_flag_source(flags, MW_FLAG_STATE_DIR), MW_FROM_FILE);
	assert_false(mw_flag_bool(flags, MW_FLAG_AUDIT_ALLOW_PROCESS_EVENTS));
	assert_true(mw_flag_bool(flags, MW_FLAG_AUDIT_ALLOW_EXIT_PROCESS_EVENTS));
	assert_int_equal(mw_flag_int(flags, MW_FLAG_RING_SIZE_MIB), 3);
	assert_int_equal(PARSE_FILE(flags, "", &err), 0);
}

static void a_wrong_flag_file_names_the_line(void **state)
{
	struct mw_flags *flags = *state;
	struct mw_err err = {""};
	assert_int_equal(PARSE_FILE(flags, "\n# x\n--statedir=/f\n", &err), -ENOENT);
	ASSERT_SAYS(err, file_path);
	ASSERT_SAYS(err, ":3: unknown flag --statedir; did you mean --state_dir?");
	assert_int_equal(PARSE_FILE(flags, "state_dir=/f", &err), -EINVAL);
	ASSERT_SAYS(err, ":1: \"state_dir=/f\" is no flag");
	assert_int_equal(PARSE_FILE(flags, "--", &err), -EINVAL);
	assert_int_equal(PARSE_FILE(flags, "--spool_limit_mib 64", &err), -ENOENT);
	assert_int_equal(PARSE_FILE(flags, "--spool_limit_mib", &err), -EINVAL);
	ASSERT_SAYS(err, "wants a value");
	assert_int_equal(PARSE_FILE(flags, "--flagfile=/other", &err), -EINVAL);
	ASSERT_SAYS(err, "cannot name another");
	assert_int_equal(PARSE_FILE(flags, "--state_dir=/a\0b\n", &err), -EINVAL);
	ASSERT_SAYS(err, "NUL byte");

	char big[MW_FLAG_FILE_BYTES + 1];
	memset(big, '\n', sizeof(big));
	assert_int_equal(parse_file(flags, big, sizeof(big), &err), -EFBIG);
	assert_int_equal(parse_file(flags, big, sizeof(big) - 1, &err), 0);

	assert_int_equal(mw_flags_parse_file(flags, "/nonexistent/flags", &err), -ENOENT);
	ASSERT_SAYS(err, "/nonexistent/flags");
	assert_int_equal(mw_flags_parse_file(flags, "/", &err), -EISDIR);
}

static void an_untrusted_flag_file_is_refused(void **state)
{
	struct mw_flags *flags = *state;
	struct mw_err err = {""};
	const char *path = write_file("--state_dir=/evil\n", 18);
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(mw_flags_parse_file(flags, path, &err), -EPERM);
	ASSERT_SAYS(err, path);
	ASSERT_SAYS(err, "chmod go-w");
	assert_int_equal(chmod(path, 0600), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 12345, 12345), 0);
		assert_int_equal(mw_flags_parse_file(flags, path, &err), -EPERM);
		ASSERT_SAYS(err, "owned by user 12345");
	}
	assert_string_equal(mw_flag_text(flags, MW_FLAG_STATE_DIR), "/var/lib/moonwatch");
	unlink(path);
}

static void a_local_flag_is_not_set_from_elsewhere(void **state)
{
	struct mw_flags *flags = *state;
	struct mw_err err = {""};
	assert_int_equal(mw_flags_set(flags, "allow_plain_env", "true", MW_FROM_PROFILE, &err), -EPERM);
	ASSERT_SAYS(err, "command line");
	assert_int_equal(mw_flags_set(flags, "allow_plain_env", "true", MW_FROM_BACKEND, &err), -EPERM);
	assert_false(mw_flag_bool(flags, MW_FLAG_ALLOW_PLAIN_ENV));
	assert_int_equal(mw_flags_set(flags, "allow_plain_env", NULL, MW_FROM_FILE, &err), 0);
	assert_true(mw_flag_bool(flags, MW_FLAG_ALLOW_PLAIN_ENV));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_flags, free_flags)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_flag_is_declared_whole),
		TEST(help_names_every_flag),
		TEST(arguments_are_written_in_every_way),
		TEST(arguments_end_where_the_command_begins),
		TEST(wrong_arguments_say_what_to_do),
		TEST(the_higher_source_wins_in_any_order),
		TEST(the_environment_is_read),
		TEST(a_flag_file_is_read),
		TEST(a_wrong_flag_file_names_the_line),
		TEST(an_untrusted_flag_file_is_refused),
		TEST(a_local_flag_is_not_set_from_elsewhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

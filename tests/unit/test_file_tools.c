/* Which command lines say that a program makes a change, and which do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "event/process.h"
#include "sensor/tools.h"
#include "watch/watch.h"

enum {
	ARGV_BYTES = 512,
};

static struct mw_image *image_of(const char *cmdline, const char *cwd)
{
	char argv[ARGV_BYTES];
	size_t n = strlen(cmdline) + 1;
	memcpy(argv, cmdline, n);
	for (size_t i = 0; i + 1 < n; i++)
		if (argv[i] == ' ')
			argv[i] = '\0';
	for (size_t i = 0; i + 1 < n; i++)
		if (argv[i] == '~')
			argv[i] = ' '; /* a blank within an argument */
	struct mw_image *image = mw_image_new();
	assert_non_null(image);
	assert_int_equal(mw_image_set_argv(image, argv, n), 0);
	image->cwd = strdup(cwd);
	return image;
}

/* In the order in which a row reads; NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding) */
struct row {
	const char *cmdline;
	enum mw_change_kind kind;
	const char *path, *old_path;
	bool makes;
};

static void command_lines_say_what_is_changed(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{"rm f", MW_CHANGE_DELETE, "/w/f", NULL, true},
		{"rm f", MW_CHANGE_MODIFY, "/w/f", NULL, false},
		{"rm ../w/./f", MW_CHANGE_DELETE, "/w/f", NULL, true},
		{"rm f", MW_CHANGE_DELETE, "/x/f", NULL, false},
		{"rm d", MW_CHANGE_DELETE, "/w/d/f", NULL, false},
		{"rm -rf d", MW_CHANGE_DELETE, "/w/d/e/f", NULL, true},
		{"rm -rf d", MW_CHANGE_DELETE, "/w/dd", NULL, false},
		{"rm -- -rf", MW_CHANGE_DELETE, "/w/-rf", NULL, true},
		{"busybox rm f", MW_CHANGE_DELETE, "/w/f", NULL, true},
		{"/bin/rm /a/b", MW_CHANGE_DELETE, "/a/b", NULL, true},
		{"cat f", MW_CHANGE_MODIFY, "/w/f", NULL, false},
		{"python3 gen.py /w/f", MW_CHANGE_MODIFY, "/w/f", NULL, false},
		{"touch f g", MW_CHANGE_CREATE, "/w/g", NULL, true},
		{"mkdir -p a/b/c", MW_CHANGE_CREATE, "/w/a", NULL, true},
		{"mkdir a/b/c", MW_CHANGE_CREATE, "/w/a", NULL, false},
		{"chmod -R 700 d", MW_CHANGE_ATTRIBUTES, "/w/d/x", NULL, true},
		{"chmod 700 d", MW_CHANGE_ATTRIBUTES, "/w/d/x", NULL, false},
		{"chmod 700 d", MW_CHANGE_CREATE, "/w/d", NULL, false},
		{"cp a b", MW_CHANGE_CREATE, "/w/b", NULL, true},
		{"cp a b", MW_CHANGE_MODIFY, "/w/a", NULL, false},
		{"cp a /d", MW_CHANGE_CREATE, "/d/a", NULL, true},
		{"cp a /d", MW_CHANGE_CREATE, "/d/other", NULL, false},
		{"cp -r a /d", MW_CHANGE_CREATE, "/d/a/x/y", NULL, true},
		{"cp -t /d a b", MW_CHANGE_CREATE, "/d/b", NULL, true},
		{"install -m 755 a /usr/bin/b", MW_CHANGE_CREATE, "/usr/bin/b", NULL, true},
		{"mv a b", MW_CHANGE_RENAME, "/w/b", "/w/a", true},
		{"mv a /d", MW_CHANGE_RENAME, "/d/a", "/w/a", true},
		{"mv a b", MW_CHANGE_RENAME, "/w/b", "/w/c", false},
		{"mv a /elsewhere/b", MW_CHANGE_DELETE, "/w/a", NULL, true},
		{"tar xf a.tar", MW_CHANGE_CREATE, "/w/d/f", NULL, true},
		{"tar -C /d -xf a.tar", MW_CHANGE_CREATE, "/d/f", NULL, true},
		{"tar -C /d -xf a.tar", MW_CHANGE_CREATE, "/w/f", NULL, false},
		{"tar cf a.tar d", MW_CHANGE_CREATE, "/w/a.tar", NULL, true},
		{"tar cf a.tar d", MW_CHANGE_MODIFY, "/w/d/f", NULL, false},
		{"tar cf a.tar d", MW_CHANGE_CREATE, "/w/d", NULL, false},
		{"tar -czf /a.tgz d", MW_CHANGE_CREATE, "/a.tgz", NULL, true},
		{"sed -i s/a/b/ f", MW_CHANGE_RENAME, "/w/f", "/w/sedAbCdEf", true},
		{"sed -i s/a/b/ f", MW_CHANGE_CREATE, "/w/sedAbCdEf", NULL, true},
		{"sed s/a/b/ f", MW_CHANGE_MODIFY, "/w/f", NULL, false},
		{"dd if=/dev/zero of=f", MW_CHANGE_MODIFY, "/w/f", NULL, true},
		{"dd if=f of=g", MW_CHANGE_MODIFY, "/w/f", NULL, false},
		{"vim f.c", MW_CHANGE_CREATE, "/w/.f.c.swp", NULL, true},
		{"vim f.c", MW_CHANGE_CREATE, "/w/4913", NULL, true},
		{"vim f.c", MW_CHANGE_RENAME, "/w/f.c~", "/w/f.c", true},
		{"vim f.c", MW_CHANGE_MODIFY, "/w/g.c", NULL, false},
		{"curl -o f https://h/x", MW_CHANGE_CREATE, "/w/f", NULL, true},
		{"wget https://h/x.tgz", MW_CHANGE_CREATE, "/w/x.tgz", NULL, true},
		{"curl https://h/x", MW_CHANGE_CREATE, "/w/y", NULL, false},
		{"useradd x", MW_CHANGE_RENAME, "/etc/passwd", "/etc/passwd+", true},
		{"useradd x", MW_CHANGE_MODIFY, "/etc/hosts", NULL, false},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct row *row = &rows[i];
		struct mw_image *image = image_of(row->cmdline, "/w");
		const struct mw_change change = {.kind = row->kind, .path = row->path, .old_path = row->old_path};
		const struct mw_tool *tool = mw_tool_of(image);
		bool makes = tool && mw_tool_makes(tool, image, &change) != MW_TOOL_NO;
		if (makes != row->makes)
			fail_msg("%s: %s (kind %d): %d", row->cmdline, row->path, (int)row->kind, makes);
		mw_image_unref(image);
	}
}

static void scripts_redirect(void **state)
{
	(void)state;
	static const struct {
		const char *cmdline, *path;
		bool redirects;
	} rows[] = {
		{"sh -c echo~x~>~/a/f", "/a/f", true},   {"sh -c echo~x~>>f;true", "/w/f", true},
		{"bash -ec echo~x~>'f'", "/w/f", true},  {"sh -c cat~<~/a/f", "/a/f", false},
		{"sh -c echo~x~>~/a/ff", "/a/f", false}, {"sh script", "/w/script", false},
		{"python3 -c x>f", "/w/f", false},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct mw_image *image = image_of(rows[i].cmdline, "/w");
		if (mw_tool_redirects(image, rows[i].path) != rows[i].redirects)
			fail_msg("%s: %s", rows[i].cmdline, rows[i].path);
		mw_image_unref(image);
	}
}

/* What was cut, or has too many arguments, says nothing. */
static void long_command_lines_say_nothing(void **state)
{
	(void)state;
	char cmdline[ARGV_BYTES] = "rm f";
	for (unsigned i = 0; i < 70; i++)
		strncat(cmdline, " g", sizeof(cmdline) - strlen(cmdline) - 1);
	struct mw_image *image = image_of(cmdline, "/w");
	assert_null(mw_tool_of(image));
	mw_image_unref(image);
	image = image_of("rm f", "/w");
	assert_non_null(mw_tool_of(image));
	image->argv_truncated = true;
	assert_null(mw_tool_of(image));
	mw_image_unref(image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(command_lines_say_what_is_changed),
		cmocka_unit_test(scripts_redirect),
		cmocka_unit_test(long_command_lines_say_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

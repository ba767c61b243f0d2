/* Names of users and groups: junk is skipped, changes are seen, nothing is waited for. */
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

#include "proc/users.h"

static char root[256];

static const char *path_of(const char *name)
{
	static char path[512];
	(void)snprintf(path, sizeof(path), "%s/etc/%s", root, name);
	return path;
}

static int make_root(void **state)
{
	(void)state;
	const char *above = getenv("TMPDIR");
	(void)snprintf(root, sizeof(root), "%.200s/users-XXXXXX", above ? above : "/tmp");
	char etc[sizeof(root) + 8];
	if (!mkdtemp(root))
		return -1;
	(void)snprintf(etc, sizeof(etc), "%s/etc", root);
	return mkdir(etc, 0755);
}

static int remove_root(void **state)
{
	(void)state;
	char etc[sizeof(root) + 8];
	(void)unlink(path_of("passwd"));
	(void)unlink(path_of("group"));
	(void)snprintf(etc, sizeof(etc), "%s/etc", root);
	return rmdir(etc) < 0 ? -1 : rmdir(root);
}

/* As vipw(8) does: a new file takes the old one's place. */
static void put(const char *name, const char *text, size_t n)
{
	char temporary[600];
	(void)snprintf(temporary, sizeof(temporary), "%s.new", path_of(name));
	int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, n), n);
	close(fd);
	assert_int_equal(rename(temporary, path_of(name)), 0);
}

#define PUT(name, text) put((name), (text), sizeof(text) - 1)

static struct mw_users *open_users(void)
{
	struct mw_users *users = NULL;
	assert_int_equal(mw_users_new(root, &users), 0);
	return users;
}

static void names_are_found(void **state)
{
	(void)state;
	PUT("passwd", "root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33:Web, server:/var/www:/usr/sbin/nologin\n");
	PUT("group", "root:x:0:\nadm:x:4:a,b,c\n");
	struct mw_users *users = open_users();
	assert_string_equal(mw_users_name(users, 0), "root");
	assert_string_equal(mw_users_name(users, 33), "www-data");
	assert_string_equal(mw_users_name(users, 34), "");
	assert_string_equal(mw_users_name(users, (uid_t)-1), "");
	assert_string_equal(mw_users_group(users, 4), "adm");
	assert_string_equal(mw_users_group(users, 5), "");

	struct mw_user user;
	assert_true(mw_users_at(users, 0, &user));
	assert_true(mw_users_at(users, 1, &user));
	assert_int_equal(user.uid, 33);
	assert_int_equal(user.gid, 33);
	assert_string_equal(user.description, "Web, server");
	assert_string_equal(user.directory, "/var/www");
	assert_string_equal(user.shell, "/usr/sbin/nologin");
	assert_false(mw_users_at(users, 2, &user));
	struct mw_group group;
	assert_true(mw_users_group_at(users, 1, &group));
	assert_string_equal(group.members, "a,b,c");
	mw_users_free(users);
}

static void junk_is_skipped(void **state)
{
	(void)state;
	PUT("passwd", "\n"
		      "# a comment:x:1:1:::\n"
		      "+::::::\n"
		      "-nis:x:2:2:::\n"
		      "short:x:3\n"
		      "letters:x:abc:1:::\n"
		      "negative:x:-1:1:::\n"
		      "empty:x::1:::\n"
		      "large:x:4294967296:1:::\n"
		      "blank:x: 5:1:::\n"
		      ":x:6:1:::\n"
		      "nul\0:x:7:1:::\n"
		      "last:x:4294967295:1:::\n"
		      "good:x:8:zz:a:b:c:d\n"
		      "good2:x:8:9:::\n"
		      "unended:x:9:9:::/bin/sh");
	PUT("group", "a\nb:x:1\nc:x:2:\n");
	struct mw_users *users = open_users();
	for (uid_t uid = 0; uid < 8; uid++)
		assert_string_equal(mw_users_name(users, uid), "");
	assert_string_equal(mw_users_name(users, 4294967295), "last");
	assert_string_equal(mw_users_name(users, 8), "good"); /* the first one counts */
	assert_string_equal(mw_users_name(users, 9), "unended");
	assert_string_equal(mw_users_group(users, 1), "");
	assert_string_equal(mw_users_group(users, 2), "c");
	struct mw_user user;
	assert_true(mw_users_at(users, 1, &user));
	assert_string_equal(user.shell, "c:d");
	assert_int_equal(user.gid, (gid_t)-1);
	mw_users_free(users);
}

static void changes_are_seen(void **state)
{
	(void)state;
	struct mw_users *users = open_users();
	assert_string_equal(mw_users_name(users, 1000), ""); /* no file yet */
	PUT("passwd", "anna:x:1000:1000:::\n");
	assert_string_equal(mw_users_name(users, 1000), "anna");
	PUT("passwd", "hans:x:1000:1000:::\n"); /* of the same size */
	assert_string_equal(mw_users_name(users, 1000), "hans");
	assert_int_equal(unlink(path_of("passwd")), 0);
	assert_string_equal(mw_users_name(users, 1000), "");
	mw_users_free(users);
}

static void overwrite(char *to, const char *text)
{
	while (*text)
		*to++ = *text++;
}

static void huge_files_are_read_in_part(void **state)
{
	(void)state;
	enum {
		BYTES = 5 << 20
	};
	char *text = malloc(BYTES);
	memset(text, 'x', BYTES);
	overwrite(text, "first:x:1:1:::\n");
	overwrite(text + 200000, "\nnext:x:3:1:::\n");
	overwrite(text + BYTES - 15, "\nlast:x:2:1:::\n");
	put("passwd", text, BYTES);
	struct mw_users *users = open_users();
	assert_string_equal(mw_users_name(users, 1), "first");
	assert_string_equal(mw_users_name(users, 3), "next"); /* behind a line of 200 000 bytes */
	assert_string_equal(mw_users_name(users, 2), "");     /* past the limit */

	memset(text, '\n', BYTES);
	put("passwd", text, BYTES);
	assert_string_equal(mw_users_name(users, 1), "");
	mw_users_free(users);
	free(text);
}

static void a_pipe_is_not_waited_for(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(path_of("passwd"), 0644), 0);
	assert_int_equal(symlink("/dev/zero", path_of("group")), 0);
	struct mw_users *users = open_users();
	assert_string_equal(mw_users_name(users, 0), "");
	assert_string_equal(mw_users_group(users, 0), "");
	mw_users_free(users);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_root, remove_root)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(names_are_found),          TEST(junk_is_skipped),
		TEST(changes_are_seen),         TEST(huge_files_are_read_in_part),
		TEST(a_pipe_is_not_waited_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

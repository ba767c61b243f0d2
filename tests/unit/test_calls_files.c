/* Calls about files: what is told of them, under every way to name one. */
#if !defined(__x86_64__)
#include <stdio.h>

int main(void)
{
	(void)puts("1..1\nok 1 - calls # SKIP written for the calls that x86-64 has: open, rename, dup2 and others");
	return 0;
}
#else
#include "traced.h"

#include "trace/calls.h"

#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <utime.h>

#define FILES \
	(KIND(MW_FILE_OPEN) | KIND(MW_FILE_CREATE) | KIND(MW_FILE_DELETE) | KIND(MW_FILE_RENAME) | \
	 KIND(MW_FILE_LINK) | KIND(MW_FILE_SYMLINK) | KIND(MW_FILE_ATTRIBUTES))

static int touch(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	return fd < 0 ? fd : close(fd);
}

static uint64_t inode_of(const char *name)
{
	struct stat status;
	assert_int_equal(stat(in_folder(name), &status), 0);
	return status.st_ino;
}

static int expected_fd;

static void opens(void)
{
	int fd = open("old", O_RDONLY);
	EXPECT(fd == expected_fd && close(fd) == 0);
	EXPECT(open("old", O_WRONLY | O_CREAT, 0600) >= 0);
	EXPECT(open("new", O_WRONLY | O_CREAT | O_APPEND, 0640) >= 0);
	EXPECT(open("exclusive", O_RDWR | O_CREAT | O_EXCL, 0600) >= 0);
	EXPECT(open("exclusive", O_RDWR | O_CREAT | O_EXCL, 0600) < 0 && errno == EEXIST);
	EXPECT(open("nothing/there", O_RDONLY) < 0 && errno == ENOENT);
	EXPECT(open("/nothing", O_RDONLY) < 0 && errno == ENOENT);
	EXPECT(open("dangling", O_WRONLY | O_CREAT, 0600) >= 0);
	EXPECT(syscall(SYS_creat, "created", 0600) >= 0);
	EXPECT(syscall(SYS_creat, "created", 0600) >= 0);
	EXPECT(open(".", O_WRONLY | O_TMPFILE, 0600) >= 0 || errno == EOPNOTSUPP);
	EXPECT(open("/dev/null", O_WRONLY | O_CREAT, 0600) >= 0);
}

static void an_open_is_told(void **state)
{
	(void)state;
	struct traced traced;
	assert_int_equal(touch("old"), 0);
	assert_int_equal(symlink("pointed-at", "dangling"), 0);
	expected_fd = dup(0);
	(void)close(expected_fd);
	trace(&traced, opens, FILES);
	assert_int_equal(WEXITSTATUS(traced.status), 0);

	const struct mw_record_call *r = nth(&traced, "openat", 0);
	assert_int_equal(r->event, MW_FILE_OPEN);
	assert_int_equal(r->head.flags, 0);
	assert_int_equal(r->result, expected_fd);
	assert_int_equal(r->fd, expected_fd);
	assert_int_equal(r->open_flags & O_ACCMODE, O_RDONLY);
	assert_true(r->mode == MW_CALL_NONE && r->uid == MW_CALL_NONE && r->size == MW_CALL_NO_SIZE);
	assert_string_equal(path_of(r), in_folder("old"));
	assert_int_equal(r->inode, inode_of("old"));

	r = nth(&traced, "openat", 1);
	assert_int_equal(r->event, MW_FILE_OPEN);
	assert_int_equal(r->open_flags & (O_ACCMODE | O_CREAT), O_WRONLY | O_CREAT);

	r = nth(&traced, "openat", 2);
	assert_int_equal(r->event, MW_FILE_CREATE);
	assert_string_equal(path_of(r), in_folder("new"));
	assert_int_equal(r->mode, 0640);

	assert_int_equal(nth(&traced, "openat", 3)->event, MW_FILE_CREATE);
	r = nth(&traced, "openat", 4);
	assert_int_equal(r->event, MW_FILE_OPEN);
	assert_int_equal(r->result, -EEXIST);
	assert_int_equal(r->fd, -1);
	assert_string_equal(path_of(r), in_folder("exclusive"));

	r = nth(&traced, "openat", 5);
	assert_int_equal(r->result, -ENOENT);
	assert_int_equal(r->head.flags, 0);
	assert_string_equal(path_of(r), in_folder("nothing/there"));
	r = nth(&traced, "openat", 6);
	assert_int_equal(r->head.flags, 0);
	assert_string_equal(path_of(r), "/nothing");

	r = nth(&traced, "openat", 7);
	assert_int_equal(r->event, MW_FILE_CREATE);
	assert_string_equal(path_of(r), in_folder("pointed-at"));

	r = nth(&traced, "creat", 0);
	assert_int_equal(r->event, MW_FILE_CREATE);
	assert_int_equal(r->open_flags, O_CREAT | O_WRONLY | O_TRUNC);
	assert_int_equal(nth(&traced, "creat", 1)->event, MW_FILE_OPEN);

	r = nth(&traced, "openat", 9);
	assert_int_equal(r->event, MW_FILE_OPEN); /* a device is not made by it */
	assert_string_equal(path_of(r), "/dev/null");
	traced_free(&traced);
}

static void names(void)
{
	int dir = open("dir", O_RDONLY | O_DIRECTORY);
	EXPECT(dir >= 0);
	EXPECT(openat(dir, "file", O_RDONLY) >= 0);
	EXPECT(openat(dir, "missing", O_RDONLY) < 0);
	EXPECT(openat(dir, "../missing", O_RDONLY) < 0);
	EXPECT(open("link/../missing", O_RDONLY) < 0);
	EXPECT(open("link/missing", O_RDONLY) < 0);
	EXPECT(open("absolute/missing", O_RDONLY) < 0);
	EXPECT(openat(999, "missing", O_RDONLY) < 0 && errno == EBADF);
	EXPECT(open("dir/file/missing", O_RDONLY) < 0 && errno == ENOTDIR);
	EXPECT(open("//dir//./missing//", O_RDONLY) < 0);
	EXPECT(open("link/no/../folder//./here", O_RDONLY) < 0);
	EXPECT(open("0/1/2/3/4/5/6/7/8", O_RDONLY) < 0);
	struct open_how how = {.flags = O_RDONLY | O_CREAT | O_CLOEXEC, .mode = 0600, .resolve = RESOLVE_BENEATH};
	EXPECT(syscall(SYS_openat2, dir, "two", &how, sizeof(how)) >= 0);
	EXPECT(chdir("dir") == 0 && open("file", O_RDONLY) >= 0 && open("missing", O_RDONLY) < 0);
	EXPECT(open("/proc/self/missing", O_RDONLY) < 0);
}

static void a_name_is_what_the_kernel_makes_of_it(void **state)
{
	(void)state;
	struct traced traced;
	char own[64];
	assert_int_equal(mkdir("dir", 0755) | mkdir("deep", 0755) | mkdir("deep/er", 0755), 0);
	assert_int_equal(touch("dir/file"), 0);
	assert_int_equal(symlink("deep/er", "link"), 0);
	assert_int_equal(symlink(in_folder("deep"), "absolute"), 0);
	trace_well(&traced, names, FILES);
	static const char *const expected[] = {"dir",          "dir/file",        "dir/missing", "missing",
					       "deep/missing", "deep/er/missing", "deep/missing"};
	for (unsigned i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
		assert_string_equal(path_of(nth(&traced, "openat", i)), in_folder(expected[i]));
		assert_int_equal(nth(&traced, "openat", i)->head.flags, 0);
	}
	/* Nothing to be relative to. */
	assert_int_equal(nth(&traced, "openat", 7)->head.flags, MW_CALL_INCOMPLETE);
	assert_string_equal(path_of(nth(&traced, "openat", 7)), "/missing");
	assert_string_equal(path_of(nth(&traced, "openat", 8)), in_folder("dir/file/missing"));
	assert_string_equal(path_of(nth(&traced, "openat", 9)), "/dir/missing");
	assert_string_equal(path_of(nth(&traced, "openat", 10)), in_folder("deep/er/no/../folder/here"));
	assert_int_equal(nth(&traced, "openat", 10)->head.flags, 0);
	assert_string_equal(path_of(nth(&traced, "openat", 11)), in_folder("0/1/2/3/4/5/6/7/8"));
	assert_int_equal(nth(&traced, "openat", 11)->head.flags, MW_CALL_INCOMPLETE); /* too deep to look */

	const struct mw_record_call *r = nth(&traced, "openat2", 0);
	assert_int_equal(r->event, MW_FILE_CREATE);
	assert_int_equal(r->mode, 0600);
	assert_int_equal(r->open_flags, O_RDONLY | O_CREAT | O_CLOEXEC);
	assert_string_equal(path_of(r), in_folder("dir/two"));

	assert_string_equal(path_of(nth(&traced, "openat", 12)), in_folder("dir/file"));
	assert_string_equal(path_of(nth(&traced, "openat", 13)), in_folder("dir/missing"));
	(void)snprintf(own, sizeof(own), "/proc/%d/missing", (int)traced.pid);
	assert_string_equal(path_of(nth(&traced, "openat", 14)), own);
	traced_free(&traced);
}

static void changes(void)
{
	int dir = open("box", O_RDONLY | O_DIRECTORY);
	EXPECT(dir >= 0);
	EXPECT(mkdirat(dir, "sub/", 0750) == 0);
	EXPECT(syscall(SYS_mkdir, "box/sub", 0700) < 0 && errno == EEXIST);
	EXPECT(mknodat(dir, "fifo", S_IFIFO | 0600, 0) == 0);
	EXPECT(symlinkat("../anything", dir, "sym") == 0);
	EXPECT(linkat(dir, "fifo", dir, "hard", 0) == 0);
	EXPECT(renameat(dir, "fifo", AT_FDCWD, "moved") == 0);
	EXPECT(syscall(SYS_renameat2, AT_FDCWD, "moved", dir, "sub/moved", 1 /* RENAME_NOREPLACE */) == 0);
	EXPECT(syscall(SYS_unlink, "box/sub/moved") == 0);
	EXPECT(unlinkat(dir, "sub", AT_REMOVEDIR) == 0);
	EXPECT(rmdir("box/sub") < 0 && errno == ENOENT);
	EXPECT(unlink("box/sym") == 0);
	EXPECT(rename("box/none", "box/other") < 0 && errno == ENOENT);
	EXPECT(rename("inside", "renamed") == 0); /* the folder itself */
	EXPECT(rmdir("renamed") == 0);
}

static void changes_of_folders_are_told(void **state)
{
	(void)state;
	struct traced traced;
	assert_int_equal(mkdir("box", 0755) | mkdir("inside", 0755), 0);
	trace_well(&traced, changes, FILES & ~KIND(MW_FILE_OPEN));

	const struct mw_record_call *r = nth(&traced, "mkdirat", 0);
	assert_int_equal(r->event, MW_FILE_CREATE);
	assert_int_equal(r->mode, 0750);
	assert_string_equal(path_of(r), in_folder("box/sub"));
	r = nth(&traced, "mkdir", 0);
	assert_int_equal(r->result, -EEXIST);
	r = nth(&traced, "mknodat", 0);
	assert_int_equal(r->mode, S_IFIFO | 0600);
	assert_string_equal(path_of(r), in_folder("box/fifo"));
	r = nth(&traced, "symlinkat", 0);
	assert_int_equal(r->event, MW_FILE_SYMLINK);
	assert_string_equal(path_of(r), in_folder("box/sym"));
	assert_string_equal(old_path_of(r), "../anything");
	r = nth(&traced, "linkat", 0);
	assert_int_equal(r->event, MW_FILE_LINK);
	assert_string_equal(path_of(r), in_folder("box/hard"));
	assert_string_equal(old_path_of(r), in_folder("box/fifo"));
	r = nth(&traced, "renameat", 0);
	assert_int_equal(r->event, MW_FILE_RENAME);
	assert_string_equal(path_of(r), in_folder("moved"));
	assert_string_equal(old_path_of(r), in_folder("box/fifo"));
	r = nth(&traced, "renameat2", 0);
	assert_int_equal(r->number, 1);
	assert_string_equal(path_of(r), in_folder("box/sub/moved"));
	assert_string_equal(old_path_of(r), in_folder("moved"));
	r = nth(&traced, "unlink", 0);
	assert_int_equal(r->event, MW_FILE_DELETE);
	assert_string_equal(path_of(r), in_folder("box/sub/moved"));
	assert_int_equal(r->head.flags, 0);
	assert_string_equal(path_of(nth(&traced, "unlinkat", 0)), in_folder("box/sub"));
	assert_int_equal(nth(&traced, "rmdir", 0)->result, -ENOENT);
	assert_string_equal(path_of(nth(&traced, "unlink", 1)), in_folder("box/sym")); /* not what it points to */
	r = nth(&traced, "rename", 0);
	assert_int_equal(r->result, -ENOENT);
	assert_string_equal(old_path_of(r), in_folder("box/none"));
	assert_string_equal(path_of(nth(&traced, "rename", 1)), in_folder("renamed"));
	assert_string_equal(path_of(nth(&traced, "rmdir", 1)), in_folder("renamed"));
	for (size_t i = 0; i < traced.count; i++)
		assert_int_equal(traced.records[i]->head.flags, 0);
	traced_free(&traced);
}

static void attributes(void)
{
	struct timespec times[2] = {{1, 0}, {2, 0}};
	struct timeval old_times[2] = {{1, 0}, {2, 0}};
	int fd = open("file", O_RDWR);
	EXPECT(fd >= 0);
	EXPECT(syscall(SYS_chmod, "sym", 0) == 0);
	EXPECT(fchmod(fd, 0600) == 0);
	EXPECT(syscall(SYS_fchmodat, AT_FDCWD, "sym", 04755) == 0);
	EXPECT(syscall(SYS_chown, "sym", getuid(), -1) == 0);
	EXPECT(syscall(SYS_lchown, "sym", -1, getgid()) == 0);
	EXPECT(fchown(fd, getuid(), getgid()) == 0);
	EXPECT(fchownat(AT_FDCWD, "sym", getuid(), MW_CALL_NONE, AT_SYMLINK_NOFOLLOW) == 0);
	EXPECT(fchownat(fd, "", getuid(), MW_CALL_NONE, AT_EMPTY_PATH) == 0);
	EXPECT(truncate("file", 12345) == 0);
	EXPECT(ftruncate(fd, 7) == 0);
	EXPECT(utimensat(AT_FDCWD, "file", times, 0) == 0);
	EXPECT(futimens(fd, times) == 0);
	EXPECT(syscall(SYS_utime, "file", NULL) == 0);
	EXPECT(syscall(SYS_utimes, "file", old_times) == 0);
	EXPECT(syscall(SYS_futimesat, AT_FDCWD, "file", old_times) == 0);
	EXPECT(chmod("none", 0777) < 0 && errno == ENOENT);
	EXPECT(fchmod(999, 0777) < 0 && errno == EBADF);
}

static void changes_of_attributes_are_told(void **state)
{
	(void)state;
	struct traced traced;
	assert_int_equal(touch("file"), 0);
	assert_int_equal(symlink("file", "sym"), 0);
	trace_well(&traced, attributes, KIND(MW_FILE_ATTRIBUTES));
	uint64_t inode = inode_of("file");
	for (size_t i = 0; i < traced.count; i++)
		assert_int_equal(traced.records[i]->event, MW_FILE_ATTRIBUTES);

	const struct mw_record_call *r = nth(&traced, "chmod", 0);
	assert_int_equal(r->mode, 0);
	assert_string_equal(path_of(r), in_folder("file"));
	r = nth(&traced, "fchmod", 0);
	assert_int_equal(r->mode, 0600);
	assert_int_equal(r->inode, inode);
	assert_string_equal(path_of(r), in_folder("file"));
	assert_int_equal(nth(&traced, "fchmodat", 0)->mode, 04755);
	r = nth(&traced, "chown", 0);
	assert_int_equal(r->uid, getuid());
	assert_true(r->gid == MW_CALL_NONE && r->mode == MW_CALL_NONE);
	assert_string_equal(path_of(r), in_folder("file"));
	r = nth(&traced, "lchown", 0);
	assert_true(r->uid == MW_CALL_NONE);
	assert_string_equal(path_of(r), in_folder("sym"));
	assert_int_equal(nth(&traced, "fchown", 0)->gid, getgid());
	assert_string_equal(path_of(nth(&traced, "fchownat", 0)), in_folder("sym"));
	assert_string_equal(path_of(nth(&traced, "fchownat", 1)), in_folder("file"));
	assert_int_equal(nth(&traced, "truncate", 0)->size, 12345);
	assert_int_equal(nth(&traced, "ftruncate", 0)->size, 7);
	for (unsigned i = 0; i < 2; i++)
		assert_string_equal(path_of(nth(&traced, "utimensat", i)), in_folder("file"));
	assert_string_equal(path_of(nth(&traced, "utime", 0)), in_folder("file"));
	assert_string_equal(path_of(nth(&traced, "utimes", 0)), in_folder("file"));
	assert_string_equal(path_of(nth(&traced, "futimesat", 0)), in_folder("file"));
	assert_int_equal(nth(&traced, "fchmod", 1)->result, -EBADF);
	assert_int_equal(nth(&traced, "chmod", 1)->result, -ENOENT);
	traced_free(&traced);
}

/* Strings that end where memory does, or do not end. */
static char *page_end(void)
{
	char *pages = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	EXPECT(pages != MAP_FAILED && munmap(pages + 2 * 4096, 4096) == 0);
	return pages + 2 * 4096;
}

static void hard_strings(void)
{
	static char longest[MW_PATH_BYTES + 200];
	char *end = page_end();
	memcpy(end - 5, "edge", 5);
	EXPECT(open(end - 5, O_RDONLY) < 0 && errno == ENOENT);
	memset(end - 4096 - 3, 'y', 3);
	memcpy(end - 4096, "z", 2);
	EXPECT(open(end - 4096 - 3, O_RDONLY) < 0 && errno == ENOENT);
	memcpy(end - 5, "unend", 5);
	EXPECT(open(end - 5, O_RDONLY) < 0 && errno == EFAULT);
	EXPECT(open(end, O_RDONLY) < 0 && errno == EFAULT);
	EXPECT(open((const char *)16, O_RDONLY) < 0 && errno == EFAULT);
	EXPECT(syscall(SYS_openat, AT_FDCWD, NULL, O_RDONLY) < 0 && errno == EFAULT);
	memset(longest, 'a', sizeof(longest) - 1);
	EXPECT(open(longest, O_RDONLY) < 0 && errno == ENAMETOOLONG);
	/* As long as may be, and its folder there. */
	for (size_t i = 0; i < MW_PATH_BYTES - 1; i++)
		longest[i] = i % 2 ? '/' : '.';
	longest[MW_PATH_BYTES - 2] = 'x';
	longest[MW_PATH_BYTES - 1] = '\0';
	EXPECT(open(longest, O_RDONLY) < 0 && errno == ENOENT);
	EXPECT(open("", O_RDONLY) < 0 && errno == ENOENT);
	struct open_how *how = (struct open_how *)(void *)(end - 8);
	EXPECT(syscall(SYS_openat2, AT_FDCWD, "x", how, sizeof(*how)) < 0 && errno == EFAULT);
}

static void strings_are_read_to_their_end_or_marked(void **state)
{
	(void)state;
	struct traced traced;
	trace_well(&traced, hard_strings, FILES);
	assert_string_equal(path_of(nth(&traced, "openat", 0)), in_folder("edge"));
	assert_string_equal(path_of(nth(&traced, "openat", 1)), in_folder("yyyz"));
	const struct mw_record_call *r = nth(&traced, "openat", 2);
	assert_int_equal(r->head.flags, MW_CALL_INCOMPLETE);
	assert_string_equal(path_of(r), in_folder("unend"));
	for (unsigned i = 3; i < 5; i++) {
		assert_int_equal(nth(&traced, "openat", i)->head.flags, MW_CALL_INCOMPLETE);
		assert_int_equal(nth(&traced, "openat", i)->path_bytes, 0);
		assert_int_equal(nth(&traced, "openat", i)->result, -EFAULT);
	}
	r = nth(&traced, "openat", 6);
	assert_int_equal(r->result, -ENAMETOOLONG);
	assert_int_equal(r->head.flags, MW_CALL_INCOMPLETE);
	assert_true(r->path_bytes > MW_PATH_BYTES - 300);
	r = nth(&traced, "openat", 7);
	assert_int_equal(r->head.flags, 0);
	assert_string_equal(path_of(r), in_folder("x"));
	assert_int_equal(nth(&traced, "openat", 8)->path_bytes, 0);
	assert_int_equal(nth(&traced, "openat2", 0)->head.flags, MW_CALL_INCOMPLETE);
	traced_free(&traced);
}

static void in_chroot(void)
{
	EXPECT(chroot("jail") == 0 && chdir("/in") == 0);
	EXPECT(open("/in/file", O_RDONLY) >= 0);
	EXPECT(open("/in/none", O_RDONLY) < 0);
	EXPECT(open("none", O_RDONLY) < 0);
	EXPECT(open("../../../none", O_RDONLY) < 0);
	EXPECT(open("/link/none", O_RDONLY) < 0);
	EXPECT(open("../link/none", O_RDONLY) < 0);
	EXPECT(open("made", O_WRONLY | O_CREAT, 0600) >= 0);
	EXPECT(open("../link/made-too", O_WRONLY | O_CREAT, 0600) >= 0);
	EXPECT(open("../link/made-too", O_WRONLY | O_CREAT, 0600) >= 0);
	EXPECT(mkdir("/top", 0700) == 0);
}

static void a_root_of_its_own_is_no_way_out(void **state)
{
	(void)state;
	struct traced traced;
	if (geteuid() != 0) {
		print_message("chroot(2) needs privilege\n");
		skip();
	}
	assert_int_equal(mkdir("jail", 0755) | mkdir("jail/in", 0755) | symlink("/in", "jail/link"), 0);
	assert_int_equal(touch("jail/in/file"), 0);
	trace_well(&traced, in_chroot, FILES);
	static const char *const expected[] = {"jail/in/file", "jail/in/none", "jail/in/none", "jail/none",
					       "jail/in/none", "jail/in/none", "jail/in/made", "jail/in/made-too"};
	for (unsigned i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
		assert_string_equal(path_of(nth(&traced, "openat", i)), in_folder(expected[i]));
		assert_int_equal(nth(&traced, "openat", i)->head.flags, 0);
	}
	assert_int_equal(nth(&traced, "openat", 6)->event, MW_FILE_CREATE);
	assert_int_equal(nth(&traced, "openat", 7)->event, MW_FILE_CREATE);
	assert_int_equal(nth(&traced, "openat", 8)->event, MW_FILE_OPEN);
	assert_string_equal(path_of(nth(&traced, "mkdir", 0)), in_folder("jail/top"));
	traced_free(&traced);
}

static void a_few(void)
{
	EXPECT(touch("few") == 0 && unlink("few") == 0 && mkdir("many", 0700) == 0 && rmdir("many") == 0);
}

static void only_what_is_wanted_is_told(void **state)
{
	(void)state;
	struct traced traced;
	trace_well(&traced, a_few, 0);
	assert_int_equal(traced.count, 0);
	assert_true(traced.stops >= 12);
	trace_well(&traced, a_few, KIND(MW_FILE_DELETE));
	assert_int_equal(traced.count, 2);
	traced_free(&traced);
	/* What is made is opened for those who do not ask for what is made. */
	trace_well(&traced, a_few, KIND(MW_FILE_OPEN));
	assert_int_equal(traced.count, 1);
	assert_int_equal(nth(&traced, "openat", 0)->event, MW_FILE_OPEN);
	traced_free(&traced);
	trace_well(&traced, a_few, KIND(MW_FILE_CREATE));
	assert_int_equal(traced.count, 2);
	traced_free(&traced);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_open_is_told, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(a_name_is_what_the_kernel_makes_of_it, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(changes_of_folders_are_told, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(changes_of_attributes_are_told, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(strings_are_read_to_their_end_or_marked, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(a_root_of_its_own_is_no_way_out, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(only_what_is_wanted_is_told, make_folder, remove_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif

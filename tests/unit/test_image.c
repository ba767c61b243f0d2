/* What a new program is: scripts, loaders, files without names, secrets, hashes, other ends of its streams. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "crypto/sha256.h"
#include "event/process.h"
#include "event/record.h"
#include "proc/users.h"
#include "sensor/exec_names.h"
#include "sensor/exec_world.h"
#include "sensor/hasher.h"
#include "sensor/image.h"
#include "sensor/peers.h"

/* SHA-256 of "abc", FIPS 180-4. */
static const char ABC[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/* Arguments with their NULs; the literal's own is the last one's. */
#define ARGV(text) text, sizeof(text)

static void check_script(const char *expected, bool is_sure, const char *exe, const char *execfn, const char *argv,
			 size_t bytes)
{
	bool sure = false;
	const char *script = mw_exec_script(exe, execfn, argv, bytes, &sure);
	if (!expected) {
		assert_null(script);
		return;
	}
	assert_non_null(script);
	assert_string_equal(script, expected);
	assert_int_equal(sure, is_sure);
}

static void scripts_are_recognised(void **state)
{
	(void)state;
	check_script("/x.sh", true, "/usr/bin/dash", "/x.sh", ARGV("/bin/sh\0/x.sh"));
	check_script("./x.sh", true, "/usr/bin/dash", "./x.sh", ARGV("/bin/sh\0-e\0./x.sh\0a"));
	check_script("/x", true, "/usr/bin/python3.11", "/x", ARGV("/usr/bin/env\0python3\0/x"));
	/* Interpreters that are scripts. */
	check_script("/a", true, "/usr/bin/dash", "/a", ARGV("/bin/sh\0-e\0/c\0-x\0/b\0-y\0/a"));
	check_script("/dev/fd/3", true, "/usr/bin/dash", "/dev/fd/3", ARGV("/bin/sh\0/dev/fd/3"));
	/* Not beyond what the kernel puts there, not what was cut, not argv[0]. */
	check_script(NULL, false, "/usr/bin/dash", "/a",
		     ARGV("/bin/sh\0001\0002\0003\0004\0005\0006\0007\0008\0009\0x\0/a"));
	check_script(NULL, false, "/usr/bin/dash", "/x.sh", "/bin/sh\0/x.sh", 13);
	check_script(NULL, false, "/usr/bin/dash", "/x.sh", ARGV("/x.sh"));
	check_script(NULL, false, "/usr/bin/dash", "/x.sh", ARGV(""));
	check_script(NULL, false, "/usr/bin/dash", "/x.sh", "", 0);
	check_script(NULL, false, NULL, "/x.sh", ARGV("/bin/sh\0/x.sh"));
	check_script(NULL, false, "/usr/bin/dash", NULL, ARGV("/bin/sh\0/x.sh"));
	check_script(NULL, false, "/usr/bin/dash", "", ARGV("/bin/sh\0"));
	/* A program that is given itself. */
	check_script(NULL, false, "/usr/bin/cat", "/usr/bin/cat", ARGV("cat\0/usr/bin/cat"));
	check_script("/bin/cat", false, "/usr/bin/cat", "/bin/cat", ARGV("/bin/cat\0/bin/cat"));
	check_script("/bin/python3", false, "/usr/bin/python3.11", "/bin/python3", ARGV("/bin/python3\0/bin/python3"));
	check_script("/bin/sh", false, "/usr/bin/dash", "/bin/sh", ARGV("sh\0/bin/sh"));
}

static void check_loaded(const char *expected, const char *exe, const char *execfn, const char *argv, size_t bytes)
{
	const char *program = mw_exec_loaded(exe, execfn, argv, bytes);
	if (expected)
		assert_string_equal(program, expected);
	else
		assert_null(program);
}

static void loaders_are_recognised(void **state)
{
	(void)state;
	static const char ld[] = "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2";
	check_loaded("/bin/true", ld, ld, ARGV("/lib64/ld-linux-x86-64.so.2\0/bin/true\0x"));
	check_loaded("/x", ld, ld,
		     ARGV("ld\0--library-path\0/lib\0--preload\0/p.so\0--argv0\0name\0--audit\0/a\0/x\0/y"));
	check_loaded("/x", ld, ld, ARGV("ld\0--inhibit-cache\0--inhibit-rpath\0/l\0--glibc-hwcaps-prepend\0z\0/x"));
	check_loaded("/x", ld, ld, ARGV("ld\0--library-path=/lib\0--\0/x"));
	check_loaded("--x", ld, ld, ARGV("ld\0--\0--x"));
	check_loaded(NULL, ld, ld, ARGV("ld\0--list-tunables"));
	check_loaded(NULL, ld, ld, ARGV("ld\0--library-path"));
	check_loaded(NULL, ld, ld, ARGV("ld"));
	check_loaded("/x", "/lib/ld-2.31.so", ld, ARGV("ld\0/x"));
	check_loaded("/x", "/lib/ld-musl-x86_64.so.1", NULL, ARGV("ld\0/x"));
	check_loaded("/x", "/lib/libc.so", "/lib/ld-musl-aarch64.so.1", ARGV("ld\0/x"));
	check_loaded("/x", "/lib/ld.so.1", NULL, ARGV("ld\0/x"));
	check_loaded("/x", "/lib/ld64.so.2", NULL, ARGV("ld\0/x"));
	check_loaded(NULL, "/usr/bin/ld", "/usr/bin/ld", ARGV("ld\0/x"));
	check_loaded(NULL, "/usr/bin/ld.gold", "/usr/bin/ld.gold", ARGV("ld\0/x"));
	check_loaded(NULL, "/usr/bin/ldd", NULL, ARGV("ldd\0/x"));
	check_loaded(NULL, "/bin/true", ld, ARGV("true\0/x"));
	check_loaded(NULL, NULL, ld, ARGV("ld\0/x"));
}

static void paths_become_absolute(void **state)
{
	(void)state;
	static const char *const cases[][3] = {
		{"/a/b", "/c", "/a/b"}, {"x", "/c", "/c/x"},     {"./x", "/c", "/c/x"},
		{".//x", "/c", "/c/x"}, {"././x", "/c", "/c/x"}, {"../x", "/c", "/c/../x"},
		{"x", "/", "/x"},       {"x", NULL, "x"},        {".x", "/c", "/c/.x"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *absolute = mw_exec_absolute(cases[i][0], cases[i][1]);
		assert_string_equal(absolute, cases[i][2]);
		free(absolute);
	}
	assert_int_equal(mw_exec_descriptor("/dev/fd/3"), 3);
	assert_int_equal(mw_exec_descriptor("/dev/fd/12/x"), 12);
	assert_int_equal(mw_exec_descriptor("/proc/self/fd/7"), 7);
	assert_int_equal(mw_exec_descriptor("/proc/123/fd/7"), 7);
	assert_int_equal(mw_exec_descriptor("/proc/self/exe"), -1);
	assert_int_equal(mw_exec_descriptor("/dev/fd/"), -1);
	assert_int_equal(mw_exec_descriptor("/dev/fd/3x"), -1);
	assert_int_equal(mw_exec_descriptor("/dev/fd/99999999999999999999"), -1);
	assert_int_equal(mw_exec_descriptor("3"), -1);
	assert_int_equal(mw_exec_descriptor(NULL), -1);
}

/* An image from a record of this process, with these strings. */
static struct mw_image *image_of(const char *exe, const char *execfn, const char *argv, size_t argv_bytes,
				 const char *env, size_t env_bytes, unsigned nlink)
{
	_Alignas(8) static char bytes[MW_RECORD_BYTES];
	struct mw_record_exec *record = (struct mw_record_exec *)bytes;
	static const char cwd[] = "/srv";
	*record = (struct mw_record_exec){
		.head = {.kind = MW_RECORD_EXEC, .pid = getpid()},
		.exe_bytes = (uint16_t)strlen(exe),
		.cwd_bytes = sizeof(cwd) - 1,
		.execfn_bytes = (uint16_t)strlen(execfn),
		.env_bytes = (uint16_t)env_bytes,
		.argv_bytes = (uint32_t)argv_bytes,
		.inode = 1,
		.exe_nlink = nlink,
	};
	char *at = record->strings;
	at = mempcpy(at, exe, record->exe_bytes);
	at = mempcpy(at, cwd, record->cwd_bytes);
	at = mempcpy(at, execfn, record->execfn_bytes);
	at = mempcpy(at, env, env_bytes);
	at = mempcpy(at, argv, argv_bytes);
	struct mw_users *users = NULL;
	assert_int_equal(mw_users_new("", &users), 0);
	assert_true(mw_image_record_is_whole(record, (size_t)(at - bytes)));
	struct mw_image *image = mw_image_from_record(record, users, 1000);
	mw_users_free(users);
	assert_non_null(image);
	return image;
}

static void an_image_has_what_follows_from_its_record(void **state)
{
	(void)state;
	struct mw_image *image =
		image_of("/usr/bin/dash", "./x", ARGV("/bin/sh\0./x"), ARGV("A_TOKEN=secret\0TERM=xterm"), 1);
	assert_string_equal(image->script, "/srv/x");
	assert_null(image->program);
	assert_false(image->is_fileless);
	assert_int_equal(image->env_bytes, sizeof("A_TOKEN=[redacted:01234567]\0TERM=xterm"));
	assert_memory_equal(image->env, "A_TOKEN=[redacted:", strlen("A_TOKEN=[redacted:"));
	assert_string_equal(image->env + sizeof("A_TOKEN=[redacted:01234567]"), "TERM=xterm");
	mw_image_unref(image);

	image = image_of("/lib64/ld-linux-x86-64.so.2", "ld.so", ARGV("ld.so\0bin/x"), "", 0, 1);
	assert_string_equal(image->program, "/srv/bin/x");
	assert_null(image->script);
	mw_image_unref(image);
	image = image_of("/lib64/ld-linux-x86-64.so.2", "ld.so", ARGV("ld.so\0libx.so"), "", 0, 1);
	assert_string_equal(image->program, "libx.so");
	mw_image_unref(image);

	static const struct {
		const char *exe;
		unsigned nlink;
		bool is_memfd, is_deleted, is_fileless;
	} cases[] = {
		{"/memfd:x (deleted)", 0, true, true, true},
		{"/usr/bin/x (deleted)", 0, false, true, true},
		{"/usr/bin/x (deleted)", 1, false, false, false}, /* its real name */
		{"/memfd:x (deleted)", 1, false, false, false},
		{"/dev/shm/x", 1, false, false, true},
		{"/run/shm/x", 1, false, false, true},
		{"/dev/shmem/x", 1, false, false, false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		image = image_of(cases[i].exe, "x", ARGV("x"), "", 0, cases[i].nlink);
		assert_int_equal(image->is_memfd, cases[i].is_memfd);
		assert_int_equal(image->is_deleted, cases[i].is_deleted);
		assert_int_equal(image->is_fileless, cases[i].is_fileless);
		mw_image_unref(image);
	}
	image = image_of("/lib64/ld-linux-x86-64.so.2", "ld.so", ARGV("ld.so\0/dev/shm/x"), "", 0, 1);
	assert_true(image->is_fileless);
	mw_image_unref(image);
}

struct folder {
	char path[64];
};

static void make(struct folder *folder)
{
	const char *tmp = getenv("TMPDIR");
	(void)snprintf(folder->path, sizeof(folder->path), "%s/imageXXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(folder->path));
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void copy_facts(struct mw_image *image, const char *path)
{
	struct stat stat_now;
	assert_int_equal(stat(path, &stat_now), 0);
	image->inode = stat_now.st_ino;
	image->device = stat_now.st_dev;
	image->exe_size = (uint64_t)stat_now.st_size;
	image->exe_mtime_ns = stat_now.st_mtim.tv_sec * (int64_t)MW_NS_PER_S + stat_now.st_mtim.tv_nsec;
	image->exe_ctime_ns = stat_now.st_ctim.tv_sec * (int64_t)MW_NS_PER_S + stat_now.st_ctim.tv_nsec;
	free(image->exe);
	image->exe = strdup(path);
}

static const char *hash_with(struct mw_exec_world *world, const char *path, int64_t mtime_shift)
{
	static char hash[MW_SHA256_HEX_BYTES];
	struct mw_image *image = mw_image_new();
	image->pid = getpid(); /* which runs something else */
	copy_facts(image, path);
	image->exe_mtime_ns += mtime_shift;
	mw_exec_world_look(world, image);
	const char *given = mw_image_sha256(image);
	(void)snprintf(hash, sizeof(hash), "%s", given ? given : "");
	mw_image_unref(image);
	return given ? hash : NULL;
}

static void hashes(void **state)
{
	(void)state;
	struct folder folder;
	make(&folder);
	char path[80];
	(void)snprintf(path, sizeof(path), "%s/abc", folder.path);
	put(path, "abc");
	struct mw_exec_world *world;
	assert_int_equal(mw_exec_world_new(0, false, &world), 0);
	assert_string_equal(hash_with(world, path, 0), ABC);
	/* Changed since: what we would read is another program. */
	assert_null(hash_with(world, path, 1));
	assert_string_equal(hash_with(world, path, 0), ABC);
	/* Remembered: a file that is gone is known, one that was never read is not. */
	struct mw_image *gone = mw_image_new();
	copy_facts(gone, path);
	struct mw_image *other = mw_image_new();
	copy_facts(other, path);
	other->exe_size++;
	unlink(path);
	mw_exec_world_look(world, gone);
	mw_exec_world_look(world, other);
	assert_string_equal(mw_image_sha256(gone), ABC);
	assert_null(mw_image_sha256(other));
	mw_image_unref(gone);
	mw_image_unref(other);
	rmdir(folder.path);

	/* Of a running process, by its own link: that of this program. */
	struct mw_image *self = mw_image_new();
	copy_facts(self, "/proc/self/exe");
	free(self->exe);
	self->exe = strdup("/gone");
	self->pid = getpid();
	mw_exec_world_look(world, self);
	assert_int_equal(strlen(mw_image_sha256(self)), 64);
	mw_image_unref(self);
	mw_exec_world_free(world);

	/* At once, when that is asked for. */
	assert_int_equal(mw_exec_world_new(0, true, &world), 0);
	self = mw_image_new();
	copy_facts(self, "/proc/self/exe");
	self->pid = getpid();
	mw_exec_world_look(world, self);
	assert_int_equal(strlen(self->sha256), 64);
	mw_image_unref(self);
	mw_exec_world_free(world);
}

static void hashing_is_bounded(void **state)
{
	(void)state;
	int fd = memfd_create("x", MFD_CLOEXEC);
	assert_int_equal(write(fd, "abc", 3), 3);
	char hex[MW_SHA256_HEX_BYTES] = "";
	assert_int_equal(mw_sha256_fd(fd, 2, hex), -EFBIG);
	assert_string_equal(hex, "");
	assert_int_equal(mw_sha256_fd(fd, 3, hex), 0);
	assert_string_equal(hex, ABC);
	/* More than one piece: a million times "a", FIPS 180-4. */
	char letters[1000];
	memset(letters, 'a', sizeof(letters));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(write(fd, letters, sizeof(letters)), sizeof(letters));
	assert_int_equal(mw_sha256_fd(fd, UINT64_MAX, hex), 0);
	assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	close(fd);
	assert_int_equal(mw_sha256_fd(fd, 1, hex), -EBADF);
	/* A sparse file that is too large is not even begun. */
	fd = memfd_create("x", MFD_CLOEXEC);
	assert_int_equal(ftruncate(fd, INT64_C(1) << 40), 0);
	struct mw_hasher *hasher;
	int procfd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mw_hasher_new(procfd, &hasher), 0);
	struct mw_image *image = mw_image_new();
	char path[40];
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	copy_facts(image, path);
	mw_hasher_hash(hasher, image);
	assert_string_equal(image->sha256, "");
	mw_image_unref(image);
	mw_hasher_free(hasher);
	close(procfd);
	close(fd);
}

/* A script or program of that path, in a container that began then. */
static struct mw_image *look(const char *script, const char *program, int64_t container_start_ns, bool is_sure)
{
	struct mw_exec_world *world;
	assert_int_equal(mw_exec_world_new(container_start_ns, false, &world), 0);
	struct mw_image *image = mw_image_new();
	image->pid = getpid();
	image->script = script ? strdup(script) : NULL;
	image->is_script_sure = is_sure;
	image->program = program ? strdup(program) : NULL;
	mw_exec_world_look(world, image);
	image->hash = NULL;
	mw_exec_world_free(world);
	return image;
}

static void files_of_scripts_are_looked_at(void **state)
{
	(void)state;
	struct folder folder;
	make(&folder);
	char path[80];
	(void)snprintf(path, sizeof(path), "%s/x", folder.path);
	put(path, "#!/bin/sh\n");
	int64_t later = mw_clock_real_ns() + (int64_t)3600 * MW_NS_PER_S;

	struct mw_image *image = look(path, NULL, 1, true);
	assert_true(image->is_dropped);
	assert_false(image->is_fileless);
	mw_image_unref(image);
	image = look(NULL, path, 1, false);
	assert_true(image->is_dropped);
	mw_image_unref(image);
	image = look(path, path, later, true);
	assert_false(image->is_dropped);
	mw_image_unref(image);
	/* By a descriptor, without a name. */
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	unlink(path);
	char by_fd[32];
	(void)snprintf(by_fd, sizeof(by_fd), "/dev/fd/%d", fd);
	image = look(by_fd, NULL, later, true);
	assert_true(image->is_fileless);
	mw_image_unref(image);
	close(fd);
	/* Gone: nothing is known of it, and when it may have been the program itself, it is not told. */
	image = look(path, NULL, 1, true);
	assert_string_equal(image->script, path);
	assert_false(image->is_dropped);
	mw_image_unref(image);
	image = look(path, NULL, 1, false);
	assert_null(image->script);
	mw_image_unref(image);
	rmdir(folder.path);
}

static void a_program_given_itself_is_no_script(void **state)
{
	(void)state;
	struct mw_exec_world *world;
	assert_int_equal(mw_exec_world_new(1, false, &world), 0);
	struct mw_image *image = mw_image_new();
	image->pid = getpid();
	copy_facts(image, "/bin/sh");
	image->script = strdup("/bin/sh");
	image->is_script_sure = true;
	mw_exec_world_look(world, image);
	assert_null(image->script);
	mw_image_unref(image);
	mw_exec_world_free(world);
}

static int connected_pair(int *ret_server, uint16_t *ret_port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(client, (struct sockaddr *)&address, size), 0);
	*ret_server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	*ret_port = ntohs(address.sin_port);
	close(listener);
	return client;
}

static uint64_t inode_of(int fd)
{
	struct stat stat_now;
	assert_int_equal(fstat(fd, &stat_now), 0);
	return stat_now.st_ino;
}

static void other_ends_of_streams(void **state)
{
	(void)state;
	struct mw_peers peers = {.net_fd = open("/proc/self/net", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
	int server;
	uint16_t port;
	int client = connected_pair(&server, &port);
	char address[64] = "";
	int found = 0;
	/* By its descriptor; then, as of a process that has gone, among all; remembered. */
	assert_int_equal(mw_peers_find(&peers, getpid(), client, inode_of(client), address, &found), 0);
	assert_string_equal(address, "127.0.0.1");
	assert_int_equal(found, port);
	struct mw_peers others = {.net_fd = peers.net_fd};
	address[0] = '\0';
	assert_int_equal(mw_peers_find(&others, getpid(), -1, inode_of(client), address, &found), 0);
	assert_string_equal(address, "127.0.0.1");
	assert_int_equal(found, port);
	uint64_t inode = inode_of(client);
	close(client);
	assert_int_equal(mw_peers_find(&peers, getpid(), client, inode, address, &found), 0);
	assert_int_equal(found, port);
	/* Of another kind: no such end, and no search. */
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	unsigned lookups = peers.lookups;
	assert_int_equal(mw_peers_find(&peers, getpid(), pair[0], inode_of(pair[0]), address, &found), -ENOENT);
	assert_int_equal(peers.lookups, lookups);
	/* Searches are counted. */
	for (uint64_t i = 1; i <= 100; i++)
		assert_int_equal(mw_peers_find(&peers, getpid(), -1, UINT64_MAX - i, address, &found), -ENOENT);
	assert_true(peers.lookups > 10);
	close(pair[0]);
	close(pair[1]);
	close(server);
	close(peers.net_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scripts_are_recognised),
		cmocka_unit_test(loaders_are_recognised),
		cmocka_unit_test(paths_become_absolute),
		cmocka_unit_test(an_image_has_what_follows_from_its_record),
		cmocka_unit_test(hashes),
		cmocka_unit_test(hashing_is_bounded),
		cmocka_unit_test(files_of_scripts_are_looked_at),
		cmocka_unit_test(a_program_given_itself_is_no_script),
		cmocka_unit_test(other_ends_of_streams),
	};
	return cmocka_run_group_tests_name("image", tests, NULL, NULL);
}

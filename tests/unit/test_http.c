/* The client as commands use it, and secrets.  More of it, from Lua: spec/net. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>

#include "base/err.h"
#include "base/secret.h"
#include "base/thread.h"
#include "loop/loop.h"
#include "net/http.h"

static const char answer_text[] =
	"HTTP/1.1 201 Created\r\nContent-Length: 5\r\nX-Thing:  one \r\nx-thing: two\r\n\r\nhello";

static pid_t server;
static char url[64];

/* Takes one connection, and gives the answer. */
static int start_server(void **state)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	(void)state;
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, 1) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &size) < 0)
		return -1;
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/path", ntohs(address.sin_port));
	server = fork();
	if (server != 0)
		return close(fd);
	int taken = accept(fd, NULL, NULL);
	char request[4096];
	ssize_t n = read(taken, request, sizeof(request));
	n = n > 0 ? write(taken, answer_text, sizeof(answer_text) - 1) : n;
	_exit(n < 0);
}

static int stop_server(void **state)
{
	(void)state;
	return waitpid(server, NULL, 0) == server ? 0 : -1;
}

static struct {
	int calls, code, status;
	char body[16], thing[16];
} told;

static void note(void *data, int code, const struct mw_http_answer *answer, const struct mw_err *err)
{
	(void)data;
	(void)err;
	told.calls++;
	told.code = code;
	if (!answer)
		return;
	size_t size;
	const char *thing = mw_http_header(answer, "X-THING", &size);
	told.status = answer->status;
	(void)snprintf(told.thing, sizeof(told.thing), "%.*s", (int)size, thing);
	(void)snprintf(told.body, sizeof(told.body), "%s", mw_secret_bytes(answer->body));
	(void)mw_http_header(answer, "X-Th", &size);
	assert_int_equal(size, 0);
}

static int without_libcurl(int r, const struct mw_err *err)
{
	if (r == -ENOSYS) {
		print_message("%s\n", err->text);
		skip();
	}
	return r;
}

static void a_command_waits_for_the_answer(void **state)
{
	(void)state;
	struct mw_err err = {""};
	const struct mw_http_request request = {.url = url, .allows_plain = true};
	memset(&told, 0, sizeof(told));
	int r = mw_http_wait(&request, note, NULL, &err);
	assert_int_equal(without_libcurl(r, &err), 0);
	assert_int_equal(told.calls, 1);
	assert_int_equal(told.code, 0);
	assert_int_equal(told.status, 201);
	assert_string_equal(told.body, "hello");
	assert_string_equal(told.thing, "two");
}

static void what_is_cancelled_is_not_told(void **state)
{
	(void)state;
	struct mw_err err = {""};
	struct mw_loop *loop;
	struct mw_http *http;
	struct mw_http_call *call;
	const struct mw_http_request request = {.url = "http://127.0.0.1:1/", .allows_plain = true};
	memset(&told, 0, sizeof(told));
	assert_int_equal(mw_loop_new(&loop, NULL), 0);
	assert_int_equal(without_libcurl(mw_http_new(loop, &http, &err), &err), 0);
	assert_int_equal(mw_http_begin(http, &request, note, NULL, &call, &err), 0);
	mw_http_cancel(call);
	assert_int_equal(mw_http_begin(http, &request, note, NULL, NULL, &err), 0);
	mw_http_free(http);
	mw_loop_free(loop);
	assert_int_equal(told.calls, 0);
}

static unsigned threads_for(const char *address)
{
	struct mw_err err = {""};
	atomic_uint births = 0;
	const struct mw_http_request request = {.url = address, .total_ms = 5000};
	memset(&told, 0, sizeof(told));
	mw_thread_count_in(&births);
	int r = mw_http_wait(&request, note, NULL, &err);
	mw_thread_count_in(NULL);
	(void)without_libcurl(r, &err);
	assert_true(told.code < 0);
	return births;
}

/* A thread takes a process id, which the tracer wants explained. */
static void threads_that_look_up_names_are_counted(void **state)
{
	(void)state;
	assert_int_equal(threads_for("https://127.0.0.1:1/"), 0);
	assert_int_equal(threads_for("https://[::1]:1/"), 0);
	assert_int_equal(threads_for("https://localhost:1/"), 0);
	assert_int_equal(threads_for("https://nobody.invalid:1/"), 1);
}

static void a_secret_has_its_room_and_no_more(void **state)
{
	(void)state;
	struct mw_secret *secret;
	assert_int_equal(mw_secret_new(5, &secret), 0);
	assert_int_equal(mw_secret_add(secret, "abc", 3), 0);
	assert_int_equal(mw_secret_add(secret, "def", 3), -ENOBUFS);
	assert_string_equal(mw_secret_bytes(secret), "abc");
	assert_int_equal(mw_secret_add(secret, "de", 2), 0);
	const char *bytes = mw_secret_bytes(secret);
	mw_secret_cut(secret, 1);
	assert_int_equal(mw_secret_size(secret), 1);
	assert_memory_equal(bytes, "a\0\0\0\0", 5);
	mw_secret_free(secret);
	mw_secret_free(NULL);
	assert_int_equal(mw_secret_new(SIZE_MAX - 10, &secret), -ENOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_command_waits_for_the_answer, start_server, stop_server),
		cmocka_unit_test(what_is_cancelled_is_not_told),
		cmocka_unit_test(threads_that_look_up_names_are_counted),
		cmocka_unit_test(a_secret_has_its_room_and_no_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/secret.h"
#include "net/http.h"
#include "sql/table.h"
#include "sql/world.h"

enum {
	URL,
	METHOD,
	USER_AGENT_,
	RESPONSE_CODE,
	ROUND_TRIP_TIME,
	BYTES,
	RESULT,
};

static const struct mw_sql_column columns[] = {
	[URL] = {"url", MW_SQL_TEXT, MW_SQL_INDEX | MW_SQL_REQUIRED, "Address to ask, http or https; must be given"},
	[METHOD] = {"method", MW_SQL_TEXT, 0, "Always GET"},
	[USER_AGENT_] = {"user_agent", MW_SQL_TEXT, MW_SQL_ADDITIONAL, "What we call ourselves; may be given"},
	[RESPONSE_CODE] = {"response_code", MW_SQL_INTEGER, 0, "Status of the answer; NULL without one"},
	[ROUND_TRIP_TIME] = {"round_trip_time", MW_SQL_BIGINT, 0, "Microseconds until the answer was there"},
	[BYTES] = {"bytes", MW_SQL_BIGINT, 0, "Size of the answer"},
	[RESULT] = {"result", MW_SQL_TEXT, 0,
		    "The answer, at most 1 MiB; addresses of metadata, which hold credentials, are not asked"},
	{0},
};

enum {
	TOTAL_MS = 10000
};

#define USER_AGENT "moonwatch"

struct answer {
	struct mw_rows *rows;
	struct mw_sql_world *world;
	const char *url;
	int64_t begun_ns;
};

static void take_answer(void *data, int code, const struct mw_http_answer *answer, const struct mw_err *err)
{
	const struct answer *to = data;
	mw_rows_int(to->rows, ROUND_TRIP_TIME, (mw_clock_mono_ns() - to->begun_ns) / 1000);
	if (code < 0) {
		mw_sql_warn(to->world, "curl: %s: %s", to->url, err->text);
		return;
	}
	mw_rows_int(to->rows, RESPONSE_CODE, answer->status);
	size_t size = answer->body ? mw_secret_size(answer->body) : 0;
	mw_rows_int(to->rows, BYTES, (int64_t)size);
	mw_rows_text(to->rows, RESULT, size ? mw_secret_bytes(answer->body) : "", size);
}

/* Link-local addresses hold the credentials of the application: ECS and EC2 metadata. */
static bool may_connect(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET) {
		struct sockaddr_in to;
		memcpy(&to, address, sizeof(to));
		return ntohl(to.sin_addr.s_addr) >> 16 != 0xa9fe;
	}
	struct sockaddr_in6 to;
	memcpy(&to, address, sizeof(to));
	static const unsigned char ec2[] = {0xfd, 0, 0x0e, 0xc2};
	static const unsigned char mapped[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xa9, 0xfe};
	return !IN6_IS_ADDR_LINKLOCAL(&to.sin6_addr) && memcmp(&to.sin6_addr, ec2, sizeof(ec2)) != 0 &&
	       memcmp(&to.sin6_addr, mapped, sizeof(mapped)) != 0;
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	const struct mw_sql_constraint *url = mw_sql_equal(scan, URL);
	const struct mw_sql_constraint *agent = mw_sql_equal(scan, USER_AGENT_);
	const char *name = agent ? agent->text : USER_AGENT;
	char header[1024];
	int r = url ? mw_rows_add(rows) : 0;
	if (r < 0 || !url)
		return r;
	(void)snprintf(header, sizeof(header), "User-Agent: %s", name);
	if (strpbrk(header, "\r\n"))
		return mw_err_set(err, -EINVAL, "a user agent is one line");
	mw_rows_string(rows, URL, url->text);
	mw_rows_string(rows, METHOD, "GET");
	mw_rows_string(rows, USER_AGENT_, name);
	const char *const headers[] = {header, NULL};
	struct answer answer = {.rows = rows, .world = scan->world, .url = url->text, .begun_ns = mw_clock_mono_ns()};
	int64_t left_ms = (scan->world->deadline_ns - answer.begun_ns) / MW_NS_PER_MS;
	const struct mw_http_request request = {
		.url = url->text,
		.headers = headers,
		.allows_plain = true,
		.follows = true,
		.takes_packed = true,
		.is_alone = true,
		.may_connect = may_connect,
		.total_ms = left_ms < TOTAL_MS ? (left_ms > 1 ? left_ms : 1) : TOTAL_MS,
	};
	r = mw_http_wait(&request, take_answer, &answer, err);
	if (r < 0) { /* no client, or no address: the row says that there was no answer */
		mw_sql_warn(scan->world, "curl: %s: %s", url->text, err->text);
		err->text[0] = '\0';
	}
	return 0;
}

const struct mw_sql_table mw_table_curl = {
	.name = "curl",
	.doc = "What a web server answers.  Its certificate is checked; redirections are followed to the same host only.",
	.source = "libcurl, where it is installed",
	.example = "SELECT response_code, round_trip_time FROM curl WHERE url = 'http://127.0.0.1:1/'",
	.columns = columns,
	.fill = fill,
};

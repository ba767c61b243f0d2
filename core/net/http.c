/* libcurl's multi interface asks for sockets to be watched and for one timer; the loop does both.  A call is told of after
 * libcurl has returned, never from within one of its callbacks. */
#include "net/http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "base/thread.h"
#include "loop/loop.h"
#include "net/curl.h"
#include "net/gzip.h"

enum {
	/* What a message says of an address: its host and port. */
	PLACE_BYTES = 128,
	CONNECTIONS_KEPT = 8,
};

struct mw_http {
	const struct mw_curl *curl;
	struct mw_loop *loop;
	CURLM *multi;
	struct mw_timer timer;
	struct mw_http_call *calls;
};

struct mw_http_call {
	struct mw_http *http;
	struct mw_http_call *next;
	CURL *easy;
	struct curl_slist *headers, *resolve;
	struct mw_buf header; /* of the answer */
	struct mw_buf chain;
	struct mw_secret *body;
	mw_http_done *done;
	void *data;
	bool (*may_connect)(const struct sockaddr *address);
	int64_t total_ms;
	size_t answer_bytes;
	unsigned redirects_left;
	bool is_too_large, is_forbidden;
	bool is_of_name; /* and not of an address: libcurl starts a thread to look one up */
	char origin[PLACE_BYTES + sizeof("https://")];
	char error[CURL_ERROR_SIZE];
};

/* "https://host:port" of an address, without user, path and query, which may be secret. */
static void cut_to_origin(const char *url, char *out, size_t room)
{
	const char *scheme_end = strstr(url, "://");
	const char *host = scheme_end ? scheme_end + 3 : url;
	size_t scheme = (size_t)(host - url);
	size_t n = strcspn(host, "/?#");
	const char *at = memrchr(host, '@', n);
	if (at) {
		n -= (size_t)(at + 1 - host);
		host = at + 1;
	}
	(void)snprintf(out, room, "%.*s%.*s", (int)(scheme < room ? scheme : room), url, (int)(n < room ? n : room),
		       host);
}

const char *mw_http_headers(const struct mw_http_answer *answer)
{
	return answer->header->data ? answer->header->data : "";
}

const char *mw_http_header(const struct mw_http_answer *answer, const char *name, size_t *ret_size)
{
	size_t n = strlen(name);
	const char *found = "";
	*ret_size = 0;
	for (const char *line = mw_http_headers(answer); *line;) {
		size_t length = strcspn(line, "\r\n");
		if (length > n && line[n] == ':' && strncasecmp(line, name, n) == 0) {
			found = line + n + 1;
			found += strspn(found, " \t");
			*ret_size = (size_t)(line + length - found);
		}
		line += length;
		line += strspn(line, "\r\n");
	}
	return found;
}

static size_t on_body(char *bytes, size_t one, size_t n, void *data)
{
	struct mw_http_call *call = data;
	(void)one;
	if (!call->body && mw_secret_new(call->answer_bytes, &call->body) < 0)
		return CURL_WRITEFUNC_ERROR;
	if (mw_secret_add(call->body, bytes, n) < 0) {
		call->is_too_large = true;
		return CURL_WRITEFUNC_ERROR;
	}
	return n;
}

static size_t on_header(char *bytes, size_t one, size_t n, void *data)
{
	struct mw_http_call *call = data;
	(void)one;
	/* Of an answer to come after this one (100 Continue, a redirection that is followed). */
	if (n > 5 && memcmp(bytes, "HTTP/", 5) == 0)
		mw_buf_clear(&call->header);
	else
		mw_buf_add(&call->header, bytes, n);
	call->is_too_large |= mw_buf_status(&call->header) < 0;
	return call->is_too_large ? 0 : n;
}

static curl_socket_t on_open(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct mw_http_call *call = data;
	(void)purpose;
	if (call->may_connect && !call->may_connect(&address->addr)) {
		call->is_forbidden = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static void call_free(struct mw_http_call *call)
{
	const struct mw_curl *curl = call->http->curl;
	if (call->easy)
		curl->easy_cleanup(call->easy);
	curl->slist_free_all(call->headers);
	curl->slist_free_all(call->resolve);
	mw_buf_release(&call->header);
	mw_buf_release(&call->chain);
	mw_secret_free(call->body);
	free(call);
}

static void unlink_call(struct mw_http_call *call)
{
	for (struct mw_http_call **at = &call->http->calls; *at; at = &(*at)->next)
		if (*at == call) {
			*at = call->next;
			return;
		}
}

void mw_http_cancel(struct mw_http_call *call)
{
	if (!call)
		return;
	(void)call->http->curl->multi_remove_handle(call->http->multi, call->easy);
	unlink_call(call);
	call_free(call);
}

/* What went wrong, in words of ours.  libcurl's name host and port at most. */
static int explain(const struct mw_http_call *call, CURLcode code, struct mw_err *err)
{
	const char *place = call->origin;
	const char *why = call->error[0] ? call->error : call->http->curl->easy_strerror(code);
	if (call->is_too_large)
		return mw_err_set(err, -EFBIG, "%s: the answer is larger than %zu bytes, which is more than is taken",
				  place, call->answer_bytes);
	if (call->is_forbidden)
		return mw_err_set(err, -EACCES, "%s: its address is none that may be connected to for this", place);
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return mw_err_set(err, -ENOENT, "%s: its name has no address; check the name, and DNS: %s", place, why);
	case CURLE_COULDNT_CONNECT:
		return mw_err_set(err, -ECONNREFUSED,
				  "%s: no connection; check the address, security groups and routes: %s", place, why);
	case CURLE_OPERATION_TIMEDOUT:
		return mw_err_set(err, -ETIMEDOUT, "%s: no whole answer within %lld ms: %s", place,
				  (long long)call->total_ms, why);
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
	case CURLE_SSL_ISSUER_ERROR:
		return mw_err_set(
			err, -EKEYREJECTED,
			"%s: its certificate is not to be trusted; check the clock and the file of authorities: %s",
			place, why);
	case CURLE_SSL_CACERT_BADFILE:
		return mw_err_set(err, -EKEYREJECTED, "%s: the file of authorities cannot be used: %s", place, why);
	case CURLE_UNSUPPORTED_PROTOCOL:
		/* Also what libcurl says of an answer that begins with no line of status. */
		if (strstr(call->error, "HTTP/0.9"))
			return mw_err_set(err, -EPROTO, "%s: the answer is none of HTTP", place);
		return mw_err_set(err, -EPROTONOSUPPORT, "%s: only https:// is allowed here", place);
	case CURLE_URL_MALFORMAT:
		return mw_err_set(err, -EINVAL, "%s: not an address: %s", place, why);
	case CURLE_OUT_OF_MEMORY:
		return mw_err_set(err, -ENOMEM, "%s: out of memory", place);
	default:
		return mw_err_set(err, -EPROTO, "%s: %s", place, why);
	}
}

/* Is this answer only the way to another?  Then it is on its way; 1.  0: no. -EACCES: it leads elsewhere. */
static int follow(struct mw_http_call *call, struct mw_err *err)
{
	const struct mw_curl *curl = call->http->curl;
	char *url = NULL;
	char origin[sizeof(call->origin)];
	(void)curl->easy_getinfo(call->easy, CURLINFO_REDIRECT_URL, &url);
	if (!url)
		return 0;
	cut_to_origin(url, origin, sizeof(origin));
	if (strcasecmp(origin, call->origin) != 0)
		return mw_err_set(err, -EACCES, "%s: redirects to another place, %s, which is refused", call->origin,
				  origin);
	call->redirects_left--;
	mw_secret_free(call->body);
	call->body = NULL;
	if (curl->easy_setopt(call->easy, CURLOPT_URL, url) != CURLE_OK ||
	    curl->multi_add_handle(call->http->multi, call->easy) != CURLM_OK)
		return mw_err_set(err, -ENOMEM, "%s: out of memory", call->origin);
	return 1;
}

static void take_chain(struct mw_http_call *call)
{
	static const char *const wanted[] = {"Subject:", "Issuer:", "Expire date:"};
	struct curl_certinfo *chain = NULL;
	if (call->http->curl->easy_getinfo(call->easy, CURLINFO_CERTINFO, &chain) != CURLE_OK || !chain)
		return;
	for (int i = 0; i < chain->num_of_certs; i++) {
		for (const struct curl_slist *line = chain->certinfo[i]; line; line = line->next)
			for (size_t k = 0; k < sizeof(wanted) / sizeof(*wanted); k++)
				if (strncmp(line->data, wanted[k], strlen(wanted[k])) == 0)
					mw_buf_printf(&call->chain, "%s\n", line->data);
		mw_buf_char(&call->chain, '\n');
	}
}

static void finish(struct mw_http_call *call, CURLcode code)
{
	const struct mw_curl *curl = call->http->curl;
	struct mw_err err = {0};
	int r = 0;
	(void)curl->multi_remove_handle(call->http->multi, call->easy);
	if (code != CURLE_OK)
		r = explain(call, code, &err);
	else if (call->redirects_left)
		r = follow(call, &err);
	if (r > 0)
		return;
	long status = 0;
	(void)curl->easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	if (r == 0)
		take_chain(call);
	unlink_call(call);
	if (r == 0 && !call->body && mw_secret_new(0, &call->body) < 0)
		r = mw_err_set(&err, -ENOMEM, "%s: out of memory", call->origin);
	const struct mw_http_answer answer = {
		.status = (int)status, .body = call->body, .header = &call->header, .chain = &call->chain};
	call->done(call->data, r, r == 0 ? &answer : NULL, &err);
	call_free(call);
}

static void collect(struct mw_http *http)
{
	int left;
	for (CURLMsg *message; (message = http->curl->multi_info_read(http->multi, &left));) {
		struct mw_http_call *call;
		if (message->msg != CURLMSG_DONE)
			continue;
		CURLcode code = message->data.result; /* the message ends with the handle's part */
		if (http->curl->easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call) == CURLE_OK)
			finish(call, code);
	}
}

/* One for each socket of libcurl's. */
struct line {
	struct mw_http *http;
	int fd;
};

static void on_ready(void *data, uint32_t events)
{
	const struct line *line = data;
	struct mw_http *http = line->http;
	int running;
	int what = (events & EPOLLIN ? CURL_CSELECT_IN : 0) | (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
		   (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
	(void)http->curl->multi_socket_action(http->multi, line->fd, what, &running);
	collect(http);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *of_socket)
{
	struct mw_http *http = data;
	struct line *line = of_socket;
	(void)easy;
	if (line)
		mw_loop_unwatch(http->loop, fd);
	if (what == CURL_POLL_REMOVE) {
		free(line);
		(void)http->curl->multi_assign(http->multi, fd, NULL);
		return 0;
	}
	if (!line) {
		line = malloc(sizeof(*line));
		if (!line)
			return -1;
		*line = (struct line){.http = http, .fd = fd};
		(void)http->curl->multi_assign(http->multi, fd, line);
	}
	uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
	return mw_loop_watch(http->loop, fd, events, on_ready, line) < 0 ? -1 : 0;
}

static int on_timer(CURLM *multi, long ms, void *data)
{
	struct mw_http *http = data;
	(void)multi;
	if (ms < 0)
		mw_timer_clear(http->loop, &http->timer);
	else
		mw_timer_set(http->loop, &http->timer, ms);
	return 0;
}

static void on_time(void *data)
{
	struct mw_http *http = data;
	int running;
	(void)http->curl->multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	collect(http);
}

int mw_http_new(struct mw_loop *loop, struct mw_http **ret_http, struct mw_err *err)
{
	const struct mw_curl *curl;
	int r = mw_curl_load(&curl, err);
	if (r < 0)
		return r;
	struct mw_http *http = calloc(1, sizeof(*http));
	CURLM *multi = http ? curl->multi_init() : NULL;
	if (!multi) {
		free(http);
		return mw_err_set(err, -ENOMEM, "out of memory for a network client");
	}
	*http = (struct mw_http){.curl = curl, .loop = loop, .multi = multi};
	http->timer = (struct mw_timer){.fire = on_time, .data = http};
	(void)curl->multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	(void)curl->multi_setopt(multi, CURLMOPT_SOCKETDATA, http);
	(void)curl->multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
	(void)curl->multi_setopt(multi, CURLMOPT_TIMERDATA, http);
	(void)curl->multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
	*ret_http = http;
	return 0;
}

void mw_http_limit_connections(struct mw_http *http, long connections)
{
	(void)http->curl->multi_setopt(http->multi, CURLMOPT_MAX_HOST_CONNECTIONS, connections);
}

void mw_http_free(struct mw_http *http)
{
	if (!http)
		return;
	for (struct mw_http_call *call = http->calls, *next; call; call = next) {
		next = call->next;
		mw_http_cancel(call);
	}
	(void)http->curl->multi_cleanup(http->multi);
	mw_timer_clear(http->loop, &http->timer);
	free(http);
}

static bool add_line(struct mw_http_call *call, struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = call->http->curl->slist_append(*list, line);
	if (longer)
		*list = longer;
	return longer;
}

static bool set_headers(struct mw_http_call *call, const struct mw_http_request *request)
{
	/* "Expect: 100-continue" would wait a second for who does not know it. */
	bool is_well = add_line(call, &call->headers, "Expect:");
	if (request->packs_body)
		is_well = is_well && add_line(call, &call->headers, "Content-Encoding: gzip");
	for (const char *const *line = request->headers; is_well && line && *line; line++)
		is_well = add_line(call, &call->headers, *line);
	if (is_well && request->resolve)
		is_well = add_line(call, &call->resolve, request->resolve);
	return is_well;
}

static CURLcode set_body(struct mw_http_call *call, const struct mw_http_request *request)
{
	const struct mw_curl *curl = call->http->curl;
	struct mw_secret *packed = NULL;
	const void *bytes = request->body;
	size_t n = request->body_bytes;
	if (request->packs_body) {
		if (mw_gzip(bytes, n, &packed) < 0)
			return CURLE_OUT_OF_MEMORY;
		bytes = mw_secret_bytes(packed);
		n = mw_secret_size(packed);
	}
	CURLcode code = curl->easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)n);
	if (code == CURLE_OK)
		code = curl->easy_setopt(call->easy, CURLOPT_COPYPOSTFIELDS, bytes);
	mw_secret_free(packed);
	return code;
}

/* Options of libcurl, the first refusal of which is kept. */
struct options {
	const struct mw_curl *curl;
	CURL *easy;
	CURLcode code;
};

static void set_long(struct options *options, CURLoption option, int64_t value)
{
	if (options->code == CURLE_OK)
		options->code = options->curl->easy_setopt(options->easy, option, (long)value);
}

static void set_pointer(struct options *options, CURLoption option, const void *value)
{
	if (options->code == CURLE_OK && value)
		options->code = options->curl->easy_setopt(options->easy, option, value);
}

static void set_trust(struct options *options, const struct mw_http_request *request)
{
	const char *ca_file = request->ca_file ? request->ca_file : request->ca_dir ? NULL : mw_http_ca_file();
	if (ca_file && *ca_file)
		set_pointer(options, CURLOPT_CAINFO, ca_file);
	set_pointer(options, CURLOPT_CAPATH, request->ca_dir);
	set_pointer(options, CURLOPT_SSLCERT, request->cert_file);
	set_pointer(options, CURLOPT_SSLKEY, request->key_file);
	set_pointer(options, CURLOPT_PINNEDPUBLICKEY, request->pinned_key);
	set_long(options, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
}

/* CURLOPT_RESOLVER_START_FUNCTION */
static int on_lookup(void *resolver, void *reserved, void *data)
{
	const struct mw_http_call *call = data;
	(void)resolver;
	(void)reserved;
	if (call->is_of_name)
		mw_thread_note();
	return 0;
}

/* "https://host:port", "host:port" */
static bool is_name(const char *place)
{
	const char *host = strstr(place, "://") ? strstr(place, "://") + 3 : place;
	size_t n = strcspn(host, ":/");
	bool is_address = *host == '[' || strspn(host, "0123456789.") >= n;
	/* That one libcurl knows itself. */
	return n && !is_address && !(n == strlen("localhost") && strncasecmp(host, "localhost", n) == 0);
}

static CURLcode set_up(struct mw_http_call *call, const struct mw_http_request *request)
{
	struct options options = {.curl = call->http->curl, .easy = call->easy};
	int64_t connect_ms = request->connect_ms ? request->connect_ms : MW_HTTP_CONNECT_MS;
	set_pointer(&options, CURLOPT_ERRORBUFFER, call->error);
	set_pointer(&options, CURLOPT_PRIVATE, call);
	set_pointer(&options, CURLOPT_URL, request->url);
	set_pointer(&options, CURLOPT_USERAGENT, "moonwatch/" MOONWATCH_VERSION);
	set_pointer(&options, CURLOPT_HTTPHEADER, call->headers);
	set_pointer(&options, CURLOPT_RESOLVE, call->resolve);
	set_pointer(&options, CURLOPT_PROXY, request->proxy ? request->proxy : "");
	set_pointer(&options, CURLOPT_WRITEDATA, call);
	set_pointer(&options, CURLOPT_HEADERDATA, call);
	set_pointer(&options, CURLOPT_OPENSOCKETDATA, call);
	set_pointer(&options, CURLOPT_WRITEFUNCTION, (const void *)(uintptr_t)on_body);
	set_pointer(&options, CURLOPT_HEADERFUNCTION, (const void *)(uintptr_t)on_header);
	call->is_of_name = is_name(request->proxy && *request->proxy ? request->proxy : call->origin);
	set_pointer(&options, CURLOPT_RESOLVER_START_DATA, call);
	set_pointer(&options, CURLOPT_RESOLVER_START_FUNCTION, (const void *)(uintptr_t)on_lookup);
	set_pointer(&options, CURLOPT_OPENSOCKETFUNCTION, (const void *)(uintptr_t)on_open);
	set_pointer(&options, CURLOPT_ACCEPT_ENCODING, request->takes_packed ? "gzip" : NULL);
	set_long(&options, CURLOPT_NOSIGNAL, 1);
	set_long(&options, CURLOPT_PROTOCOLS, CURLPROTO_HTTPS | (request->allows_plain ? CURLPROTO_HTTP : 0));
	set_long(&options, CURLOPT_TIMEOUT_MS, call->total_ms);
	set_long(&options, CURLOPT_CONNECTTIMEOUT_MS, connect_ms < call->total_ms ? connect_ms : call->total_ms);
	set_long(&options, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS);
	/* A connection that is there already was judged by another request's rules, or by none. */
	set_long(&options, CURLOPT_FRESH_CONNECT, request->is_alone || request->may_connect);
	set_long(&options, CURLOPT_CERTINFO, request->wants_chain);
	set_long(&options, CURLOPT_FORBID_REUSE, request->is_alone);
	/* A name service that hangs must not hold us at the end of the call: since 7.87; before, it may, for its own time. */
	(void)options.curl->easy_setopt(call->easy, CURLOPT_QUICK_EXIT, 1L);
	set_trust(&options, request);
	if (options.code == CURLE_OK && request->body)
		options.code = set_body(call, request);
	if (request->method && strcmp(request->method, "HEAD") == 0)
		set_long(&options, CURLOPT_NOBODY, 1);
	else
		set_pointer(&options, CURLOPT_CUSTOMREQUEST, request->method);
	return options.code;
}

int mw_http_begin(struct mw_http *http, const struct mw_http_request *request, mw_http_done *done, void *data,
		  struct mw_http_call **ret_call, struct mw_err *err)
{
	bool is_get = !request->body && (!request->method || strcmp(request->method, "GET") == 0);
	struct mw_http_call *call = calloc(1, sizeof(*call));
	if (!call)
		return mw_err_set(err, -ENOMEM, "out of memory for a request");
	*call = (struct mw_http_call){
		.http = http,
		.easy = http->curl->easy_init(),
		.header = MW_BUF(MW_HTTP_HEADER_BYTES),
		.chain = MW_BUF(MW_HTTP_CHAIN_BYTES),
		.done = done,
		.data = data,
		.may_connect = request->may_connect,
		.total_ms = request->total_ms ? request->total_ms : MW_HTTP_TOTAL_MS,
		.answer_bytes = request->answer_bytes ? request->answer_bytes : MW_HTTP_ANSWER_BYTES,
		.redirects_left = request->follows && is_get ? MW_HTTP_REDIRECTS : 0,
	};
	cut_to_origin(request->url, call->origin, sizeof(call->origin));
	CURLcode code = call->easy && set_headers(call, request) ? set_up(call, request) : CURLE_OUT_OF_MEMORY;
	if (code == CURLE_OK && http->curl->multi_add_handle(http->multi, call->easy) != CURLM_OK)
		code = CURLE_OUT_OF_MEMORY;
	if (code != CURLE_OK) {
		int r = explain(call, code, err);
		call_free(call);
		return r;
	}
	call->next = http->calls;
	http->calls = call;
	if (ret_call)
		*ret_call = call;
	return 0;
}

struct waiting {
	struct mw_loop *loop;
	mw_http_done *done;
	void *data;
};

static void on_waited(void *data, int code, const struct mw_http_answer *answer, const struct mw_err *err)
{
	struct waiting *waiting = data;
	waiting->done(waiting->data, code, answer, err);
	mw_loop_stop(waiting->loop);
}

int mw_http_wait(const struct mw_http_request *request, mw_http_done *done, void *data, struct mw_err *err)
{
	struct mw_loop *loop;
	struct mw_http *http = NULL;
	int r = mw_loop_new(&loop, err);
	if (r < 0)
		return r;
	struct waiting waiting = {.loop = loop, .done = done, .data = data};
	r = mw_http_new(loop, &http, err);
	if (r == 0 && http)
		r = mw_http_begin(http, request, on_waited, &waiting, NULL, err);
	if (r == 0 && (r = mw_loop_run(loop)) < 0)
		(void)mw_err_set(err, r, "event loop: %s", strerror(-r));
	mw_http_free(http);
	mw_loop_free(loop);
	return r;
}

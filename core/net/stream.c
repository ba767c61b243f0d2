/* A multi handle of its own for each stream, which libcurl drives until the connection is there, and which keeps it afterwards. */
#include "net/stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#include <linux/sockios.h>

#include "base/err.h"
#include "loop/loop.h"
#include "net/curl.h"
#include "net/http.h"

enum {
	URL_BYTES = 300,
	PLACE_BYTES = 160,
};

struct mw_stream {
	const struct mw_curl *curl;
	struct mw_loop *loop;
	CURLM *multi;
	CURL *easy;
	struct mw_timer timer;
	void (*done)(void *data, int code, const struct mw_err *err); /* NULL once it was called */
	void (*ready)(void *data);                                    /* NULL: nothing is waited for */
	void *data, *ready_data;
	int fd;      /* once connected; else -1 */
	int watched; /* by the loop for libcurl; else -1 */
	char place[PLACE_BYTES];
	char error[CURL_ERROR_SIZE];
};

static int errno_of(CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		return -ENOENT;
	case CURLE_COULDNT_CONNECT:
		return -ECONNREFUSED;
	case CURLE_OPERATION_TIMEDOUT:
		return -ETIMEDOUT;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
		return -EKEYREJECTED;
	case CURLE_OUT_OF_MEMORY:
		return -ENOMEM;
	case CURLE_AGAIN:
		return -EAGAIN;
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
		return -EPIPE;
	default:
		return -EPROTO;
	}
}

static int explain(const struct mw_stream *stream, CURLcode code, struct mw_err *err)
{
	const char *text = *stream->error ? stream->error : stream->curl->easy_strerror(code);
	return mw_err_set(err, errno_of(code), "%s: %s", stream->place, text);
}

static void finish(struct mw_stream *stream, CURLcode code)
{
	void (*done)(void *, int, const struct mw_err *) = stream->done;
	struct mw_err err = {""};
	int r = 0;
	curl_socket_t fd = CURL_SOCKET_BAD;
	stream->done = NULL;
	if (code == CURLE_OK)
		code = stream->curl->easy_getinfo(stream->easy, CURLINFO_ACTIVESOCKET, &fd);
	if (code == CURLE_OK && fd == CURL_SOCKET_BAD)
		code = CURLE_COULDNT_CONNECT;
	if (code == CURLE_OK)
		stream->fd = fd;
	else
		r = explain(stream, code, &err);
	if (done)
		done(stream->data, r, &err);
}

static void drive(struct mw_stream *stream, curl_socket_t fd, int what)
{
	int running;
	int left;
	(void)stream->curl->multi_socket_action(stream->multi, fd, what, &running);
	CURLMsg *message = stream->done ? stream->curl->multi_info_read(stream->multi, &left) : NULL;
	if (message && message->msg == CURLMSG_DONE)
		finish(stream, message->data.result); /* it may be free now */
}

static void on_socket_ready(void *data, uint32_t events)
{
	struct mw_stream *stream = data;
	int what = (events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0) | (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
		   (events & EPOLLERR ? CURL_CSELECT_ERR : 0);
	drive(stream, stream->watched, what);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *of_socket)
{
	struct mw_stream *stream = data;
	(void)easy;
	(void)of_socket;
	/* Of several addresses tried at once (IPv4 and IPv6) each has its own. */
	mw_loop_unwatch(stream->loop, fd);
	if (what == CURL_POLL_REMOVE)
		return 0;
	stream->watched = fd;
	uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
	return mw_loop_watch(stream->loop, fd, events, on_socket_ready, stream) < 0 ? -1 : 0;
}

static void on_time(void *data)
{
	drive(data, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer(CURLM *multi, long ms, void *data)
{
	struct mw_stream *stream = data;
	(void)multi;
	if (ms < 0)
		mw_timer_clear(stream->loop, &stream->timer);
	else
		mw_timer_set(stream->loop, &stream->timer, ms);
	return 0;
}

/* Options of libcurl, the first refusal of which is kept. */
struct options {
	struct mw_stream *stream;
	CURLcode code;
};

static void set_long(struct options *options, CURLoption option, long value)
{
	if (options->code == CURLE_OK)
		options->code = options->stream->curl->easy_setopt(options->stream->easy, option, value);
}

static void set_pointer(struct options *options, CURLoption option, const void *value)
{
	if (options->code == CURLE_OK && value)
		options->code = options->stream->curl->easy_setopt(options->stream->easy, option, value);
}

static CURLcode set_up(struct mw_stream *stream, const struct mw_stream_options *asked)
{
	struct options options = {.stream = stream};
	char url[URL_BYTES];
	const char *host = asked->unix_path ? "localhost" : asked->host;
	bool is_ipv6 = strchr(host, ':');
	(void)snprintf(stream->place, sizeof(stream->place), asked->unix_path ? "%s" : "%s:%d",
		       asked->unix_path ? asked->unix_path : host, asked->port);
	int n = snprintf(url, sizeof(url), is_ipv6 ? "%s://[%s]:%d/" : "%s://%s:%d/", asked->is_tls ? "https" : "http",
			 host, asked->unix_path ? 80 : asked->port);
	if (n < 0 || (size_t)n >= sizeof(url))
		return CURLE_URL_MALFORMAT;
	const char *ca_file = asked->ca_file ? asked->ca_file : mw_http_ca_file();
	set_pointer(&options, CURLOPT_ERRORBUFFER, stream->error);
	set_pointer(&options, CURLOPT_URL, url);
	set_pointer(&options, CURLOPT_PROXY, "");
	set_pointer(&options, CURLOPT_UNIX_SOCKET_PATH, asked->unix_path);
	set_pointer(&options, CURLOPT_CAINFO, *ca_file ? ca_file : NULL);
	set_pointer(&options, CURLOPT_SSLCERT, asked->cert_file);
	set_pointer(&options, CURLOPT_SSLKEY, asked->key_file);
	set_pointer(&options, CURLOPT_PINNEDPUBLICKEY, asked->pinned_key);
	set_long(&options, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
	set_long(&options, CURLOPT_SSL_ENABLE_ALPN, 0);
	set_long(&options, CURLOPT_PROTOCOLS, asked->is_tls ? CURLPROTO_HTTPS : CURLPROTO_HTTP);
	set_long(&options, CURLOPT_CONNECT_ONLY, 1);
	set_long(&options, CURLOPT_NOSIGNAL, 1);
	set_long(&options, CURLOPT_CONNECTTIMEOUT_MS,
		 (long)(asked->connect_ms ? asked->connect_ms : MW_HTTP_CONNECT_MS));
	(void)stream->curl->easy_setopt(stream->easy, CURLOPT_QUICK_EXIT, 1L);
	return options.code;
}

int mw_stream_open(struct mw_loop *loop, const struct mw_stream_options *options,
		   void (*done)(void *data, int code, const struct mw_err *err), void *data,
		   struct mw_stream **ret_stream, struct mw_err *err)
{
	const struct mw_curl *curl;
	int r = mw_curl_load(&curl, err);
	if (r < 0)
		return r;
	struct mw_stream *stream = calloc(1, sizeof(*stream));
	if (!stream)
		return mw_err_set(err, -ENOMEM, "out of memory for a connection");
	*stream = (struct mw_stream){
		.curl = curl,
		.loop = loop,
		.multi = curl->multi_init(),
		.easy = curl->easy_init(),
		.done = done,
		.data = data,
		.fd = -1,
		.watched = -1,
	};
	stream->timer = (struct mw_timer){.fire = on_time, .data = stream};
	CURLcode code = stream->multi && stream->easy ? set_up(stream, options) : CURLE_OUT_OF_MEMORY;
	if (code == CURLE_OK) {
		(void)curl->multi_setopt(stream->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
		(void)curl->multi_setopt(stream->multi, CURLMOPT_SOCKETDATA, stream);
		(void)curl->multi_setopt(stream->multi, CURLMOPT_TIMERFUNCTION, on_timer);
		(void)curl->multi_setopt(stream->multi, CURLMOPT_TIMERDATA, stream);
		if (curl->multi_add_handle(stream->multi, stream->easy) != CURLM_OK)
			code = CURLE_OUT_OF_MEMORY;
	}
	if (code != CURLE_OK) {
		r = explain(stream, code, err);
		mw_stream_free(stream);
		return r;
	}
	*ret_stream = stream;
	return 0;
}

void mw_stream_free(struct mw_stream *stream)
{
	if (!stream)
		return;
	mw_stream_forget(stream);
	stream->done = NULL;
	if (stream->multi && stream->easy)
		(void)stream->curl->multi_remove_handle(stream->multi, stream->easy);
	if (stream->easy)
		stream->curl->easy_cleanup(stream->easy);
	if (stream->multi)
		(void)stream->curl->multi_cleanup(stream->multi);
	mw_timer_clear(stream->loop, &stream->timer);
	free(stream);
}

int mw_stream_send(struct mw_stream *stream, const void *bytes, size_t n, size_t *ret_n, struct mw_err *err)
{
	*ret_n = 0;
	CURLcode code = stream->curl->easy_send(stream->easy, bytes, n, ret_n);
	return code == CURLE_OK ? 0 : explain(stream, code, err);
}

int mw_stream_recv(struct mw_stream *stream, void *room, size_t n, size_t *ret_n, struct mw_err *err)
{
	*ret_n = 0;
	CURLcode code = stream->curl->easy_recv(stream->easy, room, n, ret_n);
	if (code != CURLE_OK)
		return explain(stream, code, err);
	return *ret_n ? 0 : mw_err_set(err, -EPIPE, "%s: closed by the other side", stream->place);
}

static void on_ready(void *data, uint32_t events)
{
	struct mw_stream *stream = data;
	void (*ready)(void *) = stream->ready;
	(void)events;
	mw_stream_forget(stream);
	if (ready)
		ready(stream->ready_data);
}

int mw_stream_await(struct mw_stream *stream, bool is_to_send, void (*ready)(void *data), void *data)
{
	mw_stream_forget(stream);
	int r = mw_loop_watch(stream->loop, stream->fd, is_to_send ? EPOLLOUT : EPOLLIN, on_ready, stream);
	if (r < 0)
		return r;
	stream->ready = ready;
	stream->ready_data = data;
	return 0;
}

void mw_stream_forget(struct mw_stream *stream)
{
	if (stream->ready)
		mw_loop_unwatch(stream->loop, stream->fd);
	stream->ready = NULL;
}

int64_t mw_stream_unconfirmed(const struct mw_stream *stream)
{
	int bytes = 0;
	return ioctl(stream->fd, SIOCOUTQ, &bytes) < 0 ? -errno : bytes;
}

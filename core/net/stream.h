/* A connection of bytes on the event loop, plain or TLS, for protocols that are not HTTP.  libcurl finds the host, connects and shakes
 * hands (CURLOPT_CONNECT_ONLY), as strictly as it does for net/http.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mw_err;
struct mw_loop;
struct mw_stream;

struct mw_stream_options {
	const char *host; /* name or address, IPv6 without brackets */
	int port;
	const char *unix_path; /* instead of both */
	bool is_tls;
	int64_t connect_ms;  /* 0: MW_HTTP_CONNECT_MS */
	const char *ca_file; /* PEM; NULL: mw_http_ca_file() */
	const char *cert_file, *key_file;
	const char *pinned_key;
};

/* Connect; `done` is called once, by the loop: 0, or a negative errno as mw_http_done has them.  Options are copied. */
int mw_stream_open(struct mw_loop *loop, const struct mw_stream_options *options,
		   void (*done)(void *data, int code, const struct mw_err *err), void *data,
		   struct mw_stream **ret_stream, struct mw_err *err);
/* At any time; nothing is called any more. */
void mw_stream_free(struct mw_stream *stream);

/* As much as goes now.  -EAGAIN: nothing does, see mw_stream_await(); -EPIPE: the other side has closed. */
int mw_stream_send(struct mw_stream *stream, const void *bytes, size_t n, size_t *ret_n, struct mw_err *err);
int mw_stream_recv(struct mw_stream *stream, void *room, size_t n, size_t *ret_n, struct mw_err *err);

/* Call `ready` once, when it may be sent to, or received from, again. */
int mw_stream_await(struct mw_stream *stream, bool is_to_send, void (*ready)(void *data), void *data);
void mw_stream_forget(struct mw_stream *stream);

/* Bytes that the other side's kernel has not confirmed; negative where that cannot be told. */
int64_t mw_stream_unconfirmed(const struct mw_stream *stream);

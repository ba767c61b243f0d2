/* Asynchronous HTTP and HTTPS on the event loop.  One client keeps its connections and TLS sessions, so that calls to the same
 * host take one handshake; HTTP/2 where it is offered.
 *
 * Nothing outside has a say: no proxy, no ~/.netrc, no configuration of OpenSSL.  Everything is bounded: the time of the whole
 * call, also when bytes come one by one; the bytes of the answer, also when a few of them unpack to many. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mw_buf;
struct mw_err;
struct mw_http;
struct mw_http_call;
struct mw_loop;
struct mw_secret;
struct sockaddr;

enum {
	MW_HTTP_TOTAL_MS = 30000,
	MW_HTTP_CONNECT_MS = 10000,
	MW_HTTP_ANSWER_BYTES = 1 << 20,
	MW_HTTP_CHAIN_BYTES = 64 << 10,
	/* Of the header of an answer. */
	MW_HTTP_HEADER_BYTES = 64 << 10,
	MW_HTTP_REDIRECTS = 3,
};

/* Zeroed members take the defaults above, and the strictest way. */
struct mw_http_request {
	const char *method; /* NULL: GET, or POST with a body */
	const char *url;
	const char *const *headers; /* "Name: value"; ended by NULL; NULL: none */
	const void *body;
	size_t body_bytes;
	bool packs_body;   /* by gzip, and says so */
	bool takes_packed; /* the answer may be packed by gzip */
	bool allows_plain; /* http:// as well */
	bool follows;     /* a GET follows redirections, to the same host and port alone; else an answer as any other */
	bool wants_chain; /* tell the certificates that the server showed */
	bool is_alone;    /* on a connection of its own, closed afterwards: nothing of it stays in memory */
	int64_t total_ms, connect_ms;
	size_t answer_bytes;
	const char *ca_file; /* PEM; NULL: mw_http_ca_file() */
	const char *ca_dir;
	const char *cert_file, *key_file; /* of our own, PEM */
	const char *pinned_key;           /* "sha256//BASE64[;…]" of the public key that the server must have */
	const char *resolve;              /* "host:port:address": instead of asking DNS */
	const char *proxy;                /* NULL: none */
	/* May it connect there?  NULL: anywhere. */
	bool (*may_connect)(const struct sockaddr *address);
};

struct mw_http_answer {
	int status;
	const struct mw_secret *body;
	const struct mw_buf *header; /* as it came; see mw_http_header() */
	/* Of the server's certificates, the first its own: lines "Subject:…", "Issuer:…", "Expire date:…", and an empty one behind
	 * each; empty when they were not asked for. */
	const struct mw_buf *chain;
};

/* One header of an answer; "" when it is not there.  Of several with the same name, the last. */
const char *mw_http_header(const struct mw_http_answer *answer, const char *name, size_t *ret_size);
/* All of them, "Name: value\r\n" each; a NUL at the end. */
const char *mw_http_headers(const struct mw_http_answer *answer);

/* `code` 0: there is an answer, whatever its status.  Otherwise a negative errno, and err says what happened, where, and what to
 * do: -ENOENT (no such host), -ECONNREFUSED, -ETIMEDOUT, -EFBIG (answer too large), -EKEYREJECTED (certificate),
 * -EACCES (not allowed to connect there, or to be redirected there), -EPROTO (anything else).
 * It may begin and cancel calls, and not free the client. */
typedef void mw_http_done(void *data, int code, const struct mw_http_answer *answer, const struct mw_err *err);

/* -ENOSYS without libcurl. */
int mw_http_new(struct mw_loop *loop, struct mw_http **ret_http, struct mw_err *err);
/* To one host at the same time; further calls wait for one to be free, their time running.  0, as from the start: no limit. */
void mw_http_limit_connections(struct mw_http *http, long connections);
/* Cancels what is on its way. */
void mw_http_free(struct mw_http *http);

/* Begin; `request` is copied.  `done` is called once, by the loop.  -EINVAL, -ENOMEM: it is not. */
int mw_http_begin(struct mw_http *http, const struct mw_http_request *request, mw_http_done *done, void *data,
		  struct mw_http_call **ret_call, struct mw_err *err);
/* Never to be told; not to be used once `done` was called. */
void mw_http_cancel(struct mw_http_call *call);

/* For commands: with a loop and a client of its own; `done` has been called when it returns 0. */
int mw_http_wait(const struct mw_http_request *request, mw_http_done *done, void *data, struct mw_err *err);

/* The file of certificates that this system trusts: `tree`/certs/ca.pem, which comes with us, comes last, for images without
 * one.  "" when there is none at all. */
const char *mw_http_ca_file(void);
void mw_http_set_tree(const char *tree);

/* The certificate that a server shows, whatever it is worth: for looking at, not for talking to anybody. */
#pragma once

struct mw_buf;
struct mw_err;

/* Shake hands with `host`, "name" or "name:port", and append the certificate as PEM.  Nothing else is sent.  -ENOSYS without
 * libcurl, -EINVAL for what is no name, else -EPROTO. */
int mw_net_peer(const char *host, int timeout_ms, struct mw_buf *pem, struct mw_err *err);

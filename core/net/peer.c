#include "net/peer.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "net/curl.h"

enum {
	HOST_BYTES = 300
};

struct options {
	const struct mw_curl *curl;
	CURL *easy;
	bool failed;
};

static void set_long(struct options *options, CURLoption option, long value)
{
	options->failed |= options->curl->easy_setopt(options->easy, option, value) != CURLE_OK;
}

static void set_text(struct options *options, CURLoption option, const char *value)
{
	options->failed |= options->curl->easy_setopt(options->easy, option, value) != CURLE_OK;
}

static int take_certificate(const struct options *options, struct mw_buf *pem)
{
	static const char key[] = "Cert:";
	struct curl_certinfo *info = NULL;
	if (options->curl->easy_getinfo(options->easy, CURLINFO_CERTINFO, &info) != CURLE_OK || !info ||
	    info->num_of_certs < 1)
		return -EPROTO;
	for (const struct curl_slist *line = info->certinfo[0]; line; line = line->next)
		if (strncmp(line->data, key, sizeof(key) - 1) == 0)
			mw_buf_str(pem, line->data + sizeof(key) - 1);
	return pem->size ? mw_buf_status(pem) : -EPROTO;
}

static int ask(struct options *options, const char *host, int timeout_ms, struct mw_buf *pem, struct mw_err *err)
{
	char url[HOST_BYTES + 16];
	(void)snprintf(url, sizeof(url), "https://%s/", host);
	set_text(options, CURLOPT_URL, url);
	set_text(options, CURLOPT_PROXY, "");
	set_text(options, CURLOPT_NOPROXY, "*");
	set_long(options, CURLOPT_CONNECT_ONLY, 1);
	set_long(options, CURLOPT_CERTINFO, 1);
	set_long(options, CURLOPT_SSL_VERIFYPEER, 0);
	set_long(options, CURLOPT_SSL_VERIFYHOST, 0);
	set_long(options, CURLOPT_NOSIGNAL, 1);
	set_long(options, CURLOPT_TIMEOUT_MS, timeout_ms);
	set_long(options, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms);
	if (options->failed)
		return mw_err_set(err, -ENOSYS, "libcurl is too old");
	CURLcode code = options->curl->easy_perform(options->easy);
	if (code != CURLE_OK)
		return mw_err_set(err, -EPROTO, "%s", options->curl->easy_strerror(code));
	int r = take_certificate(options, pem);
	return r < 0 ? mw_err_set(err, r, "it shows no certificate") : 0;
}

int mw_net_peer(const char *host, int timeout_ms, struct mw_buf *pem, struct mw_err *err)
{
	struct options options = {0};
	size_t length = strlen(host);
	if (length == 0 || length > HOST_BYTES || strpbrk(host, "/@?#\\ \t\r\n"))
		return mw_err_set(err, -EINVAL, "no name of a host");
	int r = mw_curl_load(&options.curl, err);
	if (r < 0)
		return r;
	options.easy = options.curl->easy_init();
	if (!options.easy)
		return mw_err_set(err, -ENOMEM, "out of memory");
	r = ask(&options, host, timeout_ms, pem, err);
	options.curl->easy_cleanup(options.easy);
	return r;
}

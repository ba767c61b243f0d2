/* The canonical request holds the session token, so it is made in memory that is wiped. */
#include "aws/sigv4.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/secret.h"
#include "crypto/sha256.h"

enum {
	SEGMENTS_MAX = 256,
	PARAMETERS_MAX = 256,
	DAY_BYTES = 8,
};

static int hex_value(char c)
{
	if (isdigit((unsigned char)c))
		return c - '0';
	return isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : -1;
}

static int add_text(struct mw_secret *out, const char *text)
{
	return mw_secret_add(out, text, strlen(text));
}

/* Every byte but the unreserved ones of RFC 3986, and of those in `also`. */
static int add_encoded(struct mw_secret *out, const char *bytes, size_t n, const char *also)
{
	static const char digits[] = "0123456789ABCDEF";
	int r = 0;
	for (size_t i = 0; r == 0 && i < n; i++) {
		unsigned char c = (unsigned char)bytes[i];
		const char escaped[3] = {'%', digits[c >> 4], digits[c & 15]};
		bool is_kept = (c < 0x80 && isalnum(c)) || (c && strchr("-_.~", c)) || (c && strchr(also, c));
		r = is_kept ? mw_secret_add(out, bytes + i, 1) : mw_secret_add(out, escaped, sizeof(escaped));
	}
	return r;
}

/* The same of what may be encoded already. */
static int add_reencoded(struct mw_secret *out, const char *bytes, size_t n)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < n; i++) {
		int high = bytes[i] == '%' && i + 2 < n ? hex_value(bytes[i + 1]) : -1;
		int low = high >= 0 ? hex_value(bytes[i + 2]) : -1;
		char c = bytes[i];
		if (low >= 0) {
			c = (char)(high << 4 | low);
			i += 2;
		}
		r = add_encoded(out, &c, 1, "");
	}
	return r;
}

struct piece {
	const char *start;
	size_t size;
};

/* Without empty segments, "." and ".."; each encoded.  As AWS's own signers, and other than RFC 3986, 5.2.4, a path ends in a slash
 * only when it did before. */
static int add_normal_path(struct mw_secret *out, const char *path)
{
	struct piece segments[SEGMENTS_MAX];
	size_t count = 0;
	for (const char *at = path; *at;) {
		size_t n = strcspn(at, "/");
		bool is_last = !at[n];
		bool is_dot = n == 1 && at[0] == '.';
		bool is_up = n == 2 && at[0] == '.' && at[1] == '.';
		if (is_up)
			count -= count > 0;
		else if (n && !is_dot && count == SEGMENTS_MAX)
			return -ENOBUFS;
		else if (n && !is_dot)
			segments[count++] = (struct piece){at, n};
		at += n + !is_last;
	}
	int r = 0;
	for (size_t i = 0; r == 0 && i < count; i++) {
		r = add_text(out, "/");
		if (r == 0)
			r = add_encoded(out, segments[i].start, segments[i].size, "");
	}
	return r == 0 && (count == 0 || path[strlen(path) - 1] == '/') ? add_text(out, "/") : r;
}

static int add_path(struct mw_secret *out, const struct mw_sigv4 *request)
{
	if (!request->path[0])
		return add_text(out, "/");
	/* There percent signs stay: what is encoded is not encoded again. */
	return request->keeps_path ? add_encoded(out, request->path, strlen(request->path), "/%")
				   : add_normal_path(out, request->path);
}

/* A parameter as it is encoded: "name=value" in `bytes`. */
struct parameter {
	size_t name, value; /* lengths */
	const char *bytes;
};

static int by_bytes(const char *a, size_t a_size, const char *b, size_t b_size)
{
	int r = memcmp(a, b, a_size < b_size ? a_size : b_size);
	return r ? r : (a_size > b_size) - (a_size < b_size);
}

static int by_name_and_value(const void *a, const void *b)
{
	const struct parameter *one = a;
	const struct parameter *other = b;
	int r = by_bytes(one->bytes, one->name, other->bytes, other->name);
	return r ? r : by_bytes(one->bytes + one->name + 1, one->value, other->bytes + other->name + 1, other->value);
}

static int encode_query(struct mw_secret *room, const char *query, struct parameter *parameters, size_t *ret_count)
{
	size_t count = 0;
	int r = 0;
	for (const char *at = query; r == 0 && *at;) {
		size_t n = strcspn(at, "&");
		const char *equals = memchr(at, '=', n);
		size_t name = equals ? (size_t)(equals - at) : n;
		size_t start = mw_secret_size(room);
		if (n && count == PARAMETERS_MAX)
			return -ENOBUFS;
		if (n) {
			r = add_reencoded(room, at, name);
			size_t name_end = mw_secret_size(room);
			if (r == 0)
				r = add_text(room, "=");
			if (r == 0 && equals)
				r = add_reencoded(room, equals + 1, n - name - 1);
			parameters[count++] = (struct parameter){
				.bytes = mw_secret_bytes(room) + start,
				.name = name_end - start,
				.value = mw_secret_size(room) - name_end - 1,
			};
		}
		at += n + (at[n] == '&');
	}
	*ret_count = count;
	return r;
}

static int add_query(struct mw_secret *out, const char *query)
{
	struct parameter parameters[PARAMETERS_MAX];
	struct mw_secret *room;
	size_t count = 0;
	int r = mw_secret_new(MW_SIGV4_BYTES, &room);
	if (r < 0)
		return r;
	r = encode_query(room, query, parameters, &count);
	if (r == 0)
		qsort(parameters, count, sizeof(*parameters), by_name_and_value);
	for (size_t i = 0; r == 0 && i < count; i++) {
		r = i ? add_text(out, "&") : 0;
		if (r == 0)
			r = mw_secret_add(out, parameters[i].bytes, parameters[i].name + 1 + parameters[i].value);
	}
	mw_secret_free(room);
	return r;
}

/* Headers by name; those of the same name stay in their order. */
static int sort_headers(const struct mw_sigv4 *request, const struct mw_sigv4_header *sorted[MW_SIGV4_HEADERS_MAX])
{
	if (request->header_count > MW_SIGV4_HEADERS_MAX)
		return -ENOBUFS;
	for (size_t i = 0; i < request->header_count; i++) {
		size_t at = i;
		while (at && strcasecmp(sorted[at - 1]->name, request->headers[i].name) > 0) {
			sorted[at] = sorted[at - 1];
			at--;
		}
		sorted[at] = &request->headers[i];
	}
	return 0;
}

static int add_lower(struct mw_secret *out, const char *text)
{
	int r = 0;
	for (; r == 0 && *text; text++) {
		char c = (char)tolower((unsigned char)*text);
		r = mw_secret_add(out, &c, 1);
	}
	return r;
}

/* Without blanks around it, and one for several in it. */
static int add_trimmed(struct mw_secret *out, const char *value, size_t n)
{
	bool is_waiting = false;
	bool is_begun = false;
	int r = 0;
	for (size_t i = 0; r == 0 && i < n; i++) {
		bool is_blank = value[i] && strchr(" \t\r\n", value[i]);
		is_waiting |= is_blank && is_begun;
		if (is_blank)
			continue;
		if (is_waiting)
			r = add_text(out, " ");
		is_waiting = false;
		is_begun = true;
		if (r == 0)
			r = mw_secret_add(out, value + i, 1);
	}
	return r;
}

static int add_headers(struct mw_secret *out, const struct mw_sigv4_header *const *sorted, size_t count)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < count; i++) {
		bool is_further = i && strcasecmp(sorted[i - 1]->name, sorted[i]->name) == 0;
		r = is_further ? add_text(out, ",") : add_lower(out, sorted[i]->name);
		if (r == 0 && !is_further)
			r = add_text(out, ":");
		if (r == 0)
			r = add_trimmed(out, sorted[i]->value, sorted[i]->value_bytes);
		bool is_last = i + 1 == count || strcasecmp(sorted[i]->name, sorted[i + 1]->name) != 0;
		if (r == 0 && is_last)
			r = add_text(out, "\n");
	}
	return r;
}

static int add_names(struct mw_secret *out, const struct mw_sigv4_header *const *sorted, size_t count)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < count; i++) {
		if (i && strcasecmp(sorted[i - 1]->name, sorted[i]->name) == 0)
			continue;
		r = i ? add_text(out, ";") : 0;
		if (r == 0)
			r = add_lower(out, sorted[i]->name);
	}
	return r;
}

static int add_hash(struct mw_secret *out, const void *bytes, size_t n)
{
	unsigned char digest[MW_SHA256_BYTES];
	char hex[MW_SHA256_HEX_BYTES];
	mw_sha256(bytes, n, digest);
	mw_sha256_hex(digest, hex);
	return add_text(out, hex);
}

static int write_canonical(struct mw_secret *out, const struct mw_sigv4 *request)
{
	const struct mw_sigv4_header *sorted[MW_SIGV4_HEADERS_MAX];
	int r = sort_headers(request, sorted);
	if (r == 0)
		r = add_text(out, request->method);
	if (r == 0)
		r = add_text(out, "\n");
	if (r == 0)
		r = add_path(out, request);
	if (r == 0)
		r = add_text(out, "\n");
	if (r == 0)
		r = add_query(out, request->query);
	if (r == 0)
		r = add_text(out, "\n");
	if (r == 0)
		r = add_headers(out, sorted, request->header_count);
	if (r == 0)
		r = add_text(out, "\n");
	if (r == 0)
		r = add_names(out, sorted, request->header_count);
	if (r == 0)
		r = add_text(out, "\n");
	return r < 0 ? r : add_hash(out, request->body, request->body_bytes);
}

int mw_sigv4_canonical(const struct mw_sigv4 *request, struct mw_secret **ret_canonical)
{
	struct mw_secret *out;
	int r = mw_secret_new(MW_SIGV4_BYTES, &out);
	if (r < 0)
		return r;
	r = write_canonical(out, request);
	if (r < 0)
		mw_secret_free(out);
	else
		*ret_canonical = out;
	return r;
}

/* "20150830/us-east-1/service/aws4_request" */
static int write_scope(const struct mw_sigv4 *request, char *out, size_t room)
{
	if (strlen(request->date) != MW_SIGV4_DATE_BYTES - 1 || request->date[DAY_BYTES] != 'T')
		return -EINVAL;
	int n = snprintf(out, room, "%.*s/%s/%s/aws4_request", DAY_BYTES, request->date, request->region,
			 request->service);
	return n < 0 || (size_t)n >= room ? -ENOBUFS : 0;
}

int mw_sigv4_to_sign(const struct mw_sigv4 *request, struct mw_secret **ret_text)
{
	char scope[256];
	struct mw_secret *canonical = NULL;
	struct mw_secret *out = NULL;
	int r = write_scope(request, scope, sizeof(scope));
	if (r == 0)
		r = mw_sigv4_canonical(request, &canonical);
	if (r == 0)
		r = mw_secret_new(1024, &out);
	const char *const parts[] = {"AWS4-HMAC-SHA256\n", request->date, "\n", scope, "\n"};
	for (size_t i = 0; r == 0 && i < sizeof(parts) / sizeof(*parts); i++)
		r = add_text(out, parts[i]);
	if (r == 0)
		r = add_hash(out, mw_secret_bytes(canonical), mw_secret_size(canonical));
	mw_secret_free(canonical);
	if (r < 0)
		mw_secret_free(out);
	else
		*ret_text = out;
	return r;
}

static void sign_text(unsigned char key[MW_SHA256_BYTES], const char *text, size_t n)
{
	unsigned char mac[MW_SHA256_BYTES];
	mw_hmac_sha256(key, MW_SHA256_BYTES, text, n, mac);
	memcpy(key, mac, sizeof(mac));
	explicit_bzero(mac, sizeof(mac));
}

int mw_sigv4_signature(const struct mw_sigv4 *request, char ret_signature[MW_SIGV4_SIGNATURE_BYTES])
{
	struct mw_secret *text = NULL;
	struct mw_secret *first = NULL;
	int r = mw_sigv4_to_sign(request, &text);
	if (r == 0)
		r = mw_secret_new(4 + request->key_bytes, &first);
	if (r == 0)
		r = add_text(first, "AWS4");
	if (r == 0)
		r = mw_secret_add(first, request->key, request->key_bytes);
	if (r == 0) {
		unsigned char key[MW_SHA256_BYTES];
		mw_hmac_sha256(mw_secret_bytes(first), mw_secret_size(first), request->date, DAY_BYTES, key);
		sign_text(key, request->region, strlen(request->region));
		sign_text(key, request->service, strlen(request->service));
		sign_text(key, "aws4_request", strlen("aws4_request"));
		sign_text(key, mw_secret_bytes(text), mw_secret_size(text));
		mw_sha256_hex(key, ret_signature);
		explicit_bzero(key, sizeof(key));
	}
	mw_secret_free(first);
	mw_secret_free(text);
	return r;
}

int mw_sigv4_authorization(const struct mw_sigv4 *request, char ret_value[MW_SIGV4_AUTHORIZATION_BYTES])
{
	const struct mw_sigv4_header *sorted[MW_SIGV4_HEADERS_MAX];
	char scope[256];
	char signature[MW_SIGV4_SIGNATURE_BYTES];
	struct mw_secret *names;
	int r = mw_secret_new(MW_SIGV4_AUTHORIZATION_BYTES, &names);
	if (r < 0)
		return r;
	r = write_scope(request, scope, sizeof(scope));
	if (r == 0)
		r = sort_headers(request, sorted);
	if (r == 0)
		r = add_names(names, sorted, request->header_count);
	if (r == 0)
		r = mw_sigv4_signature(request, signature);
	if (r == 0) {
		int n = snprintf(ret_value, MW_SIGV4_AUTHORIZATION_BYTES,
				 "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s", request->key_id,
				 scope, mw_secret_bytes(names), signature);
		r = n < 0 || n >= MW_SIGV4_AUTHORIZATION_BYTES ? -ENOBUFS : 0;
	}
	mw_secret_free(names);
	return r;
}

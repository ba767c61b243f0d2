#define OPENSSL_SUPPRESS_DEPRECATED /* as in sha256.c */

#include "crypto/redact.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <openssl/sha.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "crypto/secret_shapes.h"

enum {
	SECRETS = 8,
	PREFIX_BYTES = 4, /* of the hash: 8 digits */
	BLOCK_BYTES = 64, /* of SHA-256, RFC 2104 */
	/* "[redacted:01234567]" */
	BLOT_BYTES = 19,
};

/* Threads that run queries read it, too. */
static struct {
	atomic_bool is_plain;
	atomic_size_t count;
	struct {
		const char *bytes;
		size_t n;
	} secrets[SECRETS];
	unsigned char key[BLOCK_BYTES];
} state;

void mw_redact_allow_plain(bool is_plain)
{
	state.is_plain = is_plain;
}

int mw_redact_register(const char *secret, size_t n)
{
	if (!n)
		return -EINVAL;
	size_t count = state.count;
	if (count == SECRETS)
		return -ENOSPC;
	state.secrets[count].bytes = secret;
	state.secrets[count].n = n;
	state.count = count + 1; /* whoever sees it sees the secret */
	return 0;
}

/* The boot's id, random(4): the same for all processes of the machine until it ends, and in no log.  Without one, values can be
 * compared as this process sees them. */
static void find_key(void)
{
	MW_AUTO_FD fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, state.key, 36) != 36)
		(void)!getrandom(state.key, 36, 0);
}

static const unsigned char *key(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	(void)pthread_once(&once, find_key);
	return state.key;
}

static void digest(const char *value, size_t n, unsigned char out[SHA256_DIGEST_LENGTH])
{
	SHA256_CTX context;
	if (!mw_secret_is_guessable(value, n)) {
		(void)SHA256_Init(&context);
		(void)SHA256_Update(&context, value, n);
		(void)SHA256_Final(out, &context);
		return;
	}
	static const unsigned char pads[] = {0x36, 0x5C}; /* RFC 2104 */
	for (size_t pass = 0; pass < 2; pass++) {
		unsigned char block[BLOCK_BYTES];
		for (size_t i = 0; i < BLOCK_BYTES; i++)
			block[i] = key()[i] ^ pads[pass];
		(void)SHA256_Init(&context);
		(void)SHA256_Update(&context, block, sizeof(block));
		(void)SHA256_Update(&context, pass ? (const void *)out : value, pass ? SHA256_DIGEST_LENGTH : n);
		(void)SHA256_Final(out, &context);
	}
}

static void add_blot(const char *value, size_t n, struct mw_buf *out)
{
	unsigned char hash[SHA256_DIGEST_LENGTH] = {0};
	digest(value, n, hash);
	mw_buf_printf(out, "[redacted:%02x%02x%02x%02x]", hash[0], hash[1], hash[2], hash[3]);
}

static bool find_own(const char *text, size_t n, size_t from, struct mw_secret_span *ret)
{
	for (size_t i = 0; i < state.count; i++) {
		const char *found = memmem(text + from, n - from, state.secrets[i].bytes, state.secrets[i].n);
		if (found) {
			*ret = (struct mw_secret_span){(size_t)(found - text), state.secrets[i].n};
			return true;
		}
	}
	return false;
}

bool mw_redact_is_secret(const char *name, size_t name_bytes, const char *value, size_t n)
{
	struct mw_secret_span span;
	if (!n)
		return false;
	return mw_secret_name(name, name_bytes) || mw_secret_find(value, n, 0, &span) || mw_secret_is_random(value, n);
}

void mw_redact_value(const char *name, size_t name_bytes, const char *value, size_t n, struct mw_buf *out)
{
	struct mw_secret_span span;
	bool is_own = find_own(value, n, 0, &span);
	if (is_own || (!state.is_plain && mw_redact_is_secret(name, name_bytes, value, n)))
		add_blot(value, n, out);
	else
		mw_buf_add(out, value, n);
}

/* "--password": the next argument is the secret. */
static bool is_secret_option(const char *argument)
{
	if (!argument || strncmp(argument, "--", 2) != 0 || strchr(argument, '='))
		return false;
	return mw_secret_name(argument + 2, strlen(argument + 2));
}

void mw_redact_argument(const char *previous, const char *argument, size_t n, struct mw_buf *out)
{
	if (!state.is_plain && n && argument[0] != '-' && is_secret_option(previous)) {
		add_blot(argument, n, out);
		return;
	}
	size_t at = 0;
	while (at < n) {
		struct mw_secret_span own;
		struct mw_secret_span found;
		bool has_own = find_own(argument, n, at, &own);
		bool has_found = !state.is_plain && mw_secret_find(argument, n, at, &found);
		if (!has_own && !has_found)
			break;
		struct mw_secret_span span = has_own && (!has_found || own.at <= found.at) ? own : found;
		mw_buf_add(out, argument + at, span.at - at);
		add_blot(argument + span.at, span.bytes, out);
		at = span.at + span.bytes;
	}
	mw_buf_add(out, argument + at, n - at);
}

typedef void each_string(const char *previous, const char *string, size_t n, struct mw_buf *out);

static char *redact_strings(const char *strings, size_t bytes, size_t *ret_bytes, each_string *each)
{
	/* A blot may be longer than what it stands for. */
	size_t count = 1;
	for (size_t i = 0; i < bytes; i++)
		count += strings[i] == '\0';
	struct mw_buf out = MW_BUF((bytes + count) * (BLOT_BYTES + 1));
	if (!mw_buf_reserve(&out, 1))
		return NULL;
	const char *previous = NULL;
	for (size_t at = 0, step; at < bytes; at += step) {
		size_t n = strnlen(strings + at, bytes - at);
		each(previous, strings + at, n, &out);
		mw_buf_char(&out, '\0');
		previous = strings + at;
		step = n + 1;
	}
	if (mw_buf_status(&out) < 0) {
		mw_buf_release(&out);
		return NULL;
	}
	*ret_bytes = out.size;
	return out.data;
}

static void redact_variable(const char *previous, const char *variable, size_t n, struct mw_buf *out)
{
	(void)previous;
	const char *equals = memchr(variable, '=', n);
	size_t name = equals ? (size_t)(equals - variable) : n;
	mw_buf_add(out, variable, equals ? name + 1 : n);
	if (equals)
		mw_redact_value(variable, name, equals + 1, n - name - 1, out);
}

char *mw_redact_environment(const char *env, size_t bytes, size_t *ret_bytes)
{
	return redact_strings(env, bytes, ret_bytes, redact_variable);
}

char *mw_redact_arguments(const char *argv, size_t bytes, size_t *ret_bytes)
{
	return redact_strings(argv, bytes, ret_bytes, mw_redact_argument);
}

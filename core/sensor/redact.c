#include "sensor/redact.h"

#include <stdlib.h>
#include <string.h>

static const char BLOT[] = "***";

/* In capitals; names are compared without regard to case.  Rather too many are blotted out than one too few. */
static const char *const words[] = {
	"SECRET", "TOKEN", "PASS",    "_PWD",      "KEY",     "CREDENTIAL", "AUTH",
	"COOKIE", "JWT",   "PRIVATE", "SIGNATURE", "WEBHOOK", "_DSN",
};

bool mw_redact_is_secret(const char *name, size_t n)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t length = strlen(words[i]);
		for (size_t at = 0; at + length <= n; at++)
			if (strncasecmp(name + at, words[i], length) == 0)
				return true;
	}
	return false;
}

/* "scheme://user:password@host" */
static bool has_password(const char *value, size_t n)
{
	const char *authority = memmem(value, n, "://", 3);
	if (!authority)
		return false;
	authority += 3;
	size_t left = n - (size_t)(authority - value);
	const char *slash = memchr(authority, '/', left);
	const char *at = memrchr(authority, '@', slash ? (size_t)(slash - authority) : left);
	return at && memchr(authority, ':', (size_t)(at - authority));
}

char *mw_redact_environment(const char *env, size_t bytes, size_t *ret_bytes)
{
	/* A blot may be longer than what it stands for, by its own length. */
	size_t count = 1;
	for (size_t i = 0; i < bytes; i++)
		count += env[i] == '\0';
	char *copy = malloc(bytes + count * sizeof(BLOT));
	if (!copy)
		return NULL;
	size_t size = 0;
	for (size_t at = 0, step; at < bytes; at += step) {
		const char *variable = env + at;
		size_t n = strnlen(variable, bytes - at);
		step = n + 1;
		const char *equals = memchr(variable, '=', n);
		size_t name = equals ? (size_t)(equals - variable) : n;
		bool is_secret =
			equals && (mw_redact_is_secret(variable, name) || has_password(equals + 1, n - name - 1));
		size_t kept = is_secret ? name + 1 : n;
		memcpy(copy + size, variable, kept);
		size += kept;
		if (is_secret) {
			memcpy(copy + size, BLOT, sizeof(BLOT) - 1);
			size += sizeof(BLOT) - 1;
		}
		copy[size++] = '\0';
	}
	*ret_bytes = size;
	return copy;
}

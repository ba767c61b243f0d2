#include "crypto/secret_shapes.h"

#include <math.h>
#include <string.h>
#include <strings.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_word(char c)
{
	return is_digit(c) || is_lower(c) || is_upper(c);
}

/* Of base64, in all its alphabets. */
static bool is_token(char c)
{
	return is_word(c) || c == '-' || c == '_' || c == '+' || c == '/' || c == '=' || c == '.';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* ---- names ---- */

static bool is_one_of(const char *const *words, const char *word, size_t n)
{
	for (; *words; words++)
		if (strlen(*words) == n && strncasecmp(*words, word, n) == 0)
			return true;
	return false;
}

/* The next word of a name: letters and digits, parted by other characters or by a capital behind a small letter. */
static bool next_word(const char *name, size_t n, size_t *at, struct mw_secret_span *ret)
{
	while (*at < n && !is_word(name[*at]))
		++*at;
	ret->at = *at;
	while (*at < n && is_word(name[*at]) && (*at == ret->at || !is_upper(name[*at]) || !is_lower(name[*at - 1])))
		++*at;
	ret->bytes = *at - ret->at;
	return ret->bytes > 0;
}

bool mw_secret_name(const char *name, size_t n)
{
	static const char *const words[] = {
		"auth", "authorization", "cookie",     "cookies",  "cred",    "creds", "dsn",    "jwt",  "key",
		"keys", "pass",          "passphrase", "passcode", "private", "psk",   "pwd",    "salt", "sas",
		"seed", "sig",           "signature",  "webhook",  "otp",     "pin",   "apikey", NULL};
	/* Also glued to others: PGPASSWORD, SECRETKEY. */
	static const char *const parts[] = {"password", "passwd",        "secret",     "token",
					    "apikey",   "authorization", "credential", "connectionstring"};
	/* What is about a secret but none. */
	static const char *const about[] = {
		"age",      "algorithm", "algo",     "attempts", "count",    "dir",     "directory", "enabled",
		"endpoint", "expiry",    "expires",  "file",     "folder",   "format",  "header",    "hours",
		"issuer",   "layout",    "length",   "lifetime", "method",   "minutes", "mode",      "path",
		"policy",   "provider",  "required", "retry",    "rotation", "seconds", "size",      "sock",
		"socket",   "timeout",   "ttl",      "type",     "version",  NULL};
	static const char *const folders[] = {"PWD", "OLDPWD", "INIT_CWD", NULL};
	struct mw_secret_span word = {0, 0};
	struct mw_secret_span last = {0, 0};
	bool is_secret = false;
	if (is_one_of(folders, name, n))
		return false;
	for (size_t at = 0; next_word(name, n, &at, &word); last = word)
		is_secret |= is_one_of(words, name + word.at, word.bytes);
	char glued[128];
	size_t length = 0;
	for (size_t i = 0; i < n && length < sizeof(glued); i++)
		if (is_word(name[i]))
			glued[length++] = name[i];
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && !is_secret; i++) {
		size_t bytes = strlen(parts[i]);
		for (size_t at = 0; at + bytes <= length && !is_secret; at++)
			is_secret = strncasecmp(glued + at, parts[i], bytes) == 0;
	}
	if (!is_secret)
		return false;
	/* PGPASSFILE, as one word, too. */
	size_t tail = strlen("file");
	if (last.bytes > tail && strncasecmp(name + last.at + last.bytes - tail, "file", tail) == 0)
		return false;
	return !is_one_of(about, name + last.at, last.bytes);
}

/* ---- shapes ---- */

/* Keys and tokens of known makers: what they begin with, and how many characters follow at least. */
static const struct {
	const char *prefix;
	unsigned bytes;
	bool is_upper_only;
} tokens[] = {
	{"AKIA", 16, true},          {"ASIA", 16, true},
	{"ABIA", 16, true},          {"ACCA", 16, true},
	{"FwoGZXIvYXdz", 40, false}, {"IQoJb3JpZ2lu", 40, false}, /* session tokens of AWS */
	{"ghp_", 30, false},         {"gho_", 30, false},
	{"ghu_", 30, false},         {"ghs_", 30, false},
	{"ghr_", 30, false},         {"github_pat_", 22, false},
	{"glpat-", 16, false},       {"gldt-", 16, false},
	{"glrt-", 16, false},        {"glptt-", 16, false},
	{"glcbt-", 16, false},       {"xoxb-", 10, false},
	{"xoxp-", 10, false},        {"xoxa-", 10, false},
	{"xoxr-", 10, false},        {"xoxs-", 10, false},
	{"xoxe", 20, false},         {"xapp-", 10, false},
	{"sk_live_", 16, false},     {"sk_test_", 16, false},
	{"rk_live_", 16, false},     {"rk_test_", 16, false},
	{"whsec_", 16, false},       {"AIza", 35, false},
	{"ya29.", 20, false},        {"GOCSPX-", 20, false},
	{"1//0", 30, false},         {"npm_", 30, false},
	{"pypi-", 40, false},        {"dop_v1_", 40, false},
	{"SG.", 40, false},          {"hf_", 30, false},
	{"sk-ant-", 20, false},      {"sk-proj-", 20, false},
	{"sk-", 32, false},          {"shpat_", 30, false},
	{"shpss_", 30, false},       {"hvs.", 20, false},
	{"hvb.", 20, false},         {"dckr_pat_", 20, false},
	{"NRAK-", 20, false},        {"lin_api_", 30, false},
	{"dapi", 32, false},         {"key-", 32, false},
	{"EAAG", 60, false},         {"AGE-SECRET-KEY-1", 40, true},
};

static bool find_token(const char *text, size_t n, size_t at, struct mw_secret_span *ret)
{
	if (at > 0 && is_word(text[at - 1]))
		return false;
	for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
		if (*tokens[i].prefix != text[at])
			continue;
		size_t length = strlen(tokens[i].prefix);
		if (n - at < length + tokens[i].bytes || memcmp(text + at, tokens[i].prefix, length) != 0)
			continue;
		size_t end = at + length;
		while (end < n &&
		       (tokens[i].is_upper_only ? is_upper(text[end]) || is_digit(text[end]) : is_token(text[end])))
			end++;
		if (end - at < length + tokens[i].bytes || (end < n && is_word(text[end])))
			continue;
		*ret = (struct mw_secret_span){at, end - at};
		return true;
	}
	return false;
}

/* "eyJ….eyJ….…", RFC 7519: two JSON objects in base64url and a signature. */
static bool find_jwt(const char *text, size_t n, size_t at, struct mw_secret_span *ret)
{
	if (n - at < 20 || memcmp(text + at, "eyJ", 3) != 0 || (at > 0 && is_word(text[at - 1])))
		return false;
	unsigned dots = 0;
	size_t end = at;
	for (; end < n && is_token(text[end]) && text[end] != '/' && text[end] != '+'; end++)
		dots += text[end] == '.';
	*ret = (struct mw_secret_span){at, end - at};
	return dots >= 2;
}

/* "-----BEGIN … PRIVATE KEY-----", RFC 7468: all that follows. */
static bool find_pem(const char *text, size_t n, size_t at, struct mw_secret_span *ret)
{
	static const char begin[] = "-----BEGIN ";
	if (n - at < sizeof(begin) || memcmp(text + at, begin, sizeof(begin) - 1) != 0)
		return false;
	size_t room = n - at < 80 ? n - at : 80;
	*ret = (struct mw_secret_span){at, n - at};
	return memmem(text + at, room, "PRIVATE KEY-----", strlen("PRIVATE KEY-----"));
}

/* "scheme://user:password@host": the password, at its "://". */
static bool find_url_password(const char *text, size_t n, size_t at, struct mw_secret_span *ret)
{
	if (n - at < 4 || memcmp(text + at, "://", 3) != 0)
		return false;
	size_t from = at + 3;
	size_t end = from;
	size_t colon = 0;
	size_t last_at = 0;
	for (; end < n && text[end] != '/' && text[end] != '?' && text[end] != '#' && text[end] != ' ' &&
	       text[end] != '"' && text[end] != '\'';
	     end++) {
		if (text[end] == ':' && !colon && !last_at)
			colon = end;
		if (text[end] == '@')
			last_at = end;
	}
	if (!colon || last_at <= colon + 1)
		return false;
	*ret = (struct mw_secret_span){colon + 1, last_at - colon - 1};
	return true;
}

static bool ends_value(char c)
{
	return c == ' ' || c == ';' || c == '&' || c == ',' || c == '"' || c == '\'' || c == '\n' || c == '\t';
}

/* "password=…", "AccountKey=…", "?sig=…", "--token=…": what follows, at the '='. */
static bool find_assignment(const char *text, size_t n, size_t at, struct mw_secret_span *ret)
{
	if (text[at] != '=' || at == 0)
		return false;
	size_t name = at;
	while (name > 0 && (is_word(text[name - 1]) || strchr("-_.", text[name - 1])))
		name--;
	if (name == at || !mw_secret_name(text + name, at - name))
		return false;
	size_t end = at + 1;
	char quote = end < n && (text[end] == '"' || text[end] == '\'') ? text[end++] : '\0';
	size_t from = end;
	while (end < n && (quote ? text[end] != quote : !ends_value(text[end])))
		end++;
	*ret = (struct mw_secret_span){from, end - from};
	return end > from;
}

/* "Authorization: Bearer …", "Basic …": what follows the word, at the word. */
static bool find_bearer(const char *text, size_t n, size_t at, struct mw_secret_span *ret)
{
	static const char *const schemes[] = {"Bearer ", "Basic "};
	for (size_t i = 0; i < 2; i++) {
		size_t length = strlen(schemes[i]);
		if (n - at <= length || (at > 0 && is_word(text[at - 1])) ||
		    strncasecmp(text + at, schemes[i], length) != 0)
			continue;
		size_t end = at + length;
		while (end < n && is_token(text[end]))
			end++;
		*ret = (struct mw_secret_span){at + length, end - at - length};
		return ret->bytes >= 12;
	}
	return false;
}

/* "hooks.slack.com/services/T…/B…/…" and the like: the path is the secret. */
static bool find_webhook(const char *text, size_t n, size_t at, struct mw_secret_span *ret)
{
	static const char *const hooks[] = {"hooks.slack.com/services/", "discord.com/api/webhooks/",
					    "discordapp.com/api/webhooks/", ".webhook.office.com/"};
	for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++) {
		size_t length = strlen(hooks[i]);
		if (n - at <= length || memcmp(text + at, hooks[i], length) != 0)
			continue;
		size_t end = at + length;
		while (end < n && (is_token(text[end]) || text[end] == '@'))
			end++;
		*ret = (struct mw_secret_span){at + length, end - at - length};
		return ret->bytes > 0;
	}
	return false;
}

bool mw_secret_find(const char *text, size_t n, size_t from, struct mw_secret_span *ret)
{
	/* Each is looked for where a character makes it possible. */
	for (size_t at = from; at < n; at++) {
		bool is_found = false;
		switch (text[at]) {
		case '=':
			is_found = find_assignment(text, n, at, ret);
			break;
		case ':':
			is_found = find_url_password(text, n, at, ret);
			break;
		case '-':
			is_found = find_pem(text, n, at, ret);
			break;
		default:
			/* At the beginning of a word. */
			if ((is_word(text[at]) && (at == 0 || !is_word(text[at - 1]))) || text[at] == '.')
				is_found = find_token(text, n, at, ret) || find_jwt(text, n, at, ret) ||
					   find_bearer(text, n, at, ret) || find_webhook(text, n, at, ret);
		}
		if (is_found && ret->at >= from)
			return true;
	}
	return false;
}

/* ---- random ---- */

/* Shannon's, in bits a character. */
static double entropy(const char *text, size_t n)
{
	unsigned counts[256] = {0};
	double bits = 0;
	for (size_t i = 0; i < n; i++)
		counts[(unsigned char)text[i]]++;
	for (size_t i = 0; i < 256; i++)
		if (counts[i])
			bits -= counts[i] * log2((double)counts[i] / (double)n);
	return bits / (double)n;
}

bool mw_secret_is_random(const char *text, size_t n)
{
	enum {
		LEAST = 20,
		MOST = 8192,
	};
	unsigned lower = 0;
	unsigned upper = 0;
	unsigned digits = 0;
	unsigned hex = 0;
	unsigned changes = 0; /* from one kind of character to another: names have few */
	if (n < LEAST || n > MOST)
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = text[i];
		if (!is_token(c) || (c == '.' && n < 64)) /* a host, a file, a version */
			return false;
		lower += is_lower(c);
		upper += is_upper(c);
		digits += is_digit(c);
		hex += is_hex(c) || c == '-';
		if (i)
			changes += is_lower(c) != is_lower(text[i - 1]) || is_upper(c) != is_upper(text[i - 1]) ||
				   is_digit(c) != is_digit(text[i - 1]);
	}
	/* Hashes, commits and UUIDs are as random, and no secrets. */
	if (hex == n || !lower || !upper || !digits)
		return false;
	/* A path is words between slashes; base64 has one in 32 characters. */
	unsigned slashes = 0;
	for (size_t i = 0; i < n; i++)
		slashes += text[i] == '/';
	if (text[0] == '/' && slashes > 1 && slashes * 16 > n)
		return false;
	return changes * 20 >= n * 7 && entropy(text, n) >= 3.7;
}

bool mw_secret_is_guessable(const char *text, size_t n)
{
	enum {
		LEAST = 20,
		BITS = 64,
	};
	return n < LEAST || entropy(text, n) * (double)n < BITS;
}

#include "flag/enroll.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/secret.h"

static const char uptycs[] = "UPTYCS_SECRET";

/* The value of NAME=value, NULL for another variable. */
static char *value_of(char *entry, const char *name)
{
	size_t n = strlen(name);
	return strncmp(entry, name, n) == 0 && entry[n] == '=' ? entry + n + 1 : NULL;
}

static const char *find(char **environment, const char *name)
{
	for (; *environment; environment++) {
		const char *value = value_of(*environment, name);
		if (value && *value)
			return value;
	}
	return NULL;
}

/* All of that name: there may be several. */
static void take_away(char **environment, const char *name)
{
	char **kept = environment;
	for (; *environment; environment++) {
		if (value_of(*environment, name))
			explicit_bzero(*environment, strlen(*environment));
		else
			*kept++ = *environment;
	}
	*kept = NULL;
}

static bool is_arn(const char *text)
{
	return strncmp(text, "arn:", 4) == 0 && strlen(text) < MW_FLAG_TEXT_BYTES;
}

static void find_reference(const struct mw_flags *flags, char **environment, char *out, size_t room)
{
	const char *plain = mw_flag_text(flags, MW_FLAG_ENROLL_SECRET);
	const char *path = mw_flag_text(flags, MW_FLAG_ENROLL_SECRET_PATH);
	const char *variable = mw_flag_text(flags, MW_FLAG_ENROLL_SECRET_ENV);
	const char *given = find(environment, uptycs);
	if (*plain)
		(void)snprintf(out, room, "%s", plain);
	else if (*path)
		(void)snprintf(out, room, "file:%s", path);
	else if (*variable)
		(void)snprintf(out, room, "env:%s", variable);
	else
		(void)snprintf(out, room, "%s%s", given ? "env:" : "", given ? uptycs : "");
}

static size_t name_length(const char *text)
{
	size_t n = 0;
	for (;; n++) {
		bool is_letter = (text[n] | 32) >= 'a' && (text[n] | 32) <= 'z';
		bool is_digit = n && text[n] >= '0' && text[n] <= '9';
		if (!is_letter && !is_digit && text[n] != '_')
			return n;
	}
}

/* Each env:NAME in `at`. */
static int take_named(const char *at, char **environment, struct mw_enroll *enroll)
{
	static const char start[] = "env:";
	int r = 0;
	while (r == 0 && (at = strstr(at, start))) {
		at += sizeof(start) - 1;
		size_t n = name_length(at);
		struct mw_taken *taken = &enroll->taken[enroll->taken_count];
		if (!n || n >= sizeof(taken->name) || enroll->taken_count == MW_TAKEN)
			continue;
		memcpy(taken->name, at, n);
		taken->name[n] = '\0';
		const char *value = find(environment, taken->name);
		if (!value)
			continue; /* not set, or taken already */
		r = mw_secret_copy(value, strlen(value), &taken->secret);
		enroll->taken_count += r == 0;
		take_away(environment, taken->name);
	}
	return r;
}

void mw_enroll_release(struct mw_enroll *enroll)
{
	mw_secret_free(enroll->secret);
	enroll->secret = NULL;
	while (enroll->taken_count)
		mw_secret_free(enroll->taken[--enroll->taken_count].secret);
}

int mw_enroll_take(const struct mw_flags *flags, char **environment, struct mw_enroll *ret_enroll, struct mw_err *err)
{
	struct mw_enroll *enroll = ret_enroll;
	int r = 0;
	enroll->secret = NULL;
	enroll->taken_count = 0;
	find_reference(flags, environment, enroll->reference, sizeof(enroll->reference));
	if (strncmp(enroll->reference, "env:", 4) == 0) {
		char name[MW_FLAG_TEXT_BYTES + sizeof("file:")];
		(void)snprintf(name, sizeof(name), "%s", enroll->reference + 4);
		const char *value = find(environment, name);
		if (value && is_arn(value))
			(void)snprintf(enroll->reference, sizeof(enroll->reference), "%s", value);
		else if (value)
			r = mw_secret_copy(value, strlen(value), &enroll->secret);
		take_away(environment, name);
	}
	take_away(environment, uptycs);
	if (r == 0)
		r = take_named(mw_flag_text(flags, MW_FLAG_OUTPUTS), environment, enroll);
	if (r == 0)
		r = take_named(mw_flag_text(flags, MW_FLAG_BACKEND_OUTPUT_SECRETS), environment, enroll);
	return r < 0 ? mw_err_set(err, r, "out of memory for the secrets of the environment") : 0;
}

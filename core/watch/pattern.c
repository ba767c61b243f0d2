#include "watch/pattern.h"

#include "base/err.h"
#include "base/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum kind {
	LITERAL,
	GLOB, /* holds a wildcard */
	DEEP, /* %%: any name at any depth */
};

struct component {
	enum kind kind;
	const char *text;
	size_t size;
};

struct mw_pattern {
	bool is_exclude;
	char *base, *rest;
	char *names; /* the components' texts */
	unsigned count;
	struct component components[];
};

static bool is_wild(char c)
{
	return c == '%' || c == '*';
}

/* `%` is any part, also none; the rest is bytes.  Goes back to the last wildcard only, so it takes no longer than the
 * product of the lengths. */
static bool glob(const char *pattern, size_t pattern_size, const char *name, size_t size)
{
	size_t p = 0, n = 0, star = SIZE_MAX, star_n = 0;
	while (n < size) {
		if (p < pattern_size && is_wild(pattern[p])) {
			star = p++;
			star_n = n;
		} else if (p < pattern_size && pattern[p] == name[n]) {
			p++;
			n++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			n = ++star_n;
		} else {
			return false;
		}
	}
	while (p < pattern_size && is_wild(pattern[p]))
		p++;
	return p == pattern_size;
}

static bool fits(const struct component *component, const char *name, size_t size)
{
	if (component->kind == LITERAL)
		return component->size == size && !memcmp(component->text, name, size);
	return component->kind == DEEP || glob(component->text, component->size, name, size);
}

static enum kind kind_of(const char *text, size_t size, bool is_exclude)
{
	bool has_wild = false;
	bool all_wild = true;
	for (size_t i = 0; i < size; i++) {
		has_wild |= is_wild(text[i]);
		all_wild &= is_wild(text[i]);
	}
	if (all_wild && size == 2)
		return DEEP;
	if (is_exclude)
		return all_wild && size == 1 ? GLOB : LITERAL;
	return has_wild ? GLOB : LITERAL;
}

static bool is_within(const char *path, const char *directory)
{
	size_t n = strlen(directory);
	return !strncmp(path, directory, n) && (path[n] == '/' || path[n] == '\0');
}

static int add_component(struct mw_pattern *pattern, const char *text, const char *at, size_t size, struct mw_err *err)
{
	if (size == 0)
		return 0;
	if (size > 255)
		return mw_err_set(err, -EINVAL, "pattern '%.100s…': a name in it is longer than 255 bytes", text);
	if ((size == 1 && at[0] == '.') || (size == 2 && at[0] == '.' && at[1] == '.'))
		return mw_err_set(err, -EINVAL,
				  "pattern '%.200s': '.' and '..' are not resolved; write the path without them", text);
	if (pattern->count > 0 && pattern->components[pattern->count - 1].kind == DEEP)
		return mw_err_set(
			err, -EINVAL,
			"pattern '%.200s': %%%% means everything below and stands at the end only; use %% for one level",
			text);
	pattern->components[pattern->count++] =
		(struct component){.kind = kind_of(at, size, pattern->is_exclude), .text = at, .size = size};
	return 0;
}

/* "/a" + "/b" of what is before the first wildcard, and the same of what is behind. */
static int split(struct mw_pattern *pattern)
{
	size_t bytes = 2;
	for (unsigned i = 0; i < pattern->count; i++)
		bytes += pattern->components[i].size + 1;
	pattern->base = calloc(1, bytes);
	pattern->rest = calloc(1, bytes);
	if (!pattern->base || !pattern->rest)
		return -ENOMEM;
	char *to = pattern->base;
	bool is_rest = false;
	for (unsigned i = 0; i < pattern->count; i++) {
		const struct component *component = &pattern->components[i];
		if (component->kind != LITERAL && !is_rest) {
			to = pattern->rest;
			is_rest = true;
		}
		*to++ = '/';
		memcpy(to, component->text, component->size);
		to += component->size;
	}
	if (!pattern->base[0])
		pattern->base[0] = '/';
	return 0;
}

int mw_pattern_new(const char *text, bool is_exclude, struct mw_pattern **ret_pattern, struct mw_err *err)
{
	if (text[0] != '/')
		return mw_err_set(err, -EINVAL, "pattern '%.200s' is not an absolute path: begin it with '/'", text);
	size_t size = strlen(text);
	if (size >= MW_PATH_BYTES)
		return mw_err_set(err, -EINVAL, "pattern '%.100s…' is longer than a path can be (%d bytes)", text,
				  MW_PATH_BYTES - 1);
	unsigned slashes = 0;
	for (const char *c = text; *c; c++)
		slashes += *c == '/';
	struct mw_pattern *pattern = calloc(1, sizeof(*pattern) + slashes * sizeof(*pattern->components));
	if (!pattern || !(pattern->names = strdup(text))) {
		mw_pattern_free(pattern);
		return mw_err_set(err, -ENOMEM, "pattern '%.200s': out of memory", text);
	}
	pattern->is_exclude = is_exclude;
	int r = 0;
	for (char *at = pattern->names, *next; r == 0 && at; at = next) {
		next = strchr(at + 1, '/');
		if (next)
			*next = '\0'; /* each component a string of its own */
		r = add_component(pattern, text, at + 1, strlen(at + 1), err);
	}
	if (r == 0 && (r = split(pattern)) < 0)
		(void)mw_err_set(err, r, "pattern '%.200s': out of memory", text);
	if (r == 0 && !is_exclude && (is_within(pattern->base, "/proc") || is_within(pattern->base, "/sys")))
		r = mw_err_set(err, -EINVAL,
			       "pattern '%.200s': the kernel tells nothing of files in /proc and /sys; leave it out",
			       text);
	if (r < 0) {
		mw_pattern_free(pattern);
		return r;
	}
	*ret_pattern = pattern;
	return 0;
}

void mw_pattern_free(struct mw_pattern *pattern)
{
	if (!pattern)
		return;
	free(pattern->base);
	free(pattern->rest);
	free(pattern->names);
	free(pattern);
}

const char *mw_pattern_base(const struct mw_pattern *pattern)
{
	return pattern->base;
}

const char *mw_pattern_rest(const struct mw_pattern *pattern)
{
	return pattern->rest;
}

static bool is_plain(const struct mw_pattern *pattern)
{
	return pattern->rest[0] == '\0';
}

struct mw_pattern_step mw_pattern_step(const struct mw_pattern *pattern, unsigned at, const char *name, size_t size)
{
	struct mw_pattern_step step = {.at = at};
	if (at >= pattern->count) { /* directly in a directory that is named without a wildcard */
		step.is_match = true;
		return step;
	}
	const struct component *component = &pattern->components[at];
	if (!fits(component, name, size))
		return step;
	if (component->kind == DEEP) {
		step.is_match = step.leads = step.is_all = true;
		return step;
	}
	step.at = at + 1;
	step.is_match = step.at == pattern->count;
	if (pattern->is_exclude)
		step.is_all = step.is_match ? component->kind == LITERAL : pattern->components[step.at].kind == DEEP;
	step.leads = step.at < pattern->count || (!pattern->is_exclude && is_plain(pattern));
	return step;
}

const char *mw_pattern_name_at(const struct mw_pattern *pattern, unsigned at)
{
	if (at >= pattern->count || pattern->components[at].kind != LITERAL)
		return NULL;
	return pattern->components[at].text;
}

bool mw_pattern_may_match_at(const struct mw_pattern *pattern, unsigned at)
{
	return at + 1 >= pattern->count || pattern->components[at].kind == DEEP;
}

bool mw_pattern_is_deep_at(const struct mw_pattern *pattern, unsigned at)
{
	return at < pattern->count && pattern->components[at].kind == DEEP;
}

/* Walks down `path`; what the last step said. */
static struct mw_pattern_step walk(const struct mw_pattern *pattern, const char *path)
{
	struct mw_pattern_step step = {.leads = true};
	bool is_all = false;
	while (*path) {
		path += strspn(path, "/");
		size_t size = strcspn(path, "/");
		if (size == 0)
			break;
		if (!step.leads)
			return (struct mw_pattern_step){.is_match = is_all, .is_all = is_all};
		step = mw_pattern_step(pattern, step.at, path, size);
		is_all = pattern->is_exclude && step.is_match && step.is_all;
		path += size;
	}
	return step;
}

bool mw_pattern_matches(const struct mw_pattern *pattern, const char *path)
{
	return walk(pattern, path).is_match;
}

bool mw_pattern_leads_to(const struct mw_pattern *pattern, const char *directory)
{
	return walk(pattern, directory).leads;
}

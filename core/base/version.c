#include "base/version.h"

#include <stdbool.h>
#include <string.h>

/* What is left of a text. */
struct span {
	const char *at, *end;
};

/* In no locale: versions are ASCII, and other bytes are neither. */
static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The next byte, or -1 at the end. */
static int peek(const struct span *span)
{
	return span->at < span->end ? (unsigned char)*span->at : -1;
}

/* The bytes at the start that satisfy `is_wanted`; `span` goes on behind them. */
static struct span take(struct span *span, bool (*is_wanted)(int))
{
	struct span taken = {.at = span->at};
	while (span->at < span->end && is_wanted((unsigned char)*span->at))
		span->at++;
	taken.end = span->at;
	return taken;
}

static bool is_empty(struct span span)
{
	return span.at == span.end;
}

static size_t size_of(struct span span)
{
	return (size_t)(span.end - span.at);
}

static int sign(bool is_greater)
{
	return is_greater ? 1 : -1;
}

static int compare_sizes(struct span left, struct span right)
{
	return size_of(left) == size_of(right) ? 0 : sign(size_of(left) > size_of(right));
}

/* As strcmp(). */
static int compare_bytes(struct span left, struct span right)
{
	size_t common = size_of(left) < size_of(right) ? size_of(left) : size_of(right);
	int difference = common ? memcmp(left.at, right.at, common) : 0;
	return difference ? difference : compare_sizes(left, right);
}

static bool is_zero(int c)
{
	return c == '0';
}

/* Of digits, however many. */
static int compare_numbers(struct span left, struct span right)
{
	(void)take(&left, is_zero);
	(void)take(&right, is_zero);
	int sizes = compare_sizes(left, right);
	return sizes ? sizes : compare_bytes(left, right);
}

/* ---- any ---- */

static bool is_in_part(int c)
{
	return !strchr(".-~^:", c) || c == '\0';
}

static int compare_words(struct span left, struct span right)
{
	while (!is_empty(left) && !is_empty(right)) {
		int difference;
		if (is_digit(peek(&left)) && is_digit(peek(&right)))
			difference = compare_numbers(take(&left, is_digit), take(&right, is_digit));
		else
			difference = (unsigned char)*left.at++ - (unsigned char)*right.at++;
		if (difference)
			return difference;
	}
	return compare_sizes(left, right);
}

static int compare_parts(struct span left, struct span right)
{
	struct span left_rest = left;
	struct span right_rest = right;
	(void)take(&left_rest, is_digit);
	(void)take(&right_rest, is_digit);
	if (is_empty(left) || is_empty(right))
		return compare_sizes(left, right);
	if (is_empty(left_rest) && is_empty(right_rest))
		return compare_numbers(left, right);
	/* Of words ("rc2") the letters count; of numbers with letters ("10a") the length, as for osquery. */
	if (!is_digit(peek(&left)) && !is_digit(peek(&right)))
		return compare_words(left, right);
	int sizes = compare_sizes(left, right);
	return sizes ? sizes : compare_bytes(left, right);
}

static int compare_any(struct span left, struct span right)
{
	for (;;) {
		int difference = compare_parts(take(&left, is_in_part), take(&right, is_in_part));
		if (difference)
			return difference;
		if (is_empty(left) || is_empty(right))
			return compare_sizes(left, right);
		left.at++;
		right.at++;
	}
}

/* ---- EPOCH:VERSION-RELEASE ---- */

struct evr {
	struct span epoch, version, release;
	bool has_release;
};

static struct evr split(struct span text)
{
	struct evr evr = {.version = text};
	struct span rest = text;
	struct span digits = take(&rest, is_digit);
	if (peek(&rest) == ':') {
		evr.epoch = digits;
		evr.version.at = rest.at + 1;
	}
	for (const char *at = evr.version.end; at > evr.version.at; at--)
		if (at[-1] == '-') {
			evr.release = (struct span){at, evr.version.end};
			evr.version.end = at - 1;
			evr.has_release = true;
			break;
		}
	return evr;
}

static int compare_evr(struct span left_text, struct span right_text, bool is_release_optional,
		       int (*compare)(struct span, struct span))
{
	struct evr left = split(left_text);
	struct evr right = split(right_text);
	int difference = compare_numbers(left.epoch, right.epoch);
	if (!difference)
		difference = compare(left.version, right.version);
	if (!difference && (!is_release_optional || (left.has_release && right.has_release)))
		difference = compare(left.release, right.release);
	return difference;
}

/* ---- dpkg ---- */

/* "The letters sort earlier than all the non-letters, a tilde sorts before anything, even the end of a part." */
static int weigh(int c)
{
	if (c < 0 || is_digit(c))
		return 0;
	if (c == '~')
		return -1;
	return is_letter(c) ? c : c + 256;
}

static int compare_dpkg(struct span left, struct span right)
{
	while (!is_empty(left) || !is_empty(right)) {
		while ((!is_empty(left) && !is_digit(peek(&left))) || (!is_empty(right) && !is_digit(peek(&right)))) {
			int difference = weigh(peek(&left)) - weigh(peek(&right));
			if (difference)
				return difference;
			/* Of equal weight, so neither is at a number. */
			left.at++;
			right.at++;
		}
		int difference = compare_numbers(take(&left, is_digit), take(&right, is_digit));
		if (difference)
			return difference;
	}
	return 0;
}

/* ---- rpm ---- */

static bool separates_rpm(int c)
{
	return !is_digit(c) && !is_letter(c) && c != '~' && c != '^';
}

static bool is_alphanumeric(int c)
{
	return is_digit(c) || is_letter(c);
}

/* One run of digits or of letters from each, by what the left one begins with.  Not the same kind: numbers are later. */
static int compare_runs(struct span *left, struct span *right)
{
	bool is_number = is_digit(peek(left));
	struct span left_run = take(left, is_number ? is_digit : is_letter);
	struct span right_run = take(right, is_number ? is_digit : is_letter);
	if (is_empty(right_run))
		return sign(is_number);
	return is_number ? compare_numbers(left_run, right_run) : compare_bytes(left_run, right_run);
}

static int compare_rpm(struct span left, struct span right)
{
	for (;;) {
		(void)take(&left, separates_rpm);
		(void)take(&right, separates_rpm);
		int l = peek(&left);
		int r = peek(&right);
		if (l == '~' || r == '~') { /* before the end */
			if (l != r)
				return sign(l != '~');
		} else if (l == '^' || r == '^') { /* behind the end, before anything else */
			if (l != r)
				return l < 0 || r < 0 ? sign(l == '^') : sign(l != '^');
		} else if (l < 0 || r < 0) {
			return compare_sizes(left, right);
		} else {
			int difference = compare_runs(&left, &right);
			if (difference)
				return difference;
			continue;
		}
		left.at++;
		right.at++;
	}
}

/* ---- pacman ---- */

static bool separates_arch(int c)
{
	return !is_alphanumeric(c);
}

static int compare_arch(struct span left, struct span right)
{
	while (!is_empty(left) && !is_empty(right)) {
		struct span left_separator = take(&left, separates_arch);
		struct span right_separator = take(&right, separates_arch);
		if (is_empty(left) || is_empty(right))
			break;
		int difference = compare_sizes(left_separator, right_separator);
		if (!difference)
			difference = compare_runs(&left, &right);
		if (difference)
			return difference;
	}
	if (is_empty(left) && is_empty(right))
		return 0;
	/* Letters that are left over make a version earlier ("1.0rc" < "1.0"), anything else later. */
	if (is_empty(left))
		return sign(is_letter(peek(&right)));
	return sign(!is_letter(peek(&left)));
}

int mw_version_compare(enum mw_version_flavour flavour, const char *left, size_t left_bytes, const char *right,
		       size_t right_bytes)
{
	struct span l = {left, left + left_bytes};
	struct span r = {right, right + right_bytes};
	switch (flavour) {
	case MW_VERSION_ANY:
		return compare_any(l, r);
	case MW_VERSION_DPKG:
		return compare_evr(l, r, false, compare_dpkg);
	case MW_VERSION_RHEL:
		return compare_evr(l, r, true, compare_rpm);
	case MW_VERSION_ARCH:
		return compare_evr(l, r, true, compare_arch);
	}
	return 0;
}

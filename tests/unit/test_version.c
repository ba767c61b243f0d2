/* Versions, against the order that those who number them say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/version.h"

static int sign_of(int n)
{
	return (n > 0) - (n < 0);
}

/* Texts end where they end: what is behind must not be read. */
static int compare(enum mw_version_flavour flavour, const char *left, const char *right)
{
	char *l = malloc(strlen(left) + 1);
	char *r = malloc(strlen(right) + 1);
	assert_non_null(l);
	assert_non_null(r);
	memset(l, '9', strlen(left) + 1);
	memset(r, '9', strlen(right) + 1);
	memcpy(l, left, strlen(left));
	memcpy(r, right, strlen(right));
	int result = sign_of(mw_version_compare(flavour, l, strlen(left), r, strlen(right)));
	assert_int_equal(-result, sign_of(mw_version_compare(flavour, r, strlen(right), l, strlen(left))));
	free(l);
	free(r);
	return result;
}

static void check(enum mw_version_flavour flavour, const char *left, int expected, const char *right)
{
	int found = compare(flavour, left, right);
	if (found != expected)
		fail_msg("\"%s\" against \"%s\": %d, should be %d", left, right, found, expected);
}

/* Words in rising order; what is joined by '=' is equal. */
static void check_rising(enum mw_version_flavour flavour, const char *text)
{
	char copy[1024];
	char *words[128];
	unsigned ranks[128];
	unsigned count = 0;
	unsigned rank = 0;
	assert_true(strlen(text) < sizeof(copy));
	(void)snprintf(copy, sizeof(copy), "%s", text);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
		if (strcmp(word, "=") == 0) {
			rank--;
			continue;
		}
		words[count] = word;
		ranks[count++] = rank++;
	}
	for (unsigned i = 0; i < count; i++)
		for (unsigned k = 0; k < count; k++)
			check(flavour, words[i], (ranks[i] > ranks[k]) - (ranks[i] < ranks[k]), words[k]);
}

static void any_version(void **state)
{
	(void)state;
	check_rising(MW_VERSION_ANY,
		     "1 1.0 1.0.0 1.0.1 1.0.9 1.0.10 1.9 1.10 1.10.1 2 10 10.0 123456789012345678901234567890");
	/* As osquery documents it. */
	check(MW_VERSION_ANY, "50.4.1b", -1, "50.4.1c");
	check(MW_VERSION_ANY, "20.10a", 1, "20.102");
	check(MW_VERSION_ANY, "1.0", 0, "1.0");
	check_rising(MW_VERSION_ANY, "1.0-beta 1.0-beta2 1.0-rc9 1.0-rc10");
	check(MW_VERSION_ANY, "1.01", 0, "1.1");
	check(MW_VERSION_ANY, "", -1, "0");
	check(MW_VERSION_ANY, "", 0, "");
	check(MW_VERSION_ANY, "2", 1, "1.5");
}

static void version_of_dpkg(void **state)
{
	(void)state;
	check_rising(MW_VERSION_DPKG,
		     "1.0~~ 1.0~~a 1.0~ 1.0~rc1 1.0 = 0:1.0 = 1.0-0 = 00:1.00 1.0-1~bpo1 1.0-1 1.0-1+b1 1.0a "
		     "1.0+dfsg 1.0-a-1 1.0.1 1.9 1.10 1:0.1 10:0");
	check_rising(MW_VERSION_DPKG,
		     "22.07.5-2ubuntu1.3 22.07.5-2ubuntu1.4 2:8.2.3995-1ubuntu2.3 2:8.2.3995-1ubuntu2.9");
	check(MW_VERSION_DPKG, "", 0, "0");
}

/* dpkg is asked itself about pairs made of what versions are made of. */
static void dpkg_agrees(void **state)
{
	(void)state;
	static const char *const parts[] = {"0", "1", "9", "10", "007", "a", "Z", "rc", "~", "+", ".", "-", "1:", "0:"};
	enum {
		PARTS = sizeof(parts) / sizeof(*parts),
		PAIRS = 150,
	};
	if (access("/usr/bin/dpkg", X_OK) < 0) {
		print_message("no dpkg here\n");
		skip();
	}
	uint32_t seed = 20;
	for (unsigned pair = 0; pair < PAIRS; pair++) {
		char versions[2][64];
		for (unsigned side = 0; side < 2; side++) {
			char *version = versions[side];
			size_t at = 1;
			(void)snprintf(version, sizeof(versions[0]), "1"); /* a version of Debian begins with a digit */
			for (unsigned i = 0; i < 5; i++) {
				seed = seed * 1103515245 + 12345;
				const char *part = parts[(seed >> 16) % PARTS];
				bool is_epoch = strchr(part, ':') != NULL;
				if (is_epoch && i == 0)
					at = 0;
				else if (is_epoch)
					continue;
				at += (size_t)snprintf(version + at, sizeof(versions[0]) - at, "%s", part);
			}
			if (strchr(version, ':') && !(version[2] >= '0' && version[2] <= '9'))
				memcpy(version + 2, "3", version[2] ? 1 : 2);
			at = strlen(version);
			(void)snprintf(version + at, sizeof(versions[0]) - at, "0"); /* a release is not empty */
		}
		char command[256];
		(void)snprintf(command, sizeof(command), "dpkg --compare-versions '%s' lt '%s' 2>/dev/null",
			       versions[0], versions[1]);
		int lt = system(command); /* NOLINT(cert-env33-c): the authority */
		(void)snprintf(command, sizeof(command), "dpkg --compare-versions '%s' gt '%s' 2>/dev/null",
			       versions[0], versions[1]);
		int gt = system(command); /* NOLINT(cert-env33-c): likewise */
		check(MW_VERSION_DPKG, versions[0], (gt == 0) - (lt == 0), versions[1]);
	}
}

static void version_of_rpm(void **state)
{
	(void)state;
	check_rising(
		MW_VERSION_RHEL,
		"xyz.10 = xyz10 1.0~rc1 1.0~rc1^git1 1.0 = 1_0 = 1.0-5 = 0:1.0 1.0^ 1.0^git1 = 1.0^git1 1.0^20160101 "
		"1.0^20160101^git1 1.0^20160102 1.0.1 1.0.1^20160101 1.1 1.10 2.a 2.0 "
		"2.0.1 2.0.1a 4.999.9 5.0 5.5p1 5.5p2 5.5p10 5.6p1 10xyz 10.1 = 10.0001 10.1xyz 10.1.1 1:0");
	check(MW_VERSION_RHEL, "1.0-1", -1, "1.0-2");
	check(MW_VERSION_RHEL, "1.0-1.el8", -1, "1.0-1.el9");
	check(MW_VERSION_RHEL, "1.0.0~rc2^2021", -1, "1.0.0");
	check(MW_VERSION_RHEL, "1.1.0~BETA2", -1, "1.1.0~CR1");
	check(MW_VERSION_RHEL, "1.0^git1~pre", -1, "1.0^git1");
	check(MW_VERSION_RHEL, "6.0", -1, "6.0.rc1");
	check(MW_VERSION_RHEL, "10b2", 1, "10a1");
	check(MW_VERSION_RHEL, "a+", 0, "a_");
	check(MW_VERSION_RHEL, "1b.fc17", -1, "1.fc17");
	check(MW_VERSION_RHEL, "1g.fc17", 1, "1.fc17");
}

static void version_of_pacman(void **state)
{
	(void)state;
	check_rising(MW_VERSION_ARCH,
		     "1.0a 1.0b 1.0beta 1.0p 1.0pre 1.0rc 1.0 = 1.0-7 = 0:1.0 1.0.a 1.0.1 2 2.0 2.0.1 10 1:0");
	check_rising(MW_VERSION_ARCH, "1.0.0 1.0..0 2-2pre 2-2rc 2-3 42.1-2 42.2-1");
	check(MW_VERSION_ARCH, "4:1.1.0", 0, "4:1.1.0-3");
	check(MW_VERSION_ARCH, "1:1.2.13-2", 1, "4.2.1");
	check(MW_VERSION_ARCH, "1.001", 0, "1.1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_version),    cmocka_unit_test(version_of_dpkg),   cmocka_unit_test(dpkg_agrees),
		cmocka_unit_test(version_of_rpm), cmocka_unit_test(version_of_pacman),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Which of two versions is the later one, as those who number them see it. */
#pragma once

#include <stddef.h>

enum mw_version_flavour {
	/* Of anything: parts between . - ~ ^ and : are compared one by one; of two numbers the larger is later, else the longer
	 * part, else by bytes.  What goes on is later than what ends. */
	MW_VERSION_ANY,
	/* EPOCH:VERSION-RELEASE, deb-version(7). */
	MW_VERSION_DPKG,
	/* The same of rpm: rpm-version(7); without a release, any release is equal. */
	MW_VERSION_RHEL,
	/* The same of pacman: vercmp(8). */
	MW_VERSION_ARCH,
};

/* Less than, equal to or greater than 0, as `left` is earlier than, as good as or later than `right`.  Texts need no NUL. */
int mw_version_compare(enum mw_version_flavour flavour, const char *left, size_t left_bytes, const char *right,
		       size_t right_bytes);

/* Packages that are installed: one interface to what the package managers leave behind.
 *
 * A reader looks below a root folder, calls the sink for each package and for what it has to complain of.  Whatever it
 * reads is foreign, and may have been written to hurt: it is bounded, and what can be had of a broken file is had, with
 * one warning that names the file. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct mw_buf;

enum mw_package_kind {
	MW_PACKAGE_DEB,
	MW_PACKAGE_RPM,
	MW_PACKAGE_APK,
	MW_PACKAGE_NPM,
	MW_PACKAGE_PYTHON,
	MW_PACKAGE_GEM,
	MW_PACKAGE_COMPOSER,
	MW_PACKAGE_JAVA,
	MW_PACKAGE_GO,
	MW_PACKAGE_RUST,
	MW_PACKAGE_KINDS,
};

/* Zeroed but for `kind` is valid.  Texts are NULL where nothing is known, and borrowed for the call. */
struct mw_package {
	enum mw_package_kind kind;
	const char *name;
	const char *version; /* as the package manager prints it; of rpm without epoch and release */
	const char *release; /* rpm: release; deb: the Debian revision, what follows the last dash of the version */
	const char *arch;    /* gem: the platform */
	const char *source;  /* name of the source package; composer, go: where it was fetched */
	const char *vendor;  /* rpm, java */
	const char *maintainer;
	const char *author;
	const char *license;
	const char *homepage;
	const char *summary; /* one line */
	const char *group;   /* deb: section; rpm: group; java: groupId; go: path of the main module */
	const char *priority;
	const char *status;   /* deb: as dpkg writes it, "install ok installed" */
	const char *hash;     /* rpm: SHA-1 of the header; go: the sum of go.sum; apk: checksum */
	const char *path;     /* of the file that tells of it, from the root: "/usr/lib/…" */
	const char *scope;    /* go: "main", "dependency" or "toolchain"; rust: "runtime" or "build" */
	const char *replaces; /* go: the module in whose place it was built in, as PATH@VERSION */
	const char *compiler; /* go: as "go1.22.1" */
	const char *settings; /* go: how the main module was built, KEY=VALUE a line */
	/* Folder it belongs to: where the outermost node_modules is, or site-packages. */
	const char *directory;
	int64_t epoch;        /* rpm */
	int64_t size;         /* installed: bytes, of deb KiB */
	int64_t install_time; /* seconds since 1970, 0 unknown */
	int64_t build_time;   /* likewise */
	uint32_t uid;         /* owner of the file at `path`, where a walk found it */
	int depth;            /* npm: how many node_modules above the innermost; java: how many jars it is inside of */
	bool has_epoch, has_size;
	bool is_root; /* rust: what the others were built for */
};

/* Where packages go. */
struct mw_package_sink {
	/* 0, or a negative errno, which ends the reading and is returned by the reader. */
	int (*emit)(void *data, const struct mw_package *package);
	/* Something that a person should know, without a newline. */
	void (*warn)(void *data, const char *line);
	void *data;
	int64_t deadline_ns; /* CLOCK_MONOTONIC; INT64_MAX for none */
	/* Asked now and then, from any thread: has whoever waits for it had enough?  NULL for never. */
	bool (*is_unwanted)(void);
};

/* emit() of a package that has a name; others are dropped. */
int mw_package_emit(const struct mw_package_sink *sink, const struct mw_package *package);
/* Control characters become '?'. */
__attribute__((format(printf, 2, 3))) void mw_package_warn(const struct mw_package_sink *sink, const char *format, ...);
/* -ETIME past the deadline, or when it is not wanted any more; else 0. */
int mw_package_check_time(const struct mw_package_sink *sink);

/* Open what is at `path` ("/…") below the root: symbolic links lead nowhere else (where the kernel can see to it,
 * openat2(2)), and nothing that is there makes us wait.  `flags` as for open(2). */
int mw_package_open(int rootfd, const char *path, int flags, int *ret_fd);
/* The same for a regular file, to read.  -EPROTO for what is none. */
int mw_package_open_file(int rootfd, const char *path, int *ret_fd, struct stat *ret_stat);
/* Append the whole of a regular file.  What is longer than the buffer may be: -EFBIG, with the part that fits. */
int mw_package_read_file(int rootfd, const char *path, struct mw_buf *buf);

/* Names in a folder, sorted; but those that begin with a dot. */
struct mw_package_names {
	char **list;
	size_t count;
	size_t max; /* more are left out, with a warning */
};

void mw_package_names_release(struct mw_package_names *names);
/* No names when there is no such folder.  0, -ENOMEM or -ETIME. */
int mw_package_list(int rootfd, const char *folder, struct mw_package_names *names, const struct mw_package_sink *sink);

/* Headers: https://rpm-software-management.github.io/rpm/manual/format_header.html */

#include "pkg/rpm.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/limits.h"
#include "pkg/rpm_formats.h"

enum {
	INDEX_ENTRIES = 0xffff, /* as rpm allows */
	INTRO_BYTES = 8,
	ENTRY_BYTES = 16,
};

/* Of rpmtag.h. */
enum tag {
	TAG_SHA1 = 269,
	TAG_NAME = 1000,
	TAG_VERSION = 1001,
	TAG_RELEASE = 1002,
	TAG_EPOCH = 1003,
	TAG_SUMMARY = 1004,
	TAG_INSTALLTIME = 1008,
	TAG_SIZE = 1009,
	TAG_VENDOR = 1011,
	TAG_LICENSE = 1014,
	TAG_PACKAGER = 1015,
	TAG_GROUP = 1016,
	TAG_URL = 1020,
	TAG_ARCH = 1022,
	TAG_SOURCERPM = 1044,
	TAG_LONGSIZE = 5009,
};

enum type {
	TYPE_INT32 = 4,
	TYPE_INT64 = 5,
	TYPE_STRING = 6,
	TYPE_STRING_ARRAY = 8,
	TYPE_I18NSTRING = 9,
};

struct header {
	const uint8_t *index;
	uint32_t entries;
	const uint8_t *data;
	uint32_t size;
};

static uint32_t be32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static bool parse_header(const uint8_t *blob, size_t size, struct header *ret)
{
	if (size < INTRO_BYTES)
		return false;
	uint32_t entries = be32(blob);
	uint32_t bytes = be32(blob + 4);
	if (entries == 0 || entries > INDEX_ENTRIES)
		return false;
	size_t index_bytes = (size_t)entries * ENTRY_BYTES;
	if (size - INTRO_BYTES < index_bytes || size - INTRO_BYTES - index_bytes < bytes)
		return false;
	*ret = (struct header){
		.index = blob + INTRO_BYTES,
		.entries = entries,
		.data = blob + INTRO_BYTES + index_bytes,
		.size = bytes,
	};
	return true;
}

/* Where the data of a tag are; NULL without, or when they would be outside. */
static const uint8_t *find(const struct header *header, enum tag tag, enum type *ret_type, size_t *ret_left)
{
	for (uint32_t i = 0; i < header->entries; i++) {
		const uint8_t *entry = header->index + (size_t)i * ENTRY_BYTES;
		if (be32(entry) != (uint32_t)tag)
			continue;
		uint32_t offset = be32(entry + 8);
		uint32_t count = be32(entry + 12);
		if (count == 0 || offset >= header->size)
			return NULL;
		*ret_type = (enum type)be32(entry + 4);
		*ret_left = header->size - offset;
		return header->data + offset;
	}
	return NULL;
}

/* The first of several. */
static const char *string(const struct header *header, enum tag tag)
{
	enum type type;
	size_t left;
	const uint8_t *at = find(header, tag, &type, &left);
	if (!at || (type != TYPE_STRING && type != TYPE_STRING_ARRAY && type != TYPE_I18NSTRING) ||
	    !memchr(at, '\0', left))
		return NULL;
	return (const char *)at;
}

static bool number(const struct header *header, enum tag tag, int64_t *ret)
{
	enum type type;
	size_t left;
	const uint8_t *at = find(header, tag, &type, &left);
	if (at && type == TYPE_INT32 && left >= 4)
		*ret = be32(at);
	else if (at && type == TYPE_INT64 && left >= 8)
		*ret = (int64_t)((uint64_t)be32(at) << 32 | be32(at + 4));
	else
		return false;
	return true;
}

void mw_rpm_warn(struct mw_rpm_database *database, const char *format, ...)
{
	char text[MW_ERR_BYTES];
	va_list arguments;
	if (database->is_warned)
		return;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	mw_package_warn(database->sink, "%s: %s", database->path, text);
	database->is_warned = true;
}

int mw_rpm_pread(const struct mw_rpm_database *database, void *to, size_t n, uint64_t offset)
{
	char *at = to;
	while (n) {
		ssize_t got = offset > INT64_MAX ? 0 : pread(database->fd, at, n, (off_t)offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -EPROTO;
		at += got;
		n -= (size_t)got;
		offset += (uint64_t)got;
	}
	return 0;
}

int mw_rpm_header(struct mw_rpm_database *database, const uint8_t *blob, size_t size)
{
	struct header header;
	if (!parse_header(blob, size, &header) || !string(&header, TAG_NAME)) {
		mw_rpm_warn(database, "a package in it is damaged; left out");
		return mw_package_check_time(database->sink);
	}
	struct mw_package package = {
		.kind = MW_PACKAGE_RPM,
		.name = string(&header, TAG_NAME),
		.version = string(&header, TAG_VERSION),
		.release = string(&header, TAG_RELEASE),
		.arch = string(&header, TAG_ARCH),
		.source = string(&header, TAG_SOURCERPM),
		.vendor = string(&header, TAG_VENDOR),
		.maintainer = string(&header, TAG_PACKAGER),
		.license = string(&header, TAG_LICENSE),
		.homepage = string(&header, TAG_URL),
		.summary = string(&header, TAG_SUMMARY),
		.group = string(&header, TAG_GROUP),
		.hash = string(&header, TAG_SHA1),
		.path = database->path,
	};
	package.has_epoch = number(&header, TAG_EPOCH, &package.epoch);
	/* Of packages of 4 GiB and more, SIZE is not there. */
	package.has_size = number(&header, TAG_SIZE, &package.size) || number(&header, TAG_LONGSIZE, &package.size);
	(void)number(&header, TAG_INSTALLTIME, &package.install_time);
	int r = mw_package_check_time(database->sink);
	return r < 0 ? r : mw_package_emit(database->sink, &package);
}

/* 1 when it was there. */
static int read_database(struct mw_rpm_database *database, int (*read)(struct mw_rpm_database *database),
			 struct stat *seen)
{
	MW_AUTO_FD fd = -1;
	struct stat st;
	int r = mw_package_open_file(database->rootfd, database->path, &fd, &st);
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0) {
		mw_rpm_warn(database, "cannot be read: %s", r == -EPROTO ? "not a file" : strerror(-r));
		return 1;
	}
	/* /var/lib/rpm is a link on newer systems. */
	if (st.st_dev == seen->st_dev && st.st_ino == seen->st_ino)
		return 1;
	*seen = st;
	database->fd = fd;
	database->size = (uint64_t)st.st_size;
	r = read(database);
	return r < 0 ? r : 1;
}

int mw_rpm_read(int rootfd, const struct mw_package_sink *sink)
{
	static const char *const folders[] = {"/var/lib/rpm", "/usr/lib/sysimage/rpm", "/usr/share/rpm"};
	/* Of an older format one may be left beside a newer. */
	static const struct {
		const char *name;
		int (*read)(struct mw_rpm_database *database);
	} formats[] = {
		{"rpmdb.sqlite", mw_rpm_sqlite_read},
		{"Packages.db", mw_rpm_ndb_read},
		{"Packages", mw_rpm_bdb_read},
	};
	struct stat seen = {0};
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		int r = 0;
		for (size_t j = 0; j < sizeof(formats) / sizeof(formats[0]) && r == 0; j++) {
			char path[MW_PATH_BYTES];
			(void)snprintf(path, sizeof(path), "%s/%s", folders[i], formats[j].name);
			struct mw_rpm_database database = {.rootfd = rootfd, .path = path, .sink = sink};
			r = read_database(&database, formats[j].read, &seen);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

/* The fields of what a sensor reports, declared once.
 *
 * A shape is a list of fields of one kind of object (an event, a process); a field has a name, a type, a unit, a text
 * and a function that reads it.  JSON keys, Lua accessors, columns of event tables, editor types and documentation are
 * all derived from these lists: see event_shapes.c for the lists themselves.
 *
 * What a value points to is borrowed from the object, and lives as long as it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

struct mw_buf;
struct mw_shape;

enum mw_type {
	MW_NONE, /* absent: null, nil, NULL */
	MW_INT,  /* 64 bit */
	MW_BOOL,
	MW_TEXT,    /* bytes, as the kernel gave them; not always UTF-8 */
	MW_TIME,    /* nanoseconds since the epoch; RFC 3339 in JSON */
	MW_STRINGS, /* a list of texts */
	MW_OBJECT,  /* one object of another shape */
	MW_OBJECTS, /* a list of such */
};

struct mw_value {
	enum mw_type type;
	/* MW_OBJECTS: how many of `objects` are set. */
	unsigned count;
	union {
		int64_t integer; /* MW_INT, MW_BOOL, MW_TIME */
		struct {
			/* MW_TEXT: `bytes` bytes.  MW_STRINGS: strings one after the other, each with its NUL,
			 * `bytes` bytes in all. */
			const char *text;
			size_t bytes;
		};
		const void *object; /* MW_OBJECT */
		const void *objects[MW_ANCESTORS];
	};
};

struct mw_field {
	const char *name;
	enum mw_type type;
	/* "ms", "bytes"; NULL where there is none. */
	const char *unit;
	const char *doc;
	/* MW_OBJECT, MW_OBJECTS: the shape of what it holds. */
	const struct mw_shape *shape;
	/* MW_OBJECT, MW_OBJECTS: names of the fields that JSON gives of it, ended by NULL; NULL for all.  (Lua sees
	 * them all.) */
	const char *const *json_only;
	/* Set *ret to the value; *ret is MW_NONE when called. */
	void (*get)(const void *object, struct mw_value *ret);
	/* For a field that costs something to find out: what is known already, for JSON.  NULL: as `get`. */
	void (*get_known)(const void *object, struct mw_value *ret);
};

struct mw_shape {
	const char *name;
	const char *doc;
	const struct mw_field *fields; /* ended by a field without a name */
};

/* NULL when there is no such field. */
const struct mw_field *mw_shape_field(const struct mw_shape *shape, const char *name);

/* The value at a dotted path ("process.parent.name"); MW_NONE when absent.
 * Returns 0, or -ENOENT when the shape has no such path. */
int mw_shape_get(const struct mw_shape *shape, const void *object, const char *path, struct mw_value *ret);

/* Append `object` as a JSON object on one line; absent fields are left out. */
void mw_shape_json(struct mw_buf *buf, const struct mw_shape *shape, const void *object);

/* The same without the braces and without a leading comma; for callers that add members of their own. */
void mw_shape_json_members(struct mw_buf *buf, const struct mw_shape *shape, const void *object);

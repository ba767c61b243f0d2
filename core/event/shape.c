#include "event/shape.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"

const struct mw_field *mw_shape_field(const struct mw_shape *shape, const char *name)
{
	for (const struct mw_field *field = shape->fields; field->name; field++)
		if (strcmp(field->name, name) == 0)
			return field;
	return NULL;
}

int mw_shape_get(const struct mw_shape *shape, const void *object, const char *path, struct mw_value *ret)
{
	char name[64];
	for (;;) {
		size_t length = strcspn(path, ".");
		if (length >= sizeof(name))
			return -ENOENT;
		memcpy(name, path, length);
		name[length] = '\0';

		const struct mw_field *field = mw_shape_field(shape, name);
		if (!field)
			return -ENOENT;
		ret->type = MW_NONE;
		if (object)
			field->get(object, ret);
		if (path[length] == '\0')
			return 0;
		if (field->type != MW_OBJECT)
			return -ENOENT;
		object = ret->type == MW_OBJECT ? ret->object : NULL;
		shape = field->shape;
		path += length + 1;
	}
}

static bool is_listed(const char *const *names, const char *name)
{
	for (; *names; names++)
		if (**names == *name && strcmp(*names, name) == 0)
			return true;
	return false;
}

static void members(struct mw_buf *buf, const struct mw_shape *shape, const void *object, const char *const *only);

static void put_name(struct mw_buf *buf, const char *name, bool is_first)
{
	size_t n = strlen(name);
	char *out = mw_buf_reserve(buf, n + 4);
	if (!out)
		return;
	char *start = out;
	if (!is_first)
		*out++ = ',';
	*out++ = '"';
	memcpy(out, name, n);
	out += n;
	memcpy(out, "\":", 3);
	buf->size += (size_t)(out + 2 - start);
}

static void object_json(struct mw_buf *buf, const struct mw_field *field, const void *object)
{
	mw_buf_char(buf, '{');
	members(buf, field->shape, object, field->json_only);
	mw_buf_char(buf, '}');
}

static void value_json(struct mw_buf *buf, const struct mw_field *field, const struct mw_value *value)
{
	char time[MW_RFC3339_BYTES];
	const char *separator = "";
	switch (value->type) {
	case MW_NONE:
		mw_buf_str(buf, "null");
		break;
	case MW_INT:
		mw_buf_int(buf, value->integer);
		break;
	case MW_BOOL:
		mw_buf_str(buf, value->integer ? "true" : "false");
		break;
	case MW_TEXT:
		mw_json_string(buf, value->text, value->bytes);
		break;
	case MW_TIME:
		mw_clock_rfc3339(value->integer, time);
		mw_json_string(buf, time, strlen(time));
		break;
	case MW_STRINGS:
		mw_buf_char(buf, '[');
		for (size_t at = 0; at < value->bytes;) {
			size_t length = strnlen(value->text + at, value->bytes - at);
			mw_buf_str(buf, separator);
			mw_json_string(buf, value->text + at, length);
			separator = ",";
			at += length + 1;
		}
		mw_buf_char(buf, ']');
		break;
	case MW_OBJECT:
		object_json(buf, field, value->object);
		break;
	case MW_OBJECTS:
		mw_buf_char(buf, '[');
		for (unsigned i = 0; i < value->count; i++) {
			mw_buf_str(buf, separator);
			object_json(buf, field, value->objects[i]);
			separator = ",";
		}
		mw_buf_char(buf, ']');
		break;
	}
}

static void members(struct mw_buf *buf, const struct mw_shape *shape, const void *object, const char *const *only)
{
	bool is_first = true;
	for (const struct mw_field *field = shape->fields; field->name; field++) {
		if (only && !is_listed(only, field->name))
			continue;
		struct mw_value value; /* large, and mostly not used: so only its type is set */
		value.type = MW_NONE;
		(field->get_known ? field->get_known : field->get)(object, &value);
		if (value.type == MW_NONE)
			continue;
		put_name(buf, field->name, is_first);
		value_json(buf, field, &value);
		is_first = false;
	}
}

void mw_shape_json_members(struct mw_buf *buf, const struct mw_shape *shape, const void *object)
{
	members(buf, shape, object, NULL);
}

void mw_shape_json(struct mw_buf *buf, const struct mw_shape *shape, const void *object)
{
	mw_buf_char(buf, '{');
	members(buf, shape, object, NULL);
	mw_buf_char(buf, '}');
}

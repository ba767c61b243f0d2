#include "rule/message.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/nearest.h"
#include "event/event.h"
#include "script/text.h"

enum {
	FIELD_BYTES = 64,
	/* Of one value, so that a long argument list leaves room for the rest of the sentence. */
	VALUE_BYTES = 200,
};

/* The parts of a template, one after the other. */
struct part {
	const char *text; /* literal text, or NULL for a field */
	size_t bytes;
	char field[FIELD_BYTES];
};

/* The part at *at, which moves on.  1; 0 at the end; -EINVAL for a brace without its partner. */
static int next_part(const char **at, struct part *ret)
{
	const char *s = *at;
	if (!*s)
		return 0;
	ret->text = s;
	if ((s[0] == '{' || s[0] == '}') && s[1] == s[0]) {
		ret->bytes = 1;
		*at = s + 2;
		return 1;
	}
	if (*s != '{') {
		ret->bytes = strcspn(s, "{}");
		*at = s + ret->bytes;
		return ret->bytes ? 1 : -EINVAL;
	}
	size_t length = strcspn(s + 1, "{}");
	if (s[1 + length] != '}' || length == 0 || length >= FIELD_BYTES)
		return -EINVAL;
	memcpy(ret->field, s + 1, length);
	ret->field[length] = '\0';
	ret->text = NULL;
	*at = s + length + 2;
	return 1;
}

static int check_field(const char *path, struct mw_err *err)
{
	const struct mw_shape *shape = &mw_event_shape;
	char name[FIELD_BYTES];
	for (const char *rest = path;; rest++) {
		size_t length = strcspn(rest, ".");
		memcpy(name, rest, length);
		name[length] = '\0';
		rest += length;

		const struct mw_field *field = mw_shape_field(shape, name);
		if (!field) {
			struct mw_nearest near = {.word = name};
			for (field = shape->fields; field->name; field++)
				mw_nearest_try(&near, field->name);
			return mw_err_set(err, -EINVAL, "{%s}: %s has no field '%s'%s%s%s", path, shape->name, name,
					  near.name ? "; did you mean '" : "", near.name ? near.name : "",
					  near.name ? "'?" : "");
		}
		bool is_object = field->type == MW_OBJECT;
		if (*rest == '\0' && (is_object || field->type == MW_OBJECTS))
			return mw_err_set(err, -EINVAL, "{%s} is an object; name a field of it", path);
		if (*rest == '\0')
			return 0;
		if (!is_object)
			return mw_err_set(err, -EINVAL, "{%s}: '%s' has no fields", path, name);
		shape = field->shape;
	}
}

int mw_message_check(const char *text, struct mw_err *err)
{
	struct part part;
	int r;
	while ((r = next_part(&text, &part)) > 0) {
		if (part.text)
			continue;
		r = check_field(part.field, err);
		if (r < 0)
			return r;
	}
	return r < 0 ? mw_err_set(err, r,
				  "brace without its partner, or not around a field; a plain one is written "
				  "twice")
		     : 0;
}

static void render_strings(struct mw_buf *out, const char *strings, size_t bytes)
{
	char joined[VALUE_BYTES + 1];
	size_t length = bytes < sizeof(joined) ? bytes : sizeof(joined);
	for (size_t i = 0; i < length; i++)
		joined[i] = strings[i] ? strings[i] : ' ';
	while (length && bytes < sizeof(joined) && joined[length - 1] == ' ')
		length--;
	mw_text_printable(out, joined, length, VALUE_BYTES);
}

static void render_value(struct mw_buf *out, const struct mw_value *value)
{
	char time[MW_RFC3339_BYTES];
	switch (value->type) {
	case MW_INT:
		mw_buf_int(out, value->integer);
		break;
	case MW_BOOL:
		mw_buf_str(out, value->integer ? "true" : "false");
		break;
	case MW_TEXT:
		mw_text_printable(out, value->text, value->bytes, VALUE_BYTES);
		break;
	case MW_TIME:
		mw_clock_rfc3339(value->integer, time);
		mw_buf_str(out, time);
		break;
	case MW_STRINGS:
		render_strings(out, value->text, value->bytes);
		break;
	default:
		mw_buf_char(out, '?');
		break;
	}
}

void mw_message_render(struct mw_buf *out, const char *text, const struct mw_event *event)
{
	struct part part;
	while (next_part(&text, &part) > 0) {
		struct mw_value value = {.type = MW_NONE};
		if (part.text)
			mw_buf_add(out, part.text, part.bytes);
		else if (mw_shape_get(&mw_event_shape, event, part.field, &value) == 0)
			render_value(out, &value);
	}
}

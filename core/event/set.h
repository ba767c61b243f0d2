/* For the functions that read fields (shape.h): set a value. */
#pragma once

#include <string.h>

#include "event/shape.h"

static inline void set_integer(struct mw_value *ret, enum mw_type type, int64_t integer)
{
	ret->type = type;
	ret->integer = integer;
}

static inline void set_int(struct mw_value *ret, int64_t integer)
{
	set_integer(ret, MW_INT, integer);
}

/* Absent when there is none. */
static inline void set_text(struct mw_value *ret, const char *text)
{
	if (!text || !*text)
		return;
	ret->type = MW_TEXT;
	ret->text = text;
	ret->bytes = strlen(text);
}

static inline void set_strings(struct mw_value *ret, const char *strings, size_t bytes)
{
	ret->type = MW_STRINGS;
	ret->text = strings;
	ret->bytes = bytes;
}

static inline void set_object(struct mw_value *ret, const void *object)
{
	if (!object)
		return;
	ret->type = MW_OBJECT;
	ret->object = object;
}

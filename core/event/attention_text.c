/* A policy of attention as a profile would write it. */
#include <string.h>

#include "base/buf.h"
#include "event/attention.h"

/* A list of Lua that grows: ", names = { "a", "b" }". */
struct list {
	struct mw_buf *out;
	const char *key;
	unsigned count;
};

static void begin_key(struct mw_buf *out, const char *key, bool *is_first)
{
	mw_buf_printf(out, "%s%s = ", *is_first ? " " : ", ", key);
	*is_first = false;
}

static void add(struct list *list, const char *text, const char *suffix, bool *is_first)
{
	if (list->count++ == 0) {
		begin_key(list->out, list->key, is_first);
		mw_buf_str(list->out, "{ ");
	} else {
		mw_buf_str(list->out, ", ");
	}
	mw_buf_printf(list->out, "\"");
	for (const char *s = text; *s; s++) { /* as Lua reads it, and on one line */
		if ((unsigned char)*s < ' ' || *s == 0x7F)
			mw_buf_printf(list->out, "\\x%02X", (unsigned char)*s);
		else
			mw_buf_printf(list->out, "%s%c", *s == '"' || *s == '\\' ? "\\" : "", *s);
	}
	mw_buf_printf(list->out, "%s\"", suffix);
}

static void end(const struct list *list)
{
	if (list->count)
		mw_buf_str(list->out, " }");
}

static void say_facts(struct mw_buf *out, const char *key, uint32_t facts, bool *is_first)
{
	struct list list = {out, key, 0};
	for (unsigned i = 0; i < MW_ATTENTION_FACTS; i++)
		if (facts >> i & 1)
			add(&list, mw_attention_fact_names[i], "", is_first);
	end(&list);
}

static void say_marks(struct mw_buf *out, const struct mw_attention *attention, const char *key, uint64_t marks,
		      bool *is_first)
{
	struct list list = {out, key, 0};
	for (unsigned i = 0; i < attention->marks_count; i++)
		if (marks >> i & 1)
			add(&list, attention->pool + attention->marks[i], "", is_first);
	end(&list);
}

/* In the order they were written in. */
static void say_strings(struct mw_buf *out, const struct mw_attention *attention, unsigned n, enum mw_attention_use use,
			const char *key, bool *is_first)
{
	struct list list = {out, key, 0};
	for (uint32_t at = 1; at < attention->pool_bytes;) {
		const char *text = attention->pool + at;
		size_t bytes = strlen(text);
		const struct mw_attention_string *string = mw_attention_find(attention, text, bytes);
		if (string && string->text == at && string->entries[use] >> n & 1)
			add(&list, text, "", is_first);
		for (unsigned i = 0; i < attention->prefixes_count; i++) {
			const struct mw_attention_prefix *prefix = &attention->prefixes[i];
			if (prefix->text == at && prefix->use == use && prefix->entries >> n & 1)
				add(&list, text, use == MW_ATTENTION_PATH ? "" : "*", is_first);
		}
		at += (uint32_t)bytes + 1;
	}
	end(&list);
}

static void say_entry(struct mw_buf *out, const struct mw_attention *attention, unsigned n)
{
	const struct mw_attention_entry *entry = &attention->entries[n];
	bool is_first = true;
	say_facts(out, "is", entry->has, &is_first);
	say_facts(out, "unless", entry->has_not, &is_first);
	say_marks(out, attention, "marked", entry->marked, &is_first);
	say_strings(out, attention, n, MW_ATTENTION_NAME, "names", &is_first);
	say_strings(out, attention, n, MW_ATTENTION_PROGRAM, "programs", &is_first);
	say_strings(out, attention, n, MW_ATTENTION_PATH, "paths", &is_first);
	say_strings(out, attention, n, MW_ATTENTION_ARGUMENT, "arguments", &is_first);
	say_strings(out, attention, n, MW_ATTENTION_OPTION, "options", &is_first);
	say_marks(out, attention, "mark", entry->mark, &is_first);
	if (entry->level < MW_LEVELS) {
		begin_key(out, "level", &is_first);
		mw_buf_printf(out, "\"%s\"", mw_level_name(entry->level));
	}
}

void mw_attention_format(const struct mw_attention *attention, const char *indent, struct mw_buf *out)
{
	mw_buf_printf(out, "%sattention = {\n%s  default = \"%s\",\n", indent, indent,
		      mw_level_name(attention->default_level));
	for (unsigned n = 0; n < attention->entries_count; n++) {
		mw_buf_printf(out, "%s  {", indent);
		say_entry(out, attention, n);
		mw_buf_str(out, " },\n");
	}
	mw_buf_printf(out, "%s}\n", indent);
}

/* Strings of a policy of attention: each line is one, its first byte says which entry and use, and a mark follows '@'. */
#include <string.h>

#include "base/cleanup.h"

#include "base/buf.h"
#include "event/attention.h"

enum {
	TEXT_BYTES = 1 << 20
};

static struct mw_attention attention, more;

static void add_line(struct mw_attention *to, const char *line, size_t n)
{
	if (!n)
		return;
	unsigned first = (unsigned char)*line;
	unsigned entry = first / MW_ATTENTION_USES % MW_ATTENTION_ENTRIES;
	if (entry >= to->entries_count)
		to->entries_count = entry + 1;
	(void)mw_attention_name(to, entry, first % MW_ATTENTION_USES, line + 1, n - 1, NULL);
	(void)mw_attention_find(to, line + 1, n - 1);
	if (n > 2 && line[1] == '@') {
		char name[64];
		uint64_t mark;
		size_t length = n - 2 < sizeof(name) - 1 ? n - 2 : sizeof(name) - 1;
		memcpy(name, line + 2, length);
		name[length] = '\0';
		if (mw_attention_mark(to, name, &mark, NULL) == 0)
			to->entries[entry].mark |= mark;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	MW_AUTO(mw_buf) text = MW_BUF(TEXT_BYTES);
	const char *at = (const char *)data;
	const char *end = at + size;
	mw_attention_init(&attention);
	mw_attention_init(&more);
	for (unsigned i = 0; at < end; i++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;
		add_line(i % 3 ? &attention : &more, at, (size_t)(stop - at));
		at = newline ? newline + 1 : end;
	}
	(void)mw_attention_append(&attention, &more, NULL);
	mw_attention_format(&attention, "\t", &text);
	return 0;
}

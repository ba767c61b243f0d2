#include "event/attention.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "event/event.h"

_Static_assert(MW_EVENT_KINDS < 64, "kinds are the bits of a word");

enum {
	/* What a process's name is cut to, proc(5). */
	COMM_BYTES = 15,
};

const char *const mw_attention_fact_names[MW_ATTENTION_FACTS] = {
	"dropped", "fileless", "late", "startup", "secure", "tty", "root", "repeated",
};

void mw_attention_init(struct mw_attention *attention)
{
	memset(attention, 0, sizeof(*attention));
	attention->kinds = (1ull << MW_EVENT_KINDS) - 1;
	attention->default_level = MW_LEVEL_EVENTS;
	attention->pool_bytes = 1;
}

/* The slot it is in, or the free one it would go to: half of the slots at least are free. */
static unsigned slot_of(const struct mw_attention *attention, const char *text, size_t bytes, uint32_t h)
{
	unsigned slot = (h ^ h >> 16) & (MW_ATTENTION_SLOTS - 1);
	for (;; slot = (slot + 1) & (MW_ATTENTION_SLOTS - 1)) {
		const struct mw_attention_string *string = &attention->strings[slot];
		if (!string->text || (string->hash == h && string->bytes == bytes &&
				      memcmp(attention->pool + string->text, text, bytes) == 0))
			return slot;
	}
}

const struct mw_attention_string *mw_attention_find_hashed(const struct mw_attention *attention, const char *text,
							   size_t bytes, uint32_t hash)
{
	const struct mw_attention_string *string = &attention->strings[slot_of(attention, text, bytes, hash)];
	return string->text ? string : NULL;
}

const struct mw_attention_string *mw_attention_find(const struct mw_attention *attention, const char *text,
						    size_t bytes)
{
	return mw_attention_find_hashed(attention, text, bytes, mw_attention_hash(MW_ATTENTION_HASH, text, bytes));
}

static int pool(struct mw_attention *attention, const char *text, size_t bytes, uint32_t *ret_offset,
		struct mw_err *err)
{
	if (bytes + 1 > MW_ATTENTION_POOL_BYTES - attention->pool_bytes)
		return mw_err_set(err, -E2BIG, "all names and paths together are longer than %d bytes",
				  MW_ATTENTION_POOL_BYTES);
	*ret_offset = attention->pool_bytes;
	memcpy(attention->pool + attention->pool_bytes, text, bytes);
	attention->pool[attention->pool_bytes + bytes] = '\0';
	attention->pool_bytes += (uint32_t)bytes + 1;
	return 0;
}

static int add_string(struct mw_attention *attention, uint64_t entries, enum mw_attention_use use, const char *text,
		      size_t bytes, struct mw_err *err)
{
	uint32_t h = mw_attention_hash(MW_ATTENTION_HASH, text, bytes);
	struct mw_attention_string *string = &attention->strings[slot_of(attention, text, bytes, h)];
	if (!string->text) {
		if (attention->strings_count == MW_ATTENTION_STRINGS)
			return mw_err_set(err, -E2BIG, "more than %d different names and arguments",
					  MW_ATTENTION_STRINGS);
		uint32_t offset = 0;
		int r = pool(attention, text, bytes, &offset, err);
		if (r < 0)
			return r;
		*string = (struct mw_attention_string){.text = offset, .hash = h, .bytes = (uint32_t)bytes};
		attention->strings_count++;
	}
	string->entries[use] |= entries;
	if ((use == MW_ATTENTION_ARGUMENT || use == MW_ATTENTION_OPTION) && bytes > attention->longest_argument)
		attention->longest_argument = (uint32_t)bytes;
	return 0;
}

static int add_prefix(struct mw_attention *attention, uint64_t entries, enum mw_attention_use use, const char *text,
		      size_t bytes, struct mw_err *err)
{
	for (unsigned i = 0; i < attention->prefixes_count; i++) {
		struct mw_attention_prefix *prefix = &attention->prefixes[i];
		if (prefix->use == use && prefix->bytes == bytes &&
		    memcmp(attention->pool + prefix->text, text, bytes) == 0) {
			prefix->entries |= entries;
			return 0;
		}
	}
	if (attention->prefixes_count == MW_ATTENTION_PREFIXES)
		return mw_err_set(err, -E2BIG, "more than %d different paths, and arguments with a *",
				  MW_ATTENTION_PREFIXES);
	uint32_t offset = 0;
	int r = pool(attention, text, bytes, &offset, err);
	if (r < 0)
		return r;
	attention->prefixes[attention->prefixes_count++] = (struct mw_attention_prefix){
		.text = offset,
		.bytes = (uint16_t)bytes,
		.use = (uint16_t)use,
		.entries = entries,
	};
	return 0;
}

int mw_attention_name(struct mw_attention *attention, unsigned n, enum mw_attention_use use, const char *text,
		      size_t bytes, struct mw_err *err)
{
	uint64_t entries = 1ull << n;
	bool takes_prefix = use == MW_ATTENTION_ARGUMENT || use == MW_ATTENTION_OPTION;
	attention->entries[n].needs |= (uint8_t)(1u << use);
	attention->uses |= 1u << use;
	if (use == MW_ATTENTION_PATH)
		return add_prefix(attention, entries, use, text, bytes, err);
	if (takes_prefix && bytes > 1 && text[bytes - 1] == '*')
		return add_prefix(attention, entries, use, text, bytes - 1, err);
	int r = add_string(attention, entries, use, text, bytes, err);
	if (r == 0 && use == MW_ATTENTION_NAME && bytes > COMM_BYTES)
		r = add_string(attention, entries, MW_ATTENTION_COMM, text, COMM_BYTES, err);
	return r;
}

int mw_attention_mark(struct mw_attention *attention, const char *name, uint64_t *ret_mark, struct mw_err *err)
{
	for (unsigned i = 0; i < attention->marks_count; i++)
		if (strcmp(attention->pool + attention->marks[i], name) == 0) {
			*ret_mark = 1ull << i;
			return 0;
		}
	if (attention->marks_count == MW_ATTENTION_MARKS)
		return mw_err_set(err, -E2BIG, "more than %d different marks", MW_ATTENTION_MARKS);
	uint32_t offset = 0;
	int r = pool(attention, name, strlen(name), &offset, err);
	if (r < 0)
		return r;
	*ret_mark = 1ull << attention->marks_count;
	attention->marks[attention->marks_count++] = offset;
	return 0;
}

/* Marks of `more` as those of `attention` with the same names. */
static int translate(struct mw_attention *attention, const struct mw_attention *more, uint64_t *marks,
		     struct mw_err *err)
{
	uint64_t translated = 0;
	for (unsigned i = 0; i < more->marks_count; i++) {
		uint64_t mark = 0;
		if (!(*marks >> i & 1))
			continue;
		int r = mw_attention_mark(attention, more->pool + more->marks[i], &mark, err);
		if (r < 0)
			return r;
		translated |= mark;
	}
	*marks = translated;
	return 0;
}

int mw_attention_append(struct mw_attention *attention, const struct mw_attention *more, struct mw_err *err)
{
	unsigned first = attention->entries_count;
	int r = 0;
	if (first + more->entries_count > MW_ATTENTION_ENTRIES)
		return mw_err_set(err, -E2BIG, "with those of the profile it extends, more than %d entries",
				  MW_ATTENTION_ENTRIES);
	if (more->entries_count == 0)
		return 0;
	for (unsigned i = 0; i < more->entries_count && r == 0; i++) {
		struct mw_attention_entry *entry = &attention->entries[first + i];
		*entry = more->entries[i];
		r = translate(attention, more, &entry->marked, err);
		if (r == 0)
			r = translate(attention, more, &entry->mark, err);
	}
	attention->entries_count = first + more->entries_count;
	attention->uses |= more->uses;
	for (unsigned i = 0; i < more->prefixes_count && r == 0; i++) {
		const struct mw_attention_prefix *prefix = &more->prefixes[i];
		r = add_prefix(attention, prefix->entries << first, prefix->use, more->pool + prefix->text,
			       prefix->bytes, err);
	}
	for (unsigned i = 0; i < MW_ATTENTION_SLOTS && r == 0; i++) {
		const struct mw_attention_string *string = &more->strings[i];
		for (unsigned use = 0; use < MW_ATTENTION_USES && r == 0 && string->text; use++)
			if (string->entries[use])
				r = add_string(attention, string->entries[use] << first, (enum mw_attention_use)use,
					       more->pool + string->text, string->bytes, err);
	}
	return r;
}

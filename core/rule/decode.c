#include "rule/decode.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "event/level.h"
#include "event/lineage.h"
#include "pkg/json.h"

enum {
	/* Of what is not said: a user who is nobody's root, and process ids that differ. */
	DEFAULT_UID = 1000,
	DEFAULT_PID = 1000,
	LAST_ERRNO = 133,
};

struct decoder {
	struct mw_json json;
	struct mw_decoded *out;
	int r; /* -ENOMEM, once */
};

enum slot_type {
	COPY,     /* char *, owned */
	BORROWED, /* const char *, in the text */
	CHARS,    /* an array of `bytes` */
	INT32,
	INT64,
	BOOLEAN,
	TIME,
	CUSTOM,
};

struct slot {
	const char *name;
	enum slot_type type;
	size_t offset, bytes;
	/* CUSTOM: takes the token, and what is left of its value. */
	void (*take)(struct decoder *decoder, void *object, const struct mw_json_token *token);
};

#define AT(type, field) offsetof(struct type, field), sizeof(((struct type *)NULL)->field), NULL

/* RFC 3339 in UTC, as mw_clock_rfc3339() writes it.  0: not understood. */
static int64_t parse_time(const char *text)
{
	struct tm tm = {0};
	char fraction[10] = "";
	int n = 0;
	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min,
		   &tm.tm_sec, &n) != 6)
		return 0;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	if (text[n] == '.')
		(void)sscanf(text + n + 1, "%9[0-9]", fraction);
	int64_t ns = 0;
	for (int i = 0; i < 9; i++)
		ns = ns * 10 + (i < (int)strlen(fraction) ? fraction[i] - '0' : 0);
	int64_t seconds = timegm(&tm);
	int64_t all;
	if (__builtin_mul_overflow(seconds, (int64_t)MW_NS_PER_S, &all) || __builtin_add_overflow(all, ns, &all))
		return 0;
	return all;
}

static void copy_text(struct decoder *decoder, char **to, const char *text)
{
	free(*to);
	*to = strdup(text);
	if (!*to)
		decoder->r = -ENOMEM;
}

/* Put a value where its slot says; false when it is of another type. */
static bool put(struct decoder *decoder, const struct slot *slot, char *at, const struct mw_json_token *token)
{
	bool is_text = token->type == MW_JSON_STRING;
	switch (slot->type) {
	case COPY:
		if (is_text)
			copy_text(decoder, (char **)(void *)at, token->text);
		return is_text;
	case BORROWED:
		if (is_text)
			*(const char **)(void *)at = token->text;
		return is_text;
	case CHARS:
		if (is_text)
			(void)snprintf(at, slot->bytes, "%s", token->text);
		return is_text;
	case INT32:
		if (token->type == MW_JSON_NUMBER)
			*(int32_t *)(void *)at = (int32_t)token->number;
		return token->type == MW_JSON_NUMBER;
	case INT64:
		if (token->type == MW_JSON_NUMBER)
			*(int64_t *)(void *)at = token->number;
		return token->type == MW_JSON_NUMBER;
	case BOOLEAN:
		*(bool *)(void *)at = token->type == MW_JSON_TRUE;
		return token->type == MW_JSON_TRUE || token->type == MW_JSON_FALSE;
	case TIME:
		if (is_text)
			*(int64_t *)(void *)at = parse_time(token->text);
		return is_text;
	case CUSTOM:
		break;
	}
	return false;
}

static const struct slot *find_slot(const struct slot *slots, const char *name)
{
	for (; slots->name; slots++)
		if (strcmp(slots->name, name) == 0)
			return slots;
	return NULL;
}

static bool next(struct decoder *decoder, struct mw_json_token *token)
{
	if (decoder->r == 0)
		decoder->r = mw_json_next(&decoder->json, token);
	return decoder->r == 0;
}

/* The members of the object that has begun. */
static void read_object(struct decoder *decoder, const struct slot *slots, void *object)
{
	struct mw_json_token key, value;
	while (next(decoder, &key) && key.type == MW_JSON_KEY) {
		const struct slot *slot = find_slot(slots, key.text);
		if (!next(decoder, &value))
			return;
		if (slot && slot->type == CUSTOM)
			slot->take(decoder, object, &value);
		else if (slot && put(decoder, slot, (char *)object + slot->offset, &value))
			continue;
		else if (value.type != MW_JSON_NULL) {
			decoder->out->left_out++;
			if (decoder->r == 0)
				decoder->r = mw_json_skip_rest(&decoder->json, &value);
		}
	}
}

static void skip(struct decoder *decoder, const struct mw_json_token *token)
{
	decoder->out->left_out++;
	if (decoder->r == 0)
		decoder->r = mw_json_skip_rest(&decoder->json, token);
}

/* A list of texts, one after the other, each with its NUL. */
static char *read_strings(struct decoder *decoder, const struct mw_json_token *token, size_t *ret_bytes)
{
	*ret_bytes = 0;
	if (token->type != MW_JSON_ARRAY) {
		skip(decoder, token);
		return NULL;
	}
	size_t room = 256;
	char *strings = malloc(room);
	struct mw_json_token item;
	while (strings && next(decoder, &item) && item.type != MW_JSON_CLOSE) {
		if (item.type != MW_JSON_STRING) {
			skip(decoder, &item);
			continue;
		}
		size_t n = strlen(item.text) + 1;
		if (*ret_bytes + n > room) {
			room = 2 * (*ret_bytes + n);
			char *more = realloc(strings, room);
			if (!more) {
				free(strings);
				strings = NULL;
				break;
			}
			strings = more;
		}
		memcpy(strings + *ret_bytes, item.text, n);
		*ret_bytes += n;
	}
	if (!strings)
		decoder->r = -ENOMEM;
	return strings;
}

static int find_text(const char *const *names, int count, const char *name)
{
	for (int i = 0; i < count; i++)
		if (names[i] && name && strcmp(names[i], name) == 0)
			return i;
	return -1;
}

/* Processes: the fields of the image are put into an image of its own when there are any. */

struct process_draft {
	struct mw_process *process;
	struct mw_image image; /* moved into a real one at the end */
	bool has_image;
	bool has_past;
	uint32_t past;
	char *argv;
	size_t argv_bytes;
	char *cmdline;
	unsigned depth;
	struct mw_process *parent;
	struct mw_process *ancestors[MW_ANCESTORS];
	unsigned ancestors_count;
};

static struct mw_process *read_process(struct decoder *decoder, unsigned depth);

static void take_parent(struct decoder *decoder, void *object, const struct mw_json_token *token)
{
	struct process_draft *draft = object;
	if (token->type != MW_JSON_OBJECT || draft->parent || draft->depth >= MW_ANCESTORS)
		skip(decoder, token);
	else
		draft->parent = read_process(decoder, draft->depth + 1);
}

static void take_ancestors(struct decoder *decoder, void *object, const struct mw_json_token *token)
{
	struct process_draft *draft = object;
	struct mw_json_token item;
	if (token->type != MW_JSON_ARRAY || draft->ancestors_count) {
		skip(decoder, token);
		return;
	}
	while (next(decoder, &item) && item.type != MW_JSON_CLOSE) {
		if (item.type != MW_JSON_OBJECT || draft->ancestors_count == MW_ANCESTORS ||
		    draft->depth >= MW_ANCESTORS) {
			skip(decoder, &item);
			continue;
		}
		struct mw_process *ancestor = read_process(decoder, draft->depth + draft->ancestors_count + 1);
		if (ancestor)
			draft->ancestors[draft->ancestors_count++] = ancestor;
	}
}

static void take_argv(struct decoder *decoder, void *object, const struct mw_json_token *token)
{
	struct process_draft *draft = object;
	free(draft->argv);
	draft->argv = read_strings(decoder, token, &draft->argv_bytes);
}

static void take_env(struct decoder *decoder, void *object, const struct mw_json_token *token)
{
	struct process_draft *draft = object;
	free(draft->image.env);
	draft->image.env = read_strings(decoder, token, &draft->image.env_bytes);
}

static void take_attention(struct decoder *decoder, void *object, const struct mw_json_token *token)
{
	struct process_draft *draft = object;
	int level = token->type == MW_JSON_STRING ? find_text(mw_level_names, MW_LEVELS, token->text) : -1;
	if (level < 0)
		skip(decoder, token);
	else
		draft->image.level = (uint8_t)level;
}

static void take_lineage(struct decoder *decoder, void *object, const struct mw_json_token *token)
{
	struct process_draft *draft = object;
	struct mw_json_token key, value;
	if (token->type != MW_JSON_OBJECT) {
		skip(decoder, token);
		return;
	}
	draft->has_past = true;
	while (next(decoder, &key) && key.type == MW_JSON_KEY && next(decoder, &value)) {
		int bit = find_text(mw_lineage_names, MW_LINEAGES, key.text);
		if (bit >= 0 && value.type == MW_JSON_TRUE)
			draft->past |= 1u << bit;
		else if (value.type != MW_JSON_FALSE || bit < 0)
			skip(decoder, &value);
	}
}

static void take_stdio_type(struct decoder *decoder, void *object, const struct mw_json_token *token)
{
	static const char *const names[] = {NULL, "closed", "null", "tty", "pipe", "socket", "file", "other"};
	int type = token->type == MW_JSON_STRING ? find_text(names, MW_STDIO_OTHER + 1, token->text) : -1;
	if (type < 0)
		skip(decoder, token);
	else
		((struct mw_stdio *)object)->type = (enum mw_stdio_type)type;
}

static const struct slot stdio_slots[] = {
	{"type", CUSTOM, .take = take_stdio_type},
	{"target", COPY, AT(mw_stdio, target)},
	{"remote_address", CHARS, AT(mw_stdio, remote_address)},
	{"remote_port", INT32, AT(mw_stdio, remote_port)},
	{0},
};

static void take_stdio(struct decoder *decoder, struct process_draft *draft, unsigned n,
		       const struct mw_json_token *token)
{
	if (token->type != MW_JSON_OBJECT) {
		skip(decoder, token);
		return;
	}
	draft->image.has_stdio = true;
	read_object(decoder, stdio_slots, &draft->image.stdio[n]);
}

static void take_stdin(struct decoder *decoder, void *object, const struct mw_json_token *token)
{
	take_stdio(decoder, object, 0, token);
}

static void take_stdout(struct decoder *decoder, void *object, const struct mw_json_token *token)
{
	take_stdio(decoder, object, 1, token);
}

static void take_stderr(struct decoder *decoder, void *object, const struct mw_json_token *token)
{
	take_stdio(decoder, object, 2, token);
}

/* Fields of the process itself are put there. */
#define OF_PROCESS(name, field, slot_type) \
	static void take_##name(struct decoder *decoder, void *object, const struct mw_json_token *token) \
	{ \
		static const struct slot slot = {#name, slot_type, AT(mw_process, field)}; \
		struct process_draft *draft = object; \
		if (!put(decoder, &slot, (char *)draft->process + slot.offset, token)) \
			skip(decoder, token); \
	}

OF_PROCESS(pid, pid, INT32)
OF_PROCESS(ppid, ppid, INT32)
OF_PROCESS(tty, tty, CHARS)
OF_PROCESS(sid, session, INT32)
OF_PROCESS(pgid, group, INT32)
OF_PROCESS(start, start_ns, TIME)
OF_PROCESS(exit_code, exit_code, INT32)
OF_PROCESS(exit_signal, exit_signal, INT32)
OF_PROCESS(core_dumped, core_dumped, BOOLEAN)
OF_PROCESS(max_rss_bytes, max_rss_bytes, INT64)

static void take_duration(struct decoder *decoder, void *object, const struct mw_json_token *token)
{
	(void)decoder;
	struct process_draft *draft = object;
	int64_t ns;
	if (token->type == MW_JSON_NUMBER && !__builtin_mul_overflow(token->number, (int64_t)MW_NS_PER_MS, &ns) &&
	    !__builtin_add_overflow(draft->process->start_ns, ns, &ns))
		draft->process->end_ns = ns;
	else
		skip(decoder, token);
}

static void take_cpu(struct decoder *decoder, void *object, const struct mw_json_token *token)
{
	int64_t ns;
	if (token->type == MW_JSON_NUMBER && !__builtin_mul_overflow(token->number, (int64_t)MW_NS_PER_MS, &ns))
		((struct process_draft *)object)->process->cpu_ns = ns;
	else
		skip(decoder, token);
}

#define IMAGE(field) AT(process_draft, image.field)

static const struct slot process_slots[] = {
	{"pid", CUSTOM, .take = take_pid},
	{"ppid", CUSTOM, .take = take_ppid},
	{"name", CHARS, IMAGE(name)},
	{"exe", COPY, IMAGE(exe)},
	{"inode", INT64, IMAGE(inode)},
	{"execfn", COPY, IMAGE(execfn)},
	{"script", COPY, IMAGE(script)},
	{"program", COPY, IMAGE(program)},
	{"deleted", BOOLEAN, IMAGE(is_deleted)},
	{"memfd", BOOLEAN, IMAGE(is_memfd)},
	{"fileless", BOOLEAN, IMAGE(is_fileless)},
	{"dropped", BOOLEAN, IMAGE(is_dropped)},
	{"secure", BOOLEAN, IMAGE(is_secure)},
	{"observed_late", BOOLEAN, IMAGE(is_late)},
	{"attention", CUSTOM, .take = take_attention},
	{"sha256", CHARS, IMAGE(sha256)},
	{"env", CUSTOM, .take = take_env},
	{"stdin", CUSTOM, .take = take_stdin},
	{"stdout", CUSTOM, .take = take_stdout},
	{"stderr", CUSTOM, .take = take_stderr},
	{"cmdline", COPY, AT(process_draft, cmdline)},
	{"argv", CUSTOM, .take = take_argv},
	{"argv_truncated", BOOLEAN, IMAGE(argv_truncated)},
	{"argv_total_bytes", INT64, IMAGE(argv_total_bytes)},
	{"incomplete", BOOLEAN, IMAGE(incomplete)},
	{"cwd", COPY, IMAGE(cwd)},
	{"uid", INT32, IMAGE(uid)},
	{"gid", INT32, IMAGE(gid)},
	{"euid", INT32, IMAGE(euid)},
	{"egid", INT32, IMAGE(egid)},
	{"user", CHARS, IMAGE(user)},
	{"group", CHARS, IMAGE(user_group)},
	{"tty", CUSTOM, .take = take_tty},
	{"sid", CUSTOM, .take = take_sid},
	{"pgid", CUSTOM, .take = take_pgid},
	{"start", CUSTOM, .take = take_start},
	{"exit_code", CUSTOM, .take = take_exit_code},
	{"exit_signal", CUSTOM, .take = take_exit_signal},
	{"core_dumped", CUSTOM, .take = take_core_dumped},
	{"duration_ms", CUSTOM, .take = take_duration},
	{"cpu_ms", CUSTOM, .take = take_cpu},
	{"max_rss_bytes", CUSTOM, .take = take_max_rss_bytes},
	{"parent", CUSTOM, .take = take_parent},
	{"lineage", CUSTOM, .take = take_lineage},
	{"ancestors", CUSTOM, .take = take_ancestors},
	{0},
};

/* `parent` is given away. */
static void link_parent(struct mw_process *process, struct mw_process *parent)
{
	process->parent = parent;
	process->past |= parent->past | mw_lineage_of_image(parent->image);
	process->depth = parent->depth + 1;
	if (!process->ppid)
		process->ppid = parent->pid;
}

/* The parent says more of itself than the first of the ancestors does. */
static void link_draft(struct process_draft *draft)
{
	unsigned n = draft->ancestors_count;
	for (unsigned i = n; i > 1; i--)
		if (!draft->ancestors[i - 2]->parent) {
			link_parent(draft->ancestors[i - 2], draft->ancestors[i - 1]);
			draft->ancestors[i - 1] = NULL;
		}
	if (n && !draft->parent) {
		draft->parent = draft->ancestors[0];
		draft->ancestors[0] = NULL;
	} else if (n > 1 && draft->parent && !draft->parent->parent && draft->ancestors[0]->parent) {
		link_parent(draft->parent, mw_process_ref(draft->ancestors[0]->parent));
	}
	for (unsigned i = 0; i < n; i++)
		mw_process_unref(draft->ancestors[i]);
	if (draft->parent)
		link_parent(draft->process, draft->parent);
}

static bool is_blank(const struct process_draft *draft)
{
	const struct mw_image *image = &draft->image;
	return !draft->argv && !draft->cmdline && !image->name[0] && !image->exe && !image->execfn && !image->cwd &&
	       !image->script && !image->program && !image->env && !image->has_stdio && !image->user[0] &&
	       !image->is_deleted && !image->is_memfd && !image->is_fileless && !image->is_dropped &&
	       !image->is_secure && !image->is_late && image->uid == DEFAULT_UID && image->euid == DEFAULT_UID &&
	       !image->sha256[0] && !image->level && !image->inode;
}

/* "[sh -c id]" of a recording whose arguments are not known: what is between blanks. */
static void set_arguments(struct decoder *decoder, struct process_draft *draft, struct mw_image *image)
{
	if (!draft->argv && draft->cmdline) {
		draft->argv_bytes = strlen(draft->cmdline) + 1;
		draft->argv = draft->cmdline;
		draft->cmdline = NULL;
		for (char *c = draft->argv; *c; c++)
			if (*c == ' ')
				*c = '\0';
	}
	if (draft->argv && mw_image_set_argv(image, draft->argv, draft->argv_bytes) < 0)
		decoder->r = -ENOMEM;
}

static void finish_process(struct decoder *decoder, struct process_draft *draft)
{
	struct mw_process *process = draft->process;
	process->ended = process->exit_code >= 0 || process->exit_signal || process->end_ns;
	struct mw_image *image = mw_image_new();
	if (!image) {
		decoder->r = -ENOMEM;
		image = NULL;
	} else if (is_blank(draft)) {
		mw_image_unref(image);
		image = NULL;
	} else {
		*image = draft->image;
		image->references = 1;
		memset(&draft->image, 0, sizeof(draft->image));
		set_arguments(decoder, draft, image);
	}
	process->image = image;
	link_draft(draft);
	mw_lineage_note(process);
	if (draft->has_past)
		process->past |= draft->past;
	/* What could not be moved. */
	free(draft->argv);
	free(draft->cmdline);
}

/* The process whose object has begun; NULL: no memory. */
static struct mw_process *read_process(struct decoder *decoder, unsigned depth)
{
	struct process_draft draft = {
		.process = mw_process_new(DEFAULT_PID - (pid_t)depth, NULL, 0),
		.image = {.uid = DEFAULT_UID, .gid = DEFAULT_UID, .euid = DEFAULT_UID, .egid = DEFAULT_UID},
		.depth = depth,
	};
	if (!draft.process) {
		decoder->r = -ENOMEM;
		return NULL;
	}
	draft.process->exit_code = -1;
	draft.process->cpu_ns = draft.process->max_rss_bytes = -1;
	read_object(decoder, process_slots, &draft);
	finish_process(decoder, &draft);
	return draft.process;
}

#include "rule/decode_parts.h"

int mw_decode_event(struct mw_decoded *decoded, const char *json, size_t bytes, struct mw_err *err)
{
	if (bytes > MW_DECODE_BYTES)
		return mw_err_set(err, -E2BIG, "longer than %d bytes", MW_DECODE_BYTES);
	decoded->text = malloc(bytes + 1);
	if (!decoded->text)
		return mw_err_set(err, -ENOMEM, "no memory");
	memcpy(decoded->text, json, bytes);
	decoded->text[bytes] = '\0';
	decoded->event.kind = MW_EVENT_KINDS;

	struct decoder decoder = {.out = decoded};
	struct mw_json_token token;
	mw_json_begin(&decoder.json, decoded->text, bytes);
	if (next(&decoder, &token) && token.type == MW_JSON_OBJECT)
		read_object(&decoder, event_slots, &decoded->event);
	else if (decoder.r == 0)
		decoder.r = -EPROTO;
	if (decoder.r == 0 && (!next(&decoder, &token) || token.type != MW_JSON_END))
		decoder.r = -EPROTO;
	if (decoder.r < 0)
		return mw_err_set(err, decoder.r, decoder.r == -ENOMEM ? "no memory" : "not JSON of an event");
	if (decoded->event.kind == MW_EVENT_KINDS) {
		decoded->event.kind = MW_PROCESS_EXEC;
		return mw_err_set(err, -EPROTO, "has no kind that is one of an event's");
	}
	return 0;
}

void mw_decoded_settle(struct mw_decoded *decoded)
{
	struct mw_event *event = &decoded->event;
	event->file = event->file ? &decoded->file : NULL;
	event->socket = event->socket ? &decoded->socket : NULL;
	event->call = event->call ? &decoded->call : NULL;
	event->gap = event->gap ? &decoded->gap : NULL;
	event->identity = event->identity ? &decoded->identity : NULL;
}

void mw_decoded_release(struct mw_decoded *decoded)
{
	mw_process_unref(decoded->event.process);
	mw_process_unref(decoded->call.target);
	free(decoded->text);
	*decoded = (struct mw_decoded){0};
}

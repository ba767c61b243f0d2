#include "sensor/call_notes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "watch/watch.h"

enum {
	NOTES = 4096,
	BUCKETS = 2048,
	NONE = UINT16_MAX,
	/* How long after a call its change may be told: a queue is read within milliseconds, and held for a batch. */
	WINDOW_MS = 2000,
	/* A call may be told some time after it was done: its process waits for the tracer, not inotify. */
	AHEAD_MS = 500,
	/* Of the calls of several processes, those are meant that are not older. */
	NEAR_MS = 50,
};

_Static_assert(NOTES < NONE, "places are 16 bits");

struct note {
	int64_t time_ns;
	struct mw_process *process; /* NULL: empty */
	enum mw_event_kind kind;
	unsigned explains;     /* bit n: enum mw_change_kind n, as far as it was not taken yet */
	unsigned explains_old; /* likewise, of old_path */
	uint64_t device, inode;
	uint32_t hash, old_hash;
	uint16_t next, old_next, inode_next; /* of the same bucket */
	char *path;                          /* old_path stands behind it */
	const char *old_path;
	char id[MW_EVENT_ID_BYTES];
	const struct mw_rule_info *rules[MW_NOTE_RULES];
};

struct mw_call_notes {
	uint64_t count; /* ever made */
	struct note notes[NOTES];
	uint16_t by_path[BUCKETS], by_old_path[BUCKETS], by_inode[BUCKETS];
};

#define BIT(kind) (1u << MW_CHANGE_##kind)

int mw_call_notes_new(struct mw_call_notes **ret_notes)
{
	struct mw_call_notes *notes = calloc(1, sizeof(*notes));
	if (!notes)
		return -ENOMEM;
	memset(notes->by_path, 0xFF, sizeof(notes->by_path));
	memset(notes->by_old_path, 0xFF, sizeof(notes->by_old_path));
	memset(notes->by_inode, 0xFF, sizeof(notes->by_inode));
	*ret_notes = notes;
	return 0;
}

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ */
static uint32_t hash_of(const char *path)
{
	uint32_t hash = 2166136261u;
	for (; *path; path++)
		hash = (hash ^ (unsigned char)*path) * 16777619u;
	return hash;
}

static unsigned inode_bucket(uint64_t inode)
{
	return (unsigned)(inode ^ inode >> 11) % BUCKETS;
}

static void unlink_from(struct mw_call_notes *notes, uint16_t *at, uint16_t place, size_t next_offset)
{
	while (*at != NONE) {
		uint16_t *next = (uint16_t *)((char *)&notes->notes[*at] + next_offset);
		if (*at == place) {
			*at = *next;
			return;
		}
		at = next;
	}
}

static void clear(struct mw_call_notes *notes, struct note *note)
{
	if (!note->process)
		return;
	uint16_t place = (uint16_t)(note - notes->notes);
	unlink_from(notes, &notes->by_path[note->hash % BUCKETS], place, offsetof(struct note, next));
	if (note->old_path)
		unlink_from(notes, &notes->by_old_path[note->old_hash % BUCKETS], place,
			    offsetof(struct note, old_next));
	if (note->inode)
		unlink_from(notes, &notes->by_inode[inode_bucket(note->inode)], place,
			    offsetof(struct note, inode_next));
	mw_process_unref(note->process);
	free(note->path);
	*note = (struct note){0};
}

void mw_call_notes_free(struct mw_call_notes *notes)
{
	for (size_t i = 0; notes && i < NOTES; i++)
		clear(notes, &notes->notes[i]);
	free(notes);
}

/* Changes of the call's path, and of its old path, that it explains. */
static unsigned explains(const struct mw_event *event, unsigned *ret_old)
{
	const struct mw_file *file = event->file;
	*ret_old = 0;
	switch (event->kind) {
	case MW_FILE_OPEN:
		return BIT(OPEN) | BIT(ACCESS) | (file->is_write ? BIT(MODIFY) : 0) |
		       (file->open_flags & O_CREAT ? BIT(CREATE) : 0);
	case MW_FILE_CREATE:
		return BIT(CREATE) | BIT(OPEN) | (file->is_write ? BIT(MODIFY) : 0);
	case MW_FILE_DELETE:
		return BIT(DELETE);
	case MW_FILE_RENAME:
		*ret_old = BIT(DELETE);
		return BIT(RENAME) | BIT(CREATE);
	case MW_FILE_LINK:
	case MW_FILE_SYMLINK:
		return BIT(CREATE);
	case MW_FILE_ATTRIBUTES:
		return BIT(ATTRIBUTES) | (file->size >= 0 ? BIT(MODIFY) : 0);
	default:
		return 0;
	}
}

static bool is_done(const struct mw_event *event)
{
	return event->call && event->process && event->file && event->file->path && event->file->path[0] == '/' &&
	       (event->call->is_attempt || event->call->result >= 0);
}

void mw_call_notes_add(struct mw_call_notes *notes, const struct mw_event *event,
		       const struct mw_rule_info *const *rules)
{
	unsigned of_old;
	unsigned of_path = is_done(event) ? explains(event, &of_old) : 0;
	if (!of_path)
		return;
	uint16_t place = (uint16_t)(notes->count % NOTES);
	struct note *note = &notes->notes[place];
	const struct mw_file *file = event->file;
	bool has_old = file->old_path && file->old_path[0] == '/';
	size_t bytes = strlen(file->path) + 1;
	size_t old_bytes = has_old ? strlen(file->old_path) + 1 : 0;
	clear(notes, note);
	char *paths = malloc(bytes + old_bytes);
	if (!paths)
		return;
	memcpy(paths, file->path, bytes);
	if (has_old)
		memcpy(paths + bytes, file->old_path, old_bytes);
	*note = (struct note){
		.time_ns = event->time_ns,
		.process = mw_process_ref(event->process),
		.kind = event->kind,
		.explains = of_path,
		.explains_old = has_old ? of_old : 0,
		.device = file->device,
		.inode = file->inode,
		.hash = hash_of(paths),
		.path = paths,
		.old_path = has_old ? paths + bytes : NULL,
	};
	memcpy(note->id, event->id, sizeof(note->id));
	for (unsigned i = 0; rules && i < MW_NOTE_RULES; i++)
		note->rules[i] = rules[i];
	note->next = notes->by_path[note->hash % BUCKETS];
	notes->by_path[note->hash % BUCKETS] = place;
	if (has_old) {
		note->old_hash = hash_of(note->old_path);
		note->old_next = notes->by_old_path[note->old_hash % BUCKETS];
		notes->by_old_path[note->old_hash % BUCKETS] = place;
	}
	if (note->inode) {
		note->inode_next = notes->by_inode[inode_bucket(note->inode)];
		notes->by_inode[inode_bucket(note->inode)] = place;
	}
	notes->count++;
}

static bool is_in_time(const struct note *note, const struct mw_change *change)
{
	int64_t after_ns = change->time_ns - note->time_ns;
	return after_ns <= (int64_t)WINDOW_MS * MW_NS_PER_MS && after_ns >= -(int64_t)AHEAD_MS * MW_NS_PER_MS;
}

/* The same name, but another file by now, or then. */
static bool is_other_file(const struct note *note, const struct mw_change *change)
{
	return note->inode && change->has_stat && change->kind != MW_CHANGE_DELETE && note->kind != MW_FILE_RENAME &&
	       (note->inode != change->stat.inode || note->device != change->stat.device);
}

/* What was found, and whether it is one process's. */
struct search {
	const struct mw_change *change;
	struct note *oldest, *newest;
	struct note *near; /* the oldest of those that are near in time */
	bool is_ambiguous;
};

static void find(struct search *search, struct note *note)
{
	if (search->newest && search->newest->process != note->process)
		search->is_ambiguous = true;
	if (!search->newest || note->time_ns > search->newest->time_ns)
		search->newest = note;
	if (!search->oldest || note->time_ns <= search->oldest->time_ns)
		search->oldest = note;
	if (search->change->time_ns - note->time_ns <= (int64_t)NEAR_MS * MW_NS_PER_MS &&
	    (!search->near || note->time_ns <= search->near->time_ns))
		search->near = note;
}

/* Once the call is found that did it, those before it have done what was told before, or never will be. */
static void take_until(struct mw_call_notes *notes, const struct mw_change *change, int64_t until_ns)
{
	unsigned bit = 1u << change->kind;
	uint32_t hash = hash_of(change->path);
	for (uint16_t at = notes->by_path[hash % BUCKETS]; at != NONE; at = notes->notes[at].next) {
		struct note *note = &notes->notes[at];
		if (note->hash == hash && note->time_ns < until_ns && strcmp(note->path, change->path) == 0)
			note->explains &= ~bit;
	}
	for (uint16_t at = notes->by_old_path[hash % BUCKETS]; at != NONE; at = notes->notes[at].old_next) {
		struct note *note = &notes->notes[at];
		if (note->old_hash == hash && note->time_ns < until_ns && strcmp(note->old_path, change->path) == 0)
			note->explains_old &= ~bit;
	}
}

static struct search look(struct mw_call_notes *notes, const struct mw_change *change)
{
	struct search search = {.change = change};
	unsigned bit = 1u << change->kind;
	uint32_t hash = hash_of(change->path);
	for (uint16_t at = notes->by_path[hash % BUCKETS]; at != NONE; at = notes->notes[at].next) {
		struct note *note = &notes->notes[at];
		if (note->hash != hash || !(note->explains & bit) || !is_in_time(note, change) ||
		    is_other_file(note, change) || strcmp(note->path, change->path) != 0)
			continue;
		if (change->kind == MW_CHANGE_RENAME &&
		    (!note->old_path || !change->old_path || strcmp(note->old_path, change->old_path) != 0))
			continue;
		find(&search, note);
	}
	for (uint16_t at = notes->by_old_path[hash % BUCKETS]; at != NONE; at = notes->notes[at].old_next) {
		struct note *note = &notes->notes[at];
		if (note->old_hash == hash && note->explains_old & bit && is_in_time(note, change) &&
		    strcmp(note->old_path, change->path) == 0)
			find(&search, note);
	}
	if (search.newest || !change->has_stat || change->kind == MW_CHANGE_DELETE)
		return search;
	/* By another name: a symbolic link on the way, another mount of the same. */
	uint64_t inode = change->stat.inode;
	for (uint16_t at = notes->by_inode[inode_bucket(inode)]; at != NONE; at = notes->notes[at].inode_next) {
		struct note *note = &notes->notes[at];
		if (note->inode == inode && note->device == change->stat.device && note->explains & bit &&
		    is_in_time(note, change))
			find(&search, note);
	}
	return search;
}

static bool is_kind_of(enum mw_event_kind kind, enum mw_change_kind change)
{
	static const enum mw_event_kind same[MW_CHANGE_KINDS] = {
		[MW_CHANGE_CREATE] = MW_FILE_CREATE,         [MW_CHANGE_MODIFY] = MW_FILE_MODIFY,
		[MW_CHANGE_DELETE] = MW_FILE_DELETE,         [MW_CHANGE_RENAME] = MW_FILE_RENAME,
		[MW_CHANGE_ATTRIBUTES] = MW_FILE_ATTRIBUTES, [MW_CHANGE_OPEN] = MW_FILE_OPEN,
		[MW_CHANGE_ACCESS] = MW_FILE_ACCESS,
	};
	return same[change] == kind;
}

/* Has the file been removed, or moved away, by a call that no change told of yet? */
static bool is_gone_since(struct mw_call_notes *notes, const struct mw_change *change)
{
	const struct mw_change removed = {
		.kind = MW_CHANGE_DELETE, .path = change->path, .time_ns = change->time_ns, .times = 1};
	return look(notes, &removed).newest != NULL;
}

/* The call that did it: of one process the oldest that is left; of several, the oldest that is near enough.  Who of several has
 * written, opened or read cannot be told. */
static struct note *choose(struct mw_call_notes *notes, const struct mw_change *change, const struct search *search)
{
	/* What a scan finds may have been done at any time, and more than once. */
	if (change->found_by != MW_FOUND_BY_INOTIFY)
		return change->kind == MW_CHANGE_CREATE && !search->is_ambiguous && !is_gone_since(notes, change)
			       ? search->newest
			       : NULL;
	if (!search->is_ambiguous)
		return search->oldest;
	bool is_shared = change->kind == MW_CHANGE_MODIFY || change->kind == MW_CHANGE_ACCESS ||
			 change->kind == MW_CHANGE_OPEN || change->times > 1;
	return is_shared ? NULL : search->near;
}

bool mw_call_notes_explain(struct mw_call_notes *notes, const struct mw_change *change, struct mw_explained *ret)
{
	if (notes->count == 0)
		return false;
	struct search search = look(notes, change);
	struct note *note = search.newest ? choose(notes, change, &search) : NULL;
	bool is_found = change->found_by != MW_FOUND_BY_INOTIFY;
	if (note) {
		*ret = (struct mw_explained){
			.process = note->process,
			.is_same_kind = is_kind_of(note->kind, change->kind),
		};
		memcpy(ret->id, note->id, sizeof(ret->id));
		memcpy(ret->rules, note->rules, sizeof(ret->rules));
	}
	if (search.newest && (is_found || change->times > 1))
		take_until(notes, change, search.newest->time_ns + 1);
	else if (note && change->kind != MW_CHANGE_ACCESS && (change->kind != MW_CHANGE_MODIFY || change->is_closed)) {
		note->explains &= ~(1u << change->kind); /* it may be known by another name */
		take_until(notes, change, note->time_ns);
	}
	return note != NULL;
}

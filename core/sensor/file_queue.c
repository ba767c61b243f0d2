#include "sensor/file_queue.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "event/board.h"
#include "event/event.h"
#include "loop/loop.h"
#include "sensor/call_notes.h"
#include "sensor/evidence.h"
#include "sensor/hashes.h"
#include "watch/watch.h"

enum {
	/* How long an event waits for its hash. */
	HASH_WAIT_MS = 500,
	/* Events that wait for one; past it the first go on without. */
	WAITING = 8192,
	/* Changes looked into together. */
	CASES = 512,
	/* Changes told between two looks at the kernel's queue, which holds 16384. */
	TOLD_BETWEEN_PAUSES = 1024,
};

/* A change on its way to be told. */
struct item {
	struct item *next;
	struct mw_change change; /* its paths are behind */
	const char *category;
	struct mw_process *process; /* a reference, or NULL */
	enum mw_attribution attribution;
	struct mw_explained call; /* of an exact one */
	struct mw_hash_job *job;
	int hashed;
	int64_t deadline_ns; /* CLOCK_MONOTONIC; for its hash */
	char paths[];
};

struct mw_file_queue {
	struct mw_file_queue_options options;
	struct mw_call_notes *notes;
	struct mw_evidence *evidence;
	struct mw_hashes *hashes;
	int procfd;
	/* In order.  Those before `fresh` have been looked into. */
	struct item *first, **last, *fresh;
	size_t count;
	struct mw_timer timer; /* when the first has waited long enough */
	unsigned which;        /* hashes, MW_DIGEST_… */
	uint64_t read_max;
	struct mw_file_queue_counters counters;
};

static const char empty_md5[] = "d41d8cd98f00b204e9800998ecf8427e";
static const char empty_sha1[] = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
static const char empty_sha256[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

static const enum mw_event_kind kinds[MW_CHANGE_KINDS] = {
	[MW_CHANGE_CREATE] = MW_FILE_CREATE,         [MW_CHANGE_MODIFY] = MW_FILE_MODIFY,
	[MW_CHANGE_DELETE] = MW_FILE_DELETE,         [MW_CHANGE_RENAME] = MW_FILE_RENAME,
	[MW_CHANGE_ATTRIBUTES] = MW_FILE_ATTRIBUTES, [MW_CHANGE_OPEN] = MW_FILE_OPEN,
	[MW_CHANGE_ACCESS] = MW_FILE_ACCESS,
};

static const enum mw_file_finder finders[] = {
	[MW_FOUND_BY_INOTIFY] = MW_FILE_BY_INOTIFY,
	[MW_FOUND_BY_SCAN] = MW_FILE_BY_SCAN,
	[MW_FOUND_BY_POLL] = MW_FILE_BY_POLL,
};

static bool wants_hash(const struct mw_file_queue *queue, const struct mw_change *change)
{
	bool is_written =
		change->kind == MW_CHANGE_CREATE || change->kind == MW_CHANGE_RENAME ||
		(change->kind == MW_CHANGE_MODIFY && (change->is_closed || change->found_by != MW_FOUND_BY_INOTIFY));
	return queue->which && is_written && change->has_stat && S_ISREG(change->stat.mode);
}

static void ask_for_hash(struct mw_file_queue *queue, struct item *item)
{
	const struct mw_change *change = &item->change;
	if (!wants_hash(queue, change))
		return;
	if (change->stat.size == 0) {
		item->hashed = 1;
		return;
	}
	if (change->stat.size > queue->read_max) {
		item->hashed = -1;
		return;
	}
	const struct mw_digest_key key = {
		.device = change->stat.device,
		.inode = change->stat.inode,
		.size = change->stat.size,
		.mtime_ns = change->stat.mtime_ns,
		.ctime_ns = change->stat.ctime_ns,
	};
	item->job = mw_hashes_ask(queue->hashes, change->path, &key, queue->read_max, queue->which);
	item->deadline_ns = mw_clock_mono_ns() + (int64_t)HASH_WAIT_MS * MW_NS_PER_MS;
}

static struct item *copy(const struct mw_change *change)
{
	size_t bytes = strlen(change->path) + 1;
	size_t old_bytes = change->old_path ? strlen(change->old_path) + 1 : 0;
	struct item *item = malloc(sizeof(*item) + bytes + old_bytes);
	if (!item)
		return NULL;
	*item = (struct item){.change = *change};
	memcpy(item->paths, change->path, bytes);
	item->change.path = item->paths;
	if (old_bytes) {
		memcpy(item->paths + bytes, change->old_path, old_bytes);
		item->change.old_path = item->paths + bytes;
	}
	return item;
}

void mw_file_queue_look(struct mw_file_queue *queue)
{
	struct mw_case cases[CASES];
	struct item *items[CASES];
	while (queue->fresh) {
		size_t n = 0;
		for (; queue->fresh && n < CASES; queue->fresh = queue->fresh->next) {
			struct item *item = queue->fresh;
			if (item->attribution != MW_ATTRIBUTION_NONE || item->change.found_by != MW_FOUND_BY_INOTIFY)
				continue;
			items[n] = item;
			cases[n++] = (struct mw_case){.change = &item->change};
		}
		queue->counters.unlooked += n ? mw_evidence_find(queue->evidence, cases, n) : 0;
		for (size_t i = 0; i < n; i++)
			if (cases[i].process) {
				items[i]->process = cases[i].process;
				items[i]->attribution = MW_ATTRIBUTION_LIKELY;
			}
	}
}

static void set_hashes(struct mw_file_queue *queue, const struct item *item, struct mw_file *file)
{
	const struct mw_digests *digests = NULL;
	if (item->job) {
		switch (mw_hashes_state(item->job, &digests)) {
		case MW_HASH_DONE:
			file->hashed = 1;
			break;
		case MW_HASH_FAILED:
			file->hashed = -1;
			break;
		case MW_HASH_SKIPPED:
			break;
		case MW_HASH_WAITS:
			queue->counters.hash_late++;
			break;
		}
	}
	if (file->hashed != 1)
		return;
	file->sha256 = digests ? digests->sha256 : empty_sha256;
	if (queue->which != MW_DIGEST_ALL)
		return;
	file->md5 = digests ? digests->md5 : empty_md5;
	file->sha1 = digests ? digests->sha1 : empty_sha1;
}

static void emit(struct mw_file_queue *queue, struct item *item)
{
	const struct mw_change *change = &item->change;
	bool is_exact = item->attribution == MW_ATTRIBUTION_EXACT;
	struct mw_file file = {
		.path = change->path,
		.old_path = change->old_path,
		.size = -1,
		.mode = -1,
		.uid = -1,
		.gid = -1,
		.found_by = finders[change->found_by],
		.attribution = item->attribution,
		.category = item->category,
		.is_directory = change->is_directory,
		.is_closed = change->is_closed,
		.times = change->times,
		.cookie = change->cookie,
		.same_as = is_exact && item->call.is_same_kind ? item->call.id : NULL,
		.hashed = item->hashed,
	};
	if (change->has_stat) {
		const struct mw_change_stat *stat = &change->stat;
		file.inode = stat->inode;
		file.device = stat->device;
		file.size = (int64_t)stat->size;
		file.mode = stat->mode;
		file.uid = stat->uid;
		file.gid = stat->gid;
		file.has_stat = true;
		file.nlink = stat->nlink;
		file.atime_ns = stat->atime_ns;
		file.mtime_ns = stat->mtime_ns;
		file.ctime_ns = stat->ctime_ns;
	}
	set_hashes(queue, item, &file);
	struct mw_event event = {
		.kind = kinds[change->kind],
		.time_ns = change->time_ns,
		.process = item->process,
		.file = &file,
		.is_sampled = change->found_by != MW_FOUND_BY_INOTIFY,
	};
	const struct mw_rule_info *muted[MW_NOTE_RULES + 1] = {NULL};
	if (is_exact)
		memcpy(muted, item->call.rules, sizeof(item->call.rules));
	queue->counters.exact += is_exact;
	queue->counters.likely += item->attribution == MW_ATTRIBUTION_LIKELY;
	queue->counters.none += item->attribution == MW_ATTRIBUTION_NONE;
	queue->counters.joined += file.same_as != NULL;
	queue->options.emit(queue->options.data, &event, file.same_as != NULL, muted);
}

static void release_first(struct mw_file_queue *queue)
{
	struct item *item = queue->first;
	queue->first = item->next;
	if (!queue->first)
		queue->last = &queue->first;
	queue->count--;
	mw_hashes_let_go(queue->hashes, item->job);
	mw_process_unref(item->process);
	free(item);
}

void mw_file_queue_add(struct mw_file_queue *queue, const struct mw_change *change, const char *category,
		       bool is_private)
{
	struct item *item = copy(change);
	if (!item) {
		queue->counters.dropped++;
		return;
	}
	item->category = category;
	item->attribution = MW_ATTRIBUTION_NONE;
	if (mw_call_notes_explain(queue->notes, change, &item->call)) {
		item->attribution = MW_ATTRIBUTION_EXACT;
		item->process = mw_process_ref(item->call.process);
	}
	if (!is_private)
		ask_for_hash(queue, item);
	*queue->last = item;
	queue->last = &item->next;
	if (!queue->fresh)
		queue->fresh = item;
	queue->count++;
	/* Whoever adds may not be able to stop. */
	if (queue->count > 2 * WAITING) {
		mw_file_queue_look(queue);
		while (queue->count > WAITING) {
			emit(queue, queue->first);
			release_first(queue);
		}
	}
}

static bool is_due(const struct mw_file_queue *queue, const struct item *item, int64_t now_ns)
{
	const struct mw_digests *digests;
	return !item->job || mw_hashes_state(item->job, &digests) != MW_HASH_WAITS || now_ns >= item->deadline_ns ||
	       queue->count > WAITING;
}

static void tell(struct mw_file_queue *queue, bool is_last)
{
	int64_t now_ns = mw_clock_mono_ns();
	for (unsigned n = 1; queue->first; n++) {
		/* More may have come by reading. */
		if (queue->first == queue->fresh)
			mw_file_queue_look(queue);
		if (!is_last && !is_due(queue, queue->first, now_ns))
			break;
		emit(queue, queue->first);
		release_first(queue);
		if (n % TOLD_BETWEEN_PAUSES == 0)
			queue->options.pause(queue->options.pause_data);
	}
	mw_timer_clear(queue->options.loop, &queue->timer);
	if (queue->first)
		mw_timer_set(queue->options.loop, &queue->timer,
			     (queue->first->deadline_ns - now_ns) / MW_NS_PER_MS + 1);
}

void mw_file_queue_tell(struct mw_file_queue *queue)
{
	tell(queue, false);
}

void mw_file_queue_flush(struct mw_file_queue *queue, int64_t until_ns)
{
	int64_t left_ms = (until_ns - mw_clock_mono_ns()) / MW_NS_PER_MS;
	if (queue->first && left_ms > 0)
		mw_hashes_wait(queue->hashes, (int)left_ms);
	tell(queue, true);
}

static void on_time(void *data)
{
	tell(data, false);
}

static void on_hashed(void *data)
{
	tell(data, false);
}

int mw_file_queue_new(const struct mw_file_queue_options *options, struct mw_file_queue **ret_queue)
{
	struct mw_file_queue *queue = calloc(1, sizeof(*queue));
	if (!queue)
		return -ENOMEM;
	queue->options = *options;
	queue->last = &queue->first;
	queue->timer = (struct mw_timer){.fire = on_time, .data = queue};
	queue->procfd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = mw_call_notes_new(&queue->notes);
	if (r == 0)
		r = mw_evidence_new(options->processes, options->board, queue->procfd, &queue->evidence);
	if (r == 0)
		r = mw_hashes_new(options->loop, on_hashed, queue, &queue->hashes);
	if (r < 0) {
		mw_file_queue_free(queue);
		return r;
	}
	*ret_queue = queue;
	return 0;
}

void mw_file_queue_free(struct mw_file_queue *queue)
{
	if (!queue)
		return;
	while (queue->first)
		release_first(queue);
	mw_timer_clear(queue->options.loop, &queue->timer);
	mw_hashes_free(queue->hashes);
	mw_evidence_free(queue->evidence);
	mw_call_notes_free(queue->notes);
	if (queue->procfd >= 0)
		(void)close(queue->procfd);
	free(queue);
}

void mw_file_queue_set_hashes(struct mw_file_queue *queue, unsigned which, uint64_t read_max)
{
	queue->which = which;
	queue->read_max = read_max;
}

void mw_file_queue_note(struct mw_file_queue *queue, const struct mw_event *event,
			const struct mw_rule_info *const *rules)
{
	if (event->call)
		mw_call_notes_add(queue->notes, event, rules);
	else
		mw_evidence_note(queue->evidence, event);
}

void mw_file_queue_count(const struct mw_file_queue *queue, struct mw_file_queue_counters *ret)
{
	*ret = queue->counters;
	mw_hashes_count(queue->hashes, &ret->hashed, &ret->hash_refused);
}

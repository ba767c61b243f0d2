#include "watch/watch.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "watch/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
	BUFFER = 64 << 10,
	GAP_MS = 2,         /* between two reads of events that follow each other */
	RESOLVE_MS = 20,    /* a link is often taken away and made anew */
	VISITS_A_LOOK = 32, /* at the clock */
};

static void tell_when_read(struct mw_watch *watch)
{
	if (!watch->options.wake)
		(void)mw_changes_tell(watch, 0);
}

static void on_readable(void *data, uint32_t events);

static void await_events(struct mw_watch *watch)
{
	watch->is_awaiting = mw_loop_watch(watch->options.loop, watch->inotify_fd, EPOLLIN, on_readable, watch) == 0;
	if (!watch->is_awaiting)
		mw_timer_set(watch->options.loop, &watch->gap_timer, GAP_MS);
}

/* The first event is read at once.  Of those that follow many are read at a time: to be woken for each costs more than the rest
 * of the work, and takes the processor from who writes; and what the kernel has not given it folds with what is like it.  At
 * the pace at which a kernel can make events its queue is far from full in that time. */
static void on_readable(void *data, uint32_t events)
{
	struct mw_watch *watch = data;
	(void)events;
	mw_watch_read(watch);
	if (watch->inotify_fd < 0 || !watch->is_awaiting)
		return;
	mw_loop_unwatch(watch->options.loop, watch->inotify_fd);
	watch->is_awaiting = false;
	mw_timer_set(watch->options.loop, &watch->gap_timer, GAP_MS);
}

static void on_gap(void *data)
{
	struct mw_watch *watch = data;
	uint64_t before = watch->bytes_read;
	mw_watch_read(watch);
	if (watch->bytes_read != before)
		mw_timer_set(watch->options.loop, &watch->gap_timer, GAP_MS);
	else
		await_events(watch);
}

static void on_scan(void *data)
{
	struct mw_watch *watch = data;
	mw_scan_slice(watch);
	tell_when_read(watch);
}

static void on_move(void *data)
{
	struct mw_watch *watch = data;
	/* What waits in the queue may be the other half. */
	mw_read_events(watch);
	mw_read_flush_moves(watch, mw_clock_mono_ns() - 40 * (int64_t)MW_NS_PER_MS);
	if (watch->move_count > 0)
		mw_timer_set(watch->options.loop, &watch->move_timer, 50);
	/* Nothing may be read after this for long: what such a move put in doubt is looked at now. */
	mw_scan_slice(watch);
	tell_when_read(watch);
}

static void free_config(struct mw_watch_config *config)
{
	for (size_t c = 0; config->categories && c < config->category_count; c++) {
		const struct mw_watch_category *category = &config->categories[c];
		for (const char *const *text = category->patterns; text && *text; text++)
			free((void *)(uintptr_t)*text);
		free((void *)(uintptr_t)category->patterns);
		free((void *)(uintptr_t)category->name);
	}
	free((void *)(uintptr_t)config->categories);
	for (const char *const *text = config->excludes; text && *text; text++)
		free((void *)(uintptr_t)*text);
	free((void *)(uintptr_t)config->excludes);
	memset(config, 0, sizeof(*config));
}

static const char *const *copy_list(const char *const *list)
{
	size_t count = 0;
	while (list && list[count])
		count++;
	const char **copy = calloc(count + 1, sizeof(char *));
	for (size_t i = 0; copy && i < count; i++)
		if (!(copy[i] = strdup(list[i])))
			break;
	return copy;
}

static int copy_config(const struct mw_watch_config *config, struct mw_watch_config *ret)
{
	struct mw_watch_category *categories = calloc(config->category_count + 1, sizeof(*categories));
	*ret = (struct mw_watch_config){.categories = categories, .category_count = config->category_count};
	bool is_whole = categories && (ret->excludes = copy_list(config->excludes));
	for (size_t c = 0; is_whole && c < config->category_count; c++) {
		categories[c] = (struct mw_watch_category){.name = strdup(config->categories[c].name),
							   .patterns = copy_list(config->categories[c].patterns),
							   .wants_access = config->categories[c].wants_access};
		is_whole = categories[c].name && categories[c].patterns;
	}
	if (is_whole)
		return 0;
	free_config(ret);
	return -ENOMEM;
}

static void apply(struct mw_watch *watch, struct mw_map *map)
{
	struct mw_map *old = watch->map;
	watch->map = map;
	if (old) {
		mw_dirs_relabel(watch, old, watch->tree.root, mw_map_root(map), false);
		mw_map_free(old);
	} else {
		mw_node_dir(watch->tree.root)->where = mw_map_root(map);
		if (mw_map_root(map) != MW_WHERE_NOWHERE)
			mw_scan_queue(watch, watch->tree.root, 0);
	}
	if (watch->scan.first)
		watch->scan.is_settled = false;
}

/* The links in the patterns' bases lead elsewhere, or may. */
static void on_resolve(void *data)
{
	struct mw_watch *watch = data;
	struct mw_map *map;
	struct mw_err err;
	if (mw_map_new(&watch->config, &map, &err) < 0) {
		mw_said(watch, MW_SAID_MAP, true, "files: %s", err.text);
		return;
	}
	apply(watch, map);
}

void mw_watch_resolve_soon(struct mw_watch *watch)
{
	if (!watch->resolve_timer.is_set)
		mw_timer_set(watch->options.loop, &watch->resolve_timer, RESOLVE_MS);
}

int mw_watch_configure(struct mw_watch *watch, const struct mw_watch_config *config, struct mw_err *err)
{
	struct mw_watch_config copy;
	struct mw_map *map;
	int r = mw_map_new(config, &map, err);
	if (r < 0)
		return r;
	r = copy_config(config, &copy);
	if (r < 0) {
		mw_map_free(map);
		return mw_err_set(err, r, "patterns of files: out of memory");
	}
	/* What the kernel has was told under the old patterns. */
	mw_read_events(watch);
	free_config(&watch->config);
	watch->config = copy;
	memset(watch->scan.entries, 0, sizeof(watch->scan.entries));
	watch->said &=
		~((uint64_t)1 << MW_SAID_ENTRIES | (uint64_t)1 << MW_SAID_DIRECTORIES | (uint64_t)1 << MW_SAID_STATE);
	apply(watch, map);
	return 0;
}

void mw_watch_begin_share(struct mw_watch *watch)
{
	watch->is_counting = true;
	mw_limits_begin(&watch->limits);
	if (!watch->scan.timer.is_set)
		mw_timer_set(watch->options.loop, &watch->scan.timer, 0);
}

bool mw_watch_take_share(struct mw_watch *watch, int64_t until_ns)
{
	const struct mw_limits *limits = &watch->limits;
	if (!mw_limits_go_on(&watch->limits, until_ns))
		return false;
	watch->is_counting = false;
	watch->counters.user_watches = limits->watches;
	uint64_t left = limits->watches > limits->watches_used ? limits->watches - limits->watches_used : 0;
	watch->share = limits->watches == 0 ? UINT64_MAX : left * watch->options.share_percent / 100;
	watch->counters.share = watch->share;
	if (limits->hidden > 0)
		mw_said(watch, MW_SAID_HIDDEN, false,
			"files: %llu processes of this user could not be looked at: how many inotify watches they use is not known",
			(unsigned long long)limits->hidden);
	return true;
}

void mw_watch_open_inotify(struct mw_watch *watch)
{
	watch->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	int r = watch->inotify_fd < 0
			? -errno
			: mw_loop_watch(watch->options.loop, watch->inotify_fd, EPOLLIN, on_readable, watch);
	watch->is_awaiting = r == 0;
	if (r == 0)
		return;
	if (watch->inotify_fd >= 0)
		(void)close(watch->inotify_fd);
	watch->inotify_fd = -1;
	mw_said(watch, MW_SAID_NO_INSTANCE, true,
		"files: no inotify instance (%s): all files are looked at every %lld ms instead; raise "
		"fs.inotify.max_user_instances",
		mw_err_name(r), (long long)watch->options.poll_ms);
}

int mw_watch_new(const struct mw_watch_options *options, struct mw_watch **ret_watch, struct mw_err *err)
{
	struct mw_watch *watch = calloc(1, sizeof(*watch));
	if (!watch)
		return mw_err_set(err, -ENOMEM, "watching files: out of memory");
	watch->options = *options;
	struct mw_watch_options *o = &watch->options;
	o->share_percent = o->share_percent ? o->share_percent : 25;
	o->state_bytes = o->state_bytes ? o->state_bytes : (size_t)32 << 20;
	o->entries_limit = o->entries_limit ? o->entries_limit : 10000000;
	o->directory_limit = o->directory_limit ? o->directory_limit : 200000;
	o->poll_ms = o->poll_ms ? o->poll_ms : 5000;
	watch->inotify_fd = watch->mounts_fd = watch->scan.fd = -1;
	watch->scan.is_settled = true;
	watch->scan.timer = (struct mw_timer){.fire = on_scan, .data = watch};
	watch->gap_timer = (struct mw_timer){.fire = on_gap, .data = watch};
	watch->move_timer = (struct mw_timer){.fire = on_move, .data = watch};
	watch->resolve_timer = (struct mw_timer){.fire = on_resolve, .data = watch};
	watch->buffer = malloc(BUFFER);
	watch->scan.buffer = malloc(BUFFER);
	if (!watch->buffer || !watch->scan.buffer || mw_tree_init(&watch->tree) < 0) {
		mw_watch_free(watch);
		return mw_err_set(err, -ENOMEM, "watching files: out of memory");
	}
	mw_watch_begin_share(watch);
	mw_watch_open_inotify(watch);
	int r = mw_mounts_open(watch);
	if (r < 0)
		mw_said(watch, MW_SAID_MOUNTS, false,
			"files: mounts cannot be followed (/proc/self/mountinfo: %s): what is mounted on top of a watched directory "
			"is not seen",
			mw_err_name(r));
	*ret_watch = watch;
	return 0;
}

void mw_watch_free(struct mw_watch *watch)
{
	if (!watch)
		return;
	mw_limits_end(&watch->limits);
	mw_changes_release(watch);
	mw_scan_release(watch);
	for (size_t i = 0; i < watch->unsettled_count; i++)
		mw_node_release(watch->unsettled[i]);
	free(watch->unsettled);
	mw_links_release(watch);
	mw_watch_mounts_release(watch);
	mw_timer_clear(watch->options.loop, &watch->scan.timer);
	mw_timer_clear(watch->options.loop, &watch->gap_timer);
	mw_timer_clear(watch->options.loop, &watch->move_timer);
	mw_timer_clear(watch->options.loop, &watch->resolve_timer);
	mw_timer_clear(watch->options.loop, &watch->poll_timer);
	if (watch->inotify_fd >= 0) {
		if (watch->is_awaiting)
			mw_loop_unwatch(watch->options.loop, watch->inotify_fd);
		(void)close(watch->inotify_fd);
	}
	mw_watch_tree_release(&watch->tree);
	mw_map_free(watch->map);
	free_config(&watch->config);
	for (size_t i = 0; i < MW_WATCH_OWN; i++)
		free(watch->own[i].path);
	free(watch->buffer);
	free(watch->scan.buffer);
	free(watch);
}

void mw_watch_read(struct mw_watch *watch)
{
	mw_read_events(watch);
	tell_when_read(watch);
}

static bool is_any_waiting(const struct mw_watch *watch)
{
	int waiting = 0;
	return watch->inotify_fd >= 0 && ioctl(watch->inotify_fd, FIONREAD, &waiting) == 0 && waiting > 0;
}

void mw_watch_hurry(struct mw_watch *watch, int64_t until_ns)
{
	watch->scan.is_hurried = true;
	do
		mw_read_events(watch);
	while ((is_any_waiting(watch) || mw_scan_has_new(watch)) && mw_clock_mono_ns() < until_ns);
	/* The other half would have been right behind. */
	mw_read_flush_moves(watch, INT64_MAX);
	watch->scan.is_hurried = false;
	tell_when_read(watch);
}

size_t mw_watch_tell(struct mw_watch *watch, int64_t hold_ns)
{
	return mw_changes_tell(watch, hold_ns);
}

bool mw_watch_is_settled(const struct mw_watch *watch)
{
	return watch->scan.is_settled;
}

bool mw_watch_is_quiet(const struct mw_watch *watch)
{
	return !is_any_waiting(watch) && !watch->scan.now && !watch->scan.first && watch->move_count == 0 &&
	       watch->changes.head == watch->changes.tail && !watch->was_directory_moved &&
	       !watch->resolve_timer.is_set;
}

/* Where the queue of events ends now, counted in bytes since the start. */
static uint64_t queue_end(const struct mw_watch *watch)
{
	int waiting = 0;
	(void)ioctl(watch->inotify_fd, FIONREAD, &waiting);
	return watch->bytes_read + (uint64_t)waiting;
}

void mw_watch_own_begin(struct mw_watch *watch, const char *path)
{
	if (watch->inotify_fd < 0 || !watch->map || !mw_map_access(watch->map))
		return;
	struct mw_own_read *free_one = NULL;
	for (size_t i = 0; i < MW_WATCH_OWN; i++) {
		struct mw_own_read *own = &watch->own[i];
		if (own->path && own->to < watch->bytes_read) { /* its events have come */
			free(own->path);
			own->path = NULL;
			watch->own_count--;
		}
		if (!own->path)
			free_one = own;
	}
	if (!free_one)
		return; /* rather tell of our own than forget another's */
	*free_one = (struct mw_own_read){.path = strdup(path), .from = queue_end(watch), .to = UINT64_MAX, .opens = 1};
	watch->own_count += free_one->path != NULL;
}

void mw_watch_own_end(struct mw_watch *watch, const char *path)
{
	for (size_t i = 0; i < MW_WATCH_OWN; i++) {
		struct mw_own_read *own = &watch->own[i];
		if (own->path && own->to == UINT64_MAX && strcmp(own->path, path) == 0) {
			own->to = queue_end(watch);
			return;
		}
	}
}

static int visit_one(const struct mw_watch *watch, const struct mw_node *node,
		     int (*visit)(void *data, const char *path, unsigned category, const struct mw_change_stat *stat),
		     void *data)
{
	char path[MW_PATH_BYTES];
	if (!node->parent || !(node->flags & MW_NODE_HAS_STAT))
		return 0;
	uint64_t categories = mw_dirs_categories(watch, node);
	if (!categories || mw_tree_path(node, path, sizeof(path)) < 0)
		return 0;
	struct mw_change_stat stat;
	mw_tree_get_stat(&watch->tree, node, &stat);
	return visit(data, path, (unsigned)__builtin_ctzll(categories), &stat);
}

static struct mw_node *first_with(struct mw_node *node, uint16_t flag, bool has)
{
	while (node && !(node->flags & flag) == has)
		node = node->next;
	return node;
}

/* The flag says that a node was visited, and all below it.  So one can go on after the tree has changed. */
static void forget_visits(struct mw_watch *watch)
{
	for (struct mw_node *node = watch->tree.root; node;) {
		node->flags &= (uint16_t)~MW_NODE_VISITED;
		struct mw_node *child = mw_node_is_directory(node)
						? first_with(mw_node_dir(node)->children, MW_NODE_VISITED, true)
						: NULL;
		if (child) {
			node = child;
			continue;
		}
		struct mw_node *next = first_with(node->next, MW_NODE_VISITED, true);
		node = next ? next : node->parent;
	}
}

int mw_watch_visit(struct mw_watch *watch, int64_t until_ns,
		   int (*visit)(void *data, const char *path, unsigned category, const struct mw_change_stat *stat),
		   void *data)
{
	struct mw_node *node = watch->tree.root;
	unsigned visited = 0;
	while (watch->map && node) {
		struct mw_node *child = mw_node_is_directory(node)
						? first_with(mw_node_dir(node)->children, MW_NODE_VISITED, false)
						: NULL;
		if (child) {
			node = child;
			continue;
		}
		int r = visit_one(watch, node, visit, data);
		if (r)
			return r;
		node->flags |= MW_NODE_VISITED;
		if (++visited % VISITS_A_LOOK == 0 && mw_clock_mono_ns() >= until_ns)
			return -EAGAIN;
		struct mw_node *next = first_with(node->next, MW_NODE_VISITED, false);
		node = next ? next : node->parent;
	}
	forget_visits(watch);
	return 0;
}

void mw_watch_count(const struct mw_watch *watch, struct mw_watch_counters *ret)
{
	*ret = watch->counters;
	ret->directories = watch->tree.watched;
	ret->files = watch->tree.files;
	ret->waiting = watch->changes.tail - watch->changes.head;
}

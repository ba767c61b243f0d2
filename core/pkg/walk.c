#include "pkg/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ioprio.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/thread.h"
#include "pkg/mounts.h"
#include "pkg/tree.h"

enum {
	DEPTH = 128,                 /* of folders; each holds a descriptor while what is below it is looked at */
	ENTRIES = 4 << 20,           /* names seen in one walk */
	KEPT_BYTES = 32 << 20,       /* remembered from one walk to the next */
	USED_BYTES = 2 * KEPT_BYTES, /* while it goes on: folders that are full of what looks like packages */
	STACK_BYTES = 512 << 10,     /* of its thread; musl's is smaller by default */
	TREES = 16,                  /* that are remembered: one for each folder that was begun at */
	FINDERS = 32,
	CLOCK_ENTRIES = 256, /* between two looks at the clock */
	/* What changed within this time before it was looked at may change again with the same time stamps, which are as
	 * coarse as the kernel's tick (4 or 10 ms). */
	FRESH_NS = 100 * MW_NS_PER_MS,
	/* A tenth of a CPU that somebody else wants, too.  With 19 a walk on a busy machine never ends before its query must. */
	NICE = 10,
};

struct start {
	char *path;
	struct mw_tree tree;
	uint64_t used; /* when, in walks */
	/* The last walk that saw everything: when it began, for which finders, and how deep it went. */
	int64_t whole_ns;
	uint32_t whole;
	unsigned whole_depth;
	bool has_news;
};

struct mw_package_walk {
	struct start starts[TREES];
	uint64_t walks;
	struct mw_package_walk_stats stats;
};

/* A folder on the way down. */
struct step {
	const struct step *above;
	int fd; /* O_PATH */
	dev_t dev;
	ino_t ino;
	unsigned depth;
};

struct run {
	struct mw_package_walk *walk;
	const struct mw_package_walk_options *options;
	const struct mw_package_sink *sink;
	struct mw_tree *tree;
	struct mw_mounts mounts;
	uint32_t finders; /* that are wanted, a bit each */
	uint32_t cheap;   /* that ask for names alone: asked whenever a folder is listed */
	struct mw_buf path;
	unsigned depth;
	uint64_t entries, entries_max;
	bool is_deep;  /* told already */
	bool is_whole; /* all that was found is remembered */
	int result;
	/* While a finder reads. */
	struct mw_tree_file *file;
	const struct mw_package_file *opened;
	const char *folder;
	uint32_t finder;
	int emit_result;
};

static bool is_fresh(const struct mw_tree_identity *identity)
{
	int64_t now = mw_clock_real_ns();
	int64_t mtime = (int64_t)identity->mtime.tv_sec * MW_NS_PER_S + identity->mtime.tv_nsec;
	int64_t ctime = (int64_t)identity->ctime.tv_sec * MW_NS_PER_S + identity->ctime.tv_nsec;
	return now - mtime < FRESH_NS || now - ctime < FRESH_NS;
}

/* -ETIME at the deadline, -ENOBUFS when the walk has seen as much as it may. */
static int count_entry(struct run *run)
{
	if (++run->entries > run->entries_max)
		return -ENOBUFS;
	return run->entries % CLOCK_ENTRIES ? 0 : mw_package_check_time(run->sink);
}

/* --- what finders say --- */

static int emit_found(void *data, const struct mw_package *found)
{
	struct run *run = data;
	struct mw_package package = *found;
	if (!package.path)
		package.path = run->opened->path;
	if (!package.directory)
		package.directory = run->folder;
	package.uid = run->opened->st->st_uid;
	int r = mw_tree_keep(run->tree, run->file, run->finder, &package);
	if (r == 0)
		r = mw_package_emit(run->sink, &package);
	run->emit_result = r;
	return r;
}

/* Kept, too: the file is not read again, but is no better then. */
static void warn_found(void *data, const char *line)
{
	struct run *run = data;
	(void)mw_tree_keep(run->tree, run->file, run->finder, &(struct mw_package){.summary = line});
	run->sink->warn(run->sink->data, line);
}

static int emit_kept(struct run *run, const struct mw_tree_file *file, uint32_t finders)
{
	for (const struct mw_tree_package *kept = file->packages; kept; kept = kept->next) {
		if (!(finders >> kept->finder & 1))
			continue;
		if (!kept->package.name)
			run->sink->warn(run->sink->data, kept->package.summary);
		run->emit_result = mw_package_emit(run->sink, &kept->package);
		if (run->emit_result < 0)
			return run->emit_result;
	}
	return 0;
}

/* Is the beginning of the file not in the page cache?  When the kernel cannot say, it is taken for cached. */
static bool is_cold(int fd)
{
	char byte;
	struct iovec to = {.iov_base = &byte, .iov_len = 1};
	return preadv2(fd, &to, 1, 0, RWF_NOWAIT) < 0 && errno == EAGAIN;
}

static int read_with(struct run *run, struct mw_tree_file *file, const struct mw_package_file *opened, uint32_t finders)
{
	const struct mw_package_sink sink = {
		.emit = emit_found,
		.warn = warn_found,
		.data = run,
		.deadline_ns = run->sink->deadline_ns,
		.is_unwanted = run->sink->is_unwanted,
	};
	run->file = file;
	run->opened = opened;
	for (uint32_t n = 0; n < FINDERS; n++) {
		if (!(finders >> n & 1))
			continue;
		run->finder = n;
		run->emit_result = 0;
		int r = mw_package_finders[n]->read(opened, &sink);
		if (run->emit_result < 0)
			return run->emit_result;
		if (r == -ENOMEM || r == -ETIME)
			return r;
		if (r < 0)
			mw_package_warn(&sink, "%s: cannot be read: %s", opened->path, strerror(-r));
		file->read |= 1U << n;
	}
	return 0;
}

static int look_at_file(struct run *run, const struct step *step, struct mw_tree_file *file)
{
	uint32_t finders = file->finders & run->finders;
	struct stat st;
	if (!finders)
		return 0;
	if (fstatat(step->fd, file->name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return 0;
	struct mw_tree_identity identity = mw_tree_identity(&st);
	if (!mw_tree_is_same(&identity, &file->identity))
		mw_tree_forget_packages(run->tree, file);
	file->identity = identity;
	if ((finders & ~file->read) == 0) {
		run->walk->stats.files_kept++;
		return emit_kept(run, file, finders);
	}
	int r = emit_kept(run, file, finders & file->read);
	if (r < 0)
		return r;

	MW_AUTO_FD fd = openat(step->fd, file->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	run->walk->stats.files_read++;
	size_t length = run->path.size;
	/* The finder sees both the path and its folder. */
	MW_AUTO_FREE char *folder = strdup(length ? run->path.data : "/");
	mw_buf_char(&run->path, '/');
	mw_buf_str(&run->path, file->name);
	bool was_cold = is_cold(fd);
	const struct mw_package_file opened = {
		.path = run->path.data,
		.name = file->name,
		.fd = fd,
		.folderfd = step->fd,
		.rootfd = run->options->rootfd,
		.st = &st,
	};
	run->folder = folder;
	if (!folder)
		r = -ENOMEM;
	else if (mw_buf_status(&run->path) == 0)
		r = read_with(run, file, &opened, finders & ~file->read);
	run->path.failed = false;
	run->path.size = length;
	run->path.data[length] = '\0';
	if (was_cold)
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	/* It may have grown meanwhile. */
	struct stat after;
	if (r < 0 || fstat(fd, &after) < 0)
		mw_tree_forget_packages(run->tree, file);
	else
		identity = mw_tree_identity(&after);
	if (r == 0 && (!mw_tree_is_same(&identity, &file->identity) || is_fresh(&identity))) {
		mw_tree_forget_packages(run->tree, file);
		run->is_whole = false;
	}
	return r;
}

/* --- folders --- */

/* The finders that want a file, by its name and mode. */
static uint32_t finders_of(const char *folder, const char *name, int fd, uint32_t asked)
{
	uint32_t finders = 0;
	int is_executable = -1; /* not looked */
	for (uint32_t n = 0; n < FINDERS && mw_package_finders[n]; n++) {
		const struct mw_package_finder *finder = mw_package_finders[n];
		if (!(asked >> n & 1) || !finder->matches(folder, name))
			continue;
		if (finder->is_executable && is_executable < 0) {
			struct stat st;
			is_executable = fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
					(st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0;
		}
		if (!finder->is_executable || is_executable)
			finders |= 1U << n;
	}
	return finders;
}

static void release_dir(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

static bool is_dots(const char *name)
{
	return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

static int list_entry(struct run *run, struct mw_tree_folder *folder, int fd, const struct dirent *entry)
{
	unsigned char type = entry->d_type;
	struct stat st;
	if (type == DT_UNKNOWN && fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		type = S_ISDIR(st.st_mode) ? DT_DIR : S_ISREG(st.st_mode) ? DT_REG : DT_UNKNOWN;
	if (type == DT_DIR)
		return mw_tree_add_folder(run->tree, folder, entry->d_name);
	if (type != DT_REG)
		return 0;
	uint32_t finders = finders_of(run->path.data, entry->d_name, fd, folder->finders);
	return finders ? mw_tree_add_file(run->tree, folder, entry->d_name, finders) : 0;
}

/* Read the names; what is known of them stays known. */
static int list(struct run *run, const struct step *step, struct mw_tree_folder *folder)
{
	int fd = openat(step->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	__attribute__((cleanup(release_dir))) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct mw_tree_folder old = *folder;
	int r = 0;
	old.name = NULL;
	*folder = (struct mw_tree_folder){
		.name = folder->name,
		.identity = folder->identity,
		/* Those that were asked before, too, whose files would be forgotten else. */
		.finders = folder->finders | run->finders | run->cheap,
	};
	if (!dir && fd >= 0)
		(void)close(fd);
	run->walk->stats.folders_listed++;
	const struct dirent *entry;
	while (dir && r == 0 && (entry = readdir(dir))) {
		r = run->tree->bytes > USED_BYTES ? -ENOBUFS : count_entry(run);
		if (r == 0 && !is_dots(entry->d_name))
			r = list_entry(run, folder, fd, entry);
	}
	mw_tree_finish(run->tree, folder, &old);
	folder->is_listed = r == 0 && dir && !is_fresh(&folder->identity);
	return r;
}

/* A bind mount of a folder into itself. */
static bool is_above(const struct step *step, const struct stat *st)
{
	for (; step; step = step->above)
		if (step->dev == st->st_dev && step->ino == st->st_ino)
			return true;
	return false;
}

static int look_at_folder(struct run *run, const struct step *step, struct mw_tree_folder *folder,
			  const struct stat *st);

/* Most folders have no others and nothing that a finder wants: while such a one is the same, a look at it is enough. */
static bool is_known_leaf(struct run *run, int fd, const struct mw_tree_folder *folder)
{
	struct stat st;
	if (!folder->is_listed || folder->folder_count || folder->file_count || run->finders & ~folder->finders ||
	    fstatat(fd, folder->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	struct mw_tree_identity identity = mw_tree_identity(&st);
	if (!mw_tree_is_same(&identity, &folder->identity))
		return false;
	run->walk->stats.folders++;
	return true;
}

// NOLINTNEXTLINE(misc-no-recursion): to run->depth
static int go_down(struct run *run, const struct step *step, struct mw_tree_folder *folder)
{
	struct stat st;
	if (step->depth >= run->depth) {
		if (!run->options->depth && !run->is_deep)
			mw_package_warn(run->sink, "%s: folders nest too deep, packages below are not looked for",
					run->path.data);
		run->is_deep = true;
		return 0;
	}
	/* What was found there before something was mounted over it is not there. */
	if (mw_mounts_has(&run->mounts, run->path.data)) {
		mw_tree_forget(run->tree, folder);
		return 0;
	}
	if (is_known_leaf(run, step->fd, folder))
		return count_entry(run);
	MW_AUTO_FD fd = openat(step->fd, folder->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || is_above(step, &st) ||
	    (st.st_dev != step->dev && mw_mounts_is_foreign(fd))) {
		mw_tree_forget(run->tree, folder);
		return 0;
	}
	const struct step below = {
		.above = step, .fd = fd, .dev = st.st_dev, .ino = st.st_ino, .depth = step->depth + 1};
	return look_at_folder(run, &below, folder, &st);
}

/* What the kernel shows, whatever it is mounted as. */
static bool is_kernels(const char *path)
{
	return strcmp(path, "/proc") == 0 || strcmp(path, "/sys") == 0 || strcmp(path, "/dev") == 0;
}

// NOLINTNEXTLINE(misc-no-recursion): to run->depth
static int look_at_folder(struct run *run, const struct step *step, struct mw_tree_folder *folder,
			  const struct stat *st)
{
	struct mw_tree_identity identity = mw_tree_identity(st);
	run->walk->stats.folders++;
	int r = count_entry(run);
	bool is_same = mw_tree_is_same(&identity, &folder->identity);
	folder->identity = identity;
	if (r == 0 && !(folder->is_listed && is_same && (run->finders & ~folder->finders) == 0))
		r = list(run, step, folder);
	for (size_t i = 0; i < folder->file_count && r == 0; i++)
		r = look_at_file(run, step, &folder->files[i]);
	size_t length = run->path.size;
	for (size_t i = 0; i < folder->folder_count && r == 0; i++) {
		mw_buf_char(&run->path, '/');
		mw_buf_str(&run->path, folder->folders[i].name);
		if (mw_buf_status(&run->path) == 0 && !is_kernels(run->path.data))
			r = go_down(run, step, &folder->folders[i]);
		run->path.failed = false;
		run->path.size = length;
		run->path.data[length] = '\0';
	}
	if (run->tree->bytes > KEPT_BYTES) {
		mw_tree_forget(run->tree, folder);
		run->is_whole = false;
	}
	return r;
}

/* All that is remembered, as a walk would find it. */
// NOLINTNEXTLINE(misc-no-recursion): to the depth of the walk that saw it
static int emit_folder(struct run *run, const struct mw_tree_folder *folder, unsigned depth)
{
	int r = count_entry(run);
	for (size_t i = 0; i < folder->file_count && r == 0; i++)
		r = emit_kept(run, &folder->files[i], run->finders & folder->files[i].read);
	for (size_t i = 0; depth < run->depth && i < folder->folder_count && r == 0; i++)
		r = emit_folder(run, &folder->folders[i], depth + 1);
	return r;
}

/* --- a walk --- */

/* Of a thread: both are inherited by nobody and end with it. */
static void be_humble(void)
{
	(void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);
	(void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0));
}

static int walk_from(struct run *run, const char *path)
{
	MW_AUTO_FD fd = -1;
	struct stat st;
	/* A start may be a link: whoever names it means what it leads to. */
	int r = mw_package_open(run->options->rootfd, path, O_PATH | O_DIRECTORY, &fd);
	if (r < 0 || fstat(fd, &st) < 0)
		return 0;
	const struct step step = {.fd = fd, .dev = st.st_dev, .ino = st.st_ino};
	/* A folder over a network is looked at when it is named. */
	mw_buf_str(&run->path, strcmp(path, "/") == 0 ? "" : path);
	if (mw_buf_status(&run->path) < 0 || is_kernels(path))
		return 0;
	return look_at_folder(run, &step, &run->tree->root, &st);
}

static void *walk_thread(void *data)
{
	struct run *run = data;
	const char *start = run->options->start;
	if (!run->options->is_foreground)
		be_humble();
	run->result = walk_from(run, start ? start : "/");
	return NULL;
}

/* In a thread; without one, here. */
static void walk_aside(struct run *run)
{
	pthread_t thread;
	int r = run->options->is_foreground ? -EAGAIN : mw_thread_start(&thread, STACK_BYTES, walk_thread, run);
	if (r == 0) {
		(void)pthread_join(thread, NULL);
		return;
	}
	const struct mw_package_walk_options *options = run->options;
	struct mw_package_walk_options here = *options;
	here.is_foreground = true;
	run->options = &here;
	(void)walk_thread(run);
	run->options = options;
}

static bool is_our_root(int rootfd)
{
	struct stat a;
	struct stat b;
	return fstat(rootfd, &a) == 0 && stat("/", &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* What is remembered of walks from there. */
static struct start *find_start(struct mw_package_walk *walk, const char *path)
{
	struct start *oldest = &walk->starts[0];
	for (size_t i = 0; i < TREES; i++) {
		struct start *start = &walk->starts[i];
		if (start->path && strcmp(start->path, path) == 0)
			return start;
		if (!start->path || start->used < oldest->used)
			oldest = start;
	}
	mw_tree_release(&oldest->tree);
	free(oldest->path);
	*oldest = (struct start){.path = strdup(path)};
	return oldest;
}

int mw_package_walk_find(struct mw_package_walk *walk, const struct mw_package_walk_options *options,
			 const struct mw_package_sink *sink)
{
	struct start *start = find_start(walk, options->start ? options->start : "/");
	struct run run = {
		.walk = walk,
		.options = options,
		.sink = sink,
		.tree = &start->tree,
		.path = MW_BUF(MW_PATH_BYTES - 1),
		.depth = options->depth ? options->depth : DEPTH,
		.entries_max = options->entries ? options->entries : ENTRIES,
		.is_whole = true,
	};
	if (!start->path)
		return -ENOMEM;
	start->used = ++walk->walks;
	walk->stats = (struct mw_package_walk_stats){0};
	for (uint32_t n = 0; n < FINDERS && mw_package_finders[n]; n++) {
		if (options->kinds >> mw_package_finders[n]->kind & 1)
			run.finders |= 1U << n;
		if (!mw_package_finders[n]->is_executable)
			run.cheap |= 1U << n;
	}
	if (options->since_ns && start->whole_ns >= options->since_ns && !(run.finders & ~start->whole) &&
	    run.depth == start->whole_depth)
		return emit_folder(&run, &start->tree.root, 0);
	if (is_our_root(options->rootfd))
		mw_mounts_read(&run.mounts);
	int64_t began_ns = mw_clock_mono_ns();
	mw_buf_str(&run.path, ""); /* has data from now on */
	walk_aside(&run);
	if (walk->stats.folders_listed || walk->stats.files_read)
		start->has_news = true;
	start->whole_ns = run.result == 0 && run.is_whole ? began_ns : 0;
	start->whole = run.finders;
	start->whole_depth = run.depth;
	if (run.result == -ETIME && run.emit_result != -ETIME) {
		mw_package_warn(sink,
				"the search for packages was stopped after %lld ms; rows are missing "
				"(another query goes on from there)",
				(long long)((mw_clock_mono_ns() - began_ns) / MW_NS_PER_MS));
		run.result = 0;
	}
	if (run.result == -ENOBUFS && run.emit_result != -ENOBUFS) {
		mw_package_warn(sink, "the search for packages was stopped: too many files; rows are missing");
		run.result = 0;
	}
	mw_buf_release(&run.path);
	mw_mounts_release(&run.mounts);
	walk->stats.bytes = start->tree.bytes;
	return run.result;
}

const struct mw_package_walk_stats *mw_package_walk_stats(const struct mw_package_walk *walk)
{
	return &walk->stats;
}

struct mw_tree *mw_package_walk_tree(struct mw_package_walk *walk, const char *path)
{
	struct start *start = find_start(walk, path);
	return start->path ? &start->tree : NULL;
}

const struct mw_tree *mw_package_walk_news(struct mw_package_walk *walk)
{
	const struct start *start = find_start(walk, "/");
	return start->path && start->has_news ? &start->tree : NULL;
}

void mw_package_walk_no_news(struct mw_package_walk *walk)
{
	find_start(walk, "/")->has_news = false;
}

int mw_package_walk_new(struct mw_package_walk **ret_walk)
{
	*ret_walk = calloc(1, sizeof(**ret_walk));
	return *ret_walk ? 0 : -ENOMEM;
}

void mw_package_walk_free(struct mw_package_walk *walk)
{
	if (!walk)
		return;
	for (size_t i = 0; i < TREES; i++) {
		mw_tree_release(&walk->starts[i].tree);
		free(walk->starts[i].path);
	}
	free(walk);
}

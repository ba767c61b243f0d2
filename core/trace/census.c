#include "trace/census.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/pidmap.h"
#include "event/record.h"
#include "proc/procfs.h"
#include "trace/emit.h"
#include "trace/ends.h"
#include "trace/facts.h"
#include "trace/ours.h"
#include "trace/program.h"
#include "trace/tracer.h"

enum {
	/* A process may exec soon after its birth, and is looked at each time. */
	YOUNG_MS = 2000,
	/* Of the others so many each time. */
	OLD_PER_LOOK = 8,
	/* /proc is listed that often even if nobody was born. */
	LIST_MS = 5000,
	/* A look may take one of that many parts of the interval between two; what it does not come to waits for the next. */
	BUDGET_PART = 10,
	/* How long to wait for an ended process to be reaped, which tells its status; the root, whose end ends us. */
	REAP_MS = 100,
	ROOT_REAP_MS = 20,
	ENDS = 64,
};

/* Number of the initial PID namespace: PROC_PID_INIT_INO of linux/proc_ns.h. */
static const ino_t INITIAL_PID_NAMESPACE = 0xEFFFFFFCU;

struct being {
	pid_t pid, ppid, session;
	uint64_t start_ticks;
	ino_t entry; /* inode of /proc/PID: as long as it is this one, so is the process */
	struct mw_program program;
	bool is_foreign; /* not to be watched */
	bool has_ended;  /* waits to be reaped */
	bool is_told;    /* each other program is told by the engine */
	bool is_buried;  /* its end is recorded; kept until it really has gone, so that it is not met again */
	bool knows_status;
	int status;
	int pidfd; /* or -1 */
	int64_t young_until_ns, ended_ns;
	int64_t ended_real_ns;
	unsigned listed; /* number of the listing that had it last */
	size_t place;    /* in `beings` */
};

struct mw_census {
	const struct mw_tracer_options *options;
	struct mw_board *board;
	int procfd, loadavg;
	DIR *list;
	struct mw_ends ends;
	struct mw_pidmap map;
	struct being **beings;
	size_t count, room;
	size_t turn; /* of the old ones, the next to be looked at */
	size_t young_turn;
	unsigned listing; /* number of the last */
	int64_t listed_ns;
	long last_pid;
	bool must_list; /* the last listing was cut short */
	bool is_machine;
	bool is_first;    /* nothing has been listed yet */
	bool takes_older; /* what is there before us is watched, too */
	bool root_runs;
	unsigned waiting; /* beings that wait to be reaped */
};

static bool read_stat(const struct mw_census *census, pid_t pid, struct mw_proc_stat *ret)
{
	return mw_program_stat(census->procfd, pid, ret);
}

static bool is_dead(const struct mw_proc_stat *stat)
{
	return stat->state == 'Z' || stat->state == 'X';
}

static struct being *find(const struct mw_census *census, pid_t pid)
{
	return mw_pidmap_get(&census->map, pid);
}

static struct being *add(struct mw_census *census, const struct mw_proc_stat *stat, ino_t entry)
{
	if (census->count == census->room) {
		size_t room = census->room ? census->room * 2 : 64;
		struct being **beings = realloc(census->beings, room * sizeof(struct being *));
		if (!beings)
			return NULL;
		census->beings = beings;
		census->room = room;
	}
	struct being *being = calloc(1, sizeof(*being));
	if (!being || mw_pidmap_set(&census->map, stat->pid, being) < 0) {
		free(being);
		return NULL;
	}
	*being = (struct being){
		.pid = stat->pid,
		.ppid = stat->ppid,
		.session = stat->session,
		.start_ticks = stat->start_ticks,
		.entry = entry,
		.pidfd = -1,
		.listed = census->listing,
		.place = census->count,
	};
	census->beings[census->count++] = being;
	return being;
}

static void forget(struct mw_census *census, struct being *being)
{
	if (being->pidfd >= 0)
		mw_ends_unwatch(&census->ends, being->pidfd);
	if (being->has_ended)
		census->waiting--;
	if (!being->is_foreign)
		mw_board_disown(census->board, being->pid);
	census->beings[being->place] = census->beings[--census->count];
	census->beings[being->place]->place = being->place;
	(void)mw_pidmap_remove(&census->map, being->pid);
	free(being);
}

/* It has gone; record that, and forget it. */
static void bury(struct mw_census *census, struct being *being, unsigned flags)
{
	if (!being->is_foreign && !being->is_buried) {
		if (!being->knows_status)
			being->knows_status =
				being->pidfd >= 0 && mw_ends_status(&census->ends, being->pidfd, &being->status);
		if (!being->knows_status)
			flags |= MW_EXIT_UNKNOWN;
		mw_emit_exit(census->board, being->pid, being->status, flags,
			     being->has_ended ? being->ended_real_ns : mw_clock_real_ns());
	}
	forget(census, being);
}

static void record_exec(struct mw_census *census, const struct being *being, unsigned flags)
{
	struct mw_record_exec *record = mw_emit_begin(census->board, MW_PROCESS_EXEC, MW_RECORD_BYTES);
	if (!record)
		return;
	int64_t now = mw_clock_real_ns();
	size_t bytes = mw_facts_exec(census->procfd, being->pid, census->options->environment, record);
	record->head.kind = MW_RECORD_EXEC;
	record->head.time_ns = now;
	record->head.flags |= (uint16_t)(MW_EXEC_SAMPLED | flags);
	record->level = MW_LEVEL_EVENTS;
	/* Whose auxiliary vector must not be read would seem to be root; and the ids may have changed since the exec. */
	MW_AUTO_FD pidfd = -1;
	struct mw_proc_status status;
	if (mw_procfs_open_pid(census->procfd, being->pid, &pidfd) == 0 && mw_procfs_status(pidfd, &status) == 0) {
		record->uid = status.uid;
		record->euid = status.euid;
		record->gid = status.gid;
		record->egid = status.egid;
	}
	bytes = mw_facts_stdio(census->procfd, record, bytes);
	mw_emit_end(census->board, bytes);
}

/* Another program, or gone without a word?  False when it was buried. */
static bool look_at(struct mw_census *census, struct being *being)
{
	struct mw_proc_stat stat;
	bool has_gone = !read_stat(census, being->pid, &stat) || stat.start_ticks != being->start_ticks;
	if (has_gone || is_dead(&stat)) {
		if (being->pidfd >= 0)
			return true; /* will be told */
		bury(census, being, MW_EXIT_SAMPLED);
		census->must_list |= has_gone;
		return false;
	}
	struct mw_program program = mw_program_of(census->procfd, &stat);
	if (!program.code || mw_program_is_same(&program, &being->program))
		return true; /* in the middle of execve(2), to be seen next time; or what it was */
	being->program = program;
	census->root_runs |= being->pid == census->options->root;
	record_exec(census, being, 0);
	return true;
}

/* Begin to watch.  Its birth is recorded, and its program when it is not its parent's, which it then may have from fork. */
static void welcome(struct mw_census *census, struct being *being, unsigned exec_flags)
{
	struct being *parent = find(census, being->ppid);
	/* First of all what became of the parent, so that it is told in order. */
	if (parent && !parent->is_foreign && !parent->is_told && !parent->has_ended && !look_at(census, parent))
		parent = NULL;
	being->is_told = parent && parent->is_told;
	being->is_foreign = false;
	mw_board_own(census->board, being->pid);
	being->young_until_ns = mw_clock_mono_ns() + (int64_t)YOUNG_MS * MW_NS_PER_MS;
	being->pidfd = mw_ends_watch(&census->ends, being->pid);
	if (!(exec_flags & MW_EXEC_LATE)) {
		int64_t now = mw_clock_real_ns();
		int64_t birth = mw_procfs_boot_real_ns() + mw_procfs_ticks_ns(being->start_ticks);
		mw_emit_fork(census->board, being->pid, being->ppid, MW_FORK_SAMPLED, birth < now ? birth : now);
	}
	if (parent && !being->program.code)
		being->program = parent->program; /* it is in the middle of execve(2) */
	bool has_parents = parent && (being->is_told || mw_program_is_same(&parent->program, &being->program));
	if (!has_parents || exec_flags & MW_EXEC_LATE)
		record_exec(census, being, exec_flags);
}

/* Found late; a predecessor of this process may have told of it already. */
static unsigned late_flags(const struct mw_census *census, pid_t pid)
{
	return MW_EXEC_LATE | (mw_board_owns(census->board, pid) ? MW_EXEC_AGAIN : 0);
}

/* Is it one of those to be watched?  Its parent may have ended, but hardly the leader of its session; a
 * predecessor of this process may have watched it. */
static bool belongs(const struct mw_census *census, const struct being *being)
{
	const struct being *parent = find(census, being->ppid);
	const struct being *leader = find(census, being->session);
	if ((parent && !parent->is_foreign) || (leader && !leader->is_foreign) ||
	    mw_board_owns(census->board, being->pid))
		return true;
	/* A PID namespace may hold several containers (ECS: pidMode "task"). */
	return !census->is_machine && !mw_is_other_mount_namespace(census->procfd, being->pid);
}

static void meet(struct mw_census *census, pid_t pid, ino_t entry)
{
	struct mw_proc_stat stat;
	if (!read_stat(census, pid, &stat) || is_dead(&stat))
		return;
	struct being *being = add(census, &stat, entry);
	if (!being)
		return;
	being->is_foreign = true;
	being->program = mw_program_of(census->procfd, &stat);
	if (mw_is_ours(census->procfd, pid, stat.ppid, stat.comm))
		being->session = being->ppid = 0; /* nobody's, for good */
	else if (!belongs(census, being))
		return; /* yet: see meet_again() */
	else if (!census->is_first)
		welcome(census, being, 0);
	else if (census->takes_older)
		welcome(census, being, late_flags(census, pid));
}

/* A process of a lower number than its parent was met before it: once more, then. */
static void meet_again(struct mw_census *census)
{
	for (bool has_found = true; has_found;) {
		has_found = false;
		for (size_t i = 0; i < census->count; i++) {
			struct being *being = census->beings[i];
			if (!being->is_foreign || being->young_until_ns || !being->ppid || !belongs(census, being) ||
			    (census->is_first && !census->takes_older))
				continue;
			welcome(census, being, census->is_first ? late_flags(census, being->pid) : 0);
			has_found = true;
		}
	}
	for (size_t i = 0; i < census->count; i++)
		if (census->beings[i]->is_foreign)
			census->beings[i]->young_until_ns = 1; /* has been asked */
}

/* True when that took time: a newcomer, or one who has gone. */
static bool list_one(struct mw_census *census, pid_t pid, ino_t entry)
{
	struct being *being = find(census, pid);
	if (being && being->entry != entry) {
		/* Another process, or another inode: the kernel had thrown the old one away. */
		struct mw_proc_stat stat;
		if (read_stat(census, pid, &stat) && stat.start_ticks == being->start_ticks) {
			being->entry = entry;
		} else {
			bury(census, being, MW_EXIT_SAMPLED);
			being = NULL;
		}
	}
	if (being) {
		being->listed = census->listing;
		return false;
	}
	meet(census, pid, entry);
	return true;
}

/* CPU time of ours: while others have the CPU, nothing is spent. */
static int64_t spent_ns(void)
{
	struct timespec spent;
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
	return (int64_t)spent.tv_sec * MW_NS_PER_S + spent.tv_nsec;
}

/* List /proc: meet newcomers, and miss who has gone. */
static void list(struct mw_census *census, int64_t limit_ns)
{
	census->listing++;
	census->must_list = false;
	rewinddir(census->list);
	for (const struct dirent *entry; (entry = readdir(census->list));) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		bool took_time = list_one(census, (pid_t)strtol(entry->d_name, NULL, 10), entry->d_ino);
		if (took_time && spent_ns() > limit_ns) {
			census->must_list = true;
			break;
		}
	}
	census->listed_ns = mw_clock_mono_ns();
	if (census->is_machine)
		meet_again(census);
	/* A being that leaves takes the last one to its place. */
	for (size_t i = census->must_list ? 0 : census->count; i-- > 0;)
		if (census->beings[i]->listed != census->listing && !census->beings[i]->has_ended)
			bury(census, census->beings[i], MW_EXIT_SAMPLED);
}

static long read_last_pid(const struct mw_census *census)
{
	char text[128];
	ssize_t n = pread(census->loadavg, text, sizeof(text) - 1, 0);
	if (n <= 0)
		return -1;
	text[n] = '\0';
	const char *last = strrchr(text, ' ');
	return last ? strtol(last, NULL, 10) : -1;
}

/* Look at the root and at all who are young, as far as there is time; and for those whose end nobody tells. */
static void look_at_young(struct mw_census *census, int64_t now, int64_t limit_ns)
{
	struct being *root = find(census, census->options->root);
	if (root && !root->is_told && !root->has_ended)
		(void)look_at(census, root);
	bool has_time = true;
	for (size_t i = census->count; i-- > 0;) {
		if (census->young_turn >= census->count)
			census->young_turn = 0;
		struct being *being = census->beings[census->young_turn];
		bool is_watched = !being->is_foreign && !being->has_ended;
		bool stays = true;
		if (is_watched && !being->is_told && being->young_until_ns > now) {
			if (!has_time)
				return; /* it is the first of the next turn */
			stays = look_at(census, being);
			has_time = spent_ns() < limit_ns;
		} else if (is_watched && being->pidfd < 0 && kill(being->pid, 0) < 0 && errno == ESRCH) {
			bury(census, being, MW_EXIT_SAMPLED);
			stays = false;
		}
		census->young_turn += stays;
	}
}

bool mw_census_look(struct mw_census *census)
{
	int64_t now = mw_clock_mono_ns();
	int64_t limit_ns = spent_ns() + census->options->poll_interval_ms * MW_NS_PER_MS / BUDGET_PART;
	long last_pid = read_last_pid(census);
	if (census->must_list || last_pid < 0 || last_pid != census->last_pid ||
	    now - census->listed_ns > (int64_t)LIST_MS * MW_NS_PER_MS) {
		census->last_pid = last_pid;
		list(census, limit_ns);
	}
	look_at_young(census, now, limit_ns);
	for (size_t i = 0; i < OLD_PER_LOOK && i < census->count; i++) {
		struct being *being = census->beings[census->turn++ % census->count];
		bool is_watched = !being->is_foreign && !being->is_told && !being->has_ended;
		if (is_watched && being->young_until_ns <= now)
			(void)look_at(census, being);
	}
	return !find(census, census->options->root);
}

/* Those whose parents took too long. */
static void bury_waiting(struct mw_census *census)
{
	int64_t limit = mw_clock_mono_ns() - (int64_t)REAP_MS * MW_NS_PER_MS;
	for (size_t i = census->count; i-- > 0;)
		if (census->beings[i]->has_ended && census->beings[i]->ended_ns <= limit)
			bury(census, census->beings[i], 0);
}

static void on_end(struct mw_census *census, const struct mw_end *end)
{
	struct being *being = find(census, end->pid);
	if (!being || being->pidfd != end->pidfd)
		return;
	if (!being->has_ended) {
		being->has_ended = true;
		being->ended_ns = mw_clock_mono_ns();
		being->ended_real_ns = mw_clock_real_ns();
		census->waiting++;
	}
	if (end->is_reaped || being->knows_status || !census->ends.tells_status)
		bury(census, being, 0);
}

/* The root has ended, and with it our work: only its status is waited for, for a moment. */
static void end_root(struct mw_census *census)
{
	struct mw_end ends[ENDS];
	int64_t limit = mw_clock_mono_ns() + (int64_t)ROOT_REAP_MS * MW_NS_PER_MS;
	struct being *root;
	while ((root = find(census, census->options->root)) && mw_clock_mono_ns() < limit) {
		size_t n = mw_ends_wait(&census->ends, 1, ends, ENDS);
		for (size_t i = 0; i < n; i++)
			on_end(census, &ends[i]);
	}
	if (root)
		bury(census, root, 0);
}

bool mw_census_wait(struct mw_census *census, int timeout_ms)
{
	struct mw_end ends[ENDS];
	if (census->waiting && (timeout_ms < 0 || timeout_ms > REAP_MS))
		timeout_ms = REAP_MS;
	size_t n = mw_ends_wait(&census->ends, timeout_ms, ends, ENDS);
	for (size_t i = 0; i < n; i++)
		on_end(census, &ends[i]);
	const struct being *root = find(census, census->options->root);
	if (root && root->has_ended) {
		end_root(census);
		root = NULL;
	}
	if (census->waiting)
		bury_waiting(census);
	return !root;
}

int mw_census_fd(const struct mw_census *census)
{
	return census->ends.epoll;
}

bool mw_census_root_runs(const struct mw_census *census)
{
	return census->root_runs;
}

void mw_census_expect(struct mw_census *census)
{
	struct being *root = find(census, census->options->root);
	if (root)
		root->is_told = true;
}

/* The being of a process that makes itself known.  NULL when memory is exhausted. */
static struct being *know(struct mw_census *census, const struct mw_proc_stat *stat, int64_t time_ns)
{
	struct being *being = find(census, stat->pid);
	if (being && being->start_ticks != stat->start_ticks) {
		bury(census, being, MW_EXIT_SAMPLED);
		being = NULL;
	}
	if (being)
		return being;
	mw_emit_fork(census->board, stat->pid, stat->ppid, 0, time_ns);
	being = add(census, stat, 0);
	if (being)
		being->pidfd = mw_ends_watch(&census->ends, stat->pid);
	return being;
}

void mw_census_on_exec(struct mw_census *census, const struct mw_record_exec *record)
{
	const struct mw_proc_stat stat = {
		.pid = record->head.pid,
		.ppid = record->ppid,
		.session = record->session,
		.start_ticks = record->start_ticks,
	};
	census->root_runs |= stat.pid == census->options->root;
	struct being *being = know(census, &stat, record->head.time_ns);
	if (!being)
		return;
	being->is_told = true;
	being->is_foreign = false;
	mw_board_own(census->board, being->pid);
}

void mw_census_before_exec(struct mw_census *census, pid_t pid)
{
	struct mw_proc_stat stat;
	struct being *being = read_stat(census, pid, &stat) ? know(census, &stat, mw_clock_real_ns()) : NULL;
	if (!being)
		return;
	being->is_told = false;
	being->program = mw_program_of(census->procfd, &stat);
	being->young_until_ns = mw_clock_mono_ns() + (int64_t)YOUNG_MS * MW_NS_PER_MS;
}

bool mw_census_on_exit(struct mw_census *census, pid_t pid, int status)
{
	struct being *being = find(census, pid);
	if (!being || being->is_foreign || being->is_buried)
		return false;
	being->is_buried = being->knows_status = true;
	mw_emit_exit(census->board, pid, status, 0, mw_clock_real_ns());
	return true;
}

/* After another tracer's death: who ended meanwhile, and for how long nobody looked. */
static void take_over(struct mw_census *census)
{
	struct mw_board *board = census->board;
	int32_t max = atomic_load(&board->owned_max);
	for (int32_t pid = 1; pid <= max; pid++) {
		const struct being *being = mw_board_owns(board, pid) ? find(census, pid) : NULL;
		if (!mw_board_owns(board, pid) || (being && !being->is_foreign))
			continue;
		mw_emit_exit(board, pid, 0, MW_EXIT_UNKNOWN | MW_EXIT_SAMPLED, mw_clock_real_ns());
		mw_board_disown(board, pid);
	}
	int64_t died_ns = atomic_load(&board->tracer_died_ns);
	mw_emit_gap(board, MW_GAP_TRACER_RESTARTED, died_ns ? mw_clock_mono_ns() - died_ns : 0, census->count);
	atomic_store(&board->tracer_died_ns, 0);
}

int mw_census_new(const struct mw_tracer_options *options, struct mw_census **ret_census)
{
	struct mw_census *census = calloc(1, sizeof(*census));
	if (!census)
		return -ENOMEM;
	*census = (struct mw_census){.options = options, .board = options->board, .ends.epoll = -1};
	census->procfd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	census->loadavg = openat(census->procfd, "loadavg", O_RDONLY | O_CLOEXEC);
	int list_fd = openat(census->procfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	census->list = list_fd < 0 ? NULL : fdopendir(list_fd);
	struct mw_proc_stat stat = {0};
	struct stat namespace = {0};
	int r = census->list ? mw_ends_init(&census->ends) : -ENOENT;
	struct being *root = NULL;
	if (r == 0 && (fstatat(census->procfd, "self/ns/pid", &namespace, 0) < 0 ||
		       !read_stat(census, options->root, &stat) || !(root = add(census, &stat, 0))))
		r = -ESRCH;
	if (r < 0 || !root) {
		mw_census_free(census);
		return r < 0 ? r : -ESRCH;
	}
	census->is_machine = namespace.st_ino == INITIAL_PID_NAMESPACE;
	census->last_pid = read_last_pid(census);
	/* After another tracer's death they are the application. */
	census->takes_older = options->is_restart || (options->takes_older && !census->is_machine);
	root->program = mw_program_of(census->procfd, &stat);
	mw_board_own(census->board, options->root);
	root->pidfd = mw_ends_watch(&census->ends, options->root);
	census->is_first = true;
	list(census, INT64_MAX);
	census->is_first = false;
	if (options->is_restart)
		take_over(census);
	*ret_census = census;
	return 0;
}

void mw_census_free(struct mw_census *census)
{
	while (census->count)
		forget(census, census->beings[0]);
	free(census->beings);
	mw_pidmap_release(&census->map);
	mw_ends_release(&census->ends);
	if (census->list)
		(void)closedir(census->list);
	if (census->loadavg >= 0)
		(void)close(census->loadavg);
	if (census->procfd >= 0)
		(void)close(census->procfd);
	free(census);
}

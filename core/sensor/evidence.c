#include "sensor/evidence.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "event/board.h"
#include "event/event.h"
#include "sensor/open_files.h"
#include "sensor/processes.h"
#include "sensor/tools.h"
#include "watch/watch.h"

enum {
	/* Processes remembered after their end. */
	ENDED = 128,
	SUSPECTS = 256,
	/* A change is told of so soon after it was made; less than that ago its process may have ended. */
	LATE_MS = 100,
	/* A program that changes what it was told does so soon; afterwards it rests (an editor), or goes on without a break. */
	START_MS = 5000,
	BREAK_MS = 1000,
	/* Descriptors looked at for one batch. */
	LINKS = 8192,
};

/* Time for all this, of one processor: 3 %; and how much of it may be spent at once. */
static const int64_t SHARE = 33;
static const int64_t BURST_NS = 60 * (int64_t)MW_NS_PER_MS;

/* Inode of the initial PID namespace: PROC_PID_INIT_INO of linux/proc_ns.h. */
static const ino_t INITIAL_PID_NAMESPACE = 0xEFFFFFFCu;

struct suspect {
	struct mw_process *process; /* borrowed: of the map or of those that ended */
	const struct mw_tool *tool; /* or NULL */
	bool is_shell;
	bool has_output; /* its standard output or error was a file at its start */
};

struct mw_evidence {
	struct mw_processes *processes;
	const struct mw_board *board; /* or NULL */
	int procfd;
	bool is_container; /* all who might change its files can be seen */
	uint64_t root_device;
	struct mw_process *ended[ENDED]; /* references */
	unsigned ended_next;
	struct suspect suspects[SUSPECTS];
	size_t suspect_count;
	/* Who was found last, and when that change was: who goes on is not asked when he began. */
	pid_t last_pid;
	int64_t last_ns;
	int64_t credit_ns, credit_at_ns;
};

int mw_evidence_new(struct mw_processes *processes, const struct mw_board *board, int procfd,
		    struct mw_evidence **ret_evidence)
{
	struct mw_evidence *evidence = calloc(1, sizeof(*evidence));
	if (!evidence)
		return -ENOMEM;
	struct stat stat;
	evidence->processes = processes;
	evidence->board = board;
	evidence->procfd = procfd;
	evidence->credit_ns = BURST_NS;
	evidence->credit_at_ns = mw_clock_mono_ns();
	evidence->is_container = fstatat(procfd, "self/ns/pid", &stat, 0) == 0 && stat.st_ino != INITIAL_PID_NAMESPACE;
	if (lstat("/", &stat) == 0)
		evidence->root_device = stat.st_dev;
	*ret_evidence = evidence;
	return 0;
}

void mw_evidence_free(struct mw_evidence *evidence)
{
	for (size_t i = 0; evidence && i < ENDED; i++)
		mw_process_unref(evidence->ended[i]);
	free(evidence);
}

void mw_evidence_note(struct mw_evidence *evidence, const struct mw_event *event)
{
	if (event->kind != MW_PROCESS_EXIT || !event->process)
		return;
	struct mw_process **place = &evidence->ended[evidence->ended_next++ % ENDED];
	mw_process_unref(*place);
	*place = mw_process_ref(event->process);
}

static bool has_file_output(const struct mw_image *image)
{
	return image->has_stdio && (image->stdio[1].type == MW_STDIO_FILE || image->stdio[2].type == MW_STDIO_FILE);
}

static void suspect(struct mw_evidence *evidence, struct mw_process *process)
{
	const struct mw_image *image = process->image;
	if (!image || evidence->suspect_count == SUSPECTS)
		return;
	struct suspect found = {
		.process = process,
		.tool = mw_tool_of(image),
		.is_shell = mw_tool_is_shell(image),
		.has_output = has_file_output(image),
	};
	if (found.tool || found.is_shell || found.has_output)
		evidence->suspects[evidence->suspect_count++] = found;
}

/* Everybody who lives, and who ended since `since_ns`. */
static void gather(struct mw_evidence *evidence, int64_t since_ns)
{
	evidence->suspect_count = 0;
	size_t cursor = 0;
	for (struct mw_process *process; (process = mw_pidmap_next(&evidence->processes->map, &cursor));)
		suspect(evidence, process);
	for (size_t i = 0; i < ENDED; i++)
		if (evidence->ended[i] && evidence->ended[i]->end_ns >= since_ns)
			suspect(evidence, evidence->ended[i]);
}

static int64_t ms(int64_t n)
{
	return n * MW_NS_PER_MS;
}

static bool lived_at(const struct mw_process *process, int64_t time_ns)
{
	return process->start_ns <= time_ns && (!process->ended || process->end_ns >= time_ns - ms(LATE_MS));
}

/* It has just begun with what it was told to do, or is still at it. */
static bool is_at_work(const struct mw_evidence *evidence, const struct suspect *suspect, int64_t time_ns)
{
	if (!lived_at(suspect->process, time_ns) || suspect->process->image->time_ns > time_ns)
		return false;
	return suspect->process->image->time_ns >= time_ns - ms(START_MS) ||
	       (evidence->last_pid == suspect->process->pid && evidence->last_ns >= time_ns - ms(BREAK_MS));
}

static bool outputs_to(const struct mw_image *image, const char *path)
{
	for (unsigned i = 1; i <= 2; i++)
		if (image->stdio[i].type == MW_STDIO_FILE && image->stdio[i].target &&
		    strcmp(image->stdio[i].target, path) == 0)
			return true;
	return false;
}

static bool descends_from(const struct mw_process *process, const struct mw_process *ancestor)
{
	for (const struct mw_process *parent = process->parent; parent; parent = parent->parent)
		if (parent == ancestor)
			return true;
	return false;
}

/* Does anybody act for it just then? */
static bool has_child_at(const struct mw_evidence *evidence, const struct mw_process *process, int64_t time_ns)
{
	size_t cursor = 0;
	for (const struct mw_process *other; (other = mw_pidmap_next(&evidence->processes->map, &cursor));)
		if (lived_at(other, time_ns) && descends_from(other, process))
			return true;
	for (size_t i = 0; i < ENDED; i++)
		if (evidence->ended[i] && lived_at(evidence->ended[i], time_ns) &&
		    descends_from(evidence->ended[i], process))
			return true;
	return false;
}

/* Who may have done it, as far as anything points to somebody. */
struct findings {
	struct mw_process *process;
	bool is_many;
};

static void point_to(struct findings *findings, struct mw_process *process)
{
	findings->is_many |= !process || (findings->process && findings->process != process);
	if (process)
		findings->process = process;
}

static bool is_writing(const struct mw_change *change)
{
	return change->kind == MW_CHANGE_CREATE || change->kind == MW_CHANGE_MODIFY;
}

static struct findings weigh(struct mw_evidence *evidence, const struct mw_change *change)
{
	struct findings findings = {0};
	struct mw_process *shell = NULL;
	bool are_shells = false;
	for (size_t i = 0; i < evidence->suspect_count; i++) {
		const struct suspect *suspect = &evidence->suspects[i];
		struct mw_process *process = suspect->process;
		const struct mw_image *image = process->image;
		enum mw_tool_claim claim = suspect->tool && is_at_work(evidence, suspect, change->time_ns)
						   ? mw_tool_makes(suspect->tool, image, change)
						   : MW_TOOL_NO;
		if (claim == MW_TOOL_BELOW && process->ended && process->end_ns < change->time_ns)
			claim = MW_TOOL_NO; /* anybody may have come after it */
		if (claim != MW_TOOL_NO)
			point_to(&findings, process);
		/* While it lives, its descriptors say more. */
		else if (suspect->has_output && is_writing(change) && process->ended &&
			 lived_at(process, change->time_ns) && outputs_to(image, change->path))
			point_to(&findings, process);
		else if (suspect->is_shell && is_writing(change) && is_at_work(evidence, suspect, change->time_ns) &&
			 mw_tool_redirects(image, change->path)) {
			are_shells |= shell && shell != process;
			shell = process;
		}
	}
	/* A shell redirects its own output, or that of its children. */
	if (!findings.process && shell && !are_shells && !has_child_at(evidence, shell, change->time_ns))
		point_to(&findings, shell);
	return findings;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct mw_open_file *)a)->path, ((const struct mw_open_file *)b)->path);
}

/* The later first. */
static int by_path_and_time(const void *a, const void *b)
{
	int order = by_path(a, b);
	const struct mw_open_file *x = a, *y = b;
	return order ? order : (x->number < y->number) - (x->number > y->number);
}

/* May whoever made it have the file open still? */
static bool may_be_open(const struct mw_change *change)
{
	return is_writing(change) && !change->is_directory && !change->is_closed && change->has_stat;
}

/* The paths that were written to and may still be open: what was last heard of them is no close and no end.  Sorted, each
 * once.  Most are written and closed at once: then there is nothing to look for. */
static size_t list_files(const struct mw_case *cases, size_t n, struct mw_open_file *files)
{
	bool is_any = false;
	for (size_t i = 0; i < n; i++) {
		files[i] = (struct mw_open_file){.path = cases[i].change->path, .number = i};
		is_any |= may_be_open(cases[i].change);
	}
	if (!is_any)
		return 0;
	qsort(files, n, sizeof(*files), by_path_and_time);
	size_t kept = 0;
	const char *before = NULL;
	for (size_t i = 0; i < n; i++) {
		bool is_last = !before || strcmp(before, files[i].path) != 0;
		before = files[i].path;
		if (is_last && may_be_open(cases[files[i].number].change))
			files[kept++] = files[i];
	}
	return kept;
}

/* Is there but one process at all, and was nobody else?  `walk` is taken when it is needed: its `is_taken`. */
static struct mw_process *only_process(const struct mw_evidence *evidence, const pid_t *ours,
				       struct mw_open_files_walk *walk, const struct mw_change *change)
{
	if (!evidence->is_container || !change->has_stat || change->stat.device != evidence->root_device)
		return NULL;
	for (size_t i = 0; i < ENDED; i++)
		if (evidence->ended[i] && lived_at(evidence->ended[i], change->time_ns))
			return NULL;
	if (!walk->is_taken)
		mw_open_files_find(evidence->procfd, ours, LINKS, NULL, 0, walk);
	if (!walk->is_whole || walk->processes != 1)
		return NULL;
	struct mw_process *process = mw_pidmap_get(&evidence->processes->map, walk->last);
	return process && lived_at(process, change->time_ns) ? process : NULL;
}

static void find_ours(const struct mw_evidence *evidence, pid_t ours[5])
{
	unsigned n = 0;
	ours[n++] = getpid();
	if (evidence->board) {
		const struct mw_board *board = evidence->board;
		const pid_t others[] = {atomic_load(&board->guard_pid), atomic_load(&board->tracer_pid),
					atomic_load(&board->sensor_pid)};
		for (unsigned i = 0; i < 3; i++)
			if (others[i] > 0)
				ours[n++] = others[i];
	}
	ours[n] = 0;
}

static void look(struct mw_evidence *evidence, struct mw_case *cases, size_t n, struct mw_open_file *files)
{
	int64_t first_ns = cases[0].change->time_ns;
	for (size_t i = 1; i < n; i++)
		first_ns = cases[i].change->time_ns < first_ns ? cases[i].change->time_ns : first_ns;
	gather(evidence, first_ns - ms(LATE_MS));
	pid_t ours[5];
	struct mw_open_files_walk walk = {.is_taken = false};
	size_t count = list_files(cases, n, files);
	find_ours(evidence, ours);
	if (count)
		mw_open_files_find(evidence->procfd, ours, LINKS, files, count, &walk);
	for (size_t i = 0; i < n; i++) {
		const struct mw_change *change = cases[i].change;
		struct findings findings = weigh(evidence, change);
		struct mw_open_file key = {.path = change->path};
		const struct mw_open_file *file =
			is_writing(change) && count ? bsearch(&key, files, count, sizeof(key), by_path) : NULL;
		/* Who holds the file, and may not have been found, matters for what was not closed. */
		if (file && file->pid)
			point_to(&findings, file->is_many ? NULL : mw_pidmap_get(&evidence->processes->map, file->pid));
		findings.is_many |= file && !walk.is_whole;
		struct mw_process *found =
			findings.process ? findings.process : only_process(evidence, ours, &walk, change);
		if (!found || findings.is_many)
			continue;
		cases[i].process = mw_process_ref(found);
		evidence->last_pid = found->pid;
		evidence->last_ns = change->time_ns;
	}
}

size_t mw_evidence_find(struct mw_evidence *evidence, struct mw_case *cases, size_t n)
{
	int64_t began_ns = mw_clock_mono_ns();
	evidence->credit_ns += (began_ns - evidence->credit_at_ns) / SHARE;
	evidence->credit_at_ns = began_ns;
	if (evidence->credit_ns > BURST_NS)
		evidence->credit_ns = BURST_NS;
	struct mw_open_file *files = evidence->credit_ns > 0 ? malloc(n * sizeof(*files)) : NULL;
	if (!files)
		return n;
	look(evidence, cases, n, files);
	free(files);
	evidence->credit_ns -= mw_clock_mono_ns() - began_ns;
	return 0;
}

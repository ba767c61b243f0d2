#include "trace/tasks.h"

#include <stdlib.h>

void mw_tasks_release(struct mw_tasks *tasks)
{
	size_t cursor = 0;
	for (struct mw_task *task; (task = mw_pidmap_next(&tasks->map, &cursor));)
		free(task);
	mw_pidmap_release(&tasks->map);
	tasks->parked = 0;
}

struct mw_task *mw_tasks_get(const struct mw_tasks *tasks, pid_t tid)
{
	return mw_pidmap_get(&tasks->map, tid);
}

struct mw_task *mw_tasks_add(struct mw_tasks *tasks, pid_t tid, pid_t tgid)
{
	struct mw_task *task = calloc(1, sizeof(*task));
	if (!task)
		return NULL;
	task->tid = tid;
	task->tgid = tgid;
	mw_tasks_remove(tasks, tid); /* an end that was never told, and the id used again */
	if (mw_pidmap_set(&tasks->map, tid, task) < 0) {
		free(task);
		return NULL;
	}
	return task;
}

void mw_tasks_remove(struct mw_tasks *tasks, pid_t tid)
{
	struct mw_task *task = mw_pidmap_remove(&tasks->map, tid);
	if (task && task->is_parked)
		tasks->parked--;
	free(task);
}

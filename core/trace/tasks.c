/* Entries come from blocks and go back to a list, so that a storm of threads does not go through malloc(3). */

#include "trace/tasks.h"

#include <stdlib.h>

enum {
	BLOCK_TASKS = 32
};

struct mw_task_block {
	struct mw_task_block *next;
	struct mw_task tasks[BLOCK_TASKS];
};

void mw_tasks_release(struct mw_tasks *tasks)
{
	for (struct mw_task_block *block = tasks->blocks, *next; block; block = next) {
		next = block->next;
		free(block);
	}
	mw_pidmap_release(&tasks->map);
	*tasks = (struct mw_tasks){0};
}

struct mw_task *mw_tasks_get(const struct mw_tasks *tasks, pid_t tid)
{
	return mw_pidmap_get(&tasks->map, tid);
}

static struct mw_task *take(struct mw_tasks *tasks)
{
	if (!tasks->free) {
		struct mw_task_block *block = malloc(sizeof(*block));
		if (!block)
			return NULL;
		block->next = tasks->blocks;
		tasks->blocks = block;
		for (size_t i = 0; i < BLOCK_TASKS; i++) {
			block->tasks[i].next_free = tasks->free;
			tasks->free = &block->tasks[i];
		}
	}
	struct mw_task *task = tasks->free;
	tasks->free = task->next_free;
	return task;
}

static void give_back(struct mw_tasks *tasks, struct mw_task *task)
{
	task->next_free = tasks->free;
	tasks->free = task;
}

struct mw_task *mw_tasks_add(struct mw_tasks *tasks, pid_t tid, pid_t tgid)
{
	mw_tasks_remove(tasks, tid);
	struct mw_task *task = take(tasks);
	if (!task)
		return NULL;
	*task = (struct mw_task){.tid = tid, .tgid = tgid, .level = MW_LEVEL_EVENTS};
	if (mw_pidmap_set(&tasks->map, tid, task) < 0) {
		give_back(tasks, task);
		return NULL;
	}
	return task;
}

void mw_tasks_remove(struct mw_tasks *tasks, pid_t tid)
{
	struct mw_task *task = mw_pidmap_remove(&tasks->map, tid);
	if (!task)
		return;
	if (task->is_parked)
		tasks->parked--;
	give_back(tasks, task);
}

struct mw_task *mw_tasks_next(const struct mw_tasks *tasks, size_t *cursor)
{
	return mw_pidmap_next(&tasks->map, cursor);
}

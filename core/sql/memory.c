#include "sql/memory.h"

#include <malloc.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>

static _Thread_local int64_t used, peak, limit;
static bool is_counted;

static void count(int64_t bytes)
{
	used += bytes;
	if (used > peak)
		peak = used;
}

static bool fits(int64_t more)
{
	return limit == 0 || more <= 0 || used + more <= limit;
}

static void *allocate(int n)
{
	void *block = fits(n) ? malloc((size_t)n) : NULL;
	if (block)
		count((int64_t)malloc_usable_size(block));
	return block;
}

static void release(void *block)
{
	if (block)
		count(-(int64_t)malloc_usable_size(block));
	free(block);
}

static void *reallocate(void *block, int n)
{
	int64_t had = (int64_t)malloc_usable_size(block);
	void *fresh = fits(n - had) ? realloc(block, (size_t)n) : NULL;
	if (fresh)
		count((int64_t)malloc_usable_size(fresh) - had);
	return fresh;
}

static int size_of(void *block)
{
	return block ? (int)malloc_usable_size(block) : 0;
}

/* What malloc() would make of it: asked for by SQLite before it asks for the memory. */
static int round_up(int n)
{
	return (n + 7) & ~7;
}

static int begin(void *data)
{
	(void)data;
	return SQLITE_OK;
}

static void end(void *data)
{
	(void)data;
}

static void configure(bool keeps_statistics)
{
	static const sqlite3_mem_methods methods = {
		.xMalloc = allocate,
		.xFree = release,
		.xRealloc = reallocate,
		.xSize = size_of,
		.xRoundup = round_up,
		.xInit = begin,
		.xShutdown = end,
	};
	is_counted = sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) == SQLITE_OK;
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, (int)keeps_statistics);
}

static void configure_with(void)
{
	configure(true);
}

static void configure_without(void)
{
	configure(false);
}

void mw_sql_memory_begin(bool keeps_statistics)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	(void)pthread_once(&once, keeps_statistics ? configure_with : configure_without);
}

bool mw_sql_memory_is_counted(void)
{
	return is_counted;
}

int64_t mw_sql_memory_used(void)
{
	return used;
}

int64_t mw_sql_memory_peak(void)
{
	return peak;
}

void mw_sql_memory_forget_peak(void)
{
	peak = used;
}

void mw_sql_memory_limit(int64_t bytes)
{
	limit = bytes;
}

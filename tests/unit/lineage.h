/* Processes for tests, from the command lines of a lineage. */
#pragma once

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "event/event.h"
#include "event/process.h"

enum {
	FIRST_PID = 10,
	/* 2026-01-02T03:04:05.123456789Z */
	LINEAGE_SECONDS = 1767323045,
	LINEAGE_NS = 123456789,
};

/* The process of `cmdline` (words with one space between; its name is the last part of the first word, or of `exe`), a
 * child of `parent`, of which it takes over the reference. */
static inline struct mw_process *lineage_add(struct mw_process *parent, const char *exe, const char *cmdline)
{
	pid_t pid = parent ? parent->pid + 1 : FIRST_PID;
	struct mw_process *process = mw_process_new(pid, parent, (int64_t)LINEAGE_SECONDS * MW_NS_PER_S);
	struct mw_image *image = mw_image_new();
	char argv[1024];
	size_t n = strlen(cmdline) + 1;
	memcpy(argv, cmdline, n);
	for (char *space = argv; (space = strchr(space, ' '));)
		*space++ = '\0';
	const char *path = exe ? exe : argv;
	const char *slash = strrchr(path, '/');
	(void)snprintf(image->name, sizeof(image->name), "%s", slash ? slash + 1 : path);
	image->exe = exe ? strdup(exe) : NULL;
	image->cwd = strdup("/srv");
	(void)snprintf(image->user, sizeof(image->user), "www-data");
	image->uid = image->euid = 33;
	(void)mw_image_set_argv(image, argv, n);
	mw_process_set_image(process, image);
	mw_process_unref(parent);
	return process;
}

/* Parents first, between " > ": "nginx > nginx > sh -c id". */
static inline struct mw_process *lineage_parse(const char *text)
{
	struct mw_process *process = NULL;
	while (*text) {
		const char *end = strstr(text, " > ");
		size_t n = end ? (size_t)(end - text) : strlen(text);
		char cmdline[1024];
		(void)snprintf(cmdline, sizeof(cmdline), "%.*s", (int)n, text);
		process = lineage_add(process, NULL, cmdline);
		text += n + (end ? 3 : 0);
	}
	return process;
}

static inline struct mw_event lineage_event(enum mw_event_kind kind, struct mw_process *process)
{
	return (struct mw_event){
		.kind = kind,
		.time_ns = (int64_t)LINEAGE_SECONDS * MW_NS_PER_S + LINEAGE_NS,
		.id = "0000000000000000-000000000001",
		.process = process,
	};
}

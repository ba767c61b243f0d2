#include "event/process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "event/lineage.h"

struct mw_image *mw_image_new(void)
{
	struct mw_image *image = calloc(1, sizeof(*image));
	if (image)
		image->references = 1;
	return image;
}

struct mw_image *mw_image_ref(struct mw_image *image)
{
	image->references++;
	return image;
}

void mw_image_unref(struct mw_image *image)
{
	if (!image || --image->references)
		return;
	free(image->exe);
	free(image->execfn);
	free(image->script);
	free(image->program);
	free(image->cwd);
	free(image->env);
	for (size_t i = 0; i < sizeof(image->stdio) / sizeof(image->stdio[0]); i++)
		free(image->stdio[i].target);
	free(image->argv);
	free(image->cmdline);
	free(image);
}

const char *mw_image_sha256(struct mw_image *image)
{
	if (!image->sha256[0] && image->hash)
		image->hash(image->hasher, image);
	return image->sha256[0] ? image->sha256 : NULL;
}

int mw_image_set_argv(struct mw_image *image, const char *argv, size_t bytes)
{
	char *copy = malloc(bytes + 1);
	char *cmdline = malloc(bytes + 1);
	if (!copy || !cmdline) {
		free(copy);
		free(cmdline);
		return -ENOMEM;
	}
	if (bytes)
		memcpy(copy, argv, bytes);
	copy[bytes] = '\0';

	size_t length = bytes && argv[bytes - 1] == '\0' ? bytes - 1 : bytes;
	for (size_t i = 0; i < length; i++)
		cmdline[i] = copy[i] ? copy[i] : ' ';
	cmdline[length] = '\0';

	free(image->argv);
	free(image->cmdline);
	image->argv = copy;
	image->argv_bytes = bytes;
	image->cmdline = cmdline;
	return 0;
}

/* A program that forks and leaves, for ever, would make a chain without end: so a chain of twice MW_ANCESTORS is cut to
 * that length.  `depth` of a process on another branch may then be too high, which only makes its chain be looked at
 * again sooner. */
static void cut_ancestors(struct mw_process *process)
{
	unsigned length = 0;
	struct mw_process *oldest = process;
	for (; length < MW_ANCESTORS && oldest->parent; length++)
		oldest = oldest->parent;
	mw_process_unref(oldest->parent);
	oldest->parent = NULL;
	for (struct mw_process *p = process; p; p = p->parent)
		p->depth = length--;
}

struct mw_process *mw_process_new(pid_t pid, struct mw_process *parent, int64_t start_ns)
{
	struct mw_process *process = calloc(1, sizeof(*process));
	if (!process)
		return NULL;
	process->references = 1;
	process->pid = pid;
	process->start_ns = start_ns;
	if (!parent)
		return process;

	process->ppid = parent->pid;
	process->session = parent->session;
	process->group = parent->group;
	memcpy(process->tty, parent->tty, sizeof(process->tty));
	process->parent = mw_process_ref(parent);
	if (parent->image)
		process->image = mw_image_ref(parent->image);
	process->past = parent->past | mw_lineage_of_image(parent->image);
	process->depth = parent->depth + 1;
	if (process->depth >= 2 * MW_ANCESTORS)
		cut_ancestors(process);
	return process;
}

struct mw_process *mw_process_ref(struct mw_process *process)
{
	process->references++;
	return process;
}

void mw_process_unref(struct mw_process *process)
{
	while (process && --process->references == 0) {
		struct mw_process *parent = process->parent;
		mw_image_unref(process->image);
		free(process);
		process = parent;
	}
}

void mw_process_set_image(struct mw_process *process, struct mw_image *image)
{
	process->past |= mw_lineage_of_image(process->image);
	mw_image_unref(process->image);
	process->image = image;
}

const struct mw_process *mw_process_ancestor(const struct mw_process *process, unsigned n)
{
	while (process && n--)
		process = process->parent;
	return process;
}

/* What a process descends from: bits that it inherits from all programs that ran before it in its line, however long that is.
 *
 * Which programs are web servers, databases … is policy (lua/moonwatch/lists.lua): the rules' engine makes a table of it and
 * puts it in force. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "event/process.h"
#include "event/shape.h"

enum mw_lineage {
	MW_LINEAGE_WEB_SERVER,
	MW_LINEAGE_DATABASE,
	MW_LINEAGE_JAVA,
	MW_LINEAGE_PACKAGE_MANAGER,
	MW_LINEAGE_SHELL,
	MW_LINEAGE_INTERPRETER,
	MW_LINEAGE_CRON,
	MW_LINEAGE_SESSION,      /* an exec session: of ECS Exec, `docker exec -it` */
	MW_LINEAGE_HEALTH_CHECK, /* came from outside without a terminal */
	MW_LINEAGES,
};

extern const char *const mw_lineage_names[MW_LINEAGES];

struct mw_lineage_table;

/* NULL: no memory. */
struct mw_lineage_table *mw_lineage_table_new(void);
void mw_lineage_table_free(struct mw_lineage_table *table);
/* Programs of that name have these bits.  -ENOMEM, -E2BIG. */
int mw_lineage_table_add(struct mw_lineage_table *table, const char *name, uint32_t bits);
/* Put it in force (NULL: none), borrowed until another is. */
void mw_lineage_use(const struct mw_lineage_table *table);

/* The same for this thread alone, before that of all; NULL: no more. */
void mw_lineage_use_here(const struct mw_lineage_table *table);

/* Bits of the program itself. */
uint32_t mw_lineage_of_image(struct mw_image *image);
/* What follows from how the process itself was found; after its image and terminal have been set. */
void mw_lineage_note(struct mw_process *process);

/* Names under which a program goes, most telling first: comm, the executable's base name; of busybox, the applet; each whole,
 * cut as the kernel cuts names, and without a version at its end. */
struct mw_program_name {
	const char *text;
	uint32_t bytes;
};
enum {
	MW_PROGRAM_NAMES = 8,
};
/* Returns how many.  `of_executable`: its base name alone, which nobody can choose. */
unsigned mw_program_names(const struct mw_image *image, bool of_executable,
			  struct mw_program_name ret_names[MW_PROGRAM_NAMES]);

extern const struct mw_shape mw_lineage_shape; /* of a struct mw_process */

#include "event/lineage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event/set.h"

enum {
	TABLE_NAMES = 512,
	TABLE_SLOTS = 1024, /* a power of two */
	NAME_BYTES = 32,
	/* comm, proc(5) */
	COMM_BYTES = 15,
};

const char *const mw_lineage_names[MW_LINEAGES] = {"web_server",  "database", "java",    "package_manager", "shell",
						   "interpreter", "cron",     "session", "health_check"};

struct mw_lineage_table {
	unsigned count;
	struct {
		char name[NAME_BYTES];
		uint32_t bits;
	} slots[TABLE_SLOTS];
};

static const struct mw_lineage_table *in_force;
/* Of a thread that loads rules and tries their examples, on processes of its own. */
static _Thread_local const struct mw_lineage_table *in_force_here;
/* Counted up with each table, so that what an image remembers is known to be of another. */
static uint32_t generation = 1;

struct mw_lineage_table *mw_lineage_table_new(void)
{
	return calloc(1, sizeof(struct mw_lineage_table));
}

void mw_lineage_table_free(struct mw_lineage_table *table)
{
	if (table && table == in_force)
		in_force = NULL;
	free(table);
}

static unsigned slot_of(const struct mw_lineage_table *table, const char *name, size_t bytes)
{
	uint32_t hash = 2166136261u; /* FNV-1a */
	for (size_t i = 0; i < bytes; i++)
		hash = (hash ^ (unsigned char)name[i]) * 16777619u;
	unsigned at = hash % TABLE_SLOTS;
	while (table->slots[at].name[0] &&
	       (strncmp(table->slots[at].name, name, bytes) != 0 || table->slots[at].name[bytes]))
		at = (at + 1) % TABLE_SLOTS;
	return at;
}

int mw_lineage_table_add(struct mw_lineage_table *table, const char *name, uint32_t bits)
{
	size_t bytes = strlen(name);
	if (bytes == 0 || bytes >= NAME_BYTES || table->count == TABLE_NAMES)
		return -E2BIG;
	unsigned at = slot_of(table, name, bytes);
	table->count += !table->slots[at].name[0];
	memcpy(table->slots[at].name, name, bytes + 1);
	table->slots[at].bits |= bits;
	return 0;
}

void mw_lineage_use(const struct mw_lineage_table *table)
{
	in_force = table;
	generation++;
}

static bool is_version(char c)
{
	return (c >= '0' && c <= '9') || c == '.' || c == '-';
}

static unsigned add(struct mw_program_name *names, unsigned n, const char *text, size_t bytes)
{
	if (n < MW_PROGRAM_NAMES && bytes)
		names[n++] = (struct mw_program_name){.text = text, .bytes = (uint32_t)bytes};
	return n;
}

static unsigned add_forms(struct mw_program_name *names, unsigned n, const char *text, size_t bytes)
{
	n = add(names, n, text, bytes);
	if (bytes > COMM_BYTES)
		n = add(names, n, text, COMM_BYTES);
	size_t stem = bytes;
	while (stem > 1 && is_version(text[stem - 1]))
		stem--;
	if (stem != bytes && stem)
		n = add(names, n, text, stem);
	return n;
}

unsigned mw_program_names(const struct mw_image *image, bool of_executable,
			  struct mw_program_name ret_names[MW_PROGRAM_NAMES])
{
	static const char deleted[] = " (deleted)";
	unsigned n = 0;
	if (!image)
		return 0;
	size_t comm = strlen(image->name);
	if (!of_executable && comm == 7 && memcmp(image->name, "busybox", 7) == 0) {
		size_t first = image->argv ? strnlen(image->argv, image->argv_bytes) + 1 : 0;
		n = add_forms(ret_names, n, image->name, comm);
		if (first && first < image->argv_bytes) {
			const char *applet = image->argv + first;
			n = add_forms(ret_names, n, applet, strnlen(applet, image->argv_bytes - first));
		}
		return n;
	}
	if (!of_executable)
		n = add_forms(ret_names, n, image->name, comm);
	if (!image->exe)
		return n;
	const char *slash = strrchr(image->exe, '/');
	const char *base = slash ? slash + 1 : image->exe;
	size_t bytes = strlen(base);
	size_t k = sizeof(deleted) - 1;
	if (bytes > k && memcmp(base + bytes - k, deleted, k) == 0)
		bytes -= k;
	if (n && bytes == comm && memcmp(base, image->name, bytes) == 0)
		return n;
	return add_forms(ret_names, n, base, bytes);
}

void mw_lineage_use_here(const struct mw_lineage_table *table)
{
	in_force_here = table;
}

/* A script of the shell that is called as a server is (/etc/init.d/nginx) starts and stops it, and is none. */
#define SERVERS \
	(1u << MW_LINEAGE_WEB_SERVER | 1u << MW_LINEAGE_DATABASE | 1u << MW_LINEAGE_JAVA | 1u << MW_LINEAGE_CRON)

static uint32_t bits_of(const struct mw_lineage_table *table, const struct mw_image *image, bool of_executable)
{
	struct mw_program_name names[MW_PROGRAM_NAMES];
	unsigned n = mw_program_names(image, of_executable, names);
	uint32_t bits = 0;
	for (unsigned i = 0; i < n; i++)
		if (names[i].bytes < NAME_BYTES)
			bits |= table->slots[slot_of(table, names[i].text, names[i].bytes)].bits;
	return bits;
}

uint32_t mw_lineage_of_image(struct mw_image *image)
{
	const struct mw_lineage_table *table = in_force_here ? in_force_here : in_force;
	if (!image || !table)
		return 0;
	if (image->classes_generation == generation)
		return image->classes;
	image->classes = bits_of(table, image, false);
	if (image->classes & SERVERS && bits_of(table, image, true) & 1u << MW_LINEAGE_SHELL)
		image->classes &= ~SERVERS;
	image->classes_generation = generation;
	return image->classes;
}

void mw_lineage_note(struct mw_process *process)
{
	if (!process->image || !process->image->is_late)
		return;
	/* Who enters a container from outside has no parent in it. */
	if (process->tty[0])
		process->past |= 1u << MW_LINEAGE_SESSION;
	else if (process->ppid == 0)
		process->past |= 1u << MW_LINEAGE_HEALTH_CHECK;
}

#define LINEAGE(field, bit) \
	static void lineage_##field(const void *object, struct mw_value *ret) \
	{ \
		if (((const struct mw_process *)object)->past >> (bit)&1) \
			set_integer(ret, MW_BOOL, 1); \
	}

LINEAGE(web_server, MW_LINEAGE_WEB_SERVER)
LINEAGE(database, MW_LINEAGE_DATABASE)
LINEAGE(java, MW_LINEAGE_JAVA)
LINEAGE(package_manager, MW_LINEAGE_PACKAGE_MANAGER)
LINEAGE(shell, MW_LINEAGE_SHELL)
LINEAGE(interpreter, MW_LINEAGE_INTERPRETER)
LINEAGE(cron, MW_LINEAGE_CRON)
LINEAGE(session, MW_LINEAGE_SESSION)
LINEAGE(health_check, MW_LINEAGE_HEALTH_CHECK)

static const struct mw_field lineage_fields[] = {
	{"web_server", MW_BOOL, NULL, "True when it descends from a web server.", .get = lineage_web_server},
	{"database", MW_BOOL, NULL, "True when it descends from a database.", .get = lineage_database},
	{"java", MW_BOOL, NULL, "True when it descends from a Java machine.", .get = lineage_java},
	{"package_manager", MW_BOOL, NULL, "True when it descends from a package manager.",
	 .get = lineage_package_manager},
	{"shell", MW_BOOL, NULL, "True when it descends from a shell.", .get = lineage_shell},
	{"interpreter", MW_BOOL, NULL, "True when it descends from an interpreter: python, perl, node …",
	 .get = lineage_interpreter},
	{"cron", MW_BOOL, NULL, "True when it descends from cron or its like.", .get = lineage_cron},
	{"session", MW_BOOL, NULL, "True when it belongs to an exec session: ECS Exec, docker exec -it.",
	 .get = lineage_session},
	{"health_check", MW_BOOL, NULL, "True when it, or an ancestor, came from outside without a terminal.",
	 .get = lineage_health_check},
	{0},
};

const struct mw_shape mw_lineage_shape = {
	.name = "Lineage",
	.doc = "What a process descends from.",
	.fields = lineage_fields,
};

/* Whose is a process that nobody traces?
 *
 * Ours: descendants of the application, whatever their namespaces.  In a PID namespace of a container's own, also
 * newcomers: processes born after the application, in the same mount namespace (the same container), and those of
 * other containers that no sensor of their own looks after (a shared PID namespace: ECS's pidMode "task").  In the initial
 * PID namespace, that of a whole machine, nothing but the application's tree is ever touched.
 *
 * Never: processes of a moonwatch, ours or another.  Two tracers that trace each other both stop for good, and with them
 * all that they trace.  They are told by their command names; that a hostile program may take such a name to stay unseen by
 * sweeps is the lesser evil (rules see the renaming). */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct mw_proc_stat;
struct mw_tracer;

enum {
	/* Other instances in the same PID namespace. */
	MW_INSTANCES = 32,
};

/* What one walk over /proc has found of other instances. */
struct mw_instances {
	unsigned count;
	struct {
		pid_t guard;
		char mount_namespace[48]; /* "mnt:[4026531841]"; "" when it cannot be read */
	} list[MW_INSTANCES];
	char own_mount_namespace[48];
	bool is_first;      /* ours has the lowest guard pid of all */
	bool is_first_here; /* … of those in our mount namespace */
};

/* Is this the command name of a process of a moonwatch? */
bool mw_is_instance_name(const char *comm);

/* Is that process in another mount namespace than the application?  False when it cannot be told. */
bool mw_is_other_container(const struct mw_tracer *tracer, pid_t pid);

void mw_instances_find(const struct mw_tracer *tracer, struct mw_instances *ret);

/* May this process be attached to?  It is traced by nobody we know of, and alive. */
bool mw_belongs(const struct mw_tracer *tracer, const struct mw_instances *instances, const struct mw_proc_stat *stat);

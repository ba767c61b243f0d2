/* Where the sensor runs: the container, and the ECS task it belongs to.  The same for all events of a run, and known some
 * time after its start: see lua/moonwatch/ecs/. */
#pragma once

#include <stdbool.h>

#include "event/shape.h"

/* Of the texts those that are not known are NULL. */
struct mw_identity {
	struct {
		const char *name;   /* as the task definition calls it */
		const char *id;     /* the runtime's */
		const char *image;  /* as it was asked for */
		const char *digest; /* "sha256:…" */
	} container;
	struct {
		const char *task_arn, *task_id;
		const char *cluster, *service;
		const char *family, *revision;
		const char *container_arn;
		const char *region, *account_id, *availability_zone;
		const char *launch_type;
	} ecs;
};

/* Set the field of that column of the table ecs_metadata to a copy of `text`; NULL or "" takes it away.
 * -ENOENT: no column that events have; -ENOMEM. */
int mw_identity_set(struct mw_identity *identity, const char *column, const char *text);
void mw_identity_release(struct mw_identity *identity);
/* True when there is something to say of the one or of the other. */
bool mw_identity_has_container(const struct mw_identity *identity);
bool mw_identity_has_ecs(const struct mw_identity *identity);

/* Both read a struct mw_identity. */
extern const struct mw_shape mw_container_shape;
extern const struct mw_shape mw_ecs_shape;

#include "event/identity.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "event/set.h"

#define FIELD(part, field) \
	static void part##_##field(const void *object, struct mw_value *ret) \
	{ \
		set_text(ret, ((const struct mw_identity *)object)->part.field); \
	}

FIELD(container, name)
FIELD(container, id)
FIELD(container, image)
FIELD(container, digest)
FIELD(ecs, task_arn)
FIELD(ecs, task_id)
FIELD(ecs, cluster)
FIELD(ecs, service)
FIELD(ecs, family)
FIELD(ecs, revision)
FIELD(ecs, container_arn)
FIELD(ecs, region)
FIELD(ecs, account_id)
FIELD(ecs, availability_zone)
FIELD(ecs, launch_type)

static const struct mw_field container_fields[] = {
	{"name", MW_TEXT, NULL, "Its name in the task definition.", .get = container_name},
	{"id", MW_TEXT, NULL, "Its id, as the container runtime knows it.", .get = container_id},
	{"image", MW_TEXT, NULL, "The image, as the task definition names it.", .get = container_image},
	{"digest", MW_TEXT, NULL, "Digest of the image.", .get = container_digest},
	{0},
};

static const struct mw_field ecs_fields[] = {
	{"task_arn", MW_TEXT, NULL, "ARN of the task.", .get = ecs_task_arn},
	{"task_id", MW_TEXT, NULL, "The end of the task's ARN.", .get = ecs_task_id},
	{"cluster", MW_TEXT, NULL, "Name of the cluster.", .get = ecs_cluster},
	{"service", MW_TEXT, NULL, "Name of the service.", .get = ecs_service},
	{"family", MW_TEXT, NULL, "Family of the task definition.", .get = ecs_family},
	{"revision", MW_TEXT, NULL, "Its revision.", .get = ecs_revision},
	{"container_arn", MW_TEXT, NULL, "ARN of the container.", .get = ecs_container_arn},
	{"region", MW_TEXT, NULL, "AWS region.", .get = ecs_region},
	{"account_id", MW_TEXT, NULL, "AWS account.", .get = ecs_account_id},
	{"availability_zone", MW_TEXT, NULL, "Availability zone.", .get = ecs_availability_zone},
	{"launch_type", MW_TEXT, NULL, "FARGATE, EC2, EXTERNAL or MANAGED_INSTANCES.", .get = ecs_launch_type},
	{0},
};

const struct mw_shape mw_container_shape = {
	.name = "Container",
	.doc = "The container the sensor runs in.",
	.fields = container_fields,
};

const struct mw_shape mw_ecs_shape = {
	.name = "Ecs",
	.doc = "The ECS task of the container.",
	.fields = ecs_fields,
};

#define AT(field) offsetof(struct mw_identity, field)

static const struct column {
	const char *name;
	size_t at;
} columns[] = {
	{"container_name", AT(container.name)},
	{"container_id", AT(container.id)},
	{"image", AT(container.image)},
	{"image_id", AT(container.digest)},
	{"task_arn", AT(ecs.task_arn)},
	{"task_id", AT(ecs.task_id)},
	{"cluster", AT(ecs.cluster)},
	{"service_name", AT(ecs.service)},
	{"task_family", AT(ecs.family)},
	{"task_revision", AT(ecs.revision)},
	{"container_arn", AT(ecs.container_arn)},
	{"region", AT(ecs.region)},
	{"account_id", AT(ecs.account_id)},
	{"availability_zone", AT(ecs.availability_zone)},
	{"launch_type", AT(ecs.launch_type)},
};

enum {
	COLUMNS = sizeof(columns) / sizeof(columns[0])
};

static char **slot(struct mw_identity *identity, const struct column *column)
{
	return (char **)((char *)identity + column->at);
}

int mw_identity_set(struct mw_identity *identity, const char *column, const char *text)
{
	for (size_t i = 0; i < COLUMNS; i++) {
		if (strcmp(columns[i].name, column) != 0)
			continue;
		char *copy = NULL;
		if (text && *text && !(copy = strdup(text)))
			return -ENOMEM;
		free(*slot(identity, &columns[i]));
		*slot(identity, &columns[i]) = copy;
		return 0;
	}
	return -ENOENT;
}

void mw_identity_release(struct mw_identity *identity)
{
	for (size_t i = 0; i < COLUMNS; i++)
		free(*slot(identity, &columns[i]));
	*identity = (struct mw_identity){0};
}

static bool has(const struct mw_identity *identity, size_t from, size_t to)
{
	for (size_t i = 0; i < COLUMNS; i++)
		if (columns[i].at >= from && columns[i].at < to && *slot((struct mw_identity *)identity, &columns[i]))
			return true;
	return false;
}

bool mw_identity_has_container(const struct mw_identity *identity)
{
	return has(identity, AT(container), AT(ecs));
}

bool mw_identity_has_ecs(const struct mw_identity *identity)
{
	return has(identity, AT(ecs), sizeof(*identity));
}

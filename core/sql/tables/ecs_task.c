/* The task, as the ECS task metadata endpoint tells it.
 *
 * The row is what lua/moonwatch/ecs/metadata.lua made of the answer, in the spool's document "ecs". */

#include "sql/spool_table.h"

enum {
	TASK_ARN,
	TASK_ID,
	CLUSTER,
	CLUSTER_ARN,
	REGION,
	ACCOUNT_ID,
	FAMILY,
	REVISION,
	SERVICE_NAME,
	TASK_GROUP,
	LAUNCH_TYPE,
	AVAILABILITY_ZONE,
	AVAILABILITY_ZONE_ID,
	VPC_ID,
	DESIRED_STATUS,
	KNOWN_STATUS,
	TASK_CPU_LIMIT,
	TASK_MEMORY_LIMIT,
	PULL_STARTED_AT,
	PULL_STOPPED_AT,
	EXECUTION_STOPPED_AT,
	EPHEMERAL_STORAGE_USED_MIB,
	EPHEMERAL_STORAGE_RESERVED_MIB,
	CLOCK_ERROR_BOUND_MS,
	CLOCK_SYNC_STATUS,
	TAGS,
	CONTAINER_COUNT,
};

static const struct mw_sql_column columns[] = {
	[TASK_ARN] = {"task_arn", MW_SQL_TEXT, 0, "ARN of the task"},
	[TASK_ID] = {"task_id", MW_SQL_TEXT, 0, "End of the task's ARN"},
	[CLUSTER] = {"cluster", MW_SQL_TEXT, 0, "Short name of the cluster"},
	[CLUSTER_ARN] = {"cluster_arn", MW_SQL_TEXT, 0, "ARN of the cluster"},
	[REGION] = {"region", MW_SQL_TEXT, 0, "AWS region"},
	[ACCOUNT_ID] = {"account_id", MW_SQL_TEXT, 0, "AWS account"},
	[FAMILY] = {"family", MW_SQL_TEXT, 0, "Family of the task definition"},
	[REVISION] = {"revision", MW_SQL_TEXT, 0, "Revision of the task definition"},
	[SERVICE_NAME] = {"service_name", MW_SQL_TEXT, 0, "Service that started the task"},
	[TASK_GROUP] = {"task_group", MW_SQL_TEXT, 0, "Group of the task"},
	[LAUNCH_TYPE] = {"launch_type", MW_SQL_TEXT, 0, "FARGATE, EC2, EXTERNAL or MANAGED_INSTANCES"},
	[AVAILABILITY_ZONE] = {"availability_zone", MW_SQL_TEXT, 0, "Availability zone"},
	[AVAILABILITY_ZONE_ID] = {"availability_zone_id", MW_SQL_TEXT, 0, "Id of the zone, the same in all accounts"},
	[VPC_ID] = {"vpc_id", MW_SQL_TEXT, 0, "VPC; on EC2 only"},
	[DESIRED_STATUS] = {"desired_status", MW_SQL_TEXT, 0, "Status that ECS wants"},
	[KNOWN_STATUS] = {"known_status", MW_SQL_TEXT, 0, "Status that ECS knows of"},
	[TASK_CPU_LIMIT] = {"task_cpu_limit", MW_SQL_DOUBLE, 0, "vCPUs of the task"},
	[TASK_MEMORY_LIMIT] = {"task_memory_limit", MW_SQL_BIGINT, 0, "Memory of the task, in MiB"},
	[PULL_STARTED_AT] = {"pull_started_at", MW_SQL_BIGINT, 0,
			     "When the images began to be pulled, in seconds since 1970"},
	[PULL_STOPPED_AT] = {"pull_stopped_at", MW_SQL_BIGINT, 0, "When all images were there, in seconds since 1970"},
	[EXECUTION_STOPPED_AT] = {"execution_stopped_at", MW_SQL_BIGINT, 0,
				  "When the task stopped, in seconds since 1970"},
	[EPHEMERAL_STORAGE_USED_MIB] = {"ephemeral_storage_used_mib", MW_SQL_BIGINT, 0,
					"Ephemeral storage in use, in MiB"},
	[EPHEMERAL_STORAGE_RESERVED_MIB] = {"ephemeral_storage_reserved_mib", MW_SQL_BIGINT, 0,
					    "Ephemeral storage reserved, in MiB"},
	[CLOCK_ERROR_BOUND_MS] = {"clock_error_bound_ms", MW_SQL_DOUBLE, 0, "How far off the clock may be, in ms"},
	[CLOCK_SYNC_STATUS] = {"clock_sync_status", MW_SQL_TEXT, 0, "SYNCHRONIZED or NOT_SYNCHRONIZED"},
	[TAGS] = {"tags", MW_SQL_TEXT, 0, "Tags of the task, JSON; only when they were asked for"},
	[CONTAINER_COUNT] = {"container_count", MW_SQL_INTEGER, 0, "Containers of the task that the endpoint knows"},
	{0},
};

#define OF(column) "json_extract(body, '$.task." column "')"

static const char *const expressions[sizeof(columns) / sizeof(columns[0])] = {
	[TASK_ARN] = OF("task_arn"),
	[TASK_ID] = OF("task_id"),
	[CLUSTER] = OF("cluster"),
	[CLUSTER_ARN] = OF("cluster_arn"),
	[REGION] = OF("region"),
	[ACCOUNT_ID] = OF("account_id"),
	[FAMILY] = OF("family"),
	[REVISION] = OF("revision"),
	[SERVICE_NAME] = OF("service_name"),
	[TASK_GROUP] = OF("task_group"),
	[LAUNCH_TYPE] = OF("launch_type"),
	[AVAILABILITY_ZONE] = OF("availability_zone"),
	[AVAILABILITY_ZONE_ID] = OF("availability_zone_id"),
	[VPC_ID] = OF("vpc_id"),
	[DESIRED_STATUS] = OF("desired_status"),
	[KNOWN_STATUS] = OF("known_status"),
	[TASK_CPU_LIMIT] = OF("task_cpu_limit"),
	[TASK_MEMORY_LIMIT] = OF("task_memory_limit"),
	[PULL_STARTED_AT] = OF("pull_started_at"),
	[PULL_STOPPED_AT] = OF("pull_stopped_at"),
	[EXECUTION_STOPPED_AT] = OF("execution_stopped_at"),
	[EPHEMERAL_STORAGE_USED_MIB] = OF("ephemeral_storage_used_mib"),
	[EPHEMERAL_STORAGE_RESERVED_MIB] = OF("ephemeral_storage_reserved_mib"),
	[CLOCK_ERROR_BOUND_MS] = OF("clock_error_bound_ms"),
	[CLOCK_SYNC_STATUS] = OF("clock_sync_status"),
	[TAGS] = OF("tags"),
	[CONTAINER_COUNT] = OF("container_count"),
};

static const struct mw_spool_source source = {
	.from = "documents",
	.where = "name = 'ecs' AND json_extract(body, '$.task.task_arn') IS NOT NULL",
	.order = "name",
	.expressions = expressions,
};

static int open_scan(const struct mw_sql_scan *scan, void **ret_state, struct mw_err *err)
{
	return mw_spool_table_open(scan, &source, ret_state, err);
}

const struct mw_sql_table mw_table_ecs_task = {
	.name = "ecs_task",
	.doc = "The ECS task that the sensor runs in. No row off ECS.",
	.source = "ECS task metadata endpoint",
	.example = "SELECT family, revision, launch_type, task_cpu_limit, task_memory_limit FROM ecs_task",
	.columns = columns,
	.open = open_scan,
	.next = mw_spool_table_next,
	.close = mw_spool_table_close,
};

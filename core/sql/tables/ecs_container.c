/* Containers of the task, as the ECS task metadata endpoint tells them.
 *
 * Columns are the members of what lua/moonwatch/ecs/metadata.lua made of the answer, in the spool's document "ecs",
 * by their names. */

#include "sql/spool_table.h"

static const struct mw_sql_column columns[] = {
	{"task_arn", MW_SQL_TEXT, 0, "ARN of the task"},
	{"task_id", MW_SQL_TEXT, 0, "End of the task's ARN"},
	{"container_id", MW_SQL_TEXT, 0, "The runtime's id of the container"},
	{"container_name", MW_SQL_TEXT, 0, "Name in the task definition"},
	{"docker_name", MW_SQL_TEXT, 0, "The runtime's name of the container"},
	{"image", MW_SQL_TEXT, 0, "Image, as the task definition names it"},
	{"image_id", MW_SQL_TEXT, 0, "Digest of the image that runs"},
	{"image_digest", MW_SQL_TEXT, 0, "Digest that is part of the image's name"},
	{"container_arn", MW_SQL_TEXT, 0, "ARN of the container"},
	{"type", MW_SQL_TEXT, 0, "NORMAL, or what ECS itself runs"},
	{"desired_status", MW_SQL_TEXT, 0, "Status that ECS wants"},
	{"known_status", MW_SQL_TEXT, 0, "Status that ECS knows of"},
	{"exit_code", MW_SQL_INTEGER, 0, "Exit code, once it has ended"},
	{"cpu_limit", MW_SQL_DOUBLE, 0, "CPU units; 1024 are one vCPU"},
	{"memory_limit", MW_SQL_BIGINT, 0, "Memory, in MiB"},
	{"created_at", MW_SQL_BIGINT, 0, "When it was created, in seconds since 1970"},
	{"started_at", MW_SQL_BIGINT, 0, "When it started, in seconds since 1970"},
	{"finished_at", MW_SQL_BIGINT, 0, "When it ended, in seconds since 1970"},
	{"health_status", MW_SQL_TEXT, 0, "HEALTHY, UNHEALTHY or UNKNOWN; NULL without a health check"},
	{"health_since", MW_SQL_BIGINT, 0, "Since when, in seconds since 1970"},
	{"health_exit_code", MW_SQL_INTEGER, 0, "Exit code of the last health check"},
	{"health_output", MW_SQL_TEXT, 0, "Output of the last health check"},
	{"network_mode", MW_SQL_TEXT, 0, "awsvpc, bridge, host or none"},
	{"ipv4_addresses", MW_SQL_TEXT, 0, "IPv4 addresses, with commas between"},
	{"ipv6_addresses", MW_SQL_TEXT, 0, "IPv6 addresses, with commas between"},
	{"mac_address", MW_SQL_TEXT, 0, "MAC address"},
	{"private_dns_name", MW_SQL_TEXT, 0, "Private DNS name"},
	{"ports", MW_SQL_TEXT, 0, "Ports, JSON; not on Fargate"},
	{"volumes", MW_SQL_TEXT, 0, "Volumes, JSON; not on Fargate"},
	{"labels", MW_SQL_TEXT, 0, "Labels, JSON"},
	{"log_driver", MW_SQL_TEXT, 0, "Log driver"},
	{"log_options", MW_SQL_TEXT, 0, "Options of the log driver, JSON"},
	{"snapshotter", MW_SQL_TEXT, 0, "The runtime's snapshotter"},
	{"restart_count", MW_SQL_INTEGER, 0, "How often the restart policy restarted it"},
	{"is_self", MW_SQL_INTEGER, 0, "1 for the container that the sensor runs in"},
	{0},
};

static const struct mw_spool_source source = {
	.from = "documents, json_each(documents.body, '$.containers') AS container",
	.where = "documents.name = 'ecs'",
	.order = "container.key",
	.document = "container.value",
	.member = "",
};

static int open_scan(const struct mw_sql_scan *scan, void **ret_state, struct mw_err *err)
{
	return mw_spool_table_open(scan, &source, ret_state, err);
}

const struct mw_sql_table mw_table_ecs_container = {
	.name = "ecs_container",
	.doc = "Containers of the ECS task that the sensor runs in. No rows off ECS.",
	.source = "ECS task metadata endpoint",
	.example = "SELECT container_name, known_status, exit_code, health_status FROM ecs_container",
	.columns = columns,
	.open = open_scan,
	.next = mw_spool_table_next,
	.close = mw_spool_table_close,
};

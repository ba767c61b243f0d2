/* This container and its task, as the ECS task metadata endpoint tells it.
 *
 * Columns are the members of what lua/moonwatch/ecs/metadata.lua made of the answer, in the spool's document "ecs",
 * by their names. */

#include "sql/spool_table.h"

static const struct mw_sql_column columns[] = {
	{"metadata_version", MW_SQL_TEXT, 0, "v4, v3 or v2"},
	{"metadata_uri", MW_SQL_TEXT, 0, "Where it was asked for"},
	{"cluster", MW_SQL_TEXT, 0, "Short name of the cluster"},
	{"cluster_arn", MW_SQL_TEXT, 0, "ARN of the cluster"},
	{"region", MW_SQL_TEXT, 0, "AWS region"},
	{"account_id", MW_SQL_TEXT, 0, "AWS account"},
	{"partition", MW_SQL_TEXT, 0, "AWS partition: aws, aws-cn, aws-us-gov"},
	{"availability_zone", MW_SQL_TEXT, 0, "Availability zone"},
	{"availability_zone_id", MW_SQL_TEXT, 0, "Id of the zone, the same in all accounts"},
	{"launch_type", MW_SQL_TEXT, 0, "FARGATE, EC2, EXTERNAL or MANAGED_INSTANCES"},
	{"vpc_id", MW_SQL_TEXT, 0, "VPC; on EC2 only"},
	{"task_arn", MW_SQL_TEXT, 0, "ARN of the task"},
	{"task_id", MW_SQL_TEXT, 0, "End of the task's ARN"},
	{"task_family", MW_SQL_TEXT, 0, "Family of the task definition"},
	{"task_revision", MW_SQL_TEXT, 0, "Revision of the task definition"},
	{"service_name", MW_SQL_TEXT, 0, "Service that started the task"},
	{"task_group", MW_SQL_TEXT, 0, "Group of the task"},
	{"container_arn", MW_SQL_TEXT, 0, "ARN of the container"},
	{"container_id", MW_SQL_TEXT, 0, "The runtime's id of the container"},
	{"container_name", MW_SQL_TEXT, 0, "Name in the task definition"},
	{"docker_name", MW_SQL_TEXT, 0, "The runtime's name of the container"},
	{"image", MW_SQL_TEXT, 0, "Image, as the task definition names it"},
	{"image_id", MW_SQL_TEXT, 0, "Digest of the image that runs"},
	{"image_digest", MW_SQL_TEXT, 0, "Digest that is part of the image's name"},
	{"desired_status", MW_SQL_TEXT, 0, "Status that ECS wants"},
	{"known_status", MW_SQL_TEXT, 0, "Status that ECS knows of"},
	{"container_type", MW_SQL_TEXT, 0, "NORMAL, or what ECS itself runs"},
	{"cpu_limit", MW_SQL_DOUBLE, 0, "CPU units; 1024 are one vCPU"},
	{"memory_limit", MW_SQL_BIGINT, 0, "Memory, in MiB"},
	{"created_at", MW_SQL_BIGINT, 0, "When it was created, in seconds since 1970"},
	{"started_at", MW_SQL_BIGINT, 0, "When it started, in seconds since 1970"},
	{"network_mode", MW_SQL_TEXT, 0, "awsvpc, bridge, host or none"},
	{"ipv4_addresses", MW_SQL_TEXT, 0, "IPv4 addresses, with commas between"},
	{"ipv6_addresses", MW_SQL_TEXT, 0, "IPv6 addresses, with commas between"},
	{"mac_address", MW_SQL_TEXT, 0, "MAC address"},
	{"ipv4_subnet_cidr", MW_SQL_TEXT, 0, "Subnet, IPv4"},
	{"ipv6_subnet_cidr", MW_SQL_TEXT, 0, "Subnet, IPv6"},
	{"private_dns_name", MW_SQL_TEXT, 0, "Private DNS name"},
	{"dns_servers", MW_SQL_TEXT, 0, "Name servers, with commas between"},
	{"gateway_ipv4", MW_SQL_TEXT, 0, "Gateway and prefix length"},
	{"log_driver", MW_SQL_TEXT, 0, "Log driver"},
	{"log_options", MW_SQL_TEXT, 0, "Options of the log driver, JSON"},
	{"labels", MW_SQL_TEXT, 0, "Labels, JSON"},
	{"snapshotter", MW_SQL_TEXT, 0, "The runtime's snapshotter"},
	{"restart_count", MW_SQL_INTEGER, 0, "How often the restart policy restarted it"},
	{"fetched_at", MW_SQL_BIGINT, 0, "When the endpoint was asked, in seconds since 1970"},
	{"error", MW_SQL_TEXT, 0, "Why the answer is not whole; NULL when it is"},
	{0},
};

static const struct mw_spool_source source = {
	.from = "documents",
	.where = "name = 'ecs' AND json_type(body, '$.own') = 'object'",
	.order = "name",
	.document = "body",
	.member = "own.",
};

static int open_scan(const struct mw_sql_scan *scan, void **ret_state, struct mw_err *err)
{
	return mw_spool_table_open(scan, &source, ret_state, err);
}

const struct mw_sql_table mw_table_ecs_metadata = {
	.name = "ecs_metadata",
	.doc = "The container the sensor runs in, as ECS knows it, with its task. No row off ECS.",
	.source = "ECS task metadata endpoint",
	.example = "SELECT task_family, task_revision, container_name, image FROM ecs_metadata",
	.columns = columns,
	.open = open_scan,
	.next = mw_spool_table_next,
	.close = mw_spool_table_close,
};

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/json_find.h"
#include "sql/cpuinfo.h"
#include "sql/document.h"
#include "sql/place.h"
#include "sql/table.h"
#include "sql/world.h"

enum {
	HOSTNAME,
	UUID,
	CPU_TYPE,
	CPU_SUBTYPE,
	CPU_BRAND,
	CPU_PHYSICAL_CORES,
	CPU_LOGICAL_CORES,
	CPU_SOCKETS,
	CPU_MICROCODE,
	PHYSICAL_MEMORY,
	HARDWARE_VENDOR,
	HARDWARE_MODEL,
	HARDWARE_VERSION,
	HARDWARE_SERIAL,
	BOARD_VENDOR,
	BOARD_MODEL,
	BOARD_VERSION,
	BOARD_SERIAL,
	COMPUTER_NAME,
	LOCAL_HOSTNAME,
	EMULATED_CPU_TYPE,
};

static const struct mw_sql_column columns[] = {
	[HOSTNAME] = {"hostname", MW_SQL_TEXT, 0, "Name of the host; on ECS family/task/container"},
	[UUID] =
		{"uuid", MW_SQL_TEXT, 0,
		 "Of this container: on ECS made of the task's ARN and its name, else its machine-id(5), else made of its "
		 "host name; never the hardware's",
		 "nocase"},
	[CPU_TYPE] = {"cpu_type", MW_SQL_TEXT, 0, "Architecture, uname(2)"},
	[CPU_SUBTYPE] = {"cpu_subtype", MW_SQL_TEXT, 0, "Model number of the processor"},
	[CPU_BRAND] = {"cpu_brand", MW_SQL_TEXT, 0, "Name of the processor"},
	[CPU_PHYSICAL_CORES] = {"cpu_physical_cores", MW_SQL_INTEGER, 0, "Cores"},
	[CPU_LOGICAL_CORES] = {"cpu_logical_cores", MW_SQL_INTEGER, 0, "Processors the kernel sees"},
	[CPU_SOCKETS] = {"cpu_sockets", MW_SQL_INTEGER, 0, "Sockets"},
	[CPU_MICROCODE] = {"cpu_microcode", MW_SQL_TEXT, 0, "Version of the microcode"},
	[PHYSICAL_MEMORY] =
		{"physical_memory", MW_SQL_BIGINT, 0,
		 "Bytes of memory of the machine, on ECS of the task; cgroup_limits has those of the container"},
	[HARDWARE_VENDOR] = {"hardware_vendor", MW_SQL_TEXT, 0, "Who made the machine, or the virtual machine"},
	[HARDWARE_MODEL] = {"hardware_model", MW_SQL_TEXT, 0, "What it is"},
	[HARDWARE_VERSION] = {"hardware_version", MW_SQL_TEXT, 0, "Its version"},
	[HARDWARE_SERIAL] = {"hardware_serial", MW_SQL_TEXT, 0,
			     "On ECS the task's id and the container; else empty, as it would identify the machine"},
	[BOARD_VENDOR] = {"board_vendor", MW_SQL_TEXT, 0, "Who made the main board"},
	[BOARD_MODEL] = {"board_model", MW_SQL_TEXT, 0, "What board it is"},
	[BOARD_VERSION] = {"board_version", MW_SQL_TEXT, 0, "Its version"},
	[BOARD_SERIAL] = {"board_serial", MW_SQL_TEXT, 0, "Always empty"},
	[COMPUTER_NAME] = {"computer_name", MW_SQL_TEXT, 0, "Name of the host; on ECS cluster/service"},
	[LOCAL_HOSTNAME] = {"local_hostname", MW_SQL_TEXT, 0, "Name of the host"},
	[EMULATED_CPU_TYPE] = {"emulated_cpu_type", MW_SQL_TEXT, MW_SQL_FOREIGN, "Windows only"},
	{0},
};

enum {
	CORES = 1024, /* that are told apart */
	DMI_BYTES = 256,
	UUID_DIGITS = 32,
	HOST_BYTES = 4096,
};

struct cpus {
	struct mw_cpu first;
	unsigned logical, physical, sockets;
	uint64_t seen[CORES];
};

static int add_cpu(void *data, const struct mw_cpu *cpu)
{
	struct cpus *cpus = data;
	uint64_t id = (uint64_t)(uint32_t)cpu->socket << 32 | (uint32_t)cpu->core;
	bool is_new_socket = true;
	if (cpus->logical++ == 0)
		cpus->first = *cpu;
	for (unsigned i = 0; i < cpus->physical; i++) {
		if (cpus->seen[i] == id && cpu->core >= 0)
			return 0;
		is_new_socket &= cpus->seen[i] >> 32 != id >> 32;
	}
	cpus->sockets += is_new_socket;
	if (cpus->physical < CORES)
		cpus->seen[cpus->physical++] = id;
	return 0;
}

static void add_cpus(struct mw_sql_world *world, struct mw_rows *rows)
{
	struct cpus cpus = {.first.model = 0};
	if (mw_cpuinfo(world->procfd, add_cpu, &cpus) < 0)
		return;
	char number[16];
	(void)snprintf(number, sizeof(number), "%d", cpus.first.model < 0 ? 0 : cpus.first.model);
	mw_rows_string(rows, CPU_SUBTYPE, number);
	mw_rows_string(rows, CPU_BRAND, cpus.first.model_name);
	mw_rows_string(rows, CPU_MICROCODE, cpus.first.microcode);
	mw_rows_int(rows, CPU_LOGICAL_CORES, cpus.logical);
	mw_rows_int(rows, CPU_PHYSICAL_CORES, cpus.physical);
	mw_rows_int(rows, CPU_SOCKETS, cpus.sockets);
}

static void add_memory(struct mw_sql_world *world, struct mw_rows *rows)
{
	MW_AUTO(mw_sql_lines) lines;
	(void)mw_sql_lines_at(&lines, world->procfd, "meminfo");
	for (char *line; (line = mw_sql_next_line(&lines));)
		if (strncmp(line, "MemTotal:", 9) == 0)
			mw_rows_int(rows, PHYSICAL_MEMORY, strtoll(line + 9, NULL, 10) * 1024);
}

static void add_hardware(const struct mw_sql_place *place, struct mw_rows *rows)
{
	static const struct {
		const char *file;
		unsigned column;
	} parts[] = {
		{"sys_vendor", HARDWARE_VENDOR},       {"product_name", HARDWARE_MODEL},
		{"product_version", HARDWARE_VERSION}, {"board_vendor", BOARD_VENDOR},
		{"board_name", BOARD_MODEL},           {"board_version", BOARD_VERSION},
	};
	for (unsigned column = HARDWARE_VENDOR; column <= BOARD_SERIAL; column++)
		mw_rows_string(rows, column, "");
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		char path[64];
		struct stat st;
		char text[DMI_BYTES];
		(void)snprintf(path, sizeof(path), "/sys/class/dmi/id/%s", parts[i].file);
		MW_AUTO_FD fd = mw_sql_open_file(place, path, &st);
		ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
		if (n <= 0)
			continue;
		text[n] = '\0';
		mw_rows_string(rows, parts[i].column, mw_sql_strip(text));
	}
}

/* FNV-1a: not secret, only the same each time. */
static uint64_t hash(const char *text, uint64_t value)
{
	for (; *text; text++)
		value = (value ^ (unsigned char)*text) * 0x100000001b3;
	return value;
}

static void add_uuid(const struct mw_sql_place *place, const char *hostname, struct mw_rows *rows)
{
	char digits[UUID_DIGITS + 2] = "";
	char uuid[UUID_DIGITS + 5];
	struct stat st;
	MW_AUTO_FD fd = mw_sql_open_file(place, "/etc/machine-id", &st);
	ssize_t n = fd < 0 ? -1 : read(fd, digits, UUID_DIGITS);
	if (n != UUID_DIGITS || strspn(digits, "0123456789abcdefABCDEF") != UUID_DIGITS) {
		unsigned long long high = hash(hostname, 0xcbf29ce484222325);
		(void)snprintf(digits, sizeof(digits), "%016llx%016llx", high,
			       (unsigned long long)hash(hostname, high));
	}
	(void)snprintf(uuid, sizeof(uuid), "%.8s-%.4s-%.4s-%.4s-%.12s", digits, digits + 8, digits + 12, digits + 16,
		       digits + 20);
	mw_rows_string(rows, UUID, uuid);
}

/* On ECS the host is the container of the task: lua/moonwatch/ecs/host.lua. */
static void add_task(struct mw_sql_world *world, struct mw_rows *rows)
{
	MW_AUTO(mw_buf) host = MW_BUF(HOST_BYTES);
	if (mw_sql_document(world, "host", &host) < 0)
		return;
	for (unsigned i = 0; columns[i].name; i++) {
		struct mw_json_value value;
		char text[HOST_BYTES];
		if (mw_json_member(host.data, host.size, columns[i].name, &value) < 0)
			continue;
		if (value.type == MW_JSON_STRING)
			mw_rows_text(rows, i, text, mw_json_unescape(&value, text));
		else if (value.type == MW_JSON_NUMBER)
			mw_rows_int(rows, i, strtoll(value.start, NULL, 10));
	}
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	struct mw_sql_place place;
	struct utsname kernel;
	(void)err;
	int r = mw_sql_place_init(&place, scan, MW_SQL_NO_COLUMN);
	if (r < 0 || uname(&kernel) < 0 || (r = mw_rows_add(rows)) < 0)
		return r;
	mw_rows_string(rows, HOSTNAME, kernel.nodename);
	mw_rows_string(rows, COMPUTER_NAME, kernel.nodename);
	mw_rows_string(rows, LOCAL_HOSTNAME, kernel.nodename);
	mw_rows_string(rows, CPU_TYPE, kernel.machine);
	add_cpus(scan->world, rows);
	add_memory(scan->world, rows);
	add_hardware(&place, rows);
	add_uuid(&place, kernel.nodename, rows);
	add_task(scan->world, rows);
	return 0;
}

const struct mw_sql_table mw_table_system_info = {
	.name = "system_info",
	.doc = "The container's name and identity, and the machine it runs on.",
	.source = "uname(2), /etc/machine-id, /proc/cpuinfo, /proc/meminfo, /sys/class/dmi/id",
	.example = "SELECT hostname, uuid, cpu_brand, cpu_logical_cores, physical_memory FROM system_info",
	.columns = columns,
	.fill = fill,
};

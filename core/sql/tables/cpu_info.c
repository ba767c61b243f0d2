#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "sql/cpuinfo.h"
#include "sql/place.h"
#include "sql/table.h"
#include "sql/world.h"

enum {
	DEVICE_ID,
	MODEL,
	MANUFACTURER,
	PROCESSOR_TYPE,
	CPU_STATUS,
	NUMBER_OF_CORES,
	LOGICAL_PROCESSORS,
	ADDRESS_WIDTH,
	CURRENT_CLOCK_SPEED,
	MAX_CLOCK_SPEED,
	SOCKET_DESIGNATION,
	AVAILABILITY,
	LOAD_PERCENTAGE,
	NUMBER_OF_EFFICIENCY_CORES,
	NUMBER_OF_PERFORMANCE_CORES,
};

static const struct mw_sql_column columns[] = {
	[DEVICE_ID] = {"device_id", MW_SQL_TEXT, 0, "CPU and the number of the socket"},
	[MODEL] = {"model", MW_SQL_TEXT, 0, "Name of the processor"},
	[MANUFACTURER] = {"manufacturer", MW_SQL_TEXT, 0, "Who made it, as it says itself"},
	[PROCESSOR_TYPE] = {"processor_type", MW_SQL_TEXT, 0, "Always Central"},
	[CPU_STATUS] = {"cpu_status", MW_SQL_INTEGER, 0, "Always 1: in use"},
	[NUMBER_OF_CORES] = {"number_of_cores", MW_SQL_TEXT, 0, "Cores of the socket"},
	[LOGICAL_PROCESSORS] = {"logical_processors", MW_SQL_INTEGER, 0, "Processors of the socket the kernel sees"},
	[ADDRESS_WIDTH] = {"address_width", MW_SQL_TEXT, 0, "Bits of an address"},
	[CURRENT_CLOCK_SPEED] = {"current_clock_speed", MW_SQL_INTEGER, 0, "MHz now; 0 when it is not said"},
	[MAX_CLOCK_SPEED] = {"max_clock_speed", MW_SQL_INTEGER, 0, "MHz at most, as far as known"},
	[SOCKET_DESIGNATION] = {"socket_designation", MW_SQL_TEXT, 0, "Number of the socket"},
	[AVAILABILITY] = {"availability", MW_SQL_TEXT, MW_SQL_FOREIGN, "Windows only"},
	[LOAD_PERCENTAGE] = {"load_percentage", MW_SQL_INTEGER, MW_SQL_FOREIGN, "Windows only"},
	[NUMBER_OF_EFFICIENCY_CORES] = {"number_of_efficiency_cores", MW_SQL_INTEGER, MW_SQL_FOREIGN, "macOS only"},
	[NUMBER_OF_PERFORMANCE_CORES] = {"number_of_performance_cores", MW_SQL_INTEGER, MW_SQL_FOREIGN, "macOS only"},
	{0},
};

enum {
	SOCKETS = 64
};

struct sockets {
	struct mw_rows *rows;
	int max_mhz; /* 0 when not known */
	unsigned count;
	int seen[SOCKETS];
};

static int add_cpu(void *data, const struct mw_cpu *cpu)
{
	struct sockets *sockets = data;
	struct mw_rows *rows = sockets->rows;
	char text[24];
	int socket = cpu->socket < 0 ? 0 : cpu->socket;
	for (unsigned i = 0; i < sockets->count; i++)
		if (sockets->seen[i] == socket)
			return 0;
	if (sockets->count == SOCKETS)
		return 0;
	sockets->seen[sockets->count++] = socket;
	int r = mw_rows_add(rows);
	if (r < 0)
		return r;
	(void)snprintf(text, sizeof(text), "CPU%d", socket);
	mw_rows_string(rows, DEVICE_ID, text);
	mw_rows_string(rows, SOCKET_DESIGNATION, text + 3);
	mw_rows_string(rows, MODEL, cpu->model_name);
	mw_rows_string(rows, MANUFACTURER, cpu->vendor);
	mw_rows_string(rows, PROCESSOR_TYPE, "Central");
	mw_rows_int(rows, CPU_STATUS, 1);
	(void)snprintf(text, sizeof(text), "%d", cpu->core_count);
	mw_rows_string(rows, NUMBER_OF_CORES, text);
	mw_rows_int(rows, LOGICAL_PROCESSORS, cpu->siblings);
	(void)snprintf(text, sizeof(text), "%zu", sizeof(void *) * 8);
	mw_rows_string(rows, ADDRESS_WIDTH, text);
	int now_mhz = cpu->mhz < 0 ? 0 : cpu->mhz;
	mw_rows_int(rows, CURRENT_CLOCK_SPEED, now_mhz);
	mw_rows_int(rows, MAX_CLOCK_SPEED, sockets->max_mhz > now_mhz ? sockets->max_mhz : now_mhz);
	return 0;
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	struct sockets sockets = {.rows = rows};
	struct mw_sql_place place;
	(void)err;
	int r = mw_sql_place_init(&place, scan, MW_SQL_NO_COLUMN);
	if (r < 0)
		return r;
	MW_AUTO(mw_sql_lines) lines;
	(void)mw_sql_lines_init(&lines, &place, "/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq");
	const char *khz = mw_sql_next_line(&lines);
	sockets.max_mhz = khz ? (int)(strtol(khz, NULL, 10) / 1000) : 0;
	r = mw_cpuinfo(scan->world->procfd, add_cpu, &sockets);
	return r == -ENOENT ? 0 : r;
}

const struct mw_sql_table mw_table_cpu_info = {
	.name = "cpu_info",
	.doc = "Processors of the machine, a row for each socket.",
	.source = "/proc/cpuinfo, /sys/devices/system/cpu",
	.example = "SELECT model, number_of_cores, logical_processors FROM cpu_info",
	.columns = columns,
	.fill = fill,
};

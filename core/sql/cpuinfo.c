#include "sql/cpuinfo.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "sql/place.h"

static const struct {
	const char *key;
	size_t offset;
	bool is_text;
} fields[] = {
	{"model name", offsetof(struct mw_cpu, model_name), true},
	{"vendor_id", offsetof(struct mw_cpu, vendor), true},
	{"CPU implementer", offsetof(struct mw_cpu, vendor), true}, /* ARM */
	{"microcode", offsetof(struct mw_cpu, microcode), true},
	{"model", offsetof(struct mw_cpu, model), false},
	{"cpu MHz", offsetof(struct mw_cpu, mhz), false},
	{"physical id", offsetof(struct mw_cpu, socket), false},
	{"core id", offsetof(struct mw_cpu, core), false},
	{"siblings", offsetof(struct mw_cpu, siblings), false},
	{"cpu cores", offsetof(struct mw_cpu, core_count), false},
};

static void take(struct mw_cpu *cpu, const char *key, const char *value)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		void *to = (char *)cpu + fields[i].offset;
		if (strcmp(fields[i].key, key) != 0)
			continue;
		if (fields[i].is_text)
			(void)snprintf(to, MW_CPU_TEXT_BYTES, "%s", value);
		else
			*(int *)to = (int)strtol(value, NULL, 10);
		return;
	}
}

int mw_cpuinfo(int procfd, mw_cpu_each *each, void *data)
{
	static const struct mw_cpu none = {
		.model = -1, .mhz = -1, .socket = -1, .core = -1, .siblings = -1, .core_count = -1};
	MW_AUTO(mw_sql_lines) lines;
	struct mw_cpu cpu = none;
	bool is_begun = false;
	int r = mw_sql_lines_at(&lines, procfd, "cpuinfo") ? 0 : -ENOENT;
	for (char *line; r == 0 && (line = mw_sql_next_line(&lines));) {
		char *key;
		char *value;
		if (!mw_sql_cut(line, ':', &key, &value))
			continue;
		/* Each begins with its number; what follows the last, on ARM, is about all. */
		if (strcmp(key, "processor") == 0) {
			r = is_begun ? each(data, &cpu) : 0;
			cpu = none;
			is_begun = true;
		}
		take(&cpu, key, value);
	}
	return r == 0 && is_begun ? each(data, &cpu) : r;
}

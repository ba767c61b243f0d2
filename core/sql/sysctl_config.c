#include "sql/sysctl_config.h"

#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "sql/place.h"

enum {
	CONFIG_BYTES = 256 << 10,
};

/* "name = value"; a `-` before the name lets failures pass. */
static void read_config(struct mw_sysctl_config *config, const struct mw_sql_place *place, const char *path)
{
	MW_AUTO(mw_sql_lines) lines;
	(void)mw_sql_lines_init(&lines, place, path);
	for (char *line; (line = mw_sql_next_line(&lines));) {
		char *key;
		char *value;
		line = mw_sql_strip(line);
		if (*line == '#' || *line == ';' || !mw_sql_cut(line + (*line == '-'), '=', &key, &value))
			continue;
		/* With slashes as separators, dots and slashes have changed places: sysctl(8). */
		bool has_slashes = key[strcspn(key, "./")] == '/';
		for (char *at = key; has_slashes && *at; at++)
			*at = *at == '/' ? '.' : *at == '.' ? '/' : *at;
		size_t key_bytes = strlen(key) + 1;
		size_t value_bytes = strlen(value) + 1;
		if (config->text.size + key_bytes + value_bytes > config->text.max)
			return;
		mw_buf_add(&config->text, key, key_bytes);
		mw_buf_add(&config->text, value, value_bytes);
	}
}

void mw_sysctl_config_read(struct mw_sysctl_config *config, const struct mw_sql_place *place)
{
	/* The least important first. */
	static const char *const folders[] = {"/usr/lib/sysctl.d", "/usr/local/lib/sysctl.d", "/etc/sysctl.d",
					      "/run/sysctl.d"};
	*config = (struct mw_sysctl_config){.text = MW_BUF(CONFIG_BYTES)};
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		MW_AUTO(mw_sql_names) names;
		(void)mw_sql_names_init(&names, place, folders[i]);
		for (size_t k = 0; k < names.count; k++) {
			char path[MW_PATH_BYTES];
			const char *dot = strrchr(names.name[k], '.');
			if (dot && strcmp(dot, ".conf") == 0 && mw_sql_join(path, folders[i], names.name[k]))
				read_config(config, place, path);
		}
	}
	read_config(config, place, "/etc/sysctl.conf");
}

void mw_sysctl_config_release(struct mw_sysctl_config *config)
{
	mw_buf_release(&config->text);
}

const char *mw_sysctl_config_value(const struct mw_sysctl_config *config, const char *name)
{
	const char *found = NULL;
	const char *end = config->text.data + config->text.size;
	for (const char *at = config->text.data; at < end;) {
		const char *value = at + strlen(at) + 1;
		if (strcmp(at, name) == 0)
			found = value;
		at = value + strlen(value) + 1;
	}
	return found;
}

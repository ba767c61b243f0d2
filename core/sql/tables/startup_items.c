#include <string.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "proc/users.h"
#include "sql/place.h"
#include "sql/systemd_files.h"
#include "sql/table.h"

enum {
	NAME,
	PATH,
	ARGS,
	TYPE,
	SOURCE,
	STATUS,
	USERNAME,
};

static const struct mw_sql_column columns[] = {
	[NAME] = {"name", MW_SQL_TEXT, 0, "Name of the item"},
	[PATH] = {"path", MW_SQL_TEXT, 0, "What is started; of a unit, its file"},
	[ARGS] = {"args", MW_SQL_TEXT, 0, "Arguments it is given"},
	[TYPE] = {"type", MW_SQL_TEXT, 0, "Startup Item, or systemd unit"},
	[SOURCE] = {"source", MW_SQL_TEXT, 0, "Folder, or file, the item was found in"},
	[STATUS] = {"status", MW_SQL_TEXT, 0, "enabled; of a unit also disabled, static or masked"},
	[USERNAME] = {"username", MW_SQL_TEXT, 0, "User it runs for; empty when that is not said"},
	{0},
};

enum {
	USERS = 4096,
};

static int add_item(struct mw_rows *rows, const char *name, const char *path, const char *args, const char *source,
		    const char *username)
{
	int r = mw_rows_add(rows);
	if (r < 0)
		return r;
	mw_rows_string(rows, NAME, name);
	mw_rows_string(rows, PATH, path);
	mw_rows_string(rows, ARGS, args);
	mw_rows_string(rows, TYPE, "Startup Item");
	mw_rows_string(rows, SOURCE, source);
	mw_rows_string(rows, STATUS, "enabled");
	mw_rows_string(rows, USERNAME, username);
	return 0;
}

/* The desktop entry specification: "Name=", "Exec=program arguments". */
static int add_desktop(const struct mw_sql_place *place, const char *path, const char *name, const char *folder,
		       const char *username, struct mw_rows *rows)
{
	MW_AUTO(mw_sql_lines) lines;
	char *exec = NULL;
	if (!mw_sql_lines_init(&lines, place, path))
		return 0;
	for (char *line; (line = mw_sql_next_line(&lines));) {
		if (strncmp(line, "Name=", 5) == 0)
			name = mw_sql_strip(line + 5);
		else if (strncmp(line, "Exec=", 5) == 0)
			exec = line + 5;
	}
	const char *program = exec ? mw_sql_word(&exec) : NULL;
	return add_item(rows, name, program ? program : "", exec ? mw_sql_strip(exec) : "", folder, username);
}

static int add_folder(const struct mw_sql_place *place, const char *folder, bool is_desktop, const char *username,
		      struct mw_rows *rows)
{
	MW_AUTO(mw_sql_names) names;
	int r = 0;
	(void)mw_sql_names_init(&names, place, folder);
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		char path[MW_PATH_BYTES];
		if (!mw_sql_join(path, folder, names.name[i]))
			continue;
		r = is_desktop ? add_desktop(place, path, names.name[i], folder, username, rows)
			       : add_item(rows, names.name[i], path, "", folder, username);
	}
	return r;
}

static int add_homes(const struct mw_sql_place *place, struct mw_rows *rows)
{
	struct mw_user user;
	int r = 0;
	for (size_t i = 0; r == 0 && i < USERS && mw_users_at(place->users, i, &user); i++) {
		char path[MW_PATH_BYTES];
		if (user.directory[0] == '/' && mw_sql_join(path, user.directory, ".config/autostart"))
			r = add_folder(place, path, true, user.name, rows);
		if (r == 0 && user.directory[0] == '/' &&
		    mw_sql_join(path, user.directory, ".config/autostart-scripts"))
			r = add_folder(place, path, false, user.name, rows);
	}
	return r;
}

static int add_unit(void *data, const struct mw_systemd_file *unit)
{
	struct mw_rows *rows = data;
	int r = mw_rows_add(rows);
	if (r < 0)
		return r;
	mw_rows_string(rows, NAME, unit->name);
	mw_rows_string(rows, PATH, unit->path);
	mw_rows_string(rows, ARGS, unit->args);
	mw_rows_string(rows, TYPE, "systemd unit");
	mw_rows_string(rows, SOURCE, unit->path);
	mw_rows_string(rows, STATUS, unit->status);
	mw_rows_string(rows, USERNAME, unit->user);
	return 0;
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	struct mw_sql_place place;
	(void)err;
	int r = mw_sql_place_init(&place, scan, MW_SQL_NO_COLUMN);
	if (r == 0)
		r = add_homes(&place, rows);
	if (r == 0)
		r = add_folder(&place, "/etc/init.d", false, "", rows);
	if (r == 0)
		r = add_folder(&place, "/etc/xdg/autostart", true, "", rows);
	return r < 0 ? r : mw_systemd_files(&place, add_unit, rows);
}

const struct mw_sql_table mw_table_startup_items = {
	.name = "startup_items",
	.doc = "What would be started at boot or login, by its files; whether it runs is not asked.",
	.source = "/etc/init.d, /etc/xdg/autostart, ~/.config/autostart, units of systemd(1)",
	.example = "SELECT name, path, status FROM startup_items WHERE type = 'systemd unit' AND status = 'enabled'",
	.columns = columns,
	.fill = fill,
};

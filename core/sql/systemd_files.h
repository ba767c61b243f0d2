/* Units of systemd, as far as their files tell: systemd.unit(5). */
#pragma once

struct mw_sql_place;

struct mw_systemd_file {
	const char *name;
	const char *path;
	const char *args;   /* what ExecStart= says */
	const char *user;   /* User= */
	const char *status; /* enabled, disabled, static (nothing says when to start it), masked */
};

/* 0, or -errno to end it. */
typedef int mw_systemd_each(void *data, const struct mw_systemd_file *unit);
int mw_systemd_files(const struct mw_sql_place *place, mw_systemd_each *each, void *data);

/* Files that tables read, as anybody may have written them: the first byte says which, the others are what is in it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "sql/db.h"

static const struct {
	const char *table, *path;
} files[] = {
	{"apt_sources", "etc/apt/sources.list"},
	{"apt_sources", "etc/apt/sources.list.d/x.sources"},
	{"authorized_keys", "root/.ssh/authorized_keys"},
	{"certificates", "etc/ssl/certs/ca-certificates.crt"},
	{"crontab", "etc/crontab"},
	{"crontab", "var/spool/cron/crontabs/root"},
	{"dns_resolvers", "etc/resolv.conf"},
	{"etc_hosts", "etc/hosts"},
	{"etc_protocols", "etc/protocols"},
	{"etc_services", "etc/services"},
	{"groups", "etc/group"},
	{"known_hosts", "root/.ssh/known_hosts"},
	{"last", "var/log/wtmp"},
	{"logged_in_users", "run/utmp"},
	{"os_version", "etc/os-release"},
	{"shadow", "etc/shadow"},
	{"shell_history", "root/.bash_history"},
	{"shell_history", "root/.zsh_history"},
	{"ssh_configs", "root/.ssh/config"},
	{"startup_items", "etc/systemd/system/x.service"},
	{"startup_items", "etc/xdg/autostart/x.desktop"},
	{"sudoers", "etc/sudoers"},
	{"user_ssh_keys", "root/.ssh/id_rsa"},
	{"yum_sources", "etc/yum.repos.d/x.repo"},
};

enum {
	FILES = sizeof(files) / sizeof(files[0]),
};

static char root[256];
static struct mw_sql *sql;

static void write_file(const char *path, const uint8_t *bytes, size_t n)
{
	char whole[512];
	(void)snprintf(whole, sizeof(whole), "%s/%s", root, path);
	int fd = open(whole, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, bytes, n) != (ssize_t)n)
		abort();
	(void)close(fd);
}

static void begin(void)
{
	static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n";
	const char *above = getenv("TMPDIR");
	(void)snprintf(root, sizeof(root), "%.200s/tables-XXXXXX", above ? above : "/tmp");
	if (!mkdtemp(root))
		abort();
	for (size_t i = 0; i < FILES; i++) {
		char folder[512];
		(void)snprintf(folder, sizeof(folder), "%s/%s", root, files[i].path);
		*strrchr(folder, '/') = '\0';
		if (mw_file_make_dirs(folder, 0700) < 0)
			abort();
	}
	write_file("etc/passwd", (const uint8_t *)passwd, sizeof(passwd) - 1);
	const struct mw_sql_options options = {.root = root, .state_dir = root, .time_ms = 5000};
	if (mw_sql_open(&options, &sql, NULL) < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[64];
	char path[512];
	struct mw_sql_query *query = NULL;
	const char *rest;
	if (!sql)
		begin();
	if (!size)
		return 0;
	unsigned which = data[0] % FILES;
	write_file(files[which].path, data + 1, size - 1);
	(void)snprintf(text, sizeof(text), "SELECT * FROM %s", files[which].table);
	if (mw_sql_prepare(sql, text, strlen(text), &query, &rest, NULL) < 0)
		abort();
	size_t seen = 0;
	while (mw_sql_step(query, NULL) > 0)
		for (unsigned i = 0; i < mw_sql_columns(query); i++) {
			size_t n = 0;
			const char *value = mw_sql_value_bytes(query, i, &n);
			seen += value ? strlen(value) : 0;
		}
	mw_sql_finish(query);
	(void)mw_sql_warnings(sql);
	(void)snprintf(path, sizeof(path), "%s/%s", root, files[which].path);
	(void)unlink(path);
	return seen == SIZE_MAX;
}

/* Read by ourselves: res_init(3) keeps its state in the process. */
#include <arpa/inet.h>
#include <resolv.h>
#include <string.h>

#include "base/cleanup.h"
#include "sql/place.h"
#include "sql/table.h"

enum {
	ID,
	TYPE,
	ADDRESS,
	NETMASK,
	OPTIONS,
	PID_WITH_NAMESPACE,
};

static const struct mw_sql_column columns[] = {
	[ID] = {"id", MW_SQL_INTEGER, 0, "Its number among those of its type"},
	[TYPE] = {"type", MW_SQL_TEXT, 0, "nameserver, search or sortlist"},
	[ADDRESS] = {"address", MW_SQL_TEXT, 0, "Address; of search, a domain"},
	[NETMASK] = {"netmask", MW_SQL_TEXT, 0, "Bits of the mask of a sortlist; 32 for a nameserver"},
	[OPTIONS] = {"options", MW_SQL_BIGINT, 0, "RES_… of resolv.h"},
	[PID_WITH_NAMESPACE] = {"pid_with_namespace", MW_SQL_INTEGER, MW_SQL_ADDITIONAL | MW_SQL_HIDDEN,
				"`= PID` looks at the files of that process; else 0"},
	{0},
};

enum {
	DOMAINS = 256, /* glibc has no limit any more */
};

static int add(const struct mw_sql_place *place, struct mw_rows *rows, const char *type, const char *address,
	       const char *mask, int64_t id, int64_t options)
{
	int r = mw_rows_add(rows);
	if (r < 0)
		return r;
	mw_rows_int(rows, ID, id);
	mw_rows_string(rows, TYPE, type);
	mw_rows_string(rows, ADDRESS, address);
	if (mask)
		mw_rows_string(rows, NETMASK, mask);
	mw_rows_int(rows, OPTIONS, options);
	mw_rows_int(rows, PID_WITH_NAMESPACE, place->pid);
	return 0;
}

/* resolv.h of glibc 2.33; others know fewer. */
#ifndef RES_NOTLDQUERY
#define RES_NOTLDQUERY 0x01000000
#endif
#ifndef RES_NORELOAD
#define RES_NORELOAD 0x02000000
#endif
#ifndef RES_TRUSTAD
#define RES_TRUSTAD 0x04000000
#endif

static int64_t option_of(const char *word)
{
	static const struct {
		const char *name;
		int64_t bit;
	} options[] = {
		{"debug", RES_DEBUG},      {"rotate", RES_ROTATE},           {"edns0", RES_USE_EDNS0},
		{"use-vc", RES_USEVC},     {"no-tld-query", RES_NOTLDQUERY}, {"no-reload", RES_NORELOAD},
		{"trust-ad", RES_TRUSTAD}, {"single-request", RES_SNGLKUP},  {"single-request-reopen", RES_SNGLKUPREOP},
	};
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		if (strcmp(options[i].name, word) == 0)
			return options[i].bit;
	return 0;
}

struct found {
	char *servers[MAXNS], *sorts[MAXRESOLVSORT];
	unsigned server_count, sort_count;
	char *search; /* the last one counts, and `domain` is a search of one */
	int64_t options;
};

static void take_line(char *line, struct found *found)
{
	char *rest = line;
	const char *key = mw_sql_word(&rest);
	char *word;
	if (!key || *key == '#' || *key == ';')
		return;
	if (strcmp(key, "nameserver") == 0) {
		if (found->server_count < MAXNS && (word = mw_sql_word(&rest)))
			found->servers[found->server_count++] = word;
	} else if (strcmp(key, "search") == 0 || strcmp(key, "domain") == 0) {
		found->search = rest;
	} else if (strcmp(key, "sortlist") == 0) {
		while (found->sort_count < MAXRESOLVSORT && (word = mw_sql_word(&rest)))
			found->sorts[found->sort_count++] = word;
	} else if (strcmp(key, "options") == 0) {
		while ((word = mw_sql_word(&rest)))
			found->options |= option_of(word);
	}
}

static int add_all(const struct mw_sql_place *place, struct found *found, struct mw_rows *rows)
{
	int r = 0;
	for (unsigned i = 0; r == 0 && i < found->server_count; i++)
		r = add(place, rows, "nameserver", found->servers[i], "32", i, found->options);
	for (unsigned i = 0; r == 0 && i < found->sort_count; i++) {
		char *slash = strchr(found->sorts[i], '/');
		if (slash)
			*slash++ = '\0';
		r = add(place, rows, "sortlist", found->sorts[i], slash, i, found->options);
	}
	const char *word;
	for (unsigned i = 0; r == 0 && i < DOMAINS && found->search && (word = mw_sql_word(&found->search)); i++)
		r = add(place, rows, "search", word, NULL, i, found->options);
	return r;
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	struct found found = {.options = RES_DEFAULT};
	struct mw_sql_place place;
	MW_AUTO(mw_sql_lines) lines;
	(void)err;
	int r = mw_sql_place_init(&place, scan, PID_WITH_NAMESPACE);
	(void)mw_sql_lines_init(&lines, &place, "/etc/resolv.conf");
	for (char *line; r == 0 && (line = mw_sql_next_line(&lines));)
		take_line(line, &found);
	if (r == 0)
		r = add_all(&place, &found, rows);
	mw_sql_place_release(&place);
	return r;
}

const struct mw_sql_table mw_table_dns_resolvers = {
	.name = "dns_resolvers",
	.doc = "Name servers the container asks, and how.",
	.source = "/etc/resolv.conf",
	.example = "SELECT address FROM dns_resolvers WHERE type = 'nameserver'",
	.columns = columns,
	.fill = fill,
};

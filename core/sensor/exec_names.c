#include "sensor/exec_names.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	/* Interpreters that are scripts again, each with an option: BINPRM_MAX_RECURSION of linux/binfmts.h. */
	SCRIPT_ARGUMENTS = 2 * 5,
};

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static bool starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* The argument after *at, which is moved there; NULL at the end. */
static const char *next_argument(const char **at, const char *end)
{
	const char *nul = *at < end ? memchr(*at, '\0', (size_t)(end - *at)) : NULL;
	if (!nul || nul + 1 >= end || !memchr(nul + 1, '\0', (size_t)(end - nul - 1)))
		return NULL; /* nor one that was cut */
	*at = nul + 1;
	return *at;
}

const char *mw_exec_script(const char *exe, const char *execfn, const char *argv, size_t argv_bytes, bool *ret_is_sure)
{
	if (!exe || !execfn || !*execfn || strcmp(exe, execfn) == 0)
		return NULL;
	const char *at = argv;
	for (unsigned i = 0; i < SCRIPT_ARGUMENTS; i++) {
		const char *argument = next_argument(&at, argv + argv_bytes);
		if (!argument)
			return NULL;
		if (strcmp(argument, execfn) != 0)
			continue;
		/* The kernel gives the interpreter's path as argv[0], which a shell that starts a program does not. */
		const char *exe_base = base_of(exe);
		const char *given = base_of(execfn);
		size_t n = strlen(given);
		*ret_is_sure = !(n && strncmp(exe_base, given, n) == 0) && argv[0] == '/';
		return argument;
	}
	return NULL;
}

/* "ld-linux-x86-64.so.2", "ld-2.31.so", "ld-musl-aarch64.so.1", "ld.so", "ld64.so.2" */
static bool is_loader(const char *path)
{
	const char *name = base_of(path);
	return starts(name, "ld") && (name[2] == '-' || name[2] == '.' || starts(name + 2, "64.")) &&
	       strstr(name, ".so");
}

const char *mw_exec_loaded(const char *exe, const char *execfn, const char *argv, size_t argv_bytes)
{
	/* Of musl the loader may be a link to the library. */
	if (!exe || !(is_loader(exe) || (execfn && is_loader(execfn) && starts(base_of(exe), "libc"))))
		return NULL;
	/* Options of glibc's and musl's with a value in the next argument. */
	static const char *const with_value[] = {
		"--library-path",         "--preload",          "--audit", "--argv0", "--inhibit-rpath",
		"--glibc-hwcaps-prepend", "--glibc-hwcaps-mask"};
	const char *at = argv;
	for (const char *argument; (argument = next_argument(&at, argv + argv_bytes));) {
		if (argument[0] != '-' || argument[1] != '-')
			return argument;
		if (!argument[2])
			return next_argument(&at, argv + argv_bytes);
		for (size_t i = 0; i < sizeof(with_value) / sizeof(with_value[0]); i++)
			if (strcmp(argument, with_value[i]) == 0) {
				(void)next_argument(&at, argv + argv_bytes);
				break;
			}
	}
	return NULL;
}

char *mw_exec_absolute(const char *path, const char *cwd)
{
	if (path[0] == '/' || !cwd || cwd[0] != '/')
		return strdup(path);
	while (path[0] == '.' && path[1] == '/')
		path += 2 + strspn(path + 2, "/");
	char *absolute;
	return asprintf(&absolute, "%s/%s", cwd[1] ? cwd : "", path) < 0 ? NULL : absolute;
}

int mw_exec_descriptor(const char *path)
{
	if (!path)
		return -1;
	if (starts(path, "/dev/fd/")) {
		path += strlen("/dev/fd/");
	} else if (starts(path, "/proc/")) {
		path += strlen("/proc/");
		path += starts(path, "self/") ? strlen("self") : strspn(path, "0123456789");
		if (!starts(path, "/fd/"))
			return -1;
		path += strlen("/fd/");
	} else {
		return -1;
	}
	size_t digits = strspn(path, "0123456789");
	return digits && digits < 10 && (!path[digits] || path[digits] == '/') ? (int)strtol(path, NULL, 10) : -1;
}

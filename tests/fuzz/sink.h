/* A sink of packages that reads what it is given, so that a sanitizer sees texts that are none. */
#pragma once

#include <string.h>

#include "pkg/pkg.h"

static size_t fuzz_seen;

static void fuzz_text(const char *text)
{
	if (text)
		fuzz_seen += strlen(text);
}

static int fuzz_emit(void *data, const struct mw_package *package)
{
	(void)data;
	const char *const texts[] = {
		package->name,     package->version,   package->release,    package->arch,     package->source,
		package->vendor,   package->author,    package->maintainer, package->license,  package->homepage,
		package->summary,  package->group,     package->priority,   package->status,   package->hash,
		package->path,     package->directory, package->scope,      package->replaces, package->compiler,
		package->settings,
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		fuzz_text(texts[i]);
	return 0;
}

static void fuzz_warn(void *data, const char *line)
{
	(void)data;
	fuzz_text(line);
}

static const struct mw_package_sink fuzz_sink = {.emit = fuzz_emit, .warn = fuzz_warn, .deadline_ns = INT64_MAX};

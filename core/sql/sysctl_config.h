/* What sysctl.conf(5) and its folders ask for. */
#pragma once

#include <stddef.h>

#include "base/buf.h"

struct mw_sql_place;

struct mw_sysctl_config {
	struct mw_buf text; /* "name\0value\0", the later one counting */
};

void mw_sysctl_config_read(struct mw_sysctl_config *config, const struct mw_sql_place *place);
void mw_sysctl_config_release(struct mw_sysctl_config *config);
/* NULL when nothing is asked for. */
const char *mw_sysctl_config_value(const struct mw_sysctl_config *config, const char *name);

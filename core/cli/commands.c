/* The subcommands, in the order --help shows them. */
#include "cli/command.h"

#include <stddef.h>

extern const struct mw_command mw_command_run;
extern const struct mw_command mw_command_sql;
extern const struct mw_command mw_command_sbom;
extern const struct mw_command mw_command_rules;
extern const struct mw_command mw_command_bundle;
extern const struct mw_command mw_command_record;
extern const struct mw_command mw_command_config;
extern const struct mw_command mw_command_status;
extern const struct mw_command mw_command_drain;
extern const struct mw_command mw_command_doctor;
extern const struct mw_command mw_command_patch;
extern const struct mw_command mw_command_install;
extern const struct mw_command mw_command_loadgen;
extern const struct mw_command mw_command_lua;
extern const struct mw_command mw_command_version;

const struct mw_command *const mw_commands[] = {
	&mw_command_run,     &mw_command_sql,    &mw_command_sbom,    &mw_command_rules,
	&mw_command_bundle,  &mw_command_record, &mw_command_config,  &mw_command_status,
	&mw_command_drain,   &mw_command_doctor, &mw_command_patch,   &mw_command_install,
	&mw_command_loadgen, &mw_command_lua,    &mw_command_version, NULL,
};

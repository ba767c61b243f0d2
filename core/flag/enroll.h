/* The secret to enrol with: where it is read from, and taking it away from the application. */
#pragma once

#include "flag/flag.h"

struct mw_secret;

struct mw_enroll {
	/* arn:…, ssm:…, secretsmanager:…, file:…, env:NAME; "" when none is configured. */
	char reference[MW_FLAG_TEXT_BYTES + sizeof("file:")];
	/* env: the value of the variable; NULL when it is not set. */
	struct mw_secret *secret;
};

/* --enroll_secret, else osquery's --enroll_secret_path and --enroll_secret_env, else UPTYCS_SECRET, whose value is the secret or
 * its ARN.  What holds the secret is taken out of `environment` and overwritten where it stood: neither the application gets it,
 * nor does /proc/PID/environ of any of our processes have it.  -ENOMEM. */
int mw_enroll_take(const struct mw_flags *flags, char **environment, struct mw_enroll *ret_enroll, struct mw_err *err);

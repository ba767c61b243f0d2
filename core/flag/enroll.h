/* The secret to enrol with: where it is read from, and taking it away from the application. */
#pragma once

#include "flag/flag.h"

struct mw_secret;

enum {
	/* Variables that options of --outputs name, and --backend_output_secrets. */
	MW_TAKEN = 16,
	MW_TAKEN_NAME_BYTES = 128,
};

struct mw_taken {
	char name[MW_TAKEN_NAME_BYTES];
	struct mw_secret *secret;
};

struct mw_enroll {
	/* arn:…, ssm:…, secretsmanager:…, file:…, env:NAME; "" when none is configured. */
	char reference[MW_FLAG_TEXT_BYTES + sizeof("file:")];
	/* env: the value of the variable; NULL when it is not set. */
	struct mw_secret *secret;
	/* Those that these flags name by env:NAME, as far as they were set. */
	struct mw_taken taken[MW_TAKEN];
	unsigned taken_count;
};

/* --enroll_secret, else osquery's --enroll_secret_path and --enroll_secret_env, else UPTYCS_SECRET, whose value is the secret or
 * its ARN.  What holds the secret is taken out of `environment` and overwritten where it stood: neither the application gets it,
 * nor does /proc/PID/environ of any of our processes have it; likewise the variables that outputs may name.  -ENOMEM. */
int mw_enroll_take(const struct mw_flags *flags, char **environment, struct mw_enroll *ret_enroll, struct mw_err *err);
void mw_enroll_release(struct mw_enroll *enroll);

#include "script/config.h"

#include <errno.h>

#include "base/err.h"
#include "event/attention.h"
#include "flag/flag.h"
#include "script/profile.h"

static int load(struct mw_flags *flags, const char *tree, int argc, char *const *argv, char *const *environment,
		struct mw_attention *attention, struct mw_file_paths *files, int *ret_rest, struct mw_err *ret_warning,
		struct mw_err *err)
{
	int r = mw_flags_parse_arguments(flags, argc, argv, ret_rest, err);
	if (r < 0)
		return r == -ENOMEM ? r : -EINVAL;

	r = mw_flags_parse_environment(flags, environment, ret_warning, err);
	const char *file = mw_flag_text(flags, MW_FLAG_FLAGFILE);
	if (r == 0 && *file)
		r = mw_flags_parse_file(flags, file, err);
	if (r == 0)
		r = mw_profile_apply(tree, mw_flag_text(flags, MW_FLAG_PROFILE), flags, attention, files, err);
	return r < 0 && r != -ENOMEM ? -EBADMSG : r;
}

int mw_config_load(const char *tree, int argc, char *const *argv, char *const *environment, struct mw_flags **ret,
		   struct mw_attention *ret_attention, struct mw_file_paths *ret_files, int *ret_rest,
		   struct mw_err *err)
{
	struct mw_flags *flags = mw_flags_new();
	if (!flags)
		return mw_err_set(err, -ENOMEM, "out of memory");
	struct mw_err warning = {""};
	int rest = 0;
	mw_attention_init(ret_attention);
	int r = load(flags, tree, argc, argv, environment, ret_attention, ret_files, &rest, &warning, err);
	if (r < 0) {
		mw_flags_free(flags);
		return r;
	}
	ret_attention->startup_ms = (uint32_t)mw_flag_int(flags, MW_FLAG_ATTENTION_STARTUP_MS);
	ret_attention->stops_per_s = (uint32_t)mw_flag_int(flags, MW_FLAG_ATTENTION_STOPS_PER_S);
	ret_attention->cpu_percent = (uint32_t)mw_flag_int(flags, MW_FLAG_ATTENTION_CPU_PERCENT);
	*ret = flags;
	*ret_rest = rest;
	if (err)
		*err = warning;
	return 0;
}

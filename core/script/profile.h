/* Profiles: named sets of flag values and a policy of attention, policies/NAME.lua or any Lua file that returns
 *
 *	return {
 *	  extends = "default",
 *	  flags = { spool_limit_mib = 64, audit_allow_process_events = true },
 *	  attention = { extends = true, { names = "backup", level = "events" } },
 *	  file_paths = { keys = { "/srv/keys/%%" } },
 *	}
 *
 * Values only: it sees no modules.  What it doesn't name comes from the profile it extends, if it names one.  Its
 * attention (lua/meta/moonwatch.profile.lua) takes the place of the extended profile's, or with `extends = true` stands
 * before it; file_paths and its relatives are laid over it, category by category (flag/file_paths.h). */
#pragma once

struct mw_attention;
struct mw_err;
struct mw_file_paths;
struct mw_flags;

enum {
	/* Profiles of one chain of `extends`, the first included. */
	MW_PROFILE_DEPTH = 8,
};

/* Set what the profile says, as MW_FROM_PROFILE, with the file that says it as origin, compile its attention into
 * *attention (which mw_attention_init() has made), and lay its files over *files.  `name_or_path` is a name in
 * <tree>/policies, or an absolute path (as is `extends`).
 * -ENOENT: no such profile.  -EINVAL: not a profile (syntax, unknown key, unknown flag, ill-typed or refused value, policy
 * past a limit, circle of `extends`, budget).  -EPERM: not trusted.  Others: cannot be read.  err names file and reason;
 * the values of profiles and keys read before the mistake have been set. */
int mw_profile_apply(const char *tree, const char *name_or_path, struct mw_flags *flags, struct mw_attention *attention,
		     struct mw_file_paths *files, struct mw_err *err);

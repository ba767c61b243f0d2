---@meta moonwatch.profile

--- What a profile (policies/NAME.lua, or --profile=PATH) returns.
---@class moonwatch.Profile
---@field extends string?  name of another profile, or an absolute path; what this one does not name comes from there
---@field flags table<string, boolean|integer|string>?  see `moonwatch config --help`
---@field attention moonwatch.Attention?
---@field rules table?  changes to rules: disable, enable, override, exceptions (docs/howto/rules.md)
---@field file_paths table<string, string[]>?  category -> patterns of files to be watched: % is any part of one name, %% at
---  the end everything below.  Laid over those of the profile it extends: a category that is named is replaced, with {} removed
---@field file_paths_query table<string, string[]>?  category -> SQL with a column `path`, of patterns; asked at the start
---@field exclude_paths table<string, string[]>?  category -> patterns of what is not watched; the names are for replacing them
---@field file_accesses string[]?  categories told of opening and reading, too; in addition to those of the extended profile

--- Who is watched how closely; policies/default.lua explains it.  At most 64 entries with those of the profile it
--- extends, 512 different names and arguments, 64 paths and prefixes, 32 marks.
---@class moonwatch.Attention
---@field default moonwatch.Level?  for whom no entry speaks of: "events", or with `extends` that of the other profile
---@field extends boolean?  the entries of the profile it extends follow; otherwise these take their place
---@field [integer] moonwatch.attention.Entry

--- How closely a process is watched: not at all; exec, fork and exit; system calls, too.
---@alias moonwatch.Level "off"|"events"|"calls"

---@alias moonwatch.attention.Fact
---| "dropped"   # the executable was made after the container's start
---| "fileless"  # it has no name (any more)
---| "late"      # came from outside: an exec session, a health check
---| "repeated"  # late, and not for the first or second time with these arguments
---| "startup"   # the container started less than attention_startup_ms ago
---| "secure"    # gained privilege
---| "tty"       # has a terminal
---| "root"      # is the application's first process

--- Conditions, all of which must hold, and what follows; `mark` or `level` must be given.
---@class moonwatch.attention.Entry
---@field names (string|string[])?      base name of executable or argv[0], or comm; without a version at its end
---@field programs (string|string[])?   base name of the executable alone
---@field paths (string|string[])?      beginnings of the executable's path
---@field options (string|string[])?    arguments before the first without '-'; a * at the end stands for any rest
---@field arguments (string|string[])?  any arguments; likewise
---@field is (moonwatch.attention.Fact|moonwatch.attention.Fact[])?      all of these
---@field unless (moonwatch.attention.Fact|moonwatch.attention.Fact[])?  none of these
---@field marked (string|string[])?     had one of these marks before this exec
---@field mark (string|string[])?       gets these marks, and its descendants with it
---@field level moonwatch.Level?        decides, when no entry above has

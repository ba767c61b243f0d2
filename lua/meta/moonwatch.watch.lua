---@meta moonwatch.watch

--- Which files are watched.  For the sensor's agent alone.
local watch = {}

---@class moonwatch.watch.Files
---@field file_paths table<string, string[]>?  category -> patterns: % is any part of one name, %% at the end all below
---@field file_paths_query table<string, string[]>?  category -> SQL with a column `path`, asked once when it is applied
---@field exclude_paths table<string, string[]>?  category -> patterns
---@field file_accesses string[]?  categories told of opening and reading, too

--- Watch what `source` says, in place of what it said before.  What both name is watched without a gap.
---@param source "config"|"backend"
---@param files moonwatch.watch.Files
---@return boolean? ok
---@return string? message
---@return string? code
---@return integer? errno
function watch.configure(source, files) end

return watch

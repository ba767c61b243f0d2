---@meta moonwatch.files

--- Files that a configuration names.
local files = {}

--- Up to 4 MiB, of a file that nobody may write to whom this process does not trust.
---@param path string  absolute
---@return string? text
---@return string? message
---@return string? code
function files.read(path) end

return files

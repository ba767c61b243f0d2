---@meta moonwatch.whole_file

--- Files that commands write.
local whole_file = {}

--- Write beside it and rename: whoever reads sees the old file or the new one.  What is there keeps its mode, owner and group, or
--- is not replaced; a link stays, and what it leads to is replaced.
---@param path string
---@param text string
---@return boolean? ok
---@return string? message  then what was there is there still
---@return string? code
function whole_file.write(path, text) end

return whole_file

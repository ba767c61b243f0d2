--- A file to append to, made with mode 0600.

local writer = require "moonwatch.writer"

local M = { wants_target = true }

---@param path string
---@return moonwatch.Writer?
---@return string? message
---@return string? code
---@return integer? errno
function M.open(path)
  return writer.file(path)
end

return M

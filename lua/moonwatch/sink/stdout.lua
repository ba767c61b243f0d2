--- Standard output, shared with the application: its flags are left alone.

local writer = require "moonwatch.writer"

local M = { wants_target = false }

---@return moonwatch.Writer?
---@return string? message
---@return string? code
---@return integer? errno
function M.open()
  return writer.stdout()
end

return M

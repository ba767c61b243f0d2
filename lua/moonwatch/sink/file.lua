--- A file to append to, made with mode 0600.  With `size` it is rotated: what is full becomes PATH.1, and so on.

local writer = require "moonwatch.writer"

local M = {
  wants_target = true,
  options = {
    size = { kind = "size", min = 4096, max = 1 << 40 },
    count = { kind = "integer", min = 1, max = 1000 },
  },
}

local COUNT = 5

---@param part moonwatch.output.Part
---@return true?
---@return string? message
function M.check(part)
  if part.options.count and not part.options.size then
    return nil, "the option count goes with size"
  end
  return true
end

---@param path string
---@param options table<string, any>
---@return moonwatch.Writer?
---@return string? message
---@return string? code
---@return integer? errno
function M.open(path, options)
  return writer.file(path, options.size, options.count or COUNT)
end

return M

--- Small files of /proc and /sys.

local M = {}

local MAX_BYTES <const> = 1 << 20

---@param path string
---@return string? text  without the last line's end
function M.read(path)
  local file <close> = io.open(path, "r")
  local text = file and file:read(MAX_BYTES)
  return text and (text:gsub("\n$", ""))
end

---@param path string
---@return integer?
function M.number(path)
  return math.tointeger(tonumber(M.read(path) or ""))
end

--- A line "Name:\tvalue" of /proc/self/status.
---@param name string
---@return string?
function M.status(name)
  return ((M.read "/proc/self/status" or "") .. "\n"):match("\n" .. name .. ":%s*([^\n]*)\n")
end

return M

--- Predicates for rules.  Absent fields are nil, and nil matches nothing.  Time is bounded by the lengths of event fields,
--- which the sensor bounds; nothing here takes a Lua pattern.
local text = require "moonwatch.text"

---@class moonwatch.match
local M = {}

--- Does a text begin with, end with, contain `part`; does it fit a glob (`*`, `?`)?
M.starts, M.ends, M.contains, M.glob, M.base = text.starts, text.ends, text.contains, text.glob, text.base

--- Is `path` inside `dir`?  Whole names count: "/etcetera" is not inside "/etc".
---@param path string?  absolute
---@param dir string  absolute, without a final slash
---@return boolean
function M.inside(path, dir)
  return text.starts(path, dir .. "/")
end

--- Does `value` contain any of these?
---@param value string?
---@param parts string[]
---@return boolean
function M.contains_any(value, parts)
  if value then
    for _, part in ipairs(parts) do
      if text.contains(value, part) then
        return true
      end
    end
  end
  return false
end

--- Is one of the arguments after argv[0] exactly one of these?
---@param process moonwatch.Process
---@param ... string
---@return boolean
function M.has_arg(process, ...)
  for i, argument in ipairs(process.argv or {}) do
    for n = 1, i > 1 and select("#", ...) or 0 do
      if argument == select(n, ...) then
        return true
      end
    end
  end
  return false
end

--- Is the process's name in the set, version numbers of interpreters left out ("python3.11" is "python3")?
---@param process moonwatch.Process?
---@param set table<string, true>
---@return boolean
function M.named(process, set)
  local name = process and process.name
  if not name then
    return false
  end
  if set[name] then
    return true
  end
  for i = 1, #name do
    if name:sub(i, i) == "." then
      return set[name:sub(1, i - 1)] or false
    end
  end
  return false
end

--- The nearest ancestor whose name is in the set, at most `depth` up (1 is the parent); nil when there is none.
---@param process moonwatch.Process
---@param set table<string, true>
---@param depth? integer  3 when left out
---@return moonwatch.Process?
function M.ancestor(process, set, depth)
  local ancestor = process.parent
  for _ = 1, depth or 3 do
    if not ancestor then
      return nil
    end
    if M.named(ancestor, set) then
      return ancestor
    end
    ancestor = ancestor.parent
  end
  return nil
end

return M

--- What is wrong with a rule: a code, a sentence, and where in its file.

local text = require "moonwatch.text"

---@class moonwatch.rule.problem
local M = {}

--- Raised by the checks, caught by moonwatch.rule.
---@param code string  R101…, see docs/howto/rules.md
---@param reason string
---@param key string?  of the rule file, for the line
---@param nth integer?  which assignment of that key
function M.refuse(code, reason, key, nth)
  error({ code = code, reason = reason, key = key, nth = nth }, 0)
end

function M.did_you_mean(word, names)
  local near = text.nearest(tostring(word), names)
  return near and ("; did you mean '%s'?"):format(near) or ""
end

--- Anybody's value, in a sentence.
function M.shown(value)
  return text.printable(tostring(value), 60)
end

return M

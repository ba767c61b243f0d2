--- Conditions of rules of others, between reading and writing.
---
--- A condition is one of
---   { op = "and" | "or", ... conditions }
---   { op = "not", condition }
---   { op = "test", field = path, how = "is" | "starts" | "ends" | "contains" | "glob" | "regex" | "in_network" | "exists" |
---     "lt" | "le" | "gt" | "ge", values = {...}, fold = true where case does not count }
---   { op = "always" }, { op = "never" }
---   { op = "unknown", why = "…" }  what cannot be said
---
--- resolve() gets rid of "unknown": in a place where leaving it out makes the rule match less (an alternative of an `or`; under a
--- `not`, a member of an `and`) it goes and is noted; elsewhere nothing is left to say.

local M = {}

local function fold(op, list)
  local always, never = op == "and" and "always" or "never", op == "and" and "never" or "always"
  local kept = { op = op }
  for _, one in ipairs(list) do
    if one.op == never then
      return { op = never }
    elseif one.op == op then
      table.move(one, 1, #one, #kept + 1, kept)
    elseif one.op ~= always then
      kept[#kept + 1] = one
    end
  end
  if #kept == 0 then
    return { op = always }
  end
  return #kept == 1 and kept[1] or kept
end

function M.all(list)
  return fold("and", list)
end

function M.any(list)
  return fold("or", list)
end

function M.no(one)
  if one.op == "not" then
    return one[1]
  elseif one.op == "always" then
    return { op = "never" }
  elseif one.op == "never" then
    return { op = "always" }
  end
  return { op = "not", one }
end

function M.test(field, how, values, options)
  return { op = "test", field = field, how = how, values = values, fold = options and options.fold }
end

function M.unknown(why)
  return { op = "unknown", why = why }
end

--- `is_loose`: here, what is left out makes the whole match more.
local function resolve(one, notes, is_negated)
  if one.op == "unknown" then
    notes[#notes + 1] = one.why
    -- Never true where it stands, never false under a `not`: the rule matches less.
    return { op = is_negated and "always" or "never" }
  elseif one.op == "not" then
    return M.no(resolve(one[1], notes, not is_negated))
  elseif one.op == "and" or one.op == "or" then
    local list = {}
    for i, part in ipairs(one) do
      list[i] = resolve(part, notes, is_negated)
    end
    return fold(one.op, list)
  end
  return one
end

--- The condition without what cannot be said; what was left out is appended to `notes`.
function M.resolve(condition, notes)
  local found = {}
  local resolved = resolve(condition, found, false)
  local seen = {}
  for _, note in ipairs(found) do
    if not seen[note] then
      seen[note] = true
      notes[#notes + 1] = note
    end
  end
  return resolved
end

return M

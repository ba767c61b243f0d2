--- Events for examples: one that fits a condition, one that does not.

local text = require "moonwatch.text"

local M = {}

local MAX_STEPS = 20000

local function get(event, path)
  local value = event
  for name in path:gmatch "[^.]+" do
    if type(value) ~= "table" then
      return nil
    end
    value = value[name]
  end
  return value
end

--- Names of all ancestors.
local function ancestors(event)
  local found, process = {}, event.process
  while process and process.parent do
    process = process.parent
    found[#found + 1] = process.name
  end
  return found
end

local COMPARE = {
  is = function(value, wanted) return value == wanted end,
  starts = function(value, wanted) return text.starts(value, wanted) end,
  ends = function(value, wanted) return text.ends(value, wanted) end,
  contains = function(value, wanted) return text.contains(value, wanted) end,
  glob = function(value, wanted) return text.glob(value, wanted) end,
  in_network = function(value, wanted) return text.in_network(value, wanted) end,
  lt = function(value, wanted) return value < wanted end,
  le = function(value, wanted) return value <= wanted end,
  gt = function(value, wanted) return value > wanted end,
  ge = function(value, wanted) return value >= wanted end,
}

local regexes = {}
function COMPARE.regex(value, wanted)
  regexes[wanted] = regexes[wanted] or text.regex(wanted)
  return regexes[wanted](value)
end

local NAMES = { ["process.name"] = true, ["process.parent.name"] = true, ["process.ancestors.name"] = true }

local function test_holds(one, event)
  local subjects
  if one.field == "process.ancestors.name" then
    subjects = ancestors(event)
  else
    local value = get(event, one.field)
    subjects = type(value) == "table" and value or { value }
  end
  for _, value in ipairs(subjects) do
    if one.how == "exists" then
      return true
    end
    for _, wanted in ipairs(one.values) do
      if one.fold and type(value) == "string" then
        value, wanted = value:lower(), wanted:lower()
      elseif NAMES[one.field] and one.how == "is" then
        wanted = wanted:sub(1, 15)
      end
      if type(value) == type(wanted) or one.how == "regex" then
        if COMPARE[one.how](value, wanted) then
          return true
        end
      end
    end
  end
  return false
end

function M.holds(one, event)
  if one.op == "test" then
    return test_holds(one, event)
  elseif one.op == "not" then
    return not M.holds(one[1], event)
  elseif one.op == "and" then
    for _, part in ipairs(one) do
      if not M.holds(part, event) then
        return false
      end
    end
    return true
  elseif one.op == "or" then
    for _, part in ipairs(one) do
      if M.holds(part, event) then
        return true
      end
    end
    return false
  end
  return one.op == "always"
end

local function copy(value)
  if type(value) ~= "table" then
    return value
  end
  local made = {}
  for key, one in pairs(value) do
    made[key] = copy(one)
  end
  return made
end

local function set(event, path, value)
  local at, last = event, nil
  for name in path:gmatch "[^.]+" do
    if last then
      at[last] = at[last] or {}
      at = at[last]
    end
    last = name
  end
  at[last] = value
end

--- A text that a simple regular expression fits; "" where it is not simple.
local function sample(pattern)
  local rest = pattern:gsub("^%(%?[ims]+%)", "")
  local function piece(at, stop)
    local out = {}
    while at <= #rest do
      local c = rest:sub(at, at)
      local one
      if c == ")" or c == "|" then
        if stop then
          return table.concat(out), at
        end
        one, at = "", at + 1
      elseif c == "(" then
        at = at + (rest:match("^%(%?[:!=<]*", at) or "("):len()
        local inner
        inner, at = piece(at, true)
        local depth = 0
        while at <= #rest do
          local d = rest:sub(at, at)
          if d == "\\" then
            at = at + 1
          elseif d == "(" then
            depth = depth + 1
          elseif d == ")" then
            if depth == 0 then
              break
            end
            depth = depth - 1
          end
          at = at + 1
        end
        one, at = inner, at + 1
      elseif c == "[" then
        local class = rest:match("^%[%]?[^%]]*%]", at) or "[a]"
        one = class:match "^%[\\?([^%^%]\\])" or (class:find "^%[%^" and "x") or (class:find "d" and "1") or "a"
        if class:find "^%[%^" then
          one = class:find("x", 3, true) and "z" or "x"
        end
        at = at + #class
      elseif c == "\\" then
        local d = rest:sub(at + 1, at + 1)
        one = ({ d = "1", w = "a", s = " ", S = "x", D = "a", b = "", W = " " })[d] or d
        at = at + 2
      elseif c == "^" or c == "$" then
        one, at = "", at + 1
      elseif c == "." then
        one, at = "x", at + 1
      else
        one, at = c, at + 1
      end
      local quantifier = rest:match("^[*?]%??", at) or rest:match("^%+%??", at) or rest:match("^{%d+,?%d*}", at)
      if quantifier then
        at = at + #quantifier
        local times = tonumber(quantifier:match "^{(%d+)") or (quantifier:find "^%+" and 1) or 0
        one = one:rep(times)
      end
      out[#out + 1] = one
    end
    return table.concat(out), at
  end
  return (piece(1, false))
end

local PATHS = { ["file.path"] = true, ["file.old_path"] = true, ["process.exe"] = true, ["process.parent.exe"] = true }

--- Values that a field could have for one wanted value, given what it has.
local function candidates(one, wanted, now)
  local how = one.how
  local before = type(now) == "string" and now or nil
  local root = PATHS[one.field] and type(wanted) == "string" and not wanted:find "^/" and "/x" or ""
  if type(wanted) ~= "string" then
    local step = { lt = -1, gt = 1 }
    return { type(wanted) == "number" and wanted + (step[how] or 0) or wanted }
  elseif how == "is" then
    return { NAMES[one.field] and wanted:sub(1, 15) or wanted }
  elseif how == "starts" then
    return { wanted, wanted .. (before or "x") }
  elseif how == "ends" then
    return { root .. wanted, (before or "") .. wanted, (before or "") .. " " .. wanted }
  elseif how == "contains" then
    return { root .. wanted, (before or "") .. wanted, (before or "") .. " " .. wanted, "/" .. wanted }
  elseif how == "glob" then
    local made = wanted:gsub("%*", ""):gsub("%?", "x")
    return { made, (wanted:gsub("[*?]", "x")), (before or "") .. " " .. made, root .. made }
  elseif how == "regex" then
    local made = sample(wanted)
    return { made, (before or "") .. " " .. made, root .. made }
  elseif how == "in_network" then
    return { (wanted:gsub("/.*", "")) }
  end
  return {}
end

local BOOLEANS = { write = true, dropped = true, memfd = true, deleted = true }

local function set_test(one, event, continue)
  if test_holds(one, event) then
    return continue(event)
  end
  local field = one.field == "process.ancestors.name" and "process.parent.name" or one.field
  if one.how == "exists" then
    local made = copy(event)
    set(made, field, BOOLEANS[field:match "[^.]+$"] or (field == "call.error" and "EACCES")
      or (field == "process.tty" and "pts/0") or (PATHS[field] and "/x") or "x")
    return test_holds(one, made) and continue(made) or nil
  end
  for _, wanted in ipairs(one.values) do
    for _, value in ipairs(candidates(one, wanted, get(event, field))) do
      local made = copy(event)
      set(made, field, field == "process.env" and { value } or value)
      if test_holds(one, made) then
        local found = continue(made)
        if found then
          return found
        end
      end
    end
  end
  return nil
end

--- An event from `base` that fits (or, with `wanted` false, does not); nil when none was found.
local function solve(condition, base, wanted)
  local steps = 0
  local function try(goals, event)
    steps = steps + 1
    if steps > MAX_STEPS then
      return nil
    elseif not goals then
      return M.holds(condition, event) == wanted and event or nil
    end
    local one, is_wanted, rest = goals[1], goals[2], goals[3]
    if one.op == "not" then
      return try({ one[1], not is_wanted, rest }, event)
    elseif one.op == "always" or one.op == "never" then
      return (one.op == "always") == is_wanted and try(rest, event) or nil
    elseif one.op == "test" then
      if is_wanted then
        return set_test(one, event, function(made) return try(rest, made) end)
      elseif not test_holds(one, event) then
        return try(rest, event)
      end
      return nil
    end
    if (one.op == "and") == is_wanted then
      -- Positive parts first: what is not to hold is then known.
      local after = rest
      for pass = 1, 2 do
        for i = #one, 1, -1 do
          local is_negative = one[i].op == "not"
          if (pass == 1) == (is_negative == is_wanted) then
            after = { one[i], is_wanted, after }
          end
        end
      end
      return try(after, event)
    end
    for _, part in ipairs(one) do
      local found = try({ part, is_wanted, rest }, event)
      if found then
        return found
      end
    end
    return nil
  end
  return try({ condition, wanted, nil }, base)
end

--- Both examples for a kind of event; nil with the reason.
---@param condition table
---@param base fun(): table  an event with what every event of its kind has
function M.examples(condition, base)
  local fit = solve(condition, base(), true)
  if not fit then
    return nil, nil, "no event was found that fits it"
  end
  local miss = base()
  if M.holds(condition, miss) then
    miss = solve(condition, base(), false)
    if not miss then
      miss = base()
      for _, change in ipairs { { "process.name", "other" }, { "process.exe", "/other" }, { "file.path", "/other" },
        { "process.parent.name", "other" } } do
        set(miss, change[1], change[2])
        if not M.holds(condition, miss) then
          return fit, miss
        end
      end
      return nil, nil, "no event was found that does not fit it"
    end
  end
  return fit, miss
end

return M

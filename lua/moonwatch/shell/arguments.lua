--- The arguments of `moonwatch sql`.

local render = require "moonwatch.shell.render"
local text = require "moonwatch.text"

---@class moonwatch.shell.Options
---@field style moonwatch.shell.Style
---@field state_dir string?
---@field interactive boolean
---@field time_limit integer?
---@field row_limit integer?
---@field query string?

---@class moonwatch.shell.arguments
local M = {}

local function boolean(value)
  if value == "true" or value == "1" then
    return true
  elseif value == "false" or value == "0" then
    return false
  end
  return nil, "true or false"
end

local function positive(value)
  local number = math.tointeger(tonumber(value))
  if number and number > 0 then
    return number
  end
  return nil, "a number above 0"
end

local function any(value)
  return value
end

--- Options with a value: where it goes, and what it may be.
local VALUES = {
  header = { "style", "header", boolean },
  separator = { "style", "separator", any },
  nullvalue = { "style", "nullvalue", any },
  state_dir = { "options", "state_dir", any },
  interactive = { "options", "interactive", boolean },
  time_limit = { "options", "time_limit", positive },
  row_limit = { "options", "row_limit", positive },
}

--- The mode of that name.
local function mode_of(name)
  for _, mode in ipairs(render.modes) do
    if mode == name then
      return mode
    end
  end
  return render.aliases[name]
end

local function unknown(name)
  local names = table.move(render.modes, 1, #render.modes, 1, {})
  for known in pairs(VALUES) do
    names[#names + 1] = known
  end
  table.sort(names)
  local nearest = text.nearest(name, names)
  return ("unknown option --%s; %s"):format(name, nearest and "did you mean --" .. nearest .. "?"
    or "`moonwatch sql --help` lists them")
end

--- nil and a message for arguments that are wrong.
---@param words string[]
---@return moonwatch.shell.Options?
---@return string? message
function M.parse(words)
  local style = { mode = "table", header = true, separator = "|" }
  local targets = { style = style, options = { style = style } }
  local queries = {}
  local i = 1
  while words[i] do
    local word = words[i]
    local name, value = word:match("^%-%-([%w_]+)=?(.*)$")
    if word == "--" then
      table.move(words, i + 1, #words, #queries + 1, queries)
      break
    elseif word:sub(1, 1) == "-" and word:sub(2, 2) ~= "-" then
      return nil, unknown(word:sub(2))
    elseif not name then -- a query may begin with a comment of SQL
      queries[#queries + 1] = word
    elseif mode_of(name) and not word:find("=", 1, true) then
      style.mode = mode_of(name)
    elseif VALUES[name] then
      if not word:find("=", 1, true) then
        i = i + 1
        value = words[i]
        if not value then
          return nil, ("--%s needs a value: --%s=…"):format(name, name)
        end
      end
      local target, key, check = table.unpack(VALUES[name])
      local checked, expected = check(value)
      if checked == nil then
        return nil, ("--%s=%s: must be %s"):format(name, value, expected)
      end
      targets[target][key] = checked
    else
      return nil, unknown(name)
    end
    i = i + 1
  end
  if #queries > 1 then
    return nil, "more than one QUERY; put it into quotes"
  end
  targets.options.query = queries[1]
  return targets.options
end

return M

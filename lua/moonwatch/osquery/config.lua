--- osquery's configuration document: options, schedule, packs, decorators, which files are watched, views, events; and a member of
--- ours, `moonwatch`.  One function applies it, whoever it comes from: a file, or a backend; all of it, or nothing.

local cjson = require "cjson"
local events = require "moonwatch.osquery.events"
local flags = require "moonwatch.flags"
local text = require "moonwatch.text"
local watch = require "moonwatch.watch"

---@class moonwatch.osquery.config
local M = {}

--- Members that say which files are watched, and what they are.
local FILES = {
  file_paths = "object",
  file_paths_query = "object",
  exclude_paths = "object",
  file_accesses = "array",
}

--- Names listed in one warning.
local LISTED = 8

local function line_at(document, offset)
  local line = 1
  for _ in document:sub(1, offset - 1):gmatch("\n") do
    line = line + 1
  end
  return line
end

--- Lines that begin with # or // are comments; they stay as empty lines, so that numbers of lines hold.
local function without_comments(document)
  return (("\n" .. document):gsub("\n[ \t]*#[^\n]*", "\n"):gsub("\n[ \t]*//[^\n]*", "\n"):sub(2))
end

--- The document as a table.
---@param document string
---@return table?
---@return string? message  with the line
function M.decode(document)
  document = without_comments(document)
  local ok, result = pcall(cjson.decode, document)
  if ok and type(result) == "table" then
    return result
  elseif ok then
    return nil, "line 1: a " .. type(result) .. "; a configuration is an object: { … }"
  end
  local message = tostring(result):gsub("\n.*", "")
  local offset = tonumber(message:match("at character (%d+)"))
  message = message:gsub(" at character %d+.*", "")
  return nil, offset and ("line %d: %s"):format(line_at(document, offset), message) or message
end

--- Where a member is first named.
local function place(document, name)
  local at = document:find('"' .. name .. '"', 1, true)
  return at and ("line %d: "):format(line_at(document, at)) or ""
end

local function is_array(value)
  local count = 0
  for key in pairs(value) do
    if math.type(key) ~= "integer" then
      return false
    end
    count = count + 1
  end
  return count == #value
end

--- The members about files, checked for their kind; what is in them is checked where it is taken.
local function files_of(document, source_text)
  local files = {}
  for name, kind in pairs(FILES) do
    local value = document[name]
    if value ~= nil then
      if type(value) ~= "table" or (kind == "array") ~= is_array(value) and next(value) ~= nil then
        return nil, ("%s%s is no %s"):format(place(source_text, name), name, kind)
      end
      files[name] = value
    end
  end
  return files
end

--- What `options` wants set: {name, text}, and lines about the rest.
local function options_of(options, source, warnings)
  local wanted, unknown, late = {}, {}, {}
  for name, value in pairs(options) do
    local flag = type(name) == "string" and flags.find(name)
    if not flag then
      unknown[#unknown + 1] = text.printable(tostring(name), 60)
    elseif not flag.live then
      late[#late + 1] = name
    elseif type(value) == "table" or value == cjson.null then
      warnings[#warnings + 1] = ("options: %s: takes one value; passed over"):format(name)
    else
      local number = math.type(value) == "float" and math.tointeger(value)
      local words = tostring(number or value)
      local ok, message = flags.check(name, words, source)
      if ok then
        wanted[#wanted + 1] = { flag.name, words }
      else
        warnings[#warnings + 1] = "options: " .. message
      end
    end
  end
  local lists = {
    ["are not known here"] = unknown,
    ["take effect from the command line, environment or flag file alone"] = late,
  }
  for words, names in pairs(lists) do
    table.sort(names)
    if #names > 0 then
      local listed = table.concat(names, ", ", 1, math.min(#names, LISTED))
      warnings[#warnings + 1] = ("options: %d %s: %s%s"):format(#names, words, listed, #names > LISTED and ", …" or "")
    end
  end
  table.sort(warnings)
  table.sort(wanted, function(a, b)
    return a[1] < b[1]
  end)
  return wanted
end

--- An object of a document; nil, message when it is something else.
local function object_of(document, source_text, name)
  local value = document[name]
  if value == nil or value == cjson.null then
    return {}
  elseif type(value) ~= "table" or is_array(value) and next(value) ~= nil then
    return nil, ("%s%s is no object"):format(place(source_text, name), name)
  end
  return value
end

--- A backend does not change what these say.
local above <const> = { ["configuration file"] = true, ["flag file"] = true, environment = true, ["command line"] = true }

--- Values of flags as they would be.
local function would_be(wanted)
  local values = {}
  for _, pair in ipairs(wanted) do
    values[pair[1]] = pair[2]
  end
  return function(name)
    local value = values[name]
    if value == nil or above[flags.source(name)] then
      return flags.get(name)
    end
    return value == "true" or value == "1" or value:lower() == "yes" or value:lower() == "true"
  end
end

-- Per source: what it gave last, to go back to.
local files_before = {}

-- Per source: the members that are to be taken back when it does not name them any more.
local held = {}

--- What a backend's scripts would change of ours.
---@param commits (fun())[]  what is to be done once all was taken
---@return string? message
local function take_ours(ours, wanted, source, warnings, commits)
  for name in pairs(held[source] or {}) do
    if ours[name] == nil then
      local _, commit = M.members[name]({}, source)
      commits[#commits + 1] = type(commit) == "function" and commit or nil
    end
  end
  if ours.profile ~= nil then
    if type(ours.profile) ~= "string" or not ours.profile:find "^[%w_-]+$" then
      return "moonwatch.profile is not the name of a profile"
    end
    if flags.check("profile", ours.profile, source) then
      table.insert(wanted, 1, { "profile", ours.profile })
    end
  end
  for name, value in pairs(ours) do
    local taker = M.members[name]
    if taker then
      local ok, more = taker(value, source)
      if not ok then
        return ("moonwatch.%s: %s"):format(name, more)
      end
      commits[#commits + 1] = more
    elseif name ~= "profile" then
      warnings[#warnings + 1] = ("moonwatch.%s is not known here; passed over"):format(text.printable(tostring(name), 60))
    end
  end
  return nil
end

local function hold(source, name, value)
  held[source] = held[source] or {}
  held[source][name] = type(value) ~= "table" or next(value) ~= nil or nil
end

--- Further members of `moonwatch`, taken by others: name -> function(value, source) -> true | nil, message; true, and what is to be done
--- once the whole document is taken.
---@type table<string, fun(value: any, source: string): boolean?, (string|fun())?>
M.members = {
  bundle = function(value, source)
    return require "moonwatch.bundle".take(value, source)
  end,
  -- Where it is to be sent, too: docs/outputs.md.
  outputs = function(value, source)
    local commit, message = require "moonwatch.delivery.configured".take(value, source)
    if not commit then
      return nil, message
    end
    return true, function()
      hold(source, "outputs", value)
      commit()
    end
  end,
  -- Changes to rules, without touching them: docs/howto/rules.md.
  rules = function(value, source)
    if type(value) ~= "table" then
      return nil, "is no object"
    end
    hold(source, "rules", value)
    return require "moonwatch.bundles".override(cjson.encode(value))
  end,
}

--- What takes schedule, packs, decorators and views: function(document, source) -> true | nil, message; and lines, as a third result.
---@type fun(document: table, source: string): boolean?, string?, string[]?
function M.schedule(document, source)
  return require("moonwatch.osquery.schedule").apply(document, source)
end

--- Apply a document in place of the one that `source` gave before.  When it is refused, that one still holds.  Flags that it does
--- not name keep the values they have, as in osquery.
---@param document string|table  JSON, or what it says
---@param source "config"|"backend"
---@param origin string?  file it comes from
---@return string[]? warnings  lines about what has no effect
---@return string? message
function M.apply(document, source, origin)
  local source_text = type(document) == "string" and document or ""
  if type(document) == "string" then
    local decoded, message = M.decode(document)
    if not decoded then
      return nil, message
    end
    document = decoded
  end
  local message
  local parts = {}
  for _, name in ipairs { "options", "views", "events", "moonwatch" } do
    parts[name], message = object_of(document, source_text, name)
    if not parts[name] then
      return nil, message
    end
  end
  local files
  files, message = files_of(document, source_text)
  if not files then
    return nil, message
  end
  local warnings = {}
  local wanted = options_of(parts.options, source, warnings)
  message = events.flags_of(parts.events, wanted)
  if message then
    return nil, place(source_text, "events") .. message
  end
  message = source == "backend" and events.is_blind(would_be(wanted)) and not events.is_blind(flags.get)
    and "it turns off all that is seen: process events, sockets and files"
  if message then
    return nil, message
  end
  local commits = {}
  message = take_ours(parts.moonwatch, wanted, source, warnings, commits)
  if message then
    return nil, place(source_text, "moonwatch") .. message
  end

  local ok, why = watch.configure(source, files)
  if not ok then
    local name = why:match("^([%w_]+)")
    return nil, (FILES[name] and place(source_text, name) or "") .. why
  end
  local lines
  ok, why, lines = M.schedule(document, source)
  if not ok then
    watch.configure(source, files_before[source] or {})
    return nil, place(source_text, why:match "^%w+" or "") .. why
  end
  for _, line in ipairs(lines or {}) do
    warnings[#warnings + 1] = line
  end
  files_before[source] = files
  for _, pair in ipairs(wanted) do
    local set, problem = flags.set(pair[1], pair[2], source, origin)
    if not set then
      warnings[#warnings + 1] = "options: " .. problem
    end
  end
  for _, commit in ipairs(commits) do
    commit()
  end
  return warnings
end

return M

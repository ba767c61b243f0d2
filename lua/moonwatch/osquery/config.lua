--- osquery's configuration document, as far as it is known here: options, and which files are watched.
--- One function applies it, whoever it comes from: a file, or a backend.

local cjson = require "cjson"
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

local function set_options(options, source, origin, warnings)
  local unknown, late = {}, {}
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
      local ok, message = flags.set(name, tostring(number or value), source, origin)
      if not ok then
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
  local files, message = files_of(document, source_text)
  if not files then
    return nil, message
  end
  local options = document.options
  if options ~= nil and (type(options) ~= "table" or is_array(options) and next(options) ~= nil) then
    return nil, place(source_text, "options") .. "options is no object"
  end
  local warnings = {}
  set_options(options or {}, source, origin, warnings)
  local ok, why = watch.configure(source, files)
  if not ok then
    local name = why:match("^([%w_]+)")
    return nil, (FILES[name] and place(source_text, name) or "") .. why
  end
  return warnings
end

return M

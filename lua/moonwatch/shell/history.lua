--- What was typed before, kept in a file that only its owner can read.
---
--- A line an entry, the newest last; a newline in an entry is written as \n, a backslash as \\.  Several shells may add to
--- the file at once.  Without a file, or when it cannot be written, there is a history all the same, for this session.

local terminal = require "moonwatch.terminal"

---@class moonwatch.shell.history
local M = {}

local ENTRIES = 1000
--- Read at most, from the end; a file that has grown beyond is begun anew with the latest entries.
local FILE_BYTES = 1 << 20
local ENTRY_BYTES = 1 << 16

---@class moonwatch.shell.History
---@field entries string[]
---@field path string?
local History = {}
History.__index = History

local function escape(text)
  return (text:gsub("\\", "\\\\"):gsub("\n", "\\n"))
end

local function unescape(line)
  return (line:gsub("\\(.)", function(character)
    return character == "n" and "\n" or character
  end))
end

local function read(path)
  local file <close> = io.open(path, "rb")
  local size = file and file:seek("end")
  if not file or not size then
    return {}, 0
  end
  file:seek("set", math.max(0, size - FILE_BYTES))
  local text = file:read(FILE_BYTES) or ""
  if size > FILE_BYTES then
    text = text:gsub("^[^\n]*\n", "", 1) -- the rest of a line
  end
  local entries = {}
  for line in text:gmatch("[^\n]+") do
    entries[#entries + 1] = unescape(line)
  end
  return table.move(entries, math.max(1, #entries - ENTRIES + 1), #entries, 1, {}), size
end

--- What is left of a file that has grown too large.
local function rewrite(path, entries)
  local lines = {}
  for i, entry in ipairs(entries) do
    lines[i] = escape(entry) .. "\n"
  end
  local new = path .. ".new"
  os.remove(new)
  if terminal.append_private(new, table.concat(lines)) then
    os.rename(new, path)
  else
    os.remove(new)
  end
end

--- Add what was typed, unless it begins with a blank or repeats the last.
---@param text string
function History:add(text)
  if text:find("^%s") or text == "" or #text > ENTRY_BYTES or self.entries[#self.entries] == text then
    return
  end
  self.entries[#self.entries + 1] = text
  if #self.entries > ENTRIES then
    table.remove(self.entries, 1)
  end
  if self.path and not terminal.append_private(self.path, escape(text) .. "\n") then
    self.path = nil -- said once would be too much: the shell works without
  end
end

--- The file of the environment: MOONWATCH_HISTORY, where an empty one means none, else in the home folder.
---@param getenv fun(name: string): string?
---@return string? path
function M.path(getenv)
  local path = getenv("MOONWATCH_HISTORY")
  local home = getenv("HOME")
  if path then
    return path ~= "" and path or nil
  end
  return home and home:sub(1, 1) == "/" and home:gsub("/+$", "") .. "/.moonwatch_history" or nil
end

---@param path string?
---@return moonwatch.shell.History
function M.open(path)
  local entries, size = {}, 0
  if path then
    entries, size = read(path)
  end
  if size > FILE_BYTES then
    rewrite(path, entries)
  end
  return setmetatable({ entries = entries, path = path }, History)
end

return M

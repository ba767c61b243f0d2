--- Predicates for rules.  Absent fields are nil, and nil matches nothing.  Time is bounded by the
--- lengths of event fields, which the sensor bounds; nothing here takes a Lua pattern.
local text = require "moonwatch.text"

local byte, sub = string.byte, string.sub

---@class moonwatch.match
local M = {}

--- Does a text begin with, end with, contain `part`, or contain any of a list of them; does it fit a
--- glob (`*`, `?`); does it have any of some characters?  `base` is what follows the last slash.
M.starts, M.ends, M.contains, M.contains_any = text.starts, text.ends, text.contains, text.contains_any
M.glob, M.has_any, M.base = text.glob, text.has_any, text.base

--- `regex(pattern)` compiles a regular expression (PCRE2, bytes) to a function of a text; make it once, outside of `match`.
--- What takes too long is an error.  `in_network(address, "10.0.0.0/8")`: is it an address in there?
M.regex, M.in_network = text.regex, text.in_network

--- A set of texts, for `set[text]`.
---@param texts string[]
---@return table<string, true>
function M.set(texts)
  local found = {}
  for _, one in ipairs(texts) do
    found[one] = true
  end
  return found
end

--- Is `path` inside `dir`?  Whole names count: "/etcetera" is not inside "/etc".
---@param path string?  absolute
---@param dir string  absolute, without a final slash
---@return boolean
function M.inside(path, dir)
  return text.starts(path, dir .. "/")
end

--- Is one of the arguments after argv[0] exactly one of these?
---@param process moonwatch.Process
---@param ... string
---@return boolean
function M.has_arg(process, ...)
  local wanted = { ... }
  for i, argument in ipairs(process.argv or {}) do
    for n = 1, i > 1 and #wanted or 0 do
      if argument == wanted[n] then
        return true
      end
    end
  end
  return false
end

--- What ends a program's name when it bears its version: "python3.11", "php-fpm8.2".
local VERSION_BYTES = {}
for _, code in ipairs { byte("0123456789.-", 1, -1) } do
  VERSION_BYTES[code] = true
end

--- `name` as it is, cut as the kernel cuts names, and without its version.
local function holds(set, name)
  if set[name] then
    return true
  end
  local last = #name
  if last > 15 and set[sub(name, 1, 15)] then
    return true
  end
  if not VERSION_BYTES[byte(name, last)] then
    return false
  end
  repeat
    last = last - 1
  until last <= 1 or not VERSION_BYTES[byte(name, last)]
  return set[sub(name, 1, last)] or false
end

--- Is the process one of the set: by its name, or by the name of its executable, so that a script
--- ("#!/bin/sh") is its shell, and a renamed link what it links to?  A version at the end does not
--- count; of `busybox sh`, it is the `sh` that does.
---@param process moonwatch.Process?
---@param set table<string, true>
---@return boolean
function M.named(process, set)
  local name = process and process.name
  if not name then
    return false
  elseif holds(set, name) then
    return true
  elseif name == "busybox" then
    local applet = (process.argv or {})[2]
    return applet ~= nil and holds(set, applet)
  end
  local exe = process.exe
  return exe ~= nil and holds(set, text.program(exe))
end

--- The first argument after argv[0] that is no option: of an interpreter, the script.
---@param process moonwatch.Process
---@return string?
function M.first_argument(process)
  for i, argument in ipairs(process.argv or {}) do
    if i > 1 and not text.starts(argument, "-") then
      return argument
    end
  end
  return nil
end

--- Has the event's file got new contents, or a new name: made, written to and closed, renamed?  What only makes it, to be
--- written to later, and what changes its mode, does not count.
---@param event moonwatch.Event
---@return boolean
function M.written(event)
  local file = event.file
  if not file or file.directory then
    return false
  elseif event.kind == "file.modify" then
    return file.closed == true or file.found_by ~= "inotify"
  elseif event.kind == "file.create" then
    return file.found_by == "call" or (file.size or 0) > 0
  end
  return event.kind == "file.rename" or event.kind == "file.link" or event.kind == "file.symlink"
end

--- Is this command line without anything by which a shell would run a second command?
---@param cmdline string?
---@return boolean
function M.is_single_command(cmdline)
  return not text.has_any(cmdline, ";|&`$()<>#\n")
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

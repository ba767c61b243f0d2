--- Reading events and alerts, for output formats.
---
--- An item is a view of one of the sensor's own objects, or the table that its JSON was: the same fields, as far as JSON has
--- them.  A format reads those alone, so that it says the same of both.  Of a view, asking for a field that its shape lacks is
--- an error; a table may lack any.
local context = require "moonwatch.item.context"
local ecs_host = require "moonwatch.ecs.host"
local event = require "moonwatch.event"

local byte, sub = string.byte, string.sub

---@class moonwatch.item
local M = {}

---@param item table|userdata
---@return boolean
function M.is_alert(item)
  if type(item) == "table" then
    return type(item.rule) == "table"
  end
  return tostring(item) == "Alert"
end

--- A part of an item, such as its process: nil when it is none.
---@param item table|userdata|nil
---@param name string
---@return any
function M.part(item, name)
  local part = item and item[name]
  local kind = type(part)
  return (kind == "table" or kind == "userdata") and part or nil
end

--- What only events have, and alerts have not.
---@param item table|userdata
---@return any
function M.gap(item)
  return not M.is_alert(item) and M.part(item, "gap") or nil
end

---@param value any
---@return integer?
function M.integer(value)
  return type(value) == "number" and math.tointeger(value) or nil
end

--- Hash of its executable, as far as it is known: asking for it may not cost the time of reading the file.
---@param process table|userdata|nil
---@return string?
function M.sha256(process)
  return process and event.known(process, "sha256")
end

-- Days from 1970-01-01 to the first of March of year 0 of the proleptic Gregorian calendar, and how they go on.
local function days(year, month, day)
  if month <= 2 then
    year, month = year - 1, month + 12
  end
  return 365 * year + year // 4 - year // 100 + year // 400 + (153 * (month - 3) + 2) // 5 + day - 719469
end

local function digits(text, from, to)
  local value = 0
  for i = from, to do
    local digit = byte(text, i)
    if not digit or digit < 48 or digit > 57 then
      return nil
    end
    value = 10 * value + digit - 48
  end
  return value
end

--- "2026-01-02T03:04:05.123456789Z", as seconds since 1970 and nanoseconds; nil when it is no such time.
---@param time any
---@return integer? seconds
---@return integer? nanoseconds
function M.seconds(time)
  if type(time) ~= "string" or #time < 20 then
    return nil
  end
  local year, month, day = digits(time, 1, 4), digits(time, 6, 7), digits(time, 9, 10)
  local hour, minute, second = digits(time, 12, 13), digits(time, 15, 16), digits(time, 18, 19)
  if not (year and month and day and hour and minute and second) then
    return nil
  end
  local fraction = byte(time, 20) == 46 and #time >= 30 and digits(time, 21, 29) or 0
  return ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second, fraction
end

--- Milliseconds since 1970.
---@param time any
---@return integer?
function M.milliseconds(time)
  local seconds, nanoseconds = M.seconds(time)
  return seconds and seconds * 1000 + nanoseconds // 1000000
end

--- Names one process among all that had its number: the number, and when it was born.
---@param process table|userdata
---@return string?
function M.process_id(process)
  local pid = M.integer(process.pid)
  local seconds, nanoseconds = M.seconds(process.start)
  return pid and seconds and ("%d-%d%09d"):format(pid, seconds, nanoseconds)
end

--- Folder and name of a path; its name's ending, without the dot.
---@param path string?
---@return string? directory
---@return string? name
---@return string? ending
function M.split(path)
  if type(path) ~= "string" then
    return nil
  end
  local at = #path
  while at > 0 and byte(path, at) ~= 47 do
    at = at - 1
  end
  local name = sub(path, at + 1)
  local dot = #name
  while dot > 1 and byte(name, dot) ~= 46 do
    dot = dot - 1
  end
  return at > 0 and sub(path, 1, math.max(1, at - 1)) or nil, name ~= "" and name or path,
    dot > 1 and dot < #name and sub(name, dot + 1) or nil
end

--- Type of a file by its mode, as inode(7) has them: "file", "dir", "symlink", "socket", "fifo", "character_device",
--- "block_device".
---@param file table|userdata
---@return string?
function M.file_type(file)
  local types = { [1] = "fifo", [2] = "character_device", [4] = "dir", [6] = "block_device", [8] = "file", [10] = "symlink",
    [12] = "socket" }
  local mode = M.integer(file.mode)
  return file.directory == true and "dir" or mode and types[mode >> 12 & 15] or nil
end

--- "0644"
---@param file table|userdata
---@return string?
function M.permissions(file)
  local mode = M.integer(file.mode)
  return mode and ("%04o"):format(mode & 4095)
end

--- True when the system call behind it failed, false when it did what it was asked for, nil when that is not known.
---@param item table|userdata
---@return boolean?
function M.has_failed(item)
  local call = M.part(item, "call")
  if not call or call.attempt == true or call.error == "EINPROGRESS" then
    return nil
  end
  return call.error ~= nil
end

--- Both ends of a socket as a connection has them: who asked for it, and who was asked.
---@param item table|userdata
---@return { address: string?, port: integer? } source
---@return { address: string?, port: integer? } destination
function M.ends(item)
  local socket = M.part(item, "socket") or {}
  local here = { address = socket.local_address, port = M.integer(socket.local_port) }
  local there = { address = socket.remote_address, port = M.integer(socket.remote_port) }
  if item.kind == "socket.connect" or item.kind == "process.dup-to-stdio" then
    return here, there
  end
  return there, here
end

--- Valid UTF-8: what is none becomes U+FFFD, byte by byte, as in JSON.
---@param value string
---@return string
function M.utf8(value)
  local from, parts = 1, nil
  while true do
    local good, bad = utf8.len(value, from)
    if good then
      return parts and table.concat(parts) .. sub(value, from) or value
    end
    parts = parts or {}
    parts[#parts + 1] = sub(value, from, bad - 1)
    parts[#parts + 1] = "\u{FFFD}"
    from = bad + 1
  end
end

local function hex(characters)
  return (characters:gsub(".", function(character)
    return ("\\x%02X"):format(byte(character))
  end))
end

--- A value as text of one line: valid UTF-8, control characters written \xHH.  nil for what is neither text nor number.
---@param value any
---@return string?
function M.plain(value)
  if type(value) == "number" then
    return tostring(M.integer(value) or value)
  elseif type(value) ~= "string" then
    return nil
  elseif not value:find "[%c\x80-\xFF]" then
    return value
  end
  return (M.utf8(value):gsub("%c", hex):gsub("\xC2[\x80-\x9F]", hex))
end

--- At most so many bytes, whole characters.
---@param value string  UTF-8
---@param max_bytes integer
---@return string
function M.cut(value, max_bytes)
  if #value <= max_bytes then
    return value
  end
  local last = max_bytes
  while last > 0 and byte(value, last + 1) & 0xC0 == 0x80 do
    last = last - 1
  end
  return sub(value, 1, last)
end

local identifier_of, identifier

--- What a backend knows the host by.
---@param item table|userdata
---@return string
function M.host_identifier(item)
  if context.host_identifier then
    return context.host_identifier
  end
  local ecs = M.part(item, "ecs")
  local task = ecs and ecs.task_arn
  if type(task) ~= "string" then
    return context.host_name
  end
  local container = M.part(item, "container")
  local own = container and (container.name or container.id)
  local name = type(own) == "string" and task .. "/" .. own or task
  if name ~= identifier_of then
    identifier_of, identifier = name, ecs_host.uuid(name)
  end
  return identifier
end

return M

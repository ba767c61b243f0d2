--- One line a person can read.  What comes from processes is made printable: a name must neither begin a new line nor
--- drive the reader's terminal.

local text = require "moonwatch.text"

--- Longest value within a line, in bytes.
local VALUE_BYTES = 200
local MESSAGE_BYTES = 1024
local MAX_ANCESTORS = 8

local function show(value, bytes)
  return text.printable(tostring(value or "?"), bytes or VALUE_BYTES)
end

--- "2026-01-02T03:04:05.123Z": milliseconds are enough for the eye.
local function short_time(time)
  return time:sub(1, 23) .. "Z"
end

--- " < nginx < docker-init"
local function ancestry(process)
  local names = {}
  local ancestor = process.parent
  while ancestor do
    if #names == MAX_ANCESTORS then
      names[#names + 1] = " < …"
      break
    end
    names[#names + 1] = " < " .. show(ancestor.name)
    ancestor = ancestor.parent
  end
  return table.concat(names)
end

--- "pid 13, user www-data, tty pts/0"
local function facts(process)
  local parts = { "pid " .. process.pid }
  if process.user then
    parts[#parts + 1] = "user " .. show(process.user)
  elseif process.euid then
    parts[#parts + 1] = "uid " .. process.euid
  end
  if process.tty then
    parts[#parts + 1] = "tty " .. show(process.tty)
  end
  return table.concat(parts, ", ")
end

local describe = {}

describe["process.exec"] = function(event)
  local process = event.process
  local exe = process.exe and (", " .. show(process.exe)) or ""
  return ("%s (%s%s)%s"):format(show(process.cmdline or process.name), facts(process), exe, ancestry(process))
end

describe["process.fork"] = function(event)
  local process = event.process
  return ("%s (%s)%s"):format(show(process.name), facts(process), ancestry(process))
end

describe["process.exit"] = function(event)
  local process = event.process
  local how = process.exit_signal and ("signal " .. process.exit_signal)
    or process.exit_code and ("code " .. process.exit_code)
    or "code unknown"
  local duration = process.duration_ms and (" after %d ms"):format(process.duration_ms) or ""
  return ("%s (%s) %s%s%s"):format(show(process.name), facts(process), how, duration, ancestry(process))
end

--- "10.0.0.1:80", "[::1]:80", "*:80"
local function socket_end(socket, address, port)
  if not port and not address then
    return nil
  end
  local is_ipv6 = socket.family == "ipv6" and address
  return ((is_ipv6 and "[%s]:%s" or "%s:%s"):format(address or "*", port or "*"))
end

--- Also of sockets whose process is not known.
local function describe_socket(event)
  local socket, process = event.socket, event.process
  local who = process and ("%s (%s) "):format(show(process.name), facts(process)) or ""
  local here = socket_end(socket, socket.local_address, socket.local_port)
  local there = socket_end(socket, socket.remote_address, socket.remote_port)
  local arrow = event.kind == "socket.accept" and " <- " or " -> "
  local ends = there and (here or "*") .. arrow .. there or here
  local what = socket.path and "unix " .. show(socket.path)
    or ends and ("%s %s"):format(socket.protocol or socket.family, ends)
    or socket.family
  return who .. what .. (process and ancestry(process) or "")
end

local function describe_other(event)
  return show(event.message or "", MESSAGE_BYTES)
end

local function alert_line(alert)
  local rule = alert.rule
  local attack = table.concat(rule.attack or {}, ", ")
  return ("%s %s %s: %s%s%s"):format(short_time(alert.time), rule.severity:upper(), rule.id,
    show(alert.message, MESSAGE_BYTES), attack ~= "" and (" [%s]"):format(attack) or "",
    alert.process and ancestry(alert.process) or "")
end

local function event_line(event)
  local describes = event.socket and describe_socket or event.process and describe[event.kind] or describe_other
  local said = describes(event)
  return ("%s %s %s"):format(short_time(event.time), event.kind, said)
end

--- An alert has a rule; asking an event for one is an error, so its shape's name decides.
---@param item table|userdata  an event or an alert
---@return string line  without a newline
return function(item)
  if tostring(item) == "Alert" then
    return alert_line(item)
  end
  return event_line(item)
end

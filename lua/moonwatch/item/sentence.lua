--- What happened, as one line a person can read.  What comes from processes is made printable: a name must neither begin a new
--- line nor drive the reader's terminal.
local item = require "moonwatch.item"
local text = require "moonwatch.text"

local integer, part = item.integer, item.part

--- Longest value within a line, in bytes.
local VALUE_BYTES = 200
local MESSAGE_BYTES = 1024
local MAX_ANCESTORS = 8

local M = {}

local function show(value, bytes)
  return text.printable(type(value) == "number" and tostring(integer(value) or value) or type(value) == "string" and value or "?",
    bytes or VALUE_BYTES)
end

M.show = show

--- A message made by a rule, or by the sensor.
---@param message any
---@return string
function M.printable(message)
  return show(message, MESSAGE_BYTES)
end

--- " < nginx < docker-init"
---@param process table|userdata
---@return string
function M.ancestry(process)
  local names = {}
  -- JSON has one level of parents, and the rest of them in a list.
  local list = type(process) == "table" and type(process.ancestors) == "table" and process.ancestors or nil
  local ancestor = list and list[1] or part(process, "parent")
  local n = 0
  while type(ancestor) == "table" or type(ancestor) == "userdata" do
    n = n + 1
    if n > MAX_ANCESTORS then
      names[n] = " < …"
      break
    end
    names[n] = " < " .. show(ancestor.name)
    if list then
      ancestor = list[n + 1]
    else
      ancestor = ancestor.parent
    end
  end
  return table.concat(names)
end

--- "pid 13, user www-data, tty pts/0"
local function facts(process)
  local parts = { "pid " .. show(process.pid) }
  if process.user then
    parts[#parts + 1] = "user " .. show(process.user)
  elseif process.euid then
    parts[#parts + 1] = "uid " .. show(process.euid)
  end
  if process.tty then
    parts[#parts + 1] = "tty " .. show(process.tty)
  end
  return table.concat(parts, ", ")
end

local function who(process)
  return process and ("%s (%s)"):format(show(process.name), facts(process))
end

local function describe_exec(event, process)
  local exe = process.exe and (", " .. show(process.exe)) or ""
  local failed = event.kind == "process.exec-failed"
  local file = failed and part(event, "file")
  local call = failed and part(event, "call")
  return ("%s (%s%s)%s%s"):format(show(process.cmdline or process.name), facts(process), exe,
    file and file.path and " could not start " .. show(file.path) or "", call and call.error and ": " .. show(call.error) or "")
end

local function describe_exit(_, process)
  local how = process.exit_signal and ("signal " .. show(process.exit_signal))
    or process.exit_code and ("code " .. show(process.exit_code))
    or "code unknown"
  local duration = process.duration_ms and (" after %s ms"):format(show(process.duration_ms)) or ""
  return ("%s %s%s"):format(who(process), how, duration)
end

--- "10.0.0.1:80", "[::1]:80", "*:80"
local function socket_end(socket, address, port)
  if not port and not address then
    return nil
  end
  local is_ipv6 = socket.family == "ipv6" and address
  return ((is_ipv6 and "[%s]:%s" or "%s:%s"):format(address and show(address) or "*", port and show(port) or "*"))
end

local function socket_ends(event)
  local socket = part(event, "socket")
  if not socket then
    return nil
  end
  local here = socket_end(socket, socket.local_address, socket.local_port)
  local there = socket_end(socket, socket.remote_address, socket.remote_port)
  local arrow = event.kind == "socket.accept" and " <- " or " -> "
  local ends = there and (here or "*") .. arrow .. there or here
  return socket.path and "unix " .. show(socket.path)
    or ends and ("%s %s"):format(show(socket.protocol or socket.family), ends)
    or show(socket.family)
end

local function failure(event)
  local call = part(event, "call")
  return call and call.error and ": " .. show(call.error) or ""
end

--- Also of sockets and files whose process is not known.
local function behind(process, what)
  return process and ("%s %s"):format(who(process), what) or what
end

local function describe_socket(event, process)
  return behind(process, socket_ends(event)) .. failure(event)
end

local function describe_file(event, process)
  local file = part(event, "file")
  local path = show(file and file.path)
  if file and file.old_path then
    path = ("%s -> %s"):format(show(file.old_path), path)
  end
  local sure = file and file.attribution == "likely" and process and ", likely by " or ", by "
  return path .. failure(event) .. (process and sure .. who(process) or "")
end

--- "gdb (pid 8, user root) PTRACE_ATTACH -> mysqld (pid 7)"
local function describe_call(event, process)
  local call = part(event, "call") or {}
  local words = { process and who(process) or nil }
  local function add(what)
    words[#words + 1] = what
  end
  if call.text then
    add(show(call.text))
  elseif call.number then
    add(show(call.number))
  end
  if part(event, "socket") then
    add(socket_ends(event))
  end
  local file = part(event, "file")
  if file and file.path then
    add(show(file.path))
  end
  local target = part(call, "target")
  if target then
    add(("-> %s (pid %s)"):format(show(target.name), show(target.pid)))
  elseif call.target_pid then
    add("-> pid " .. show(call.target_pid))
  end
  return table.concat(words, " ") .. failure(event)
end

local describe = {
  ["process.exec"] = describe_exec,
  ["process.exec-failed"] = describe_exec,
  ["process.fork"] = function(_, process)
    return who(process)
  end,
  ["process.exit"] = describe_exit,
}

--- What an event is about, without time, kind and ancestors.
---@param event table|userdata
---@return string
function M.event(event)
  local process = part(event, "process")
  local kind = type(event.kind) == "string" and event.kind or "?"
  if event.message then
    return M.printable(event.message)
  elseif text.starts(kind, "socket.") and part(event, "socket") then
    return describe_socket(event, process)
  elseif text.starts(kind, "file.") then
    return describe_file(event, process)
  elseif describe[kind] and process then
    return describe[kind](event, process)
  elseif process or part(event, "call") then
    return describe_call(event, process)
  end
  return "?"
end

--- The same of an alert, in the words of its rule.
---@param it table|userdata  an event or an alert
---@return string
function M.of(it)
  return item.is_alert(it) and M.printable(it.message) or M.event(it)
end

return M

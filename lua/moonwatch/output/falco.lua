--- One JSON object a line, as Falco writes it with json_output, for what reads that: falcosidekick and the rest.
---
--- Members and output_fields come in the order of their names.  An event that is no alert has its kind as the rule, and the
--- priority Debug.
local attack = require "moonwatch.item.attack"
local item = require "moonwatch.item"
local sentence = require "moonwatch.item.sentence"
local write = require "moonwatch.item.write"

local integer, part = item.integer, item.part

local out = write.new()

local priorities = { info = "Informational", low = "Notice", medium = "Warning", high = "Error", critical = "Critical" }

--- Falco's names of system calls, as far as the kind of event says which.
local types = {
  ["process.exec"] = "execve",
  ["process.exec-failed"] = "execve",
  ["process.fork"] = "clone",
  ["process.exit"] = "procexit",
  ["socket.connect"] = "connect",
  ["socket.bind"] = "bind",
  ["socket.listen"] = "listen",
  ["socket.accept"] = "accept4",
}

local function put_container(container)
  out:text("container.id", container and container.id or "host")
  out:text("container.image.digest", container and container.digest)
  out:text("container.image.repository", container and container.image)
  out:text("container.name", container and container.name)
end

local function put_socket(it, socket)
  local remote = type(socket.remote_address) == "string" and socket.remote_address
  local here = type(socket.local_address) == "string" and socket.local_address
  local function pair(address, port)
    return ("%s:%s"):format(address or "", item.plain(port) or "")
  end
  out:text("fd.l4proto", socket.protocol)
  out:text("fd.lip", socket.local_address)
  out:put("fd.lport", integer(socket.local_port))
  local name
  if it.kind == "socket.accept" then
    name = pair(remote, socket.remote_port) .. "->" .. pair(here, socket.local_port)
  else
    name = pair(here, socket.local_port) .. (remote and "->" .. pair(remote, socket.remote_port) or "")
  end
  out:text("fd.name", socket.path or (here or remote) and name or nil)
  out:text("fd.rip", socket.remote_address)
  out:put("fd.rport", integer(socket.remote_port))
  out:text("fd.type", socket.family)
end

local function put_file(file)
  local directory, name = item.split(file.path)
  out:text("fd.directory", directory)
  out:text("fd.filename", name)
  out:text("fd.name", file.path)
end

local function put_old_path(file)
  out:text("fs.path.name", file and file.path)
  out:text("fs.path.source", file and file.old_path)
end

local function ancestor_name(process, n)
  local list = type(process.ancestors) == "table" and process.ancestors or {}
  return part(list, n) and list[n].name
end

local function put_process(process)
  local argv = type(process.argv) == "table" and process.argv or {}
  local rest = {}
  for i = 2, #argv do
    rest[i - 1] = item.plain(argv[i]) or ""
  end
  local parent = part(process, "parent") or {}
  out:text("proc.aname[2]", ancestor_name(process, 2))
  out:text("proc.aname[3]", ancestor_name(process, 3))
  out:text("proc.args", rest[1] and table.concat(rest, " ") or nil)
  out:text("proc.cmdline", process.cmdline)
  out:text("proc.cwd", process.cwd)
  out:text("proc.exe", argv[1])
  out:text("proc.exepath", process.exe)
  out:put("proc.is_exe_from_memfd", process.memfd == true)
  out:put("proc.is_exe_upper_layer", process.dropped == true)
  out:text("proc.name", process.name)
  out:text("proc.pcmdline", parent.cmdline)
  out:text("proc.pexepath", parent.exe)
  out:put("proc.pid", integer(process.pid))
  out:text("proc.pname", parent.name)
  out:put("proc.ppid", integer(process.ppid))
  out:put("proc.sid", integer(process.sid))
  out:text("proc.sname", process.tty)
  out:put("proc.vpgid", integer(process.pgid))
end

local function put_fields(it, seconds, nanoseconds)
  local process, file, socket, call = part(it, "process"), part(it, "file"), part(it, "socket"), part(it, "call")
  out:open "output_fields"
  put_container(part(it, "container"))
  local failed = item.has_failed(it)
  out:text("evt.res", failed == nil and nil or failed and call.error or "SUCCESS")
  if seconds then
    out:put("evt.time", seconds * 1000000000 + nanoseconds)
  end
  out:text("evt.type", call and call.name or types[it.kind])
  if socket then
    put_socket(it, socket)
  elseif file then
    put_file(file)
  end
  put_old_path(file)
  if process then
    put_process(process)
    out:text("user.name", process.user)
    out:put("user.uid", integer(process.euid or process.uid))
  end
  out:close()
end

local function tags_of(it, rule)
  local tags, seen = { part(it, "container") and "container" or "host" }, {}
  for _, technique in ipairs(rule and attack.of(rule) or {}) do
    local tactic = technique.tactic and "mitre_" .. technique.tactic.name:lower():gsub(" ", "_")
    if tactic and not seen[tactic] then
      seen[tactic] = true
      tags[#tags + 1] = tactic
    end
    tags[#tags + 1] = technique.id
  end
  for _, tag in ipairs(rule and type(rule.tags) == "table" and rule.tags or {}) do
    tags[#tags + 1] = item.plain(tag)
  end
  return tags
end

---@param it table|userdata  an event or an alert
---@return string line  without a newline
return function(it)
  local rule = item.is_alert(it) and it.rule or nil
  local seconds, nanoseconds = item.seconds(it.time)
  local time = seconds and it.time or "1970-01-01T00:00:00.000000000Z"
  local priority = rule and (priorities[rule.severity] or "Warning") or "Debug"
  local message = sentence.of(it)
  out:begin()
  out:text("hostname", item.host_identifier(it))
  out:text("message", message)
  out:put("output", ("%s: %s %s"):format(time:sub(12, -2), priority, message))
  put_fields(it, seconds, nanoseconds)
  out:put("priority", priority)
  out:text("rule", rule and (rule.id or "unknown") or it.kind or "unknown")
  out:put("source", "syscall")
  out:list("tags", tags_of(it, rule))
  out:put("time", time)
  return out:line()
end

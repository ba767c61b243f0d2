--- A result line as osquery's loggers write them, of an event: a row added to the table it would be in, by that table's name.
---
--- Alerts come as rows of moonwatch_alerts, by the name in the flag alert_query_name.  What osquery has no table for is a row of
--- moonwatch_events.  osquery tells a rename in two rows; here it is the second, MOVED_TO, with one column more: old_path.
---
--- As osquery does, all values are texts, what is not known is empty, and control characters are written \xHH.
local context = require "moonwatch.item.context"
local item = require "moonwatch.item"
local sentence = require "moonwatch.item.sentence"
local text = require "moonwatch.text"
local write = require "moonwatch.item.write"

local find, format, gsub = string.find, string.format, string.gsub
local integer, part = item.integer, item.part

local out = write.new()

local function escape(character)
  return format("\\x%02X", character:byte())
end

local function column_text(value)
  local kind = type(value)
  if kind == "string" then
    return find(value, "%c") and gsub(value, "%c", escape) or value
  elseif kind == "number" then
    local whole = integer(value)
    return whole and format("%d", whole) or format("%.15g", value)
  elseif kind == "boolean" then
    return value and "1" or "0"
  end
  return ""
end

--- Names of columns in the order of their bytes.
local function columns(list)
  table.sort(list)
  return list
end

local function put_columns(names, row)
  out:open "columns"
  for _, name in ipairs(names) do
    local value = row[name]
    if value ~= "" or name ~= "old_path" then
      out:text(name, column_text(value))
    end
  end
  out:close()
end

--- A JSON list of what alerts and process_events say of ancestors.
local function ancestors(process)
  local list = process and process.ancestors
  if type(list) ~= "table" or not list[1] then
    return nil
  end
  local parts = {}
  for i, one in ipairs(list) do
    local pid = integer(one.pid)
    local members = { pid and format('"pid":%d', pid) }
    for _, name in ipairs { "name", "exe" } do
      if type(one[name]) == "string" then
        members[#members + 1] = format('"%s":%s', name, text.json(one[name]))
      end
    end
    parts[i] = "{" .. table.concat(members, ",") .. "}"
  end
  return "[" .. table.concat(parts, ",") .. "]"
end

local alert_columns = columns { "ancestors", "attack", "cmdline", "eid", "kind", "message", "name", "parent", "parent_cmdline",
  "parent_name", "parent_path", "path", "pid", "rule", "severity", "summary", "time", "uid", "user",
  -- of what the alert's event is about, for backends that see no more than this
  "attack_version", "container_name", "count", "file_path", "folded", "image", "remote_address", "remote_port", "response", "task_arn" }

local function alert_row(alert)
  local rule, process = alert.rule, part(alert, "process") or {}
  local parent = part(process, "parent") or {}
  local file, socket = part(alert, "file") or {}, part(alert, "socket") or {}
  local container, ecs = part(alert, "container") or {}, part(alert, "ecs") or {}
  return {
    ancestors = ancestors(process),
    attack = type(rule.attack) == "table" and table.concat(rule.attack, ",") or nil,
    cmdline = process.cmdline,
    attack_version = rule.attack_version,
    container_name = container.name,
    count = alert.count,
    eid = alert.id,
    file_path = file.path,
    folded = alert.folded,
    image = container.image,
    kind = alert.kind,
    message = alert.message,
    name = process.name,
    parent = process.ppid,
    parent_cmdline = parent.cmdline,
    parent_name = parent.name,
    parent_path = parent.exe,
    path = process.exe,
    pid = process.pid,
    remote_address = socket.remote_address,
    remote_port = socket.remote_port,
    response = alert.response,
    rule = rule.id,
    severity = rule.severity,
    summary = rule.summary,
    task_arn = ecs.task_arn,
    time = item.seconds(alert.time),
    uid = process.uid,
    user = process.user,
  }
end

-- core/sql/tables/process_events.c, what SELECT * gives, and eid
local process_columns = columns { "ancestors", "atime", "auid", "btime", "cmdline", "ctime", "cwd", "duration_ms", "egid", "eid",
  "euid", "exit_code", "exit_signal", "fsgid", "fsuid", "gid", "mode", "mtime", "name", "owner_gid", "owner_uid", "parent", "path",
  "pid", "sgid", "suid", "syscall", "time", "tty", "uid", "uptime", "user" }

local syscalls = { ["process.exec"] = "execve", ["process.fork"] = "fork", ["process.exit"] = "exit" }

local function process_row(event)
  local process = part(event, "process") or {}
  return {
    ancestors = ancestors(process),
    cmdline = process.cmdline,
    cwd = process.cwd,
    duration_ms = process.duration_ms,
    egid = process.egid,
    eid = event.id,
    euid = process.euid,
    exit_code = process.exit_code,
    exit_signal = process.exit_signal,
    gid = process.gid,
    name = process.name,
    parent = process.ppid,
    path = process.exe,
    pid = process.pid,
    syscall = syscalls[event.kind],
    time = item.seconds(event.time),
    tty = process.tty,
    uid = process.uid,
    user = process.user,
  }
end

-- core/sql/tables/file_events.c, likewise
local file_columns = columns { "action", "atime", "attribution", "category", "closed", "cmdline", "ctime", "eid", "exe",
  "found_by", "gid", "hashed", "inode", "md5", "mode", "mtime", "old_path", "pid", "sha1", "sha256", "size", "target_path", "time",
  "transaction_id", "uid", "user" }

local actions = {
  ["file.create"] = "CREATED",
  ["file.modify"] = "UPDATED",
  ["file.delete"] = "DELETED",
  ["file.rename"] = "MOVED_TO",
  ["file.link"] = "CREATED",
  ["file.symlink"] = "CREATED",
  ["file.attributes"] = "ATTRIBUTES_MODIFIED",
  ["file.open"] = "OPENED",
  ["file.access"] = "ACCESSED",
}

local function file_row(event)
  local file, process = part(event, "file") or {}, part(event, "process") or {}
  return {
    action = actions[event.kind],
    atime = item.seconds(file.atime),
    attribution = file.attribution,
    category = file.category,
    closed = file.closed == true,
    cmdline = process.cmdline,
    ctime = item.seconds(file.ctime),
    eid = event.id,
    exe = process.exe,
    found_by = file.found_by,
    gid = file.gid,
    hashed = integer(file.hashed) or 0,
    inode = file.inode,
    md5 = file.md5,
    mode = item.permissions(file),
    mtime = item.seconds(file.mtime),
    old_path = file.old_path or "",
    pid = process.pid,
    sha1 = file.sha1,
    sha256 = file.sha256,
    size = file.size,
    target_path = file.path,
    time = item.seconds(event.time),
    transaction_id = integer(file.cookie) or 0,
    uid = file.uid,
    user = process.user,
  }
end

-- core/sql/tables/socket_events.c, likewise
local socket_columns = columns { "action", "auid", "cmdline", "eid", "family", "fd", "local_address", "local_port", "name", "path",
  "pid", "protocol", "remote_address", "remote_port", "sampled", "socket", "status", "success", "time", "uptime" }

local families = { unix = 1, ipv4 = 2, ipv6 = 10 }
local protocols = { icmp = 1, tcp = 6, udp = 17 }

local function status(event)
  local call = part(event, "call")
  local failed = item.has_failed(event)
  if failed == nil then
    return call and call.error == "EINPROGRESS" and "in_progress" or nil
  elseif failed and event.kind == "socket.accept" and (call.error == "EAGAIN" or call.error == "EWOULDBLOCK") then
    return "no_client"
  end
  return failed and "failed" or "succeeded"
end

local function socket_row(event)
  local socket, process = part(event, "socket") or {}, part(event, "process") or {}
  local what = status(event)
  return {
    action = event.kind:sub(#"socket." + 1),
    cmdline = process.cmdline,
    eid = event.id,
    family = families[socket.family],
    fd = socket.fd,
    local_address = socket.local_address,
    local_port = socket.local_port,
    name = process.name,
    path = process.exe,
    pid = process.pid,
    protocol = protocols[socket.protocol],
    remote_address = socket.remote_address,
    remote_port = socket.remote_port,
    sampled = event.sampled == true,
    socket = socket.path,
    status = what,
    success = what and what == "succeeded",
    time = item.seconds(event.time),
  }
end

local other_columns = columns { "call", "cmdline", "eid", "error", "kind", "message", "name", "path", "pid", "target_path",
  "target_pid", "time", "uid", "user" }

local function other_row(event)
  local process, call, file = part(event, "process") or {}, part(event, "call") or {}, part(event, "file") or {}
  return {
    call = call.name,
    cmdline = process.cmdline,
    eid = event.id,
    error = call.error,
    kind = event.kind,
    message = sentence.event(event),
    name = process.name,
    path = process.exe,
    pid = process.pid,
    target_path = file.path,
    target_pid = call.target_pid,
    time = item.seconds(event.time),
    uid = process.uid,
    user = process.user,
  }
end

--- Name of the table, its columns, and what makes a row.
local function table_of(event)
  local kind = type(event.kind) == "string" and event.kind or ""
  if syscalls[kind] then
    return "process_events", process_columns, process_row
  elseif actions[kind] then
    return "file_events", file_columns, file_row
  elseif text.starts(kind, "socket.") then
    return "socket_events", socket_columns, socket_row
  end
  return "moonwatch_events", other_columns, other_row
end

--- "Tue Sep 30 17:37:30 2014 UTC", the layout of C's asctime; English whatever the locale.
local DAYS <const> = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" }
local MONTHS <const> = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" }

local function calendar_time(time, seconds)
  return format("%s %s %2d %s %s UTC", DAYS[seconds // 86400 % 7 + 1], MONTHS[tonumber(time:sub(6, 7))] or "Jan",
    tonumber(time:sub(9, 10)), time:sub(12, 19), time:sub(1, 4))
end

local function put_decorations()
  local decorations = context.decorations
  if not decorations or not next(decorations) then
    return
  end
  local names = {}
  for name in pairs(decorations) do
    names[#names + 1] = name
  end
  out:open "decorations"
  for _, name in ipairs(columns(names)) do
    out:text(name, decorations[name])
  end
  out:close()
end

---@param it table|userdata  an event or an alert
---@return string line  without a newline
return function(it)
  local name, names, row_of
  if item.is_alert(it) then
    name, names, row_of = context.alert_query_name, alert_columns, alert_row
  else
    name, names, row_of = table_of(it)
  end
  local seconds = item.seconds(it.time)
  out:begin()
  out:put("name", name)
  out:put("hostIdentifier", item.host_identifier(it))
  out:put("calendarTime", seconds and calendar_time(it.time, seconds) or "")
  out:put("unixTime", seconds or 0)
  out:put("epoch", 0)
  -- 0 says that it is the first answer, what was there before; these are news.
  out:put("counter", 1)
  out:put("numerics", false)
  put_decorations()
  put_columns(names, row_of(it))
  out:put("action", "added")
  return out:line()
end

--- One JSON object a line, an event of the Open Cybersecurity Schema Framework 1.3: Process Activity (1007), File System Activity
--- (1001), Network Activity (4001), Kernel Extension Activity (1002), and Detection Finding (2004) for alerts; what the sensor
--- says of itself is a Base Event (0).
---
--- A spec checks each line against the schema: attributes, types, values, what is required, profiles.
local attack = require "moonwatch.item.attack"
local context = require "moonwatch.item.context"
local item = require "moonwatch.item"
local sentence = require "moonwatch.item.sentence"
local write = require "moonwatch.item.write"

local integer, milliseconds, part = item.integer, item.milliseconds, item.part

local VERSION <const> = "1.3.0"

local out = write.new()

local severities = { info = 1, low = 2, medium = 3, high = 4, critical = 5 }

local OTHER <const> = 99

local process_activities = {
  ["process.exec"] = 1,
  ["process.exec-failed"] = 1,
  ["process.fork"] = 1,
  ["process.exit"] = 2,
  ["process.ptrace"] = 4,
  ["process.setuid"] = 5,
}

local file_activities = {
  ["file.create"] = 1,
  ["file.link"] = 1,
  ["file.symlink"] = 1,
  ["file.access"] = 2,
  ["file.modify"] = 3,
  ["file.delete"] = 4,
  ["file.rename"] = 5,
  ["file.attributes"] = 6,
  ["process.mount"] = 12,
  ["file.open"] = 14,
}

local file_types = { file = 1, dir = 2, character_device = 3, block_device = 4, socket = 5, fifo = 6, symlink = 7 }
local protocol_numbers = { icmp = 1, tcp = 6, udp = 17 }

--- Objects.  Each is written as a member, or (without a name) as an item of a list.

local function put_user(uid, name)
  out:open "user"
  out:text("name", name)
  out:text("uid", uid)
  out:close()
end

local function put_hashes(hashes)
  out:open_list "hashes"
  for id, value in ipairs(hashes) do
    if type(value) == "string" then
      out:open()
      out:put("algorithm_id", id)
      out:text("value", value)
      out:close()
    end
  end
  out:close_list()
end

--- In the order of their numbers: 1 MD5, 2 SHA-1, 3 SHA-256.
local function hashes_of(md5, sha1, sha256)
  return { md5 or false, sha1 or false, sha256 or false }
end

local function put_program(path, sha256)
  if type(path) ~= "string" then
    return
  end
  local directory, name = item.split(path)
  out:open "file"
  out:text("name", name)
  out:text("path", path)
  out:text("parent_folder", directory)
  out:put("type_id", 1)
  put_hashes(hashes_of(nil, nil, sha256))
  out:close()
end

--- Never empty: a process that is not known has a name that says so.  Of parents and of what something is done to, less is known.
---@param only_it "parent"|"target"|nil
local function put_process(name, process, only_it)
  out:open(name)
  out:text("name", process and process.name or not (process and process.pid) and "unknown" or nil)
  out:put("pid", process and integer(process.pid))
  local uid = process and not only_it and item.process_id(process)
  out:text("uid", uid or (not process or not integer(process.pid)) and "unknown" or nil)
  if process then
    out:text("cmd_line", process.cmdline)
    put_program(process.exe, not only_it and item.sha256(process) or nil)
    if only_it == "parent" then
      put_user(process.uid)
    elseif not only_it then
      put_user(process.euid or process.uid, process.user)
      out:put("created_time", milliseconds(process.start))
      out:open "session"
      out:text("uid", process.sid)
      out:text("terminal", process.tty)
      out:close()
    end
    local parent = not only_it and part(process, "parent")
    if parent then
      put_process("parent_process", parent, "parent")
    end
  end
  out:close()
end

local function put_actor(process)
  out:open "actor"
  if process then
    put_process("process", process)
    put_user(process.euid or process.uid, process.user)
  else
    out:put("app_name", "unknown")
  end
  out:close()
end

local function put_file(name, file, path)
  local directory, base, extension = item.split(path)
  out:open(name)
  out:text("name", base or "unknown")
  out:text("path", path)
  out:text("parent_folder", directory)
  out:text("ext", extension)
  out:put("type_id", file_types[item.file_type(file)] or 0)
  out:put("size", integer(file.size))
  out:open "owner"
  out:text("uid", file.uid)
  out:close()
  out:put("accessed_time", milliseconds(file.atime))
  out:put("modified_time", milliseconds(file.mtime))
  put_hashes(hashes_of(file.md5, file.sha1, file.sha256))
  out:close()
end

local function put_endpoint(name, address, unknown)
  out:open(name)
  if address.address then
    out:text("ip", address.address)
  else
    out:text("name", unknown)
  end
  out:put("port", address.port)
  out:close()
end

local function put_connection(it, socket)
  local source, destination = item.ends(it)
  if source.address then
    put_endpoint("src_endpoint", source)
  end
  put_endpoint("dst_endpoint", destination, type(socket.path) == "string" and socket.path or "unknown")
  out:open "connection_info"
  out:put("direction_id", it.kind == "socket.connect" and 2 or it.kind == "socket.accept" and 1 or 0)
  out:text("protocol_name", socket.protocol)
  out:put("protocol_num", protocol_numbers[socket.protocol])
  out:put("protocol_ver_id", socket.family == "ipv4" and 4 or socket.family == "ipv6" and 6 or nil)
  out:close()
end

local function put_container(container)
  if not container or not (container.id or container.name) then
    return
  end
  out:open "container"
  out:text("uid", container.id)
  out:text("name", container.name)
  out:open "image"
  out:text("name", container.image)
  out:text("uid", container.digest)
  out:close()
  out:close()
end

local function put_device(it)
  out:open "device"
  out:text("uid", item.host_identifier(it))
  out:text("hostname", context.host_name)
  out:put("type_id", 6)
  local ecs = part(it, "ecs")
  out:text("region", ecs and ecs.region)
  put_container(part(it, "container"))
  out:close()
end

local function put_cloud(ecs)
  if not ecs then
    return
  end
  out:open "cloud"
  out:put("provider", "AWS")
  out:text("region", ecs.region)
  out:text("zone", ecs.availability_zone)
  out:open "account"
  out:text("uid", ecs.account_id)
  out:put("type_id", ecs.account_id and 10)
  out:close()
  out:close()
end

--- What all classes have.
local function put_base(it, class, activity, severity, profiles)
  out:put("activity_id", activity)
  if activity == OTHER then
    out:text("activity_name", it.kind or "Other")
  end
  out:put("category_uid", class // 1000)
  out:put("class_uid", class)
  out:put("type_uid", class * 100 + activity)
  out:put("severity_id", severity)
  out:put("time", milliseconds(it.time) or 0)
  out:put("message", sentence.of(it))
  out:open "metadata"
  out:put("version", VERSION)
  out:text("uid", it.id)
  out:text("event_code", it.kind)
  out:open "product"
  out:put("name", "moonwatch")
  out:put("vendor_name", "moonwatch")
  out:text("version", context.version)
  out:close()
  if part(it, "ecs") then
    profiles[#profiles + 1] = "cloud"
  end
  out:list("profiles", profiles)
  out:close()
  put_cloud(part(it, "ecs"))
end

local function put_status(it, is_done)
  local failed = item.has_failed(it)
  if failed ~= nil or is_done then
    out:put("status_id", failed and 2 or 1)
    out:text("status_code", failed and part(it, "call").error)
  end
end

local function put_unmapped(it)
  local file, socket = part(it, "file"), part(it, "socket")
  local call = part(it, "call")
  out:open "unmapped"
  if it.sampled == true then
    out:put("sampled", true)
  end
  out:text("file_found_by", file and file.found_by)
  out:text("file_attribution", file and file.attribution)
  out:text("file_category", file and file.category)
  out:text("socket_path", socket and socket.path)
  out:text("system_call", call and call.name)
  out:text("system_call_text", call and call.text)
  out:close()
end

--- Classes.

local function process_activity(it)
  local process = part(it, "process")
  put_base(it, 1007, process_activities[it.kind] or OTHER, 1, { "host", "container" })
  put_status(it, it.kind == "process.exec" or it.kind == "process.fork")
  local call = part(it, "call")
  local target = call and part(call, "target")
  if target then
    put_actor(process)
    put_process("process", target, "target")
  elseif it.kind == "process.exec" or it.kind == "process.fork" or it.kind == "process.exit" then
    -- Who made it is the actor.
    local parent = process and part(process, "parent")
    if parent then
      out:open "actor"
      put_process("process", parent, "parent")
      out:close()
    else
      put_actor(nil)
    end
    put_process("process", process)
    out:put("exit_code", it.kind == "process.exit" and process and integer(process.exit_code) or nil)
  else
    put_actor(process)
    put_process("process", process)
  end
  put_device(it)
end

local function file_activity(it)
  local file = part(it, "file") or {}
  put_base(it, 1001, file_activities[it.kind], 1, { "host", "container" })
  put_status(it, true)
  put_actor(part(it, "process"))
  put_device(it)
  if it.kind == "file.rename" and file.old_path then
    put_file("file", file, file.old_path)
    put_file("file_result", file, file.path)
  else
    put_file("file", file, file.path)
  end
end

local function network_activity(it)
  local socket = part(it, "socket") or {}
  local call = part(it, "call")
  local activity = it.kind == "socket.listen" and 7 or it.kind == "socket.bind" and OTHER or 1
  if activity == 1 and item.has_failed(it) then
    activity = call.error == "ECONNREFUSED" and 5 or 4
  end
  put_base(it, 4001, activity, 1, { "host", "container" })
  put_status(it)
  put_actor(part(it, "process"))
  put_device(it)
  put_connection(it, socket)
end

local function kernel_extension_activity(it)
  local call = part(it, "call")
  local name = call and type(call.text) == "string" and call.text or "unknown"
  local is_unload = call and call.name == "delete_module"
  put_base(it, 1002, is_unload and 2 or 1, 1, { "host", "container" })
  put_status(it)
  put_actor(part(it, "process"))
  put_device(it)
  out:open "driver"
  out:open "file"
  out:text("name", name)
  out:put("type_id", 1)
  out:close()
  out:close()
end

local function put_attacks(rule)
  out:open_list "attacks"
  for _, technique in ipairs(attack.of(rule)) do
    out:open()
    out:text("version", rule.attack_version or attack.version)
    if technique.tactic then
      out:open "tactic"
      out:text("uid", technique.tactic.id)
      out:text("name", technique.tactic.name)
      out:close()
    end
    out:open "technique"
    out:text("uid", technique.parent or technique.id)
    if technique.parent then
      out:text("name", technique.parent_name)
    else
      out:text("name", technique.name)
    end
    out:close()
    if technique.parent then
      out:open "sub_technique"
      out:text("uid", technique.id)
      out:text("name", technique.name)
      out:close()
    end
    out:close()
  end
  out:close_list()
end

local function put_evidences(alert)
  local process, file, socket = part(alert, "process"), part(alert, "file"), part(alert, "socket")
  if not (process or file or socket) then
    return
  end
  out:open_list "evidences"
  out:open()
  if process then
    put_actor(process)
    put_process("process", process)
  end
  if file then
    put_file("file", file, file.path)
  end
  if socket then
    put_connection(alert, socket)
  end
  put_container(part(alert, "container"))
  out:close()
  out:close_list()
end

local function detection_finding(alert)
  local rule, ecs = alert.rule, part(alert, "ecs")
  local severity = severities[rule.severity]
  local is_blocked = alert.response == "kill" or alert.response == "deny"
  put_base(alert, 2004, 1, severity or 0, { "host", "container", is_blocked and "security_control" or nil })
  out:put("status_id", 1)
  if is_blocked then
    out:put("action_id", 2)
    out:put("disposition_id", 2)
  end
  out:open "finding_info"
  out:text("uid", type(alert.id) == "string" and type(rule.id) == "string" and alert.id .. "/" .. rule.id or "unknown")
  out:text("title", rule.summary or rule.id or "unknown")
  out:put("desc", sentence.of(alert))
  out:put("created_time", milliseconds(alert.time))
  out:open "analytic"
  out:put("type_id", 1)
  out:text("uid", rule.id or "unknown")
  out:text("name", rule.summary)
  out:close()
  put_attacks(rule)
  out:close()
  put_evidences(alert)
  put_device(alert)
  if ecs and ecs.task_arn then
    out:open_list "resources"
    out:open()
    out:text("uid", ecs.task_arn)
    out:text("name", ecs.service or ecs.family)
    out:put("type", "AWS::ECS::Task")
    out:text("region", ecs.region)
    out:close()
    out:close_list()
  end
end

local function base_event(it)
  put_base(it, 0, OTHER, 1, {})
end

---@param it table|userdata  an event or an alert
---@return string line  without a newline
return function(it)
  out:begin()
  local kind = type(it.kind) == "string" and it.kind or ""
  if item.is_alert(it) then
    detection_finding(it)
  elseif file_activities[kind] then
    file_activity(it)
  elseif kind == "process.module" then
    kernel_extension_activity(it)
  elseif kind:sub(1, 8) == "process." then
    process_activity(it)
  elseif kind:sub(1, 7) == "socket." then
    network_activity(it)
  else
    base_event(it)
  end
  put_unmapped(it)
  return out:line()
end

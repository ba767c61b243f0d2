--- One JSON object a line in the fields of the Elastic Common Schema 8; what it has no field for is below "moonwatch".
---
--- Categories, types and fields are those of ECS 8.11; a spec checks each line against its list of fields.
local attack = require "moonwatch.item.attack"
local context = require "moonwatch.item.context"
local item = require "moonwatch.item"
local sentence = require "moonwatch.item.sentence"
local write = require "moonwatch.item.write"

local integer, part = item.integer, item.part

local VERSION <const> = "8.11.0"

local out = write.new()

--- Of each kind: category, type, action.
local kinds = {
  ["process.exec"] = { "process", "start", "exec" },
  ["process.exec-failed"] = { "process", "start", "exec" },
  ["process.fork"] = { "process", "start", "fork" },
  ["process.exit"] = { "process", "end", "end" },
  ["process.ptrace"] = { "process", "access", "ptrace" },
  ["process.memfd"] = { "process", "info", "memfd_create" },
  ["process.mount"] = { "process", "change", "mount" },
  ["process.setns"] = { "process", "change", "setns" },
  ["process.unshare"] = { "process", "change", "unshare" },
  ["process.bpf"] = { "process", "info", "bpf" },
  ["process.module"] = { "driver", "change", "kernel_module" },
  ["process.prctl-name"] = { "process", "change", "rename_process" },
  ["process.dup-to-stdio"] = { "process", "change", "dup_to_stdio" },
  ["process.setuid"] = { "process", "change", "change_user_id" },
  ["process.kill"] = { "process", "access", "signal" },
  ["file.open"] = { "file", "access", "open" },
  ["file.access"] = { "file", "access", "read" },
  ["file.create"] = { "file", "creation", "creation" },
  ["file.modify"] = { "file", "change", "modification" },
  ["file.delete"] = { "file", "deletion", "deletion" },
  ["file.rename"] = { "file", "change", "rename" },
  ["file.link"] = { "file", "creation", "link" },
  ["file.symlink"] = { "file", "creation", "symlink" },
  ["file.attributes"] = { "file", "change", "attributes" },
  ["socket.connect"] = { "network", { "connection", "start" }, "connection_attempted" },
  ["socket.bind"] = { "network", "info", "bind" },
  ["socket.listen"] = { "network", "info", "listen" },
  ["socket.accept"] = { "network", { "connection", "start" }, "connection_accepted" },
  ["sensor.health"] = { "host", "info", "health" },
  ["sensor.gap"] = { "host", "info", "gap" },
}
local OTHER <const> = { "host", "info", "other" }

--- event.severity, and Elastic's risk score.
local severities = { info = { 1, 21 }, low = { 2, 21 }, medium = { 3, 47 }, high = { 4, 73 }, critical = { 5, 99 } }

local function put_event(it, is_alert)
  local kind = kinds[it.kind] or OTHER
  local failed = item.has_failed(it)
  local types = type(kind[2]) == "table" and kind[2] or { kind[2] }
  if failed and it.kind == "socket.connect" then
    types = { "connection", "denied" }
  end
  out:open "event"
  out:put("kind", is_alert and "alert" or "event")
  out:list("category", is_alert and { "intrusion_detection", kind[1] } or { kind[1] })
  out:list("type", is_alert and { "info" } or types)
  out:put("action", kind[3])
  if failed ~= nil or it.kind == "process.exec" or it.kind == "process.fork" then
    out:put("outcome", failed and "failure" or "success")
  end
  out:put("module", "moonwatch")
  out:put("dataset", is_alert and "moonwatch.alerts" or "moonwatch.events")
  out:put("provider", "moonwatch")
  out:text("id", it.id)
  if is_alert then
    local severity = severities[it.rule.severity]
    out:put("severity", severity and severity[1])
    out:put("risk_score", severity and severity[2])
  end
  out:close()
end

local function put_user(name, id, user)
  out:open(name)
  out:text("id", id)
  out:text("name", user)
  out:close()
end

local function put_process(process)
  if not process then
    return
  end
  local cmdline = process.cmdline
  local argv = type(process.argv) == "table" and process.argv or nil
  out:open "process"
  out:put("pid", integer(process.pid))
  out:put("entity_id", item.process_id(process))
  out:text("name", process.name)
  out:text("executable", process.exe)
  out:list("args", argv)
  out:put("args_count", argv and #argv)
  out:text("command_line", cmdline)
  out:text("working_directory", process.cwd)
  out:text("start", process.start)
  if process.tty then
    out:put("interactive", true)
  end
  out:put("exit_code", integer(process.exit_code))
  out:open "hash"
  out:text("sha256", item.sha256(process))
  out:close()
  put_user("user", process.euid, process.user)
  put_user("real_user", process.uid)
  out:open "real_group"
  out:text("id", process.gid)
  out:close()
  out:open "group_leader"
  out:put("pid", integer(process.pgid))
  out:close()
  out:open "session_leader"
  out:put("pid", integer(process.sid))
  out:close()
  local parent = part(process, "parent")
  if parent then
    out:open "parent"
    out:put("pid", integer(parent.pid))
    out:text("name", parent.name)
    out:text("executable", parent.exe)
    out:text("command_line", parent.cmdline)
    put_user("real_user", parent.uid)
    out:close()
  end
  out:close()
  put_user("user", process.euid, process.user)
end

local function put_file(it, file)
  if not file then
    return
  end
  local directory, name, extension = item.split(file.path)
  out:open "file"
  out:text("path", file.path)
  out:text("directory", directory)
  out:text("name", name)
  out:text("extension", extension)
  out:text("target_path", it.kind == "file.symlink" and file.old_path or nil)
  out:put("type", item.file_type(file))
  out:put("mode", item.permissions(file))
  out:text("uid", file.uid)
  out:text("gid", file.gid)
  out:text("inode", file.inode)
  out:put("size", integer(file.size))
  out:text("accessed", file.atime)
  out:text("mtime", file.mtime)
  out:text("ctime", file.ctime)
  out:open "hash"
  out:text("md5", file.md5)
  out:text("sha1", file.sha1)
  out:text("sha256", file.sha256)
  out:close()
  out:close()
end

local function put_end(name, address)
  out:open(name)
  out:text("address", address.address)
  out:text("ip", address.address)
  out:put("port", address.port)
  out:close()
end

local function put_network(it, socket)
  if not socket then
    return
  end
  out:open "network"
  out:put("type", (socket.family == "ipv4" or socket.family == "ipv6") and socket.family or nil)
  out:text("transport", socket.protocol)
  out:put("direction", it.kind == "socket.connect" and "egress" or it.kind == "socket.accept" and "ingress" or nil)
  out:close()
  local source, destination = item.ends(it)
  put_end("source", source)
  put_end("destination", destination)
end

local function put_rule(rule)
  out:open "rule"
  out:text("id", rule.id)
  out:text("name", rule.summary or rule.id)
  out:put("ruleset", "moonwatch")
  out:close()

  out:list("tags", type(rule.tags) == "table" and rule.tags or nil)
  local ids, names, sub_ids, sub_names, tactic_ids, tactic_names, seen = {}, {}, {}, {}, {}, {}, {}
  local function add(list, value)
    if value and not seen[value] then
      list[#list + 1] = value
    end
  end
  for _, technique in ipairs(attack.of(rule)) do
    local parent = technique.parent
    add(ids, parent or technique.id)
    add(names, parent and technique.parent_name or not parent and technique.name)
    if parent then
      add(sub_ids, technique.id)
      add(sub_names, technique.name)
    end
    local tactic = technique.tactic
    if tactic and not seen[tactic.id] then
      add(tactic_ids, tactic.id)
      add(tactic_names, tactic.name)
      seen[tactic.id] = true
    end
    seen[parent or technique.id] = true
  end
  if not ids[1] then
    return
  end
  out:open "threat"
  out:put("framework", "MITRE ATT&CK")
  out:open "tactic"
  out:list("id", tactic_ids)
  out:list("name", tactic_names)
  out:close()
  out:open "technique"
  out:list("id", ids)
  out:list("name", names)
  out:open "subtechnique"
  out:list("id", sub_ids)
  out:list("name", sub_names)
  out:close()
  out:close()
  out:close()
end

local function put_where(it)
  local container, ecs = part(it, "container"), part(it, "ecs")
  out:open "host"
  out:text("name", item.host_identifier(it))
  out:text("hostname", context.host_name)
  out:close()
  out:open "agent"
  out:put("type", "moonwatch")
  out:text("version", context.version)
  out:close()
  if container then
    out:open "container"
    out:text("id", container.id)
    out:text("name", container.name)
    out:open "image"
    out:text("name", container.image)
    out:open "hash"
    out:list("all", { type(container.digest) == "string" and container.digest or nil })
    out:close()
    out:close()
    out:close()
  end
  if not ecs then
    return
  end
  out:open "cloud"
  out:put("provider", "aws")
  out:text("region", ecs.region)
  out:text("availability_zone", ecs.availability_zone)
  out:open "account"
  out:text("id", ecs.account_id)
  out:close()
  out:open "service"
  out:put("name", ecs.launch_type == "FARGATE" and "fargate" or "ecs")
  out:close()
  out:close()
  out:open "orchestrator"
  out:put("type", "ecs")
  out:open "cluster"
  out:text("name", ecs.cluster)
  out:close()
  out:open "resource"
  out:put("type", "task")
  out:text("id", ecs.task_arn)
  out:text("name", ecs.family)
  out:close()
  out:close()
  out:open "service"
  out:text("name", ecs.service)
  out:close()
end

local function put_related(it)
  local process, file, socket = part(it, "process"), part(it, "file"), part(it, "socket")
  out:open "related"
  out:list("user", { process and type(process.user) == "string" and process.user or nil })
  local ips = {}
  for _, name in ipairs { "local_address", "remote_address" } do
    ips[#ips + 1] = socket and type(socket[name]) == "string" and socket[name] or nil
  end
  out:list("ip", ips)
  local hashes = {}
  for _, hash in ipairs { item.sha256(process) or "", file and file.sha256 or "" } do
    hashes[#hashes + 1] = type(hash) == "string" and hash ~= "" and hash or nil
  end
  out:list("hash", hashes)
  out:close()
end

--- What ECS has no name for.
local function put_own(it, is_alert)
  local process, file, socket, call = part(it, "process"), part(it, "file"), part(it, "socket"), part(it, "call")
  out:open "moonwatch"
  out:text("kind", it.kind)
  if is_alert then
    out:text("severity", it.rule.severity)
    out:text("response", it.response)
    out:text("attack_version", it.rule.attack_version)
    out:put("count", integer(it.count))
    out:put("folded", integer(it.folded))
    out:list("earlier", it.earlier)
  end
  if it.sampled == true then
    out:put("sampled", true)
  end
  if process then
    out:open "process"
    for _, name in ipairs { "script", "program", "execfn", "exit_signal", "duration_ms", "cpu_ms", "max_rss_bytes", "tty" } do
      out:put(name, process[name])
    end
    for _, name in ipairs { "deleted", "memfd", "fileless", "dropped", "secure", "observed_late", "argv_truncated" } do
      if process[name] == true then
        out:put(name, true)
      end
    end
    out:open_list "ancestors"
    for _, ancestor in ipairs(type(process.ancestors) == "table" and process.ancestors or {}) do
      out:open()
      out:put("pid", integer(part({ ancestor }, 1) and ancestor.pid))
      out:text("name", part({ ancestor }, 1) and ancestor.name)
      out:text("executable", part({ ancestor }, 1) and ancestor.exe)
      out:close()
    end
    out:close_list()
    out:close()
  end
  if file then
    out:open "file"
    out:text("old_path", file.old_path)
    out:text("category", file.category)
    out:text("found_by", file.found_by)
    out:text("attribution", file.attribution)
    out:close()
  end
  if socket then
    out:open "socket"
    out:text("family", socket.family)
    out:text("path", socket.path)
    out:close()
  end
  if call then
    out:open "call"
    for _, name in ipairs { "name", "result", "error", "number", "text", "target_pid" } do
      out:put(name, call[name])
    end
    out:close()
  end
  local gap = item.gap(it)
  if gap then
    out:open "gap"
    for _, name in ipairs { "reason", "duration_ms", "missed", "found" } do
      out:put(name, gap[name])
    end
    out:close()
  end
  out:close()
end

---@param it table|userdata  an event or an alert
---@return string line  without a newline
return function(it)
  local is_alert = item.is_alert(it)
  out:begin()
  out:text("@timestamp", item.seconds(it.time) and it.time or "1970-01-01T00:00:00.000000000Z")
  out:open "ecs"
  out:put("version", VERSION)
  out:close()
  out:put("message", sentence.of(it))
  put_event(it, is_alert)
  if is_alert then
    put_rule(it.rule)
  end
  put_process(part(it, "process"))
  put_file(it, part(it, "file"))
  put_network(it, part(it, "socket"))
  put_where(it)
  put_related(it)
  put_own(it, is_alert)
  return out:line()
end

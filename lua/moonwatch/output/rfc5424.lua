--- A syslog message, RFC 5424: header, structured data, and a sentence.  Whoever sends it over TCP or TLS frames it by octet count
--- (RFC 6587, RFC 5425).
---
--- The facility is authpriv.  32473 is the enterprise number that RFC 5612 reserves for examples: there is none of our own.
local attack = require "moonwatch.item.attack"
local context = require "moonwatch.item.context"
local item = require "moonwatch.item"
local sentence = require "moonwatch.item.sentence"

local part, plain = item.part, item.plain

local FACILITY <const> = 10
local severities = { info = 6, low = 5, medium = 4, high = 3, critical = 2 }
local BOM <const> = "\u{FEFF}"

--- Printable ASCII without blanks, at most so long; "-" for nothing.
local function word(value, max_bytes)
  local text = type(value) == "string" and value:gsub("[^\x21-\x7E]", "_"):sub(1, max_bytes) or ""
  return text ~= "" and text or "-"
end

--- Six digits of a second's fraction are the most there may be.
local function timestamp(time)
  return item.seconds(time) and #time >= 27 and time:sub(1, 26) .. "Z" or "-"
end

local parameters = {}

local function put(name, value)
  local text = plain(value)
  if text and text ~= "" then
    parameters[#parameters + 1] = (' %s="%s"'):format(name, (text:gsub('["\\%]]', "\\%0")))
  end
end

local function put_process(process)
  put("pid", process.pid)
  put("process", process.name)
  put("exe", process.exe)
  put("cmdline", process.cmdline)
  put("user", process.user)
  put("uid", process.uid)
  put("euid", process.euid)
  put("tty", process.tty)
  put("exitCode", process.exit_code)
  put("exitSignal", process.exit_signal)
  local parent = part(process, "parent")
  if parent then
    put("parentPid", parent.pid)
    put("parent", parent.name)
    put("parentExe", parent.exe)
  end
end

local function techniques(rule)
  local ids = {}
  for i, technique in ipairs(attack.of(rule)) do
    ids[i] = technique.id
  end
  return table.concat(ids, ",")
end

local function structured(it, rule)
  parameters = {}
  put("id", it.id)
  put("kind", it.kind)
  if rule then
    put("rule", rule.id)
    put("severity", rule.severity)
    put("attack", techniques(rule))
    put("response", it.response)
  end
  local process, file, socket, call = part(it, "process"), part(it, "file"), part(it, "socket"), part(it, "call")
  if process then
    put_process(process)
  end
  if file then
    put("path", file.path)
    put("oldPath", file.old_path)
    put("attribution", file.attribution)
    put("sha256", file.sha256)
  end
  if socket then
    put("protocol", socket.protocol)
    put("localAddress", socket.local_address)
    put("localPort", socket.local_port)
    put("remoteAddress", socket.remote_address)
    put("remotePort", socket.remote_port)
    put("socketPath", socket.path)
  end
  if call then
    put("call", call.name)
    put("error", call.error)
    put("targetPid", call.target_pid)
  end
  local container, ecs = part(it, "container"), part(it, "ecs")
  if container then
    put("container", container.name)
    put("containerId", container.id)
    put("image", container.image)
  end
  put("taskArn", ecs and ecs.task_arn)
  put("hostIdentifier", item.host_identifier(it))
  return table.concat(parameters)
end

---@param it table|userdata  an event or an alert
---@return string line  without a newline
return function(it)
  local rule = item.is_alert(it) and it.rule or nil
  local severity = rule and (severities[rule.severity] or 4) or 6
  local process = part(it, "process")
  return ('<%d>1 %s %s moonwatch %s %s [origin software="moonwatch" swVersion="%s"][moonwatch@32473%s] %s%s'):format(
    FACILITY * 8 + severity, timestamp(it.time), word(context.host_name, 255), word(plain(process and process.pid), 128),
    word(rule and "alert" or it.kind, 32), word(context.version, 32):gsub('["\\%]]', "_"), structured(it, rule), BOM, sentence.of(it))
end

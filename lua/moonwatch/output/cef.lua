--- ArcSight's Common Event Format: a header of seven fields between bars, and an extension of key=value.
---
--- In the header \ and | are escaped, in values of the extension \ and = and the ends of lines.  Values are cut at the lengths the
--- format gives each key.
local attack = require "moonwatch.item.attack"
local context = require "moonwatch.item.context"
local item = require "moonwatch.item"
local sentence = require "moonwatch.item.sentence"

local cut, integer, part, plain = item.cut, item.integer, item.part, item.plain

local severities = { info = 2, low = 4, medium = 6, high = 7, critical = 9 }
--- Of what is no alert.
local EVENT <const> = 1
local NAME_BYTES <const> = 512

local function header(value, otherwise)
  return (cut(plain(value) or otherwise, NAME_BYTES):gsub("[\\|]", "\\%0"))
end

local ends_of_lines = { ["\n"] = "\\n", ["\r"] = "\\r" }

local keys = {}

local function put(key, value, max_bytes)
  if type(value) ~= "string" and type(value) ~= "number" or value == "" then
    return
  end
  local text = type(value) == "string" and value or plain(value)
  if text:find "[%c\\=\x80-\xFF]" then
    -- Ends of lines have an escape of their own, and so are kept from becoming plain.
    text = text:gsub("[^\r\n]+", plain)
    text = cut(text, max_bytes):gsub("[\\=]", "\\%0"):gsub("[\r\n]", ends_of_lines)
  else
    text = cut(text, max_bytes)
  end
  keys[#keys + 1] = key .. "=" .. text
end

local function put_labelled(key, label, value, max_bytes)
  local n = #keys
  put(key, value, max_bytes)
  if #keys > n then
    keys[#keys + 1] = key .. "Label=" .. label
  end
end

local function put_process(process)
  put("spid", integer(process.pid), 20)
  put("sproc", process.exe or process.name, 1023)
  put("suid", process.euid, 1023)
  put("suser", process.user, 1023)
  put_labelled("cs1", "commandLine", process.cmdline, 4000)
  local parent = part(process, "parent")
  if parent then
    put_labelled("cs2", "parentProcess", parent.cmdline or parent.exe or parent.name, 4000)
    put_labelled("cn1", "parentPid", integer(parent.pid), 20)
  end
  put_labelled("cn2", "exitCode", integer(process.exit_code), 20)
end

local function put_file(file)
  local _, name = item.split(file.path)
  put("fname", name, 1023)
  put("filePath", file.path, 1023)
  put("oldFilePath", file.old_path, 1023)
  put("fileHash", file.sha256 or file.sha1 or file.md5, 255)
  put("fileId", integer(file.inode), 1023)
  put("filePermission", item.permissions(file), 1023)
  put("fsize", integer(file.size), 20)
end

--- An address of IPv6 has a key of its own.
local function put_end(address, key, key6, label, port_key)
  local is_ipv6 = type(address.address) == "string" and address.address:find(":", 1, true)
  if is_ipv6 then
    put_labelled(key6, label, address.address, 64)
  else
    put(key, address.address, 64)
  end
  put(port_key, address.port, 8)
end

local function put_socket(it, socket)
  put("proto", type(socket.protocol) == "string" and socket.protocol:upper() or nil, 31)
  local source, destination = item.ends(it)
  put_end(source, "src", "c6a2", "Source IPv6 Address", "spt")
  put_end(destination, "dst", "c6a3", "Destination IPv6 Address", "dpt")
  if it.kind == "socket.connect" or it.kind == "socket.accept" then
    put("deviceDirection", it.kind == "socket.connect" and 1 or 0, 1)
  end
  put("filePath", socket.path, 1023)
end

local function techniques(rule)
  local ids = {}
  for i, technique in ipairs(attack.of(rule)) do
    ids[i] = technique.id
  end
  return table.concat(ids, ",")
end

---@param it table|userdata  an event or an alert
---@return string line  without a newline
return function(it)
  local rule = item.is_alert(it) and it.rule or nil
  keys = {}
  put("rt", item.milliseconds(it.time), 20)
  put("externalId", it.id, 40)
  put("deviceExternalId", item.host_identifier(it), 255)
  put("dvchost", context.host_name, 100)
  put("cat", rule and "alert" or "event", 1023)
  put("act", rule and it.response or it.kind, 63)
  local call = part(it, "call")
  local failed = item.has_failed(it)
  if failed ~= nil then
    put("outcome", failed and "failure" or "success", 63)
    put("reason", failed and call.error or nil, 1023)
  end
  local process, file, socket = part(it, "process"), part(it, "file"), part(it, "socket")
  if process then
    put_process(process)
  end
  if file then
    put_file(file)
  end
  if socket then
    put_socket(it, socket)
  end
  local target = call and part(call, "target")
  if target then
    put("dpid", integer(target.pid), 20)
    put("dproc", target.exe or target.name, 1023)
  end
  put_labelled("cs3", "attack", rule and techniques(rule), 4000)
  local container, ecs = part(it, "container"), part(it, "ecs")
  if container then
    put_labelled("cs4", "container", container.id or container.name, 4000)
    put_labelled("cs5", "image", container.image, 4000)
  end
  put_labelled("cs6", "taskArn", ecs and ecs.task_arn, 4000)
  put("msg", sentence.of(it), 1023)
  return ("CEF:0|moonwatch|moonwatch|%s|%s|%s|%d|%s"):format(header(context.version, "0"), header(rule and rule.id or it.kind, "unknown"),
    header(rule and (rule.summary or rule.id) or it.kind, "unknown"), rule and (severities[rule.severity] or 5) or EVENT,
    table.concat(keys, " "))
end

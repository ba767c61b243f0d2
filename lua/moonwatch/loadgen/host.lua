--- One host that is played: who it is, what it sends, and when, as the sensor does.
local cjson = require "cjson"
local loop = require "moonwatch.loop"
local retry = require "moonwatch.aws.retry"
local tls = require "moonwatch.tls"

---@class moonwatch.loadgen.host
local M = {}

local VERSION <const> = "5.23.0"
local BASE_MS <const> = 1000
local NEVER <const> = math.huge
--- Lines that wait while the backend is away; older ones are dropped, and counted.
local LINES_KEPT <const> = 4096
local LINES_SENT <const> = 1024

local KINDS <const> = { "config", "read", "log" }

---@class moonwatch.loadgen.Host
---@field uuid string
---@field key string?  of the node, once it is enrolled
---@field due table<string, number>  when each kind of request is to be made, in ms of loop.now()
---@field failures integer  in a row
---@field pending number  log lines, and a part of the next one
local Host = {}
Host.__index = Host

local function uuid(random)
  return ("%08x-%04x-5%03x-%04x-%012x"):format(random(0, 0xffffffff), random(0, 0xffff), random(0, 0xfff), random(0x8000, 0xbfff),
    random(0, 0xffffffffffff))
end

---@param shared moonwatch.loadgen.Shared
---@param start number  when it begins
---@return moonwatch.loadgen.Host
function M.new(shared, start)
  local host = { shared = shared, uuid = uuid(math.random), failures = 0, pending = 0, made = 0, since = start }
  host.due = { enroll = start, config = NEVER, read = NEVER, log = NEVER }
  host.ends = shared.options.life_s > 0 and start + 1000 * shared.options.life_s * (0.5 + math.random()) or NEVER
  return setmetatable(host, Host)
end

--- When it wants to do something next, and what.
---@return number at
---@return string kind
function Host:next()
  if not self.key then
    return self.due.enroll, "enroll"
  end
  local at, kind = NEVER, ""
  for _, name in ipairs(KINDS) do
    if self.due[name] < at then
      at, kind = self.due[name], name
    end
  end
  return at, kind
end

local function details(self)
  local task = self.uuid:gsub("-", "")
  local text = cjson.encode {
    os_version = { name = "Debian GNU/Linux", version = "12 (bookworm)", major = "12", minor = "0", patch = "0", build = "",
      platform = "debian", platform_like = "", codename = "bookworm", arch = "x86_64", pid_with_namespace = "0" },
    osquery_info = { pid = "7", uuid = self.uuid, instance_id = self.uuid, version = VERSION, config_hash = "", config_valid = "0",
      extensions = "inactive", build_platform = "linux", build_distro = "debian", watcher = "-1", platform_mask = "9",
      start_time = tostring(math.floor(loop.time())) },
    system_info = { hostname = ("loadgen/%s/web"):format(task), uuid = self.uuid, cpu_type = "x86_64", cpu_subtype = "", cpu_brand = "",
      cpu_physical_cores = "1", cpu_logical_cores = "1", cpu_sockets = "1", cpu_microcode = "", physical_memory = "536870912",
      hardware_vendor = "Amazon ECS", hardware_model = "Fargate", hardware_version = "", hardware_serial = task,
      computer_name = "loadgen/web", local_hostname = "ip-10-0-0-7" },
  }
  return text
end

local LINE <const> = [[{"name":"process_events","hostIdentifier":"%s","calendarTime":"%s","unixTime":%d,"epoch":0,"counter":1,]]
  .. [["numerics":false,"columns":{"cmdline":"curl -fsS --max-time 5 http://127.0.0.1:8080/healthz","cwd":"/srv/app","egid":"0",]]
  .. [["eid":"%s-%d","euid":"0","gid":"0","name":"curl","parent":"%d","path":"/usr/bin/curl","pid":"%d","syscall":"execve",]]
  .. [["time":"%d","tty":"","uid":"0","user":"root"},"action":"added"}]]

local function log_body(self, count)
  local now = math.floor(loop.time())
  local calendar = os.date("!%a %b %d %H:%M:%S %Y UTC", now):gsub(" 0(%d) ", "  %1 ", 1)
  local lines = {}
  for i = 1, count do
    self.made = self.made + 1
    lines[i] = LINE:format(self.uuid, calendar, now, self.uuid, self.made, math.random(2, 32000), math.random(2, 32000), now)
  end
  return ('{"node_key":%s,"log_type":"result","data":[%s]}'):format(cjson.encode(self.key), table.concat(lines, ","))
end

function Host:post(kind, body)
  local shared = self.shared
  self.client = self.client or assert(tls.client())
  local headers = { ["Content-Type"] = "application/json", Accept = "application/json", ["User-Agent"] = "osquery/" .. VERSION }
  if kind ~= "enroll" then
    headers.Authorization = "NodeKey " .. self.key
  end
  local before = loop.now()
  local answer, message, code = tls.request {
    client = self.client, url = shared.origin .. shared.paths[kind], resolve = shared.resolve, headers = headers, body = body,
    gzip = kind == "log" and shared.options.compress, ca_file = shared.ca_file,
  }
  return shared.count:answer(kind, loop.now() - before, #body, answer, message, code)
end

local function enroll(self)
  local told, trouble = self:post("enroll", self.shared.enrolment(self.uuid, details(self)))
  local key = told and (told.node_key or told.id)
  if not key then
    return nil, trouble
  end
  local now, options = loop.now(), self.shared.options
  self.key, self.since = key, now
  self.shared.count:enrolled()
  -- The first lines and the configuration at once; what is asked for again and again is spread.
  self.due.config, self.due.log = now, now
  self.due.read = now + 1000 * options.distributed_s * math.random()
  return true
end

local function config(self)
  return self:post("config", ('{"node_key":%s}'):format(cjson.encode(self.key)))
end

local function read(self)
  local told, trouble = self:post("read", ('{"node_key":%s}'):format(cjson.encode(self.key)))
  local queries = told and type(told.queries) == "table" and told.queries or {}
  if not next(queries) then
    return told, trouble
  end
  local answers = { queries = {}, statuses = {}, messages = {}, stats = {}, node_key = self.key }
  for id in pairs(queries) do
    answers.queries[id], answers.statuses[id], answers.messages[id] = { { played = "1" } }, 0, ""
    answers.stats[id] = { wall_time_ms = 1, user_time = 0, system_time = 0, memory = 0 }
  end
  return self:post("write", cjson.encode(answers))
end

local function log(self)
  local now, count = loop.now(), self.shared.count
  self.pending = self.pending + self.shared.options.lines_per_s * (now - self.since) / 1000
  self.since = now
  local lines = math.floor(self.pending)
  if lines > LINES_KEPT then
    count:dropped(lines - LINES_KEPT)
    self.pending = self.pending - (lines - LINES_KEPT)
  end
  lines = math.min(lines, LINES_SENT)
  if lines == 0 then
    return true
  end
  local told, trouble = self:post("log", log_body(self, lines))
  if told then
    self.pending = self.pending - lines
    count:sent(lines)
  end
  return told, trouble
end

local actions = { enroll = enroll, config = config, read = read, log = log }
local periods = { config = "config_s", read = "distributed_s", log = "log_s" }

--- Do what is due, and settle when it is next.
---@param kind string
function Host:step(kind)
  local told, trouble = actions[kind](self)
  local period_ms = periods[kind] and 1000 * self.shared.options[periods[kind]] or 0
  if told then
    self.failures = 0
    if kind ~= "enroll" then
      self.due[kind] = loop.now() + period_ms * (0.9 + 0.2 * math.random())
    end
    return
  end
  self.failures = self.failures + 1
  local pause_ms = retry.delay(self.failures, BASE_MS) + 1000 * (trouble and trouble.retry_after_s or 0)
  if trouble and trouble.is_invalid then
    self.key = nil
  end
  self.due[self.key and kind or "enroll"] = loop.now() + pause_ms
end

return M

--- Status lines: what the sensor says of itself, as osquery's logger has it, for the backend.
local calendar = require "moonwatch.calendar"
local flags = require "moonwatch.flags"
local identity = require "moonwatch.osquery.identity"
local json = require "moonwatch.osquery.json"
local loop = require "moonwatch.loop"

---@class moonwatch.osquery.status_log
local M = {}

M.INFO = 0
M.WARNING = 1
M.ERROR = 2

--- Before it is known who this is; more than that is counted.
local WAITING <const> = 256
local MESSAGE_BYTES <const> = 4096

local waiting, lost = {}, 0
local spool

local function line_of(entry)
  return json.object {
    { "hostIdentifier", json.encode(identity.identifier()) },
    { "calendarTime", json.encode(calendar.asctime(entry.time)) },
    { "unixTime", ("%d"):format(math.floor(entry.time)) },
    { "severity", ("%d"):format(entry.severity) },
    { "filename", json.encode(entry.file) },
    { "line", ("%d"):format(entry.line) },
    { "message", json.encode(entry.message) },
    { "version", json.encode(M.version or "") },
  }
end

local function put(entry)
  spool.add("status", line_of(entry), { name = "status", time_ns = math.floor(entry.time * 1e9) })
end

--- Say it, as soon as it is known who this is.  Nothing is sent where there is no backend.
---@param severity integer
---@param message string
---@param file string?
---@param line integer?
function M.write(severity, message, file, line)
  if flags.get "tls_disable_status_log" or severity < flags.get "logger_min_status" then
    return
  end
  local entry = {
    time = loop.time(),
    severity = severity,
    message = #message > MESSAGE_BYTES and message:sub(1, MESSAGE_BYTES) .. "…" or message,
    file = file or "moonwatch",
    line = line or 0,
  }
  if spool then
    put(entry)
  elseif #waiting < WAITING then
    waiting[#waiting + 1] = entry
  else
    lost = lost + 1
  end
end

--- From now on lines can be kept.
---@param to moonwatch.spool
---@param version string
function M.begin(to, version)
  spool, M.version = to, version
  for _, entry in ipairs(waiting) do
    put(entry)
  end
  if lost > 0 then
    M.write(M.WARNING, ("%d statuses of the start were lost"):format(lost))
  end
  waiting = {}
end

return M

--- What goes to the backend's log: results of scheduled queries, and alerts as results of a query of their own, at once; statuses.
---
--- Two consumers of the spool: a backend that takes results and no statuses is not to be sent the results again and again.
local backends = require "moonwatch.osquery.backends"
local client = require "moonwatch.osquery.client"
local context = require "moonwatch.item.context"
local delivery = require "moonwatch.delivery"
local enroll = require "moonwatch.osquery.enroll"
local flags = require "moonwatch.flags"
local format = require "moonwatch.output.osquery"
local identity = require "moonwatch.osquery.identity"
local json = require "moonwatch.osquery.json"
local spool = require "moonwatch.spool"

---@class moonwatch.osquery.logger
local M = {}

local RESULTS <const> = "tls"
local STATUSES <const> = "tls_status"
--- Of one request, before it is packed; less than any backend takes.
local BATCH_BYTES <const> = 1 << 20
--- How long rows wait for a node key before that counts as a failure.
local KEY_MS <const> = 5000

local POISON <const> = { [400] = true, [413] = true, [422] = true }

--- Does --logger_plugin name us?
---@return boolean
function M.is_wanted()
  return ("," .. flags.get "logger_plugin" .. ","):find(",tls,", 1, true) ~= nil and backends.path "log" ~= nil
end

local function streams()
  return flags.get "logger_events" and { "alerts", "results", "events" } or { "alerts", "results" }
end

--- Does anything wait for us?
---@param waiting table<string, integer>  by consumer
---@return boolean
function M.has_rows(waiting)
  return (waiting[RESULTS] or 0) + (waiting[STATUSES] or 0) > 0
end

--- From now on what is spooled is kept for us.
function M.join()
  spool.join(RESULTS, { streams = streams() })
  spool.join(STATUSES, { streams = { "status" } })
end

--- A line as it is sent; nil for one that cannot be.
local function line_of(item)
  if item.stream == "results" or item.stream == "status" then
    return item.body
  end
  local decoded = json.decode(item.body)
  if not decoded then
    return nil
  end
  context.host_identifier = identity.identifier()
  context.alert_query_name = flags.get "alert_query_name"
  local ok, line = pcall(format, decoded)
  return ok and line or nil
end

local function sender(log_type)
  return function(batch, budget_ms)
    if not enroll.await(budget_ms or KEY_MS) then
      return nil, "not enrolled"
    end
    local lines, refused = {}, {}
    local max = flags.get "logger_tls_max_linesize"
    for i, item in ipairs(batch) do
      local line = line_of(item)
      if not line then
        refused[i] = "not to be written as a line"
      elseif #line > max then
        refused[i] = ("%d bytes are more than logger_tls_max_linesize"):format(#line)
      else
        lines[#lines + 1] = line
      end
    end
    if next(refused) then
      if #lines == 0 then
        return nil, "lines that cannot be sent", { refused = refused }
      end
    end
    local answer, message, failure = client.post("log", {
      { "log_type", json.encode(log_type) },
      { "data", "[" .. table.concat(lines, ",") .. "]" },
    }, {
      gzip = flags.get "logger_tls_compress" or backends.preset().takes_gzip,
      total_ms = budget_ms and math.max(1, math.floor(budget_ms)) or nil,
    })
    if answer then
      if next(refused) then
        local accepted = {}
        for i = 1, #batch do
          accepted[i] = not refused[i] or nil
        end
        return nil, "lines that cannot be sent", { accepted = accepted, refused = refused }
      end
      return true
    end
    failure = failure or {}
    return nil, message, {
      retry_after_s = failure.retry_after_s,
      is_poison = POISON[failure.status],
      stop = failure.status == 404 or failure.status == 405,
    }
  end
end

---@type moonwatch.delivery.Loop[]
local loops = {}

--- Flags may have changed.
function M.applied()
  for _, one in ipairs(loops) do
    one.options.period_ms = flags.get "logger_tls_period" * 1000
    one.options.max_rows = flags.get "logger_tls_max_lines"
    one.options.cap_ms = flags.get "logger_tls_backoff_max" * 1000
  end
  if loops[1] then
    loops[1].options.streams = streams()
  end
end

---@param given { report: fun(line: string) }
function M.start(given)
  local gate = { not_before = 0 }
  local options = { max_bytes = BATCH_BYTES, gate = gate, period_ms = flags.get "logger_tls_period" * 1000,
    max_rows = flags.get "logger_tls_max_lines", cap_ms = flags.get "logger_tls_backoff_max" * 1000 }
  local function start(more)
    loops[#loops + 1] = delivery.start(setmetatable(more, { __index = options }))
  end
  start { consumer = RESULTS, streams = streams(), urgent = { "alerts" }, send = sender "result", report = given.report }
  -- Of failures that are not only its own the other one tells.
  start { consumer = STATUSES, streams = { "status" }, urgent = {}, send = sender "status" }
end

return M

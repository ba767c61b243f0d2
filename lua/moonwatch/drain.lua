--- `moonwatch drain` (core/cli/cmd_drain.c), for one folder that a sensor has handed over: outputs, and the backend's log, go on where
--- that sensor was, as the same host.  Nothing else of an agent: no configuration, no queries.
local aws = require "moonwatch.aws"
local client = require "moonwatch.osquery.client"
local delivery = require "moonwatch.delivery"
local enroll = require "moonwatch.osquery.enroll"
local enroll_secret = require "moonwatch.enroll_secret"
local flags = require "moonwatch.flags"
local identity = require "moonwatch.osquery.identity"
local logger = require "moonwatch.osquery.logger"
local loop = require "moonwatch.loop"
local network = require "moonwatch.delivery.outputs"
local retry = require "moonwatch.aws.retry"
local spool = require "moonwatch.spool"

---@class moonwatch.drain
local M = {}

local BASE_MS, CAP_MS = 5000, 300000

--- Needed where the sensor had not enrolled.
local function read_secret(options)
  for try = 1, math.huge do
    local value, message = enroll_secret.read(options.reference, options.secret)
    if value then
      options.remember(value)
      return value
    end
    if try == 1 then
      options.report(("no enrolment secret: %s"):format(message))
    end
    loop.sleep(math.max(1000, math.min(CAP_MS, retry.delay(try, BASE_MS))))
  end
end

local function begin_log(options)
  local known
  enroll.start {
    secret = function()
      if not known and options.reference ~= "" then
        known = read_secret(options)
      end
      return known
    end,
    read_secret_again = function()
      known = nil
    end,
    report = options.report,
    remember = options.remember,
  }
end

---@param options moonwatch.agent.Options
function M.start(options)
  aws.credentials.uses_environment = flags.get "aws_environment_keys"
  local waiting = spool.consumers() or {}
  local ok, message = network.start(flags.get "outputs", {
    report = options.report,
    remember = options.remember,
    environment = options.environment,
    wants = function(name)
      return (waiting[name] or 0) > 0
    end,
  })
  if not ok then
    options.report(("outputs: %s"):format(message))
  end
  if flags.get "tls_hostname" == "" or not logger.is_wanted() or not logger.has_rows(waiting) then
    return
  end
  ok, message = client.begin(enroll.lost)
  if ok and not identity.resume() then
    ok, message = nil, "the sensor did not say who it was to its backend; what is for that stays"
  end
  if not ok then
    options.report(message)
    return
  end
  logger.join()
  logger.start { report = options.report }
  loop.spawn(begin_log, options)
end

---@param deadline_ms integer
---@param done fun()
function M.flush(deadline_ms, done)
  loop.spawn(function()
    delivery.flush(deadline_ms)
    done()
  end)
end

return M

--- Everything with the backend, in its order: who this is, enrolment, configuration, what is sent, queries.
local backends = require "moonwatch.osquery.backends"
local carve = require "moonwatch.osquery.carve"
local client = require "moonwatch.osquery.client"
local config = require "moonwatch.osquery.config"
local distributed = require "moonwatch.osquery.distributed"
local enroll = require "moonwatch.osquery.enroll"
local flags = require "moonwatch.flags"
local identity = require "moonwatch.osquery.identity"
local logger = require "moonwatch.osquery.logger"
local loop = require "moonwatch.loop"
local refresh = require "moonwatch.osquery.refresh"
local spool = require "moonwatch.spool"
local status_log = require "moonwatch.osquery.status_log"

---@class moonwatch.osquery.backend
local M = {}

--- Is there a backend at all?
---@return boolean
function M.is_wanted()
  return flags.get "tls_hostname" ~= ""
end

---@class moonwatch.osquery.backend.Options
---@field host fun(): moonwatch.ecs.Host?      of the task; waits until it is known, or not to be had
---@field await_secret fun()                    waits until there is a secret, or none is to be had
---@field secret fun(): moonwatch.Secret?
---@field read_secret_again fun()
---@field report fun(line: string)
---@field remember fun(secret: moonwatch.Secret)
---@field keep fun(name: string, json: string)
---@field applied fun()
---@field run string
---@field version string

local begun = loop.bell()
local is_begun, has_failed, logs = false, false, false
--- At the end, until it is known who this is and with what secret.
local BEGIN_MS <const> = 1000

---@param options moonwatch.osquery.backend.Options
local function begin(options)
  local ok, message = client.begin(enroll.lost)
  if not ok then
    has_failed = true
    options.report(message)
    return
  end
  if not flags.get "disable_enrollment" and not backends.path "enroll" then
    has_failed = true
    options.report "the backend has no path to enrol at: name --backend, or --enroll_tls_endpoint"
    return
  end
  logs = logger.is_wanted()
  if logs then
    logger.join()
  end
  identity.settle(options.host(), options.run, options.keep)
  if logs then
    status_log.begin(spool, options.version)
  end
  if not flags.get "disable_enrollment" then
    options.await_secret()
  end
  carve.begin(options)
  is_begun = true
  begun:ring()
  if flags.get "config_plugin" == "tls" and backends.path "config" then
    loop.spawn(refresh.start, { applied = options.applied, report = options.report })
  end
  enroll.start(options)
  if logs then
    status_log.write(status_log.INFO, ("%s of %s, run %s, is watching"):format(identity.known().hostname, identity.known().uuid,
      options.run))
    -- The first batch goes at once: who watches a short job is told now, or never.
    spool.commit()
    logger.start { report = options.report }
  end
  if backends.path "read" and backends.path "write" then
    distributed.start { report = options.report }
  end
end

---@param options moonwatch.osquery.backend.Options
function M.start(options)
  config.report = options.report
  loop.spawn(begin, options)
end

--- Flags may have changed.
function M.applied()
  if is_begun then
    distributed.applied()
    logger.applied()
  end
end

--- The end is near: the node key is to be had soon, or not at all.
---@param ms number
function M.hurry(ms)
  local deadline = loop.now() + ms
  if not is_begun and not has_failed then
    -- The secret, or where this runs, may still be asked for.
    begun:wait(math.min(ms, BEGIN_MS))
  end
  if is_begun and logs and not client.node_key() and not flags.get "disable_enrollment" then
    enroll.hurry(math.max(0, deadline - loop.now()))
  end
end

--- Wait for the first configuration, or until it cannot be had for now.
---@param ms number
---@return boolean  it was asked for
function M.await_config(ms)
  return is_begun and client.node_key() ~= nil and ms > 0 and refresh.await(ms)
end

return M

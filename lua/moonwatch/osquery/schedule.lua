--- The sensor's schedule: the one of moonwatch.osquery.scheduler, in this world.
local crypto = require "moonwatch.crypto"
local environment = require "moonwatch.environment"
local files = require "moonwatch.files"
local flags = require "moonwatch.flags"
local identity = require "moonwatch.osquery.identity"
local loop = require "moonwatch.loop"
local notes = require "moonwatch.notes"
local packs = require "moonwatch.osquery.packs"
local query = require "moonwatch.query"
local scheduler = require "moonwatch.osquery.scheduler"
local spool = require "moonwatch.spool"
local status_log = require "moonwatch.osquery.status_log"

---@class moonwatch.osquery.schedule
local M = {}

local bell, started = loop.bell(), loop.bell()
---@type { report: fun(line: string), keep: fun(name: string, json: string), ran: fun(name: string, rows: string[])? }?
local options

local function report(severity, message)
  if severity == status_log.INFO then
    status_log.write(severity, message)
  elseif options then
    options.report(message)
  end
end

--- A pack in a file of its own, which may have comments.
local function read_pack(path)
  if path:sub(1, 1) ~= "/" then
    return nil, "names its file by no absolute path"
  end
  local text, message = files.read(path)
  if not text then
    return nil, message
  end
  local pack
  pack, message = require("moonwatch.osquery.config").decode(text)
  return pack, message and path .. ": " .. message
end

local current = scheduler.new {
  time = loop.time,
  now = loop.now,
  wait = function(ms)
    bell:wait(ms)
  end,
  pause = function()
    loop.sleep(0)
  end,
  random = math.random,
  flag = flags.get,
  settings = function(source)
    return {
      shard = packs.shard_of(crypto.sha1(environment.hostname())),
      default_interval = flags.get "schedule_default_interval",
      delimiter = flags.get "pack_delimiter",
      read_pack = source == "config" and read_pack or nil,
    }
  end,
  identifier = identity.identifier,
  query = query,
  notes = notes,
  add = function(line, name, seconds)
    return spool.add("results", line, { name = name, time_ns = math.floor(seconds * 1e9) })
  end,
  commit = spool.commit,
  report = report,
  keep = function(name, json)
    if options then
      options.keep(name, json)
    end
  end,
}

--- Take schedule, packs, decorators and views of a configuration, in place of what its source said before.
---@param document table
---@param source "config"|"backend"
---@return boolean? ok
---@return string? message
---@return string[]? warnings
function M.apply(document, source)
  local warnings, message = current:apply(document, source)
  if not warnings then
    return nil, message
  end
  bell:ring()
  return true, nil, warnings
end

--- Run it, for ever, once it is known who this is; in a task.
---@param given { report: fun(line: string), keep: fun(name: string, json: string) }
function M.start(given)
  options = given
  started:ring()
  current:run()
end

--- Has any configuration come?
---@return boolean
function M.is_known()
  return current:is_known()
end

--- The sensor ends: what runs now is stopped by that, and by no fault of its own.
function M.stop()
  current:stop()
end

--- The end of the application: tell what event tables have gathered, and stop.  In a task.
---@param deadline_ms number
function M.flush(deadline_ms)
  local deadline = loop.now() + deadline_ms
  while not options and loop.now() < deadline do
    started:wait(math.max(1, deadline - loop.now()))
  end
  deadline_ms = deadline - loop.now()
  if not options or deadline_ms <= 0 then
    return
  end
  -- A query before these may take its time to end, and others are to have theirs.
  local over = loop.bell()
  loop.spawn(function()
    current:finish(loop.now() + deadline_ms)
    bell:ring()
    over:ring()
  end)
  over:wait(deadline_ms)
end

return M

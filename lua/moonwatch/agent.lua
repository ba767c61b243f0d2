--- What the sensor does on the network, as tasks: it reads the secret to enrol with, asks ECS where it runs, and talks to the backend.
local aws = require "moonwatch.aws"
local backend = require "moonwatch.osquery.backend"
local bundle = require "moonwatch.bundle"
local cjson = require "cjson"
local configured = require "moonwatch.delivery.configured"
local delivery = require "moonwatch.delivery"
local ecs = require "moonwatch.ecs"
local ecs_host = require "moonwatch.ecs.host"
local enroll_secret = require "moonwatch.enroll_secret"
local flags = require "moonwatch.flags"
local identity = require "moonwatch.osquery.identity"
local loop = require "moonwatch.loop"
local network = require "moonwatch.delivery.outputs"
local retry = require "moonwatch.aws.retry"
local schedule = require "moonwatch.osquery.schedule"
local status_log = require "moonwatch.osquery.status_log"

---@class moonwatch.agent
local M = {}

-- Between tries, once the first 10 s have not been enough: up to some minutes, never all tasks at the same time.
local BASE_MS = 5000
local CAP_MS = 300000

---@class moonwatch.agent.Options
---@field reference string  "" when there is no secret to read
---@field secret? moonwatch.Secret
---@field environment table<string, moonwatch.Secret>  variables that outputs name, which were taken out of it
---@field state_dir string  "" when there is none
---@field run string  names this run
---@field version string  of this program
---@field report fun(line: string)
---@field say fun(state: string)
---@field remember fun(secret: moonwatch.Secret)  to blot it out
---@field identify fun(column: string, text: string?)
---@field keep fun(name: string, json: string)
---@field applied fun()  flags may have changed

local known
-- Rings when it is there, or cannot be had for now.
local secret_bell = loop.bell()
local is_reading = false

--- The secret to enrol with, once it is there.
---@return moonwatch.Secret?
function M.secret()
  return known
end

local function pause(try)
  return math.max(1000, math.min(CAP_MS, retry.delay(try, BASE_MS)))
end

---@param options moonwatch.agent.Options
local function read_secret(options)
  local told
  is_reading = true
  for try = 1, math.huge do
    local value, message, code = enroll_secret.read(options.reference, options.secret)
    if value then
      known = value
      options.remember(value)
      options.say "read"
      is_reading = false
      secret_bell:ring()
      if told then
        options.report "the enrolment secret could be read at last"
      end
      return
    end
    options.say(message)
    if code ~= told then
      told = code or "unknown"
      options.report(("no enrolment secret: %s"):format(message))
    end
    loop.sleep(pause(try))
  end
end

--- Until it is there; it may take long.
local function await_secret()
  while is_reading and not known do
    secret_bell:wait(60000)
  end
end

--- It may have been changed where it is kept.
local function read_secret_again(options)
  if options.reference ~= "" and not options.reference:find "^env:" then
    local value = enroll_secret.read(options.reference, options.secret)
    if value then
      options.remember(value)
      known = value
    end
  end
end

-- Rings when it is known where this runs, or not to be had.
local host_bell = loop.bell()
local host, is_host_known

-- Columns of ecs_metadata that every event has: core/event/identity.c.
local in_events = { "container_name", "container_id", "image", "image_id", "task_arn", "task_id", "cluster", "service_name",
  "task_family", "task_revision", "container_arn", "region", "account_id", "availability_zone", "launch_type" }

---@param options moonwatch.agent.Options
local function follow_task(options)
  local is_known
  ecs.follow(function(found, message)
    if not found then
      is_host_known = true
      host_bell:ring()
      options.report(("the task's metadata cannot be read: %s"):format(message))
      return
    end
    for _, column in ipairs(in_events) do
      options.identify(column, found.own[column])
    end
    options.keep("ecs", cjson.encode { own = found.own, task = found.task, containers = found.containers })
    local described = ecs_host.describe(found.own)
    if described and not host then
      host, is_host_known = described, true
      options.keep("host", cjson.encode(host))
      host_bell:ring()
    end
    if message and not is_known then
      options.report(("not all of the task's metadata can be read: %s"):format(message))
    end
    is_known = true
  end)
end

--- Waits until it is known, or not to be had.
---@return moonwatch.ecs.Host?
local function await_host()
  while not is_host_known do
    host_bell:wait(1000)
  end
  return host
end

---@param options moonwatch.agent.Options
function M.start(options)
  bundle.start(options.report)
  aws.credentials.uses_environment = flags.get "aws_environment_keys"
  if options.reference ~= "" then
    loop.spawn(read_secret, options)
  end
  loop.spawn(function()
    follow_task(options)
    -- Off ECS that is at once.
    is_host_known = true
    host_bell:ring()
  end)
  local names, message = network.start(flags.get "outputs", options)
  if not names then
    options.report(("outputs: %s"):format(message))
  end
  configured.start(options, names or {})
  loop.spawn(function()
    identity.settle(await_host(), options.run, options.keep)
    schedule.start { report = options.report, keep = options.keep }
  end)
  if backend.is_wanted() then
    backend.start {
      host = await_host,
      await_secret = await_secret,
      secret = M.secret,
      read_secret_again = function()
        read_secret_again(options)
      end,
      report = options.report,
      remember = options.remember,
      keep = options.keep,
      applied = function()
        options.applied()
        backend.applied()
      end,
      run = options.run,
      version = options.version,
    }
  end
end

--- The sensor ends.
function M.stop()
  schedule.stop()
end

--- What the sensor says of itself.
---@param severity integer
---@param line string
function M.status(severity, line)
  if backend.is_wanted() then
    status_log.write(severity, line)
  end
end

--- Deliver what is there; `done` is called once that is over.
---@param deadline_ms integer
---@param done fun()
function M.flush(deadline_ms, done)
  loop.spawn(function()
    local deadline = loop.now() + deadline_ms
    local is_scheduled = schedule.is_known()
    if is_scheduled then
      schedule.flush(deadline_ms / 2)
    end
    if backend.is_wanted() then
      backend.hurry(math.max(0, deadline - loop.now()))
    end
    -- A job that was over before it was known what to ask of it.
    if not is_scheduled and backend.is_wanted() and backend.await_config((deadline - loop.now()) / 2) then
      schedule.flush((deadline - loop.now()) / 2)
    end
    delivery.flush(math.max(0, deadline - loop.now()))
    done()
  end)
end

return M

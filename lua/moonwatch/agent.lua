--- What the sensor does on the network, as tasks: for now it reads the secret to enrol with.
local aws = require "moonwatch.aws"
local enroll_secret = require "moonwatch.enroll_secret"
local loop = require "moonwatch.loop"
local retry = require "moonwatch.aws.retry"

---@class moonwatch.agent
local M = {}

-- Between tries, once the first 10 s have not been enough: up to some minutes, never all tasks at the same time.
local BASE_MS = 5000
local CAP_MS = 300000

---@class moonwatch.agent.Options
---@field reference string
---@field secret? moonwatch.Secret
---@field uses_environment_keys boolean
---@field report fun(line: string)
---@field say fun(state: string)

local known

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
  for try = 1, math.huge do
    local value, message, code = enroll_secret.read(options.reference, options.secret)
    if value then
      known = value
      options.say "read"
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

---@param options moonwatch.agent.Options
function M.start(options)
  aws.credentials.uses_environment = options.uses_environment_keys
  loop.spawn(read_secret, options)
end

return M

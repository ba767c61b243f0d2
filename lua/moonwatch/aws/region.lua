--- The region this runs in: what the environment says, else what the task's metadata do.
local environment = require "moonwatch.environment"
local reference = require "moonwatch.aws.reference"
local retry = require "moonwatch.aws.retry"
local tls = require "moonwatch.tls"

---@class moonwatch.aws.region
local M = {}

local known

local function from_metadata(deadline)
  local base = environment.get "ECS_CONTAINER_METADATA_URI_V4" or environment.get "ECS_CONTAINER_METADATA_URI"
  if not base then
    return nil -- not on ECS: nobody is asked
  end
  local answer = tls.request {
    url = base:gsub("/+$", "") .. "/task",
    plain = true,
    container_only = true,
    secret = true,
    total_ms = math.min(2000, math.max(1, retry.left(deadline))),
  }
  if not answer or answer.status ~= 200 then
    return nil
  end
  local task = answer.body:get "TaskARN"
  local arn = type(task) == "string" and reference.arn(task)
  if arn then
    return arn.region
  end
  local zone = answer.body:get "AvailabilityZone"
  return type(zone) == "string" and zone:match "^(%l+-[%l-]*%l+-%d+)%l$" or nil
end

--- May wait.
---@param deadline number
---@return string? region
---@return string? message
---@return string? code
function M.find(deadline)
  known = environment.get "AWS_REGION" or environment.get "AWS_DEFAULT_REGION" or known or from_metadata(deadline)
  if known then
    return known
  end
  return nil, "no region: set AWS_REGION, or name the secret by its ARN", "EINVAL"
end

return M

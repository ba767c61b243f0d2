--- Parameter Store.
local cjson = require "cjson"

local call = require "moonwatch.aws.call"
local endpoint = require "moonwatch.aws.endpoint"
local reference = require "moonwatch.aws.reference"
local region = require "moonwatch.aws.region"
local retry = require "moonwatch.aws.retry"

---@class moonwatch.aws.ssm
local M = {}

local function resource_of(name, where)
  if name:find "^arn:" then
    -- A version or a label is no part of what a policy names.
    return (name:gsub("^(arn:[^:]*:[^:]*:[^:]*:[^:]*:[^:]*):.*$", "%1"))
  end
  return ("arn:%s:ssm:%s:*:parameter/%s"):format(endpoint.partition(where).id, where, name:gsub("^/", ""):gsub(":.*$", ""))
end

---@class moonwatch.aws.Parameter
---@field type "String"|"StringList"|"SecureString"
---@field version integer
---@field arn? string

--- The value of a parameter, decrypted.  May wait, 10 s at most.
---@param request { name: string, region?: string, deadline?: number }  name, or ARN, which says the region; with `:version` or `:label`
---@return moonwatch.Secret? value
---@return (moonwatch.aws.Parameter|string)? info  or what went wrong
---@return string? code
function M.get_parameter(request)
  local name, deadline = request.name, request.deadline or retry.deadline()
  local where, message, code = request.region
  if name:find "^arn:" then
    local parsed
    parsed, message = reference.parse(name)
    if not parsed or parsed.store ~= "ssm" then
      return nil, message or ("%q is no ARN of a parameter"):format(name), "EINVAL"
    end
    where = parsed.region
  end
  if #name == 0 or #name > 2048 or name:find "[%c%s]" then
    return nil, "the name of a parameter is empty, too long, or has blanks in it", "EINVAL"
  end
  if not where then
    where, message, code = region.find(deadline)
    if not where then
      return nil, message, code
    end
  end
  local resource = resource_of(name, where)
  local body
  body, message, code = call.call {
    service = "ssm",
    region = where,
    target = "AmazonSSM.GetParameter",
    body = cjson.encode { Name = name, WithDecryption = true },
    action = "ssm:GetParameter",
    resource = resource,
    deadline = deadline,
  }
  if not body then
    return nil, message, code
  end
  local parameter = body:type "Parameter" == "object" and body:member "Parameter"
  if not parameter or parameter:type "Value" ~= "string" then
    return nil, ("ssm:GetParameter of %s: the answer has no Parameter with a Value"):format(resource), "NotUnderstood"
  end
  return parameter:member "Value", {
    type = parameter:get "Type",
    version = math.tointeger(parameter:get "Version"),
    arn = parameter:get "ARN",
  }
end

return M

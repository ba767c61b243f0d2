--- Secrets Manager.
local cjson = require "cjson"

local call = require "moonwatch.aws.call"
local endpoint = require "moonwatch.aws.endpoint"
local reference = require "moonwatch.aws.reference"
local region = require "moonwatch.aws.region"
local retry = require "moonwatch.aws.retry"

---@class moonwatch.aws.secretsmanager
local M = {}

local function resource_of(id, where)
  if id:find "^arn:" then
    return id
  end
  return ("arn:%s:secretsmanager:%s:*:secret:%s-??????"):format(endpoint.partition(where).id, where, id)
end

local function value_of(body, what)
  if body:type "SecretString" == "string" then
    return body:member "SecretString"
  end
  local value = body:type "SecretBinary" == "string" and body:member("SecretBinary"):base64()
  if value then
    return value
  end
  return nil, ("%s: the answer has neither a SecretString nor a SecretBinary"):format(what), "NotUnderstood"
end

local function key_of(value, key, what)
  local member, _, code = value:member(key)
  if member then
    return member
  end
  return nil, code == "ENOENT" and ("%s has no key %q"):format(what, key)
    or ("%s is no JSON object, so it has no key %q"):format(what, key), "NoSuchKey"
end

---@class moonwatch.aws.SecretRequest
---@field id string  name, or ARN, which says the region; also with ECS's :json-key:version-stage:version-id
---@field key? string  member of the JSON object that the secret is
---@field stage? string
---@field version? string
---@field region? string
---@field deadline? number

--- The value of a secret, whether text or binary; with `key`, that member of it.  May wait, 10 s at most.
---@param request moonwatch.aws.SecretRequest
---@return moonwatch.Secret? value
---@return (table|string)? info  { arn, name, version }, or what went wrong
---@return string? code
function M.get_secret_value(request)
  local deadline = request.deadline or retry.deadline()
  local asked = { id = request.id, key = request.key, stage = request.stage, version = request.version }
  local where, message, code = request.region
  if asked.id:find "^arn:" then
    local parsed
    parsed, message = reference.parse(asked.id)
    if not parsed or parsed.store ~= "secretsmanager" then
      return nil, message or ("%q is no ARN of a secret"):format(asked.id), "EINVAL"
    end
    where = parsed.region
    for name, value in pairs { id = parsed.id, key = parsed.key, stage = parsed.stage, version = parsed.version } do
      asked[name] = name == "id" and value or asked[name] or value
    end
  end
  if #asked.id == 0 or #asked.id > 2048 or asked.id:find "%c" then
    return nil, "the name of a secret is empty, too long, or has control characters in it", "EINVAL"
  end
  if not where then
    where, message, code = region.find(deadline)
    if not where then
      return nil, message, code
    end
  end
  local resource = resource_of(asked.id, where)
  local body
  body, message, code = call.call {
    service = "secretsmanager",
    region = where,
    target = "secretsmanager.GetSecretValue",
    body = cjson.encode { SecretId = asked.id, VersionId = asked.version, VersionStage = asked.stage },
    action = "secretsmanager:GetSecretValue",
    resource = resource,
    deadline = deadline,
  }
  if not body then
    return nil, message, code
  end
  local value
  value, message, code = value_of(body, resource)
  if value and asked.key then
    value, message, code = key_of(value, asked.key, resource)
  end
  if not value then
    return nil, message, code
  end
  return value, { arn = body:get "ARN", name = body:get "Name", version = body:get "VersionId" }
end

return M

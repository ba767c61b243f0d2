--- Where a secret is: ARNs of both stores, with what ECS allows behind them, and short forms for names.
---@class moonwatch.aws.reference
local M = {}

---@class moonwatch.aws.Arn
---@field partition string
---@field service string
---@field region string  may be ""
---@field account string  may be ""
---@field resource string  all that follows
---@field fields string[]  what colons separate

---@class moonwatch.aws.Reference
---@field store "ssm"|"secretsmanager"
---@field id string  name or ARN, as the store takes it
---@field region? string  of an ARN
---@field partition? string
---@field key? string  member of the JSON object that the secret is
---@field stage? string
---@field version? string

local function split(text)
  local fields = {}
  for field in (text .. ":"):gmatch "([^:]*):" do
    fields[#fields + 1] = field
  end
  return fields
end

--- The parts of an ARN.
---@param text string
---@return moonwatch.aws.Arn? arn
---@return string? message
function M.arn(text)
  local fields = split(text)
  if #text > 2048 or fields[1] ~= "arn" or #fields < 6 then
    return nil, ("%q is no ARN: it has %d fields, arn:partition:service:region:account:resource has six"):format(
      text:sub(1, 120), #fields)
  end
  for i = 2, 3 do
    if not fields[i]:find "^[%w-]+$" then
      return nil, ("%q is no ARN: its field %d is empty or malformed"):format(text:sub(1, 120), i)
    end
  end
  return {
    partition = fields[2],
    service = fields[3],
    region = fields[4],
    account = fields[5],
    resource = table.concat(fields, ":", 6),
    fields = fields,
  }
end

local function filled(text)
  return text ~= "" and text or nil
end

-- arn:P:secretsmanager:R:A:secret:NAME-xxxxxx[:json-key:version-stage:version-id], as `secrets` of a task definition has it.
local function secret_arn(arn, text)
  local fields = arn.fields
  if #fields ~= 7 and #fields ~= 10 then
    return nil, ("%q has %d fields; the ARN of a secret has 7, or 10 with :json-key:version-stage:version-id"):format(
      text, #fields)
  end
  if fields[6] ~= "secret" or fields[7] == "" then
    return nil, ("%q names no secret; it should read arn:…:secret:NAME"):format(text)
  end
  local stage, version = filled(fields[9] or ""), filled(fields[10] or "")
  if stage and version then
    return nil, ("%q has both a version-stage and a version-id; leave one of them empty"):format(text)
  end
  return {
    store = "secretsmanager",
    id = table.concat(fields, ":", 1, 7),
    key = filled(fields[8] or ""),
    stage = stage,
    version = version,
  }
end

-- arn:P:ssm:R:A:parameter/NAME[:version or label]
local function parameter_arn(arn, text)
  if #arn.fields > 7 then
    return nil, ("%q has %d fields; the ARN of a parameter has 6, or 7 with a version or label"):format(text, #arn.fields)
  end
  if not arn.resource:find "^parameter/[^:]" then
    return nil, ("%q names no parameter; it should read arn:…:parameter/NAME"):format(text)
  end
  return { store = "ssm", id = text }
end

local function of_arn(text)
  local arn, message = M.arn(text)
  if not arn then
    return nil, message
  end
  local parse = ({ ssm = parameter_arn, secretsmanager = secret_arn })[arn.service]
  if not parse then
    return nil, ("%q is of service %s; secrets are read from ssm and secretsmanager"):format(text, arn.service)
  end
  if not arn.region:find "^[%w-]+$" then
    return nil, ("%q names no region"):format(text)
  end
  local reference
  reference, message = parse(arn, text)
  if reference then
    reference.region, reference.partition = arn.region, arn.partition
  end
  return reference, message
end

--- `arn:…`, `ssm:NAME`, `secretsmanager:NAME[#json-key]`.
---@param text string
---@return moonwatch.aws.Reference? reference
---@return string? message
function M.parse(text)
  local name = text:match "^ssm:(.+)$"
  if name then
    return { store = "ssm", id = name }
  end
  name = text:match "^secretsmanager:(.+)$"
  if name then
    local id, key = name:match "^(.-)#(.+)$"
    return { store = "secretsmanager", id = id or name, key = key }
  end
  if text:find "^arn:" then
    return of_arn(text)
  end
  return nil, "names no store; write arn:…, ssm:NAME or secretsmanager:NAME[#json-key]"
end

return M

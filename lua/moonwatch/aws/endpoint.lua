--- Where a service is, by region; facts of botocore's partitions.json and endpoint rules.
local environment = require "moonwatch.environment"

---@class moonwatch.aws.endpoint
local M = {}

-- In this order; the last takes what nobody knows.
local PARTITIONS = {
  { id = "aws-cn", starts = "cn-", suffix = "amazonaws.com.cn", dual = "api.amazonwebservices.com.cn" },
  { id = "aws-us-gov", starts = "us-gov-", suffix = "amazonaws.com", dual = "api.aws" },
  { id = "aws-eusc", starts = "eusc-", suffix = "amazonaws.eu", dual = "api.amazonwebservices.eu" },
  { id = "aws-iso-b", starts = "us-isob-", suffix = "sc2s.sgov.gov", dual = "api.aws.scloud" },
  { id = "aws-iso-f", starts = "us-isof-", suffix = "csp.hci.ic.gov", dual = "api.aws.hci.ic.gov" },
  { id = "aws-iso-e", starts = "eu-isoe-", suffix = "cloud.adc-e.uk", dual = "api.cloud-aws.adc-e.uk" },
  { id = "aws-iso", starts = "us-iso-", suffix = "c2s.ic.gov", dual = "api.aws.ic.gov" },
  { id = "aws", starts = "", suffix = "amazonaws.com", dual = "api.aws" },
}

local OVERRIDES = {
  firehose = "AWS_ENDPOINT_URL_FIREHOSE",
  kinesis = "AWS_ENDPOINT_URL_KINESIS",
  ssm = "AWS_ENDPOINT_URL_SSM",
  secretsmanager = "AWS_ENDPOINT_URL_SECRETS_MANAGER",
  sts = "AWS_ENDPOINT_URL_STS",
  ["api.ecr"] = "AWS_ENDPOINT_URL_ECR",
}

---@class moonwatch.aws.Partition
---@field id string  "aws", "aws-cn", …
---@field suffix string

--- The partition a region is in.
---@param region string
---@return moonwatch.aws.Partition
function M.partition(region)
  for _, partition in ipairs(PARTITIONS) do
    if region:sub(1, #partition.starts) == partition.starts then
      return partition
    end
  end
end

local function is_set(name)
  return (environment.get(name) or ""):lower() == "true"
end

local function override(service)
  if is_set "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS" then
    return nil
  end
  return environment.get(OVERRIDES[service]) or environment.get "AWS_ENDPOINT_URL"
end

-- Secrets Manager answers on IPv6 under its plain name, where it does at all.
local PLAIN_DUAL = { ["aws"] = true, ["aws-cn"] = true, ["aws-us-gov"] = true }

local function host(service, region, is_fips, is_dual)
  local partition = M.partition(region)
  local name = service
  if is_fips and not (partition.id == "aws-us-gov" and service ~= "secretsmanager" and not is_dual) then
    name = service .. "-fips"
  end
  local is_plain = not is_dual or (service == "secretsmanager" and PLAIN_DUAL[partition.id])
  return ("%s.%s.%s"):format(name, region, is_plain and partition.suffix or partition.dual)
end

---@class moonwatch.aws.Endpoint
---@field url string
---@field host string  with its port, unless it is the scheme's own
---@field path string
---@field plain boolean  http, by an override

--- The address of `service` in `region`.  AWS_ENDPOINT_URL and its kind, AWS_USE_FIPS_ENDPOINT, AWS_USE_DUALSTACK_ENDPOINT.
---@param service "ssm"|"secretsmanager"|"sts"|"kinesis"|"firehose"|"api.ecr"
---@param region string
---@return moonwatch.aws.Endpoint? endpoint
---@return string? message
---@return string? code
function M.find(service, region)
  local url = override(service)
  if not url then
    -- It becomes a part of a host's name.
    if not region:find "^[%w-]+$" then
      return nil, ("%q is no region"):format(region), "EINVAL"
    end
    local name = host(service, region, is_set "AWS_USE_FIPS_ENDPOINT", is_set "AWS_USE_DUALSTACK_ENDPOINT")
    return { url = "https://" .. name .. "/", host = name, path = "/", plain = false }
  end
  local scheme, rest = url:match "^(https?)://([^?#@%s]+)$"
  local authority, path = (rest or ""):match "^([^/]+)(.*)$"
  if not authority then
    return nil, ("the endpoint %q is no address like https://host[:port][/path]"):format(url), "EINVAL"
  end
  path = path:gsub("/*$", "") .. "/"
  return {
    url = scheme .. "://" .. authority .. path,
    host = authority:gsub(scheme == "https" and ":443$" or ":80$", ""),
    path = path,
    plain = scheme == "http",
  }
end

return M

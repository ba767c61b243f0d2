--- The secret to enrol with, from wherever it is kept.
local aws = require "moonwatch.aws"
local secret = require "moonwatch.secret"

---@class moonwatch.enroll_secret
local M = {}

local function from_file(path)
  if not path:find "^/" then
    return nil, ("file:%s: name the file by its full path"):format(path), "EINVAL"
  end
  return secret.file(path)
end

local function from_environment(name, given)
  if given then
    return given
  end
  return nil, ("env:%s: the environment has no such variable, or an empty one"):format(name), "ENOENT"
end

--- May wait, 10 s at most.
---@param reference string  arn:…, ssm:NAME, secretsmanager:NAME[#key], file:PATH, env:NAME
---@param given? moonwatch.Secret  what the variable held before it was taken out of the environment
---@return moonwatch.Secret? value
---@return string? message
---@return string? code
function M.read(reference, given)
  local kind, rest = reference:match "^(%l+):(.*)$"
  local value, message, code
  if kind == "file" then
    value, message, code = from_file(rest)
  elseif kind == "env" then
    value, message, code = from_environment(rest, given)
  else
    value, message, code = aws.read(reference)
  end
  if not value then
    return nil, message, code
  end
  -- A file ends in a newline, and so do many values that were pasted.
  local trimmed = value:trim()
  value:close()
  if #trimmed == 0 then
    return nil, ("%s: the secret is empty"):format(reference), "ENODATA"
  end
  return trimmed
end

return M

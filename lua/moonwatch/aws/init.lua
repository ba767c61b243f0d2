--- AWS for a container: credentials of its role, and the two stores of secrets.  All that waits is to be called in a task
--- (moonwatch.loop); secrets are handles (moonwatch.secret).  See docs/aws.md.
local reference = require "moonwatch.aws.reference"

---@class moonwatch.aws
local M = {
  credentials = require "moonwatch.aws.credentials",
  ssm = require "moonwatch.aws.ssm",
  secretsmanager = require "moonwatch.aws.secretsmanager",
}

--- Read `arn:…`, `ssm:NAME` or `secretsmanager:NAME[#json-key]`.  May wait, 10 s at most.
---@param text string
---@param deadline? number
---@return moonwatch.Secret? value
---@return string? message
---@return string? code
function M.read(text, deadline)
  local found, message = reference.parse(text)
  if not found then
    return nil, message, "EINVAL"
  end
  local value, info, code
  if found.store == "ssm" then
    value, info, code = M.ssm.get_parameter { name = found.id, deadline = deadline }
  else
    found.deadline = deadline
    value, info, code = M.secretsmanager.get_secret_value(found)
  end
  if not value then
    return nil, info, code
  end
  return value
end

return M

--- One signed call of AWS's JSON protocol, tried again where that may help.
local credentials = require "moonwatch.aws.credentials"
local endpoint = require "moonwatch.aws.endpoint"
local environment = require "moonwatch.environment"
local errors = require "moonwatch.aws.errors"
local loop = require "moonwatch.loop"
local retry = require "moonwatch.aws.retry"
local secret = require "moonwatch.secret"
local sigv4 = require "moonwatch.sigv4"
local tls = require "moonwatch.tls"

---@class moonwatch.aws.call
local M = {}

local TRIES = 4
local TRY_MS = 5000
-- Of the first wait: throttling takes longer to pass.
local BASE_MS = { throttled = 1000, transient = 200 }
-- 64 KiB of a secret, each byte of it escaped, and what is around it.
local ANSWER_BYTES = 512 << 10

-- What the server's clock is ahead of ours, in s.
local clock_offset = 0

---@class moonwatch.aws.Call
---@field service string  as in the name of its host: "ssm", "secretsmanager", "kinesis", "firehose", "api.ecr"
---@field signs_as string?  what the signature calls it, where that differs
---@field region string
---@field target string  X-Amz-Target
---@field body string  JSON
---@field action string  of IAM: "ssm:GetParameter"
---@field resource string  ARN, for the message when it is denied
---@field deadline number
---@field is_open? boolean  the answer is no secret, and comes as a string; connections are kept
---@field tries? integer

---@param call moonwatch.aws.Call
---@param place moonwatch.aws.Endpoint
---@param keys moonwatch.aws.Keys
local function signed_headers(call, place, keys)
  local date = sigv4.date(loop.time() + clock_offset)
  local headers = {
    { "Content-Type", "application/x-amz-json-1.1" },
    { "Host", place.host },
    { "X-Amz-Date", date },
    { "X-Amz-Target", call.target },
  }
  if keys.token then
    headers[#headers + 1] = { "X-Amz-Security-Token", keys.token }
  end
  local sent = {}
  for _, header in ipairs(headers) do
    sent[header[1]] = header[2]
  end
  sent.Authorization = assert(sigv4.authorization {
    path = place.path,
    headers = headers,
    body = call.body,
    date = date,
    region = call.region,
    service = call.signs_as or call.service,
    key_id = keys.id,
    key = keys.key,
  })
  return sent
end

---@return { status: integer, headers: table<string, string>, body: moonwatch.Secret }? answer
---@return moonwatch.aws.Error? failure
local function try_once(call, place, keys)
  local answer, message, code = tls.request {
    url = place.url,
    plain = place.plain,
    secret = not call.is_open,
    alone = not call.is_open,
    headers = signed_headers(call, place, keys),
    body = call.body,
    total_ms = math.max(1, math.min(TRY_MS, retry.left(call.deadline))),
    answer_bytes = ANSWER_BYTES,
    ca_file = environment.get "AWS_CA_BUNDLE",
  }
  if not answer then
    local is_final = code == "EKEYREJECTED" or code == "EFBIG" or code == "EPROTONOSUPPORT" or code == "ENOSYS"
    return nil, { class = is_final and "final" or "transient", message = message, code = code }
  end
  local open = call.is_open and answer.body
  if open then
    answer.body = secret.new(open)
  end
  local _, problem = answer.body:get "__type"
  if answer.status == 200 and not problem then
    answer.body = open or answer.body
    return answer
  end
  if answer.status == 200 then
    return nil, { class = "transient", code = "NotUnderstood", message = ("the answer %s (%s)"):format(
      problem, answer.headers["content-type"] or "no content type") }
  end
  local failure = errors.read(answer)
  if failure.class == "clock" then
    local server = answer.headers.date and sigv4.time(answer.headers.date)
    clock_offset = server and server - loop.time() or clock_offset
  end
  return nil, failure
end

local function explain(call, place, keys, failure)
  if failure.code == "AccessDeniedException" or failure.code == "AccessDenied" then
    return errors.denied(failure, {
      role = keys.role or ("the holder of key " .. keys.id), action = call.action, resource = call.resource,
    })
  end
  local where = ("%s of %s"):format(call.action, call.resource)
  if failure.message:find(place.host, 1, true) then
    return ("%s: %s"):format(where, failure.message)
  end
  return ("%s: %s (at %s)"):format(where,
    failure.message == "" and failure.code or failure.code .. ": " .. failure.message, place.host)
end

--- May wait, at most until the deadline.
---@param call moonwatch.aws.Call
---@return (moonwatch.Secret|string)? body
---@return string? message
---@return string? code
---@return moonwatch.aws.ErrorClass? class
function M.call(call)
  local place, message, code = endpoint.find(call.service, call.region)
  if not place then
    return nil, message, code
  end
  local has_refetched, has_reset = false, false
  local try = 1
  while true do
    local keys
    keys, message, code = credentials.get(call.deadline)
    if not keys then
      return nil, message, code
    end
    local answer, failure = try_once(call, place, keys)
    if answer then
      return answer.body
    end
    local class = failure.class
    if class == "stale" and not has_refetched then
      has_refetched = true
      credentials.forget()
    elseif class == "clock" and not has_reset then
      has_reset = true
    elseif not BASE_MS[class] or try == (call.tries or TRIES) or not retry.wait(try, BASE_MS[class], call.deadline) then
      return nil, explain(call, place, keys, failure), failure.code, class
    else
      try = try + 1
    end
  end
end

return M

--- What an error of AWS means: who is to do what about it.  The body decides, never the HTTP status alone.
---@class moonwatch.aws.errors
local M = {}

---@alias moonwatch.aws.ErrorClass
---| "throttled"  too many calls: wait, try again
---| "transient"  it may go well the next time
---| "stale"      the credentials are no longer good: fetch others, once
---| "clock"      the times differ: take the server's, once
---| "final"      nothing that is tried again helps

local CLASSES = {}
for class, codes in pairs {
  throttled = {
    "BandwidthLimitExceeded", "EC2ThrottledException", "LimitExceededException", "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException", "RequestLimitExceeded", "RequestThrottled", "RequestThrottledException",
    "SlowDown", "ThrottledException", "Throttling", "ThrottlingException", "TooManyRequestsException",
    "TransactionInProgressException",
  },
  transient = {
    "IDPCommunicationError", "InternalFailure", "InternalServerError", "InternalServiceError", "RequestTimeout",
    "RequestTimeoutException", "ServiceUnavailable",
  },
  stale = { "ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException" },
  clock = { "RequestExpired", "RequestTimeTooSkewed" },
} do
  for _, code in ipairs(codes) do
    CLASSES[code] = class
  end
end

local TRANSIENT_STATUS = { [500] = true, [502] = true, [503] = true, [504] = true }

---@class moonwatch.aws.Error
---@field code string  "AccessDeniedException", …
---@field message string
---@field class moonwatch.aws.ErrorClass

--- "com.amazonaws.ssm#ParameterNotFound:http://…" -> "ParameterNotFound"
---@param text string
---@return string
function M.normalize(text)
  return (text:gsub(":.*$", ""):gsub("^.*#", ""))
end

local function classify(code, message, status)
  local is_signature = code == "InvalidSignatureException" or code == "SignatureDoesNotMatch"
  if is_signature and (message:find "[Ss]ignature expired" or message:find "not yet current") then
    return "clock"
  end
  return CLASSES[code] or (status == 429 and "throttled") or (TRANSIENT_STATUS[status] and "transient") or "final"
end

-- What a person is shown of a text of somebody else's.
local function shown(text)
  return (text:gsub("%c", " "):sub(1, 600))
end

--- The error that an answer tells of.
---@param answer { status: integer, headers: table<string, string>, body: moonwatch.Secret }
---@return moonwatch.aws.Error
function M.read(answer)
  local body, status = answer.body, answer.status
  local kind = body:get "__type"
  if type(kind) ~= "string" then
    kind = answer.headers["x-amzn-errortype"]
  end
  local message = body:get "message" or body:get "Message"
  local xml = body:xml "Code"
  if not kind and xml then
    kind, message = M.plain(xml), body:xml "Message" and M.plain(body:xml "Message")
  end
  if not kind then
    if status >= 300 and status < 400 then
      return { code = "Redirected", class = "final",
        message = ("redirects elsewhere (HTTP %d), which is not followed; check the endpoint"):format(status) }
    end
    local class = classify("", "", status)
    return { code = "HTTP " .. status, class = class,
      message = ("answers HTTP %d with no error of AWS (%s); is it the right endpoint?"):format(
        status, shown(answer.headers["content-type"] or "no content type")) }
  end
  local code = M.normalize(kind):sub(1, 80)
  message = type(message) == "string" and shown(message) or ""
  return { code = code, message = message, class = classify(code, message, status) }
end

--- A short text that is no secret, out of a secret: of JSON, the only way there.
---@param secret moonwatch.Secret
---@return string
function M.plain(secret)
  return require "moonwatch.secret".join({ '{"text":', secret:quote(), "}" }):get "text"
end

-- "User: arn:… is not authorized to perform: ssm:GetParameter on resource: arn:… because …"
local DENIED = "^User: (%S+) is not authorized to perform: (%S+) on resource: (%S+)"

--- Who may not do what to which resource, and the statement that would allow it.
---@param failure moonwatch.aws.Error
---@param asked { role: string, action: string, resource: string }  what is known without the answer
---@return string
function M.denied(failure, asked)
  local user, action, resource = failure.message:match(DENIED)
  user, action, resource = user or asked.role, action or asked.action, resource or asked.resource
  resource = resource:gsub("[\"\\]", "")
  if action:find "^kms:" then
    return ("%s: %s may not %s on %s, the key that encrypts %s; add to the policy of the task role, and allow it in the "
      .. "key's policy: {\"Effect\":\"Allow\",\"Action\":\"%s\",\"Resource\":\"%s\"}"):format(
        failure.code, user, action, resource, asked.resource, action, resource)
  end
  return ("%s: %s may not %s on %s; add to the policy of the task role (not of the execution role): "
    .. "{\"Effect\":\"Allow\",\"Action\":\"%s\",\"Resource\":\"%s\"}"):format(
      failure.code, user, action, resource, action, resource)
end

return M

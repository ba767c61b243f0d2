--- Credentials, as AWS's own libraries find them in a container: keys in the environment, web identity (EKS), the container
--- endpoint (ECS, EKS Pod Identity).  There is no proxy, and no profile, on that way.
local endpoint = require "moonwatch.aws.endpoint"
local environment = require "moonwatch.environment"
local errors = require "moonwatch.aws.errors"
local loop = require "moonwatch.loop"
local region = require "moonwatch.aws.region"
local retry = require "moonwatch.aws.retry"
local secret = require "moonwatch.secret"
local sigv4 = require "moonwatch.sigv4"
local tls = require "moonwatch.tls"

---@class moonwatch.aws.credentials
local M = {}

--- Take AWS_ACCESS_KEY_ID and its kind, which may be the application's own?
M.uses_environment = true

--- Others are asked for no more often than that.
M.refresh_pause_s = 60

local TRIES = 3
local TRY_MS = 2000
local BASE_MS = 300
local ANSWER_BYTES = 64 << 10
-- Others are fetched when less than this is left of them; those at hand stay until they have expired.
local REFRESH_S = 600

---@class moonwatch.aws.Keys
---@field source "environment"|"web identity"|"container"
---@field id string
---@field key moonwatch.Secret
---@field token? moonwatch.Secret
---@field expires? number  seconds since 1970
---@field role? string  ARN, where it is known

local function fail(class, message, code)
  return nil, { class = class, message = message, code = code or "CredentialsError" }
end

-- Keys out of an answer; `names` are what they are called there, `read` takes one of them.
local function keys_of(source, read)
  local keys = { source = source, key = read "SecretAccessKey", token = read "Token" }
  local id, expiration = read "AccessKeyId", read "Expiration"
  if not id or not keys.key or #id == 0 or #keys.key == 0 then
    return fail("transient", "the answer has no AccessKeyId and SecretAccessKey")
  end
  if not (id:is_printable() and keys.key:is_printable() and (not keys.token or keys.token:is_printable())) then
    return fail("final", "the answer has keys with control characters")
  end
  keys.id = errors.plain(id)
  keys.expires = expiration and sigv4.time(errors.plain(expiration))
  if expiration and not keys.expires then
    return fail("final", "the answer has an Expiration that is no time")
  end
  if keys.expires and keys.expires <= loop.time() then
    return fail("transient", ("the credentials that were given expired %d s ago; is the clock right?"):format(
      math.ceil(loop.time() - keys.expires)))
  end
  return keys
end

local function from_environment()
  local id, key = environment.get "AWS_ACCESS_KEY_ID", secret.env "AWS_SECRET_ACCESS_KEY"
  if not id and not key then
    return nil
  end
  if not id or not key then
    return fail("final", "only one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set; set both, or neither")
  end
  return {
    source = "environment",
    id = id,
    key = key,
    token = secret.env "AWS_SECURITY_TOKEN" or secret.env "AWS_SESSION_TOKEN",
  }
end

-- Of a file that somebody keeps writing anew: read each time.
local function token_file(path, what)
  if not path:find "^/" then
    return fail("final", ("%s is no absolute path: %q"):format(what, path))
  end
  local read, message, code = secret.file(path)
  if not read then
    return fail("final", ("%s: %s"):format(what, message), code)
  end
  local token = read:trim()
  if #token == 0 or not token:is_printable() then
    return fail("final", ("%s: %s is empty, or has a line's end or another control character in it"):format(what, path))
  end
  return token
end

local function web_identity(path, deadline)
  local role = environment.get "AWS_ROLE_ARN"
  if not role then
    return fail("final", "AWS_WEB_IDENTITY_TOKEN_FILE is set, and AWS_ROLE_ARN is not")
  end
  local token, failure = token_file(path, "AWS_WEB_IDENTITY_TOKEN_FILE")
  if not token then
    return nil, failure
  end
  local place, message, code = endpoint.find("sts", region.find(deadline) or "us-east-1")
  if not place then
    return fail("final", message, code)
  end
  local session = environment.get "AWS_ROLE_SESSION_NAME" or "moonwatch"
  local answer
  answer, message, code = tls.request {
    url = place.url,
    plain = place.plain,
    secret = true,
    alone = true,
    total_ms = math.max(1, math.min(TRY_MS * 2, retry.left(deadline))),
    answer_bytes = ANSWER_BYTES,
    ca_file = environment.get "AWS_CA_BUNDLE",
    headers = { ["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8" },
    body = secret.join {
      "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=", secret.new(role):encode(),
      "&RoleSessionName=", secret.new(session):encode(), "&WebIdentityToken=", token:encode(),
    },
  }
  if not answer then
    return fail("transient", message, code)
  end
  if answer.status ~= 200 then
    failure = errors.read(answer)
    -- The provider of identities may be a little behind.
    if failure.code == "InvalidIdentityToken" then
      failure.class = "transient"
    end
    failure.message = ("%s: %s (assuming %s)"):format(failure.code, failure.message, role)
    return nil, failure
  end
  local names = { Token = "SessionToken" }
  local keys
  keys, failure = keys_of("web identity", function(name)
    return answer.body:xml(names[name] or name)
  end)
  if keys then
    keys.role = role
  end
  return keys, failure
end

-- Where to ask: url, and whether without TLS.  Addresses that may be asked so are judged when they are connected to.
local function container_url()
  local relative = environment.get "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
  if relative then
    if not relative:find "^/" then
      return fail("final", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with a slash")
    end
    return "http://169.254.170.2" .. relative, true
  end
  local full = environment.get "AWS_CONTAINER_CREDENTIALS_FULL_URI"
  if not full then
    return nil
  end
  local scheme, rest = full:match "^(%a+)://([^%s]+)$"
  scheme = (scheme or ""):lower()
  if scheme ~= "https" and scheme ~= "http" then
    return fail("final", "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither http:// nor https://")
  end
  return scheme .. "://" .. rest .. (rest:find("/", 1, true) and "" or "/"), scheme == "http"
end

local function container_token()
  local path = environment.get "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
  if path then
    return token_file(path, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
  end
  local token = secret.env "AWS_CONTAINER_AUTHORIZATION_TOKEN"
  if token and not token:is_printable() then
    return fail("final", "AWS_CONTAINER_AUTHORIZATION_TOKEN has a line's end or another control character in it")
  end
  return token
end

-- An error of the agent: {"code":…,"message":…}, or a text.
local function container_failure(answer)
  local code = answer.body:get "code"
  local is_early = answer.status == 400 and code == "InvalidIdInRequest"
  local is_transient = is_early or answer.status == 429 or answer.status >= 500
  return fail(is_transient and "transient" or "final", ("the container's credential endpoint answers HTTP %d%s"):format(
    answer.status, type(code) == "string" and " (" .. code:gsub("[^%w]", ""):sub(1, 60) .. ")" or ""))
end

local function container(url, is_plain, deadline)
  local token, failure = container_token()
  if failure then
    return nil, failure
  end
  local answer, message, code = tls.request {
    url = url,
    plain = is_plain,
    container_only = is_plain,
    secret = true,
    alone = true,
    total_ms = math.max(1, math.min(TRY_MS, retry.left(deadline))),
    answer_bytes = ANSWER_BYTES,
    ca_file = environment.get "AWS_CA_BUNDLE",
    headers = { Accept = "application/json", Authorization = token },
  }
  if not answer then
    local class = (code == "EACCES" or code == "EINVAL" or code == "EPROTONOSUPPORT") and "final" or "transient"
    return fail(class, message, code)
  end
  if answer.status ~= 200 then
    return container_failure(answer)
  end
  local body = answer.body
  local _, problem = body:get "AccessKeyId"
  if problem then
    return fail("transient", ("the answer of the container's credential endpoint %s"):format(problem))
  end
  local keys
  keys, failure = keys_of("container", function(name)
    return body:type(name) == "string" and body:member(name) or nil
  end)
  if keys then
    local role = body:get "RoleArn"
    keys.role = type(role) == "string" and role:find "^arn:[%w+=,.@:/_-]+$" and role or nil
  end
  return keys, failure
end

-- One try, by the first way that is set up.
local function fetch(deadline)
  local keys, failure
  if M.uses_environment then
    keys, failure = from_environment()
    if keys or failure then
      return keys, failure
    end
  end
  local path = environment.get "AWS_WEB_IDENTITY_TOKEN_FILE"
  if path then
    return web_identity(path, deadline)
  end
  local url, second = container_url()
  if url then
    return container(url, second, deadline)
  end
  if second then
    return nil, second
  end
  return fail("final", "no credentials: neither keys in the environment, nor AWS_WEB_IDENTITY_TOKEN_FILE, nor "
    .. "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI; give the task definition a taskRoleArn", "NoCredentials")
end

local function fetch_with_tries(deadline)
  for try = 1, TRIES do
    local keys, failure = fetch(deadline)
    if keys then
      return keys
    end
    local is_last = try == TRIES or failure.class == "final"
    if is_last or not retry.wait(try, BASE_MS, deadline) then
      local message = failure.code == "NoCredentials" and failure.message or "credentials: " .. failure.message
      return nil, message, failure.code
    end
  end
end

local cached, fetched_at

--- Keys that are good now; fetched when there are none, or when they expire soon.  May wait.
---@param deadline? number  see moonwatch.aws.retry
---@return moonwatch.aws.Keys? keys
---@return string? message
---@return string? code
function M.get(deadline)
  local now = loop.time()
  local left = cached and (cached.expires or math.huge) - now
  if left and (left > REFRESH_S or (left > 0 and now - fetched_at < M.refresh_pause_s)) then
    return cached
  end
  local keys, message, code = fetch_with_tries(deadline or retry.deadline())
  fetched_at = loop.time()
  if keys then
    cached = keys
    return keys
  end
  if cached and (cached.expires or math.huge) > fetched_at then
    return cached
  end
  return nil, message, code
end

--- What is at hand is refused by AWS: fetch others the next time.
function M.forget()
  cached = nil
end

return M

--- One request to the backend: with the node key, bounded, and its answer judged.
---
--- osquery looks at the body of an answer alone; here a status other than 2xx is a failure, too, Retry-After holds for all requests to
--- that server, and an answer that is no JSON is none.
local backends = require "moonwatch.osquery.backends"
local calendar = require "moonwatch.calendar"
local flags = require "moonwatch.flags"
local json = require "moonwatch.osquery.json"
local loop = require "moonwatch.loop"
local secret = require "moonwatch.secret"
local text = require "moonwatch.text"
local tls = require "moonwatch.tls"

---@class moonwatch.osquery.client
local M = {}

--- Whose protocol it is; some backends ask.
local USER_AGENT <const> = "osquery/5.23.0 moonwatch"
--- As osquery: for all of a call.  One that sends much gets more.
local TOTAL_MS <const> = 16000
local LONG_MS <const> = 60000
local LONG_BYTES <const> = 256 << 10
--- Of an answer, unless said otherwise.
local ANSWER_BYTES <const> = 1 << 20
--- A server may not silence us for longer.
local RETRY_AFTER_MAX_S <const> = 3600
--- What is told of an error that the server names.
local QUOTED <const> = 200

---@class moonwatch.osquery.Failure
---@field status integer?         of HTTP; nil when there was no answer
---@field retry_after_s number?   the server wants to be left alone for so long
---@field node_invalid boolean?   the node key is to be had anew
---@field code string?            of moonwatch.tls
---@field blocked boolean?        not even tried, since an earlier Retry-After holds

local origin, resolve
---@type moonwatch.Secret?
local key
-- loop.now() until which nothing is asked.
local blocked_until = 0
local on_invalid = function() end

--- Find out where the backend is.
---@param invalid fun(used: moonwatch.Secret)  called when it says that the node key used is none
---@return boolean? ok
---@return string? message
function M.begin(invalid)
  local message
  origin, resolve, message = backends.origin()
  on_invalid = invalid
  return origin and true, message
end

---@return string
function M.origin()
  return origin
end

---@return moonwatch.Secret?
function M.node_key()
  return key
end

---@param value moonwatch.Secret?
function M.set_node_key(value)
  key = value
end

local function retry_after(headers)
  local value = headers["retry-after"]
  if not value then
    return nil
  end
  local seconds = tonumber(value:match "^%s*(%d+)%s*$")
  if not seconds then
    local at = calendar.parse_http(value)
    seconds = at and at - loop.time()
  end
  return seconds and math.max(0, math.min(RETRY_AFTER_MAX_S, seconds))
end

local function or_nil(value)
  return value ~= "" and value or nil
end

local function quoted(value)
  return text.printable(type(value) == "string" and value or json.encode(value), QUOTED)
end

--- What an answer is worth.
---@return table? answer
---@return string? message
---@return moonwatch.osquery.Failure? failure
local function judge(endpoint, answer, used)
  local failure = { status = answer.status }
  local body = answer.body
  local is_well = answer.status >= 200 and answer.status < 300
  local decoded, problem
  if body:find "^%s*$" then
    decoded = {}
  else
    decoded, problem = json.decode(body)
  end
  local invalid = decoded and decoded.node_invalid
  if invalid == true or invalid == 1 or invalid == "true" then
    failure.node_invalid = true
    if used then
      on_invalid(used)
    end
    return nil, "the backend does not know this node key", failure
  end
  if answer.status == 429 or answer.status == 503 or answer.headers["retry-after"] and not is_well then
    failure.retry_after_s = retry_after(answer.headers)
    if failure.retry_after_s then
      blocked_until = math.max(blocked_until, loop.now() + failure.retry_after_s * 1000)
    end
  end
  local said = decoded and decoded.error
  if said == json.null or said == "" or said == false then
    said = nil
  end
  if not is_well then
    local kind = answer.status >= 300 and answer.status < 400 and "; a redirection is not followed" or ""
    return nil, ("%s: HTTP %d%s%s"):format(backends.path(endpoint), answer.status, kind, said and ": " .. quoted(said) or ""),
      failure
  elseif not decoded then
    return nil, ("%s: the answer is %s"):format(backends.path(endpoint), problem), failure
  elseif said then
    return nil, ("%s: %s"):format(backends.path(endpoint), quoted(said)), failure
  end
  return decoded, nil, nil
end

---@class moonwatch.osquery.PostOptions
---@field gzip boolean?          pack the body
---@field answer_bytes integer?
---@field total_ms number?
---@field without_key boolean?   no node key in the body
---@field raw boolean?           the text of the answer, too, as the second result

--- Of {name = value, …}, or of {{name, text of JSON}, …}, which keeps its order.
local function members_of(members)
  if #members > 0 then
    return json.object(members):sub(2, -2)
  end
  local body = json.encode(members)
  return body:sub(2, -2) -- of {} nothing is left
end

--- POST {"node_key": …, members…}; waits for the answer.
---@param endpoint moonwatch.osquery.Endpoint
---@param members table  name -> value, or a list of pairs of a name and the text of JSON
---@param options moonwatch.osquery.PostOptions?
---@return table? answer
---@return string? message
---@return moonwatch.osquery.Failure? failure
function M.post(endpoint, members, options)
  options = options or {}
  local used = key
  local rest = members_of(members)
  local parts = { "{" }
  if not options.without_key then
    parts[#parts + 1] = '"node_key":'
    parts[#parts + 1] = used and used:quote() or '""'
    if rest ~= "" then
      parts[#parts + 1] = ","
    end
  end
  parts[#parts + 1] = rest
  parts[#parts + 1] = "}"
  return M.send(endpoint, secret.join(parts), options, used)
end

--- POST a body as it is.
---@param endpoint moonwatch.osquery.Endpoint
---@param body moonwatch.Secret
---@param options moonwatch.osquery.PostOptions
---@param used moonwatch.Secret?  node key
---@return table? answer
---@return string? message
---@return moonwatch.osquery.Failure? failure
function M.send(endpoint, body, options, used)
  local path = backends.path(endpoint)
  if not path then
    return nil, ("this backend has no path to %s"):format(endpoint), {}
  end
  local left = blocked_until - loop.now()
  if left > 0 then
    return nil, "the backend asked to be left alone", { blocked = true, retry_after_s = left / 1000 }
  end
  local answer, message, code = tls.request {
    url = origin .. path,
    method = "POST",
    headers = {
      ["Content-Type"] = "application/json",
      Accept = "application/json",
      ["User-Agent"] = USER_AGENT,
      Authorization = used and secret.join { "NodeKey ", used } or nil,
    },
    body = body,
    gzip = options.gzip,
    total_ms = options.total_ms or #body > LONG_BYTES and LONG_MS or TOTAL_MS,
    answer_bytes = options.answer_bytes or ANSWER_BYTES,
    plain = origin:find "^http:" ~= nil,
    resolve = resolve,
    ca_file = or_nil(flags.get "tls_server_certs"),
    cert_file = or_nil(flags.get "tls_client_cert"),
    key_file = or_nil(flags.get "tls_client_key"),
    pinned_key = or_nil(flags.get "tls_pinned_key"),
    proxy = backends.proxy(),
    secret = options.secret,
  }
  body:close()
  if not answer then
    return nil, message, { code = code }
  end
  if options.secret then
    return answer
  end
  local decoded, problem, failure = judge(endpoint, answer, used)
  if decoded and options.raw then
    return decoded, answer.body
  end
  return decoded, problem, failure
end

M.judge = judge

--- Before try `try + 1`: anything up to a bound that doubles with each, so that tasks that failed together do not come back together;
--- longer when the server has asked for it.
---@param try integer  from 1
---@param cap_s number
---@param failure moonwatch.osquery.Failure?
---@return number ms
function M.delay(try, cap_s, failure)
  local ms = math.random() * math.min(cap_s, 2 ^ math.min(try - 1, 30)) * 1000
  if failure and failure.retry_after_s then
    -- A little later than asked, and not all at the same time.
    ms = failure.retry_after_s * 1000 * (1 + math.random() / 4) + ms
  end
  return ms
end

return M

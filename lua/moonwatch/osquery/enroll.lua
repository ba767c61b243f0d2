--- Enrolment: the secret is exchanged for a node key, which is kept in the state folder, for the next start.
---
--- The first try is made at once: tasks are started one after the other anyway.  Later ones wait, with jitter, ever longer; when the
--- backend refuses the secret, only now and then, since another deployment is needed then.
local backends = require "moonwatch.osquery.backends"
local client = require "moonwatch.osquery.client"
local crypto = require "moonwatch.crypto"
local flags = require "moonwatch.flags"
local identity = require "moonwatch.osquery.identity"
local json = require "moonwatch.osquery.json"
local loop = require "moonwatch.loop"
local secret = require "moonwatch.secret"
local state = require "moonwatch.state"

---@class moonwatch.osquery.enroll
local M = {}

local FILE <const> = "node_key"
--- Longest node key that is taken.
local KEY_BYTES <const> = 4096
local ANSWER_BYTES <const> = 64 << 10
--- Between losing a node key and asking for another: none of a fleet is to come at the same time.
local AGAIN_MS <const> = 5000
--- A key that lasted so long was a good one.
local LASTED_S <const> = 600

local options
local wake = loop.bell()
local enrolled = loop.bell()
local enrolled_at, losses = 0, 0
-- Tries that have failed; and whether the last one was refused.
local failed, was_refused = 0, false
local tried = loop.bell()

--- What a node key is good for.
local function bound_to()
  return crypto.sha256(("%s %s %s %s"):format(client.origin(), backends.path "enroll", identity.identifier(),
    identity.known().uuid))
end

local function load_key()
  local path = state.path(FILE)
  if not path or flags.get "enroll_always" then
    return nil
  end
  local kept = secret.file(path)
  local value = kept and kept:get "bound_to" == bound_to() and kept:member "node_key"
  return value or nil
end

local function save_key(key)
  local path = state.path(FILE)
  if path then
    local ok, message = secret.join({ '{"bound_to":"', bound_to(), '","node_key":', key:quote(), "}" }):save(path)
    if not ok then
      options.report(("the node key cannot be kept for the next start: %s"):format(message))
    end
  end
end

local function take_key(key)
  options.remember(key)
  client.set_node_key(key)
  enrolled_at = loop.time()
  enrolled:ring()
  tried:ring()
end

--- One try.
---@return boolean ok
---@return string? message
---@return moonwatch.osquery.Failure? failure
---@return boolean? is_refused  trying again soon is no good
local function try()
  local value = options.secret()
  local body = secret.join {
    '{"enroll_secret":', value and value:quote() or '""',
    ',"host_identifier":', json.encode(identity.identifier()),
    ',"platform_type":', json.encode(identity.PLATFORM_TYPE),
    ',"host_details":', identity.details(), "}",
  }
  local answer, message, failure = client.send("enroll", body, { secret = true, answer_bytes = ANSWER_BYTES })
  if not answer then
    return false, message, failure
  end
  local held = answer.body
  local name = held:type "node_key" == "string" and "node_key" or held:type "id" == "string" and "id"
  local key = name and held:member(name)
  local is_well = answer.status >= 200 and answer.status < 300
  if is_well and key and #key > 0 and #key <= KEY_BYTES and key:is_printable() then
    save_key(key)
    take_key(key)
    return true
  end
  -- There is no key in it, or not one to be used: let it be judged as any other.
  local said = held:get "error"
  local is_invalid = held:get "node_invalid" == true
  local _, why
  _, why, failure = client.judge("enroll", {
    status = answer.status,
    headers = answer.headers,
    body = json.encode { error = type(said) == "string" and said or nil },
  })
  failure = failure or { status = answer.status }
  local is_refused = answer.status == 401 or answer.status == 403 or is_invalid
  return false, is_refused and ("the backend refuses to enrol this: wrong secret? (HTTP %d%s)"):format(answer.status,
    type(said) == "string" and ": " .. said:sub(1, 120) or "") or why or "the answer holds no node key", failure, is_refused
end

--- How long until the next.
local function pause_ms(tries, failure, is_refused)
  local cap_s = flags.get "tls_enroll_max_interval"
  local max = flags.get "tls_enroll_max_attempts"
  if is_refused or max > 0 and tries >= max then
    local ms = cap_s * 1000 * (0.5 + math.random() / 2)
    return math.max(ms, failure and failure.retry_after_s and client.delay(1, 1, failure) or 0)
  end
  return client.delay(tries, math.min(cap_s, 300), failure)
end

--- Until there is a key.  Told once for each kind of failure.
local function enroll()
  local told
  for tries = 1, math.huge do
    local ok, message, failure, is_refused = try()
    if ok then
      if told then
        options.report "enrolled at last"
      end
      return
    end
    failed, was_refused = failed + 1, is_refused
    tried:ring()
    local kind = is_refused and "refused" or failure and (failure.status or failure.code) or "?"
    if kind ~= told and not (failure and failure.blocked) then
      told = kind
      options.report(("not enrolled: %s"):format(message))
    end
    wake:wait(pause_ms(tries, failure, is_refused))
    if is_refused then
      options.read_secret_again()
    end
  end
end

--- The backend does not know this key (any more).
---@param used moonwatch.Secret
function M.lost(used)
  if used ~= client.node_key() or flags.get "disable_reenrollment" then
    return
  end
  client.set_node_key(nil)
  local path = state.path(FILE)
  if path then
    state.remove(FILE)
  end
  losses = loop.time() - enrolled_at > LASTED_S and 1 or losses + 1
  options.report "the backend does not know this any more: enrolling again; what was to be sent stays"
  loop.spawn(function()
    loop.sleep(math.random() * math.min(flags.get "tls_enroll_max_interval" * 1000, AGAIN_MS * 2 ^ (losses - 1)))
    enroll()
  end)
end

--- Wait until there is a node key.
---@param ms number?  at most
---@return boolean
function M.await(ms)
  local deadline = loop.now() + (ms or math.huge)
  while not client.node_key() and not flags.get "disable_enrollment" do
    local left = deadline - loop.now()
    if left <= 0 then
      return false
    end
    enrolled:wait(math.min(left, 60000))
  end
  return true
end

--- The end is near: one more try at once, and no more waiting when that fails.
---@param ms number  at most
function M.hurry(ms)
  local deadline = loop.now() + ms
  local before = failed
  if was_refused then
    return
  end
  wake:ring()
  while not client.node_key() and failed == before and loop.now() < deadline do
    tried:wait(deadline - loop.now())
  end
end

---@class moonwatch.osquery.enroll.Options
---@field secret fun(): moonwatch.Secret?
---@field read_secret_again fun()
---@field report fun(line: string)
---@field remember fun(secret: moonwatch.Secret)

--- Enrol, and stay so.  Waits until there is a node key.
---@param given moonwatch.osquery.enroll.Options
function M.start(given)
  options = given
  if flags.get "disable_enrollment" then
    return
  end
  local key = load_key()
  if key then
    take_key(key)
  else
    enroll()
  end
end

return M

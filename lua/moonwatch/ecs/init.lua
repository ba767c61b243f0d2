--- The ECS task this runs in, from its metadata endpoint: version 4, 3 or 2, whichever the environment names.
---
--- Off ECS nothing is asked.  Soon after the start the endpoint may not know the container yet, or only a part of the task; so it is
--- asked some times at short intervals until the whole is known, and then on a slow timer, since siblings, health and restarts change.
--- Source: the developer guide, "Task metadata endpoint"; limits of the agent's own server.
local environment = require "moonwatch.environment"
local loop = require "moonwatch.loop"
local metadata = require "moonwatch.ecs.metadata"
local tls = require "moonwatch.tls"

---@class moonwatch.ecs
local M = {}

local TRY_MS <const> = 5000
local CONNECT_MS <const> = 2000
local FIRST_TRIES <const> = 5
local FIRST_PAUSE_MS <const> = 200
-- A little later once more: what was still being pulled is there then.
local SECOND_PAUSE_MS <const> = 45000
local PAUSE_MS <const> = 300000

---@class moonwatch.ecs.Place
---@field version 2|3|4
---@field uri string  of this container; of version 2, of the task
---@field task_uri string

--- Where to ask; nil off ECS.
---@return moonwatch.ecs.Place?
function M.place()
  local uri = environment.get "ECS_CONTAINER_METADATA_URI_V4"
  local version = uri and 4 or 3
  uri = uri or environment.get "ECS_CONTAINER_METADATA_URI"
  if uri then
    uri = uri:gsub("/+$", "") -- two slashes are answered with a redirect
    return { version = version, uri = uri, task_uri = uri .. "/task" }
  end
  if (environment.get "AWS_EXECUTION_ENV" or ""):find "^AWS_ECS" then
    uri = "http://169.254.170.2/v2/metadata"
    return { version = 2, uri = uri, task_uri = uri }
  end
  return nil
end

local function ask(uri)
  local answer, message = tls.request {
    url = uri,
    plain = true,
    container_only = true,
    total_ms = TRY_MS,
    connect_ms = CONNECT_MS,
    answer_bytes = metadata.BODY_BYTES,
    headers = { Accept = "application/json" },
  }
  if not answer then
    return nil, message
  end
  local object, complaint = metadata.decode(answer.body)
  if answer.status ~= 200 then
    return nil, ("%s answers HTTP %d%s"):format(uri, answer.status, complaint and ": " .. complaint or "")
  end
  if not object then
    return nil, ("the answer of %s is %s"):format(uri, complaint)
  end
  return object
end

--- Ask once.  Partial answers are taken: what could be had is told, and what could not, in `error` of the own row.
---@param place moonwatch.ecs.Place
---@return moonwatch.ecs.Metadata? known
---@return string? message  why it is not all, or nothing
function M.fetch(place)
  local container, problem
  if place.version > 2 then
    container, problem = ask(place.uri)
  end
  local task, task_problem = ask(place.task_uri)
  problem = problem or task_problem
  if not container and not task then
    return nil, problem
  end
  local known = metadata.describe(container, task)
  local own = known.own or {}
  for column, value in pairs(known.task) do
    if own[column] == nil and not known.own then
      own[column] = value -- version 2 knows the task only
    end
  end
  own.metadata_version = "v" .. place.version
  own.metadata_uri = place.uri
  own.fetched_at = math.floor(loop.time())
  own.error = problem
  known.own = own
  return known, problem
end

--- Whether there is nothing to wait for.
local function is_whole(known)
  return known and not known.own.error and known.own.task_arn and (known.own.ipv4_addresses or known.own.ipv6_addresses
    or known.own.network_mode)
end

--- Ask as long as this runs, and tell each time what is known.  Returns at once off ECS.
---@param tell fun(known: moonwatch.ecs.Metadata?, message: string?)
function M.follow(tell)
  local place = M.place()
  if not place then
    return
  end
  local known, message
  for try = 1, FIRST_TRIES do
    local now_known
    now_known, message = M.fetch(place)
    known = now_known or known
    if now_known then
      tell(known, message)
    end
    if is_whole(known) or try == FIRST_TRIES then
      break
    end
    loop.sleep(FIRST_PAUSE_MS * 2 ^ (try - 1) * (0.5 + math.random()))
  end
  if not known then
    tell(nil, message)
  end
  local pause_ms = SECOND_PAUSE_MS
  while true do
    loop.sleep(pause_ms * (0.75 + math.random() / 2))
    pause_ms = PAUSE_MS
    known, message = M.fetch(place)
    if known then
      tell(known, message)
    end
  end
end

return M

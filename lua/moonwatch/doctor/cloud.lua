--- Checks of ECS, of the task's role, and of the secret it is to read.  That it can be read is said, never what it is.
local aws = require "moonwatch.aws"
local ecs = require "moonwatch.ecs"
local enroll_secret = require "moonwatch.enroll_secret"

local function metadata(facts)
  local place = ecs.place()
  if not place then
    return "off", "not on ECS: ECS_CONTAINER_METADATA_URI_V4 is not set"
  end
  local known, message = ecs.fetch(place)
  if not known then
    return "failed", message, "let 169.254.170.2 through: no proxy, and no rule of iptables or of a service mesh, may take it"
  end
  facts.metadata = known
  local own = known.own
  local found = ("version %d: task %s of %s, container %s"):format(place.version, own.task_id or "?",
    own.task_family or known.task.family or "?", own.container_name or "?")
  if message then
    return "degraded", found .. "; " .. message, "none is needed if this is the container's first minute"
  end
  return "ok", found
end

local function credentials(facts)
  local keys, message = aws.credentials.get(facts.deadline)
  if keys then
    return "ok", ("from %s%s"):format(keys.source, keys.role and ", role " .. keys.role or "")
  end
  if not ecs.place() and message:find "no credentials" then
    return "off", "none are offered here"
  end
  return "failed", message, "give the task definition a taskRoleArn that ECS can assume"
end

local function secret(facts)
  local reference, bytes = facts.enroll_secret, facts.enroll_secret_bytes
  if reference == "" then
    return "off", "no secret is named (--enroll_secret)"
  end
  if bytes > 0 then
    return "ok", ("%s holds %d bytes"):format(reference, bytes)
  end
  local value, message = enroll_secret.read(reference)
  if value then
    return "ok", ("%s can be read, %d bytes"):format(reference, #value)
  end
  return "failed", message, "see whether name and region are right; container/aws/ has the policies of the task role"
end

return {
  { name = "metadata", run = metadata, waits = true },
  { name = "credentials", run = credentials, waits = true },
  { name = "secret", run = secret, waits = true },
}

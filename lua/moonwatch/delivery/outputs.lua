--- Outputs that take what the spool holds: those on the network, each with a cursor of its own, and lines of results and status to
--- wherever.
local cjson = require "cjson"
local crypto = require "moonwatch.crypto"
local delivery = require "moonwatch.delivery"
local enroll_secret = require "moonwatch.enroll_secret"
local loop = require "moonwatch.loop"
local options_of = require "moonwatch.sink.options"
local output = require "moonwatch.output"
local retry = require "moonwatch.aws.retry"
local secret = require "moonwatch.secret"
local spool = require "moonwatch.spool"

---@class moonwatch.delivery.outputs
local M = {}

--- What a sink's connect() returns.
---@class moonwatch.sink.Sender
---@field max_rows? integer
---@field max_bytes? integer
---@field send fun(lines: string[], items: moonwatch.spool.Item[], budget_ms?: number): true?, string?, moonwatch.delivery.Trouble?

---@class moonwatch.delivery.outputs.Options
---@field report fun(line: string)
---@field remember fun(secret: moonwatch.Secret)  to blot it out
---@field environment? table<string, moonwatch.Secret>  variables that were taken out of it
---@field wants? fun(name: string): boolean  only those outputs
---@field is_over? fun(): boolean  nobody waits for it any more

-- Longest name of a consumer (core/spool/queue.h).
local NAME_BYTES = 120
local BASE_MS, CAP_MS = 5000, 300000

--- What it is called in the spool, in moonwatch_health, in messages: stable, and without a query or user, which may be secret.
---@param part moonwatch.output.Part
---@param used table<string, true>
---@return string
function M.name_of(part, used)
  local target = part.target and "=" .. part.target:match "^[^?#]*" or ""
  local name = part.options.name or part.sink .. target
  if #name > NAME_BYTES then
    name = name:sub(1, NAME_BYTES - 17) .. "-" .. crypto.sha256(name):sub(1, 16)
  end
  for _, more in ipairs { "", " " .. table.concat(part.streams, "+"), " " .. part.format } do
    if not used[name .. more] then
      name = name .. more
      break
    end
  end
  local n, plain = 2, name
  while used[name] do
    name, n = ("%s (%d)"):format(plain, n), n + 1
  end
  used[name] = true
  return name
end

--- What a variable held before it was taken out of the environment; in commands it still is there.
local function variable(reference, options)
  local name = reference:match "^env:(.+)$"
  return name and (options.environment and options.environment[name] or secret.env(name))
end

--- Secrets in the place of the references that options are.
local function resolve(part, name, options)
  local known = require("moonwatch.sink." .. part.sink).options
  local function read(reference)
    for try = 1, math.huge do
      local value, message = enroll_secret.read(reference, variable(reference, options))
      if value then
        options.remember(value)
        return value
      end
      if try == 1 then
        options.report(("%s: a secret cannot be read: %s; it is tried again"):format(name, message))
      end
      if options.is_over and options.is_over() then
        return nil
      end
      loop.sleep(math.max(1000, math.min(CAP_MS, retry.delay(try, BASE_MS))))
    end
  end
  for key, value in pairs(part.options) do
    if known[key] and known[key].kind == "secret" then
      part.options[key] = read(value)
    end
  end
  for header, value in pairs(part.options.header or {}) do
    if options_of.is_reference(value) then
      part.options.header[header] = read(value)
    end
  end
end

local function formatter(part)
  local format = part.format ~= "json" and require("moonwatch.output." .. part.format)
  return function(item)
    if not format or item.stream == "results" or item.stream == "status" then
      return item.body -- it is JSON of that shape already
    end
    return format(cjson.decode(item.body))
  end
end

--- send(batch) of a sender of lines: what cannot be put into lines is refused.
local function send_lines(sender, format)
  return function(batch, budget_ms)
    local lines, items, places, refused = {}, {}, {}, {}
    for i, item in ipairs(batch) do
      local ok, line = pcall(format, item)
      if ok and type(line) == "string" then
        lines[#lines + 1], items[#items + 1], places[#places + 1] = line, item, i
      else
        refused[i] = "it cannot be formatted: " .. tostring(line)
      end
    end
    local ok, message, trouble = true, nil, nil
    if #lines > 0 then
      ok, message, trouble = sender.send(lines, items, budget_ms)
    end
    if ok and not next(refused) then
      return true
    end
    trouble = trouble or {}
    local accepted = {}
    for n, i in ipairs(places) do
      if ok or (trouble.accepted and trouble.accepted[n]) then
        accepted[i] = true
      end
      refused[i] = trouble.refused and trouble.refused[n] or refused[i]
    end
    return nil, message or select(2, next(refused)), {
      accepted = accepted, refused = refused, retry_after_s = trouble.retry_after_s, stop = trouble.stop,
      is_poison = trouble.is_poison,
    }
  end
end

local gates = {}

--- Loops to the same host wait together when it asks for that.
local function gate_of(part)
  local key = part.address and part.address.authority or part.sink .. (part.target or "")
  gates[key] = gates[key] or { not_before = 0 }
  return gates[key]
end

---@class moonwatch.delivery.outputs.Planned
---@field part moonwatch.output.Part
---@field name string
---@field streams moonwatch.spool.Stream[]
---@field loop moonwatch.delivery.Loop?  once its secrets are read

--- @param one moonwatch.delivery.outputs.Planned
local function run(one, options)
  local part, name = one.part, one.name
  resolve(part, name, options)
  if options.is_over and options.is_over() then
    return
  end
  local sink = require("moonwatch.sink." .. part.sink)
  local sender, message = (sink.connect or require("moonwatch.sink.lines").connect)(part)
  if not sender then
    options.report(("%s: %s"):format(name, message))
    return
  end
  one.loop = delivery.start {
    consumer = name,
    streams = one.streams,
    period_ms = part.options.period_ms,
    max_rows = math.min(part.options.rows or math.huge, sender.max_rows or 1000),
    max_bytes = math.min(part.options.bytes or math.huge, sender.max_bytes or 1 << 20),
    report = options.report,
    gate = gate_of(part),
    send = send_lines(sender, formatter(part)),
  }
end

--- Those that take what the spool holds, with their names there.
---@param parts moonwatch.output.Part[]
---@param used table<string, true>  names that are taken; those given are added
---@return moonwatch.delivery.outputs.Planned[]
function M.plan(parts, used)
  local planned = {}
  for _, part in ipairs(parts) do
    local streams = {}
    for _, stream in ipairs(part.streams) do
      if part.is_network or stream == "results" or stream == "status" then
        streams[#streams + 1] = stream
      end
    end
    if #streams > 0 then
      planned[#planned + 1] = { part = part, name = M.name_of(part, used), streams = streams }
    end
  end
  return planned
end

--- Begin to deliver: a task.
---@param one moonwatch.delivery.outputs.Planned
---@param options moonwatch.delivery.outputs.Options
function M.begin(one, options)
  -- Now, before what follows is written, so that it is counted whenever its secret can be read.
  local ok, why = spool.join(one.name, { streams = one.streams })
  if not ok then
    options.report(("%s: %s"):format(one.name, why))
  end
  loop.spawn(run, one, options)
end

--- Begin to deliver what `spec` asks for; each output is a task.
---@param spec string
---@param options moonwatch.delivery.outputs.Options
---@return table<string, true>? used  the names of all of them
---@return string? message
function M.start(spec, options)
  local parts, message = output.parse(spec)
  if not parts then
    return nil, message
  end
  local used = {}
  for _, one in ipairs(M.plan(parts, used)) do
    if not options.wants or options.wants(one.name) then
      M.begin(one, options)
    end
  end
  return used
end

return M

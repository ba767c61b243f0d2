--- Fluent's Forward protocol: Fluent Bit and Fluentd, and so FireLens, whose address ECS gives in FLUENT_HOST and FLUENT_PORT.  Each
--- batch is acknowledged.  https://github.com/fluent/fluentd/wiki/Forward-Protocol-Specification-v1
local cjson = require "cjson"
local connection = require "moonwatch.sink.connection"
local crypto = require "moonwatch.crypto"
local environment = require "moonwatch.environment"
local msgpack = require "moonwatch.sink.msgpack"
local options = require "moonwatch.sink.options"

local PORT = 24224

---@class moonwatch.sink.forward
local M = {
  is_network = true,
  wants_target = "optional",
  target = "tcp://HOST[:24224]",
  options = options.join(options.network, options.tls, {
    tag = { kind = "text", default = "moonwatch.{stream}" },
    ack = { kind = "yes", default = true },
  }),
}

--- Without a target: where ECS says that the log router of this task is.
function M.check(part)
  if not part.target then
    local host = environment.get "FLUENT_HOST"
    if not host then
      part.address = {} -- it is looked for when it is connected to: the check may run elsewhere
      return true
    end
    part.options.plain = true -- of the same task
    part.target = ("tcp://%s:%s"):format(host, environment.get "FLUENT_PORT" or PORT)
  end
  return connection.check(part, { tls = PORT, tcp = PORT }, { tcp = true })
end

-- Entries of one stream: [tag, [[time, record], …], {chunk, size}].
local function encode(stream, lines, items, indexes, given)
  local out = { msgpack.array(3) }
  msgpack.add((given.tag:gsub("{stream}", stream)), out)
  out[#out + 1] = msgpack.array(#indexes)
  local ids = {}
  for n, i in ipairs(indexes) do
    local is_json, record = pcall(cjson.decode, lines[i])
    out[#out + 1] = msgpack.array(2)
    out[#out + 1] = msgpack.time(items[i].time_ns)
    msgpack.add(is_json and type(record) == "table" and record or { log = lines[i] }, out)
    ids[n] = items[i].id .. (items[i].rule or "")
  end
  -- The same for the same batch, so that who looks can tell that it came before.
  local chunk = crypto.sha256(table.concat(ids, "\n")):sub(1, 32)
  msgpack.add({ chunk = given.ack and chunk or nil, size = #indexes }, out)
  return table.concat(out), chunk
end

local function by_stream(items)
  local order, indexes = {}, {}
  for i, item in ipairs(items) do
    if not indexes[item.stream] then
      order[#order + 1], indexes[item.stream] = item.stream, {}
    end
    table.insert(indexes[item.stream], i)
  end
  return order, indexes
end

function M.connect(part)
  if not part.target then
    return nil, "there is no target, and no FLUENT_HOST in the environment: is there a log router (FireLens) in this task?"
  end
  local own = connection.new(part)
  local given = part.options

  local function send_stream(bytes, chunk, ms)
    local ok, message = own:write(bytes, ms)
    if not ok then
      return nil, message
    elseif not given.ack then
      return own:confirmed(ms) or nil, "it does not take what was sent"
    end
    local ack
    ack, message = own:read(msgpack.ack, ms)
    if ack == chunk then
      return true
    end
    own:close()
    return nil, message or "the answer is no acknowledgement of what was sent"
  end

  return {
    max_rows = 1000, max_bytes = 1 << 20,
    send = function(lines, items, budget_ms)
      local ms = math.min(given.timeout_ms, budget_ms or math.huge)
      local is_new, message, code = own:open(ms)
      if is_new == nil then
        return nil, message, { stop = code == "EKEYREJECTED" }
      end
      local accepted = {}
      local order, indexes = by_stream(items)
      for _, stream in ipairs(order) do
        local bytes, chunk = encode(stream, lines, items, indexes[stream], given)
        local ok
        ok, message = send_stream(bytes, chunk, ms)
        if not ok then
          return nil, message, { accepted = accepted }
        end
        for _, i in ipairs(indexes[stream]) do
          accepted[i] = true
        end
      end
      return true
    end,
  }
end

return M

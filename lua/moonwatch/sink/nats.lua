--- NATS JetStream: a message an item, which carries its id (Nats-Msg-Id), so that the stream knows one that comes again; delivered
--- when the stream has acknowledged it.  https://docs.nats.io/reference/reference-protocols/nats-protocol
local cjson = require "cjson"
local address = require "moonwatch.sink.address"
local connection = require "moonwatch.sink.connection"
local options = require "moonwatch.sink.options"
local text = require "moonwatch.text"

local PORT = 4222
-- Published before acknowledgements are waited for.
local WINDOW = 256

---@class moonwatch.sink.nats
local M = {
  is_network = true,
  wants_target = true,
  target = "nats://HOST[:4222]",
  options = options.join(options.network, options.tls, {
    -- While a cluster elects a leader nobody answers.
    timeout_ms = { kind = "integer", min = 100, max = 600000, default = 5000 },
    server = { kind = "list" },
    subject = { kind = "text", default = "moonwatch.{stream}" },
    user = { kind = "text" },
    password = { kind = "secret" },
    token = { kind = "secret" },
  }),
}

local SCHEMES, PLAIN = { nats = PORT, tls = PORT }, { nats = true }

function M.check(part)
  if not part.options.subject:find "^[%w_{}.-]+$" then
    return nil, "a subject has letters, digits, _ and - in words with dots between"
  end
  part.servers = {}
  for _, url in ipairs(part.options.server or {}) do
    local where, message = address.parse(url, SCHEMES)
    local ok = where
    if where then
      where.is_plain = PLAIN[where.scheme]
      ok, message = address.check_plain(where, where.is_plain, part.options)
    end
    if not ok then
      return nil, "option server: " .. message
    end
    part.servers[#part.servers + 1] = where
  end
  local ok, message = connection.check(part, SCHEMES, PLAIN)
  if ok then
    table.insert(part.servers, 1, part.address)
  end
  return ok, message
end

--- What stands at the beginning of `bytes`: {name, …} and its length; nil: not all of it is there.
local function message_of(bytes)
  local line, after = bytes:match "^([^\r\n]*)\r\n()"
  if not line then
    return nil
  end
  local verb = line:match "^%S*":upper()
  local read = { verb = verb, rest = line:sub(#verb + 2) }
  if verb ~= "MSG" and verb ~= "HMSG" then
    return read, after - 1
  end
  local words = {}
  for word in read.rest:gmatch "%S+" do
    words[#words + 1] = word
  end
  local size = tonumber(words[#words]) or 0
  if #bytes < after + size + 1 then
    return nil
  end
  read.subject = words[1]
  local head = verb == "HMSG" and tonumber(words[#words - 1]) or 0
  read.header, read.body = bytes:sub(after, after + head - 1), bytes:sub(after + head, after + size - 1)
  return read, after + size + 1
end

local function inbox()
  local digits = {}
  for i = 1, 22 do
    digits[i] = ("%x"):format(math.random(0, 15))
  end
  return "_INBOX." .. table.concat(digits)
end

local function id_of(item)
  return (item.stream .. "/" .. item.id .. (item.rule and "/" .. item.rule or "")):gsub("[^\33-\126]", "?")
end

---@class moonwatch.sink.nats.Client
local Client = {}
Client.__index = Client

--- CONNECT, with what is secret in it in memory that is wiped.
function Client:hello()
  local given = self.part.options
  local members = {
    '{"verbose":false,"pedantic":false,"headers":true,"no_responders":true,"lang":"lua","name":"moonwatch","version":"1"',
    ',"tls_required":', self.place.is_plain and "false" or "true",
  }
  if given.user then
    members[#members + 1] = ',"user":' .. cjson.encode(given.user)
  end
  for _, pair in ipairs { { "pass", given.password }, { "auth_token", given.token } } do
    if pair[2] then
      members[#members + 1] = (',"%s":'):format(pair[1])
      members[#members + 1] = pair[2]:quote()
    end
  end
  members[#members + 1] = "}\r\n"
  return require "moonwatch.secret".join { "CONNECT ", table.unpack(members) }
end

--- The next message; PING is answered.
function Client:next(ms)
  while true do
    local read, message = self.connection:read(message_of, ms)
    if not read then
      return nil, message
    elseif read.verb == "PING" then
      local ok, why = self.connection:write("PONG\r\n", ms)
      if not ok then
        return nil, why
      end
    elseif read.verb == "-ERR" then
      self.connection:close()
      return nil, "the server says " .. text.printable(read.rest, 200), read.rest:find "Authorization" ~= nil
    elseif read.verb == "INFO" then
      self:learn(read.rest)
      return read
    elseif read.verb ~= "+OK" then
      return read
    end
  end
end

--- What INFO says: the other servers of the cluster, and the largest message.
function Client:learn(json)
  local ok, info = pcall(cjson.decode, json)
  if not ok or type(info) ~= "table" then
    return
  end
  self.max_payload = tonumber(info.max_payload) or self.max_payload
  for _, url in ipairs(type(info.connect_urls) == "table" and info.connect_urls or {}) do
    local where = address.parse("nats://" .. tostring(url), SCHEMES)
    if where and not self.known[where.authority] and #self.servers < 16 then
      self.known[where.authority] = true
      -- As the one that told of it: no worse protected.
      where.is_plain = self.place.is_plain
      self.servers[#self.servers + 1] = where
    end
  end
end

function Client:connect_to(place, ms)
  self.place = place
  local is_new, message, code = self.connection:open(ms, place)
  if is_new == nil then
    return nil, message, code == "EKEYREJECTED"
  elseif not is_new then
    return true
  end
  self.inbox, self.count = inbox(), 0
  local read, is_denied
  read, message, is_denied = self:next(ms)
  if read and read.verb ~= "INFO" then
    read, message = nil, "it is no NATS server"
  end
  local ok = read
  if ok then
    ok, message = self.connection:write(self:hello(), ms)
  end
  if ok then
    ok, message = self.connection:write(("SUB %s.* 1\r\nPING\r\n"):format(self.inbox), ms)
  end
  while ok do
    read, message, is_denied = self:next(ms)
    ok = read
    if read and read.verb == "PONG" then
      return true
    end
  end
  self.connection:close()
  return nil, message, is_denied
end

--- To the server of before, else to each in turn.
function Client:open(ms)
  local message, is_denied
  for _ = 1, #self.servers do
    local place = self.servers[self.current]
    local ok
    ok, message, is_denied = self:connect_to(place, ms)
    if ok then
      return true
    end
    self.current = self.current % #self.servers + 1
  end
  return nil, message, is_denied
end

function Client:publish(line, item, subject)
  self.count = self.count + 1
  local header = ("NATS/1.0\r\nNats-Msg-Id: %s\r\n\r\n"):format(id_of(item))
  return ("HPUB %s %s.%d %d %d\r\n%s%s\r\n"):format(subject, self.inbox, self.count, #header, #header + #line, header, line)
end

--- What became of one message: true; or why not.
local function judge(read)
  local status = read.header:match "^NATS/1%.0 (%d+)"
  if status == "503" then
    return nil, "no JetStream stream takes this subject, or it has no leader" -- which it will have again
  end
  local ok, body = pcall(cjson.decode, read.body)
  if ok and type(body) == "table" and type(body.error) == "table" then
    return nil, ("JetStream says %s (%s)"):format(text.printable(tostring(body.error.description), 200), tostring(body.error.code))
  elseif ok and type(body) == "table" and body.stream then
    return true
  end
  return nil, "the answer is no acknowledgement"
end

--- Publish items from…to, and wait for all of their acknowledgements.
function Client:window(lines, items, from, to, ms, fate)
  local parts, place_of, waiting = {}, {}, 0
  for i = from, to do
    local subject = self.part.options.subject:gsub("{stream}", items[i].stream)
    if #lines[i] + 512 > self.max_payload then
      fate.refused[i] = ("larger than the %d bytes that the server takes"):format(self.max_payload)
    else
      parts[#parts + 1] = self:publish(lines[i], items[i], subject)
      place_of[self.count], waiting = i, waiting + 1
    end
  end
  local ok, message = self.connection:write(table.concat(parts), ms)
  while ok and waiting > 0 do
    local read
    read, message = self:next(ms)
    ok = read
    local n = read and read.subject and tonumber(read.subject:match "%.(%d+)$")
    local i = n and place_of[n]
    if i then
      place_of[n], waiting = nil, waiting - 1
      local taken, why = judge(read)
      fate.accepted[i] = taken
      fate.message = fate.message or why
    end
  end
  if not ok then
    -- Its leader may be gone: another server knows the next one.
    self.connection:close()
    self.current = self.current % #self.servers + 1
    return nil, message
  end
  return true
end

function M.connect(part)
  local client = setmetatable({
    part = part, connection = connection.new(part), servers = part.servers, known = {}, current = 1, max_payload = 1 << 20,
  }, Client)
  for _, place in ipairs(part.servers) do
    client.known[place.authority] = true
  end
  return {
    max_rows = 1000, max_bytes = 1 << 20,
    send = function(lines, items, budget_ms)
      local ms = math.min(part.options.timeout_ms, budget_ms or math.huge)
      local ok, message, is_denied = client:open(ms)
      if not ok then
        return nil, message, { stop = is_denied }
      end
      local fate = { accepted = {}, refused = {} }
      for from = 1, #lines, WINDOW do
        ok, message = client:window(lines, items, from, math.min(#lines, from + WINDOW - 1), ms, fate)
        if not ok then
          break
        end
      end
      if ok and not fate.message and not next(fate.refused) then
        return true
      end
      return nil, message or fate.message or select(2, next(fate.refused)), {
        accepted = fate.accepted, refused = fate.refused,
      }
    end,
  }
end

return M

--- A connection that is made when it is needed, and made anew after a failure; what is read is kept until it is taken.
local address = require "moonwatch.sink.address"
local loop = require "moonwatch.loop"
local stream = require "moonwatch.stream"

---@class moonwatch.sink.Connection
---@field stream? moonwatch.Stream
---@field buffer string
local Connection = {}
Connection.__index = Connection

local M = {}

-- What an answer may have before it is understood.
local BUFFER_BYTES = 1 << 20

--- The place of a target of `schemes` (each with its port) or unix:PATH; `plain` are those without TLS.
---@param part moonwatch.output.Part
---@param schemes table<string, integer>
---@param plain table<string, true>
---@return true?
---@return string? message
function M.check(part, schemes, plain)
  local path = part.target:match "^unix:(/.*)$"
  if path then
    part.address = { unix = path, authority = part.target }
    return true
  end
  local where, message = address.parse(part.target, schemes)
  if not where then
    return nil, message .. " or unix:/PATH"
  end
  part.address = where
  part.address.is_plain = plain[where.scheme]
  return address.check_plain(where, plain[where.scheme], part.options)
end

---@param part moonwatch.output.Part  `address` as check() left it
---@return moonwatch.sink.Connection
function M.new(part)
  return setmetatable({ part = part, buffer = "" }, Connection)
end

--- Connected; `is_new` when it was not before.
---@param ms number
---@param place? table  another than the target's
---@return boolean? is_new
---@return string? message
---@return string? code
function Connection:open(ms, place)
  if self.stream then
    -- Has the other side closed it since?
    local bytes, _, code = self.stream:read(4096, 0)
    if bytes then
      self.buffer = self.buffer .. bytes
    end
    if bytes or code == "ETIMEDOUT" then
      return false
    end
    self:close()
  end
  local options = self.part.options
  place = place or self.part.address
  local opened, message, code = stream.connect {
    host = place.host, port = place.port, unix = place.unix, tls = not place.is_plain and not place.unix,
    connect_ms = math.max(1, math.min(math.floor(ms), options.timeout_ms)),
    ca_file = options.ca, cert_file = options.cert, key_file = options.key, pinned_key = options.pin,
  }
  if not opened then
    return nil, message, code
  end
  self.stream, self.buffer = opened, ""
  return true
end

function Connection:close()
  if self.stream then
    self.stream:close()
    self.stream = nil
  end
end

--- Everything, or the connection is closed.
function Connection:write(bytes, ms)
  local ok, message, code = self.stream:write(bytes, ms)
  if not ok then
    self:close()
  end
  return ok, message, code
end

--- What `take(buffer)` makes of what has come: a result, and how many bytes it takes; nil: more is needed.
---@param take fun(buffer: string): any, integer?
---@param ms number
---@return any
---@return string? message
---@return string? code
function Connection:read(take, ms)
  local deadline = loop.now() + ms
  while true do
    local result, bytes = take(self.buffer)
    if result ~= nil then
      self.buffer = self.buffer:sub(bytes + 1)
      return result
    end
    if #self.buffer > BUFFER_BYTES then
      self:close()
      return nil, "the answer is too long", "EFBIG"
    end
    local more, message, code = self.stream:read(65536, math.max(0, deadline - loop.now()))
    if not more then
      self:close()
      return nil, message, code
    end
    self.buffer = self.buffer .. more
  end
end

--- Wait until the other side's kernel has all of it.
---@return boolean
function Connection:confirmed(ms)
  local deadline = loop.now() + ms
  local pause = 1
  while true do
    local left = self.stream:unconfirmed()
    if not left or left == 0 then
      return true
    elseif loop.now() >= deadline then
      return false
    end
    loop.sleep(pause)
    pause = math.min(50, pause * 2)
  end
end

return M

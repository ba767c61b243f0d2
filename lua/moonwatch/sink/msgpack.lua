--- MessagePack, as far as the Forward protocol needs it.
local M = {}

local pack = string.pack

local function text(value)
  local n = #value
  if n < 32 then
    return string.char(0xa0 | n) .. value
  elseif n < 256 then
    return pack(">BB", 0xd9, n) .. value
  elseif n < 65536 then
    return pack(">BI2", 0xda, n) .. value
  end
  return pack(">BI4", 0xdb, n) .. value
end

local function number(value)
  local whole = math.tointeger(value)
  if not whole then
    return pack(">Bd", 0xcb, value)
  elseif whole >= 0 and whole < 128 then
    return string.char(whole)
  elseif whole >= 0 then
    return pack(">Bi8", 0xcf, whole)
  end
  return pack(">Bi8", 0xd3, whole)
end

--- Heads of an array and of a map.
function M.array(n)
  return n < 16 and string.char(0x90 | n) or n < 65536 and pack(">BI2", 0xdc, n) or pack(">BI4", 0xdd, n)
end

function M.map(n)
  return n < 16 and string.char(0x80 | n) or n < 65536 and pack(">BI2", 0xde, n) or pack(">BI4", 0xdf, n)
end

--- A value as cjson gives it.  An empty table is an array: our lines have no empty objects.
---@param value any
---@param out string[]
function M.add(value, out)
  local kind = type(value)
  if kind == "string" then
    out[#out + 1] = text(value)
  elseif kind == "number" then
    out[#out + 1] = number(value)
  elseif kind == "boolean" then
    out[#out + 1] = value and "\xc3" or "\xc2"
  elseif kind == "table" and (#value > 0 or next(value) == nil) then
    out[#out + 1] = M.array(#value)
    for _, member in ipairs(value) do
      M.add(member, out)
    end
  elseif kind == "table" then
    local at, n = #out + 1, 0
    out[at] = ""
    for name, member in pairs(value) do
      out[#out + 1] = text(tostring(name))
      M.add(member, out)
      n = n + 1
    end
    out[at] = M.map(n)
  else
    out[#out + 1] = "\xc0"
  end
end

--- The time of an event, seconds and nanoseconds: the extension of type 0.
---@param time_ns integer
---@return string
function M.time(time_ns)
  return pack(">BBI4I4", 0xd7, 0, time_ns // 1000000000 & 0xffffffff, time_ns % 1000000000)
end

local function text_at(bytes, at)
  local head = bytes:byte(at)
  if not head then
    return nil
  elseif head & 0xe0 == 0xa0 then
    local n = head & 0x1f
    return #bytes >= at + n and bytes:sub(at + 1, at + n) or nil, at + n + 1
  end
  local size = ({ [0xd9] = 1, [0xda] = 2, [0xdb] = 4, [0xc4] = 1, [0xc5] = 2, [0xc6] = 4 })[head]
  if not size then
    return false
  elseif #bytes < at + size then
    return nil
  end
  local n = string.unpack(">I" .. size, bytes, at + 1)
  return #bytes >= at + size + n and bytes:sub(at + size + 1, at + size + n) or nil, at + size + n + 1
end

--- {"ack": TEXT}: the text, and how many bytes it took; nil: more is needed; false: it is something else.
---@param bytes string
---@return string|false|nil ack
---@return integer? taken
function M.ack(bytes)
  local head = bytes:byte(1)
  if not head then
    return nil
  elseif head ~= 0x81 then
    return false, #bytes
  end
  local name, at = text_at(bytes, 2)
  if not name then
    return name, #bytes
  end
  local value, after = text_at(bytes, at)
  if not value then
    return value, #bytes
  end
  return name == "ack" and value or false, after - 1
end

return M

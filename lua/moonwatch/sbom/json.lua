--- JSON that is the same for the same content: keys in order, two blanks a level, well-formed UTF-8 whatever comes in.
---@class moonwatch.sbom.json
local M = {}

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }
local REPLACEMENT = "\u{FFFD}"

--- A byte that belongs to no character becomes U+FFFD.
---@param text string
---@return string
function M.utf8(text)
  local _, bad = utf8.len(text)
  if not bad then
    return text
  end
  local parts, from = {}, 1
  while bad do
    parts[#parts + 1] = text:sub(from, bad - 1) .. REPLACEMENT
    from = bad + 1
    _, bad = utf8.len(text, from)
  end
  return table.concat(parts) .. text:sub(from)
end

local function quote(text)
  return '"' .. M.utf8(text):gsub('[%c"\\\127]', function(c)
    return ESCAPES[c] or ("\\u%04x"):format(c:byte())
  end) .. '"'
end

local write

local function write_list(out, value, indent)
  if #value == 0 then
    out[#out + 1] = "[]"
    return
  end
  local inner = indent .. "  "
  for i, item in ipairs(value) do
    out[#out + 1] = (i == 1 and "[\n" or ",\n") .. inner
    write(out, item, inner)
  end
  out[#out + 1] = "\n" .. indent .. "]"
end

local function write_object(out, value, indent)
  local keys = {}
  for key in pairs(value) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  local inner = indent .. "  "
  for i, key in ipairs(keys) do
    out[#out + 1] = (i == 1 and "{\n" or ",\n") .. inner .. quote(key) .. ": "
    write(out, value[key], inner)
  end
  out[#out + 1] = #keys == 0 and "{}" or "\n" .. indent .. "}"
end

function write(out, value, indent)
  local kind = type(value)
  if kind == "table" then
    -- A table without keys is an empty list: no object here is empty.
    if #value > 0 or next(value) == nil then
      write_list(out, value, indent)
    else
      write_object(out, value, indent)
    end
  elseif kind == "string" then
    out[#out + 1] = quote(value)
  elseif kind == "number" or kind == "boolean" then
    out[#out + 1] = tostring(value)
  else
    error("cannot be written as JSON: a " .. kind)
  end
end

--- One text, with a newline at its end.
---@param value table
---@return string
function M.encode(value)
  local out = {}
  write(out, value, "")
  out[#out + 1] = "\n"
  return table.concat(out)
end

local PRIME, OFFSETS = 0x100000001b3, { 0xcbf29ce484222325, 0x6c62272e07bb0142 }

--- 128 bits of a text, FNV-1a twice from different starts: to tell documents apart, not to prove anything.
---@param text string
---@return integer high
---@return integer low
function M.hash(text)
  local a, b = OFFSETS[1], OFFSETS[2]
  for i = 1, #text, 4096 do
    for _, byte in ipairs { text:byte(i, math.min(i + 4095, #text)) } do
      a, b = (a ~ byte) * PRIME, (b ~ (byte ~ 0x5c)) * PRIME
    end
  end
  return a, b
end

--- A UUID of a form of our own (version 8 of RFC 9562) that stands for a text.
---@param text string
---@return string
function M.uuid(text)
  local a, b = M.hash(text)
  local hex = ("%016x%016x"):format(a, b)
  return ("%s-%s-8%s-%x%s-%s"):format(hex:sub(1, 8), hex:sub(9, 12), hex:sub(14, 16),
    8 | (tonumber(hex:sub(17, 17), 16) & 3), hex:sub(18, 20), hex:sub(21, 32))
end

return M

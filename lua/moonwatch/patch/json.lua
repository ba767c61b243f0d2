--- JSON (RFC 8259) as a tree that knows where each node stands, of the same shape as that of moonwatch.yaml.  The order of
--- members and the way numbers are written stay: a document is changed in some places, and as it was elsewhere.
---@class moonwatch.patch.json
local M = {}

local MAX_DEPTH = 64
local MAX_NODES = 262144

local ESCAPES = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/" }

---@class moonwatch.patch.json.Reader
---@field text string
---@field at integer
---@field nodes integer

local function fail(reader, what, at)
  at = at or reader.at
  local line, begin = 1, 1
  for position in reader.text:sub(1, at - 1):gmatch "()\n" do
    line, begin = line + 1, position + 1
  end
  error({ ("line %d, column %d: %s"):format(line, at - begin + 1, what) }, 0)
end

local function skip(reader)
  reader.at = reader.text:find("[^ \t\r\n]", reader.at) or #reader.text + 1
end

local function unescape(reader, from, to)
  local text, parts, at = reader.text, {}, from
  while at <= to do
    local backslash = text:find("\\", at, true)
    if not backslash or backslash > to then
      backslash = to + 1
    end
    parts[#parts + 1] = text:sub(at, backslash - 1)
    at = backslash
    if at > to then
      break
    end
    local name = text:sub(at + 1, at + 1)
    if name == "u" then
      local code = tonumber(text:match("^%x%x%x%x", at + 2) or fail(reader, "a broken \\u escape", at), 16)
      at = at + 6
      if code >= 0xD800 and code < 0xDC00 then
        local low = tonumber(text:match("^\\u(D[C-F]%x%x)", at) or text:match("^\\u(d[c-f]%x%x)", at) or "0", 16)
        if low ~= 0 then
          code, at = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00), at + 6
        end
      end
      parts[#parts + 1] = utf8.char(code)
    else
      parts[#parts + 1] = ESCAPES[name] or fail(reader, "an unknown escape", at)
      at = at + 2
    end
  end
  return table.concat(parts)
end

local function read_string(reader)
  local from = reader.at
  local at = from + 1
  while true do
    at = reader.text:find('["\\%c]', at)
    local c = at and reader.text:byte(at)
    if not at then
      fail(reader, "a text that does not end", from)
    elseif c == 0x22 then
      break
    elseif c == 0x5C then
      at = at + 2
    elseif c < 0x20 then
      fail(reader, "a control character in a text", at)
    else
      at = at + 1
    end
  end
  reader.at = at + 1
  return { kind = "text", style = "double", from = from, to = at + 1, text = unescape(reader, from + 1, at - 1) }
end

local read_value

local function read_members(reader, node, close, read_member, depth)
  reader.at = reader.at + 1
  skip(reader)
  if reader.text:sub(reader.at, reader.at) ~= close then
    while true do
      node[#node + 1] = read_member(reader, depth)
      skip(reader)
      local c = reader.text:sub(reader.at, reader.at)
      if c == close then
        break
      elseif c ~= "," then
        fail(reader, ("here must be a comma or %s"):format(close))
      end
      reader.at = reader.at + 1
      skip(reader)
    end
  end
  reader.at = reader.at + 1
  node.to = reader.at
  return node
end

local function read_pair(reader, depth)
  if reader.text:sub(reader.at, reader.at) ~= '"' then
    fail(reader, "here must be a name in double quotes")
  end
  local key = read_string(reader)
  skip(reader)
  if reader.text:sub(reader.at, reader.at) ~= ":" then
    fail(reader, "here must be a colon")
  end
  reader.at = reader.at + 1
  skip(reader)
  return { key = key, value = read_value(reader, depth) }
end

function read_value(reader, depth)
  reader.nodes = reader.nodes + 1
  if depth > MAX_DEPTH then
    fail(reader, "nested too deep")
  elseif reader.nodes > MAX_NODES then
    fail(reader, "too many values")
  end
  local from, text = reader.at, reader.text
  local c = text:sub(from, from)
  if c == "{" then
    return read_members(reader, { kind = "map", from = from, flow = true }, "}", read_pair, depth + 1)
  elseif c == "[" then
    return read_members(reader, { kind = "list", from = from, flow = true }, "]", read_value, depth + 1)
  elseif c == '"' then
    return read_string(reader)
  end
  local word = text:match("^[%w.+-]+", from) or fail(reader, "here must be a value")
  if word ~= "true" and word ~= "false" and word ~= "null" and
    not (word:find "^%-?%d+%.?%d*[eE]?[+-]?%d*$" and tonumber(word)) then
    fail(reader, ("what is %s?"):format(word:sub(1, 40)))
  end
  reader.at = from + #word
  return { kind = "text", style = "plain", from = from, to = reader.at, text = word }
end

---@param text string
---@return moonwatch.yaml.Node?
---@return string? message  "line 3, column 5: …"
function M.parse(text)
  local reader = { text = text, at = 1, nodes = 0 }
  local ok, result = pcall(function()
    skip(reader)
    local root = read_value(reader, 1)
    skip(reader)
    if reader.at <= #text then
      fail(reader, "something stands behind the end")
    end
    return root
  end)
  if ok then
    return result
  elseif type(result) == "table" then
    return nil, result[1]
  end
  error(result, 0)
end

return M

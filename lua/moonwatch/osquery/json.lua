--- JSON as osquery and its backends speak it: what comes is bounded, and members of what goes keep their order.
local cjson = require "cjson"

---@class moonwatch.osquery.json
local M = {}

--- As osquery's own parser allows it in configurations.
M.DEPTH = 32

local reader = cjson.new()
reader.decode_max_depth(M.DEPTH)
reader.decode_invalid_numbers(false)

local writer = cjson.new()
writer.encode_sparse_array(true)

M.null = cjson.null
M.encode = writer.encode

--- An object or array; nil, message for all else.
---@param text string
---@return table?
---@return string? message
function M.decode(text)
  local ok, result = pcall(reader.decode, text)
  if not ok then
    return nil, "no JSON: " .. tostring(result):gsub("\n.*", "")
  elseif type(result) ~= "table" then
    return nil, "JSON, but no object"
  end
  return result
end

--- An array: a table that is empty would be an object otherwise.
---@param list any[]
---@return string
function M.array(list)
  local parts = {}
  for i, value in ipairs(list) do
    parts[i] = writer.encode(value)
  end
  return "[" .. table.concat(parts, ",") .. "]"
end

--- An object of pairs, {name, text of JSON}, in their order.
---@param pairs_ {[1]: string, [2]: string}[]
---@return string
function M.object(pairs_)
  local parts = {}
  for i, pair in ipairs(pairs_) do
    parts[i] = writer.encode(pair[1]) .. ":" .. pair[2]
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

local function text_of(value)
  if value == nil then
    return ""
  elseif math.type(value) == "float" then
    local text = ("%.15g"):format(value)
    return text:find "[.ein]" and text or text .. ".0"
  end
  return tostring(value)
end

--- A row: all values are strings, columns in their order.
---@param row table<string, any>
---@param columns {name: string}[]
---@return string
function M.row(row, columns)
  local parts = {}
  for _, column in ipairs(columns) do
    -- Of two columns of the same name one is left, as in osquery.
    parts[#parts + 1] = { column.name, writer.encode(text_of(row[column.name])) }
  end
  local seen, once = {}, {}
  for _, part in ipairs(parts) do
    if not seen[part[1]] then
      seen[part[1]] = true
      once[#once + 1] = part
    end
  end
  return M.object(once)
end

---@param rows table<string, any>[]
---@param columns {name: string}[]
---@return string
function M.rows(rows, columns)
  local parts = {}
  for i, row in ipairs(rows) do
    parts[i] = M.row(row, columns)
  end
  return "[" .. table.concat(parts, ",") .. "]"
end

return M

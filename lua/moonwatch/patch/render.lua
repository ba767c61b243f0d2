--- Values as text, to be put into a document as it is written: JSON and flow style of YAML in one line or many, block style of YAML.
--- A value is a string, number or boolean, a list, or a map made by map{ {name, value}, … }, which keeps its order.
---@class moonwatch.patch.render
local M = {}

local IS_MAP = {}

---@param members table  { {name, value}, … }
function M.map(members)
  return setmetatable(members, IS_MAP)
end

local function is_map(value)
  return getmetatable(value) == IS_MAP
end

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local function quote(text)
  return '"' .. text:gsub('[%c"\\\127]', function(c)
    return ESCAPES[c] or ("\\u%04x"):format(c:byte())
  end) .. '"'
end

-- What YAML 1.1 takes for something else than a text.
local RESERVED = {}
for word in ("true false yes no on off y n null"):gmatch "%a+" do
  RESERVED[word] = true
end

local function yaml_scalar(value)
  if type(value) ~= "string" then
    return tostring(value)
  end
  local is_plain = value:find "^[%a/][%w_./-]*$" and not RESERVED[value:lower()]
  return is_plain and value or quote(value)
end

---@class moonwatch.patch.Style
---@field yaml boolean     may names and texts go without quotes?
---@field indent string?   one level; nil: all in one line
---@field colon string     between name and value: ": " or ":"
---@field comma string     between items in one line: ", " or ","

local function is_simple(value)
  if type(value) ~= "table" or #value == 0 then
    return true
  elseif is_map(value) then
    return false
  end
  for _, item in ipairs(value) do
    if type(item) == "table" then
      return false
    end
  end
  return true
end

local flow

local function flow_members(value, style, indent, write)
  local open, close = "[", "]"
  if is_map(value) then
    open, close = "{", "}"
  end
  if #value == 0 then
    return open .. close
  end
  local parts = {}
  local inner = not is_simple(value) and style.indent and indent .. style.indent
  for i, member in ipairs(value) do
    parts[i] = (inner and "\n" .. inner or "") .. write(member, style, inner)
  end
  return open .. table.concat(parts, inner and "," or style.comma) .. (inner and "\n" .. indent or "") .. close
end

local function flow_pair(member, style, indent)
  return (style.yaml and yaml_scalar or quote)(member[1]) .. style.colon .. flow(member[2], style, indent)
end

function flow(value, style, indent)
  if is_map(value) then
    return flow_members(value, style, indent, flow_pair)
  elseif type(value) == "table" then
    return flow_members(value, style, indent, flow)
  elseif type(value) == "string" then
    return (style.yaml and yaml_scalar or quote)(value)
  end
  return tostring(value)
end

--- A value in brackets.
---@param value any
---@param style moonwatch.patch.Style
---@param indent string?  of the line it begins in
---@return string
function M.flow(value, style, indent)
  return flow(value, style, indent or "")
end

--- A member of a map in brackets.
---@param member table  {name, value}
---@param style moonwatch.patch.Style
---@param indent string?
---@return string
function M.flow_pair(member, style, indent)
  return flow_pair(member, style, indent or "")
end

local IN_LINE = { yaml = false, colon = ": ", comma = ", " }
local LEVEL = "  "

local block_pair

--- An item of a list in block style, without a newline at its end.
---@param value any
---@param indent string  blanks before its dash on lines but the first
---@return string
function M.block_item(value, indent)
  if not is_map(value) then
    return "- " .. (type(value) == "table" and flow(value, IN_LINE, "") or yaml_scalar(value))
  end
  local lines = {}
  for i, member in ipairs(value) do
    lines[i] = block_pair(member, indent .. LEVEL)
  end
  return "- " .. table.concat(lines, "\n" .. indent .. LEVEL)
end

--- A member of a map in block style, without a newline at its end.
---@param member table  {name, value}
---@param indent string  blanks before its name on lines but the first
---@return string
function block_pair(member, indent)
  local name, value = yaml_scalar(member[1]), member[2]
  if is_simple(value) then
    return ("%s: %s"):format(name, type(value) == "table" and flow(value, IN_LINE, "") or yaml_scalar(value))
  end
  local lines = { name .. ":" }
  local inner = indent .. LEVEL
  for _, item in ipairs(value) do
    lines[#lines + 1] = inner .. (is_map(value) and block_pair or M.block_item)(item, inner)
  end
  return table.concat(lines, "\n")
end

M.block_pair = block_pair

return M

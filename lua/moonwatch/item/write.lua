--- Writes JSON objects on one line, members in the order they are given.
---
--- A member whose value is nil is left out, and so is an object or a list that nothing was written into: a format names all it
--- could say, and what is not known is not there.  Texts may hold any bytes; the line is valid UTF-8.
local text = require "moonwatch.text"

local math_type, quote = math.type, text.json

---@class moonwatch.item.Writer
---@field package n integer
---@field package is_first boolean
---@field package depth integer
local Writer = {}
Writer.__index = Writer

--- Names of members with what stands around them: they are few, and the same ones come again.
local function around(before)
  return setmetatable({}, {
    __index = function(known, name)
      local whole = before .. quote(name) .. ":"
      known[name] = whole
      return whole
    end,
  })
end

local first, further = around "", around ","

--- A number that came from JSON is a float, whatever it was before.
local function number(value)
  if math_type(value) == "float" then
    local integer = math.tointeger(value)
    if not integer then
      return value == value and value < math.huge and value > -math.huge and ("%.14g"):format(value) or "null"
    end
    value = integer
  end
  return ("%d"):format(value)
end

local function scalar(value)
  local kind = type(value)
  if kind == "string" then
    return quote(value)
  elseif kind == "number" then
    return number(value)
  elseif kind == "boolean" then
    return value and "true" or "false"
  end
  return nil
end

local function put(self, name, json)
  local n = self.n
  if name then
    self[n + 1] = (self.is_first and first or further)[name]
    self[n + 2] = json
    self.n = n + 2
  else
    self[n + 1] = self.is_first and json or "," .. json
    self.n = n + 1
  end
  self.is_first = false
end

--- A string, number or boolean; anything else is left out.
---@param name string
---@param value any
function Writer:put(name, value)
  local json = value ~= nil and scalar(value)
  if json then
    put(self, name, json)
  end
end

--- The same as a string, whatever it is.
---@param name string
---@param value string|number|nil
function Writer:text(name, value)
  if type(value) == "string" then
    put(self, name, quote(value))
  elseif type(value) == "number" then
    put(self, name, '"' .. number(value) .. '"')
  end
end

--- Text that is JSON already.
---@param name string
---@param json string
function Writer:raw(name, json)
  put(self, name, json)
end

--- A list of strings and numbers; left out when it is empty.
---@param name string
---@param values any[]?
function Writer:list(name, values)
  if type(values) ~= "table" then
    return
  end
  local parts = {}
  for i, value in ipairs(values) do
    parts[i] = scalar(value) or "null"
  end
  if parts[1] then
    put(self, name, "[" .. table.concat(parts, ",") .. "]")
  end
end

local function open(self, name, bracket)
  local depth = self.depth + 1
  local marks = self.marks
  marks[2 * depth - 1], marks[2 * depth] = self.n, self.is_first
  put(self, name, bracket)
  self.depth, self.is_first = depth, true
end

local function close(self, bracket)
  local depth = self.depth
  local marks = self.marks
  self.depth = depth - 1
  if self.is_first then
    self.n, self.is_first = marks[2 * depth - 1], marks[2 * depth]
    return
  end
  self.n = self.n + 1
  self[self.n] = bracket
end

--- Begin an object: a member of the object begun before, or (without a name) an item of the list.
---@param name string?
function Writer:open(name)
  open(self, name, "{")
end

function Writer:close()
  close(self, "}")
end

--- Begin a list of objects.
---@param name string
function Writer:open_list(name)
  open(self, name, "[")
end

function Writer:close_list()
  close(self, "]")
end

--- Forget what was written: whatever a format left behind by an error, the next line is its own.
---@return moonwatch.item.Writer self
function Writer:begin()
  self.n, self.is_first, self.depth = 0, true, 0
  return self
end

---@return string
function Writer:line()
  return "{" .. table.concat(self, "", 1, self.n) .. "}"
end

local M = {}

---@return moonwatch.item.Writer
function M.new()
  return setmetatable({ n = 0, is_first = true, depth = 0, marks = {} }, Writer)
end

return M

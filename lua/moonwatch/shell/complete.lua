--- What may follow in a statement or a `.command`: names of tables, columns, functions, and words of SQL.

local commands = require "moonwatch.shell.commands"
local sql = require "moonwatch.sql"

---@class moonwatch.shell.complete
local M = {}

local WORDS = {}
for word in ([[SELECT DISTINCT FROM WHERE AND OR NOT IN LIKE GLOB REGEXP BETWEEN IS NULL AS JOIN LEFT INNER CROSS
  NATURAL ON USING GROUP BY HAVING ORDER ASC DESC LIMIT OFFSET UNION ALL EXCEPT INTERSECT WITH RECURSIVE VALUES CASE
  WHEN THEN ELSE END CAST COLLATE EXISTS ESCAPE EXPLAIN QUERY PLAN PRAGMA INDEXED OVER PARTITION FILTER]]):gmatch("%S+") do
  WORDS[#WORDS + 1] = word
end

--- SQLite's own functions that are of use with these tables; the others are in sql.functions().
local OF_SQLITE = {}
for name in ([[abs avg char coalesce count date datetime dense_rank glob group_concat hex ifnull iif instr
  json_array_length json_each json_extract json_group_array json_group_object json_object json_tree json_type json_valid
  julianday lag last_value lead length like lower ltrim max min nullif printf quote rank replace row_number rtrim strftime
  substr sum time total trim typeof unicode upper]]):gmatch("%S+") do
  OF_SQLITE[#OF_SQLITE + 1] = name
end

--- Behind these comes a table.
local BEFORE_TABLE = { from = true, join = true, table_info = true, update = true, into = true }

--- And with these the list of tables is over.
local ENDS_TABLES = { where = true, group = true, order = true, limit = true, union = true, on = true, using = true,
  having = true }

---@class moonwatch.shell.Completer
---@field tables table<string, moonwatch.sql.Table>
---@field functions string[]
local Completer = {}
Completer.__index = Completer

local Found = {}
Found.__index = Found

--- `name`, when it begins as was typed; each once.
function Found:add(name, behind)
  if not self.seen[name] and name:sub(1, #self.word):lower() == self.word:lower() then
    self.seen[name] = true
    self.names[#self.names + 1] = name
    self.behind[name] = behind or " "
  end
end

function Found:result()
  table.sort(self.names)
  if #self.names == 1 then
    return self.word, { self.names[1] .. self.behind[self.names[1]] }
  end
  return self.word, self.names
end

local function found_for(word)
  return setmetatable({ word = word, names = {}, seen = {}, behind = {} }, Found)
end

function Completer:add_tables(found)
  for name in pairs(self.tables) do
    found:add(name)
  end
end

function Completer:add_columns(found, name)
  for _, column in ipairs(self.tables[name].columns) do
    if not column.foreign then
      found:add(column.name)
    end
  end
end

--- The tables that a statement names, by the names they go by there.
function Completer:tables_in(statement)
  local lower = statement:lower():gsub("'[^']*'", "''")
  local named = {}
  local name, name_end -- the last word, when it is a table
  for start, word, ending in lower:gmatch("()([%w_]+)()") do
    local follows = name and not lower:sub(name_end, start - 1):find("%S")
    if self.tables[word] then
      named[word] = word
      name, name_end = word, ending
    elseif follows and word == "as" then
      name_end = ending
    else
      if follows and not self.is_word[word] then
        named[word] = name
      end
      name = nil
    end
  end
  return named
end

function Completer:complete_command(before)
  local name = before:match("^%s*%.([%w_]*)$")
  if name then
    local found = found_for("." .. name)
    for _, command in ipairs(commands.names()) do
      found:add("." .. command)
    end
    return found:result()
  end
  local argument
  name, argument = before:match("^%s*%.([%w_]+)%s+([%w_]*)$")
  if not name then
    return "", {}
  end
  local found = found_for(argument)
  local kind = commands.argument_of(name)
  if kind == "table" then
    self:add_tables(found)
  end
  for _, choice in ipairs(type(kind) == "table" and kind or {}) do
    found:add(choice)
  end
  return found:result()
end

--- Is a table to be named here?
local function wants_table(before)
  local head = before:gsub("[%w_]*$", ""):lower()
  if BEFORE_TABLE[head:match("([%w_]+)%s+$") or head:match("([%w_]+)%s*%(%s*$")] then
    return true
  end
  -- In a list behind FROM, as long as nothing else has begun.
  local list = head:find(",%s*$") and head:match(".*%f[%w]from%s+([%w_%s,]*)$")
  for known in (list or ""):gmatch("[%w_]+") do
    if ENDS_TABLES[known] then
      return false
    end
  end
  return list ~= nil and list ~= false
end

--- The word before the cursor, and all it may be.
---@param before string  of the cursor
---@param behind string
---@return string word
---@return string[] completions
function Completer:complete(before, behind)
  if before:find("^%s*%.") then
    return self:complete_command(before)
  end
  local statement = before:match("([^;]*)$")
  local _, quotes = statement:gsub("'", "")
  local word = statement:match("[%w_]*$")
  local found = found_for(word)
  if quotes % 2 == 1 then
    return word, {}
  elseif wants_table(statement) then
    self:add_tables(found)
    return found:result()
  end
  local named = self:tables_in(statement .. (behind:match("^[^;]*")))
  local owner = statement:match("([%w_]+)%.[%w_]*$")
  if owner then
    local name = named[owner:lower()]
    if name then
      self:add_columns(found, name)
    end
    return found:result()
  end
  for alias, name in pairs(named) do
    self:add_columns(found, name)
    if word ~= "" then
      found:add(alias)
    end
  end
  if word ~= "" then
    for _, name in ipairs(self.functions) do
      found:add(name, "(")
    end
    local is_lower = word:find("%l") ~= nil
    for _, known in ipairs(WORDS) do
      found:add(is_lower and known:lower() or known)
    end
    if not next(named) then
      self:add_tables(found)
    end
  end
  return found:result()
end

---@return moonwatch.shell.Completer
function M.new()
  local self = setmetatable({ tables = {}, functions = {}, is_word = {} }, Completer)
  for _, declared in ipairs(sql.tables()) do
    self.tables[declared.name] = declared
  end
  for _, declared in ipairs(sql.functions()) do
    self.functions[#self.functions + 1] = declared.name
  end
  table.move(OF_SQLITE, 1, #OF_SQLITE, #self.functions + 1, self.functions)
  for _, word in ipairs(WORDS) do
    self.is_word[word:lower()] = true
  end
  return self
end

return M

--- What was done to a container, as one line of text that travels with it (a label, an annotation), and its undoing.
---
--- Words separated by blanks, after the version:
---   +PATH[=ID,…]   this member was made; the list in it has these items
---   >PATH=ID,…     items were added to this list
---   <PATH=N        N items were put before this list
---   ~PATH=TEXT     TEXT stood here
--- PATH is names joined by "/", of members of maps and of items of lists; what is no letter, digit, dot, dash or underscore is
--- written %XX.
local document = require "moonwatch.patch.document"

---@class moonwatch.patch.record
local M = {}

local VERSION = "1"

--- Members by which an item of a list is known.
local IDENTITIES = { "name", "Name", "sourceContainer", "SourceContainer", "containerName", "ContainerName", "sourceVolume",
  "SourceVolume", "Key", "key" }

local function escape(text)
  return (text:gsub("[^%w._-]", function(c)
    return ("%%%02X"):format(c:byte())
  end))
end

local function unescape(text)
  return (text:gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

local function join(path)
  local parts = {}
  for i, name in ipairs(path) do
    parts[i] = escape(name)
  end
  return table.concat(parts, "/")
end

---@class moonwatch.patch.Record
---@field words string[]
---@field base string[]  what paths begin with
local Record = {}
Record.__index = Record

---@return moonwatch.patch.Record
function M.new()
  return setmetatable({ words = { VERSION }, base = {} }, Record)
end

--- The same record, for what is below `path`.
---@param path string[]
---@return moonwatch.patch.Record
function Record:below(path)
  return setmetatable({ words = self.words, base = path }, Record)
end

local function write(record, sign, path, value)
  local all = table.move(record.base, 1, #record.base, 1, {})
  table.move(path, 1, #path, #all + 1, all)
  table.insert(record.words, sign .. join(all) .. (value and "=" .. value or ""))
end

local function ids_text(ids)
  local parts = {}
  for i, id in ipairs(ids) do
    parts[i] = escape(id)
  end
  return table.concat(parts, ",")
end

---@param ids string[]?
function Record:made(path, ids)
  write(self, "+", path, ids and ids_text(ids))
end

---@param ids string[]
function Record:added(path, ids)
  write(self, ">", path, ids_text(ids))
end

function Record:prepended(path, count)
  write(self, "<", path, tostring(count))
end

function Record:replaced(path, text)
  write(self, "~", path, escape(text))
end

function Record:text()
  return table.concat(self.words, " ")
end

---@param item moonwatch.yaml.Node
---@return string?
function M.identity(item)
  if item.kind == "map" then
    for _, name in ipairs(IDENTITIES) do
      local id = document.plain(document.get(item, name))
      if id then
        return id
      end
    end
    return nil
  end
  -- NAME=VALUE of an environment, SOURCE:PATH of a volume: the whole of it.
  return document.plain(item)
end

-- Also of a text NAME=VALUE by its name.
local function index_of(list, id)
  for i, item in ipairs(list) do
    local own = M.identity(item)
    if own == id or own and own:sub(1, #id + 1) == id .. "=" then
      return i
    end
  end
end

-- A member of a map, an item of a list.
local function step(node, name)
  if node and node.kind == "list" then
    local index = index_of(node, name)
    return node[index], index
  end
  return document.get(node, name)
end

local undo = {}

undo[">"] = function(doc, parent, name, ids)
  local list = step(parent, name)
  for id in ids:gmatch "[^,]+" do
    local index = list and list.kind == "list" and index_of(list, unescape(id))
    if index then
      doc:remove(list, index)
    end
  end
end

undo["+"] = function(doc, parent, name, ids)
  local node, index = step(parent, name)
  local _, count = ids:gsub("[^,]+", "")
  if node and count > 0 and node.kind == "list" and #node > count then
    undo[">"](doc, parent, name, ids)
  elseif index then
    doc:remove(parent, index)
  end
end

undo["<"] = function(doc, parent, name, count)
  local list = step(parent, name)
  for i = 1, list and math.min(math.tointeger(tonumber(count)) or 0, #list) or 0 do
    doc:remove(list, i)
  end
end

undo["~"] = function(doc, parent, name, text)
  local node = step(parent, name)
  if node then
    doc:replace(node, nil, unescape(text))
  end
end

--- Undo what a record says was done below `root`.
---@param doc moonwatch.patch.Document
---@param root moonwatch.yaml.Node
---@param text string
---@return boolean? ok
---@return string? message
function M.undo(doc, root, text)
  local version = text:match "^%S+"
  if version ~= VERSION then
    return nil, ("its record is of version %s, which this moonwatch does not know"):format(tostring(version))
  end
  for sign, path, value in text:gmatch " ([+><~])([^ =]+)=?(%S*)" do
    local parent, names = root, {}
    for name in path:gmatch "[^/]+" do
      names[#names + 1] = unescape(name)
    end
    for i = 1, #names - 1 do
      parent = step(parent, names[i])
    end
    if parent then
      undo[sign](doc, parent, names[#names], value)
    end
  end
  return true
end

return M

--- What is done to a container, whatever kind of document it stands in: the sensor goes before its command, and members are
--- added where they are missing.  All of it goes into the container's record.
local document = require "moonwatch.patch.document"
local record = require "moonwatch.patch.record"
local render = require "moonwatch.patch.render"

---@class moonwatch.patch.wrap
local M = {}

M.TREE = "/opt/moonwatch"
M.PREFIX = { "/opt/moonwatch/bin/moonwatch", "run", "--" }
--- What holds the record: a label, an annotation.
M.LABEL = "moonwatch.patch"

--- Why something is not done; caught by moonwatch.patch.
function M.refuse(reason, ...)
  error({ refused = reason:format(...) }, 0)
end

---@class moonwatch.patch.Container
---@field doc moonwatch.patch.Document
---@field node moonwatch.yaml.Node
---@field name string
---@field image string?        as written; nil when it is computed
---@field record moonwatch.patch.Record
---@field entry_key string     what ENTRYPOINT is called here: entryPoint, entrypoint, command
---@field command_key string   what CMD is called here
---@field split? fun(text: string): string[]  where a command may be one text

local function names(words)
  local list = {}
  for i, word in ipairs(words) do
    list[i] = word
  end
  return list
end

--- An own member: nil when there is none, or nothing in it.
local function member(container, key)
  local node = document.get(container.node, key)
  if not node or document.is_null(node) then
    return nil
  elseif node.kind == "alias" then
    M.refuse("its %s is that of an anchor; write it out", key)
  elseif node.tag then
    M.refuse("its %s is computed (%s), so what it will be is not known here", key, node.tag)
  end
  return node
end

-- A list of words, or nil for none.
local function words_of(container, key)
  local node = member(container, key)
  if not node then
    return nil
  elseif node.kind == "text" and container.split and node.text:find "%S" then
    return node, container.split(node.text)
  elseif node.kind == "list" then
    if #node == 0 then
      return nil
    end
    local words = {}
    for i, item in ipairs(node) do
      words[i] = item.text or ""
    end
    return node, words
  elseif node.kind == "text" and node.text == "" then
    return nil
  end
  M.refuse("its %s is %s, where a list of words should be", key,
    node.kind == "map" and "computed" or "one text")
end

--- Does the sensor stand there already?
---@param words string[]
function M.is_wrapped(words)
  local program = words[1] and words[1]:match "[^/]+$"
  return program == "moonwatch" and words[2] == "run" or program == "moonwatch-run" or
    words[1] ~= nil and words[1]:find("^" .. M.TREE:gsub("%p", "%%%0") .. "/bin/entrypoint") ~= nil
end

--- Put a member where there is none, or nothing.
local function put(container, key, value)
  local node = document.get(container.node, key)
  if node then
    container.record:replaced({ key }, container.doc:slice(node))
    container.doc:replace(node, value)
  else
    container.record:made({ key })
    container.doc:set(container.node, key, value)
  end
end

local function joined(first, second)
  local all = names(first)
  table.move(second or {}, 1, #(second or {}), #all + 1, all)
  return all
end

--- The sensor before the command.  `image` says what the image runs, and is asked only when the document does not.
---@param container moonwatch.patch.Container
---@param image fun(): { entrypoint: string[], cmd: string[] }
---@return string? what  nil: it stands there already
function M.entry(container, image)
  local entry, entry_words = words_of(container, container.entry_key)
  local command, command_words = words_of(container, container.command_key)
  if entry then
    if M.is_wrapped(entry_words) then
      return nil
    elseif entry.kind == "list" then
      container.doc:prepend(entry, M.PREFIX)
      container.record:prepended({ container.entry_key }, #M.PREFIX)
    else
      container.record:replaced({ container.entry_key }, container.doc:slice(entry))
      container.doc:replace(entry, joined(M.PREFIX, entry_words))
    end
    return table.concat(joined(entry_words, command_words), " ")
  end
  local config = image()
  if M.is_wrapped(config.entrypoint) then
    return nil
  end
  put(container, container.entry_key, joined(M.PREFIX, config.entrypoint))
  if not command then
    if #config.entrypoint + #config.cmd == 0 then
      M.refuse("its image has neither ENTRYPOINT nor CMD, so there is nothing to run")
    end
    if #config.cmd > 0 then
      put(container, container.command_key, names(config.cmd))
    end
  end
  return table.concat(joined(config.entrypoint, command and command_words or config.cmd), " ")
end

-- Names and a value as maps one within the other.
local function nested(path, from, value)
  for i = #path, from, -1 do
    value = render.map { { path[i], value } }
  end
  return value
end

---@class moonwatch.patch.Item
---@field id string  by which it is known
---@field value any

--- Items of a list somewhere below the container, as far as they are not there; the list is made with all that leads to it.
---@param container moonwatch.patch.Container
---@param path string[]
---@param items moonwatch.patch.Item[]
function M.items(container, path, items)
  local values, ids = {}, {}
  for i, item in ipairs(items) do
    values[i], ids[i] = item.value, item.id
  end
  if #items == 0 then
    return
  end
  local parent = container.node
  for depth, key in ipairs(path) do
    local node = document.get(parent, key)
    local is_last = depth == #path
    local trail = table.move(path, 1, depth, 1, {})
    if node and document.is_null(node) then
      container.record:replaced(trail, container.doc:slice(node))
      container.doc:replace(node, nested(path, depth + 1, values))
      return
    elseif not node then
      container.record:made(trail, is_last and ids or nil)
      container.doc:set(parent, key, nested(path, depth + 1, values))
      return
    elseif node.tag or node.kind ~= (is_last and "list" or "map") or document.get(node, "Fn::If") then
      M.refuse("its %s is computed, or no %s", table.concat(path, ".", 1, depth), is_last and "list" or "object")
    end
    parent = node
  end
  local is_there = {}
  for _, there in ipairs(parent) do
    is_there[record.identity(there) or ""] = true
  end
  local added = {}
  for i, id in ipairs(ids) do
    if not is_there[id] then
      container.doc:append(parent, values[i])
      added[#added + 1] = id
    end
  end
  if #added > 0 then
    container.record:added(path, added)
  end
end

--- The record itself, last of all: in a map of labels, which may have to be made.
---@param container moonwatch.patch.Container
---@param path string[]
---@param label string
function M.label(container, path, label)
  local parent = container.node
  for depth, key in ipairs(path) do
    local node = document.get(parent, key)
    local here = table.move(path, 1, depth, 1, {})
    if node and document.is_null(node) then
      container.record:replaced(here, container.doc:slice(node))
      container.doc:replace(node, nested(path, depth + 1, render.map { { label, container.record:text() } }))
      return
    elseif not node then
      container.record:made(here)
      container.doc:set(parent, key, nested(path, depth + 1, render.map { { label, container.record:text() } }))
      return
    elseif node.kind ~= "map" or node.tag or document.get(node, "Fn::If") then
      M.refuse("its %s is computed, or no object", table.concat(path, ".", 1, depth))
    end
    parent = node
  end
  local trail = table.move(path, 1, #path, 1, {})
  trail[#trail + 1] = label
  container.record:made(trail)
  container.doc:set(parent, label, container.record:text())
end

return M

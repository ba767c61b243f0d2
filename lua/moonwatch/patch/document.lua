--- A document in JSON or YAML that is changed in some places and stays as it was, byte for byte, elsewhere: comments, order, quotes,
--- tags such as !Sub.
---
--- Changes are collected and made at once, so every place is one of the document as it was read.  What is set in a map must
--- not be there yet; what is made is made whole.
local json = require "moonwatch.patch.json"
local render = require "moonwatch.patch.render"
local yaml = require "moonwatch.yaml"

---@class moonwatch.patch.Document
---@field text string
---@field is_json boolean
---@field roots moonwatch.yaml.Node[]
---@field style moonwatch.patch.Style
---@field changes table<moonwatch.yaml.Node, table>  what is to become of the members of a node
---@field order moonwatch.yaml.Node[]
local Document = {}
Document.__index = Document

local M = {}

local MAX_BYTES = 1 << 20

local function detect_style(text, is_json)
  local indent = text:match "^%s*[%[{]\n([ \t]+)" or text:match "[%[{]\r?\n([ \t]+)"
  local outer = text:match "\n([ \t]*)[^\n]*[%[{]\r?\n"
  if indent and outer and #indent > #outer and indent:sub(1, #outer) == outer then
    indent = indent:sub(#outer + 1)
  end
  local is_tight = is_json and not indent and not text:find '":%s' and text:find '":'
  return {
    yaml = not is_json,
    indent = is_json and indent or nil,
    colon = is_tight and ":" or ": ",
    comma = is_tight and "," or ", ",
  }
end

-- What a document may have in YAML, and this does not understand well enough to write beside it.
local function check(node)
  for _, member in ipairs(node) do
    if member.key and member.key.kind ~= "text" then
      return "a name that is no text"
    end
    local message = check(member.value or member)
    if message then
      return message
    end
  end
end

local function read_yaml(text)
  -- For YAML 1.1 these are ends of lines.
  if text:find "\r[^\n]" or text:find "\xC2\x85" or text:find "\xE2\x80[\xA8\xA9]" then
    return nil, "lines that end in something else than a newline"
  end
  local roots, message = yaml.parse(text)
  for _, root in ipairs(roots or {}) do
    message = message or check(root)
  end
  if roots and not roots[1] then
    message = "empty"
  end
  return not message and roots or nil, message
end

---@param text string
---@return moonwatch.patch.Document?
---@return string? message
function M.read(text)
  if #text > MAX_BYTES then
    return nil, ("larger than %d bytes"):format(MAX_BYTES)
  elseif not text:find "%S" then
    return nil, "empty"
  end
  local mark = text:match "^\xEF\xBB\xBF" or ""
  text = text:sub(#mark + 1)
  local is_json = text:find "^%s*[{%[]" ~= nil
  local roots, message
  if is_json then
    local root
    root, message = json.parse(text)
    roots = root and { root }
  else
    roots, message = read_yaml(text)
  end
  if not roots then
    return nil, message
  end
  return setmetatable({
    text = text,
    mark = mark,
    is_json = is_json,
    roots = roots,
    style = detect_style(text, is_json),
    changes = {},
    order = {},
  }, Document)
end

--- The value of a member; nil also where `map` is no map.
---@param map moonwatch.yaml.Node?
---@param name string
---@return moonwatch.yaml.Node?
---@return integer? index
function M.get(map, name)
  if not map or map.kind ~= "map" then
    return nil
  end
  for i, pair in ipairs(map) do
    if pair.key.text == name then
      return pair.value, i
    end
  end
end

--- The same, through names one within the other.
---@param map moonwatch.yaml.Node?
---@return moonwatch.yaml.Node?
function M.find(map, ...)
  for _, name in ipairs { ... } do
    map = M.get(map, name)
  end
  return map
end

--- A text that stands for itself, and not for what a function computes; nil otherwise.
---@param node moonwatch.yaml.Node?
---@return string?
function M.plain(node)
  if node and node.kind == "text" and not node.tag then
    return node.text
  end
end

--- Nothing, written out: null.
---@param node moonwatch.yaml.Node?
function M.is_null(node)
  return node ~= nil and node.kind == "text" and node.style == "plain" and not node.tag and
    (node.text == "null" or node.text == "" or node.text == "~" or node.text == "Null" or node.text == "NULL")
end

---@param node moonwatch.yaml.Node
---@return string
function Document:slice(node)
  return self.text:sub(node.from, node.to - 1)
end

local function change(self, node)
  if not self.changes[node] then
    self.changes[node] = { before = {}, after = {}, removed = {} }
    self.order[#self.order + 1] = node
  end
  return self.changes[node]
end

--- A new member of a map.
function Document:set(map, name, value)
  table.insert(change(self, map).after, { name, value })
end

--- New items at the beginning of a list.
function Document:prepend(list, values)
  local before = change(self, list).before
  for i, value in ipairs(values) do
    table.insert(before, i, value)
  end
end

--- A new item at the end of a list.
function Document:append(list, value)
  table.insert(change(self, list).after, value)
end

--- Take away the member of a map, or the item of a list, with this index.
function Document:remove(node, index)
  change(self, node).removed[index] = true
end

--- Write `value`, or a text as it is to stand there, in place of a node.
function Document:replace(node, value, text)
  change(self, node).replaced = { value = value, text = text }
end

local function value_of(member)
  return member.value or member
end

local function start_of(member)
  return (member.key or member).from
end

-- Where the last thing in it ends; blocks of YAML end, for libyaml, where the next thing begins.
local function content_end(node)
  if node.kind ~= "text" and not node.flow and #node > 0 then
    return content_end(value_of(node[#node]))
  end
  return node.to
end

local function line_start(text, at)
  while at > 1 and text:sub(at - 1, at - 1) ~= "\n" do
    at = at - 1
  end
  return at
end

local function indent_at(text, at)
  return text:match("^[ \t]*", line_start(text, at))
end

-- Behind the line in which the content of a block ends.
local function behind_line(text, at)
  if at > 1 and text:sub(at - 1, at - 1) == "\n" then
    return at
  end
  local newline = text:find("\n", at, true)
  return newline and newline + 1 or #text + 1
end

-- Of an item of a list in block style: where its dash stands.
local function dash_of(text, member)
  local at = start_of(member)
  -- An anchor or a tag stands within the node; only blanks, lines and comments stand before it.
  repeat
    at = at - 1
  until at < 1 or text:sub(at, at) == "-"
  return at
end

local function block_start(text, node, member)
  return node.kind == "list" and dash_of(text, member) or start_of(member)
end

local function add(edits, from, to, text)
  edits[#edits + 1] = { from = from, to = to, text = text, number = #edits, depth = edits.depth }
end

-- How deep each node lies, and by which key.
local function measure(node, depth, depths, keys)
  depths[node] = depth
  for _, member in ipairs(node) do
    if member.key then
      keys[member.value] = member.key
    end
    measure(value_of(member), depth + 1, depths, keys)
  end
end

-- Something in the place of a value, which may be nothing at all: "name:".
local function write_replacement(self, node, new, key, edits)
  local text = self.text
  local written = new.text or render.flow(new.value, self.style, indent_at(text, node.from))
  local from, to = node.from, content_end(node)
  -- A block of text has the newline behind it.
  while to > from and text:find("^[\r\n]", to - 1) do
    to = to - 1
  end
  if from == to and key then
    from = text:find(":", key.to, true) + 1
    to, written = from, " " .. written
  elseif written == "" and text:sub(from - 1, from - 1) == " " then
    from = from - 1
  end
  add(edits, from, to, written)
end

local function write_flow(self, node, changed, edits)
  local text, style = self.text, self.style
  local write = node.kind == "map" and render.flow_pair or render.flow
  local own = indent_at(text, node.from)
  if #node == 0 then
    local all = {}
    for _, list in ipairs { changed.before, changed.after } do
      table.move(list, 1, #list, #all + 1, all)
    end
    add(edits, node.from, node.to, render.flow(node.kind == "map" and render.map(all) or all, style, own))
    return
  end
  local first = start_of(node[1])
  local is_spread = text:sub(node.from, first):find "\n" ~= nil
  local indent = is_spread and indent_at(text, first) or own
  local near = { yaml = style.yaml, indent = is_spread and style.indent or nil, colon = style.colon, comma = style.comma }
  local between = is_spread and ",\n" .. indent or style.comma
  for _, member in ipairs(changed.before) do
    add(edits, first, first, write(member, near, indent) .. between)
  end
  local last = content_end(value_of(node[#node]))
  local has_comma = text:sub(last, node.to - 2):gsub("#[^\n]*", ""):find "," ~= nil
  for i, member in ipairs(changed.after) do
    local lead = i == 1 and has_comma and between:gsub("^,", " ") or between
    add(edits, last, last, (i == 1 and has_comma and "," or "") .. lead .. write(member, near, indent))
  end
end

local function write_block(self, node, changed, edits)
  local text = self.text
  local write = node.kind == "map" and render.block_pair or render.block_item
  local first = block_start(text, node, node[1])
  local indent = (" "):rep(first - line_start(text, first))
  for _, member in ipairs(changed.before) do
    add(edits, first, first, write(member, indent) .. "\n" .. indent)
  end
  local at = behind_line(text, content_end(node))
  for i, member in ipairs(changed.after) do
    local lead = i == 1 and text:sub(at - 1, at - 1) ~= "\n" and "\n" or ""
    add(edits, at, at, lead .. indent .. write(member, indent) .. "\n")
  end
end

local function remove_run(self, node, a, b, edits)
  local text = self.text
  if node.flow then
    if a > 1 and b == #node then
      add(edits, content_end(value_of(node[a - 1])), content_end(value_of(node[b])), "")
    elseif b < #node then
      add(edits, start_of(node[a]), start_of(node[b + 1]), "")
    else
      add(edits, node.from + 1, node.to - 1, "")
    end
  elseif b < #node then
    add(edits, block_start(text, node, node[a]), block_start(text, node, node[b + 1]), "")
  elseif a > 1 then
    add(edits, behind_line(text, content_end(value_of(node[a - 1]))), behind_line(text, content_end(value_of(node[b]))), "")
  else
    add(edits, node.from, content_end(node), node.kind == "list" and "[]" or "{}")
  end
end

local function write_removals(self, node, removed, edits)
  local i = 1
  while i <= #node do
    local last = i
    if removed[i] then
      while removed[last + 1] do
        last = last + 1
      end
      remove_run(self, node, i, last, edits)
    end
    i = last + 1
  end
end

local function collect(self)
  local edits, depths, keys = {}, {}, {}
  for _, root in ipairs(self.roots) do
    measure(root, 0, depths, keys)
  end
  for _, node in ipairs(self.order) do
    local changed = self.changes[node]
    edits.depth = depths[node]
    if changed.replaced then
      write_replacement(self, node, changed.replaced, keys[node], edits)
    else
      write_removals(self, node, changed.removed, edits)
      if #changed.before + #changed.after > 0 then
        local is_block = not node.flow and #node > 0;
        (is_block and write_block or write_flow)(self, node, changed, edits)
      end
    end
  end
  table.sort(edits, function(a, b)
    if a.from ~= b.from then
      return a.from < b.from
    elseif a.depth ~= b.depth then
      -- Blocks end where what they are in goes on: the inner one first.
      return a.depth > b.depth
    end
    return a.number < b.number
  end)
  return edits
end

--- The text with all changes made.
---@return string
function Document:result()
  local parts, at = { self.mark }, 1
  for _, edit in ipairs(collect(self)) do
    if edit.from >= at then
      parts[#parts + 1] = self.text:sub(at, edit.from - 1)
    end
    parts[#parts + 1] = edit.text
    at = math.max(at, edit.to)
  end
  parts[#parts + 1] = self.text:sub(at)
  return table.concat(parts)
end

--- The same as Lua values: maps by name, lists by number; what a tag of YAML makes of a value is { tag = …, value = … }.
---@param node moonwatch.yaml.Node
---@return any
function M.to_lua(node)
  local value
  if node.kind == "map" then
    value = {}
    for _, pair in ipairs(node) do
      value[pair.key.text or "?"] = M.to_lua(pair.value)
    end
  elseif node.kind == "list" then
    value = {}
    for i, item in ipairs(node) do
      value[i] = M.to_lua(item)
    end
  else
    value = node.text
  end
  return node.tag and { tag = node.tag, value = value } or value
end

return M

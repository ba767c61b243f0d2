--- YAML as plain tables.  Plain scalars that are whole numbers, true or false are such, what is null is ""; aliases are
--- refused: a few lines of them are gigabytes.

local yaml = require "moonwatch.yaml"

local M = {}

local NULLS = { [""] = true, ["~"] = true, ["null"] = true, ["Null"] = true, ["NULL"] = true }
local BOOLEANS = { ["true"] = true, ["True"] = true, ["TRUE"] = true, ["false"] = false, ["False"] = false, ["FALSE"] = false }

local function scalar(node)
  local text = node.text or ""
  if node.style ~= "plain" then
    return text
  elseif NULLS[text] then
    return ""
  elseif BOOLEANS[text] ~= nil then
    return BOOLEANS[text]
  elseif text:find "^%-?%d+$" and #text < 19 then
    return math.tointeger(tonumber(text))
  end
  return text
end

---@param text string
---@return any[] documents
---@return table<table, integer> lines  where each table begins
function M.parse(text)
  local trees, message = yaml.parse((text:gsub("^\xEF\xBB\xBF", "")))
  if not trees then
    error(message, 0)
  end
  local lines, at, line = {}, 1, 1
  --- Nodes come in the order of their places.
  local function line_of(byte)
    while true do
      local newline = text:find("\n", at, true)
      if not newline or newline >= byte then
        return line
      end
      at, line = newline + 1, line + 1
    end
  end
  local function value(node)
    local here = line_of(node.from)
    if node.kind == "text" then
      return scalar(node)
    elseif node.kind == "alias" then
      error(("line %d: aliases are not taken"):format(here), 0)
    end
    local made = {}
    lines[made] = here
    for i, item in ipairs(node) do
      if node.kind == "list" then
        made[i] = value(item)
      elseif item.key.kind ~= "text" then
        error(("line %d: a key that is no text"):format(line_of(item.key.from)), 0)
      else
        made[item.key.text] = value(item.value)
      end
    end
    return made
  end
  local documents = {}
  for i, tree in ipairs(trees) do
    documents[i] = value(tree)
  end
  return documents, lines
end

return M

--- Rules of Sigma 2: detections of Linux logs.

local condition = require "moonwatch.import.condition"
local fields = require "moonwatch.import.fields"
local yaml = require "moonwatch.import.yaml"

local M = {}

local all, any, no, test, unknown = condition.all, condition.any, condition.no, condition.test, condition.unknown

local LEVELS = { informational = "info", low = "low", medium = "medium", high = "high", critical = "critical" }

local HOW = { contains = "contains", startswith = "starts", endswith = "ends", re = "regex", cidr = "in_network",
  exists = "exists", lt = "lt", lte = "le", gt = "gt", gte = "ge" }

local function has_wildcard(text)
  return text:find "[^\\][*?]" or text:find "^[*?]"
end

local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

local function base64(text)
  local out = {}
  for at = 1, #text, 3 do
    local a, b, c = text:byte(at, at + 2)
    local bits = (a << 16) | ((b or 0) << 8) | (c or 0)
    for i = 3, 0, -1 do
      local missing = (i == 1 and not b) or (i == 0 and not c)
      local index = (bits >> (6 * i) & 63) + 1
      out[#out + 1] = missing and "=" or ALPHABET:sub(index, index)
    end
  end
  return table.concat(out)
end

--- One value of one field.
local function value_test(path, value, how, options)
  if value == "" and how == "is" then
    return no(test(path, "exists"))
  end
  if fields.is_number(path) and how ~= "exists" then
    local number = math.tointeger(tonumber(value))
    return number and test(path, how, { number }) or unknown(("'%s' is no number"):format(tostring(value)))
  end
  value = tostring(value)
  if how == "regex" or how == "in_network" then
    return test(path, how, { options.inline and options.inline .. value or value })
  end
  if has_wildcard(value) then
    local glob = value
    if how == "contains" or how == "ends" then
      glob = "*" .. glob
    end
    if how == "contains" or how == "starts" then
      glob = glob .. "*"
    end
    return test(path, "glob", { (glob:gsub("%*+", "*")) }, options)
  end
  return test(path, how, { (value:gsub("\\([*?\\])", "%1")) }, options)
end

--- Tests of one kind on one field, joined.
local function joined(list, is_all)
  local first = list[1]
  for _, one in ipairs(list) do
    if one.op ~= "test" or one.how ~= first.how or one.fold ~= first.fold or one.how == "exists" then
      first = nil
      break
    end
  end
  if first and not is_all and #list > 1 and first.how ~= "lt" and first.how ~= "gt" then
    local values = {}
    for i, one in ipairs(list) do
      values[i] = one.values[1]
    end
    return test(first.field, first.how, values, { fold = first.fold })
  end
  return is_all and all(list) or any(list)
end

local function field_condition(key, value, paths)
  local name, rest = key:match "^([^|]*)|?(.*)$"
  local path = paths[name]
  if not path then
    return unknown(("there is no %s here"):format(name))
  end
  local how, is_all, options, encodes = "is", false, { fold = true }, false
  for modifier in rest:gmatch "[^|]+" do
    if HOW[modifier] then
      how = HOW[modifier]
    elseif modifier == "all" then
      is_all = true
    elseif modifier == "cased" then
      options.fold = nil
    elseif modifier == "base64" then
      encodes = true
      options.fold = nil
    elseif modifier == "i" or modifier == "m" or modifier == "s" then
      options.inline = ("(?%s)"):format(modifier)
    else
      return unknown(("%s: the modifier %s"):format(name, modifier))
    end
  end
  if how == "exists" then
    local exists = test(path, "exists")
    return value == true and exists or no(exists)
  elseif how == "regex" or how == "in_network" or fields.is_number(path) then
    options.fold = nil
  end
  local list = {}
  for i, one in ipairs(type(value) == "table" and value or { value }) do
    list[i] = type(one) == "table" and unknown(("%s: a list in a list"):format(name))
      or value_test(path, encodes and base64(tostring(one)) or one, how, options)
  end
  if #list == 0 then
    return unknown(("%s: no values"):format(name))
  end
  return joined(list, is_all)
end

--- What a search identifier holds.
local function selection(value, paths)
  if type(value) ~= "table" then
    return unknown "keywords: there is no log line to look for words in"
  elseif #value > 0 then
    local list = {}
    for i, one in ipairs(value) do
      list[i] = selection(one, paths)
    end
    return any(list)
  end
  local keys = {}
  for key in pairs(value) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  local list = {}
  for i, key in ipairs(keys) do
    list[i] = field_condition(key, value[key], paths)
  end
  return all(list)
end

local function names_like(state, pattern)
  local list = {}
  local lua = "^" .. pattern:gsub("[%^%$%(%)%%%.%[%]%+%-%?]", "%%%0"):gsub("%*", ".*") .. "$"
  for _, name in ipairs(state.names) do
    if (pattern == "them" and not name:find "^_") or (pattern ~= "them" and name:find(lua)) then
      list[#list + 1] = state.selections[name]
    end
  end
  if #list == 0 then
    error(("condition: nothing is called '%s'"):format(pattern), 0)
  end
  return list
end

local parse_or

local function parse_primary(state)
  local word = state.words[state.at]
  if not word then
    error("condition: ends too early", 0)
  end
  state.at = state.at + 1
  if word == "(" then
    local inner = parse_or(state)
    if state.words[state.at] ~= ")" then
      error("condition: a parenthesis without its partner", 0)
    end
    state.at = state.at + 1
    return inner
  elseif word:lower() == "not" then
    return no(parse_primary(state))
  end
  local number = word:lower() == "all" and "all" or math.tointeger(tonumber(word))
  if number and (state.words[state.at] or ""):lower() == "of" then
    local pattern = state.words[state.at + 1] or ""
    state.at = state.at + 2
    local list = names_like(state, pattern)
    if number == "all" then
      return all(list)
    elseif number == 1 then
      return any(list)
    end
    return unknown(("condition: %d of …"):format(number))
  end
  if not state.selections[word] then
    error(("condition: nothing is called '%s'"):format(word), 0)
  end
  return state.selections[word]
end

local function chain(word, inner, join)
  return function(state)
    local list = { inner(state) }
    while (state.words[state.at] or ""):lower() == word do
      state.at = state.at + 1
      list[#list + 1] = inner(state)
    end
    return join(list)
  end
end

local parse_and = chain("and", parse_primary, all)
parse_or = chain("or", parse_and, any)

local function parse(text, selections, names)
  if text:find("|", 1, true) then
    error("condition: an aggregation over events; use threshold", 0)
  end
  local words = {}
  for word in text:gsub("[()]", " %0 "):gmatch "%S+" do
    words[#words + 1] = word
  end
  local state = { words = words, at = 1, selections = selections, names = names }
  local parsed = parse_or(state)
  if words[state.at] then
    error(("condition: not understood from '%s' on"):format(words[state.at]), 0)
  end
  return parsed
end

local function texts(value)
  local list = {}
  for _, one in ipairs(type(value) == "table" and value or {}) do
    list[#list + 1] = tostring(one)
  end
  return list
end

local function techniques(tags)
  local found = {}
  for _, tag in ipairs(texts(tags)) do
    local id = tag:match "^attack%.(t%d%d%d%d%.%d%d%d)$" or tag:match "^attack%.(t%d%d%d%d)$"
    found[#found + 1] = id and id:upper()
  end
  return found
end

local function draft_of(rule, line)
  local draft = {
    line = line, title = tostring(rule.title), notes = {}, summary = tostring(rule.title),
    why = tostring(rule.description or rule.title), severity = LEVELS[tostring(rule.level)] or "medium",
    attack = techniques(rule.tags), tags = texts(rule.tags), references = texts(rule.references),
    false_positives = texts(rule.falsepositives), enabled = rule.status ~= "deprecated" and rule.status ~= "unsupported",
    id = tostring(rule.title),
  }
  local source = type(rule.logsource) == "table" and rule.logsource or {}
  local paths = fields.sigma[source.category]
  local detection = rule.detection
  if rule.correlation ~= nil then
    draft.refused = "a correlation of other rules; use sequence or threshold"
  elseif source.product ~= nil and source.product ~= "linux" then
    draft.refused = ("for %s"):format(tostring(source.product))
  elseif not paths then
    draft.refused = ("there are no events of the log source %s here"):format(
      tostring(source.category or source.service or source.product))
  elseif type(detection) ~= "table" or detection.condition == nil then
    draft.refused = "has no detection"
  elseif detection.timeframe ~= nil then
    draft.refused = "counts over time; use threshold"
  end
  if draft.refused then
    return draft
  end
  local selections, names = {}, {}
  for name, value in pairs(detection) do
    if name ~= "condition" then
      selections[name] = selection(value, paths)
      names[#names + 1] = name
    end
  end
  table.sort(names)
  local conditions = type(detection.condition) == "table" and detection.condition or { detection.condition }
  local list = {}
  for i, one in ipairs(conditions) do
    local is_parsed, parsed = pcall(parse, tostring(one), selections, names)
    if not is_parsed then
      draft.refused = tostring(parsed)
      return draft
    end
    list[i] = parsed
  end
  draft.condition = any(list)
  draft.on = fields.sigma_kinds[source.category]
  return draft
end

---@param text string
---@return table[] drafts
function M.read(text)
  local documents, lines = yaml.parse(text)
  local drafts = {}
  for _, document in ipairs(documents) do
    if type(document) == "table" and (document.title ~= nil or document.detection ~= nil) then
      drafts[#drafts + 1] = draft_of(document, lines[document])
    end
  end
  return drafts
end

return M

--- A draft as the text of a rule.

local condition = require "moonwatch.import.condition"
local fields = require "moonwatch.import.fields"
local solve = require "moonwatch.import.solve"
local text = require "moonwatch.text"

local M = {}

local MAX_CONTAINS = 32

local function quote(value)
  if type(value) ~= "string" then
    return tostring(value)
  end
  return '"' .. value:gsub('[\\"]', "\\%0"):gsub("\n", "\\n"):gsub("[%c]", function(c)
    return ("\\%03d"):format(c:byte())
  end) .. '"'
end

--- "{ "a", "b" }", over several lines when it is long.
local function list_text(values, indent)
  local words = {}
  for i, value in ipairs(values) do
    words[i] = quote(value)
  end
  local line = "{ " .. table.concat(words, ", ") .. " }"
  if #line + #indent <= 110 then
    return line
  end
  local lines, current = {}, indent .. "  "
  for _, word in ipairs(words) do
    if #current + #word > 110 and current:find "%S" then
      lines[#lines + 1] = current
      current = indent .. "  "
    end
    current = current .. (current:find "%S" and " " or "") .. word .. ","
  end
  lines[#lines + 1] = current
  return "{\n" .. table.concat(lines, "\n") .. "\n" .. indent .. "}"
end

function M.id(title)
  local id = title:lower():gsub("[^%w]+", "_"):gsub("^_+", ""):gsub("_+$", "")
  id = id:find "^%l" and id or "rule_" .. id
  return (id:sub(1, 48):gsub("_+$", ""))
end

local function line_text(value, max)
  local one = text.printable((value:gsub("%s+", " "):gsub("^ ", ""):gsub(" $", "")), max)
  return one ~= "" and one or "?"
end

--- Where the parts of a path are in the function that is written.
local PARTS = {
  { "process.parent", "parent", "process.parent or none", "process" },
  { "process", "process", "event.process or none" },
  { "file", "file", "event.file or none" },
  { "socket", "socket", "event.socket or none" },
  { "call", "call", "event.call or none" },
  { "container", "container", "event.container or none" },
}

local function expression_of(path, state)
  for _, part in ipairs(PARTS) do
    local prefix = part[1] .. "."
    if path:sub(1, #prefix) == prefix and path ~= "process.parent" then
      state.used[part[2]] = true
      if part[4] then
        state.used[part[4]] = true
      end
      return part[2] .. "." .. path:sub(#prefix + 1)
    end
  end
  return "event." .. path
end

local function add_local(state, prefix, value)
  state.locals[#state.locals + 1] = { ("%s_%d"):format(prefix, #state.locals + 1), value }
  return state.locals[#state.locals][1]
end

local function any_text(list)
  return #list == 1 and list[1] or "(" .. table.concat(list, " or ") .. ")"
end

local function lowered(values)
  local list = {}
  for i, value in ipairs(values) do
    list[i] = type(value) == "string" and value:lower() or value
  end
  return list
end

local NAMED = { ["process.name"] = "process", ["process.parent.name"] = "process.parent" }

local SIGNS = { lt = "<", le = "<=", gt = ">", ge = ">=" }

local function test_text(one, state)
  local values = one.fold and lowered(one.values) or one.values
  if one.field == "process.ancestors.name" then
    state.used.process = true
    if one.how ~= "is" then
      return nil, ("ancestors: %s"):format(one.how)
    end
    return ("match.ancestor(process, %s, 16) ~= nil"):format(add_local(state, "names", "lists.set " .. list_text(values, "")))
  elseif NAMED[one.field] and one.how == "is" and not one.fold then
    state.used.process = true
    return ("match.named(%s, %s)"):format(one.field == "process.name" and "process" or "process.parent",
      add_local(state, "names", "lists.set " .. list_text(values, "")))
  elseif one.field == "process.env" then
    return nil, "variables of the environment within an expression"
  end
  local subject = expression_of(one.field, state)
  if one.how == "exists" then
    return subject .. " ~= nil"
  end
  if one.fold then
    state.folds = true
    subject = ("fold(%s)"):format(subject)
  end
  local list = {}
  if one.how == "is" then
    if #values > 3 and type(values[1]) == "string" then
      return ("%s[%s or 0] ~= nil"):format(add_local(state, "set", "match.set " .. list_text(values, "")), subject)
    end
    for i, value in ipairs(values) do
      list[i] = ("%s == %s"):format(subject, quote(value))
    end
  elseif one.how == "contains" and #values > 1 then
    for at = 1, #values, MAX_CONTAINS do
      local some = table.move(values, at, math.min(at + MAX_CONTAINS - 1, #values), 1, {})
      list[#list + 1] = ("match.contains_any(%s, %s)"):format(subject, add_local(state, "parts", list_text(some, "")))
    end
  elseif SIGNS[one.how] then
    for i, value in ipairs(values) do
      list[i] = ("(%s ~= nil and %s %s %s)"):format(subject, subject, SIGNS[one.how], quote(value))
    end
  elseif one.how == "regex" then
    for i, value in ipairs(values) do
      if not pcall(text.regex, value) then
        return nil, ("the regular expression %s"):format(line_text(value, 60))
      end
      list[i] = ("%s(%s)"):format(add_local(state, "regex", ("match.regex(%s)"):format(quote(value))), subject)
    end
  else
    for i, value in ipairs(values) do
      if #value > 256 then
        return nil, "a text of more than 256 bytes"
      end
      list[i] = ("match.%s(%s, %s)"):format(one.how, subject, quote(value))
    end
  end
  return any_text(list)
end

--- The condition as an expression of Lua; nil with the reason.
local function expression(one, state, indent)
  if one.op == "test" then
    return test_text(one, state)
  elseif one.op == "not" then
    local inner, why = expression(one[1], state, indent)
    return inner and ("not (%s)"):format(inner:gsub("^%((.*)%)$", function(text_inside)
      return not text_inside:find "[()]" and text_inside or nil
    end)), why
  end
  local list = {}
  for i, part in ipairs(one) do
    local inner, why = expression(part, state, indent .. "  ")
    if not inner then
      return nil, why
    end
    list[i] = (part.op == "or" and not inner:find "^%b()$") and "(" .. inner .. ")" or inner
  end
  local word = one.op == "and" and "and" or "or"
  local line = table.concat(list, (" %s "):format(word))
  if #line > 100 then
    line = table.concat(list, ("\n%s  %s "):format(indent, word))
  end
  return one.op == "or" and "(" .. line .. ")" or line
end

local PATTERN = { is = "%s", starts = "%s*", ends = "*%s", contains = "*%s*" }

--- The values as patterns of `where`; nil when they cannot be.
local function patterns(one)
  local list = {}
  for i, value in ipairs(one.values) do
    if type(value) ~= "string" then
      return one.how == "is" and one.values or nil
    elseif #value > 250 or value == "" then
      return nil
    elseif one.how == "glob" then
      list[i] = value
    elseif not PATTERN[one.how] or value:find "[*?]" or (one.how == "is" and value:find "/$") then
      return nil
    else
      list[i] = PATTERN[one.how]:format(value)
    end
  end
  return #list <= 400 and list or nil
end

local function are_paths(list)
  for _, one in ipairs(list) do
    if not one:find "^[/*?]" then
      return false
    end
  end
  return true
end

--- What is native of one test: key of `where`, path of its field, values.  nil: nothing.
local function native(one, kinds)
  if one.op ~= "test" or one.fold then
    return nil
  end
  local list = one.values and patterns(one)
  if one.field == "process.ancestors.name" then
    return one.how == "is" and list and "ancestors" or nil, nil, list
  elseif NAMED[one.field] and list and one.how == "is" then
    return one.field == "process.name" and "names" or "parents", nil, list
  elseif one.field == "process.cmdline" and one.how == "contains" then
    return list and "cmdline" or nil, nil, one.values
  elseif one.field == "socket.remote_address" and (one.how == "in_network" or one.how == "is") then
    return "addresses", nil, one.values
  elseif one.field == "socket.remote_port" and one.how == "is" and #kinds == 1 and kinds[1] == "socket.connect" then
    return "ports", nil, one.values
  elseif one.field == "file.path" and list and are_paths(list) then
    return "paths", nil, list
  elseif list then
    return "fields", one.field, list
  end
  return nil
end

--- Splits a condition into what is native and what is left.
local function split(whole, kinds)
  local parts = whole.op == "and" and whole or { whole }
  local where, order, rest = {}, {}, {}
  for _, part in ipairs(parts) do
    local key, field, values = native(part, kinds)
    local name = key and (field or key)
    if key and not where[name] then
      where[name] = { key = key, field = field, values = values }
      order[#order + 1] = name
    else
      rest[#rest + 1] = part
    end
  end
  return where, order, condition.all(rest)
end

local function where_text(where, order)
  local lines, in_fields = {}, {}
  for _, name in ipairs(order) do
    local one = where[name]
    if one.key == "fields" then
      in_fields[#in_fields + 1] = ("      [%s] = %s,"):format(quote(one.field), list_text(one.values, "      "))
    else
      lines[#lines + 1] = ("    %s = %s,"):format(one.key, list_text(one.values, "    "))
    end
  end
  if #in_fields > 0 then
    lines[#lines + 1] = "    fields = {\n" .. table.concat(in_fields, "\n") .. "\n    },"
  end
  return "  where = {\n" .. table.concat(lines, "\n") .. "\n  },\n"
end

local ORDER = { "kind", "process", "file", "socket", "call", "name", "exe", "argv", "parent" }
local rank = {}
for i, key in ipairs(ORDER) do
  rank[key] = i
end

local function value_text(value)
  if type(value) ~= "table" then
    return quote(value)
  elseif #value > 0 then
    local words = {}
    for i, one in ipairs(value) do
      words[i] = quote(one)
    end
    return "{ " .. table.concat(words, ", ") .. " }"
  end
  local keys = {}
  for key in pairs(value) do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b)
    local x, y = rank[a] or 100, rank[b] or 100
    return x < y or (x == y and a < b)
  end)
  local words = {}
  for i, key in ipairs(keys) do
    words[i] = ("%s = %s"):format(key, value_text(value[key]))
  end
  return "{ " .. table.concat(words, ", ") .. " }"
end

--- As examples are written: arguments instead of the line they make.
local function as_example(event)
  local process = event.process
  while process do
    if process.cmdline then
      process.argv = {}
      for word in (process.cmdline .. " "):gmatch "(.-) " do
        process.argv[#process.argv + 1] = word
      end
      process.cmdline = nil
    end
    process = process.parent
  end
  return event
end

local function base_of(kind)
  return function()
    local event = { kind = kind, process = { name = "x" } }
    if kind:find "^file%." then
      event.file = { path = "/x" }
    elseif kind:find "^socket%." then
      event.socket = { remote_address = "192.0.2.1" }
    end
    return event
  end
end

--- Conditions by kind, joined where they are the same.
local function by_kind(draft, whole)
  local kinds = {}
  for kind in pairs(fields.named_kinds(whole, {})) do
    kinds[#kinds + 1] = kind
  end
  kinds = draft.on or kinds
  table.sort(kinds)
  local groups, on = {}, {}
  for _, kind in ipairs(kinds) do
    local one = fields.for_kind(whole, kind)
    if one.op == "always" then
      return nil, nil, ("would match every %s"):format(kind)
    elseif one.op ~= "never" then
      on[#on + 1] = kind
      local key = value_text { one }
      local group = groups[key]
      if not group then
        group = { condition = one, kinds = {} }
        groups[key] = group
        groups[#groups + 1] = group
      end
      group.kinds[#group.kinds + 1] = kind
    end
  end
  return groups, on
end

local function texts(key, list)
  local lines = {}
  for _, one in ipairs(list or {}) do
    if #lines < 50 then
      lines[#lines + 1] = line_text(one, 400)
    end
  end
  return #lines > 0 and ("  %s = %s,\n"):format(key, list_text(lines, "  ")) or ""
end

---@param draft table
---@param format string
---@return string? text
---@return string? reason
function M.write(draft, format)
  local whole = condition.resolve(draft.condition, draft.notes)
  local lost = #draft.notes > 0 and ": " .. table.concat(draft.notes, "; ") or ""
  if whole.op == "never" then
    return nil, "nothing of it can be said here" .. lost
  end
  local groups, on, why = by_kind(draft, whole)
  if not groups then
    return nil, why
  elseif #on == 0 then
    return nil, next(fields.named_kinds(whole, {})) and "nothing of it can be said here" .. lost
      or "does not say which events it is about"
  end
  local final = groups[1].condition
  if #groups > 1 then
    local list = {}
    for i, group in ipairs(groups) do
      list[i] = condition.all { condition.test("kind", "is", group.kinds), group.condition }
    end
    final = condition.any(list)
  end
  local is_solved, fit, miss, reason = pcall(solve.examples, final, base_of(on[1]))
  if not is_solved then
    return nil, line_text(tostring(fit), 200)
  elseif not fit then
    return nil, reason
  end
  local where, order, rest = split(final, on)
  local state = { used = {}, locals = {} }
  local body
  if rest.op ~= "always" then
    body, reason = expression(rest, state, "    ")
    if not body then
      return nil, reason
    end
    body = body:gsub("^%((.*)%)$", function(inside)
      return not inside:find "[()]" and inside or nil
    end)
  end

  local out = { ("-- Imported from a rule of %s: %s\n"):format(format == "falco" and "Falco" or "Sigma", line_text(draft.title, 200)) }
  for _, note in ipairs(draft.notes) do
    out[#out + 1] = ("-- Left out: %s\n"):format(line_text(note, 100))
  end
  local function add(...)
    for _, one in ipairs { ... } do
      out[#out + 1] = one
    end
  end
  local locals = {}
  for i, one in ipairs(state.locals) do
    locals[i] = ("local %s = %s\n"):format(one[1], one[2])
  end
  local code = (body or "") .. table.concat(locals)
  add(code:find "lists%." and 'local lists = require "moonwatch.lists"\n' or "",
    code:find "match%." and 'local match = require "moonwatch.match"\n' or "", #locals > 0 and "\n" or "", table.concat(locals))
  local lines = {}
  for i = #PARTS, 1, -1 do
    local part = PARTS[i]
    if state.used[part[2]] then
      lines[#lines + 1] = ("    local %s = %s\n"):format(part[2], part[3])
    end
  end
  add(#lines > 0 and "local none = {}\n" or "",
    state.folds and "\nlocal function fold(text)\n  return text and text:lower()\nend\n" or "", "\nreturn {\n",
    ("  id = %s,\n"):format(quote(draft.id)), ("  summary = %s,\n"):format(quote(line_text(draft.summary, 400))),
    ("  why = %s,\n"):format(quote(line_text(draft.why, 2000))), ("  on = %s,\n"):format(list_text(on, "  ")),
    ("  severity = %s,\n"):format(quote(draft.severity)), ("  attack = %s,\n"):format(list_text(draft.attack, "  ")),
    draft.enabled == false and "  enabled = false,\n" or "", texts("tags", draft.tags), texts("references", draft.references),
    texts("false_positives", draft.false_positives), #order > 0 and where_text(where, order) or "")
  if body then
    add("  match = function(event)\n", table.concat(lines), ("    return %s\n"):format(body), "  end,\n")
  end
  add("  examples = {\n", ("    { expect = true, event = %s },\n"):format(value_text(as_example(fit))),
    ("    { expect = false, event = %s },\n"):format(value_text(as_example(miss))), "  },\n}\n")
  return table.concat(out)
end

return M

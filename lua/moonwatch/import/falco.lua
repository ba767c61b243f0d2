--- Rules of Falco: lists, macros, rules; conditions of https://falco.org/docs/rules/conditions.

local condition = require "moonwatch.import.condition"
local fields = require "moonwatch.import.fields"
local yaml = require "moonwatch.import.yaml"

local M = {}

local all, any, no, test, unknown = condition.all, condition.any, condition.no, condition.test, condition.unknown

local OPERATORS = {
  ["="] = "is", ["=="] = "is", ["!="] = "is not", ["<"] = "lt", ["<="] = "le", [">"] = "gt", [">="] = "ge",
  contains = "contains", icontains = "icontains", startswith = "starts", endswith = "ends", glob = "glob", ["in"] = "in",
  intersects = "in", pmatch = "pmatch", regex = "regex", exists = "exists", bcontains = "bcontains", bstartswith = "bstarts",
  iglob = "iglob",
}

--- Macros that Falco's own files define, for files that count on them.
local KNOWN_MACROS = {
  spawned_process = "evt.type in (execve, execveat)",
  container = "container.id != host",
  open_read = "evt.type in (open, openat, openat2) and evt.is_open_read=true",
  open_write = "evt.type in (open, openat, openat2) and evt.is_open_write=true",
  outbound = "evt.type = connect", inbound = "evt.type in (accept, accept4)", inbound_outbound = "evt.type in (connect, accept)",
  rename = "evt.type in (rename, renameat, renameat2)", remove = "evt.type in (unlink, unlinkat, rmdir)",
  mkdir = "evt.type in (mkdir, mkdirat)", chmod = "evt.type in (chmod, fchmod, fchmodat)",
  never_true = "evt.num=0", always_true = "evt.num>=0", proc_name_exists = "proc.name exists",
  shell_procs = "proc.name in (shell_binaries)", kevt = "evt.num>=0", interactive = "proc.tty != 0",
}
local KNOWN_LISTS = {
  shell_binaries = { "ash", "bash", "csh", "ksh", "sh", "tcsh", "zsh", "dash" },
  shadowutils_binaries = { "useradd", "usermod", "userdel", "groupadd", "groupdel", "groupmod", "passwd", "chpasswd" },
  package_mgmt_binaries = { "dpkg", "apt", "apt-get", "yum", "dnf", "rpm", "apk", "pip", "npm", "gem" },
}

local PRIORITIES = {
  emergency = "critical", alert = "critical", critical = "critical", error = "high", warning = "medium", notice = "low",
  informational = "info", info = "info", debug = "info",
}

local function tokens(text)
  local list, at = {}, 1
  while true do
    at = text:find("%S", at)
    if not at then
      return list
    end
    local c = text:sub(at, at)
    local quoted = (c == '"' or c == "'") and text:match("^" .. c .. "([^" .. c .. "]*)" .. c, at)
    local operator = text:match("^[<>!=]=?", at)
    if quoted then
      list[#list + 1] = { text = quoted, is_quoted = true }
      at = at + #quoted + 2
    elseif c == "(" or c == ")" or c == "," then
      list[#list + 1] = { text = c, is_sign = true }
      at = at + 1
    elseif operator then
      list[#list + 1] = { text = operator, is_operator = true }
      at = at + #operator
    else
      local word = text:match("^[^%s%(%),<>!=\"']+", at)
      if not word then
        error(("not understood: '%s'"):format(text:sub(at, at + 20)), 0)
      end
      -- "proc.aname[2]", "evt.arg[0]", "proc.env[HOME]" have no blanks.
      list[#list + 1] = { text = word, is_operator = OPERATORS[word] ~= nil }
      at = at + #word
    end
  end
end

local parse_or

local function kinds_of(values)
  local set = { op = "kinds" }
  local is_any = false
  for _, value in ipairs(values) do
    local kind = fields.kind_of_call[value]
    if kind then
      set[kind] = true
      is_any = true
    end
  end
  return is_any and set or unknown(("system calls that make no events here: %s"):format(table.concat(values, ", ")))
end

local function escape(text)
  return (text:gsub("[%^%$%.%[%]%*%+%?%(%)%{%}|\\/-]", "\\%0"))
end

--- Fields whose meaning is no comparison with one of ours.
local SPECIAL = {
  ["evt.type"] = function(how, values)
    local kinds = kinds_of(values)
    return how == "is not" and no(kinds) or kinds
  end,
  ["evt.dir"] = function() return { op = "always" } end,
  ["evt.num"] = function(how) return { op = how == "ge" and "always" or "never" } end,
  ["evt.is_open_write"] = function(_, values)
    local write = all { { op = "kinds", ["file.open"] = true }, test("file.write", "is", { true }) }
    return values[1] == "true" and write or no(write)
  end,
  ["evt.is_open_read"] = function(_, values)
    local read = all { { op = "kinds", ["file.open"] = true }, no(test("file.write", "is", { true })) }
    return values[1] == "true" and read or no(read)
  end,
  ["evt.rawres"] = function(how, values)
    local failed = test("call.error", "exists")
    return (how == "lt" and values[1] == "0") and failed or no(failed)
  end,
  ["evt.failed"] = function(_, values)
    local failed = test("call.error", "exists")
    return values[1] == "true" and failed or no(failed)
  end,
  ["evt.res"] = function(how, values)
    local succeeded = no(test("call.error", "exists"))
    if values[1] == "SUCCESS" then
      return how == "is not" and no(succeeded) or succeeded
    end
    local one = test("call.error", "is", values)
    return how == "is not" and no(one) or one
  end,
  ["proc.tty"] = function(how, values)
    local tty = test("process.tty", "exists")
    return values[1] == "0" and (how == "is" and no(tty) or tty) or unknown "proc.tty with the number of a device"
  end,
  ["proc.is_exe_upper_layer"] = function(_, values)
    local one = test("process.dropped", "is", { true })
    return values[1] == "true" and one or no(one)
  end,
  ["proc.is_exe_from_memfd"] = function(_, values)
    local one = test("process.memfd", "is", { true })
    return values[1] == "true" and one or no(one)
  end,
  ["container.id"] = function(how, values)
    if values[1] == "host" then
      return { op = how == "is" and "never" or "always" } -- we are in a container
    end
    local one = test("container.id", "starts", values)
    return how == "is not" and no(one) or one
  end,
  ["fd.typechar"] = function(how, values)
    local list = {}
    for i, value in ipairs(values) do
      list[i] = value == "f" and test("file.path", "exists") or value == "4" and test("socket.family", "is", { "ipv4" })
        or value == "6" and test("socket.family", "is", { "ipv6" }) or value == "u" and test("socket.family", "is", { "unix" })
        or unknown(("fd.typechar '%s'"):format(value))
    end
    local one = any(list)
    return how == "is not" and no(one) or one
  end,
  ["fd.directory"] = function(how, values)
    local list = {}
    for i, value in ipairs(values) do
      list[i] = test("file.path", "regex", { "^" .. escape(value) .. "/[^/]*$" })
    end
    if how == "starts" then
      return test("file.path", "starts", values)
    elseif how ~= "is" and how ~= "in" and how ~= "is not" then
      return unknown(("fd.directory %s"):format(how))
    end
    return how == "is not" and no(any(list)) or any(list)
  end,
  ["fd.filename"] = function(how, values)
    local list = {}
    for i, value in ipairs(values) do
      list[i] = "/" .. value
    end
    if how == "ends" then
      return test("file.path", "ends", values)
    elseif how ~= "is" and how ~= "in" and how ~= "is not" then
      return unknown(("fd.filename %s"):format(how))
    end
    local one = test("file.path", "ends", list)
    return how == "is not" and no(one) or one
  end,
}
SPECIAL["fd.type"] = function(how, values)
  local letters = {}
  for i, value in ipairs(values) do
    letters[i] = ({ file = "f", ipv4 = "4", ipv6 = "6", unix = "u" })[value] or value
  end
  return SPECIAL["fd.typechar"](how, letters)
end

local NETWORKS = { ["fd.net"] = true, ["fd.snet"] = true, ["fd.rnet"] = true }

local function numbers(values)
  local list = {}
  for i, value in ipairs(values) do
    list[i] = math.tointeger(tonumber(value))
    if not list[i] then
      return nil
    end
  end
  return list
end

local function comparison(field, how, values)
  local special = SPECIAL[field]
  if special and how ~= "exists" then
    return special(how == "in" and "is" or how, values)
  end
  local path = fields.falco[field] or (field:find "^proc%.aname%[" and fields.falco["proc.aname"])
    or (field:find "^proc%.env%[" and "process.env")
  if not path then
    return unknown(("there is no %s here"):format(field))
  elseif how == "exists" then
    return path == "process.ancestors.name" and test("process.parent.name", "exists") or test(path, "exists")
  elseif field:find "^proc%.env%[" then
    local name = field:match "%[(.-)%]"
    local list = {}
    for i, value in ipairs(values) do
      list[i] = how == "is" and name .. "=" .. value or ("%s=*%s*"):format(name, value)
    end
    return (how == "is" or how == "contains") and test(path, how == "is" and "is" or "glob", list)
      or unknown(("%s %s"):format(field, how))
  elseif NETWORKS[field] then
    return (how == "is" or how == "in") and test(path, "in_network", values) or unknown(("%s %s"):format(field, how))
  elseif how == "bcontains" or how == "bstarts" then
    return unknown(("%s %s: bytes"):format(field, how))
  end
  if fields.is_number(path) then
    local list = numbers(values)
    if not list then
      return unknown(("%s with '%s', which is no number"):format(field, table.concat(values, ", ")))
    end
    values = list
  elseif how == "lt" or how == "le" or how == "gt" or how == "ge" then
    return unknown(("%s %s: no number here"):format(field, how))
  end
  if field == "proc.args" and how ~= "contains" and how ~= "icontains" and how ~= "ends" then
    -- The line has the program's own name in front.
    local list = {}
    for i, value in ipairs(values) do
      list[i] = how == "starts" and ("* %s*"):format(value) or how == "regex" and ("^\\S+ (?:%s)$"):format(value)
    end
    if #list < #values then
      return unknown(("proc.args %s"):format(how))
    end
    return test(path, how == "starts" and "glob" or how, list)
  elseif path == "container.image" and (how == "is" or how == "in" or how == "is not") then
    -- The repository: what follows is a tag or a digest.
    local one = test(path, "starts", values)
    return how == "is not" and no(one) or one
  elseif how == "is not" then
    return no(test(path, "is", values))
  elseif how == "in" then
    return test(path, "is", values)
  elseif how == "pmatch" then
    local list = {}
    for i, value in ipairs(values) do
      list[i] = value:gsub("/$", "") .. "/"
    end
    return any { test(path, "is", values), test(path, "starts", list) }
  elseif how == "icontains" then
    return test(path, "contains", values, { fold = true })
  elseif how == "iglob" then
    return test(path, "glob", values, { fold = true })
  elseif how == "regex" then
    -- Falco's match the whole text.
    local list = {}
    for i, value in ipairs(values) do
      list[i] = "^(?:" .. value .. ")$"
    end
    return test(path, how, list)
  end
  return test(path, how, values)
end

local function expand(name, world, into)
  local list = world.lists[name] or KNOWN_LISTS[name]
  if not list then
    into[#into + 1] = name
    return
  end
  for _, item in ipairs(list) do
    if type(item) == "string" and item ~= name and (world.lists[item] or KNOWN_LISTS[item]) then
      expand(item, world, into)
    else
      into[#into + 1] = tostring(item)
    end
  end
end

local function values_at(state, is_list)
  local token = state.tokens[state.at]
  local values = {}
  if is_list and token and token.text == "(" and token.is_sign then
    state.at = state.at + 1
    while true do
      token = state.tokens[state.at]
      if not token then
        error("a list without its end", 0)
      end
      state.at = state.at + 1
      if token.text == ")" and token.is_sign then
        return values
      elseif not (token.is_sign and token.text == ",") then
        if token.is_quoted then
          values[#values + 1] = token.text
        else
          expand(token.text, state.world, values)
        end
      end
    end
  end
  if not token then
    error("a comparison without its value", 0)
  end
  state.at = state.at + 1
  if is_list and not token.is_quoted then
    expand(token.text, state.world, values)
  else
    values[1] = token.text
  end
  return values
end

local function macro(name, state)
  local text = state.world.macros[name] or KNOWN_MACROS[name]
  if not text then
    return unknown(("the macro %s is not in this file"):format(name))
  elseif state.depth > 20 then
    error(("the macro %s goes round in circles"):format(name), 0)
  end
  return M.parse(text, state.world, state.depth + 1)
end

local function parse_primary(state)
  local token = state.tokens[state.at]
  if not token then
    error("ends too early", 0)
  end
  state.at = state.at + 1
  if token.is_sign and token.text == "(" then
    local inner = parse_or(state)
    local close = state.tokens[state.at]
    if not close or close.text ~= ")" then
      error("a parenthesis without its partner", 0)
    end
    state.at = state.at + 1
    return inner
  end
  local operator = state.tokens[state.at]
  if not operator or not operator.is_operator then
    return macro(token.text, state)
  end
  state.at = state.at + 1
  local how = OPERATORS[operator.text]
  if not how then
    error(("no operator: '%s'"):format(operator.text), 0)
  elseif how == "exists" then
    return comparison(token.text, how, {})
  end
  return comparison(token.text, how, values_at(state, how == "in" or how == "pmatch"))
end

local function parse_not(state)
  local token = state.tokens[state.at]
  if token and token.text == "not" and not token.is_quoted then
    state.at = state.at + 1
    return no(parse_not(state))
  end
  return parse_primary(state)
end

local function chain(word, inner, join)
  return function(state)
    local list = { inner(state) }
    while true do
      local token = state.tokens[state.at]
      if not token or token.is_quoted or token.text ~= word then
        return join(list)
      end
      state.at = state.at + 1
      list[#list + 1] = inner(state)
    end
  end
end

local parse_and = chain("and", parse_not, all)
parse_or = chain("or", parse_and, any)

function M.parse(text, world, depth)
  local state = { tokens = tokens(text), at = 1, world = world, depth = depth or 0 }
  local parsed = parse_or(state)
  if state.tokens[state.at] then
    error(("not understood from '%s' on"):format(state.tokens[state.at].text), 0)
  end
  return parsed
end

local function texts(value)
  return type(value) == "table" and value or {}
end

local function techniques(tags)
  local found = {}
  for _, tag in ipairs(texts(tags)) do
    local id = tostring(tag):upper():match "^T%d%d%d%d$" or tostring(tag):upper():match "^T%d%d%d%d%.%d%d%d$"
    found[#found + 1] = id
  end
  return found
end

--- exceptions: tuples of fields, comparisons and values.
local function exceptions(item, world)
  local list = {}
  for _, one in ipairs(texts(item.exceptions)) do
    local names = type(one.fields) == "table" and one.fields or { one.fields }
    local comparisons = type(one.comps) == "table" and one.comps or { one.comps }
    for _, tuple in ipairs(texts(one.values)) do
      local parts = {}
      for i, name in ipairs(names) do
        local how = OPERATORS[comparisons[i] or (#names == 1 and "in" or "=")]
        local value = #names == 1 and tuple or texts(tuple)[i]
        local values = {}
        for _, each in ipairs(type(value) == "table" and value or { value }) do
          expand(tostring(each), world, values)
        end
        parts[i] = how and comparison(name, how, values) or unknown(("exception %s"):format(tostring(one.name)))
      end
      list[#list + 1] = all(parts)
    end
  end
  return list
end

local function draft_of(item, world, line)
  local draft = {
    line = line, title = tostring(item.rule), notes = {}, summary = tostring(item.rule), why = tostring(item.desc or item.rule),
    severity = PRIORITIES[tostring(item.priority):lower()] or "medium", attack = techniques(item.tags),
    tags = texts(item.tags), enabled = item.enabled ~= false, id = tostring(item.rule),
  }
  if item.source ~= nil and item.source ~= "syscall" then
    draft.refused = ("events of %s"):format(tostring(item.source))
    return draft
  elseif type(item.condition) ~= "string" then
    draft.refused = "has no condition"
    return draft
  end
  local is_parsed, parsed = pcall(M.parse, item.condition, world)
  if not is_parsed then
    draft.refused = "condition: " .. tostring(parsed)
    return draft
  end
  local excepted = exceptions(item, world)
  draft.condition = #excepted > 0 and all { parsed, no(any(excepted)) } or parsed
  return draft
end

local function append(item, key, field, world)
  local name = item[key]
  local is_append = item.append == true or (type(item.override) == "table" and item.override[field] == "append")
  local kept = world[key == "list" and "lists" or "macros"]
  if key == "list" then
    local items = is_append and table.move(kept[name] or {}, 1, #(kept[name] or {}), 1, {}) or {}
    table.move(texts(item.items), 1, #texts(item.items), #items + 1, items)
    kept[name] = items
  else
    kept[name] = is_append and ("(%s) %s"):format(kept[name] or "evt.num>=0", item[field]) or item[field]
  end
end

---@param text string
---@return table[] drafts
function M.read(text)
  local documents, lines = yaml.parse(text)
  local world = { lists = {}, macros = {} }
  local drafts = {}
  for _, document in ipairs(documents) do
    for _, item in ipairs(texts(document)) do
      if type(item) == "table" and item.list ~= nil then
        append(item, "list", "items", world)
      elseif type(item) == "table" and item.macro ~= nil then
        append(item, "macro", "condition", world)
      end
    end
  end
  for _, document in ipairs(documents) do
    for _, item in ipairs(texts(document)) do
      if type(item) == "table" and item.rule ~= nil then
        drafts[#drafts + 1] = draft_of(item, world, lines[item])
      end
    end
  end
  return drafts
end

return M

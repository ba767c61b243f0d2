--- The `.commands` of the shell: osqueryi's, and some more.

local render = require "moonwatch.shell.render"
local sql = require "moonwatch.sql"
local text = require "moonwatch.text"

---@class moonwatch.shell.commands
local M = {}

--- Of a file that .read takes.
local FILE_BYTES = 1 << 24

local ON_OFF = { "on", "off" }

local function table_names()
  local names = {}
  for i, declared in ipairs(sql.tables()) do
    names[i] = declared.name
  end
  return names
end

local function find_table(name)
  for _, declared in ipairs(sql.tables()) do
    if declared.name == name:lower() then
      return declared
    end
  end
end

local function no_table(name)
  local nearest = text.nearest(name, table_names())
  return ("there is no table %s; %s"):format(name, nearest and "did you mean " .. nearest .. "?"
    or ".tables lists them")
end

--- A command that switches `key` of the style or the session.
local function switch(command, owner, key)
  return function(session, argument)
    local value = argument and argument:lower()
    if value ~= "on" and value ~= "off" then
      return ("%s takes on or off"):format(command)
    end
    owner(session)[key] = value == "on"
  end
end

local function style_of(session)
  return session.options.style
end

local function session_of(session)
  return session
end

local function on_or_off(value)
  return value and "on" or "off"
end

local function describe_function(session, declared)
  session:write(("  %s(%s)\n      %s\n      %s = %s\n"):format(declared.name, declared.arguments, declared.doc,
    declared.example, declared.result or "NULL"))
end

local function describe_functions(session)
  local family
  for _, declared in ipairs(sql.functions()) do
    if declared.family ~= family then
      session:write(("%s%s:\n"):format(family and "\n" or "", declared.family))
      family = declared.family
    end
    describe_function(session, declared)
  end
  session:write("\nAnd those of SQLite, among them JSON: https://www.sqlite.org/lang_corefunc.html\n")
end

local function describe_table(session, declared)
  session:write(("%s: %s\nFrom: %s\n"):format(declared.name, declared.doc, declared.source))
  for _, column in ipairs(declared.columns) do
    if not column.foreign then
      session:write(("  %-20s %-8s %s%s\n"):format(column.name, column.type, column.doc or "",
        column.hidden and " (not in SELECT *)" or ""))
    end
  end
  if declared.example then
    session:write("Example: " .. declared.example .. ";\n")
  end
end

--- name -> what follows it, help, function(session, argument) -> message?, what completes its argument
---@type table<string, { [1]: string, [2]: string, [3]: fun(session: table, argument: string?): string?, [4]: any }>
local COMMANDS = {
  all = { "TABLE", "all rows of a table", function(session, argument)
    if not argument or not find_table(argument) then
      return argument and no_table(argument) or ".all needs the name of a table"
    end
    session:run("SELECT * FROM " .. argument)
  end, "table" },
  bail = { "on|off", "end at the first failure", switch(".bail", session_of, "is_bailing"), ON_OFF },
  describe = { "TABLE", "what a table and its columns are", function(session, argument)
    local declared = argument and find_table(argument)
    if not declared then
      return argument and no_table(argument) or ".describe needs the name of a table"
    end
    describe_table(session, declared)
  end, "table" },
  echo = { "on|off", "show each statement before it is run", switch(".echo", session_of, "is_echoing"), ON_OFF },
  exit = { "", "leave; so does .quit, or the end of input", function(session)
    session.is_over = true
  end },
  features = { "", "what this program is made with, and where it looks", function(session)
    local versions = sql.versions()
    for _, line in ipairs {
      { "SQLite", versions.sqlite .. ", with JSON1" },
      { "regular expressions", "PCRE2 " .. versions.pcre2 },
      { "tables", tostring(#sql.tables()) },
      { "functions", ("%d, and SQLite's"):format(#sql.functions()) },
      { "state of the sensor", session.options.state_dir or "" },
      { "history", session.history and session.history.path or "of this session" },
    } do
      session:write(("  %-20s %s\n"):format(line[1], line[2]))
    end
  end },
  functions = { "", "functions that SQLite by itself does not have", describe_functions },
  headers = { "on|off", "show column names", switch(".headers", style_of, "header"), ON_OFF },
  help = { "[NAME]", "this; or of a table, a function, or `functions`, what it is", function(session, argument)
    return M.help(session, argument)
  end, "table" },
  mode = { "MODE", table.concat(render.modes, ", "), function(session, argument)
    for _, mode in ipairs(render.modes) do
      if mode == argument or mode == render.aliases[argument] then
        session.options.style.mode = mode
        return nil
      end
    end
    return (".mode takes one of %s; it is %s"):format(table.concat(render.modes, ", "),
      session.options.style.mode)
  end, render.modes },
  nullvalue = { "TEXT", "what NULL is shown as, but in JSON", function(session, argument)
    session.options.style.nullvalue = argument or ""
  end },
  output = { "[FILE]", "write results into a file; without one, here again", function(session, argument)
    return session:set_output(argument ~= "stdout" and argument or nil)
  end },
  print = { "TEXT", "write a line", function(session, argument)
    session:write((argument or "") .. "\n")
  end },
  read = { "FILE", "run what is in a file", function(session, argument)
    if not argument then
      return ".read needs the name of a file"
    end
    local file <close>, message = io.open(argument, "rb")
    local whole = file and file:read(FILE_BYTES + 1)
    if not file then
      return message
    elseif whole and #whole > FILE_BYTES then
      return ("%s: more than %d bytes"):format(argument, FILE_BYTES)
    end
    session:run_script(whole or "")
  end },
  schema = { "[TABLE]", "the columns of tables whose name holds TABLE, or of all, as SQL", function(session, argument)
    local exact = argument and find_table(argument)
    local is_found = false
    for _, declared in ipairs(exact and { exact } or sql.tables()) do
      if declared.name:find(argument and argument:lower() or "", 1, true) then
        session:write(declared.schema .. ";\n")
        is_found = true
      end
    end
    return not is_found and no_table(argument) or nil
  end, "table" },
  separator = { "TEXT", "between the values of csv and list", function(session, argument)
    session.options.style.separator = argument or "|"
  end },
  show = { "", "how things are set; so does .summary", function(session)
    local style = session.options.style
    for _, line in ipairs {
      { "bail", on_or_off(session.is_bailing) },
      { "echo", on_or_off(session.is_echoing) },
      { "headers", on_or_off(style.header) },
      { "mode", style.mode },
      { "nullvalue", '"' .. (style.nullvalue or "") .. '"' },
      { "output", session.output_path or "stdout" },
      { "separator", '"' .. style.separator .. '"' },
      { "state_dir", session.options.state_dir or "" },
      { "timer", on_or_off(session.is_timing) },
    } do
      session:write(("  %10s: %s\n"):format(line[1], line[2]))
    end
  end },
  tables = { "[TEXT]", "tables, or those whose name holds TEXT", function(session, argument)
    for _, name in ipairs(table_names()) do
      if name:find(argument and argument:lower() or "", 1, true) then
        session:write("  => " .. name .. "\n")
      end
    end
  end, "table" },
  timer = { "on|off", "show how long each statement took", switch(".timer", session_of, "is_timing"), ON_OFF },
  types = { "QUERY", "the columns of a result, and their types", function(session, argument)
    local query <close>, message = session.database:prepare(argument or "")
    if not query then
      return message or ".types needs a query"
    end
    local types = query:types()
    for i, name in ipairs(query:columns()) do
      session:write(("  %-20s %s\n"):format(name, types[i] ~= "" and types[i] or "(of the value)"))
    end
  end },
}

--- Of osqueryi, which has other programs behind sockets.
local function no_socket()
  return "there are no extensions, and no sockets to them; the tables of a running sensor are read from its state_dir"
end

local ALIASES = { quit = "exit", header = "headers", summary = "show", table = "tables" }
local ELSEWHERE = { connect = no_socket, disconnect = no_socket, socket = no_socket }

--- In alphabetical order.
---@return string[]
function M.names()
  local names = { "quit" }
  for name in pairs(COMMANDS) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

--- What completes the argument of a command: "table", a list of words, or nil.
---@param name string
function M.argument_of(name)
  local command = COMMANDS[ALIASES[name] or name]
  return command and command[4]
end

--- What a command, table or function is.  Returns a message when there is none of that name.
local function help_about(session, name)
  name = name:lower():gsub("^%.", ""):gsub("%(.*", "")
  local command, declared = COMMANDS[ALIASES[name] or name], find_table(name)
  if name == "functions" then
    describe_functions(session)
    return nil
  elseif command then
    session:write(("  .%-20s %s\n"):format(name .. " " .. command[1], command[2]))
  elseif declared then
    describe_table(session, declared)
  end
  local is_found = command or declared
  for _, known in ipairs(sql.functions()) do
    if known.name == name then
      describe_function(session, known)
      is_found = true
    end
  end
  return not is_found and ("nothing is called %s; .help, .tables and .functions list what there is"):format(name) or nil
end

---@param session moonwatch.shell.Session
---@param about string?
---@return string? message
function M.help(session, about)
  if about then
    return help_about(session, about)
  end
  session:write("Statements of SQL end with ';'.  SELECT alone is possible.\n\n")
  for _, name in ipairs(M.names()) do
    local command = COMMANDS[name]
    if command then
      session:write(("  .%-20s %s\n"):format(name .. " " .. command[1], command[2]))
    end
  end
end

--- Returns a message when it went wrong.
---@param session moonwatch.shell.Session
---@param line string
---@return string? message
function M.run(session, line)
  local name, argument = line:match("^%s*%.(%S*)%s*(.-)%s*$")
  if COMMANDS[name:gsub(";$", "")] or ALIASES[name:gsub(";$", "")] then
    name = name:gsub(";$", "")
  end
  if name ~= "print" and name ~= "separator" and name ~= "nullvalue" then
    argument = argument:gsub("%s*;$", "")
  end
  argument = argument:match('^"(.*)"$') or argument:match("^'(.*)'$") or argument
  if argument == "" and not line:find("[\"']") then
    argument = nil
  end
  local command = COMMANDS[ALIASES[name] or name]
  if not command then
    if ELSEWHERE[name] then
      return ELSEWHERE[name]()
    end
    local nearest = text.nearest(name, M.names())
    return ("unknown command .%s; %s"):format(name, nearest and "did you mean ." .. nearest .. "?" or ".help lists them")
  end
  return command[3](session, argument)
end

return M

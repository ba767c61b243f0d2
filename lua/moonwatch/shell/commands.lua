--- The `.commands` of the shell.

local render = require "moonwatch.shell.render"
local sql = require "moonwatch.sql"
local text = require "moonwatch.text"

---@class moonwatch.shell.commands
local M = {}

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

--- name = { what follows it, help, function(session, argument) -> message? }
local COMMANDS = {
  tables = { "[TEXT]", "tables, or those whose name holds TEXT", function(session, argument)
    for _, name in ipairs(table_names()) do
      if name:find(argument or "", 1, true) then
        session:write("  => " .. name .. "\n")
      end
    end
  end },
  schema = { "[TABLE]", "the columns of a table, or of all, as SQL", function(session, argument)
    if argument and not find_table(argument) then
      return no_table(argument)
    end
    for _, declared in ipairs(argument and { find_table(argument) } or sql.tables()) do
      session:write(declared.schema .. ";\n")
    end
  end },
  describe = { "TABLE", "what a table and its columns are", function(session, argument)
    local declared = argument and find_table(argument)
    if not declared then
      return argument and no_table(argument) or ".describe needs the name of a table"
    end
    session:write(("%s: %s\nFrom: %s\n"):format(declared.name, declared.doc, declared.source))
    for _, column in ipairs(declared.columns) do
      if not column.foreign then
        session:write(("  %-20s %-8s %s%s\n"):format(column.name, column.type, column.doc,
          column.hidden and " (not in SELECT *)" or ""))
      end
    end
    if declared.example then
      session:write("Example: " .. declared.example .. ";\n")
    end
  end },
  mode = { "MODE", table.concat(render.modes, ", "), function(session, argument)
    for _, mode in ipairs(render.modes) do
      if mode == argument then
        session.options.style.mode = mode
        return nil
      end
    end
    return (".mode takes one of %s; it is %s"):format(table.concat(render.modes, ", "),
      session.options.style.mode)
  end },
  headers = { "on|off", "show column names", function(session, argument)
    if argument ~= "on" and argument ~= "off" then
      return ".headers takes on or off"
    end
    session.options.style.header = argument == "on"
  end },
  separator = { "TEXT", "between the values of csv and list", function(session, argument)
    session.options.style.separator = argument or "|"
  end },
  help = { "", "this", function(session)
    M.help(session)
  end },
  exit = { "", "leave; so does .quit, or the end of input", function(session)
    session.is_over = true
  end },
}

local ALIASES = { quit = "exit", header = "headers" }

function M.help(session)
  local names = {}
  for name in pairs(COMMANDS) do
    names[#names + 1] = name
  end
  table.sort(names)
  session:write("Statements of SQL end with ';'.  SELECT alone is possible.\n\n")
  for _, name in ipairs(names) do
    session:write(("  .%-20s %s\n"):format(name .. " " .. COMMANDS[name][1], COMMANDS[name][2]))
  end
end

--- Returns a message when it went wrong.
---@param session moonwatch.shell.Session
---@param line string
---@return string? message
function M.run(session, line)
  local name, argument = line:match("^%s*%.(%S*)%s*(.-)%s*;?%s*$")
  if argument == "" then
    argument = nil
  end
  local command = COMMANDS[ALIASES[name] or name]
  if not command then
    return ("unknown command .%s; .help lists them"):format(name)
  end
  return command[3](session, argument)
end

return M

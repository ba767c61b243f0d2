--- Writes docs/reference/tables.md from what tables and functions declare.
---
--- usage: moonwatch lua docs/tables.lua PAGE

local sql = require "moonwatch.sql"

local lines = {}

local function put(text, ...)
  lines[#lines + 1] = select("#", ...) > 0 and text:format(...) or text
end

--- In a cell of a table.
local function cell(text)
  return (text:gsub("\\", "\\\\"):gsub("|", "\\|"):gsub("<", "\\<"))
end

local function code(text)
  return "`" .. text:gsub("|", "\\|") .. "`"
end

local function is_empty(declared)
  return declared.doc:match("^Empty: (.*)$")
end

--- What a query may say of a column so that the table reads less.
local MARKS = { "required", "index", "additional", "range", "like", "hidden" }

local function marks_of(column)
  local marks = {}
  for _, mark in ipairs(MARKS) do
    if column[mark] then
      marks[#marks + 1] = mark
    end
  end
  if column.collate then
    marks[#marks + 1] = "collate " .. column.collate:lower()
  end
  return table.concat(marks, ", ")
end

local function put_columns(columns)
  local foreign = {}
  put "| column | type | | |"
  put "| --- | --- | --- | --- |"
  for _, column in ipairs(columns) do
    if column.foreign then
      foreign[#foreign + 1] = code(column.name)
    else
      put("| %s | %s | %s | %s |", code(column.name), column.type, marks_of(column), cell(column.doc or ""))
    end
  end
  if #foreign > 0 then
    put("\nOf other platforms, always NULL: %s.", table.concat(foreign, ", "))
  end
end

local function put_tables(tables)
  put "## Tables\n"
  local names = {}
  for _, declared in ipairs(tables) do
    if not is_empty(declared) then
      names[#names + 1] = ("[%s](#%s)"):format(declared.name, declared.name)
    end
  end
  put("%s", table.concat(names, ",\n"))
  for _, declared in ipairs(tables) do
    if not is_empty(declared) then
      put("\n### %s\n", declared.name)
      put("%s Read from: %s.\n", declared.doc, declared.source)
      put_columns(declared.columns)
      put("\n```sql\n%s;\n```", declared.example)
    end
  end
end

--- Names of tables by why they are empty, in the order in which reasons come up.
local function put_empty_tables(tables)
  local reasons, names = {}, {}
  for _, declared in ipairs(tables) do
    local why = is_empty(declared)
    if why and not names[why] then
      reasons[#reasons + 1] = why
      names[why] = {}
    end
    if why then
      table.insert(names[why], code(declared.name))
    end
  end
  put "\n## Tables without rows\n"
  put "Tables of osquery that are there with all their columns, so that any query can be prepared, and answer nothing."
  for _, why in ipairs(reasons) do
    put("\n- %s\n  %s", why, table.concat(names[why], ", "))
  end
end

local function put_functions(functions)
  put "\n## Functions\n"
  put "Beside [SQLite's own](https://www.sqlite.org/lang_corefunc.html), among them those of JSON. NULL gives NULL unless it says"
  put "otherwise."
  local family
  for _, declared in ipairs(functions) do
    if declared.family ~= family then
      family = declared.family
      put("\n### %s\n", family)
      put "| function | | example | gives |"
      put "| --- | --- | --- | --- |"
    end
    put("| %s | %s | %s | %s |", code(declared.name .. "(" .. declared.arguments .. ")"), cell(declared.doc),
      code(declared.example), declared.result and code(declared.result) or "NULL")
  end
end

local function put_all()
  put "# Tables and functions\n"
  put "Written by `make docs` from the descriptors in `core/sql/tables/` and `core/sql/functions/`; `moonwatch sql` tells the same by"
  put "`.schema`, `.describe` and `.functions`. Names, columns and types are osquery's where osquery has the table.\n"
  put "What stands beside a column:\n"
  put "| | |"
  put "| --- | --- |"
  put "| required | the table needs `= value` for one of its required columns (or `LIKE`, where that stands, too) |"
  put "| index | `= value`, `IN` and joins read no more than they need |"
  put "| additional | likewise, or it says what is to be looked at |"
  put "| range | so do `<`, `<=`, `>`, `>=` |"
  put "| like | so do `LIKE` and `GLOB` |"
  put "| hidden | not in `SELECT *` |"
  put "| collate | how values are compared and ordered |\n"
  local tables = sql.tables()
  put_tables(tables)
  put_empty_tables(tables)
  put_functions(sql.functions())
end

put_all()
local page <close> = assert(io.open(arg[1], "w"))
assert(page:write(table.concat(lines, "\n"), "\n"))

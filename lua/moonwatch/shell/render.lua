--- How the shell shows rows.
---
--- A renderer is made for each result: `begin` gets the column names, `row` a list of texts (nil
--- for NULL), `finish` nothing.  Formats for people (table, line, list) make values printable, so
--- that a name in a result cannot drive the reader's terminal; formats for programs (json, jsonl,
--- csv) keep them.

local sql = require "moonwatch.sql"
local text = require "moonwatch.text"

---@class moonwatch.shell.Style
---@field mode "table"|"column"|"line"|"list"|"csv"|"json"|"json_pretty"|"jsonl"
---@field header boolean
---@field separator string  of csv and list
---@field nullvalue string?  what NULL is shown as, but for the formats of JSON; nothing unless given

---@class moonwatch.shell.Renderer
---@field begin fun(self, columns: string[])
---@field row fun(self, values: (string|nil)[])
---@field all (fun(self, query: moonwatch.Query, is_over: fun(): boolean): string|false|nil, string?)?  where rows need not
---be seen one by one: all of them; nil and why when the query fails
---@field finish fun(self)

---@class moonwatch.shell.render
local M = {}

--- Rows whose widths a table is laid out by.  A longer result goes on in the widths of the first.
local LAYOUT_ROWS = 2000
--- And those that are written at once then.
local CHUNK_ROWS = 50
--- A value wider than this does not widen its column for all rows.
local WIDEST = 160

--- Characters that take two cells (Unicode 15, EastAsianWidth W and F, as ranges) or none.
local WIDE = {
  { 0x1100, 0x115F }, { 0x2E80, 0x303E }, { 0x3041, 0x33FF }, { 0x3400, 0x4DBF },
  { 0x4E00, 0x9FFF }, { 0xA000, 0xA4CF }, { 0xA960, 0xA97F }, { 0xAC00, 0xD7A3 },
  { 0xF900, 0xFAFF }, { 0xFE30, 0xFE6F }, { 0xFF00, 0xFF60 }, { 0xFFE0, 0xFFE6 },
  { 0x1F300, 0x1F64F }, { 0x1F680, 0x1F6FF }, { 0x1F900, 0x1F9FF }, { 0x20000, 0x3FFFD },
}
local ZERO = {
  { 0x0300, 0x036F }, { 0x0483, 0x0489 }, { 0x0591, 0x05BD }, { 0x0610, 0x061A },
  { 0x064B, 0x065F }, { 0x1AB0, 0x1AFF }, { 0x1DC0, 0x1DFF }, { 0x20D0, 0x20FF },
  { 0xFE00, 0xFE0F }, { 0xFE20, 0xFE2F },
}

local function is_in(ranges, code)
  for _, range in ipairs(ranges) do
    if code < range[1] then
      return false
    elseif code <= range[2] then
      return true
    end
  end
  return false
end

--- Cells that a printable text takes on a terminal.
---@param printable string  valid UTF-8
---@return integer
function M.width(printable)
  if not printable:find("[\x80-\xFF]") then
    return #printable
  end
  local cells = 0
  for _, code in utf8.codes(printable) do
    cells = cells + (is_in(ZERO, code) and 0 or is_in(WIDE, code) and 2 or 1)
  end
  return cells
end

local function show(value)
  if value:find("^[ -~]*$") then
    return value
  end
  return text.printable(value)
end

--- `value` with each byte that is no UTF-8 as U+FFFD.
local function to_utf8(value)
  local at, parts = 1, {}
  while true do
    local length, bad = utf8.len(value, at)
    if length then
      parts[#parts + 1] = value:sub(at)
      return table.concat(parts)
    end
    parts[#parts + 1] = value:sub(at, bad - 1)
    parts[#parts + 1] = "\u{FFFD}"
    at = bad + 1
  end
end

local JSON_NAMES = {
  ['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r",
  ["\t"] = "\\t",
}

local function escape_json(character)
  return JSON_NAMES[character] or ("\\u%04x"):format(character:byte())
end

--- A JSON string, RFC 8259.
---@param value string
---@return string
function M.json_string(value)
  if value:find("[\x80-\xFF]") then
    value = to_utf8(value)
  end
  return '"' .. value:gsub('[%c"\\]', escape_json) .. '"'
end

---@alias moonwatch.shell.Write fun(text: string)
---@type table<string, fun(style: table, write: moonwatch.shell.Write): moonwatch.shell.Renderer>
local makers = {}

--- What stands before the values of objects.  Of columns of one name the last counts, as in osqueryi.
local function keys_of(columns, before, behind)
  local keys, last = {}, {}
  for i, name in ipairs(columns) do
    last[name] = i
  end
  for i, name in ipairs(columns) do
    keys[i] = last[name] == i and before .. M.json_string(name) .. behind
  end
  return keys
end

--- A row after the other, each as a layout of C makes it.
---@param layout fun(columns: string[]): moonwatch.sql.LayoutOptions
---@param edges { head: (fun(columns: string[]): string)?, tail: string?, tail_of_nothing: string? }?
local function streamed(write, layout, edges)
  local rows
  local has_rows = false
  edges = edges or {}
  local renderer = {}

  function renderer.begin(_, columns)
    rows = sql.layout(layout(columns))
    write(edges.head and edges.head(columns) or "")
  end

  function renderer.row(_, values)
    has_rows = true
    write(rows:row(values))
  end

  function renderer.all(_, query, is_over)
    local rendered, message
    repeat
      rendered, message = rows:rows(query)
      if rendered then
        has_rows = true
        write(rendered)
      end
    until not rendered or is_over()
    return rendered, message
  end

  function renderer.finish()
    write(not has_rows and edges.tail_of_nothing or edges.tail or "")
  end

  return renderer
end

function makers.json(_, write)
  return streamed(write, function(columns)
    return {
      quote = "json", columns = keys_of(columns, "", ":"), null = '""',
      first = "\n  ", between_rows = ",\n  ", open = "{", between = ",", close = "}",
    }
  end, {
    head = function()
      return "["
    end,
    tail = "\n]\n",
  })
end

function makers.json_pretty(_, write)
  return streamed(write, function(columns)
    return {
      quote = "json", columns = keys_of(columns, "    ", ": "), null = '""',
      between_rows = ",", open = "\n  {\n", between = ",\n", close = "\n  }",
    }
  end, {
    head = function()
      return "["
    end,
    tail = "\n]\n",
    tail_of_nothing = "]\n",
  })
end

function makers.jsonl(_, write)
  return streamed(write, function(columns)
    return {
      quote = "json", columns = keys_of(columns, "", ":"), null = '""', open = "{", between = ",", close = "}\n",
    }
  end)
end

--- One line a row, and one of the names.
local function joined(style, write, options)
  local function layout(columns)
    options.columns = {}
    for i = 1, #columns do
      options.columns[i] = ""
    end
    options.between, options.separator, options.close = style.separator, style.separator, "\n"
    return options
  end
  return streamed(write, layout, style.header and {
    head = function(columns)
      return (assert(sql.layout(layout(columns)):row(columns)))
    end,
  })
end

--- RFC 4180.
function makers.csv(style, write)
  local null = sql.layout { quote = "csv", columns = { "" }, separator = style.separator }
  return joined(style, write, { quote = "csv", null = null:row { style.nullvalue or "" } })
end

function makers.list(style, write)
  return joined(style, write, { quote = "printable", null = show(style.nullvalue or "") })
end

function makers.line(style, write)
  return streamed(write, function(columns)
    local names, width = {}, 0
    for i, name in ipairs(columns) do
      names[i] = show(name)
      width = math.max(width, M.width(names[i]))
    end
    for i, name in ipairs(names) do
      names[i] = (" "):rep(width - M.width(name)) .. name .. " = "
    end
    return {
      quote = "printable", columns = names, null = show(style.nullvalue or ""),
      between_rows = "\n", between = "\n", close = "\n",
    }
  end)
end

local function rule_of(widths, more)
  local parts = {}
  for i, width in ipairs(widths) do
    parts[i] = ("-"):rep(width + more)
  end
  return parts
end

local function table_rule(widths)
  return "+" .. table.concat(rule_of(widths, 2), "+") .. "+\n"
end

local function column_rule(widths)
  return table.concat(rule_of(widths, 0), "  ") .. "\n"
end

--- Rows under each other, in columns as wide as what is in them; a result without rows is nothing.
local function laid_out(style, write, drawing)
  local sheet, head, widths
  local waiting = 0

  local function lay_out()
    widths = {}
    for i, name in ipairs(head) do
      widths[i] = style.header and M.width(show(name)) or 1
    end
    sheet:widen(widths, WIDEST)
    local rows = sheet:take(widths)
    write(drawing.edge(widths))
    if style.header then
      sheet:row(head)
      write(sheet:take(widths))
      write(drawing.rule(widths))
    end
    write(rows)
  end

  --- `count` rows were gathered.
  local function take(count)
    waiting = waiting + count
    if widths then
      write(sheet:take(widths))
    elseif waiting == LAYOUT_ROWS then
      lay_out()
    end
  end

  return {
    begin = function(_, columns)
      head = columns
      sheet = sql.sheet {
        columns = #columns, width = M.width, null = show(style.nullvalue or ""),
        first = drawing.first, between = drawing.between, close = drawing.close, trims = drawing.trims,
      }
    end,
    row = function(_, values)
      sheet:row(values)
      take(1)
    end,
    all = function(_, query, is_over)
      local count, message
      repeat
        count, message = sheet:rows(query, widths and CHUNK_ROWS or LAYOUT_ROWS - waiting)
        if count and count > 0 then
          take(count)
        end
      until not count or count == 0 or is_over()
      return count and false, message
    end,
    finish = function()
      if waiting > 0 and not widths then
        lay_out()
      end
      if widths then
        write(drawing.edge(widths))
      end
    end,
  }
end

--- As osqueryi draws it.
function makers.table(style, write)
  return laid_out(style, write, { first = "| ", between = " | ", close = " |", rule = table_rule, edge = table_rule })
end

function makers.column(style, write)
  return laid_out(style, write, { first = "", between = "  ", close = "", trims = true, rule = column_rule, edge = function()
    return ""
  end })
end

--- All modes, as --MODE and .mode take them.
M.modes = { "table", "column", "line", "list", "csv", "json", "json_pretty", "jsonl" }

--- What osqueryi calls them.
M.aliases = { pretty = "table" }

---@param style moonwatch.shell.Style
---@param write fun(text: string)
---@return moonwatch.shell.Renderer
function M.new(style, write)
  return makers[style.mode](style, write)
end

return M

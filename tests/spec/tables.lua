--- Queries for specs, and roots of made-up containers to ask about.
local sql = require "moonwatch.sql"

local M = {}

--- Output of a shell command.
---@param command string
---@return string
function M.shell(command)
  local pipe <close> = assert(io.popen(command))
  return pipe:read("a")
end

--- Is there a program of this name?
---@param name string
---@return boolean
function M.has(name)
  return os.execute("command -v " .. name .. " >/dev/null 2>&1") == true
end

--- A folder below $TMPDIR, which whoever runs the spec removes, that holds these files: path -> text; or
--- {link = target}, {fifo = true}, {folder = true}.
--- A `mode` goes beside them, or beside `text`.
---@param files table<string, string|table>
---@return string path
function M.root(files)
  local root = M.shell("mktemp -d"):match("%S+")
  local script = { "set -e; umask 022; chmod 755 " .. root }
  local texts = {}
  for path, what in pairs(files) do
    local at = root .. path
    script[#script + 1] = ("mkdir -p '%s'"):format(at:match("^(.*)/"))
    if type(what) == "string" then
      what = { text = what }
    end
    if what.link then
      script[#script + 1] = ("ln -s '%s' '%s'"):format(what.link, at)
    elseif what.fifo then
      script[#script + 1] = ("mkfifo '%s'"):format(at)
    elseif what.folder then
      script[#script + 1] = ("mkdir -p '%s'"):format(at)
    else
      texts[at] = what
    end
  end
  assert(os.execute(table.concat(script, "\n")))
  for at, what in pairs(texts) do
    local file <close> = assert(io.open(at, "wb"))
    file:write(what.text)
  end
  for at, what in pairs(texts) do
    if what.mode then
      assert(os.execute(("chmod %s '%s'"):format(what.mode, at)))
    end
  end
  return root
end

---@class moonwatch.test.Tables
local Tables = {}
Tables.__index = Tables

--- All rows of a query, each a list; NULL is false.
---@param text string
---@return any[][]
function Tables:rows(text)
  local query <close> = assert(self.database:prepare(text))
  local width = #query:columns()
  local rows = {}
  local row, message = query:step()
  while row do
    for i = 1, width do
      if row[i] == nil then
        row[i] = false
      end
    end
    rows[#rows + 1] = row
    row, message = query:step()
  end
  assert(row == false, message)
  return rows
end

--- The first column of all rows.
---@param text string
---@return any[]
function Tables:list(text)
  local list = {}
  for i, row in ipairs(self:rows(text)) do
    list[i] = row[1]
  end
  return list
end

--- What was warned of since the last call; "" when nothing was.
---@return string
function Tables:warnings()
  return self.database:warnings() or ""
end

--- Tables over this machine, or over a root.
---@param options table?  as moonwatch.sql.open() takes them
---@return moonwatch.test.Tables
function M.open(options)
  return setmetatable({ database = assert(sql.open(options or {})) }, Tables)
end

--- The same, over a root of these files.
---@param files table<string, string|table>
---@return moonwatch.test.Tables
---@return string root
function M.over(files)
  local root = M.root(files)
  return M.open { root = root }, root
end

--- Words of each line.
---@param text string
---@param separator string?  a pattern of what is in a field; words by default
---@return string[][]
function M.lines(text, separator)
  local lines = {}
  for line in text:gmatch("[^\n]+") do
    local fields = {}
    if separator then
      for field in (line .. separator):gmatch("(.-)" .. separator) do
        fields[#fields + 1] = field
      end
    else
      for word in line:gmatch("%S+") do
        fields[#fields + 1] = word
      end
    end
    lines[#lines + 1] = fields
  end
  return lines
end

return M

--- A small world for tables to look at: a root folder made of files, and the rows of queries in it.
local program = require "tests.spec.program"
local sql = require "moonwatch.sql"

local M = {}

--- What a command prints; nil when there is no such command.
---@param line string
---@return string?
function M.output(line)
  local word = line:match("^%S+")
  if not os.execute("command -v " .. word .. " >/dev/null 2>&1") then
    return nil
  end
  local pipe <close> = assert(io.popen(line .. " 2>/dev/null"))
  return pipe:read("a")
end

---@class moonwatch.test.World
---@field root string
local World = {}
World.__index = World

--- A root of these files: path from the root, without a slash in front -> text.
---@param files table<string, string>
---@return moonwatch.test.World
function M.new(files)
  local world = setmetatable({ root = program.write("", "here"):match("^(.*)/") }, World)
  for path, text in pairs(files) do
    world:write(path, text)
  end
  world.database = assert(sql.open { root = world.root, state_dir = "/nowhere" })
  return world
end

--- What is on this machine, or in a folder that is there.
---@param root string?
---@return moonwatch.test.World
function M.at(root)
  return setmetatable({ database = assert(sql.open { root = root, state_dir = "/nowhere" }) }, World)
end

function World:write(path, text)
  assert(os.execute("mkdir -p '" .. self.root .. "/" .. (path:match("^(.*)/") or "") .. "'"))
  local file <close> = assert(io.open(self.root .. "/" .. path, "wb"))
  file:write(text)
end

--- Run a shell command in the root.
function World:shell(line)
  assert(os.execute("cd '" .. self.root .. "' && " .. line))
end

--- Rows as lists of texts, "NULL" for NULL; the warnings as one text, or nil.
---@param text string
---@return string[][] rows
---@return string? warnings
function World:rows(text)
  local query <close> = assert(self.database:prepare(text))
  local columns = #query:columns()
  local rows = {}
  while true do
    local row, message = query:texts()
    assert(row ~= nil, message)
    if not row then
      break
    end
    for i = 1, columns do
      row[i] = row[i] or "NULL"
    end
    rows[#rows + 1] = row
  end
  return rows, self.database:warnings()
end

--- The same, a line a row, with `|` between.
---@param text string
---@return string lines
---@return string? warnings
function World:lines(text)
  local rows, warnings = self:rows(text)
  for i, row in ipairs(rows) do
    rows[i] = table.concat(row, "|") .. "\n"
  end
  return table.concat(rows), warnings
end

function World:close()
  self.database:close()
  if self.root then
    os.execute("chmod -R u+rwx '" .. self.root .. "'; rm -r '" .. self.root .. "'")
  end
end

World.__close = World.close

--- The lines that only one of two texts has, in any order; "" when they have the same.
---@param theirs string
---@param ours string
---@return string
function M.difference(theirs, ours)
  local counts, lines = {}, {}
  for line in theirs:gmatch("[^\n]+") do
    counts[line] = (counts[line] or 0) + 1
  end
  for line in ours:gmatch("[^\n]+") do
    counts[line] = (counts[line] or 0) - 1
  end
  for line, count in pairs(counts) do
    if count ~= 0 then
      lines[#lines + 1] = (count > 0 and "only theirs: " or "only ours: ") .. line
    end
  end
  table.sort(lines)
  return table.concat(lines, "\n")
end

local whole, small

--- What answers any query of any table: this machine; but for tables that go through whole file systems a small root.  On a
--- machine with compilers and sources they take most of a minute, and other specs see to them.
---@param text string  a query, or the name of a table
function M.database_of(text)
  whole = whole or assert(sql.open { state_dir = "/nowhere", time_ms = 60000 })
  small = small or M.new {
    ["etc/passwd"] = "root:x:0:0:root:/root:/bin/sh\n",
    ["app/node_modules/express/package.json"] = '{"name": "express", "version": "4.18.2"}',
    ["usr/lib/python3/dist-packages/flask-3.0.dist-info/METADATA"] = "Metadata-Version: 2.1\nName: flask\nVersion: 3.0\n",
    ["usr/bin/tool"] = "#!/bin/sh\n",
  }.database
  return (text:find "_packages" or text:find "ruby_gems" or text:find "suid_bin") and small or whole
end

return M

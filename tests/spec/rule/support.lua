--- Rules for tests, judged by `moonwatch rules`.
local program = require "tests.spec.program"

local M = {}

local count = 0

--- A folder that is empty.
function M.folder()
  count = count + 1
  local dir = ("%s/rules-%d"):format(os.getenv "TMPDIR" or "/tmp", count)
  assert(os.execute("mkdir -m 755 " .. dir))
  return dir
end

function M.write(path, text)
  local file <close> = assert(io.open(path, "wb"))
  file:write(text)
end

--- `text` of a rule file with what every rule needs.
function M.rule(id, body)
  return ([[
local lists, match = require "moonwatch.lists", require "moonwatch.match"
local exceptions = require "moonwatch.exceptions"
local _ = lists, match, exceptions
return {
  id = "%s", summary = "Test", why = "Test.", severity = "low", attack = {},
%s
}
]]):format(id, body)
end

--- What `rules check` says of rules, by id.
---@param rules table<string, string>
---@return integer code, string out
function M.check(rules)
  local dir = M.folder()
  for id, body in pairs(rules) do
    M.write(("%s/%s.lua"):format(dir, id), M.rule(id, body))
  end
  return program.run("rules", "check", dir), dir
end

return M

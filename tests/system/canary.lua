--- A secret to be looked for where none may be.
local support = require "tests.system.support"

---@class system.canary
local M = {}

-- Never written as it is read, so that nothing but the secret itself is found.
M.TEXT = ("%d-yranac"):format(os.time()):reverse() .. ("x"):rep(8)

---@param text string
---@return string[]
function M.lines(text)
  local list = {}
  for line in text:gmatch "[^\n]+" do
    list[#list + 1] = line
  end
  return list
end

--- Where the text of `file` is found; see search.py.
---@param file string
---@param ... string
---@return string[] places
function M.search(file, ...)
  local words = { ... }
  for i, word in ipairs(words) do
    words[i] = support.quote(word)
  end
  local result = support.run(("python3 tests/fixtures/aws/search.py %s %s"):format(file, table.concat(words, " ")))
  assert(result.code == 0, result.err)
  return M.lines(result.out)
end

return M

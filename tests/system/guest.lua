--- Tests that run inside a guest, an emulated machine with another kernel or processor.  What runs there is in guest/plan.lua;
--- each test there is one here.
local support = require "tests.system.support"

local M = {}

-- Must be more than the `seconds` of guest/prepare, and less than a test file may take.
local LIMIT_S <const> = 240

local function last_line(text)
  return text:match "([^\n]*)%s*$"
end

--- The end of a text, for a message.
local function tail(text)
  return text:sub(-3000)
end

---@class system.guest.Result
---@field name string
---@field passed boolean
---@field skip_reason? string
---@field notes string  why it failed

--- What a guest's console says.
---@param console string
---@return system.guest.Result[]
local function parse(console)
  local results, plan = {}, nil
  for line in console:gsub("\r", ""):gmatch "[^\n]+" do
    local verdict, name = line:match "^(n?o?t? ?ok) %d+ %- (.*)"
    if verdict then
      local bare, reason = name:match "^(.-) # SKIP (.*)"
      results[#results + 1] = { name = bare or name, passed = verdict == "ok", skip_reason = reason, notes = "" }
    elseif #results > 0 and line:match "^#   " then
      local last = results[#results]
      last.notes = last.notes .. "\n" .. line:sub(5)
    end
    plan = plan or tonumber(line:match "^1%.%.(%d+)$")
  end
  results[#results + 1] = { name = "comes to its end", passed = plan == #results, notes = tail(console) }
  return results
end

--- Boot a guest; the results of its tests.
---@param guest string  as guest/prepare knows it
---@param part string  of guest/plan.lua
---@return system.guest.Result[]
function M.results(guest, part)
  local made = support.run(("tests/system/guest/prepare %s %s %s"):format(support.quote(support.build), guest, part))
  if made.code ~= 0 then
    return { { name = "can be made", passed = false, skip_reason = made.code == 77 and last_line(made.err) or nil,
      notes = tail(made.err) } }
  end
  local console = support.run(("timeout -s KILL %d %s </dev/null"):format(LIMIT_S, last_line(made.out)))
  local text = console.out .. console.err
  if not text:find("# guest:", 1, true) and not text:find("Kernel panic", 1, true) then
    local reason = ("the emulator ends with %d before the guest is up: %s"):format(console.code, last_line(text))
    return { { name = "boots", passed = false, skip_reason = reason, notes = "" } }
  end
  return parse(text)
end

return M

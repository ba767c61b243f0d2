--- `moonwatch doctor`: what works here, what does not, what that means, and the one change that mends it.
---
--- A check is a table: `name`, and `run(facts)`, which returns a state, what was found, and, where that is not "ok", what to do.
--- `facts` is what C tried out (core/cli/cmd_doctor.c).  Those that ask the network run as tasks, side by side.
local cjson = require "cjson"
local loop = require "moonwatch.loop"

---@class moonwatch.doctor
local M = {}

---@alias moonwatch.doctor.State "ok"|"degraded"|"failed"|"off"

---@class moonwatch.doctor.Result
---@field check string
---@field state moonwatch.doctor.State  off: not asked for, or not here
---@field found string
---@field mend string?

--- What all checks that wait may take together.
local TOTAL_MS <const> = 10000

local checks = {}
for _, group in ipairs { "system", "files", "network", "backend", "cloud" } do
  for _, check in ipairs(require("moonwatch.doctor." .. group)) do
    checks[#checks + 1] = check
  end
end

local function run_check(check, facts)
  local ok, state, found, mend = pcall(check.run, facts)
  if not ok then
    state, found, mend = "failed", "the check itself failed: " .. tostring(state), "report this as a defect"
  end
  return { check = check.name, state = state, found = found, mend = mend }
end

--- All results, in the order of the checks.
---@param facts table
---@return moonwatch.doctor.Result[]
function M.examine(facts)
  facts.deadline = loop.now() + TOTAL_MS
  local results = {}
  loop.run(function()
    local waiting = 0
    for i, check in ipairs(checks) do
      if check.waits then
        waiting = waiting + 1
        loop.spawn(function()
          results[i] = run_check(check, facts)
          waiting = waiting - 1
        end)
      else
        results[i] = run_check(check, facts)
      end
    end
    while waiting > 0 and loop.now() < facts.deadline + 1000 do
      loop.sleep(10)
    end
  end)
  for i, check in ipairs(checks) do
    results[i] = results[i] or { check = check.name, state = "failed", found = ("no answer within %d s"):format(
      TOTAL_MS // 1000), mend = "see whether security groups, routes and name servers let this task out" }
  end
  return results
end

local function has_failed(results)
  for _, result in ipairs(results) do
    if result.state == "failed" then
      return true
    end
  end
  return false
end

local function print_text(results)
  local width = 0
  for _, result in ipairs(results) do
    width = math.max(width, #result.check)
  end
  for _, result in ipairs(results) do
    print(("%-8s  %-" .. width .. "s  %s"):format(result.state, result.check, result.found))
    if result.mend then
      print((" "):rep(8 + 2 + width + 2) .. "→ " .. result.mend)
    end
  end
end

---@param arguments string[]  the facts as JSON, perhaps "--json"
---@return integer exit_status
function M.main(arguments)
  local results = M.examine(cjson.decode(arguments[1]))
  if arguments[2] == "--json" then
    print(cjson.encode { ok = not has_failed(results), checks = results })
  else
    print_text(results)
  end
  return has_failed(results) and 1 or 0
end

return M

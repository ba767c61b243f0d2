-- Runs specs where busted cannot: inside a guest, where the program may be linked statically and then loads no modules
-- written in C.  Knows of busted what the specs of plan.lua use; assertions are luassert's, as in busted.  Prints TAP.
--
-- usage: moonwatch lua tests/system/guest/runner.lua PART SECONDS      PART: of plan.lua; from the folder that has tests/
--
-- What is not begun within SECONDS of the guest's start is skipped, and says so.
package.path = "./?.lua;./?/init.lua;" .. package.path
local luassert = require "luassert"
local plan = require("tests.system.guest.plan")[arg[1]]

local limit_s = tonumber(arg[2])
local scopes = {} ---@type table[]  open `describe`s, outermost first
local finals = nil ---@type function[]?  of the test that runs; nil between tests
local file = nil ---@type table  of the plan, that runs
local count, failed = 0, 0

local function uptime_s()
  local text <close> = assert(io.open "/proc/uptime")
  return text:read "n"
end

local function full_name(name)
  local names = {}
  for _, scope in ipairs(scopes) do
    names[#names + 1] = scope.name
  end
  names[#names + 1] = name
  return (table.concat(names, " "):gsub("%s+", " "))
end

local function result(verdict, name, skip_reason)
  count = count + 1
  local directive = skip_reason and " # SKIP " .. skip_reason:gsub("%s+", " ") or ""
  io.write(("%s %d - %s%s\n"):format(verdict, count, full_name(name), directive))
  io.flush()
end

local function note(text)
  io.write("#   ", (tostring(text):gsub("%s+$", ""):gsub("\n", "\n#   ")), "\n")
end

local function call_all(actions)
  for _, action in ipairs(actions) do
    action()
  end
end

local function call_scopes(kind)
  for _, scope in ipairs(scopes) do
    call_all(scope[kind])
  end
end

--- An error as text; errors that are tables, luassert's and those of `pending`, stay what they are.
local function explain(problem)
  if type(problem) ~= "table" then
    return debug.traceback(problem, 2)
  end
  if problem.message then
    problem.text = debug.traceback(tostring(problem.message), 2)
  end
  return problem
end

function _G.it(name, body)
  if file.except and file.except[name] or file.only and not file.only[name] then
    return
  end
  if uptime_s() > limit_s then
    result("ok", name, ("not begun within %d s of the guest's start"):format(limit_s))
    return
  end
  finals = {}
  local ok, problem = xpcall(function()
    call_scopes "before_each"
    body()
  end, explain)
  call_all(finals)
  call_scopes "after_each"
  finals = nil
  if ok then
    result("ok", name)
  elseif type(problem) == "table" and problem.pending then
    result("ok", name, problem.pending)
  else
    failed = failed + 1
    result("not ok", name)
    note(type(problem) == "table" and problem.text or problem)
  end
end

function _G.describe(name, body)
  scopes[#scopes + 1] = { name = name, before_each = {}, after_each = {}, teardown = {} }
  body()
  call_all(scopes[#scopes].teardown)
  table.remove(scopes)
end

--- Inside a test: it cannot run here.  Outside: a test that is not written yet, or cannot run here.
function _G.pending(text)
  if finals then
    error({ pending = text or "no reason given" }, 0)
  end
  result("ok", text, "pending")
end

function _G.finally(action)
  table.insert(finals, action)
end

for _, kind in ipairs { "before_each", "after_each", "teardown" } do
  _G[kind] = function(action)
    table.insert(scopes[#scopes][kind], action)
  end
end

function _G.setup(action)
  action()
end

_G.assert = luassert

for _, next_file in ipairs(plan) do
  file = next_file
  local body = luassert(loadfile(file.file))
  local start_s = uptime_s()
  body()
  io.write(("# %s: %.0f s\n"):format(file.file, uptime_s() - start_s))
end
io.write("1..", count, "\n")
os.exit(failed == 0)

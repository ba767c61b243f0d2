--- What system specs share: running commands, reading files, waiting for what is to come.
local cjson = require "cjson"

---@class system.support
local M = {}

M.build = assert(os.getenv "MW_BUILD", "MW_BUILD is not set: run by tests/one or tests/run")
M.moonwatch = M.build .. "/bin/moonwatch"
M.tmp = assert(os.getenv "TMPDIR", "TMPDIR is not set")

--- May PID namespaces be made here?  Not in a container without CAP_SYS_ADMIN; tests/one has tried.
M.has_namespaces = os.getenv "MW_NAMESPACES" == "yes"

local count = 0

--- A path in the test's own folder that nobody has used yet.
---@return string
function M.new_path()
  count = count + 1
  return ("%s/%d"):format(M.tmp, count)
end

--- A word of the shell.
---@param text string
---@return string
function M.quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

---@param path string
---@return string
function M.read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

---@param path string
---@param text string
function M.write(path, text)
  local file <close> = assert(io.open(path, "wb"))
  file:write(text)
end

--- Path of a program of tests/system/programs.
---@param name string
---@return string
function M.program(name)
  return M.build .. "/tests/programs/" .. name
end

---@class system.Result
---@field out string
---@field err string
---@field code integer  exit code, or 128 and the number of the signal, as the shell says

--- Run a command of the shell to its end.
---@param command string
---@return system.Result
function M.run(command)
  local out, err = M.new_path(), M.new_path()
  local _, what, code = os.execute(("( %s ) >%s 2>%s"):format(command, out, err))
  return { out = M.read(out), err = M.read(err), code = what == "signal" and code + 128 or code }
end

--- Wait until a file is there, some seconds at most.
---@param path string
function M.await(path)
  local deadline = os.time() + 10
  repeat
    local file = io.open(path)
    if file then
      file:close()
      return
    end
  until os.time() > deadline
end

--- The same, with the lines of events and alerts the sensor writes.  `flags` are more flags of `moonwatch run`.
---@param command string  of the shell, after `--`
---@param flags? string
---@return system.Result result, table[] events, table[] alerts, string state_dir
function M.watch(command, flags)
  local events, alerts, state = M.new_path(), M.new_path(), M.new_path()
  local result = M.run(("%s run --state_dir=%s --outputs=events/json:file=%s,alerts/json:file=%s %s -- %s"):format(
    M.moonwatch, state, events, alerts, flags or "", command))
  -- An application that is not traced may have ended before the sensor has opened its outputs.
  M.await(events)
  M.await(alerts)
  return result, M.json_lines(events), M.json_lines(alerts), state
end

---@class system.Seen
---@field how string  how it ended, and how often it stopped, as its parent was told: "exit 0 stops 0", "signal 11 core stops 0"
---@field pid string
---@field ppid string
---@field out string
---@field err string
---@field events? table[]
---@field events_path? string

--- Run `command` as a child of the program `child`; what it, its parent and its files say.
---@param command string  of words of the shell, the first one a program
---@param prefix? string  a command to run all of it with
---@return system.Seen
function M.alone(command, prefix)
  local out, err = M.new_path(), M.new_path()
  local parent = M.run(("%s %s %s %s %s"):format(prefix or "", M.program "child", out, err, command))
  assert(parent.code == 0, parent.err .. parent.out)
  local pid, ppid, how = parent.out:match "^pid (%d+) ppid (%d+) (.-)\n$"
  return { pid = pid, ppid = ppid, how = how, out = M.read(out), err = M.read(err) }
end

--- The same under the sensor, with its events.  Alerts go to the spool alone, so that standard error is the application's.
---@param command string
---@param prefix? string
---@param flags? string  more flags of `moonwatch run`
---@return system.Seen
function M.beside(command, prefix, flags)
  local events = M.new_path()
  local seen = M.alone(("%s run --state_dir=%s --outputs=alerts/json:file=%s,events/json:file=%s %s -- %s"):format(
    M.moonwatch, M.new_path(), M.new_path(), events, flags or "", command), prefix)
  M.await(events)
  seen.events = M.json_lines(events)
  seen.events_path = events
  return seen
end

--- Wait for an event, some seconds at most: of what goes on when the application's first process has ended, or was killed.
---@param seen system.Seen
---@param wanted fun(event: table): any
---@return table event
function M.await_event(seen, wanted)
  local deadline = os.time() + 10
  repeat
    -- The last line may not be whole yet.
    for line in M.read(seen.events_path):gmatch "([^\n]+)\n" do
      local event = cjson.decode(line)
      if wanted(event) then
        return event
      end
    end
  until os.time() > deadline
  error("the event did not come", 2)
end

--- Run `command` alone and under the sensor; what can be seen of it must be the same.
---@param command string
---@param prefix? string
---@param flags? string
---@return system.Seen beside, system.Seen alone
function M.same(command, prefix, flags)
  local alone, beside = M.alone(command, prefix), M.beside(command, prefix, flags)
  local function told(seen)
    return { how = seen.how, out = seen.out, err = seen.err }
  end
  require "luassert".are.same(told(alone), told(beside))
  return beside, alone
end

--- Events of a kind; with `mark`, those whose process has it as its second argument (argv[2] in Lua, argv[1] in C).
---@param events table[]
---@param kind string
---@param mark? string
---@return table[]
function M.of_kind(events, kind, mark)
  return M.filter(events, function(event)
    return event.kind == kind and (not mark or (event.process.argv or {})[2] == mark)
  end)
end

--- The objects in a file of JSON lines; one that is still being written, without its end, is left out.
---@param path string
---@return table[]
function M.json_lines(path)
  local list = {}
  for line in M.read(path):gmatch "([^\n]+)\n" do
    list[#list + 1] = cjson.decode(line)
  end
  return list
end

--- Those of a list that `wanted` says yes to.
---@generic T
---@param list T[]
---@param wanted fun(item: T): any
---@return T[]
function M.filter(list, wanted)
  local found = {}
  for _, item in ipairs(list) do
    if wanted(item) then
      found[#found + 1] = item
    end
  end
  return found
end

--- Rows of a query, as `moonwatch sql --json` gives them.
---@param state_dir string
---@param query string
---@return table[]
function M.sql(state_dir, query)
  local result = M.run(("%s sql --json --state_dir=%s %s"):format(M.moonwatch, state_dir, M.quote(query)))
  assert(result.code == 0, result.err)
  return cjson.decode(result.out)
end

return M

--- What specs about files share: an application that goes on step by step, once the sensor watches its files.
local support = require "tests.system.support"

---@class system.files
local M = {}

---@class system.files.Options
---@field paths? table<string, string[]>  file_paths; of category "w" all below the folder when left out
---@field accesses? string[]
---@field excludes? string[]
---@field attention? string  "events" when left out
---@field flags? string  more flags of `moonwatch run`
---@field prefix? string  a command to run all of it with
---@field state? string
---@field in_memory boolean?  the folder is on a file system in memory; to be removed
---@field prepare? string  commands of the shell, before the start

---@class system.files.Run
---@field dir string  the folder that is watched
---@field state string
---@field events_path string
---@field alerts_path string
---@field err string
local Run = {}
Run.__index = Run

local function list(values)
  local words = {}
  for i, value in ipairs(values) do
    words[i] = ("%q"):format(value)
  end
  return "{ " .. table.concat(words, ", ") .. " }"
end

local function profile(options, dir)
  local paths = {}
  for category, patterns in pairs(options.paths or { w = { dir .. "/%%" } }) do
    paths[#paths + 1] = ("[%q] = %s"):format(category, list(patterns))
  end
  local path = support.new_path()
  support.write(path, ([[return { extends = "minimal", flags = { allow_inotify_file_events = true, file_baseline = false },
    attention = { default = %q }, file_paths = { %s }, exclude_paths = { x = %s }, file_accesses = %s }]]):format(
    options.attention or "events", table.concat(paths, ", "), list(options.excludes or {}), list(options.accesses or {})))
  return path
end

--- Value of a row of moonwatch_health, or nil.
function Run:health(component, name)
  local rows = support.sql(self.state, ("SELECT value FROM moonwatch_health WHERE component = '%s' AND name = '%s'"):format(
    component, name))
  return rows[1] and tonumber(rows[1].value)
end

--- Wait until something holds, some seconds at most.
function M.until_true(what, check)
  local deadline = os.time() + 20
  repeat
    local result = check()
    if result then
      return result
    end
    os.execute("sleep 0.02")
  until os.time() > deadline
  error(what .. ": did not come", 2)
end

--- A sensor of the test before that is not yet at its end takes our processes for its own: they came to its container.
local function await_no_sensor()
  if support.has_namespaces then
    M.until_true("the sensors of the tests before end", function()
      return support.run("grep -qs ^moonwatch- /proc/[0-9]*/comm").code ~= 0
    end)
  end
end

--- Begin: the application is a script of the shell, with the folder in $D; it begins when its files are watched.
---@param script string
---@param options? system.files.Options
---@return system.files.Run
function M.start(script, options)
  options = options or {}
  await_no_sensor()
  local run = setmetatable({
    dir = options.in_memory and support.run('mktemp -d /dev/shm/moonwatch-test.XXXXXX').out:match '%S+' or support.new_path(),
    state = options.state or support.new_path(),
    events_path = support.new_path(),
    alerts_path = support.new_path(),
    go = support.new_path(),
    ended = support.new_path(),
  }, Run)
  local script_path, out = support.new_path(), support.new_path()
  run.err_path = support.new_path()
  run.steps = 0
  assert(os.execute("mkdir -p " .. run.dir))
  if options.prepare then
    assert(os.execute(("D=%s; %s"):format(run.dir, options.prepare)))
  end
  -- To open a pipe is to wait for its other end; each step has its own, as one that is open lets everybody pass.
  local pipes = 0
  script = ("\nstep\n" .. script):gsub("\nstep", function()
    pipes = pipes + 1
    assert(os.execute(("mkfifo %s.%d"):format(run.go, pipes)))
    return ("\n: <%s.%d"):format(run.go, pipes)
  end)
  support.write(script_path, ("D=%s\n%s\n"):format(run.dir, script))
  if type(options.paths) == "function" then
    options.paths = options.paths(run.dir)
  end
  local command = ("%s %s run --state_dir=%s --profile=%s --outputs=events/json:file=%s,alerts/json:file=%s %s -- sh %s"):format(
    options.prefix or "", support.moonwatch, run.state, profile(options, run.dir), run.events_path, run.alerts_path,
    (options.flags or ""):gsub("%$D", run.dir), script_path)
  assert(os.execute(("( %s >%s 2>%s </dev/null; echo $? >%s ) &"):format(command, out, run.err_path, run.ended)))
  local is_watched, why = pcall(M.until_true, "the files are watched", function()
    return io.open(run.state .. "/spool.db") and (run:health("files", "settled") == 1 or options.refused)
  end)
  if not is_watched then
    local state = io.open(run.state .. "/spool.db") and support.run(("%s status --state_dir=%s; ps -ef"):format(
      support.moonwatch, run.state)).out or "no spool"
    error(("%s: %s\n%s"):format(why, support.read(run.err_path), state), 2)
  end
  return run
end

--- Let the application go on.
function Run:step()
  self.steps = self.steps + 1
  local code = support.run(("timeout 20 sh -c ': >%s.%d'"):format(self.go, self.steps)).code
  assert(code == 0, "the application does not come to its step " .. self.steps)
end

--- Do something while the sensor stands still.  The guard would let it go on, and the tracer the guard: so they are stopped
--- over and over again.
---@param act fun()
function Run:hold(act)
  local pids = ("%d %d"):format(self:health("guard", "pid"), self:health("sensor", "pid"))
  local held = support.new_path()
  support.write(held, "")
  assert(os.execute(("kill -STOP %s; ( while [ -e %s ]; do kill -STOP %s; done; kill -CONT %s; : >%s.over ) &"):format(
    pids, held, pids, pids, held)))
  local is_done, why = pcall(act)
  os.remove(held)
  support.await(held .. ".over")
  assert(is_done, why)
end

--- Rows of file_events, oldest first; those of `where` alone.
---@param where? string
---@return table[]
function Run:rows(where)
  local order = "SELECT replace(target_path, '%s', '') AS path, eid, * FROM file_events %s"
  return support.sql(self.state, order:format(self.dir, where and "WHERE " .. where or ""))
end

--- Wait until a query over file_events gives rows.
function Run:await(where)
  return M.until_true(where, function()
    local rows = self:rows(where)
    return #rows > 0 and rows
  end)
end

--- Wait for the end.
---@return integer code
function Run:finish()
  M.until_true("the application ends", function()
    local file <close> = io.open(self.ended)
    return file and file:read "n"
  end)
  -- It was held for the sensor, but on a busy machine not for long enough; the sensor ends when all is told.
  pcall(await_no_sensor)
  self.err = support.read(self.err_path)
  return tonumber(support.read(self.ended))
end

--- All of it: the application runs to its end; rows of file_events.
---@param script string
---@param options? system.files.Options
---@return table[] rows, system.files.Run run
function M.run(script, options)
  local run = M.start(script, options)
  run:step()
  local code = run:finish()
  assert(code == 0, code .. ": " .. run.err)
  return run:rows(), run
end

--- "ACTION path" of rows.
---@param rows table[]
---@return string[]
function M.acts(rows)
  local acts = {}
  for i, row in ipairs(rows) do
    acts[i] = row.action .. " " .. row.path
  end
  return acts
end

--- The rows of a path, or of an act ("CREATED /a").
function M.of(rows, path, action)
  return support.filter(rows, function(row)
    return row.path == path and (not action or row.action == action)
  end)
end

return M

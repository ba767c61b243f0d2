--- An application under the sensor that does what it is told, one command of the shell after the other, for as long as a test wants.
local support = require "tests.system.support"

local M = {}

---@class system.Watched
---@field state string  its state folder
---@field err string    file of what it and the sensor said
---@field fifo string
---@field code_path string
local Watched = {}
Watched.__index = Watched

local running = {}

-- A namespace of its own: the sensor is not to see what the test does.
local alone = support.has_namespaces and "unshare -pf --mount-proc --kill-child" or ""

--- Start it.  `options.state` takes the folder of one that has ended; `options.environment` is put before the command.
---@param flags string
---@param options? { state: string?, environment: string? }
---@return system.Watched
function M.start(flags, options)
  options = options or {}
  local self = setmetatable({
    state = options.state or support.new_path(), err = support.new_path(), fifo = support.new_path(), code_path = support.new_path(),
  }, Watched)
  assert(os.execute("mkfifo " .. self.fifo))
  support.write(self.err, "")
  -- Opened for reading and writing it has no end.
  local application = ("while read -r line; do eval \"$line\"; done <>%s"):format(self.fifo)
  local script = support.new_path()
  support.write(script, ("%s %s %s run --state_dir=%s %s -- sh -c %s\necho $? >%s.new; mv %s.new %s\n"):format(
    options.environment and "env " .. options.environment or "", alone, support.moonwatch, self.state, flags,
    support.quote(application), self.code_path, self.code_path, self.code_path))
  local pipe <close> = assert(io.popen(("exec 3>&1; ( exec setsid sh %s ) 3>&- >%s 2>&1 </dev/null & echo $!"):format(script, self.err)))
  self.group = pipe:read "l"
  running[self] = true
  return self
end

--- End what still runs, of a test that failed.
function M.end_all()
  for one in pairs(running) do
    os.execute(("kill -KILL -- -%s 2>/dev/null"):format(one.group))
  end
  running = {}
end

--- Let the application run a command of the shell; it is not waited for.
---@param command string  one line
function Watched:tell(command)
  local file <close> = assert(io.open(self.fifo, "w"))
  file:write(command, "\n")
end

--- Let it run a command, and wait until that has ended.
---@param command string
function Watched:run(command)
  local done = support.new_path()
  self:tell(("( %s ); : >%s"):format(command, done))
  support.await(done)
end

--- What it and the sensor said on standard error so far.
---@return string
function Watched:said()
  return support.read(self.err)
end

--- Pid of one of the sensor's own processes.
---@param name "moonwatch-sens"|"moonwatch-trac"|"moonwatch-guard"
---@return string
function Watched:pid_of(name)
  local deadline = os.time() + 10
  local command = ('for p in /proc/[0-9]*; do case "$(cat $p/comm 2>/dev/null)" in %s*) grep -qaF %s $p/cmdline && echo ${p#/proc/};; '
    .. "esac; done; true"):format(name, self.fifo)
  repeat
    local pid = support.run(command).out:match "^(%d+)\n"
    if pid then
      return pid
    end
  until os.time() > deadline
  error(("no process %s; %s"):format(name, self:said()))
end

--- Kill the sensor, whichever it is just now.
function Watched:kill_sensor()
  assert(os.execute("kill -KILL " .. self:pid_of "moonwatch-sens"))
end

---@param query string
---@return table[]
function Watched:sql(query)
  return support.sql(self.state, query)
end

--- Wait until `probe` says something; it, or an error.
---@generic T
---@param probe fun(): T
---@param seconds? integer
---@return T
function Watched:await(probe, seconds)
  local deadline = os.time() + (seconds or 15)
  repeat
    local found = probe()
    if found then
      return found
    end
    os.execute "sleep 0.05"
  until os.time() > deadline
  error("it did not come; standard error: " .. self:said(), 2)
end

--- End the application by itself, and wait for the sensor.
---@param seconds? integer
---@return integer code
function Watched:stop(seconds)
  self:tell "exit 0"
  return self:ended(seconds)
end

--- Wait for the end.
---@param seconds? integer
---@return integer code
function Watched:ended(seconds)
  local code = self:await(function()
    local file <close> = io.open(self.code_path)
    return file and math.tointeger(file:read "n")
  end, seconds or 20)
  running[self] = nil
  return code
end

return M

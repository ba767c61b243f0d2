-- Stressors of stress-ng(1) that live on processes, threads and signals: alone and under the sensor, each must end alike, without
-- a failure.  `make torture` does more of them, for longer: MW_TORTURE_SECONDS is the time each may take.
local real = require "tests.system.real"
local support = require "tests.system.support"

local run = support.run

local seconds = tonumber(os.getenv "MW_TORTURE_SECONDS")

--- Name, and how many of its own operations are done in make test: about a second under the sensor.  exec has no end by number.
local stressors = {
  { "clone", 20 }, { "daemon", 100 }, { "exec" }, { "fork", 500 }, { "kill", 5000 }, { "memfd", 2 }, { "pthread", 500 },
  { "sigchld", 500 }, { "signal", 10000 }, { "sigq", 2000 }, { "sigsuspend", 2000 }, { "spawn", 60 }, { "vfork", 500 },
  { "wait", 200 }, { "zombie", 200 },
}

--- And those that are left to make torture.
local more = {
  "forkheavy", "futex", "itimer", "pidfd", "procfs", "rlimit", "session", "set", "sigabrt", "sigfd", "sigfpe", "sigio", "sigpending",
  "sigpipe", "sigrt", "sigsegv", "sigtrap", "sleep", "switch", "timer", "vforkmany",
}

--- They refuse to run as root.
local unprivileged = { exec = true, spawn = true }

--- What it says of itself, without times and pids.
local function essence(text)
  local lines = {}
  for line in text:gmatch "[^\n]+" do
    if line:find "fail" or line:find "unsuccessful" or line:find "skipped" then
      lines[#lines + 1] = line:gsub("%d+", "N")
    end
  end
  return table.concat(lines, "\n")
end

local function compare(name, amount)
  local dir = support.new_path()
  assert.are.equal(0, run(("mkdir -m 777 %s && chmod 711 %s"):format(dir, support.tmp)).code)
  local user = unprivileged[name] and run("id -u").out == "0\n" and "setpriv --reuid nobody --regid nogroup --clear-groups " or ""
  local command = ("%sstress-ng --temp-path %s --%s 2 %s"):format(user, dir, name, amount)
  local alone = run(command)
  local beside = run(("%s run --attach_timeout_ms=10000 --audit_allow_sockets=false --state_dir=%s"
    .. " --outputs=alerts/json:file=%s -- %s"):format(support.moonwatch, support.new_path(), support.new_path(), command))
  local texts = ("%s\n%s"):format(alone.out .. alone.err, beside.out .. beside.err)
  assert.are.equal(0, alone.code, texts)
  assert.are.equal(0, beside.code, texts)
  assert.are.equal(essence(alone.out .. alone.err), essence(beside.out .. beside.err))
  assert.is_truthy((beside.out .. beside.err):find "successful run completed", texts)
end

--- The body of a test that is skipped, with the reason, where `command` is not installed.
local function needing(command, body)
  return function()
    if not real.has(command) then
      pending(command .. " is not installed: ./setup programs")
    end
    body()
  end
end

describe("stress-ng ends as it would", function()
  for _, stressor in ipairs(stressors) do
    local name, operations = table.unpack(stressor)
    it(name, needing("stress-ng", function()
      compare(name, operations and not seconds and ("--%s-ops %d --timeout 60"):format(name, operations)
        or ("--timeout %d"):format(seconds or 1))
    end))
  end
  for _, name in ipairs(seconds and more or {}) do
    it(name, needing("stress-ng", function()
      compare(name, "--timeout " .. seconds)
    end))
  end
end)

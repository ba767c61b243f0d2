--- Real programs, run alone and under the sensor: what is seen of them must be the same, and what the sensor tells of them must be
--- what the kernel's own process accounting tells, acct(5), which knows nothing of tracing.
local assert = require "luassert"
local support = require "tests.system.support"

local run, quote = support.run, support.quote

---@class system.real
local M = {}

--- Folder of the programs' sources.
M.sources = "tests/system/programs/"

---@param command string
---@return boolean
function M.has(command)
  return run("command -v " .. command).code == 0
end

---@class system.real.Account  a process that has ended, as the kernel tells of it
---@field pid integer
---@field exit_code? integer
---@field exit_signal? integer
---@field has_exec boolean  it executed a program, and did not only fork
---@field name string

local RECORD_BYTES = 64 -- struct acct_v3

---@param path string
---@return system.real.Account[]
local function read_accounts(path)
  local list, text = {}, support.read(path)
  for at = 1, #text - RECORD_BYTES + 1, RECORD_BYTES do
    local flags, version, status, pid = ("<BBxxI4xxxxxxxxI4"):unpack(text, at)
    assert(version & 15 == 3, "records of acct(2) are not of version 3")
    local signal = status & 0x7f
    list[#list + 1] = {
      pid = pid,
      exit_code = signal == 0 and status >> 8 & 255 or nil,
      exit_signal = signal ~= 0 and signal or nil,
      has_exec = flags & 1 == 0, -- AFORK
      name = ("z"):unpack(text, at + 48),
    }
  end
  return list
end

--- How each process ended, as sorted lines.
local function endings(list)
  local lines = {}
  for i, one in ipairs(list) do
    lines[i] = ("%d %s %d"):format(one.pid, one.exit_code and "exit" or "signal", one.exit_code or one.exit_signal)
  end
  table.sort(lines)
  return lines
end

--- Their pids as sorted lines, each once.
local function pids(list)
  local lines, seen = {}, {}
  for _, one in ipairs(list) do
    if not seen[one.pid] then
      lines[#lines + 1] = ("%d"):format(one.pid)
    end
    seen[one.pid] = true
  end
  table.sort(lines)
  return lines
end

---@class system.real.Result: system.Result
---@field events? table[]       under the sensor only
---@field state_dir? string

--- What acct(2) needs: a PID namespace of our own, and a kernel that has it.
M.has_accounts = support.has_namespaces and run(support.program "acct").code == 0

-- Wait for the last process of the sensor, and so for the last that it watches; a minute at most.  This starts no program.
local until_over = [[
  uptime() { read -r seconds _ </proc/uptime; seconds=${seconds%.*}; }
  uptime
  deadline=$((seconds + 60)) over=
  until [ "$over" ]; do
    over=yes
    for file in /proc/[0-9]*/comm; do
      name=
      { read -r name <"$file"; } 2>/dev/null
      case $name in moonwatch-*) over= ;; esac
    done
    uptime
    [ $seconds -lt $deadline ] || over=late
  done]]

--- Run a script of the shell, started by `prefix`, until all that it started has ended.
---@param prefix string
---@param script string
---@return system.Result result, system.real.Account[]? accounts
local function observe(prefix, script)
  local path, acct = support.new_path(), support.program "acct"
  local begin = M.has_accounts and acct .. " " .. path or ""
  local finish = M.has_accounts and acct or ""
  local result = run(("%s\n%s sh -c %s\ncode=$?\n%s\n%s\nexit $code"):format(begin, prefix, quote(script), until_over, finish))
  if not M.has_accounts then
    return result
  end
  local accounts = read_accounts(path)
  -- What was born before program acct was belongs to another run, and may still have been ending.
  local first = support.filter(accounts, function(account)
    return account.name == "acct"
  end)[1].pid
  return result, support.filter(accounts, function(account)
    return account.pid > first and account.name ~= "acct" and not account.name:find "^moonwatch%-"
  end)
end

--- What one of two sorted lists has and the other has not.
---@param expected string[]
---@param got string[]
---@return string[]
local function differences(expected, got)
  local list, i, j = {}, 1, 1
  while expected[i] or got[j] do
    if expected[i] == got[j] then
      i, j = i + 1, j + 1
    elseif not got[j] or expected[i] and expected[i] < got[j] then
      list[#list + 1], i = "missing: " .. expected[i], i + 1
    else
      list[#list + 1], j = "too much: " .. got[j], j + 1
    end
  end
  return list
end

--- Hold what the sensor tells against the accounts, and against itself.
---@param events table[]
---@param accounts? system.real.Account[]
function M.check_events(events, accounts)
  local born, execs, exits, living = 1, {}, {}, {}
  for _, event in ipairs(events) do
    local process = event.process
    if event.kind == "process.fork" then
      born = born + 1
      assert.is_nil(living[process.pid], "born twice without an end: " .. process.pid)
      living[process.pid] = true
    elseif event.kind == "process.exec" then
      assert.is_true(living[process.pid] or #execs == 0, "executes without a birth: " .. process.pid)
      living[process.pid] = true
      execs[#execs + 1] = process
    elseif event.kind == "process.exit" then
      assert.is_true(living[process.pid], "ends without a birth: " .. process.pid)
      living[process.pid] = nil
      exits[#exits + 1] = process
    elseif event.kind:find "^sensor%." then
      error("the sensor is not well: " .. tostring(event.message or event.gap.reason))
    end
  end
  assert.is_nil(next(living), "never ended")
  assert.are.equal(born, #exits)
  if not accounts then
    return
  end
  assert.are.same({}, differences(endings(accounts), endings(exits)))
  assert.are.same({}, differences(pids(support.filter(accounts, function(account)
    return account.has_exec
  end)), pids(execs)))
end

--- Run a script of the shell alone, then under the sensor.  Both must end alike; what they print must be alike, too, as far as
--- `essence` lets it through, and is returned with the events.
---@param script string
---@param essence? fun(out: string): string  what of the output is the same each time; default: all of it
---@return system.Result alone, system.real.Result beside
function M.compare(script, essence)
  essence = essence or function(out)
    return out
  end
  local alone = observe("", script)
  local events, state = support.new_path(), support.new_path()
  -- Sockets are looked for in all of the network namespace, where others are busy, too.
  local beside, accounts = observe(("%s run --attach_timeout_ms=10000 --audit_allow_sockets=false --state_dir=%s"
    .. " --outputs=events/json:file=%s --"):format(support.moonwatch, state, events), script)
  assert.are.equal(alone.code, beside.code, alone.err .. beside.err)
  assert.are.equal(alone.err, beside.err)
  assert.are.equal(essence(alone.out), essence(beside.out))
  beside.events, beside.state_dir = support.json_lines(events), state
  M.check_events(beside.events, accounts)
  return alone, beside
end

--- Arguments of each program of that name that was executed, joined by blanks, as a set; and how many there were.
---@param events table[]
---@param name string
---@return table<string, boolean> set, integer count
function M.executed(events, name)
  local set, count = {}, 0
  for _, event in ipairs(events) do
    if event.kind == "process.exec" and event.process.name == name then
      set[table.concat(event.process.argv, " ", 2)] = true
      count = count + 1
    end
  end
  return set, count
end

return M

-- What programs may: privilege that is gained by executing, given up, or forbidden, with the sensor beside them.
local support = require "tests.system.support"

local run, same, beside, quote, program = support.run, support.same, support.beside, support.quote, support.program

local is_root = run("id -u").out == "0\n"

--- What a container on Fargate has: Docker's fourteen, and what a task definition may add.
local fargate = "chown dac_override fowner fsetid kill setgid setuid setpcap net_bind_service net_raw sys_chroot mknod "
  .. "audit_write setfcap"

--- A command that runs the rest of the line with these capabilities and no others.
local function with(capabilities)
  local list = capabilities:gsub("%S+", "+%0"):gsub("%s+", ",")
  return ("setpriv --bounding-set=-all,%s --inh-caps=-all "):format(list)
end

describe("privilege", function()
  local ordinary = "setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all "
  local show, dropped
  local problem

  setup(function()
    if not is_root then
      problem = "needs root"
      return
    end
    local dir = support.new_path()
    local setuid, capable = dir .. "/setuid", dir .. "/capable"
    assert.are.equal(0, run(("mkdir %s && chmod 755 %s %s && cp /bin/grep %s && cp /bin/grep %s && chmod 4755 %s"):format(dir,
      support.tmp, dir, setuid, capable, setuid)).code)
    local result = run("setcap cap_net_raw+ep " .. capable)
    problem = result.code ~= 0 and "setcap: " .. result.err or nil
    show = ("sh -c '%s ^Uid /proc/self/status; %s ^CapEff /proc/self/status'"):format(setuid, capable)
    -- setpriv keeps capabilities across its own change of user, up to the next program: hence one in between.
    dropped = ordinary .. "env " .. show
  end)

  local gained = "Uid:\t65534\t0\t0\t0\nCapEff:\t0000000000002000\n"
  local lost = "Uid:\t65534\t65534\t65534\t65534\nCapEff:\t0000000000000000\n"

  local function or_skip()
    if problem then
      pending(problem)
    end
    local alone = support.alone(dropped)
    if alone.out ~= gained then
      pending("setuid or file capabilities do nothing here (nosuid?): " .. alone.out .. alone.err)
    end
  end

  it("is gained by setuid and by file capabilities, with Fargate's set", function()
    or_skip()
    local seen = same(dropped, with(fargate .. " sys_ptrace"))
    assert.are.equal(gained, seen.out)
    local execs = support.filter(seen.events, function(event)
      return event.kind == "process.exec" and event.process.name == "setuid"
    end)
    assert.are.equal(1, #execs)
    assert.are.equal(65534, execs[1].process.uid)
    assert.are.equal(0, execs[1].process.euid)
  end)

  -- The kernel gives a traced program nothing unless its tracer may trace everything; a tracer that is not root, likewise.
  it("is lost when the sensor has no SYS_PTRACE: the kernel's rule", function()
    or_skip()
    assert.are.equal(gained, support.alone(dropped, with(fargate)).out)
    local seen = beside(dropped, with(fargate))
    assert.are.equal(lost, seen.out)
    assert.matches("^moonwatch: [^\n]*setuid[^\n]*SYS_PTRACE[^\n]*\n$", seen.err)
  end)

  it("is lost when the sensor is started as another user: the kernel's rule", function()
    or_skip()
    if run(ordinary .. "test -x " .. support.moonwatch).code ~= 0 then
      pending("the build folder is closed to other users: " .. support.build)
    end
    local open = support.new_path()
    assert.are.equal(0, run("mkdir -m 1777 " .. open).code)
    local command = ("%s run --state_dir=%s/state --outputs=alerts/json:file=/dev/null -- %s"):format(support.moonwatch, open, show)
    assert.are.equal(gained, run(ordinary .. show).out)
    local seen = run(ordinary .. command)
    assert.are.equal(lost, seen.out)
    assert.matches("^moonwatch: [^\n]*setuid[^\n]*SYS_PTRACE[^\n]*\n$", seen.err)
  end)

  it("is not gained where no_new_privs forbids it, whoever set it", function()
    or_skip()
    local seen = same(dropped, "setpriv --no-new-privs ")
    assert.are.equal(lost, seen.out)
    seen = same(("%s nnp %s"):format(program "filtered", dropped))
    assert.are.equal(lost, seen.out)
  end)

  it("of tracing is taken from the application, and its others left to it", function()
    or_skip()
    local facts = "grep ^Cap /proc/self/status"
    local prefix = with(fargate .. " sys_ptrace")
    assert.matches("CapEff:%s+00000000a80c25fb\nCapBnd:%s+00000000a80c25fb\n", support.alone(facts, prefix).out)
    assert.matches("CapPrm:%s+00000000a80425fb\nCapEff:%s+00000000a80425fb\nCapBnd:%s+00000000a80425fb\n",
      beside(facts, prefix).out)
  end)

  it("that makes a program not dumpable does not hide what it starts", function()
    or_skip()
    -- Readable by root alone: who executes it as another user is not dumpable.
    local secret = support.new_path()
    assert.are.equal(0, run(("cp /bin/echo %s && chmod 711 %s"):format(secret, secret)).code)
    local seen = same(ordinary .. "env sh -c " .. quote(secret .. " hidden; exec true"), with(fargate .. " sys_ptrace"))
    assert.are.equal("hidden\n", seen.out)
    local execs = support.of_kind(seen.events, "process.exec", "hidden")
    assert.are.equal(1, #execs)
    assert.are.equal(secret, execs[1].process.exe)
    assert.are.equal(65534, execs[1].process.uid)
    assert.is_nil(execs[1].process.incomplete)
  end)

  it("of a user namespace is that of the application", function()
    or_skip()
    local command = "unshare -U -r sh -c " .. quote "id -u; /bin/true below; exit 4"
    if run(command).code ~= 4 then
      pending "no user namespaces here"
    end
    local seen = same(command)
    assert.are.equal("0\n", seen.out)
    assert.are.equal("exit 4 stops 0", seen.how)
    assert.are.equal(1, #support.of_kind(seen.events, "process.exec", "below"))
  end)

  it("of the application does not reach the sensor's memory", function()
    or_skip()
    local script = [[for d in /proc/[0-9]*; do
        read -r name 2>/dev/null <$d/comm || continue
        case $name in moonwatch-*) cat $d/environ >/dev/null 2>&1 && echo read $name environ
          head -c 1 $d/mem >/dev/null 2>&1 && echo read $name mem; echo found;; esac
      done]]
    -- Sensors of the tests before may still be at their end.
    assert.are.equal(0, run([[i=0
      while grep -qs ^moonwatch- /proc/[0-9]*/comm; do
        [ $((i += 1)) -lt 500 ] || exit 1
        sleep 0.02
      done]]).code)
    local seen = beside("sh -c " .. quote(script), with(fargate .. " sys_ptrace"))
    assert.are.equal("found\nfound\nfound\n", seen.out)
  end)
end)

describe("a program with a seccomp filter", function()
  for what, case in pairs {
    errno = { "exit 0 stops 0", "%-1 EXDEV\n" },
    kill = { "signal 31 stops 0", "" },
    killthread = { "exit 0 stops 0", "the process goes on\n" },
    trap = { "exit 0 stops 0", "signal 31 code 1 call 1 errno 33\ngoes on\n" },
    trace = { "exit 0 stops 0", "%-1 ENOSYS\n" },
    notify = { "exit 0 stops 0", "told 4242\ntold its parent: 1\nstatus 400\n" },
    strict = { "exit 0 stops 0", "strict\nstatus 9\n" },
  } do
    it("of its own has what it asked for: " .. what, function()
      local seen = same(program "filtered" .. " " .. what)
      assert.are.equal(case[1], seen.how, seen.err)
      assert.matches("^" .. case[2] .. "$", seen.out)
    end)
  end

  it("and no_new_privs is followed as any other", function()
    local seen = same(program "filtered" .. " nnp sh -c " .. quote "/bin/true inside; exit 3")
    assert.are.equal("exit 3 stops 0", seen.how)
    assert.are.equal(1, #support.of_kind(seen.events, "process.exec", "inside"))
  end)
end)

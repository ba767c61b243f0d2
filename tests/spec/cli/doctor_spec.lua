-- `moonwatch doctor`.
local cjson = require "cjson"
local program = require "tests.spec.program"
local servers = require "tests.fixtures.net.server"

local function doctor(arguments, environment)
  local path = servers.new_path()
  local pipe <close> = assert(io.popen(("cd %s && env -u ECS_CONTAINER_METADATA_URI_V4 -u AWS_EXECUTION_ENV "
    .. "-u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY %s %s doctor --json %s 2>%s; echo $? >>%s"):format(
    assert(os.getenv "PWD"), environment or "", program.path, arguments or "", path, path)))
  local out = assert(pipe:read "a")
  pipe:close()
  local file <close> = assert(io.open(path))
  local err, status = file:read("a"):match "^(.-)(%d+)\n$"
  local ok, told = pcall(cjson.decode, out)
  local by_name = {}
  for _, check in ipairs(ok and told.checks or {}) do
    by_name[check.check] = check
  end
  return by_name, tonumber(status), err, told
end

describe("doctor", function()
  it("judges every part, and says what would mend it", function()
    local checks, status, err, told = doctor()
    assert.are.equal("", err)
    local names = {}
    for _, check in ipairs(told.checks) do
      names[#names + 1] = check.check
      assert.is_truthy(({ ok = true, degraded = true, failed = true, off = true })[check.state], check.check)
      assert.is_true(#check.found > 0, check.check)
      if check.state == "failed" or check.state == "degraded" then
        assert.is_true(#check.mend > 0, check.check)
      end
    end
    assert.are.same({ "kernel", "cgroup", "security modules", "capabilities", "yama", "ptrace", "seccomp notify", "proc",
      "limits", "inotify", "state folder", "sock_diag", "dns", "tls", "clock", "backend", "metadata", "credentials", "secret" }, names)
    assert.are.equal(told.ok and 0 or 1, status)
    for _, name in ipairs { "tls", "metadata", "credentials", "secret" } do
      assert.are.equal("off", checks[name].state, name)
    end
  end)

  it("tries TLS to the backend, and shows the chain", function()
    local ports, dir, stop = servers.bad()
    local host = "localhost:" .. ports.https
    local checks = doctor(("--tls_hostname=%s --tls_server_certs=%s/ca.pem"):format(host, dir))
    assert.are.equal("ok", checks.dns.state, checks.dns.found)
    assert.are.equal("ok", checks.tls.state, checks.tls.found)
    assert.is_truthy(checks.tls.found:find("(until ", 1, true), checks.tls.found)
    assert.are.equal("ok", checks.clock.state, checks.clock.found)

    checks = doctor("--tls_hostname=" .. host)
    assert.are.equal("failed", checks.tls.state)
    assert.is_truthy(checks.tls.mend:find("--tls_server_certs", 1, true))
    stop()
    checks = doctor("--tls_hostname=" .. host)
    assert.are.equal("failed", checks.tls.state)
    assert.is_truthy(checks.tls.mend:find("host and port", 1, true))
  end)

  it("knows a name that has no address", function()
    local checks, status = doctor "--tls_hostname=nobody.invalid"
    assert.are.equal("failed", checks.dns.state)
    assert.are.equal("failed", checks.tls.state)
    assert.are.equal(1, status)
  end)

  it("says that a secret can be read, never what it is", function()
    local path = servers.new_path()
    local file <close> = assert(io.open(path, "w"))
    file:write "hush-4711\n"
    file:close()
    local checks, _, err, told = doctor("--enroll_secret=file:" .. path)
    assert.are.equal("ok", checks.secret.state, checks.secret.found)
    assert.is_truthy(checks.secret.found:find("9 bytes", 1, true))
    assert.is_nil((err .. cjson.encode(told)):find("hush", 1, true))
    checks, _, err, told = doctor("--enroll_secret=env:HUSH", "HUSH=hush-4711")
    assert.are.equal("ok", checks.secret.state, checks.secret.found)
    assert.is_nil((err .. cjson.encode(told)):find("hush", 1, true))
    checks = doctor "--enroll_secret=file:/nowhere"
    assert.are.equal("failed", checks.secret.state)
  end)

  it("refuses what is no flag", function()
    local _, status, err = doctor "--tls_hostnam=x"
    assert.are.equal(2, status)
    assert.is_truthy(err:find("tls_hostname", 1, true))
    _, status = doctor "word"
    assert.are.equal(2, status)
  end)
end)

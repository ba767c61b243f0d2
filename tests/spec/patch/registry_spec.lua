-- What an image runs, asked of real registries: Debian's docker-registry, open and with a password, and one that gives tokens.
local registry = require "moonwatch.patch.registry"
local program = require "tests.spec.program"

local TMP <const> = os.getenv "TMPDIR"
local DEADLINE_S <const> = 20

-- Of "secret", bcrypt with 2^5 rounds.
local PASSWORD <const> = "user:$2b$05$n8Q88sssXKOLP4Rrx37oQOY/jmTKfzNLP3ZjnO5MRNbKD./2iZUum\n"

local function write(path, text)
  local file <close> = assert(io.open(path, "wb"))
  file:write(text)
end

local function shell(command)
  local pipe <close> = assert(io.popen(command))
  return pipe:read "a"
end

-- A port that was free a moment ago.
local function free_port()
  return tonumber(shell [[python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])']])
end

local function wait_for(command)
  assert(os.execute(("timeout %d sh -c 'until %s; do sleep 0.05; done'"):format(DEADLINE_S, command)), "not there in time: " .. command)
end

local running = {}

local function start(command)
  running[#running + 1] = shell(("%s >%s/server.log 2>&1 & echo $!"):format(command, TMP)):match "%d+"
end

local function start_registry(name, auth)
  local port = free_port()
  write(("%s/%s.yml"):format(TMP, name), ("version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: %s/%s}}\n" ..
    "http: {addr: 127.0.0.1:%d}\n%s"):format(TMP, name, port, auth))
  start(("docker-registry serve %s/%s.yml"):format(TMP, name))
  wait_for(("curl -so /dev/null http://127.0.0.1:%d/v2/"):format(port))
  return "127.0.0.1:" .. port
end

local function definition(image, more)
  return ('{"family":"f","cpu":"256","memory":"512",%s"containerDefinitions":[{"name":"a","image":"%s"}]}'):format(more or "", image)
end

local function patch(text, environment)
  write(TMP .. "/t.json", text)
  return program.execute({ program.path, "patch", "--image=r/moonwatch:1", TMP .. "/t.json" }, environment)
end

describe("a registry", function()
  local has_registry = os.execute "command -v docker-registry >/dev/null && command -v curl >/dev/null"

  teardown(function()
    for _, pid in ipairs(running) do
      os.execute("kill " .. pid)
    end
  end)

  it("tells what an image runs, for the task's architecture", function()
    if not has_registry then
      pending "docker-registry is not here"
      return
    end
    local host = start_registry("open", "")
    assert.are.equal("", shell(("python3 tests/fixtures/patch/push.py http://%s 2>&1"):format(host)))
    for image, wanted in pairs {
      ["/test/plain:1"] = "a: /entry-amd64 serve a b",
      ["/test/multi:1"] = "a: /entry-amd64 serve a b",
    } do
      local result = patch(definition(host .. image))
      assert.are.equal(0, result.status, result.err)
      assert.is_truthy(result.err:find(wanted, 1, true), result.err)
    end
    local arm = '"runtimePlatform":{"cpuArchitecture":"ARM64"},'
    local result = patch(definition(host .. "/test/multi:1", arm))
    assert.is_truthy(result.err:find("a: /entry-arm64 serve", 1, true), result.err)
    result = patch(definition(host .. "/test/plain:1", arm))
    assert.are.equal(1, result.status)
    assert.is_truthy(result.err:find("is for amd64, the task for arm64", 1, true), result.err)
    result = patch(definition(host .. "/test/none:1"))
    assert.is_truthy(result.err:find("HTTP 404 (there is no such image)", 1, true), result.err)
  end)

  it("is told the password that docker login keeps", function()
    if not has_registry then
      pending "docker-registry is not here"
      return
    end
    write(TMP .. "/htpasswd", PASSWORD)
    local host = start_registry("closed", ("auth: {htpasswd: {realm: here, path: %s/htpasswd}}\n"):format(TMP))
    assert.are.equal("", shell(("python3 tests/fixtures/patch/push.py http://%s user:secret 2>&1"):format(host)))
    local result = patch(definition(host .. "/test/plain:1"))
    assert.are.equal(1, result.status)
    assert.is_truthy(result.err:find("it wants a user and a password", 1, true), result.err)
    assert(os.execute(("mkdir -p %s/docker"):format(TMP)))
    -- base64 of user:secret
    write(TMP .. "/docker/config.json", ('{"auths":{"%s":{"auth":"dXNlcjpzZWNyZXQ="}}}'):format(host))
    result = patch(definition(host .. "/test/plain:1"), { DOCKER_CONFIG = TMP .. "/docker" })
    assert.are.equal(0, result.status, result.err)
    assert.is_nil(result.err:find("secret", 1, true))
  end)

  it("gives a token to who may have one", function()
    local file = TMP .. "/port"
    start("python3 tests/fixtures/patch/token_registry.py " .. file)
    wait_for("test -e " .. file)
    local port = shell("cat " .. file)
    local result = patch(definition(("127.0.0.1:%s/team/app:2"):format(port)))
    assert.are.equal(0, result.status, result.err)
    assert.is_truthy(result.err:find("a: /hub", 1, true), result.err)
  end)

  it("is named by an image as docker names it", function()
    for image, wanted in pairs {
      ["nginx"] = { "registry-1.docker.io", "library/nginx", "latest" },
      ["user/app:1"] = { "registry-1.docker.io", "user/app", "1" },
      ["docker.io/nginx:1"] = { "registry-1.docker.io", "library/nginx", "1" },
      ["localhost:5000/a/b:c"] = { "localhost:5000", "a/b", "c" },
      ["localhost/a"] = { "localhost", "a", "latest" },
      ["1.dkr.ecr.eu-central-1.amazonaws.com/x@sha256:" .. ("a"):rep(64)] =
        { "1.dkr.ecr.eu-central-1.amazonaws.com", "x", "sha256:" .. ("a"):rep(64) },
    } do
      local found = registry.parse(image)
      assert.are.same(wanted, { found.host, found.path, found.reference }, image)
    end
  end)

  it("of ECR is known by its whole name", function()
    for host, region in pairs {
      ["123456789012.dkr.ecr.eu-central-1.amazonaws.com"] = "eu-central-1",
      ["123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com"] = "us-gov-west-1",
      ["123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn"] = "cn-north-1",
      ["123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu"] = "eusc-de-east-1",
      ["123456789012.dkr-ecr.eu-central-1.on.aws"] = "eu-central-1",
      ["123456789012.dkr.ecr.eu-central-1.amazonaws.com.evil.example"] = "none",
      ["123456789012.dkr.ecr.eu-central-1.amazonaws.company"] = "none",
      ["123456789012.dkr.ecr.eu-central-1.amazonaws.com.cn"] = "none",
      ["123456789012.dkr.ecr.eu-central-1.amazonaws.com:8443"] = "none",
      ["x.123456789012.dkr.ecr.eu-central-1.amazonaws.com"] = "none",
      ["123456789012.dkr-ecr.eu-central-1.on.aws.example"] = "none",
      ["public.ecr.aws"] = "none",
    } do
      assert.are.equal(region, registry.ecr_region(host) or "none", host)
    end
  end)
end)

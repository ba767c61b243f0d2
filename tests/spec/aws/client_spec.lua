-- Credentials and both stores, by servers that answer well and badly.
local cjson = require "cjson"
local program = require "tests.spec.program"
local servers = require "tests.fixtures.net.server"

local ports, stop, http

setup(function()
  local _
  ports, _, stop = servers.bad()
  http = "http://127.0.0.1:" .. ports.http
end)

teardown(function()
  stop()
end)

local KEYS = { AWS_ACCESS_KEY_ID = "AKIDENV", AWS_SECRET_ACCESS_KEY = "environment-key", AWS_REGION = "us-east-1" }

local function merged(...)
  local all = {}
  for _, part in ipairs { ... } do
    for name, value in pairs(part) do
      all[name] = value ~= "" and value or nil
    end
  end
  return all
end

-- What read.lua says to each of `words`, with this environment.
local function read(environment, ...)
  local result = program.execute({ program.path, "lua", "tests/fixtures/aws/read.lua", ... }, environment)
  local told = {}
  for line in result.out:gmatch "[^\n]+" do
    told[#told + 1] = cjson.decode(line)
  end
  assert.are.equal(0, result.status, result.err)
  return table.unpack(told)
end

-- One secret, with keys of the environment, from a store that behaves so.
local function store(behaviour, reference, more)
  return read(merged(KEYS, { AWS_ENDPOINT_URL = http .. "/" .. behaviour }, more or {}), reference or "ssm:enrol")
end

-- Keys, from a container endpoint that behaves so.
local function container(behaviour, more)
  return read(merged({ AWS_CONTAINER_CREDENTIALS_FULL_URI = http .. "/" .. behaviour }, more or {}), "keys")
end

local function asked(path)
  local pipe <close> = assert(io.popen(("curl -s --noproxy '*' %s/count%s"):format(http, path)))
  return cjson.decode(pipe:read "a").count
end

describe("credentials", function()
  it("are those of the environment first, unless these are switched off", function()
    local more = merged(KEYS, { AWS_CONTAINER_CREDENTIALS_FULL_URI = http .. "/credentials" })
    assert.are.same({ source = "environment", id = "AKIDENV" }, (read(more, "keys")))
    assert.are.equal("AKIDCONTAINER", read(more, "no-environment", "keys").id)
    local told = read({ AWS_ACCESS_KEY_ID = "x" }, "keys")
    assert.matches("only one of", told.message)
  end)

  it("are the container's", function()
    assert.are.same({ source = "container", id = "AKIDCONTAINER", role = "arn:aws:iam::111122223333:role/task" },
      (container "credentials"))
    local told = read({}, "keys")
    assert.are.equal("NoCredentials", told.code)
    assert.matches("taskRoleArn", told.message)
  end)

  it("come with a token, or from a file of one that is read anew", function()
    assert.are.equal("AKIDCONTAINER", container("token", { AWS_CONTAINER_AUTHORIZATION_TOKEN = "the token" }).id)
    assert.matches("HTTP 401", container("token").message)
    local path = program.write("the token\n", "token")
    assert.are.equal("AKIDCONTAINER", container("token", {
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE = path, AWS_CONTAINER_AUTHORIZATION_TOKEN = "another",
    }).id)
    program.remove(path)
    for text, why in pairs { ["a\nb\n"] = "line's end", ["\n"] = "empty", ["a\0b"] = "control" } do
      path = program.write(text, "token")
      local told = container("token", { AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE = path })
      assert.matches(why, told.message)
      program.remove(path)
    end
    assert.matches("No such file", container("token", { AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE = "/no/such" }).message)
    assert.matches("absolute", container("token", { AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE = "no/such" }).message)
  end)

  it("are asked for at no other address without TLS", function()
    for _, url in ipairs { "http://192.0.2.1/x", "http://169.254.169.254/", "http://8.8.8.8", "ftp://127.0.0.1/", "nonsense" } do
      local told = read({ AWS_CONTAINER_CREDENTIALS_FULL_URI = url }, "keys")
      assert.is_nil(told.id)
      assert.is_truthy(told.message:find "none that may be connected to" or told.message:find "neither http", 1, true)
    end
    assert.matches("does not begin with a slash", read({ AWS_CONTAINER_CREDENTIALS_RELATIVE_URI = "x@evil/" }, "keys").message)
  end)

  it("are tried again while the agent is not ready", function()
    assert.are.equal("AKIDCONTAINER", container("late").id)
    assert.are.equal(3, asked "/late")
  end)

  for behaviour, why in pairs {
    html = "is not JSON", invalid = "is not JSON", types = "no AccessKeyId", gone = "expired", control = "control characters",
    away = "HTTP 302", string = "HTTP 404", huge = "larger than", html502 = "HTTP 502", headers = "larger than",
  } do
    it(("that come as %q are refused"):format(behaviour), function()
      local told = container(behaviour)
      assert.is_nil(told.id)
      assert.matches(why, told.message)
    end)
  end

  for _, behaviour in ipairs { "hang", "slow" } do
    it(("do not keep anybody waiting (%s)"):format(behaviour), function()
      local before = os.time()
      assert.matches("no whole answer", container(behaviour).message)
      assert.is_true(os.time() - before <= 10)
    end)
  end

  it("are fetched anew before they expire", function()
    local environment = merged({ AWS_REGION = "us-east-1" }, {
      AWS_CONTAINER_CREDENTIALS_FULL_URI = http .. "/brief", AWS_ENDPOINT_URL = http .. "/ok",
    })
    local first, _, second = read(environment, "keys", "ssm:enrol", "keys")
    -- Five minutes are left of them: enough for now, and no reason to ask more than once a minute.
    assert.are.equal(first.id, second.id)
    first, _, second = read(environment, "no-pause", "keys", "ssm:enrol", "keys")
    assert.are_not.equal(first.id, second.id)
  end)

  it("stay until they expire when there are no others", function()
    local first, second = read({ AWS_CONTAINER_CREDENTIALS_FULL_URI = http .. "/once" }, "no-pause", "keys", "keys")
    assert.are.equal("AKIDCONTAINER", first.id)
    assert.are.equal("AKIDCONTAINER", second.id)
    assert.are.equal(4, asked "/once") -- three tries for others
  end)

  it("come by web identity", function()
    local path = program.write("web/token\n", "token")
    local environment = {
      AWS_WEB_IDENTITY_TOKEN_FILE = path, AWS_ROLE_ARN = "arn:aws:iam::111122223333:role/pod", AWS_REGION = "eu-west-1",
      AWS_ENDPOINT_URL_STS = http .. "/sts",
    }
    assert.are.same({ source = "web identity", id = "AKIDWEB", role = "arn:aws:iam::111122223333:role/pod" },
      (read(environment, "keys")))
    environment.AWS_ENDPOINT_URL_STS = http .. "/sts/behind"
    assert.are.equal("AKIDWEB", read(environment, "keys").id)
    environment.AWS_ROLE_ARN = nil
    assert.matches("AWS_ROLE_ARN", read(environment, "keys").message)
    program.remove(path)
    path = program.write("another", "token")
    environment.AWS_WEB_IDENTITY_TOKEN_FILE, environment.AWS_ROLE_ARN = path, "arn:aws:iam::111122223333:role/pod"
    local told = read(environment, "keys")
    assert.matches("InvalidIdentityToken", told.message)
    program.remove(path)
  end)
end)

describe("a secret", function()
  it("is read from either store", function()
    assert.are.equal("the value", store("ok").value)
    assert.are.equal("the value", store("ok", "arn:aws:ssm:us-west-2:111122223333:parameter/enrol:3").value)
    assert.are.equal('{"key":"the value","n":7,"password":"p"}', store("ok", "secretsmanager:enrol").value)
    assert.are.equal("the value", store("ok", "secretsmanager:enrol#key").value)
    assert.are.equal("7", store("ok", "secretsmanager:enrol#n").value)
    local arn = "arn:aws:secretsmanager:us-west-2:111122223333:secret:enrol-AbCdEf"
    assert.are.equal("the value", store("ok", arn .. ":key::").value)
    assert.are.equal("the value", store("ok", arn .. ":key:AWSPREVIOUS:").value)
    assert.matches("no key \"other\"", store("ok", arn .. ":other::").message)
    assert.are.equal("\0\1\2\3\4\255\254", store("binary", "secretsmanager:enrol").value)
  end)

  it("may be of any bytes", function()
    local value = {}
    for i = 0, 4095 do
      value[#value + 1] = string.char(i % 128)
    end
    assert.are.equal(table.concat(value), store("four_kib").value)
  end)

  it("is refused by a reference that is none, at once", function()
    for reference, why in pairs {
      ["arn:aws:secretsmanager:us-east-1:1:secret"] = "has 6 fields",
      ["arn:aws:secretsmanager:us-east-1:1:secret:x:key"] = "has 8 fields",
      ["arn:aws:secretsmanager:us-east-1:1:secret:x:key:stage:id:more"] = "has 11 fields",
      ["arn:aws:secretsmanager:us-east-1:1:secret:x:key:stage:id"] = "both a version%-stage",
      ["arn:aws:secretsmanager:us-east-1:1:other:x"] = "names no secret",
      ["arn:aws:ssm:us-east-1:1:parameter/x:1:2"] = "has 8 fields",
      ["arn:aws:ssm:us-east-1:1:document/x"] = "names no parameter",
      ["arn:aws:ssm::1:parameter/x"] = "names no region",
      ["arn:aws:s3:::bucket/x"] = "service s3",
      ["arn:aws"] = "is no ARN",
      ["ssm:with blank"] = "blanks",
      ["nonsense"] = "names no store",
    } do
      local told = store("hang", reference)
      assert.is_nil(told.value)
      assert.matches(why, told.message)
      assert.is_true(told.ms < 1000)
    end
    assert.matches("no region", read({ AWS_ACCESS_KEY_ID = "x", AWS_SECRET_ACCESS_KEY = "y" }, "ssm:x").message)
  end)

  it("is read in the region that the ARN, the environment or the task says", function()
    local bad = { AWS_ENDPOINT_URL = "http://127.0.0.1:1" }
    local arn = "arn:aws:ssm:ap-south-1:111122223333:parameter/enrol"
    assert.matches("ssm:ap%-south%-1:", store("x", arn, bad).message)
    assert.matches("ssm:us%-east%-1:", store("x", "ssm:enrol", bad).message)
    assert.matches("ssm:eu%-north%-1:", store("x", "ssm:enrol", {
      AWS_ENDPOINT_URL = bad.AWS_ENDPOINT_URL, AWS_REGION = "", ECS_CONTAINER_METADATA_URI_V4 = http .. "/v4/x",
    }).message)
  end)

  it("is tried again where that helps", function()
    for _, behaviour in ipairs { "throttle", "flaky", "stale", "skewed" } do
      local told = store(behaviour, "ssm:enrol", behaviour == "stale" and merged({
        AWS_ACCESS_KEY_ID = "", AWS_SECRET_ACCESS_KEY = "", AWS_CONTAINER_CREDENTIALS_FULL_URI = http .. "/credentials/stale",
      }) or nil)
      assert.are.equal("the value", told.value, behaviour .. ": " .. (told.message or ""))
      assert.is_true(told.ms < 10000)
    end
  end)

  it("is not tried again where that does not help", function()
    local told = store("missing/once")
    assert.matches("ParameterNotFound", told.message)
    assert.are.equal("ParameterNotFound", told.code)
    assert.is_true(told.ms < 1000, told.ms)
  end)

  it("that is denied says who may not do what, and what would allow it", function()
    local told = store "denied"
    assert.are.equal("AccessDeniedException", told.code)
    assert.matches("arn:aws:sts::111122223333:assumed-role/task/abc may not ssm:GetParameter on "
      .. "arn:aws:ssm:us-east-1:111122223333:parameter/enrol", told.message, 1, true)
    local statement = cjson.decode(told.message:match "{.*}")
    assert.are.same({
      Effect = "Allow", Action = "ssm:GetParameter", Resource = "arn:aws:ssm:us-east-1:111122223333:parameter/enrol",
    }, statement)
    told = store "denied_kms"
    statement = cjson.decode(told.message:match "{.*}")
    assert.are.equal("kms:Decrypt", statement.Action)
    assert.are.equal("arn:aws:kms:us-east-1:111122223333:key/abc", statement.Resource)
  end)

  for behaviour, why in pairs {
    html = "is not JSON", html502 = "HTTP 502", invalid = "is not JSON", types = "no Parameter with a Value", away = "redirects",
    huge = "larger than", string = "HTTP 404", headers = "larger than",
  } do
    it(("that comes as %q is an error"):format(behaviour), function()
      local told = store(behaviour)
      assert.is_nil(told.value)
      assert.matches(why, told.message)
      assert.is_true(told.ms <= 10500, told.ms)
    end)
  end

  it("keeps nobody waiting for more than 10 s", function()
    for _, told in ipairs { read(merged(KEYS, {
      AWS_ENDPOINT_URL_SSM = http .. "/hang", AWS_ENDPOINT_URL_SECRETS_MANAGER = http .. "/slow",
    }), "beside", "ssm:enrol", "secretsmanager:enrol") } do
      assert.matches("no whole answer", told.message)
      assert.is_true(told.ms <= 10500, told.ms)
    end
  end)
end)

describe("endpoints", function()
  -- Where it would have gone: no such address can be reached, and the message says which it was.
  local function host(region, reference, more)
    local told = read(merged(KEYS, { AWS_REGION = region, AWS_ENDPOINT_URL = "" }, more or {}), reference)
    return told.message
  end

  it("can be given, and ignored", function()
    assert.are.equal("the value", store("x", "ssm:enrol", { AWS_ENDPOINT_URL_SSM = http .. "/ok" }).value)
    assert.matches("no address like https", store("x", "ssm:enrol", { AWS_ENDPOINT_URL_SSM = "nonsense" }).message)
    assert.matches("is no region", host("x.evil/", "ssm:enrol", {}))
  end)
end)

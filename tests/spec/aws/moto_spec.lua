-- Both stores and STS as moto plays them: over TLS of the test's own authority, signatures and policies checked.
local cjson = require "cjson"
local program = require "tests.spec.program"
local python_of = require "tests.fixtures.aws.python"
local servers = require "tests.fixtures.net.server"

local python, why = python_of.find()

describe("AWS by moto", function()
  if not python then
    it("answers", function()
      pending(why)
    end)
    return
  end

  local ports, dir, world, stop_server, stop_moto

  setup(function()
    ports, dir, stop_server = servers.bad()
    world, stop_moto = servers.start(("%s tests/fixtures/aws/moto_world.py %s"):format(python, dir), dir .. "/world.json", 60)
  end)

  teardown(function()
    stop_moto()
    stop_server()
  end)

  local function environment(user, more)
    local keys = user and world.users[user] or {}
    local all = {
      AWS_ACCESS_KEY_ID = keys.AccessKeyId, AWS_SECRET_ACCESS_KEY = keys.SecretAccessKey, AWS_SESSION_TOKEN = keys.Token,
      AWS_ENDPOINT_URL = "https://localhost:" .. world.port, AWS_CA_BUNDLE = dir .. "/ca.pem", AWS_REGION = "us-east-1",
    }
    for name, value in pairs(more or {}) do
      all[name] = value
    end
    return all
  end

  local function read(variables, ...)
    local result = program.execute({ program.path, "lua", "tests/fixtures/aws/read.lua", ... }, variables)
    assert.are.equal(0, result.status, result.err)
    local told = {}
    for line in result.out:gmatch "[^\n]+" do
      told[#told + 1] = cjson.decode(line)
    end
    return table.unpack(told)
  end

  local function values(...)
    local list = { ... }
    for i, told in ipairs(list) do
      list[i] = told.value or told.message
    end
    return list
  end

  for _, user in ipairs { "good", "task" } do
    it(("gives what %s may read"):format(user), function()
      assert.are.same({
        "canary-of-the-test", "second", "first", "first", "in Ireland", "canary-of-the-test",
      }, values(read(environment(user), "ssm:/moonwatch/enrol", "ssm:plain", "ssm:plain:1", "ssm:plain:old",
        "arn:aws:ssm:eu-west-1:123456789012:parameter/elsewhere", world.parameter)))
      assert.are.same({
        "canary-of-the-test2", "canary-of-the-test2", "canary-of-the-test", "1", "canary-of-the-test2", "\0\255\1",
      }, values(read(environment(user), "secretsmanager:moonwatch/enrol#key", world.secret .. ":key::",
        world.secret .. ":key:AWSPREVIOUS:", world.secret .. ":n:AWSPREVIOUS:", world.secret .. ":key::" .. world.version,
        world.binary)))
    end)
  end

  it("gives nothing to others, and says what they lack", function()
    for _, user in ipairs { "wrong", "none", "poor" } do
      local parameter, secret = read(environment(user), world.parameter, world.secret)
      for _, told in ipairs { parameter, secret } do
        assert.is_nil(told.value)
        assert.matches("AccessDenied", told.code)
      end
      assert.are.same({ Effect = "Allow", Action = "ssm:GetParameter", Resource = world.parameter },
        cjson.decode(parameter.message:match "{.*}"))
      assert.are.same({ Effect = "Allow", Action = "secretsmanager:GetSecretValue", Resource = world.secret },
        cjson.decode(secret.message:match "{.*}"))
    end
  end)

  it("takes no other signature, token or authority", function()
    local told = read(environment("good", { AWS_SECRET_ACCESS_KEY = "another" }), "ssm:plain")
    assert.are.equal("SignatureDoesNotMatch", told.code)
    told = read(environment("task", { AWS_SESSION_TOKEN = "another" }), "ssm:plain")
    assert.are.equal("InvalidClientTokenId", told.code)
    told = read(environment("good", { AWS_CA_BUNDLE = dir .. "/other-ca.pem" }), "ssm:plain")
    assert.are.equal("EKEYREJECTED", told.code)
  end)

  it("says what is not there", function()
    local parameter, version, secret = read(environment "good", "ssm:nowhere", "ssm:plain:9", "secretsmanager:nowhere")
    assert.are.equal("ParameterNotFound", parameter.code)
    assert.are.equal("ParameterVersionNotFound", version.code)
    assert.are.equal("ResourceNotFoundException", secret.code)
  end)

  it("gives a role by the container's endpoint", function()
    local file = dir .. "/role.json"
    local handle <close> = assert(io.open(file, "w"))
    handle:write(cjson.encode(world.users.task))
    handle:flush()
    local with_role, _, stop = servers.bad(file)
    local told = read(environment(nil, {
      AWS_CONTAINER_CREDENTIALS_FULL_URI = ("http://127.0.0.1:%d/token"):format(with_role.http),
      AWS_CONTAINER_AUTHORIZATION_TOKEN = "the token",
    }), world.parameter)
    stop()
    assert.are.equal("canary-of-the-test", told.value, told.message)
  end)

  it("gives a role for a token of web identity", function()
    local path = program.write("header.claims.signature\n", "token")
    for role, expected in pairs { task = "canary-of-the-test", poor = false } do
      local arn = world.users[role].RoleArn
      local keys, told = read(environment(nil, { AWS_WEB_IDENTITY_TOKEN_FILE = path, AWS_ROLE_ARN = arn }), "keys", world.parameter)
      assert.are.equal("web identity", keys.source, keys.message)
      assert.are.equal(expected or nil, told.value, told.message)
      if not expected then
        assert.matches(arn, told.message, 1, true)
      end
    end
    program.remove(path)
    assert.is_number(ports.http)
  end)
end)

-- The examples of docs/aws.md, as they stand there.
local program = require "tests.spec.program"
local servers = require "tests.fixtures.net.server"

describe("docs/aws.md", function()
  local ports, stop, environment

  setup(function()
    local _
    ports, _, stop = servers.bad()
    local http = "http://127.0.0.1:" .. ports.http
    environment = {
      AWS_REGION = "us-east-1", AWS_ENDPOINT_URL = http .. "/ok", AWS_CONTAINER_CREDENTIALS_FULL_URI = http .. "/credentials",
    }
  end)

  teardown(function()
    stop()
  end)

  local file <close> = assert(io.open "docs/aws.md")
  local examples = {}
  for example in file:read("a"):gmatch "\n```lua\n(.-)\n```" do
    examples[#examples + 1] = example
  end

  local function run(example)
    local path = program.write(example, "example.lua")
    local result = program.execute({ program.path, "lua", path }, environment)
    program.remove(path)
    assert.are.equal(0, result.status, result.err)
    return result.out
  end

  it("has four examples", function()
    assert.are.equal(4, #examples)
  end)

  it("reads a parameter", function()
    assert.are.equal("credentials:\tcontainer\tAKIDCONTAINER\tarn:aws:iam::111122223333:role/task\nversion 3\t9 bytes\t***\n",
      run(examples[1]))
  end)

  it("sends a secret on", function()
    local url = ('"http://127.0.0.1:%d/ok", plain = true'):format(ports.http)
    local example = examples[2]:gsub('"https://backend.example.com/login"', url)
    assert.are.equal("200\n", run(example))
  end)

  it("reads two at once", function()
    local out = run(examples[3])
    assert.matches("ssm:/moonwatch/enrol\t9\n", out, 1, true)
    assert.matches("secretsmanager:moonwatch/backend#password\t1\n", out, 1, true)
  end)

  it("asks for the task", function()
    assert.are.equal("not on ECS\n", run(examples[4]))
  end)
end)

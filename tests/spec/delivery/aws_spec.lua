-- Kinesis and Firehose, as moto plays them: signed, in batches within their limits, with records that are throttled.
local cjson = require "cjson"
local program = require "tests.spec.program"
local python_of = require "tests.fixtures.aws.python"
local servers = require "tests.fixtures.net.server"

local python, why = python_of.find()

describe("records to AWS", function()
  if not python then
    it("arrive", function()
      pending(why)
    end)
    return
  end

  local told, stop

  setup(function()
    local ready = servers.new_path()
    told, stop = servers.start(("%s tests/fixtures/sinks/moto_streams.py %s"):format(python, ready), ready, 60)
  end)

  teardown(function()
    stop()
  end)

  local function deliver(output, n, seconds, bytes)
    local tmp = servers.new_path()
    assert(os.execute("mkdir " .. tmp))
    local result = program.execute({ program.path, "lua", "tests/fixtures/sinks/deliver.lua", output, tostring(n), tostring(seconds),
      tostring(bytes or 0) }, {
      TMPDIR = tmp, AWS_ACCESS_KEY_ID = "setup", AWS_SECRET_ACCESS_KEY = "setup", AWS_REGION = "us-east-1",
      AWS_ENDPOINT_URL = "http://127.0.0.1:" .. told.port,
    })
    assert.are.equal(0, result.status, result.err)
    local answer = cjson.decode(result.out)
    return answer.counts, answer.reported
  end

  local function read()
    local pipe <close> = assert(io.popen(("%s tests/fixtures/sinks/moto_streams.py read %d"):format(python, told.port)))
    return cjson.decode(pipe:read "a")
  end

  local function numbers(list)
    local seen, distinct = {}, 0
    for _, line in ipairs(list) do
      local n = cjson.decode(line).n
      distinct = distinct + (seen[n] and 0 or 1)
      seen[n] = true
    end
    return distinct
  end

  it("each at least once through Kinesis", function()
    local counts = deliver("results/json:kinesis=moonwatch;period_ms=1", 1200, 60)
    assert.are.same({ written = 1200, read = 1200, dropped = 0, aside = 0, handed = 0, waiting = 0 }, counts)
    local lines, keys = {}, {}
    for i, record in ipairs(read().kinesis) do
      assert.is_nil(keys[record[1]]) -- the item's id
      keys[record[1]], lines[i] = true, record[2]
    end
    assert.are.equal(1200, numbers(lines))
    assert.are.equal(1200, #lines) -- what was taken of a batch is not sent again
  end)

  it("each at least once through Firehose, a line each", function()
    local counts = deliver("results/json:firehose=arn:aws:firehose:us-east-1:123456789012:deliverystream/moonwatch;period_ms=1", 600, 60)
    assert.are.same({ written = 600, read = 600, dropped = 0, aside = 0, handed = 0, waiting = 0 }, counts)
    local lines = {}
    for line in read().firehose:gmatch "[^\n]+" do
      lines[#lines + 1] = line
    end
    assert.are.equal(600, numbers(lines))
  end)

  it("not when they are too large, and nothing is lost for that", function()
    local counts, reported = deliver("results/json:kinesis=moonwatch;period_ms=1", 3, 30, (1 << 20) - 40)
    assert.are.same({ written = 3, read = 0, dropped = 0, aside = 3, handed = 0, waiting = 0 }, counts)
    assert.truthy(table.concat(reported):find "larger than")
  end)

  it("not where there is no such stream, which is said", function()
    local counts, reported = deliver("results/json:kinesis=nowhere;period_ms=1", 3, 1)
    assert.are.equal(3, counts.waiting)
    assert.truthy(reported[1]:find "ResourceNotFound", reported[1])
  end)
end)

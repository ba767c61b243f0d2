-- `moonwatch loadgen`: the hosts it plays do nothing that the strict backend has to say anything about, and its numbers are true.
local backend = require "tests.system.backend"
local cjson = require "cjson"
local counts = require "moonwatch.loadgen.count"
local Heap = require "moonwatch.loadgen.heap"
local support = require "tests.system.support"

local server

setup(function()
  server = backend.start()
end)

teardown(function()
  server:stop()
end)

local function play(more)
  local path = server.dir .. "/secret"
  support.write(path, "the enrolment secret")
  local result = support.run(("%s loadgen --json --workers=2 --tls_hostname=%s --tls_server_certs=%s --enroll_secret=file:%s %s"):format(
    support.moonwatch, server.hostname, server.ca, path, more))
  return result, result.out ~= "" and cjson.decode(result.out)
end

describe("loadgen", function()
  it("plays hosts as the protocol wants them", function()
    server:query { q1 = "SELECT 1" }
    local before = server:last()
    local result, told = play "--hosts=12 --ramp_s=1 --seconds=3 --config_s=1 --distributed_s=0.5 --log_s=0.5 --lines_per_s=4"
    assert.are.equal(0, result.code, result.err .. result.out)
    server:check()
    assert.are.equal(12, told.enrolled)
    assert.are.equal(0, told.failed)
    local seen, nodes, connections = {}, {}, {}
    for _, record in ipairs(server:records()) do
      if record.n > before then
        seen[record.endpoint] = (seen[record.endpoint] or 0) + 1
        nodes[record.host], connections[record.connection] = true, true
      end
    end
    for _, endpoint in ipairs { "enroll", "config", "log", "read", "write" } do
      assert.are.equal(seen[endpoint], told.endpoints[endpoint].requests, endpoint)
    end
    assert.are.equal(12, seen.enroll)
    assert.are.equal(12, seen.write) -- each one answers once
    local function size(set)
      local n = 0
      for _ in pairs(set) do
        n = n + 1
      end
      return n
    end
    assert.are.equal(12, size(nodes))
    assert.are.equal(12, size(connections)) -- one each, kept
    assert.are.equal(told.lines, server:count { line = { name = "process_events" } })
    assert.is_true(told.lines > 30)
  end)

  it("heeds Retry-After, enrols again, and counts what failed", function()
    local before = server:last()
    server:fault({ endpoint = "log", kind = "status", status = 429, retry_after = 1, times = 3 },
      { endpoint = "read", kind = "node_invalid", times = 1 }, { endpoint = "config", kind = "cut", times = 2 })
    local result, told = play "--hosts=3 --ramp_s=0 --seconds=4 --config_s=1 --distributed_s=0.5 --log_s=0.5 --lines_per_s=4"
    assert.are.equal(1, result.code)
    server:fault()
    server:check()
    assert.are.equal(6, told.failed)
    assert.are.equal(3, told.errors["log: status 429"])
    assert.are.equal(1, told.errors["read: status 401"])
    assert.are.equal(4, told.endpoints.enroll.requests)
    assert.are.equal(told.lines, server:count { line = { name = "process_events" }, after = before })
  end)

  it("says that nobody is there", function()
    local result, told = play "--hosts=2 --ramp_s=0 --seconds=1 --tls_hostname=localhost:1"
    assert.are.equal(1, result.code)
    assert.are.equal(0, told.enrolled)
    assert.is_true(told.errors["enroll: ECONNREFUSED"] > 0)
  end)

  it("refuses what it does not know", function()
    for option, why in pairs {
      ["--hosts=none"] = "goes from 1", ["--hosts=0"] = "goes from 1", ["--no_such=1"] = "is no option",
      ["--compress=maybe"] = "true or false",
      ["--workers=100"] = "from 1 to 64",
    } do
      local result = support.run(("%s loadgen --tls_hostname=localhost:1 %s"):format(support.moonwatch, option))
      assert.are.equal(2, result.code)
      assert.matches(why, result.err)
    end
    assert.matches("which backend", support.run(support.moonwatch .. " loadgen --hosts=3").err)
  end)

  it("gives what is due first, and quantiles that are near", function()
    local heap, times = Heap.new(), {}
    math.randomseed(7)
    for i = 1, 500 do
      times[i] = math.random()
      heap:push(times[i], i)
    end
    table.sort(times)
    for i = 1, 500 do
      assert.are.equal(times[i], heap:first())
      assert.are.equal(times[i], select(2, heap:pop()))
    end
    assert.is_nil(heap:first())
    local count = counts.new()
    for i = 1, 1000 do
      count:was_late(i)
    end
    for part, due in pairs { [0.5] = 500, [0.99] = 990 } do
      local near = counts.quantile(count.late, part)
      assert.is_true(near >= due and near < due * 1.1, near)
    end
  end)
end)

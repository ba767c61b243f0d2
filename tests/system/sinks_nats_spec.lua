-- NATS JetStream, three servers of which the stream's leader is killed meanwhile: each message is there, and once.
local cjson = require "cjson"
local servers = require "tests.fixtures.net.server"
local support = require "tests.system.support"
local through = dofile "tests/spec/delivery/through.lua"

local N = 3000

describe("NATS JetStream", function()
  if support.run("command -v nats-server").code ~= 0 then
    it("takes what is sent", function()
      pending "nats-server is not installed: ./setup programs"
    end)
    return
  end

  it("has each message once, though the leader is killed on the way", function()
    local ready, dir = servers.new_path(), servers.new_path()
    assert(os.execute("mkdir " .. dir))
    local told, stop = servers.start(("python3 tests/fixtures/sinks/nats_cluster.py %s %s"):format(ready, dir), ready, 90)
    finally(stop)
    local leader = math.tointeger(told.leader) + 1
    local ports, bodies, is_killed = {}, {}, false
    for i, port in ipairs(told.ports) do
      ports[i] = math.tointeger(port)
    end
    for i = 1, N do
      bodies[i] = ('{"n":%d}'):format(i)
    end
    -- The others of the cluster it learns of by itself.
    local output = ("results/json:nats=nats://127.0.0.1:%d;rows=100;period_ms=1;timeout_ms=2000"):format(ports[leader])
    local _, counts = through.deliver(output, bodies, {
      seconds = 90,
      during = function(now)
        if not is_killed and now.read >= N // 3 then
          is_killed = true
          os.execute(("kill -9 %d"):format(math.tointeger(told.pids[leader])))
        end
      end,
    })
    assert.is_true(is_killed)
    local told_of = table.concat(through.reported, "\n")
    assert.are.same({ written = N, read = N, dropped = 0, aside = 0, handed = 0, waiting = 0 }, counts, told_of)

    local pipe <close> = assert(io.popen(("python3 tests/fixtures/sinks/nats_cluster.py read %d"):format(ports[leader % 3 + 1])))
    local messages = cjson.decode(pipe:read "a")
    local ids, numbers, distinct = {}, {}, 0
    for _, message in ipairs(messages) do
      assert.is_nil(ids[message[1]], message[1])
      ids[message[1]] = true
      local n = cjson.decode(message[2]).n
      distinct = distinct + (numbers[n] and 0 or 1)
      numbers[n] = true
    end
    assert.are.equal(N, distinct)
    assert.are.equal(N, #messages)
    assert.truthy(through.reported[1], "nothing was told of the failure")
  end)
end)

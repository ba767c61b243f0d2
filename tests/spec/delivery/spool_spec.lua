local loop = require "moonwatch.loop"
local spool = require "moonwatch.spool"

local function names(batch)
  local list = {}
  for i, item in ipairs(batch) do
    list[i] = item.stream .. ":" .. item.kind
  end
  return table.concat(list, " ")
end

describe("moonwatch.spool", function()
  local dir

  before_each(function()
    dir = os.tmpname()
    os.remove(dir)
    assert(os.execute("mkdir -m 700 " .. dir))
    assert(spool.open { dir = dir })
  end)

  after_each(function()
    spool.close()
    os.execute("rm -rf " .. dir)
  end)

  it("gives what was added, in the order of its value, until it is acknowledged", function()
    assert(spool.join "a")
    assert(spool.add("status", '{"s":1}', { name = "s1" }))
    assert(spool.add("results", '{"r":1}', { name = "r1", time_ns = 17 }))
    assert(spool.add("results", '{"r":2}', { name = "r2" }))
    assert(spool.commit())
    local batch, more = spool.read("a", { streams = { "alerts", "events", "results", "status" } })
    assert.are.equal("results:r1 results:r2 status:s1", names(batch))
    assert.is_false(more)
    assert.are.equal('{"r":1}', batch[1].body)
    assert.are.equal(17, batch[1].time_ns)
    assert.is_nil(batch[1].rule)
    assert.are_not.equal(batch[1].id, batch[2].id)
    assert.are.equal("results:r1", names(spool.read("a", { max_rows = 1 })))
    assert(spool.ack("a", batch, 1, 1))
    assert.are.equal("results:r2 status:s1", names(spool.read "a"))
    assert(spool.set_aside("a", batch[2], "HTTP 400"))
    assert.are.equal("status:s1", names(spool.read "a"))
    assert.are.same({ written = 2, read = 1, dropped = 0, aside = 1, handed = 0, waiting = 0 }, spool.counts("a").results)
    assert.are.same({ alerts = 0, events = 0, results = 0, status = 1 }, spool.pending "a")
    assert.are.same({ alerts = 0, events = 0, results = 0, status = 0 }, spool.dropped "a")
  end)

  it("keeps cursors in the file", function()
    assert(spool.join "a")
    for i = 1, 5 do
      assert(spool.add("results", "{}", { name = "r" .. i }))
    end
    assert(spool.commit())
    assert(spool.ack("a", (spool.read("a", { max_rows = 3 }))))
    spool.close()
    assert(spool.open { dir = dir })
    assert.are.equal("results:r4 results:r5", names(spool.read "a"))
    assert.are.equal("results:r4 results:r5", names(spool.read "b"))
  end)

  it("lets a task wait for what is new", function()
    local told = {}
    loop.run(function()
      loop.spawn(function()
        told[#told + 1] = spool.wait("a", 10000)
        told[#told + 1] = names(spool.read "a")
        told[#told + 1] = spool.wait("a", 1)
        told[#told + 1] = spool.wait("a", 10000, { urgent = { "alerts" }, streams = { "results" }, rows = 3 })
        told[#told + 1] = #spool.read "a"
        told[#told + 1] = spool.wait("a", 10000, { urgent = {}, streams = {} })
      end)
      assert(spool.add("results", "{}", { name = "r1" }))
      while #told < 3 do
        loop.sleep(1)
      end
      for i = 1, 3 do
        assert(spool.add("results", "{}", { name = "x" .. i }))
      end
      while #told < 5 do
        loop.sleep(1)
      end
      assert(spool.add("results", "{}", { name = "r9" }))
      loop.sleep(50)
      spool.wake "a"
      while #told < 6 do
        loop.sleep(1)
      end
    end)
    assert.are.same({ "new", "results:r1", "time", "new", 4, "woken" }, told)
  end)

  it("says what is wrong", function()
    assert.has_error(function() spool.add("events", "{}") end)
    assert.has_error(function() spool.read("a", { streams = { "event" } }) end)
    local ok, message, code = spool.ack("nobody", {})
    assert.is_nil(ok)
    assert.are.equal("no consumer nobody", message)
    assert.are.equal("ENOENT", code)
    ok, message, code = spool.add("results", ("x"):rep(2 << 20), { name = "big" })
    assert.is_nil(ok)
    assert.are.equal("E2BIG", code)
    assert.truthy(message:find("big", 1, true))
    ok, message = spool.join(("x"):rep(200))
    assert.is_nil(ok)
    assert.truthy(message:find "too long")
  end)
end)

local answer = require "moonwatch.delivery.answer"
local delivery = require "moonwatch.delivery"
local world = dofile "tests/spec/delivery/world.lua"

local begun = {}

--- A loop in a world of its own; `server` gets a batch, and what it returns is what send() does.
local function begin(server, options)
  local w = world.new()
  w.calls, w.told = {}, {}
  local own = delivery.start(setmetatable(options or {}, { __index = {
    consumer = "a",
    streams = { "alerts", "results", "events", "status" },
    host = w.host,
    report = function(line) w.told[#w.told + 1] = line end,
    send = function(batch, budget)
      local ids = {}
      for i, item in ipairs(batch) do
        ids[i] = item.id
      end
      w.calls[#w.calls + 1] = { time = w.time, ids = ids, budget = budget }
      return server(batch, w)
    end,
  } }))
  begun[#begun + 1] = own
  return w
end

local function ids(w)
  local list = {}
  for i, call in ipairs(w.calls) do
    list[i] = table.concat(call.ids, " ")
  end
  return list
end

local function takes_all()
  return true
end

describe("delivery", function()
  after_each(function()
    while #begun > 0 do
      delivery.stop(table.remove(begun))
    end
  end)

  it("sends what comes in batches, and alerts at once", function()
    local w = begin(takes_all)
    w.run(10)
    w.add "events"
    w.add "events"
    w.run(500)
    assert.are.same({}, ids(w))
    w.add "results"
    w.run(1100)
    assert.are.same({ "results1 events1 events2" }, ids(w))
    assert.are.equal(1010, w.calls[1].time)
    w.add "events"
    w.run(1200)
    w.add "alerts"
    w.run(1201)
    assert.are.same("alerts1 events3", ids(w)[2])
    assert.are.equal(1200, w.calls[2].time)
    assert.are.equal(0, w.waiting())
  end)

  it("does not wait once a batch is full, and sends the rest behind it", function()
    local w = begin(takes_all, { max_rows = 3 })
    for _ = 1, 7 do
      w.add "events"
    end
    w.run(0)
    assert.are.same({ "events1 events2 events3", "events4 events5 events6", "events7" }, ids(w))
  end)

  it("waits between tries, longer each time, with full jitter and a bound", function()
    local w = begin(function() return nil, "HTTP 503", {} end)
    w.add "alerts"
    w.random = 1
    w.run(20 * 60 * 1000)
    local gaps = {}
    for i = 2, #w.calls do
      gaps[i - 1] = (w.calls[i].time - w.calls[i - 1].time) / 1000
    end
    assert.are.same({ 1, 2, 4, 8, 16, 32, 64, 128, 256, 300 }, table.move(gaps, 1, 10, 1, {}))
    assert.are.equal(1, w.waiting())
    assert.are.equal(2, #w.told) -- the first, and that the circuit opened
    assert.truthy(w.told[1]:find("HTTP 503", 1, true))

    w = begin(function() return nil, "HTTP 503", {} end)
    w.random = 0.25
    w.add "alerts"
    w.run(250)
    assert.are.equal(2, #w.calls)
    assert.are.equal(250, w.calls[2].time)
  end)

  it("obeys Retry-After, with all that send to the same server", function()
    local gate = { not_before = 0 }
    local w = begin(function(_, w)
      return w.time >= 60000 or nil, "HTTP 429", { retry_after_s = 60 }
    end, { gate = gate })
    w.random = 0.5
    w.add "alerts"
    w.run(59999)
    assert.are.equal(1, #w.calls)
    assert.are.equal(60000, gate.not_before)
    w.add "alerts"
    w.run(59999)
    w.run(70000)
    assert.are.equal(2, #w.calls)
    assert.are.equal(63000, w.calls[2].time)
    assert.are.equal(0, w.waiting())
  end)

  it("opens the circuit at a refusal that time does not heal, and tries few rows", function()
    local is_right = false
    local w = begin(function() return is_right or nil, "HTTP 401", { stop = true } end)
    for _ = 1, 50 do
      w.add "events"
    end
    w.run(10 * 60 * 1000)
    assert.is_true(#w.calls <= 6, #w.calls)
    assert.are.equal(50, #w.calls[1].ids)
    assert.are.equal(10, #w.calls[2].ids)
    assert.are.equal(50, w.waiting())
    assert.are.equal(1, #w.told)
    is_right = true
    w.run(20 * 60 * 1000)
    assert.are.equal(0, w.waiting())
    assert.truthy(w.told[#w.told]:find "again")
  end)

  it("sends what piled up at a bounded rate that grows, alerts first", function()
    local is_up = false
    local w = begin(function() return is_up or nil, "refused", {} end)
    w.random = 1
    for _ = 1, 2000 do
      w.add("events", ("x"):rep(1000))
    end
    w.run(63000)
    is_up = true
    local first = #w.calls + 1
    w.run(127000) -- the next try
    local start = w.calls[first].time
    w.run(start + 5000)
    w.add "alerts"
    w.run(start + 5001)
    local sent, bytes_5s = 0, 0
    for i = first, #w.calls do
      sent = sent + #w.calls[i].ids
      if w.calls[i].time <= start + 5000 then
        bytes_5s = sent * 1000
      end
    end
    assert.is_true(bytes_5s >= 4 * 65536 and bytes_5s <= 7 * 65536, bytes_5s)
    assert.are.equal("alerts1", w.calls[#w.calls].ids[1])
    assert.is_true(w.calls[#w.calls].time - (start + 5000) < 2)
    w.run(start + 40000)
    assert.are.equal(0, w.waiting())
  end)

  it("never takes a failure for a delivery", function()
    local n = 0
    local w = begin(function(_, _)
      n = n + 1
      return n % 3 == 0 or nil, "HTTP 500", {}
    end)
    for i = 1, 100 do
      w.add(i % 2 == 0 and "events" or "results")
      w.run(i * 5000)
    end
    w.run(3600 * 1000)
    assert.are.equal(0, w.waiting())
    assert.are.same({}, w.aside)
  end)

  it("sets aside the row that is refused for its content, and no other", function()
    local w = begin(function(batch)
      for _, item in ipairs(batch) do
        if item.body == "bad" then
          return nil, "HTTP 400: no", { is_poison = true }
        end
      end
      return true
    end)
    for i = 1, 100 do
      w.add("events", (i == 1 or i == 37 or i == 100) and "bad" or "{}")
    end
    w.run(10000)
    assert.are.same({ { "events1", "HTTP 400: no" }, { "events37", "HTTP 400: no" }, { "events100", "HTTP 400: no" } }, w.aside)
    assert.are.equal(0, w.waiting())
    assert.is_true(#w.calls < 50, #w.calls)
    assert.are.equal(1, #w.told)
  end)

  it("does not set aside what a server refuses that takes nothing", function()
    local w = begin(function() return nil, "HTTP 400", { is_poison = true } end)
    for _ = 1, 500 do
      w.add "alerts"
    end
    w.run(60000)
    assert.are.same({}, w.aside)
    assert.are.equal(500, w.waiting())
    -- Alone it goes after some tries: one every few minutes.
    w.run(2 * 3600 * 1000)
    assert.is_true(#w.aside < 30, #w.aside)
    assert.is_true(#w.calls < 1000, #w.calls)
  end)

  it("sets a row aside in the end when there is no other", function()
    local w = begin(function() return nil, "HTTP 422", { is_poison = true } end)
    w.add("results", "bad", "lone")
    w.run(10 * 60 * 1000)
    assert.are.same({ { "lone", "HTTP 422" } }, w.aside)
    assert.are.equal(0, w.waiting())
  end)

  it("sends again only what was not taken of a batch", function()
    local first = true
    local w = begin(function()
      if first then
        first = false
        return nil, "some", { accepted = { [1] = true, [2] = true, [4] = true }, refused = { [5] = "mapping" } }
      end
      return true
    end)
    w.random = 1
    for _ = 1, 6 do
      w.add "events"
    end
    w.run(999)
    assert.are.equal(4, w.waiting())
    w.run(5000)
    assert.are.equal("events3 events6", ids(w)[2])
    assert.are.same({ { "events5", "mapping" } }, w.aside)
    assert.are.equal(0, w.waiting())
  end)

  it("goes on when sending raises an error", function()
    local n = 0
    local w = begin(function()
      n = n + 1
      return n > 1 or error "boom"
    end)
    w.add "alerts"
    w.run(5000)
    assert.are.equal(0, w.waiting())
    assert.truthy(w.told[1]:find "boom")
  end)

  it("flushes: at once, whatever it waits for, within the time", function()
    local is_up = false
    local w = begin(function() return is_up or nil, "refused", {} end)
    w.random = 1
    for _ = 1, 10 do
      w.add "events"
    end
    w.run(63000) -- now it waits for 64 s
    is_up = true
    local left
    w.host.spawn(function() left = delivery.flush(2000) end)
    w.run(63100)
    assert.are.equal(0, left)
    assert.are.equal(0, w.waiting())
    assert.are.equal(2000, w.calls[#w.calls].budget)

    w.add "events"
    is_up = false
    w.host.spawn(function() left = delivery.flush(2000) end)
    w.run(65300)
    assert.are.equal(1, left)
    assert.are.equal(1, w.waiting())
    is_up = true -- and afterwards it goes on as before
    w.run(200000)
    assert.are.equal(0, w.waiting())
  end)
end)

describe("an answer", function()
  local function judge(status, headers)
    return answer.judge({ status = status, headers = headers or {}, body = "why" }, nil, nil, 1000000000)
  end

  it("of 2xx is the only one that is a success", function()
    for status = 100, 599 do
      assert.are.equal(status >= 200 and status < 300, judge(status) == true, status)
    end
  end)

  it("says when to come again, by seconds or by date", function()
    local _, message, trouble = judge(503, { ["retry-after"] = "120" })
    assert.are.equal(120, trouble.retry_after_s)
    assert.are.equal("HTTP 503: why", message)
    _, _, trouble = judge(429, { ["retry-after"] = "Sun, 09 Sep 2001 01:47:40 GMT" })
    assert.are.equal(60, trouble.retry_after_s)
    _, _, trouble = judge(429, { ["retry-after"] = "Sun, 09 Sep 2001 01:40:00 GMT" })
    assert.are.equal(0, trouble.retry_after_s)
    _, _, trouble = judge(429, { ["retry-after"] = "soon" })
    assert.is_nil(trouble.retry_after_s)
    _, _, trouble = judge(429, { ["retry-after"] = "99999999" })
    assert.are.equal(3600, trouble.retry_after_s)
  end)

  it("tells what is at fault", function()
    for status, what in pairs { [400] = "is_poison", [413] = "is_poison", [422] = "is_poison", [401] = "stop", [403] = "stop",
                                [302] = "stop" } do
      local _, _, trouble = judge(status)
      assert.truthy(trouble[what], status)
    end
    local _, _, trouble = answer.judge(nil, "no such host", "ENOENT", 0)
    assert.falsy(trouble.stop)
    _, _, trouble = answer.judge(nil, "certificate", "EKEYREJECTED", 0)
    assert.is_true(trouble.stop)
  end)
end)

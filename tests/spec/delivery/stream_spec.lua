-- Sinks that are not HTTP, against small peers; real ones are in tests/system.
local cjson = require "cjson"
local loop = require "moonwatch.loop"
local msgpack = require "moonwatch.sink.msgpack"
local servers = require "tests.fixtures.net.server"
local stream = require "moonwatch.stream"
local syslog = require "moonwatch.sink.syslog"
local through = dofile "tests/spec/delivery/through.lua"

local ports, dir, stop_http, stop

setup(function()
  local _
  _, dir, stop_http = servers.bad()
  local ready = servers.new_path()
  ports, stop = servers.start(("python3 tests/fixtures/sinks/stream_sink.py %s %s/server.pem %s/server-key.pem"):format(ready, dir, dir),
    ready)
end)

teardown(function()
  stop()
  stop_http()
end)

local function seen()
  local connection <close> = assert(stream.connect { host = "127.0.0.1", port = ports.seen })
  local parts = {}
  while true do
    local bytes = connection:read(65536, 5000)
    if not bytes then
      return cjson.decode(table.concat(parts))
    end
    parts[#parts + 1] = bytes
  end
end

local function deliver(spec, bodies, steps)
  steps = steps or {}
  steps.before = seen
  steps.after = function()
    loop.sleep(50)
    return seen()
  end
  return through.deliver(spec, bodies, steps)
end

describe("a stream", function()
  it("says what is wrong", function()
    loop.run(function()
      local opened, _, code = stream.connect { host = "127.0.0.1", port = 1 }
      assert.is_nil(opened)
      assert.are.equal("ECONNREFUSED", code)
      opened, _, code = stream.connect { host = "localhost", port = ports.tls, tls = true }
      assert.is_nil(opened)
      assert.are.equal("EKEYREJECTED", code)
      opened = assert(stream.connect { host = "localhost", port = ports.tls, tls = true, ca_file = dir .. "/ca.pem" })
      local _, _, late = opened:read(1, 20)
      assert.are.equal("ETIMEDOUT", late)
      opened:close()
      assert.has_error(function() opened:read() end)
      assert.has_error(function() stream.connect { host = "localhost" } end)
    end)
  end)

  it("sends much, and a secret", function()
    loop.run(function()
      seen()
      local opened <close> = assert(stream.connect { host = "127.0.0.1", port = ports.tcp })
      local body = ("x"):rep(3000000)
      assert.is_true(opened:write(("%d %s"):format(#body, body)))
      assert.is_true(opened:write(require "moonwatch.secret".new "5 abcde"))
      local got = {}
      local deadline = loop.now() + 10000
      while #got < 2 and loop.now() < deadline do
        table.move(seen(), 1, 2, #got + 1, got)
      end
      assert.are.equal(3000000, #got[1])
      assert.are.equal("abcde", got[2])
    end)
  end)
end)

describe("Forward", function()
  it("sends records, and takes an acknowledgement for each batch", function()
    local got, counts = deliver(("results/json:forward=tcp://127.0.0.1:%d;tag=mw.{stream}"):format(ports.forward),
      { '{"a":1,"b":{"c":["x",-5,1.5,true,null]},"e":[]}', "no JSON" })
    assert.are.equal(1, #got)
    assert.are.equal("mw.results", got[1].tag)
    assert.are.equal(2, got[1].option.size)
    assert.are.equal(32, #got[1].option.chunk)
    assert.are.same({ { 1700000000, 123000001 }, { a = 1, b = { c = { "x", -5, 1.5, true, cjson.null } }, e = {} } }, got[1].entries[1])
    assert.are.same({ log = "no JSON" }, got[1].entries[2][2])
    assert.are.equal(2, counts.read)
  end)

  it("sends again what was not acknowledged", function()
    local got, counts = deliver(("results/json:forward=tcp://127.0.0.1:%d"):format(ports.forward), { '{"a":"drop"}', '{"a":2}' })
    assert.are.equal(1, #got)
    assert.are.equal(2, #got[1].entries)
    assert.are.equal(2, counts.read)
    assert.truthy(through.reported[1]:find "closed")
  end)

  it("finds the log router of the task", function()
    local output = require "moonwatch.output"
    assert.is_nil(output.parse("results/json:forward")[1].address.host) -- said when it is connected to
  end)

  it("has lengths of every kind", function()
    for _, n in ipairs { 0, 31, 32, 255, 256, 65535, 65536 } do
      local out = {}
      msgpack.add(("x"):rep(n), out)
      assert.are.equal(n < 32 and 1 or n < 256 and 2 or n < 65536 and 3 or 5, #table.concat(out) - n)
    end
    assert.are.same({ "abc", 9 }, { msgpack.ack "\x81\xa3ack\xa3abc" })
    assert.is_nil(msgpack.ack "\x81\xa3ack\xa3ab")
    assert.is_false(msgpack.ack "\x91")
    assert.is_false((msgpack.ack "\x81\xa3nak\xa3abc"))
  end)
end)

describe("syslog", function()
  it("frames messages over TCP and TLS", function()
    for _, target in ipairs { "tcp://127.0.0.1:" .. ports.tcp, ("tls://localhost:%d;ca=%s/ca.pem"):format(ports.tls, dir) } do
      local got, counts = deliver(("results/json:syslog=%s;host=web 1;facility=local3"):format(
        target:gsub(";", ";", 1)), { '{"a":1}', '{"a":"\\u00e9"}' })
      assert.are.same({
        '<158>1 2023-11-14T22:13:20.123000Z web?1 moonwatch - query1 - {"a":1}',
        '<158>1 2023-11-14T22:13:20.123000Z web?1 moonwatch - query2 - {"a":"\\u00e9"}',
      }, got)
      assert.are.equal(2, counts.read)
    end
  end)

  it("does not trust another certificate, and delivers nothing", function()
    local got, counts = deliver("results/json:syslog=tls://localhost:" .. ports.tls, { "{}" }, { seconds = 1 })
    assert.are.same({}, got)
    assert.are.equal(1, counts.waiting)
    assert.truthy(through.reported[1]:find "certificate")
  end)

  it("says how bad an alert is, and leaves a message of the format rfc5424 alone", function()
    local item = { stream = "alerts", kind = "process.exec", time_ns = 0, body = '{"rule":{"severity":"high"}}' }
    assert.matches("^<83>1 1970", syslog.message("x", item, { facility = "authpriv", app = "a" }))
    assert.are.equal("<13>1 - x", syslog.message("<13>1 - x", item, {}))
  end)
end)

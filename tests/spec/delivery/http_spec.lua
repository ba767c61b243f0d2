-- Sinks over HTTP, from the spool to a server that fails in between.
local cjson = require "cjson"
local network = require "moonwatch.delivery.outputs"
local servers = require "tests.fixtures.net.server"
local through = dofile "tests/spec/delivery/through.lua"
local tls = require "moonwatch.tls"

local url, stop

setup(function()
  local ready = servers.new_path()
  local told
  told, stop = servers.start("python3 tests/fixtures/sinks/http_sink.py " .. ready, ready)
  url = "http://127.0.0.1:" .. told.port
end)

teardown(function()
  stop()
end)

local function seen()
  return cjson.decode(assert(tls.request { url = url .. "/seen", plain = true, answer_bytes = 16 << 20 }).body)
end

local function answers(list)
  assert.are.equal(200, assert(tls.request { url = url .. "/answers", plain = true, body = cjson.encode(list) }).status)
end

--- `prepare` says what the server is to answer.
---@return table[] requests, table counts
local function deliver(spec, bodies, prepare)
  return through.deliver(spec, bodies, {
    before = function()
      seen()
      if prepare then
        answers(prepare)
      end
    end,
    after = seen,
  })
end

local function bodies_of(requests)
  local list = {}
  for i, request in ipairs(requests) do
    list[i] = request.body
  end
  return list
end

describe("HTTP", function()
  it("posts lines, packed, in one request", function()
    local requests, counts = deliver("results/json:http=" .. url .. "/in?x=1;header=X-Team: red", { '{"a":1}', '{"a":2}' })
    assert.are.equal(1, #requests)
    assert.are.equal('{"a":1}\n{"a":2}\n', requests[1].body)
    assert.are.equal("/in?x=1", requests[1].path)
    assert.are.equal("application/x-ndjson", requests[1].headers["content-type"])
    assert.are.equal("gzip", requests[1].headers["content-encoding"])
    assert.are.equal("red", requests[1].headers["x-team"])
    assert.are.same({ written = 2, read = 2, dropped = 0, aside = 0, handed = 0, waiting = 0 }, counts)
  end)

  it("delivers after failures of every kind, and nothing is lost", function()
    local requests, counts = deliver("results/json:http=" .. url .. "/;gzip=no;period_ms=1", { '{"a":1}', '{"a":2}' }, {
      { status = 503, headers = { ["Retry-After"] = "0" } }, { reset = true }, { status = 204 },
    })
    assert.are.equal(3, #requests)
    assert.is_nil(requests[1].headers["content-encoding"])
    assert.are.equal(requests[1].body, requests[3].body)
    assert.are.equal(2, counts.read)
    assert.truthy(through.reported[1]:find "HTTP 503")
    assert.truthy(through.reported[#through.reported]:find "delivers again")
  end)

  it("sets aside what is refused for its content, alone", function()
    local bodies = {}
    for i = 1, 40 do
      bodies[i] = ('{"n":%d,"text":"%s"}'):format(i, i == 23 and "poison" or "")
    end
    local requests, counts = deliver("results/json:http=" .. url .. "/;period_ms=1", bodies)
    assert.are.same({ written = 40, read = 39, dropped = 0, aside = 1, handed = 0, waiting = 0 }, counts)
    local taken = 0
    for _, request in ipairs(requests) do
      if request.status == 200 then
        taken = taken + select(2, request.body:gsub("\n", ""))
      end
    end
    assert.are.equal(39, taken)
    assert.are.equal(1, #through.reported)
  end)

  it("speaks to Splunk's collector", function()
    local secret = servers.new_path()
    local file <close> = assert(io.open(secret, "w"))
    file:write "abc-def\n"
    file:close()
    local requests = deliver(("results/json:http=%s;to=splunk;index=main;token=file:%s"):format(url, secret), { '{"a":1}', '{"a":2}' })
    assert.are.equal("/services/collector/event", requests[1].path)
    assert.are.equal("Splunk abc-def", requests[1].headers.authorization)
    local events = {}
    for line in requests[1].body:gmatch "[^\n]+" do
      events[#events + 1] = cjson.decode(line)
    end
    assert.are.same({ time = 1700000000.123, source = "moonwatch", sourcetype = "moonwatch:results", index = "main", event = { a = 2 } },
      events[2])
  end)

  it("judges each document of _bulk", function()
    local requests, counts = deliver(("results/json:http=%s/base/;to=opensearch;period_ms=1;index=sec-{stream}"):format(url),
      { '{"a":1}', '{"a":"bad"}', '{"a":"busy"}', '{"a":"again"}' })
    assert.are.equal(2, #requests)
    assert.are.equal("/base/_bulk", requests[1].path)
    local action = cjson.decode(requests[1].body:match "^[^\n]+")
    assert.are.equal("sec-results", action.create._index)
    assert.truthy(requests[2].body:find "busy")
    assert.falsy(requests[2].body:find '"a":1')
    assert.are.same({ written = 4, read = 3, dropped = 0, aside = 1, handed = 0, waiting = 0 }, counts)
    assert.truthy(table.concat(through.reported, "\n"):find "mapper_parsing_exception")
  end)

  it("inserts into ClickHouse", function()
    local requests = deliver(("results/json:http=%s;to=clickhouse;table=lines;database=db;user=me"):format(url), { '{"a":"x\\ny"}' })
    assert.are.equal("/?query=INSERT%20INTO%20db.lines%20FORMAT%20JSONEachRow", requests[1].path)
    assert.are.equal("me", requests[1].headers["x-clickhouse-user"])
    local row = cjson.decode(requests[1].body)
    assert.are.same({ stream = "results", kind = "query1", rule = "", line = '{"a":"x\\ny"}' },
      { stream = row.stream, kind = row.kind, rule = row.rule, line = row.line })
    assert.truthy(requests[1].body:find '"time_ns":1700000000123000001')
    requests = deliver(("results/json:http=%s;to=clickhouse;table=t;columns=own"):format(url), { '{"a":1}' })
    assert.are.equal('{"a":1}\n', requests[1].body)
  end)

  it("pushes to Loki", function()
    local requests = deliver(("results/json:http=%s;to=loki;label.env=prod;tenant=t1"):format(url), { '{"a":1}', '{"a":2}' })
    assert.are.equal("/loki/api/v1/push", requests[1].path)
    assert.are.equal("t1", requests[1].headers["x-scope-orgid"])
    assert.are.same({ streams = { {
      stream = { job = "moonwatch", stream = "results", env = "prod" },
      values = { { "1700000000123000001", '{"a":1}' }, { "1700000000123000002", '{"a":2}' } },
    } } }, cjson.decode(requests[1].body))
  end)

  it("posts as many rows as it is told to", function()
    local requests = bodies_of((deliver("results/json:http=" .. url .. "/;rows=1;gzip=no", { "1", "2", "3" })))
    assert.are.same({ "1\n", "2\n", "3\n" }, requests)
  end)
end)

describe("an output's name", function()
  local parse = require "moonwatch.output".parse

  local function names(spec)
    local used, list = {}, {}
    for i, part in ipairs(assert(parse(spec))) do
      list[i] = network.name_of(part, used)
    end
    return list
  end

  it("is stable, told apart, and shows nothing secret", function()
    assert.are.same({ "http=https://h/a", "http=https://h/a events", "http=https://h/a json", "http=https://h/a (2)", "mine" },
      names("alerts/json:http=https://h/a?token=1,events/json:http=https://h/a,events/json:http=https://h/a?b,"
        .. "alerts/json:http=https://h/a;name=http=https://h/a (2),alerts/json:http=https://h/x;name=mine"))
    local long = names("alerts/json:http=https://h/" .. ("x"):rep(300))[1]
    assert.is_true(#long <= 120)
  end)
end)

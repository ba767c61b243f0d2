--- Work of the libraries the program brings: one line each, "NAME MILLISECONDS", the fastest of some rounds.
--- usage: moonwatch lua tests/bench/portable.lua [ROUNDS]
local cjson = require "cjson"

local rounds = tonumber(arg and arg[1]) or 5

local works = {}

-- Tables and strings that come and go, as rules and outputs make them.
works[1] = { "Lua, tables and strings", function()
  local kept = {}
  for i = 1, 200000 do
    local event = { id = i, name = "process-" .. i % 997, args = { "a", "b" .. i, tostring(i) }, parent = { pid = i - 1 } }
    kept[i % 1000 + 1] = event
  end
  return #kept
end }

local document = cjson.encode {
  name = "process.exec", pid = 4711, path = "/usr/bin/env", arguments = { "env", "-i", "sh", "-c", "echo hello" },
  parent = { pid = 1, name = "init", path = "/sbin/init" }, numbers = { 1, 2.5, 1e10 },
}
works[2] = { "cjson, decode and encode", function()
  local bytes = 0
  for _ = 1, 30000 do
    bytes = bytes + #cjson.encode(cjson.decode(document))
  end
  return bytes
end }

local text = ("GET /index.html?user=someone&id=42 HTTP/1.1\r\nHost: example.org\r\n"):rep(20)
works[3] = { "Lua, patterns", function()
  local found = 0
  for _ = 1, 400 do
    for key, value in text:gmatch("(%w+)=([^& ]+)") do
      found = found + #key + #value
    end
    found = found + #text:gsub("%s+", " "):upper()
  end
  return found
end }

local db = assert(require("moonwatch.sql").open {})
local query = [[
  with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000)
  select count(*), sum(length(t)) from (
    select i % 5000 as k, 'value ' || i as t from n order by t) join (select i as j from n limit 5000) on j = k]]
works[4] = { "SQLite, sort and join", function()
  local statement <close> = assert(db:prepare(query))
  return statement:step()
end }

works[5] = { "Lua, garbage of all sizes", function()
  local sum = 0
  for i = 1, 60000 do
    sum = sum + #(("x"):rep(i % 700)) + #{ i, i, i, i }
  end
  return sum
end }

for _, work in ipairs(works) do
  local best = math.huge
  for _ = 1, rounds do
    collectgarbage()
    local start = os.clock()
    assert(work[2]())
    best = math.min(best, os.clock() - start)
  end
  print(("%s\t%.1f"):format(work[1], best * 1000))
end

--- moonwatch.query: queries in a thread beside the loop, with limits.
local loop = require "moonwatch.loop"
local query = require "moonwatch.query"

local ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT "

--- Run as a task; what it returns.
local function task(body)
  return loop.run(body)
end

describe("a query beside the loop", function()
  task(function()
    query.setup { state_dir = "/nowhere" }
  end)

  it("gives rows with their types, columns and what it cost", function()
    task(function()
      local rows, columns, stats = query.run "SELECT 1 AS a, 2.5 AS b, 'x' AS c, NULL AS d, x'00ff' AS e"
      assert.are.same({ { a = 1, b = 2.5, c = "x", e = "\0\xff" } }, rows)
      assert.are.equal("integer", math.type(rows[1].a))
      assert.are.same({ "a", "b", "c", "d", "e" }, { columns[1].name, columns[2].name, columns[3].name, columns[4].name,
        columns[5].name })
      for _, name in ipairs { "wall_ms", "user_ms", "system_ms", "memory" } do
        assert.are.equal("integer", math.type(stats[name]), name)
      end
      local _, typed = query.run "SELECT pid, name FROM processes LIMIT 1"
      assert.are.same({ { name = "pid", type = "BIGINT" }, { name = "name", type = "TEXT" } }, typed)
    end)
  end)

  it("runs several statements, and joins their rows", function()
    task(function()
      assert.are.same({ { a = 1 }, { b = 2 } }, (query.run "SELECT 1 AS a; -- one\nSELECT 2 AS b;"))
    end)
  end)

  it("writes rows as JSON: keys sorted by bytes, values as texts, the last of columns of one name", function()
    task(function()
      local text = "SELECT 7 AS b, 2.0 AS a, NULL AS d, 1e300 AS B, 'x' || char(1) || cast(x'ff' AS TEXT) || 'é\"\\' AS c, 8 AS b"
      assert.are.same({ [[{"B":"1.0e+300","a":"2.0","b":"8","c":"x\\x01\\xFFé\"\\","d":""}]] },
        (query.run(text, { json = { sorted = true, escaped = true } })))
      assert.are.same({ '{"a":2.0,"d":"none","B":1.0e+300,"c":"x\\u0001\u{FFFD}é\\"\\\\","b":8}' },
        (query.run(text, { json = { numbers = true, null = "none" } })))
      -- What JSON has no number for stays a text.
      assert.are.same({ '{"a":"Inf"}' }, (query.run("SELECT 1e999 AS a", { json = { numbers = true } })))
    end)
  end)

  it("lets the loop go on while it runs, and ends at its time", function()
    task(function()
      local ticks, is_over = 0, false
      loop.spawn(function()
        while not is_over do
          loop.sleep(5)
          ticks = ticks + 1
        end
      end)
      local rows, message, code, stats = query.run(ENDLESS .. "count(*) FROM c", { time_ms = 400 })
      is_over = true
      assert.is_nil(rows)
      assert.are.equal("ETIME", code)
      assert.is_truthy(message:find("stopped after 400 ms", 1, true), message)
      assert.is_true(stats.wall_ms >= 400, stats.wall_ms)
      -- 80 when nothing else runs here.
      assert.is_true(ticks >= 8, "the loop went on " .. ticks .. " times")
    end)
  end)

  it("ends when it gives too many rows, too many bytes, or takes too much memory", function()
    task(function()
      local function code_of(text, options)
        local rows, message, code = query.run(text, options)
        return rows == nil and code or tostring(message)
      end
      assert.are.equal("ENOBUFS", code_of(ENDLESS .. "x FROM c", { rows = 10 }))
      assert.are.equal("ENOBUFS", code_of(ENDLESS .. "x FROM c", { answer_bytes = 1000 }))
      assert.are.equal("ENOBUFS", code_of(ENDLESS .. "x FROM c"))
      assert.are.equal("ENOMEM", code_of(ENDLESS .. "randomblob(1000) AS b FROM c ORDER BY b", { memory_bytes = 4 << 20 }))
      assert.are.same({ { a = 1 } }, (query.run "SELECT 1 AS a"))
    end)
  end)

  it("reads alone, and says what is wrong", function()
    task(function()
      for text, expected in pairs {
        ["CREATE TABLE t(a)"] = "EPERM",
        ["SELECT load_extension('x')"] = "EPERM",
        ["PRAGMA writable_schema = 1"] = "EPERM",
        ["SELECT"] = "EINVAL",
        [""] = "EINVAL",
        ["SELECT * FROM nowhere"] = "EINVAL",
        ["SELECT 1; DROP TABLE processes"] = "EPERM",
      } do
        local rows, message, code = query.run(text)
        assert.is_nil(rows, text)
        assert.are.equal(expected, code, text .. ": " .. tostring(message))
      end
    end)
  end)

  it("knows which tables a query reads", function()
    task(function()
      assert.are.same({ "processes", "users", "process_events" }, (query.tables [[
        SELECT * FROM processes p JOIN users USING (uid) WHERE p.pid IN (SELECT pid FROM process_events)]]))
      assert.are.same({}, (query.tables "SELECT 1"))
      local names, message, code = query.tables "SELECT * FROM nowhere"
      assert.is_nil(names)
      assert.are.equal("EINVAL", code, message)
    end)
  end)

  it("knows views, also of views, and refuses what is no SELECT", function()
    task(function()
      local refused = query.views {
        outer = "SELECT pid FROM inner_one;",
        inner_one = "\n SELECT * FROM processes WHERE pid = 1 -- init",
        two = "SELECT 1; SELECT 2",
        writes = "CREATE TABLE t(a)",
        drops = "SELECT 1; DROP TABLE processes",
        half = "SELECT 1; SELEC",
        users = "SELECT 1",
        plan = "EXPLAIN SELECT 1",
        list = "PRAGMA table_list",
        ["x y"] = "SELECT 1",
        broken = "SELECT * FROM nowhere",
      }
      local names = {}
      for name in ("\n" .. refused):gmatch "\nview ([^:]+):" do
        names[#names + 1] = name
      end
      table.sort(names)
      assert.are.same({ "broken", "drops", "half", "list", "plan", "two", "users", "writes", "x y" }, names)
      assert.are.same({ { pid = 1 } }, (query.run "SELECT * FROM outer"))
      assert.are.same({ "processes", "inner_one", "outer" }, (query.tables "SELECT * FROM outer"))
      assert.are.equal("", query.views {})
      local _, _, code = query.run "SELECT * FROM outer"
      assert.are.equal("EINVAL", code)
    end)
  end)

  it("is answered in the order of asking, and not asked for more than a queue's worth", function()
    task(function()
      local answers, refused, order = 0, 0, {}
      loop.spawn(query.run, ENDLESS .. "count(*) FROM c", { time_ms = 300 })
      for i = 1, 80 do
        loop.spawn(function()
          local rows, _, code = query.run("SELECT " .. i .. " AS i")
          answers = answers + 1
          if rows then
            order[#order + 1] = rows[1].i
          elseif code == "EBUSY" then
            refused = refused + 1
          end
        end)
      end
      while answers < 80 do
        loop.sleep(5)
      end
      assert.is_true(refused >= 16 and refused <= 17, refused)
      assert.are.equal(80 - refused, #order)
      for i = 2, #order do
        assert.is_true(order[i - 1] < order[i])
      end
    end)
  end)

  it("can be interrupted, and those behind it go on", function()
    task(function()
      local ended
      loop.spawn(function()
        local _, _, code = query.run(ENDLESS .. "count(*) FROM c")
        ended = code
      end)
      local rows
      loop.spawn(function()
        rows = query.run "SELECT 1 AS a"
      end)
      repeat
        query.interrupt()
        loop.sleep(1)
      until rows
      assert.are.equal("EINTR", ended)
      assert.are.same({ { a = 1 } }, rows)
    end)
  end)

  it("waits in a task alone", function()
    assert.has_error(function()
      query.run "SELECT 1"
    end)
  end)
end)

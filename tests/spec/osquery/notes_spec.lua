--- moonwatch.notes: texts that are found again.
local notes = require "moonwatch.notes"
local program = require "tests.spec.program"

describe("notes", function()
  local dir = program.write("", "here"):match "^(.*)/"

  it("are found again, also by the next one who opens them", function()
    assert(notes.open { dir = dir })
    assert.is_nil((notes.get "a"))
    local _, _, code = notes.get "a"
    assert.are.equal("ENOENT", code)
    assert(notes.put("a", "one\n\0two"))
    assert(notes.put("b.2", ("x"):rep(3 << 20)))
    assert(notes.put("b.1", ""))
    assert(notes.put("a", "other\n\0two"))
    assert(notes.open { dir = dir })
    assert.are.equal("other\n\0two", notes.get "a")
    assert.are.equal(3 << 20, #notes.get "b.2")
    assert.are.equal("", notes.get "b.1")
    assert.are.same({ "b.1", "b.2" }, notes.names "b.")
    assert(notes.remove "b.1")
    assert.are.same({ "a", "b.2" }, notes.names())
    local mode = io.popen("stat -c %a " .. dir .. "/notes.db"):read "l"
    assert.are.equal("600", mode)
  end)

  it("have a limit", function()
    assert(notes.open { dir = "" })
    local _, _, code = notes.put("a", ("x"):rep((16 << 20) + 1))
    assert.are.equal("E2BIG", code)
    local ok, message, why
    for i = 1, 40 do
      ok, message, why = notes.put("n" .. i, ("x"):rep(1 << 20))
      if not ok then
        break
      end
    end
    assert.is_nil(ok)
    assert.are.equal("ENOSPC", why, message)
    assert.are.equal(1 << 20, #notes.get "n1")
  end)

  it("are begun anew where the file is none", function()
    for _, text in ipairs { "no database at all", ("x"):rep(10000) } do
      local file <close> = assert(io.open(dir .. "/notes.db", "wb"))
      file:write(text)
      file:close()
      os.remove(dir .. "/notes.db-wal")
      assert(notes.open { dir = dir })
      assert.is_nil((notes.get "a"))
      assert(notes.put("a", "1"))
      assert.are.equal("1", notes.get "a")
      assert(notes.open { dir = "" })
    end
  end)
end)

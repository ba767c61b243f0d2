-- Output of busted as TAP: on standard output for people, and in the file named by -Xoutput for
-- tests/one, so that nothing a test prints can pass for a result.

return function(options)
  local busted = require "busted"
  local handler = require "busted.outputHandlers.base"()
  local path = options.arguments[1]
  local count = 0

  -- Opened for each line: a test's own children shall not inherit it.
  local function write(line)
    io.write(line, "\n")
    io.flush()
    if path then
      local file <close> = assert(io.open(path, "a"))
      file:write(line, "\n")
    end
  end

  local function one_line(text)
    return (tostring(text):gsub("%s*\n%s*", " "))
  end

  local function note(text)
    text = tostring(text):gsub("%s+$", "")
    io.write("#   ", (text:gsub("\n", "\n#   ")), "\n")
  end

  local function result(verdict, name)
    count = count + 1
    write(("%s %d - %s"):format(verdict, count, one_line(name)))
  end

  local function failed(problem)
    result("not ok", problem.name)
    local where = problem.element.trace
    if where then
      note(("%s:%s"):format(where.short_src, where.currentline))
    end
    local message = problem.message
    if type(message) == "table" then
      message = require("pl.pretty").write(message)
    end
    note(message or "error without a message")
    local traceback = problem.trace and problem.trace.traceback
    if traceback then
      note((traceback:gsub("^\n", "")))
    end
    io.flush()
  end

  handler.testEnd = function(_, _, status)
    if status == "success" then
      result("ok", handler.successes[#handler.successes].name)
    elseif status == "pending" then
      local pending = handler.pendings[#handler.pendings]
      local reason = pending.message or "no reason given"
      result("ok", pending.name .. " # SKIP " .. one_line(reason))
    elseif status == "failure" then
      failed(handler.failures[#handler.failures])
    else
      failed(handler.errors[#handler.errors])
    end
    return nil, true
  end

  -- Outside of a test: the file does not load, or a setup or teardown failed.
  handler.error = function(element)
    if element.descriptor ~= "it" then
      failed(handler.errors[#handler.errors])
    end
    return nil, true
  end

  handler.suiteEnd = function()
    write("1.." .. count)
    return nil, true
  end

  busted.subscribe({ "test", "end" }, handler.testEnd, { predicate = handler.cancelOnPending })
  busted.subscribe({ "error" }, handler.error)
  busted.subscribe({ "failure" }, handler.error)
  busted.subscribe({ "suite", "end" }, handler.suiteEnd)
  return handler
end

--- The reference backend (tests/backend) for system specs: strict with what it is sent, and as bad as it is told to be.
local cjson = require "cjson"
local loop = require "moonwatch.loop"
local servers = require "tests.fixtures.net.server"
local support = require "tests.system.support"
local tls = require "moonwatch.tls"

local M = {}

---@class system.Backend
---@field dir string  its certificates, records.jsonl, carves/
---@field port integer
---@field hostname string  as --tls_hostname takes it
---@field ca string  the file of --tls_server_certs
---@field paths table<string, string>  endpoint -> path
local Backend = {}
Backend.__index = Backend

--- Start one.  `arguments` are those of tests/backend/server.py.
---@param arguments? string
---@return system.Backend
function M.start(arguments)
  local dir = support.new_path()
  assert(os.execute("mkdir " .. dir))
  local told, stop = servers.start(("python3 tests/backend/server.py %s %s"):format(dir, arguments or ""), dir .. "/ready.json")
  return setmetatable({
    dir = dir, port = told.port, hostname = "localhost:" .. told.port, ca = dir .. "/ca.pem", paths = told.paths,
    control = "http://127.0.0.1:" .. told.control, kill = stop,
  }, Backend)
end

--- A request to the control port: tests/backend/control.py says what there is.
---@param word string
---@param more? table
---@return table
function Backend:ask(word, more)
  local asked = { ["do"] = word }
  for name, value in pairs(more or {}) do
    asked[name] = value
  end
  local body = cjson.encode(asked)
  local answer = assert(loop.run(tls.request, {
    url = self.control, plain = true, alone = true, body = body, total_ms = 1000 * ((more or {}).timeout_s or 30) + 20000,
    answer_bytes = 64 << 20,
  }))
  local told = cjson.decode(answer.body)
  assert(answer.status == 200, told.error)
  return told
end

--- config, secrets, style, accelerate, certificate, accept, checks_retry_after
function Backend:set(values)
  self:ask("set", values)
end

--- Be bad from now on: rules of tests/backend/faults.py, in the place of those there were.  None: be good.
function Backend:fault(...)
  self:ask("fault", { rules = { ... } })
end

function Backend:query(queries, discovery, more)
  local asked = { queries = queries, discovery = discovery }
  for name, value in pairs(more or {}) do
    asked[name] = value
  end
  self:ask("query", asked)
end

--- What is described, once `count` (1) of it are there; an error when they do not come.
---@param asked { where?: table, line?: table, count?: integer, after?: integer, timeout_s?: number }
---@return table[]
function Backend:wait(asked)
  local told = self:ask("wait", asked)
  if not told.is_there then
    error(("%d of %d came: %s; violations: %s"):format(#told.found, asked.count or 1, cjson.encode(asked),
      cjson.encode(self:violations())), 2)
  end
  return told.found
end

--- How many of what is described are there now.
---@return integer
function Backend:count(asked)
  return math.tointeger(self:ask("count", asked).count)
end

--- Number of the last record.
---@return integer
function Backend:last()
  return math.tointeger(self:ask("state").records)
end

--- Nodes, carves, connections.
function Backend:state()
  return self:ask "state"
end

--- All requests it got.
---@return table[]
function Backend:records()
  return support.json_lines(self.dir .. "/records.jsonl")
end

--- Lines of logs that were accepted; `wanted` chooses.
---@param wanted? fun(line: table): any
---@return table[]
function Backend:lines(wanted)
  local list = {}
  for _, record in ipairs(self:records()) do
    if record.endpoint == "log" and record.accepted then
      for _, line in ipairs(record.body.data) do
        if not wanted or wanted(line) then
          list[#list + 1] = line
        end
      end
    end
  end
  return list
end

--- What clients did that the protocol does not allow.
---@return string[]
function Backend:violations()
  local list = {}
  for _, one in ipairs(self:ask("violations").violations) do
    list[#list + 1] = ("%s: %s"):format(one.endpoint, one.what)
  end
  return list
end

--- Nothing may have been wrong since the last look.  Ends the test otherwise.
function Backend:check()
  local violations = self:violations()
  self:ask "clear"
  require "luassert".are.same({}, violations)
end

--- Flags for `moonwatch run`: where it is, and the secret; all events are sent.
---@param secret? string
---@return string
function Backend:flags(secret)
  local path = self.dir .. "/secret"
  support.write(path, secret or "the enrolment secret")
  return ("--logger_events=true --backend=fleet --tls_hostname=%s --tls_server_certs=%s --enroll_secret=file:%s"):format(
    self.hostname, self.ca, path)
end

--- End it; what was wrong ends the test.
function Backend:stop()
  local violations = self:violations()
  self.kill()
  require "luassert".are.same({}, violations)
end

return M

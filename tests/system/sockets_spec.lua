-- Sockets of processes that nobody follows call by call: found by looking.
local support = require "tests.system.support"

local filter, quote = support.filter, support.quote
local sockets = support.program "sockets"

--- However busy the machine is, the program is seen from its start.
local patient = "--attach_timeout_ms=10000"

--- Events of that kind and of what `fields` say of the socket.
local function told(events, kind, fields)
  return filter(events, function(event)
    if event.kind ~= kind then
      return false
    end
    for name, value in pairs(fields) do
      if event.socket[name] ~= value then
        return false
      end
    end
    return true
  end)
end

--- The ports that the program printed.
local function ports(text)
  local listener, client = text:match "(%d+) (%d+)"
  return tonumber(listener), tonumber(client)
end

--- Look into the file of events until all of `wanted` (kind and fields, in pairs) are there, and return them.
local function await(path, wanted)
  local deadline = os.time() + 20
  repeat
    local found, file = {}, io.open(path)
    if file then
      file:close()
      local events = support.json_lines(path)
      for i, one in ipairs(wanted) do
        found[i] = told(events, one[1], one[2])[1]
      end
      if #found == #wanted then
        return found, events
      end
    end
    assert(os.time() <= deadline, "the events did not come")
  until false
end

--- Run the program until `wanted(listener, client)` is seen.  nil when there is no such address.
local function hold(what, wanted)
  local events_path, input, output = support.new_path(), support.new_path(), support.new_path()
  support.run("mkfifo " .. input)
  support.write(output, "")
  local command = ("%s run --state_dir=%s %s --sockets_interval_ms=100 --outputs=events/json:file=%s -- %s %s hold"):format(
    support.moonwatch, support.new_path(), patient, events_path, sockets, quote(what))
  support.run(("(%s; echo code $?) <%s >%s &"):format(command, input, output))
  local writer <close> = assert(io.open(input, "w"))
  local deadline = os.time() + 20
  local text
  repeat
    text = support.read(output)
    assert(os.time() <= deadline, "the program does not begin")
  until text:find "\n"
  if text:find "code 77" then
    return nil
  end
  local found = await(events_path, wanted(ports(text)))
  writer:close()
  repeat
    assert(os.time() <= deadline + 20, "the program does not end")
  until support.read(output):find "code 0"
  return found, support.json_lines(events_path)
end

describe("sockets that stay", function()
  for what, address in pairs { ipv4 = "127.0.0.1", ipv6 = "::1" } do
    it("are told over " .. what, function()
      local found, events = hold(what, function(listener, client)
        return {
          { "socket.bind", { local_port = listener } },
          { "socket.listen", { local_port = listener } },
          { "socket.connect", { local_port = client, remote_port = listener } },
          { "socket.accept", { local_port = listener, remote_port = client } },
        }
      end)
      if not found then
        return pending("no loopback address of " .. what)
      end
      local exec = filter(events, function(event)
        return event.kind == "process.exec"
      end)[1]
      for _, event in ipairs(found) do
        assert.is_true(event.sampled)
        assert.are.equal(exec.process.pid, event.process.pid)
        assert.are.equal("sockets", event.process.name)
        assert.are.equal(what, event.socket.family)
        assert.are.equal("tcp", event.socket.protocol)
        assert.are.equal("stream", event.socket.type)
        assert.are.equal(address, event.socket.local_address)
        assert.is_number(event.socket.inode)
        assert.is_true(event.socket.fd >= 3)
        -- Each once, also at its end.
        assert.are.equal(1, #told(events, event.kind,
          { local_port = event.socket.local_port, remote_port = event.socket.remote_port }))
      end
      assert.are.equal(address, found[3].socket.remote_address)
    end)
  end

  it("are told of datagrams", function()
    local found = hold("udp", function(listener, client)
      return {
        { "socket.bind", { local_port = listener, protocol = "udp" } },
        { "socket.connect", { local_port = client, remote_port = listener, protocol = "udp" } },
      }
    end)
    assert.are.equal("sockets", found[1].process.name)
    assert.are.equal("dgram", found[2].socket.type)
  end)

  it("are told of unix sockets, by path or name", function()
    local path = support.new_path()
    for _, name in ipairs { path, "@moonwatch" .. path } do
      local found = hold(name, function()
        return {
          { "socket.bind", { path = name } },
          { "socket.listen", { path = name } },
          { "socket.connect", { path = name } },
          { "socket.accept", { path = name } },
        }
      end)
      for _, event in ipairs(found) do
        assert.are.equal("unix", event.socket.family)
        assert.are.equal("sockets", event.process.name)
      end
      assert.are_not.equal(found[3].socket.inode, found[4].socket.inode)
    end
  end)
end)

describe("sockets at the end of the application", function()
  it("are told however seldom one looks", function()
    local result, events = support.watch(sockets .. " ipv4 leave", patient .. " --sockets_interval_ms=3600000")
    assert.are.equal(0, result.code)
    local listener, client = ports(result.out)
    assert.are.equal("sockets", told(events, "socket.listen", { local_port = listener })[1].process.name)
    assert.are.equal("sockets", told(events, "socket.connect", { local_port = client })[1].process.name)
    assert.are.equal("sockets", told(events, "socket.accept", { local_port = listener })[1].process.name)
  end)

  it("are told when they were too short to be found", function()
    -- The first program waits until the sensor has begun; the second is over before the next look.
    local events_path, input, output = support.new_path(), support.new_path(), support.new_path()
    support.run("mkfifo " .. input)
    local command = ("%s run --state_dir=%s %s --sockets_interval_ms=5000 --outputs=events/json:file=%s -- sh -c %s"):format(
      support.moonwatch, support.new_path(), patient, events_path, quote(("read x; %s ipv4 close; exit 3"):format(sockets)))
    support.run(("(%s; echo code $?) <%s >%s 2>&1 &"):format(command, input, output))
    local writer <close> = assert(io.open(input, "w"))
    local deadline = os.time() + 20
    repeat
      local file = io.open(events_path)
      assert(os.time() <= deadline, "the sensor does not begin")
    until file and file:read "a" ~= "" and file:close()
    writer:write "go\n"
    writer:close()
    local text
    repeat
      text = support.read(output)
      assert(os.time() <= deadline, "the program does not end")
    until text:find "code 3"
    if text:find "short connections are not seen" then
      return pending(text)
    end
    local events = support.json_lines(events_path)
    local listener, client = ports(text)
    local connect = told(events, "socket.connect", { local_port = client })
    assert.are.equal(1, #connect)
    assert.is_true(connect[1].sampled)
    assert.are.equal(listener, connect[1].socket.remote_port)
    assert.are.equal("127.0.0.1", connect[1].socket.remote_address)
    assert.are.equal(1, #told(events, "socket.accept", { local_port = listener, remote_port = client }))
  end)
end)

describe("audit_allow_sockets=false", function()
  it("looks at none", function()
    local _, events = support.watch(sockets .. " ipv4 leave", "--audit_allow_sockets=false --sockets_interval_ms=50")
    assert.is_true(#events > 0)
    assert.are.equal(0, #filter(events, function(event)
      return event.socket
    end))
  end)
end)

--- Applications in real containers, started by podman and runc: bare, and with the sensor before their entry point.  What can be
--- seen of the application must be the same; what the sensor saw of it, and says of itself, is in files on a volume.
---
--- Images are made by tests/containers/prepare; the tree comes from tests/containers/tree.
local assert = require "luassert"
local cjson = require "cjson"
local support = require "tests.system.support"

local run, quote = support.run, support.quote

---@class system.containers
local M = {}

local FOLDER <const> = run("pwd").out:match "[^\n]*" .. "/build-images"
local IMAGES <const> = FOLDER .. "/store"
-- How many pairs of containers run at once.
local AT_ONCE <const> = 3

--- In each container: the tree, and where the sensor writes to.
local TREE <const> = "/opt/moonwatch"
local SEEN <const> = "/seen"

local store --- of this file's containers
local tree

local function last_line(text)
  return text:match "([^\n]*)%s*$"
end

--- Have images made, or the reason why containers cannot be had here.
---@param name string  of the test file: its containers are kept apart from those of others
---@param images string[]
---@return string? reason
function M.prepare(name, images)
  if not support.has_namespaces then
    return "containers need the right to make namespaces"
  end
  local made = run("tests/containers/prepare " .. table.concat(images, " "))
  if made.code == 77 then
    return last_line(made.err)
  end
  assert(made.code == 0, made.err)
  local found = run "tests/containers/tree"
  assert(found.code == 0, found.err)
  tree = last_line(found.out)
  store = ("%s/of-%s"):format(FOLDER, name)
  M.clear() -- left behind by a run that was killed
  local tried = M.podman("run --rm --entrypoint '[\"/bin/true\"]' localhost/busybox")
  return tried.code ~= 0 and "podman cannot start a container here: " .. last_line(tried.err) or nil
end

--- Remove all containers of this file, and its store; nothing is left of them, no process, mount or control group.
function M.clear()
  if store then
    local ids = M.podman("ps --all --quiet --no-trunc").out
    local cleared = run(("container/podman %s clear"):format(quote(store)))
    assert.are.equal(0, cleared.code, cleared.err)
    assert.are.equal(1, run(("grep -F %s /proc/self/mountinfo || [ -e %s ]"):format(quote(store), quote(store))).code)
    for id in ids:gmatch "%x+" do
      assert.are.equal("", run(("find /sys/fs/cgroup -name '*%s*'"):format(id)).out)
    end
  end
end

---@param arguments string  of the shell
---@return system.Result
function M.podman(arguments)
  return run(("MOONWATCH_IMAGES=%s container/podman %s %s"):format(quote(IMAGES), quote(store), arguments))
end

--- Docker's default profile for seccomp, as --security-opt of podman; it looks at capabilities as Docker does.
---@return string
function M.docker_seccomp()
  local folder = FOLDER .. "/debs/docker"
  local made = run(("cmake/debs %s $(dpkg --print-architecture) bookworm golang-github-docker-docker-dev"):format(quote(folder)))
  assert(made.code == 0, made.err)
  return "--security-opt seccomp=" .. quote(folder .. "/usr/share/gocode/src/github.com/docker/docker/profiles/seccomp/default.json")
end

--- Path of the tree that containers get.
---@return string
function M.tree()
  return tree
end

---@class system.containers.Case
---@field image string
---@field own? string       image that has the sensor in it already, with its entry point
---@field words? string[]   entry point and command together, as the image has them; default: those of its application
---@field flags? string     of podman run, with and without the sensor
---@field bare? string      more of them, without
---@field wrapped? string   more of them, with
---@field before? string[]  what stands before the application's words; default: moonwatch run --
---@field tree? string      how the tree comes in, flags of podman run; default: a volume, read-only
---@field state? string     state folder; default: on the volume, where it can be read afterwards; "" for none said
---@field look? string      command that is executed in it once, instead of moonwatch status until a sensor runs; "": none
---@field unlike? string    pattern of what may differ in what the application says: pids where others have some, too

---@class system.containers.Seen
---@field bare system.Result
---@field wrapped system.Result
---@field stop_ms {bare: integer, wrapped: integer}
---@field says string[]     lines of moonwatch on standard error, which the result has no more
---@field events table[]
---@field status? table     moonwatch status --json while it ran
---@field look system.Result  of the command that was executed in it
---@field look_bare string    what it said in the other container, where there is one
---@field state_dir string    on this side

--- The words of the applications in tests/containers/apps, by image.
local applications = {
  debian11 = { "/app/app.sh" },
  debian12 = { "/app/app.sh" },
  debian13 = { "/app/app.sh" },
  busybox = { "/app/app.sh" },
  musl = { "/app/app" },
  distroless = { "/app/app" },
  scratch = { "/app/app" },
  jre = { "java", "-cp", "/app", "App" },
  node = { "node", "/app/app.js" },
  python = { "python3", "/app/app.py" },
  s6 = { "/init" },
}

local function quoted(words)
  local list = {}
  for i, word in ipairs(words) do
    list[i] = quote(word)
  end
  return table.concat(list, " ")
end

--- The command that runs one container of a case.
local function command_of(case, name, folder, is_wrapped)
  local words = case.words or assert(applications[case.image], case.image)
  local state = case.state or SEEN .. "/state"
  -- The task says the same with the sensor and without; only what a sensor needs comes with it.
  local flags = { case.flags or "", "-e MOONWATCH_OUTPUTS=" .. quote(("events/json:file=%s/events,alerts/json:file=%s/alerts"):format(
    SEEN, SEEN)), ("-v %s:%s"):format(quote(folder .. "/" .. name), SEEN) }
  if state ~= "" then
    flags[#flags + 1] = "-e MOONWATCH_STATE_DIR=" .. state
  end
  local line = { table.unpack(words) }
  if is_wrapped then
    local before = case.before or { TREE .. "/bin/moonwatch", "run", "--" }
    line = { table.unpack(before) }
    table.move(words, 1, #words, #line + 1, line)
    flags[#flags + 1] = case.own and "" or case.tree or ("-v %s:%s:ro"):format(quote(tree), TREE)
    flags[#flags + 1] = case.wrapped or ""
  else
    flags[#flags + 1] = case.bare or ""
  end
  if is_wrapped and case.own then
    return ("LOOK=%s MOONWATCH_IMAGES=%s tests/containers/run %s %s %s %s localhost/%s"):format(quote(case.look), quote(IMAGES),
      quote(store), quote(folder), name, table.concat(flags, " "), case.own)
  end
  local look = (is_wrapped or case.own) and (case.look or TREE .. "/bin/moonwatch status --json") or ""
  return ("LOOK=%s LOOK_SECONDS=%d MOONWATCH_IMAGES=%s tests/containers/run %s %s %s %s --entrypoint %s localhost/%s %s"):format(
    quote(look), case.look and 1 or 20, quote(IMAGES), quote(store), quote(folder), name, table.concat(flags, " "),
    quote(cjson.encode { line[1] }), case.image, quoted { table.unpack(line, 2) })
end

local function read(path)
  local file <close> = io.open(path, "rb")
  return file and file:read "a" or ""
end

--- What differs from one container to the next, and says nothing of the application: podman gives variables in any order.
local function alike(text)
  local variables = {}
  text = text:gsub("%f[^\n\0](env [^\n]*\n)", function(line)
    variables[#variables + 1] = line
    return ""
  end)
  table.sort(variables)
  return (text:gsub("pipe:%[%d+%]", "pipe")) .. table.concat(variables)
end

local function result_of(folder, name)
  local base = folder .. "/" .. name
  return { out = alike(read(base .. ".out")), err = alike(read(base .. ".err")), code = tonumber(read(base .. ".code")) }
end

--- Lines of ours, taken out of what stands on standard error.
---@param result system.Result
---@return string[]
function M.take_ours(result)
  local says, rest = {}, {}
  for line in result.err:gmatch "[^\n]*\n?" do
    local list = line:find "^moonwatch: " and says or rest
    list[#list + 1] = line
  end
  result.err = table.concat(rest)
  return says
end

local function seen_of(folder, case, name)
  local seen = { bare = result_of(folder, name .. "-bare"), wrapped = result_of(folder, name .. "-wrapped") }
  seen.stop_ms = {
    bare = tonumber(read(("%s/%s-bare.stop_ms"):format(folder, name))),
    wrapped = tonumber(read(("%s/%s-wrapped.stop_ms"):format(folder, name))),
  }
  if case.unlike then
    for _, result in ipairs { seen.bare, seen.wrapped } do
      result.out, result.err = result.out:gsub(case.unlike, ""), result.err:gsub(case.unlike, "")
    end
  end
  seen.says = M.take_ours(seen.wrapped)
  local base = ("%s/%s-wrapped"):format(folder, name)
  seen.look = { out = read(base .. ".look"), err = read(base .. ".look.err") }
  seen.look_bare = read(("%s/%s-bare.look"):format(folder, name))
  seen.status = not case.look and seen.look.out:find "^{" and cjson.decode(seen.look.out) or nil
  seen.state_dir = base .. "/state"
  seen.events = {}
  for line in read(base .. "/events"):gmatch "([^\n]+)\n" do
    seen.events[#seen.events + 1] = cjson.decode(line)
  end
  return seen
end

--- Run all cases, several at once, each bare and wrapped.
---@param cases table<string, system.containers.Case>
---@return table<string, system.containers.Seen>
function M.run(cases)
  local folder = support.new_path()
  local script = { ("mkdir -p %s; n=0"):format(folder) }
  for name, case in pairs(cases) do
    for _, mode in ipairs { "bare", "wrapped" } do
      local full = name .. "-" .. mode
      -- Another user writes there, and the parents must let everybody through.
      script[#script + 1] = ("mkdir -m 1777 %s/%s; [ $((n++)) -lt %d ] || wait -n\n%s &"):format(folder, full, 2 * AT_ONCE,
        command_of(case, full, folder, mode == "wrapped"))
    end
  end
  script[#script + 1] = "wait"
  local path = support.new_path()
  support.write(path, table.concat(script, "\n"))
  assert.are.equal(0, run(("chmod 711 %s; bash %s"):format(support.tmp, path)).code)
  local all = {}
  for name, case in pairs(cases) do
    all[name] = seen_of(folder, case, name)
  end
  return all
end

--- The application was the same: exit code, standard output, standard error; SIGTERM reached it both times.
---@param seen system.containers.Seen
---@param code? integer  its exit code; default: that of the applications in tests/containers/apps
function M.assert_same(seen, code)
  assert.are.same(seen.bare, seen.wrapped)
  assert.are.equal(code or 42, seen.bare.code, seen.bare.err .. seen.bare.out)
  assert.is_truthy((seen.bare.out .. seen.bare.err):find "ready", seen.bare.out)
end

--- The three programs that each application starts, with their ends, were seen, exactly or now and then.
---@param seen system.containers.Seen
---@param uid integer
function M.assert_seen(seen, uid)
  for n = 0, 2 do
    local mark = "marked" .. n
    local ends = support.filter(seen.events, function(event)
      local argv = event.process and event.process.argv
      return event.kind == "process.exit" and argv and argv[#argv] == mark
    end)
    assert.are.equal(1, #ends, ("%d ends of %s in %d events; %s"):format(#ends, mark, #seen.events, table.concat(seen.says)))
    assert.are.equal(3, ends[1].process.exit_code)
    assert.are.equal(uid, ends[1].process.uid)
  end
end

--- One value of health while it ran.
---@param seen system.containers.Seen
---@param component string
---@param name string
function M.health(seen, component, name)
  assert.is_truthy(seen.status, seen.look.out .. seen.look.err)
  assert.is_true(seen.status.running, seen.look.out)
  return seen.status.sensors[1].health[component][name]
end

return M

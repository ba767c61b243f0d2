-- `moonwatch patch` as a command: files, streams, exit statuses.
local program = require "tests.spec.program"

local TMP <const> = os.getenv "TMPDIR"
local FIXTURES <const> = "tests/fixtures/patch/"

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

local function write(path, text)
  local file <close> = assert(io.open(path, "wb"))
  file:write(text)
end

local function copy(name)
  local path = ("%s/%s"):format(TMP, name:match "[^/]+$")
  write(path, read(FIXTURES .. name))
  return path
end

local function run(arguments, input)
  local words = { program.path, "patch" }
  for word in arguments:gmatch "%S+" do
    words[#words + 1] = word
  end
  if input then
    write(TMP .. "/input", input)
    words = { "sh", "-c", ("exec %s <%s/input"):format(table.concat(words, " "), TMP) }
  end
  return program.execute(words)
end

describe("moonwatch patch", function()
  it("changes a file in place, tells what, and takes it out again", function()
    local path = copy "ecs/shell_entrypoint.json"
    local before = read(path)
    local result = run("--image=r/moonwatch:1 --secret=ssm:/x " .. path)
    assert.are.equal(0, result.status, result.err)
    assert.are.equal("", result.out)
    assert.is_truthy(result.err:find("app: sh -c ", 1, true), result.err)
    assert.is_truthy(read(path):find('"/opt/moonwatch/bin/moonwatch"', 1, true))
    result = run("--undo " .. path)
    assert.are.equal(0, result.status, result.err)
    assert.are.equal(before, read(path))
  end)

  it("keeps the file's mode and owner, there and back", function()
    local path = copy "ecs/shell_entrypoint.json"
    local is_root = os.execute "test $(id -u) = 0"
    os.execute(("chmod 640 %s; %s chown 1234:4321 %s"):format(path, is_root and "" or ":", path))
    local function stat()
      return program.execute({ "stat", "-c", "%a %u %g", path }).out
    end
    local before = stat()
    for _, words in ipairs { "--image=r/moonwatch:1", "--undo" } do
      local result = run(words .. " " .. path)
      assert.are.equal(0, result.status, result.err)
      assert.are.equal(before, stat())
    end
    assert.are.equal("640", before:match "%d+")
  end)

  it("shows a diff that patch(1) takes, and changes nothing, by --dry-run", function()
    local path = copy "cloudformation/intrinsics.yaml"
    local before = read(path)
    local result = run("--image=r/moonwatch:1 --dry-run " .. path)
    assert.are.equal(0, result.status, result.err)
    assert.are.equal(before, read(path))
    local wanted = run("--image=r/moonwatch:1 -o - " .. path).out
    write(TMP .. "/d.diff", result.out)
    if not os.execute "command -v patch >/dev/null" then
      pending "patch is not here"
      return
    end
    assert.is_truthy(os.execute(("patch -s %s %s/d.diff"):format(path, TMP)))
    assert.are.equal(wanted, read(path))
  end)

  it("reads standard input and writes standard output", function()
    local result = run("--image=r/moonwatch:1 -", read(FIXTURES .. "compose/no_newline_at_end.yaml"))
    assert.are.equal(0, result.status, result.err)
    assert.is_truthy(result.out:find("volumes_from:", 1, true))
  end)

  it("asks the file that docker inspect wrote what an image runs", function()
    local path = copy "ecs/image_only.json"
    local config = TMP .. "/inspect.json"
    write(config, [=[[{"RepoTags":["nginx:1.25"],"Os":"linux","Architecture":"amd64",
      "Config":{"Entrypoint":["/docker-entrypoint.sh"],"Cmd":["nginx","-g","daemon off;"]}}]]=])
    local result = run(("--image=r/moonwatch:1 --image-config=%s %s"):format(config, path))
    assert.are.equal(0, result.status, result.err)
    assert.is_truthy(result.err:find("web: /docker-entrypoint.sh nginx -g daemon off;", 1, true))
  end)

  it("writes nothing when a container is refused, and says why", function()
    local path = copy "ecs/image_only.json"
    local before = read(path)
    local result = run("--image=r/moonwatch:1 --offline " .. path)
    assert.are.equal(1, result.status)
    assert.is_truthy(result.err:find("web: cannot be wrapped: ", 1, true), result.err)
    assert.is_truthy(result.err:find("nothing was changed", 1, true))
    assert.are.equal(before, read(path))
  end)

  it("leaves the file whole when it cannot be written", function()
    local folder = TMP .. "/full"
    os.execute(("mkdir -p %s && mount -t tmpfs -o size=8k none %s 2>/dev/null"):format(folder, folder))
    local path = folder .. "/t.json"
    local text = read(FIXTURES .. "ecs/shell_entrypoint.json")
    write(path, text)
    os.execute(("head -c 4096 /dev/zero >%s/fill 2>/dev/null"):format(folder))
    if not os.execute(("grep -q ' %s tmpfs' /proc/mounts"):format(folder)) then
      pending "no file system can be mounted here"
      return
    end
    local result = run("--image=r/moonwatch:1 " .. path)
    local after = read(path)
    os.execute("umount " .. folder)
    assert.are.equal(1, result.status)
    assert.is_truthy(result.err:find("cannot write: ", 1, true), result.err)
    assert.are.equal(text, after)
  end)

  it("refuses wrong arguments", function()
    for arguments, wanted in pairs {
      [""] = "which file?",
      ["x.json"] = "Name its image: --image=",
      ["--mode=sidcar --image=x y"] = "--mode is 'sidcar'",
      ["--imge=x y"] = "did you mean --image?",
      ["--image=x a b"] = "one file at a time",
      ["--image=x --env=1 a"] = "should be NAME=VALUE",
      ["--image=x --name=../x a"] = "--name is",
      ["--image"] = "needs a value",
      ["-x"] = "what is '-x'?",
    } do
      local result = run(arguments)
      assert.are.equal(2, result.status, arguments)
      assert.is_truthy(result.err:find(wanted, 1, true), result.err)
    end
    local result = run "--image=x /nonexistent/t.json"
    assert.are.equal(1, result.status)
    assert.is_truthy(result.err:find("No such file", 1, true))
  end)
end)

-- Files that commands write: whole, and with the mode and owner that the one had which is replaced.
local whole_file = require "moonwatch.whole_file"

local TMP <const> = os.getenv "TMPDIR"

local count = 0

local function new_path()
  count = count + 1
  return ("%s/file%d"):format(TMP, count)
end

local function shell(command)
  local pipe <close> = assert(io.popen(command .. " 2>&1"))
  return (pipe:read "a":gsub("\n$", ""))
end

local function stat(path)
  return shell(("stat -c '%%a %%u %%g' %s; cat %s; ls -A %s | grep unfinished"):format(path, path, path:match "^(.*)/"))
end

local function write(path, text)
  local file <close> = assert(io.open(path, "wb"))
  file:write(text)
end

local is_root = shell "id -u" == "0"

describe("whole_file.write", function()
  it("keeps mode, owner and group of what is there", function()
    for _, mode in ipairs { "644", "600", "664", "400", "755", "2750" } do
      local path = new_path()
      write(path, "old")
      local ids = is_root and "1234 4321" or shell "id -u; id -g":gsub("\n", " ")
      shell(("chown %s %s; chmod %s %s"):format(ids:gsub(" ", ":"), path, mode, path))
      assert(whole_file.write(path, "new\0text"))
      assert.are.equal(("%s %s\nnew\0text"):format(mode, ids), stat(path))
    end
  end)

  it("gives a new file what the umask leaves", function()
    local path = new_path()
    assert(whole_file.write(path, ""))
    assert.are.equal(shell "printf '%o' $((0666 & ~$(umask)))", stat(path):match "%d+")
  end)

  it("replaces what a link leads to, and the link stays", function()
    local path = new_path()
    write(path, "old")
    shell(("chmod 640 %s; ln -s %s %s.link; ln -s %s.link %s.more"):format(path, path:match "[^/]+$", path, path, path))
    assert(whole_file.write(path .. ".more", "new"))
    assert.are.equal("640", stat(path):match "%d+")
    assert.are.equal("new", shell("cat " .. path))
    assert.are.equal(path:match "[^/]+$", shell(("readlink %s.link"):format(path)))
  end)

  it("writes into what is no file, and leaves it", function()
    local path = new_path()
    shell("mkfifo " .. path)
    local reader <close> = assert(io.popen("timeout 20 cat " .. path))
    assert(whole_file.write(path, "through"))
    assert.are.equal("through", reader:read "a")
    assert.are.equal("fifo", shell("stat -c %F " .. path))
    assert(whole_file.write("/dev/null", "x"))
    assert.are.equal("character special file", shell "stat -c %F /dev/null")
  end)

  it("puts away what one who was killed left, and follows no link there", function()
    local path = new_path()
    write(path, "old")
    shell(("ln -s %s.elsewhere %s.unfinished"):format(path, path))
    assert(whole_file.write(path, "new"))
    assert.are.equal("new", shell("cat " .. path))
    assert.is_nil(io.open(path .. ".elsewhere"))
  end)

  it("says why not, and then what was there is there", function()
    local path = new_path()
    shell("mkdir " .. path)
    local ok, message, code = whole_file.write(path .. "/nowhere/x", "new")
    assert.is_nil(ok)
    assert.is_truthy(message:find("nowhere/x", 1, true))
    assert.are.equal("ENOENT", code)
    ok, message, code = whole_file.write(path, "new")
    assert.is_nil(ok)
    assert.is_truthy(message:find(path, 1, true))
    assert.are.equal("EISDIR", code)
  end)

  it("does not give a file to another owner", function()
    if not is_root or shell "setpriv --reuid 65534 --regid 65534 --clear-groups true" ~= "" then
      pending "the user cannot be changed here"
      return
    end
    local build = os.getenv "MW_BUILD"
    local folder = new_path()
    shell(("mkdir -m 777 %s; chmod 711 %s; echo old >%s/f; chmod 666 %s/f"):format(folder, TMP, folder, folder))
    write(folder .. "/write.lua", "print(require 'moonwatch.whole_file'.write(arg[1], 'new'))")
    local said = shell(("setpriv --reuid 65534 --regid 65534 --clear-groups %s/bin/moonwatch lua %s/write.lua %s/f"):format(build,
      folder, folder))
    assert.is_truthy(said:find("^nil\t.*/f: its group %(0%) cannot be kept: Operation not permitted\tEPERM"), said)
    assert.are.equal("666 0 0\nold", stat(folder .. "/f"))
  end)
end)

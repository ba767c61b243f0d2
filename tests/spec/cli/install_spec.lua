-- `moonwatch install`: what it makes, what it leaves, what it refuses.
local program = require "tests.spec.program"

local TMP <const> = os.getenv "TMPDIR"

-- A command of the shell; "$m" is the program.
local function sh(line)
  return program.execute { "sh", "-c", "m=$(realpath $1); cd $2; " .. line, "sh", program.path, TMP }
end

local function output(line)
  local result = sh(line)
  assert.are.equal(0, result.status, result.err)
  return result.out
end

local count = 0
local function new_path()
  count = count + 1
  return ("%s/i%d"):format(TMP, count)
end

local function install(to)
  local result = program.run("install", to)
  assert.are.equal("", result.err)
  assert.are.equal(0, result.status)
  return result.out
end

local function refused(result, ...)
  assert.are.equal(1, result.status, result.err)
  assert.are.equal("", result.out)
  assert.are.equal(1, select(2, result.err:gsub("\n", "")), result.err)
  for _, text in ipairs { ... } do
    assert.is_truthy(result.err:find(text, 1, true), result.err)
  end
end

-- Names, modes and bytes of all that is in a folder.
local function state(path)
  return output(("cd %s && find . -printf '%%p %%m %%y\\n' | sort && find . -type f | sort | xargs cat | cksum"):format(path))
end

-- `line` in a mount namespace with a file system of these options in ./fs; nil where there are no mounts.
local function mounted(options, line)
  if sh("unshare -m --propagation unchanged sh -c 'mkdir -p fs && mount -t tmpfs none fs'").status ~= 0 then
    pending "no file system can be mounted here"
    return nil
  end
  return sh(("unshare -m --propagation unchanged sh -c 'm=$0; mount -t tmpfs -o %s none fs; %s' $m"):format(options, line))
end

describe("moonwatch install", function()
  it("copies a tree that any user can read and run", function()
    local to = new_path() .. "/opt/moonwatch"
    output("umask 077; $m install " .. to)
    assert.are.equal("bin\nlua\npolicies\nrules\n", output("ls -A " .. to))
    assert.are.equal("", output(("find %s/.. -type d ! -perm 755"):format(to)))
    assert.are.equal("", output(("find %s -type l"):format(to)))
    assert.are.equal("", output(("find %s/lua %s/rules %s/policies -type f ! -perm 644"):format(to, to, to)))
    assert.are.equal("entrypoint 555\nentrypoint.sh 555\nmoonwatch 555\nmoonwatch-run 555\n",
      output(("find %s/bin -type f -printf '%%f %%m\\n' | sort"):format(to)))
    for _, name in ipairs { "lua", "rules", "policies" } do
      output(("diff -r ${m%%/bin/*}/%s %s/%s"):format(name, to, name))
    end
    output(("cmp $m %s/bin/moonwatch && cmp $m %s/bin/entrypoint"):format(to, to))
    -- It is a moonwatch like any other, even to install from.
    assert.are.equal(0, program.execute({ to .. "/bin/moonwatch", "config", "dump" }).status)
    local again = new_path()
    output(("%s/bin/moonwatch install %s"):format(to, again))
    assert.are.equal(state(to), state(again))
    assert.is_truthy(output(to .. "/bin/entrypoint --help"):find "^Usage: moonwatch run ")
  end)

  it("leaves what is there already, and mends what is not as it should be", function()
    local to = new_path()
    install(to)
    local before = state(to)
    local inode = output(("stat -c %%i %s/bin/moonwatch %s/lua"):format(to, to))
    assert.is_truthy(install(to):find("already", 1, true))
    assert.are.equal(inode, output(("stat -c %%i %s/bin/moonwatch %s/lua"):format(to, to)))
    for _, damage in ipairs {
      "echo x >>lua/moonwatch/patch/init.lua", "echo x >rules/more.lua", "rm policies/*.lua", "rm -r rules",
      "chmod 600 lua/moonwatch/patch/init.lua", "chmod 755 bin/moonwatch", "rm bin/entrypoint", "mkdir certs; touch certs/a",
      "mkdir -p .moonwatch-new/lua/x && touch .moonwatch-new/lua/x/y && touch lua/a",
      "rm bin/entrypoint.sh; ln -s /etc/passwd bin/entrypoint.sh", "rm bin/moonwatch; echo old >bin/moonwatch",
    } do
      output(("cd %s; %s"):format(to, damage))
      assert.is_nil(install(to):find("already", 1, true), damage)
      assert.are.equal(before, state(to), damage)
    end
  end)

  it("takes its own tree for what is there already", function()
    local to = new_path()
    install(to)
    assert.is_truthy(output(("%s/bin/moonwatch install %s/bin/.."):format(to, to)):find("already", 1, true))
    refused(sh(("%s/bin/moonwatch install %s/lua"):format(to, to)), "name another folder")
    assert.are.equal(0, sh(("test ! -e %s/lua/bin"):format(to)).status)
  end)

  it("may run several times at once", function()
    local to = new_path()
    output(("for i in 1 2 3; do $m install %s >o$i 2>&1 & done; wait; cat o1 o2 o3 >all; ! grep -v ' is in ' all"):format(to))
    assert.are.equal(2, select(2, output("cat all"):gsub("already", "")))
    assert.are.equal(0, sh(("test ! -e %s/.moonwatch-new"):format(to)).status)
  end)

  it("leaves the old tree whole when it cannot write the new one", function()
    local to = new_path()
    install(to)
    output(("echo old >%s/bin/moonwatch.new && mv -f %s/bin/moonwatch.new %s/bin/moonwatch"):format(to, to, to))
    local before = state(to)
    refused(sh(("trap '' XFSZ; ulimit -f 1000; exec $m install %s"):format(to)), to, "cannot copy bin", "as it was")
    assert.are.equal(before, state(to))
    -- Killed in the middle: what it leaves is not to be seen, and is put away by the next.
    assert.is_truthy(sh(("ulimit -c 0; ulimit -f 1000; exec $m install %s"):format(to)).status > 128)
    output(("rm -r %s/.moonwatch-new/lua"):format(to))
    assert.are.equal("old\n", output(("cat %s/bin/moonwatch"):format(to)))
    install(to)
    assert.are.equal(0, sh(("cmp $m %s/bin/moonwatch && test ! -e %s/.moonwatch-new"):format(to, to)).status)
  end)

  it("refuses a folder that holds something else", function()
    for _, content in ipairs { "touch mine", "mkdir bin lib", "mkdir bin && touch bin/ls", "touch .profile" } do
      local to = new_path()
      output(("mkdir %s; cd %s; %s"):format(to, to, content))
      local before = state(to)
      refused(program.run("install", to), to, "name an empty folder")
      assert.are.equal(before, state(to))
    end
    refused(program.run("install", "/usr"), "/usr", "name an empty folder")
  end)

  it("refuses what is no folder, or cannot be made", function()
    local to = new_path()
    output("touch " .. to)
    refused(program.run("install", to), to, "Not a directory")
    refused(program.run("install", to .. "/below"), "Not a directory")
    refused(program.run("install", "/proc/moonwatch"), "/proc/moonwatch", "name a folder that can be made")
  end)

  it("refuses a file system that is read-only, noexec or too small", function()
    for options, wanted in pairs {
      ["ro"] = "mounted read-only", noexec = "mounted noexec", ["size=1m"] = "KiB are needed",
      ["nr_inodes=20"] = "too few inodes",
    } do
      local result = mounted(options, "$m install fs; s=$?; ls -A fs; exit $s")
      if not result then
        return
      end
      refused(result, "fs: ", wanted)
    end
  end)

  it("replaces a tree of an image's lower layer, which cannot be renamed", function()
    local old = new_path()
    install(old)
    output(("cd %s && mkdir certs && echo old >lua/old.lua && rm bin/entrypoint"):format(old))
    local result = mounted("mode=755", ("cd fs && mkdir up work all && mount -t overlay -o lowerdir=%s,upperdir=up,workdir=work none all"
      .. " || exit 99; $m install all >/dev/null && cd all && ls -A . && test ! -e lua/old.lua && cmp $m bin/entrypoint"):format(old))
    if not result then
      return
    elseif result.status == 99 then
      pending "no overlay file system can be mounted here"
      return
    end
    assert.are.equal("", result.err)
    assert.are.equal(0, result.status)
    assert.are.equal("bin\nlua\npolicies\nrules\n", result.out)
  end)

  it("refuses a folder it may not write", function()
    local to = new_path()
    output(("mkdir %s; chmod 555 %s"):format(to, to))
    local setpriv = "setpriv --reuid 65534 --regid 65534 --clear-groups"
    if sh(setpriv .. " true").status ~= 0 then
      pending "the user cannot be changed here"
      return
    end
    local tree = new_path()
    install(tree)
    output("chmod 711 .")
    refused(sh(("%s %s/bin/moonwatch install %s"):format(setpriv, tree, to)), to, "Permission denied")
    assert.are.equal("", output("ls -A " .. to))
  end)

  it("does without /proc", function()
    local result = mounted("mode=755",
      "mount -t tmpfs none /proc; ASAN_OPTIONS=detect_leaks=0 $m install fs && cmp $m fs/bin/moonwatch")
    if result then
      assert.are.equal("", result.err)
      assert.are.equal(0, result.status)
    end
  end)

  it("wants one folder", function()
    for _, words in ipairs { {}, { "" }, { "a", "b" }, { "--force" }, { "-x", "y" } } do
      local result = program.run("install", table.unpack(words))
      assert.are.equal(2, result.status)
      assert.is_truthy(result.err:find("one folder", 1, true), result.err)
    end
    assert.are.equal(0, program.run("install", "--help").status)
  end)
end)

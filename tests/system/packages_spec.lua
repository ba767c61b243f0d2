-- container/packages/make: what it makes of a tree is the same tree however it is installed, starts from there, and is the same each time.
--
-- The tree is that of `make dist`, where it has been made; else one of this build, whose program needs the machine's libraries.
local cjson = require "cjson"
local python_of = require "tests.fixtures.sbom.python"
local support = require "tests.system.support"

local MAKE <const> = "container/packages/make"
local EPOCH <const> = 1700000000

local function shell(command)
  local result = support.run(command)
  assert(result.code == 0, command .. "\n" .. result.err .. result.out)
  return result.out
end

local machine = shell("uname -m"):match "%S+"
local debian = ({ x86_64 = "amd64", aarch64 = "arm64" })[machine]
local dist = "dist/" .. machine
local is_dist = support.run(("test -x %s/opt/moonwatch/bin/moonwatch"):format(dist)).code == 0
local is_root = shell("id -u") == "0\n"
local tools = support.run "command -v dpkg-deb rpmbuild rpm xz".code == 0
local version = shell(support.moonwatch .. " version"):match "%S+ (%S+)"

-- Mode, path and hash of each file, and what else there is.
local function listing(folder)
  return shell(("cd %s && LC_ALL=C; export LC_ALL; find . ! -type f -printf '%%y %%m %%p %%l\\n' | sort; " ..
    "find . -type f -printf '%%m %%p\\n' | sort; find . -type f -print0 | sort -z | xargs -0 sha256sum"):format(folder))
end

describe("packages of a tree", function()
  local out, tree, pins = support.new_path(), nil, "-"

  local function make(target, from)
    return support.run(("umask 077; SOURCE_DATE_EPOCH=%d MOONWATCH=%s %s %s %s %s %s"):format(EPOCH,
      is_dist and from .. "/bin/moonwatch" or support.moonwatch, MAKE, target, from, machine, pins))
  end

  local function path(pattern)
    return out .. "/" .. pattern:gsub("VERSION", version):gsub("MACHINE", machine):gsub("DEBIAN", debian or "")
  end

  -- Starts the program there, with the folder as its root.
  local function start(root, words)
    local libraries = is_dist and "" or
      ("for d in usr lib lib64; do ! test -d /$d || { mkdir -p %s/$d && mount --rbind /$d %s/$d; }; done; "):format(root, root)
    return support.run(("unshare -m sh -c '%smkdir -p %s/proc && mount -t proc proc %s/proc && exec chroot %s %s'")
      :format(libraries, root, root, root, words))
  end

  local function assert_tree(root)
    assert.are.equal(listing(tree), listing(root .. "/opt/moonwatch"))
    assert.are.equal("../../opt/moonwatch/bin/moonwatch\n", shell(("readlink %s/usr/bin/moonwatch"):format(root)))
    if is_root and support.has_namespaces then
      local result = start(root, "/opt/moonwatch/bin/moonwatch version")
      assert.are.equal(("moonwatch %s (%s, Linux)\n"):format(version, machine), result.out, result.err)
      result = start(root, "/opt/moonwatch/bin/entrypoint --state_dir=/s -- /opt/moonwatch/bin/moonwatch sql --csv \"select 1 as one\"")
      assert.are.equal("one\n1\n", result.out, result.err)
      assert.are.equal(0, result.code)
    end
  end

  if not tools or not debian then
    it("can be made", function()
      pending "dpkg-deb, rpmbuild or rpm is not here, or this processor is neither x86_64 nor aarch64"
    end)
    return
  end

  setup(function()
    if is_dist then
      tree, pins = dist .. "/opt/moonwatch", dist .. "/SOURCES"
    else
      tree, pins = support.new_path(), support.new_path()
      shell(("%s install %s"):format(support.moonwatch, tree))
      -- Without what debuggers read it packs in half the time.
      shell(("cd %s/bin && strip -o stripped moonwatch && chmod 555 stripped && mv -f stripped moonwatch"):format(tree))
      shell(("cd %s/bin && ln -f moonwatch entrypoint && ln -f moonwatch moonwatch-run"):format(tree))
      support.write(pins, "# KIND NAME VERSION\nsource\tlua5.4\t5.4.4-3+deb12u1\norig openssl 3.0.17-1~deb12u2 more\n" ..
        "source sqlite3 3.40.1-2+deb12u2\ndeb musl-dev 1.2.3-1\n")
    end
    local result = make(out, tree)
    assert(result.code == 0, result.err)
    assert.are.equal("", result.err .. result.out)
  end)

  it("are the same bytes each time, wherever the tree lies and whenever it was made", function()
    local copy, second = support.new_path(), support.new_path()
    shell(("cp -r %s %s && touch -d '2 days ago' %s/lua"):format(tree, copy, copy))
    shell(("cd %s/bin && ln -f moonwatch entrypoint && ln -f moonwatch moonwatch-run"):format(copy))
    local result = make(second, copy)
    assert.are.equal(0, result.code, result.err)
    assert.are.equal(support.read(out .. "/SHA256SUMS"), support.read(second .. "/SHA256SUMS"))
  end)

  it("have checksums, all of them", function()
    assert.are.equal(0, support.run(("cd %s && sha256sum --quiet --strict -c SHA256SUMS"):format(out)).code)
    local count = select(2, support.read(out .. "/SHA256SUMS"):gsub("\n", ""))
    assert.are.equal(count + 1, tonumber(shell(("ls %s | wc -l"):format(out))))
    assert.are.equal(6, count)
    assert.are.equal("", shell(("find %s -type f ! -perm 644"):format(out))) -- whatever the umask
  end)

  it("for Debian install the tree", function()
    local root, deb = support.new_path(), path "moonwatch_VERSION_DEBIAN.deb"
    if is_root then
      shell(("mkdir -p %s/var/lib/dpkg/info %s/var/lib/dpkg/updates && touch %s/var/lib/dpkg/status"):format(root, root, root))
      shell(("dpkg --root=%s --log=/dev/null --force-script-chrootless -i %s"):format(root, deb))
      assert.are.equal("", shell(("dpkg --root=%s --verify moonwatch"):format(root)))
    else
      shell(("dpkg-deb -x %s %s"):format(deb, root))
    end
    assert_tree(root)
    for field, wanted in pairs {
      Package = "moonwatch", Version = version, Architecture = debian, Depends = "", Section = "admin", Priority = "optional",
    } do
      assert.are.equal(wanted, shell(("dpkg-deb -f %s %s"):format(deb, field)):gsub("\n$", "") .. "", field)
    end
    assert.matches("^[^<>]+ <[^<>@%s]+@[^<>@%s]+>\n$", shell(("dpkg-deb -f %s Maintainer"):format(deb)))
    assert.matches("^%u[^\n]+[^.]\n [^\n]+", shell(("dpkg-deb -f %s Description"):format(deb)))
    assert.are.equal("", shell(("dpkg-deb -c %s | grep -v ' root/root ' || :"):format(deb)))
  end)

  it("for rpm install the tree, and need nothing", function()
    local root, rpm = support.new_path(), path "moonwatch-VERSION-1.MACHINE.rpm"
    assert.are.equal("", shell(("rpm -qp --requires %s | grep -v '^rpmlib(' || :"):format(rpm)))
    assert.are.equal(("moonwatch %s 1 %s reproducible %d\n"):format(version, machine, EPOCH),
      shell(("rpm -qp --qf '%%{NAME} %%{VERSION} %%{RELEASE} %%{ARCH} %%{BUILDHOST} %%{BUILDTIME}\n' %s"):format(rpm)))
    assert.are.equal("root root\n", shell(("rpm -qp --qf '[%%{FILEUSERNAME} %%{FILEGROUPNAME}\n]' %s | sort -u"):format(rpm)))
    shell("mkdir " .. root)
    if is_root then
      local rpm_of = ("rpm --root %s --dbpath /var/lib/rpm "):format(root)
      shell(rpm_of .. "-i --nosignature " .. rpm)
      assert.are.equal("", shell(rpm_of .. "-V moonwatch"))
    else
      shell(("cd %s && rpm2cpio %s | cpio -id --quiet"):format(root, rpm))
    end
    assert_tree(root)
  end)

  it("as a tar give the tree, and touch no folder of the system", function()
    local root, tar = support.new_path(), path "moonwatch-VERSION-linux-MACHINE.tar.gz"
    shell(("mkdir %s && tar -C %s -xpzf %s"):format(root, root, tar))
    assert_tree(root)
    assert.are.equal("", shell(("tar -tzf %s | grep -vE '^(opt/moonwatch/|usr/share/doc/moonwatch/|usr/bin/moonwatch$)' || :")
      :format(tar)))
    assert.are.equal("0/0\n", shell(("tar --numeric-owner -tvzf %s | awk '{print $2}' | sort -u"):format(tar)))
  end)

  it("as an image are what container/Dockerfile says, and start with an empty volume over the tree", function()
    local layout, root = support.new_path(), support.new_path()
    shell(("mkdir %s %s && tar -C %s -xf %s"):format(layout, root, layout, path "moonwatch-VERSION-linux-MACHINE.oci.tar"))
    local function blob(descriptor)
      local file = layout .. "/blobs/" .. descriptor.digest:gsub(":", "/")
      local hash, size = shell(("sha256sum <%s; wc -c <%s"):format(file, file)):match "(%x+)%D+(%d+)"
      assert.are.equal(descriptor.digest, "sha256:" .. hash)
      assert.are.equal(descriptor.size, tonumber(size))
      return file
    end
    local index = cjson.decode(support.read(layout .. "/index.json"))
    assert.are.equal(debian, index.manifests[1].platform.architecture)
    local manifest = cjson.decode(support.read(blob(index.manifests[1])))
    local config = cjson.decode(support.read(blob(manifest.config)))
    assert.are.same({ { "/moonwatch/bin/moonwatch" }, { "version" }, { ["/opt/moonwatch"] = {} } },
      { config.config.Entrypoint, config.config.Cmd, config.config.Volumes })
    assert.are.equal(version, config.config.Labels["org.opencontainers.image.version"])
    assert.are.equal("2023-11-14T22:13:20Z", config.config.Labels["org.opencontainers.image.created"])
    assert.are.equal(debian, config.architecture)
    local layer = blob(manifest.layers[1])
    assert.are.equal(config.rootfs.diff_ids[1], "sha256:" .. shell(("gzip -dc %s | sha256sum"):format(layer)):match "%x+")
    shell(("tar -C %s -xpzf %s"):format(root, layer))
    assert.are.equal(listing(tree), listing(root .. "/opt/moonwatch"))
    assert.are.equal(listing(tree), listing(root .. "/moonwatch"))
    local docker = cjson.decode(support.read(layout .. "/manifest.json"))[1]
    assert.are.same({ { "moonwatch:" .. version }, "blobs/" .. manifest.config.digest:gsub(":", "/") .. "" },
      { docker.RepoTags, docker.Config })
    if is_root and support.has_namespaces then
      shell(("rm -r %s/opt/moonwatch && mkdir %s/opt/moonwatch"):format(root, root))
      local result = start(root, "/moonwatch/bin/moonwatch install /opt/moonwatch")
      assert.are.equal(("moonwatch %s is in /opt/moonwatch\n"):format(version), result.out, result.err)
      assert.are.equal(listing(tree), listing(root .. "/opt/moonwatch"))
    end
  end)

  it("have a bill of materials: what is linked in, and each file with its hash", function()
    local cdx = cjson.decode(support.read(path "moonwatch-VERSION-linux-MACHINE.cdx.json"))
    local spdx = cjson.decode(support.read(path "moonwatch-VERSION-linux-MACHINE.spdx.json"))
    local hashes, urls = {}, {}
    for _, component in ipairs(cdx.components) do
      if component.type == "file" then
        hashes[component.name] = component.hashes[2].content
      else
        urls[#urls + 1] = component.purl
        assert.is_truthy(component.licenses, component.purl)
      end
    end
    local count = 0
    for hash, name in shell(("cd %s && find . -type f -exec sha256sum {} +"):format(tree)):gmatch "(%x+)  %./([^\n]+)" do
      count = count + 1
      assert.are.equal(hash, hashes[name], name)
    end
    assert.are.equal(count, #spdx.files)
    assert.is_true(count > 50)
    assert.are.equal(("pkg:generic/moonwatch@%s?arch=%s&os=linux"):format(version, machine), cdx.metadata.component.purl)
    assert.are.equal(spdx.packages[1].externalRefs[1].referenceLocator, cdx.metadata.component.purl)
    assert.are.equal(#urls + 1, #spdx.packages)
    local all = " " .. table.concat(urls, " ")
    for _, name in ipairs { "lua5.4", "openssl", "sqlite3" } do
      assert.is_truthy(all:find((" pkg:deb/debian/%s@"):format(name), 1, true), all)
    end
    assert.are.equal(support.read(path "moonwatch-VERSION-linux-MACHINE.cdx.json"),
      shell(("tar -xOzf %s usr/share/doc/moonwatch/moonwatch.cdx.json"):format(path "moonwatch-VERSION-linux-MACHINE.tar.gz")))
  end)

  it("can tell of all that the portable build takes", function()
    local known, count = dofile "container/packages/components.lua", 0
    for name in support.read "cmake/dist/versions":gmatch "\n%l+%s+(%S+)%s+%d%S*" do
      count = count + 1
      assert.is_truthy(known[name], name)
    end
    assert.is_true(count > 10, count)
  end)

  it("have bills that are valid by the formats' own schemas and tools", function()
    local python, why = python_of.find()
    if not python then
      return pending(why)
    end
    assert.are.equal("2 documents, 0 findings\n", shell(("%s tests/fixtures/sbom/check.py %s %s"):format(python,
      path "moonwatch-VERSION-linux-MACHINE.cdx.json", path "moonwatch-VERSION-linux-MACHINE.spdx.json")))
  end)

  it("are not made of what is no tree, or has parts that nobody knows", function()
    local empty, unknown = support.new_path(), support.new_path()
    shell("mkdir " .. empty)
    support.write(unknown, "source leftpad 1.0\n")
    for words, wanted in pairs {
      [("%s %s %s -"):format(empty, empty, machine)] = "no bin/moonwatch in it",
      [("%s %s sparc -"):format(empty, tree)] = "'sparc' is neither x86_64 nor aarch64",
      [("%s %s %s %s"):format(empty, tree, machine, unknown)] = "leftpad is not in container/packages/components.lua",
      [empty] = "usage: ",
    } do
      local result = support.run(("MOONWATCH=%s %s %s"):format(support.moonwatch, MAKE, words))
      assert.is_true(result.code ~= 0)
      assert.is_truthy(result.err:find(wanted, 1, true), result.err)
    end
  end)
end)

-- moonwatch sbom: package URLs of every kind, the same document for the same packages, and valid ones.
local cjson = require "cjson"
local licenses = require "moonwatch.sbom.licenses"
local program = require "tests.spec.program"
local python_of = require "tests.fixtures.sbom.python"
local worlds = require "tests.spec.sql.world"

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read("a")
end

local EPOCH = { SOURCE_DATE_EPOCH = "1700000000" }

local function sbom(words, environment)
  return program.execute({ program.path, "sbom", table.unpack(words) }, environment or EPOCH)
end

local FILES = {
  ["etc/os-release"] = 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
  ["var/lib/dpkg/status"] =
    "Package: libstdc++6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:12.2.0-14+deb12u1\n" ..
    "Maintainer: Debian GCC Maintainers <debian-gcc@lists.debian.org>\n\n" ..
    "Package: removed\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1\n\n" ..
    "Package: hostile\xff\nStatus: install ok installed\nArchitecture: all\nVersion: 1~rc\nMaintainer: \x01(<\"\\\n",
  ["lib/apk/db/installed"] = "P:musl\nV:1.2.4-r2\nA:x86_64\nL:MIT\nT:the musl c library\nU:https://musl.libc.org/\n\n",
  ["app/node_modules/@Scope/Thing/package.json"] = '{"name":"@Scope/Thing","version":"1.0.0","license":"(MIT OR apache-2.0)"}',
  ["app/node_modules/b/node_modules/left-pad/package.json"] = '{"name":"left-pad","version":"1.3.0","license":"WTFPL"}',
  ["app/node_modules/left-pad/package.json"] = '{"name":"left-pad","version":"1.3.0"}',
  ["usr/lib/python3/dist-packages/Ruamel_YAML-0.17.dist-info/METADATA"] =
    "Metadata-Version: 2.1\nName: Ruamel_YAML\nVersion: 0.17\nSummary: YAML\nLicense: MIT license\n",
  ["app/vendor/composer/installed.json"] =
    '{"packages":[{"name":"Monolog/Monolog","version":"2.9.1","type":"library","license":["MIT"]}]}',
  ["opt/tool"] = read("tests/fuzz/corpus/go/inline"),
  ["opt/crab"] = read("tests/fuzz/corpus/rust/audited"),
  ["opt/app.war"] = read("tests/fuzz/corpus/java/war"),
}

local URLS = {
  "pkg:apk/debian/musl@1.2.4-r2?arch=x86_64&distro=debian-12",
  "pkg:cargo/app@0.1.0",
  "pkg:cargo/cc@1.0.79",
  "pkg:cargo/serde@1.0.1",
  "pkg:composer/monolog/monolog@2.9.1",
  "pkg:deb/debian/hostile%EF%BF%BD@1~rc?arch=all&distro=debian-12",
  "pkg:deb/debian/libstdc%2B%2B6@1:12.2.0-14%2Bdeb12u1?arch=amd64&distro=debian-12",
  "pkg:generic/app@4.5",
  "pkg:golang/example.com/a@v1.0.0",
  "pkg:golang/example.com/c@v0.2.0",
  "pkg:golang/example.com/d@v3.0.0",
  "pkg:golang/stdlib@1.22.1",
  "pkg:maven/org.example/inner@1.2",
  "pkg:npm/%40scope/thing@1.0.0",
  "pkg:npm/left-pad@1.3.0",
  "pkg:pypi/ruamel-yaml@0.17",
}

describe("moonwatch sbom", function()
  local world

  setup(function()
    world = worlds.new(FILES)
    world:shell("chmod 755 opt/tool opt/crab")
  end)

  teardown(function()
    world:close()
  end)

  local function document(format)
    local result = sbom { "--root=" .. world.root, "--format=" .. format }
    assert.are.equal("", result.err)
    assert.are.equal(0, result.status)
    return cjson.decode(result.out), result.out
  end

  it("writes CycloneDX with a component for each package URL", function()
    local bill = document("cyclonedx")
    local urls, by_url = {}, {}
    for _, component in ipairs(bill.components) do
      urls[#urls + 1] = component.purl
      by_url[component.purl or component.type] = component
    end
    assert.are.same(URLS, urls)
    assert.are.equal("12", by_url["operating-system"].version)
    assert.are.equal("2023-11-14T22:13:20Z", bill.metadata.timestamp)
    assert.is_truthy(bill.serialNumber:find("^urn:uuid:%x+%-%x+%-8%x+%-[89ab]%x+%-%x+$"))
    assert.are.equal("unknown", bill.compositions[1].aggregate)

    local thing = by_url["pkg:npm/%40scope/thing@1.0.0"]
    assert.are.same({ "@Scope", "Thing" }, { thing.group, thing.name })
    assert.are.same({ { expression = "(MIT OR Apache-2.0)" } }, thing.licenses)
    assert.are.same({ { license = { id = "MIT" } } }, by_url[URLS[1]].licenses)
    assert.are.same({ { license = { name = "MIT license" } } }, by_url["pkg:pypi/ruamel-yaml@0.17"].licenses)
    assert.are.same({ { location = "/app/node_modules/b/node_modules/left-pad/package.json" },
      { location = "/app/node_modules/left-pad/package.json" } }, by_url["pkg:npm/left-pad@1.3.0"].evidence.occurrences)
    assert.are.equal("/opt/app.war!/WEB-INF/lib/inner-1.2.jar",
      by_url["pkg:maven/org.example/inner@1.2"].evidence.occurrences[1].location)
    assert.are.same({ "excluded", "application" }, { by_url["pkg:cargo/cc@1.0.79"].scope, by_url["pkg:cargo/app@0.1.0"].type })
    assert.are.equal("Debian GCC Maintainers <debian-gcc@lists.debian.org>",
      by_url["pkg:deb/debian/libstdc%2B%2B6@1:12.2.0-14%2Bdeb12u1?arch=amd64&distro=debian-12"].publisher)
  end)

  it("writes SPDX with the same", function()
    local bill = document("spdx")
    local urls = {}
    for _, package in ipairs(bill.packages) do
      if package.externalRefs then
        urls[#urls + 1] = package.externalRefs[1].referenceLocator
      end
    end
    assert.are.same(URLS, urls)
    assert.are.equal(#bill.packages, #bill.relationships)
  end)

  it("names rpm packages with their release and epoch", function()
    local result = sbom { "--root=tests/fixtures/rpmdb/sqlite" }
    assert.are.equal("", result.err)
    local component = cjson.decode(result.out).components[3]
    assert.are.same({ "pkg:rpm/mw-sample@1.2.3-4.amzn2023?arch=noarch&epoch=1", "1:1.2.3-4.amzn2023", "Example" },
      { component.purl, component.version, component.publisher })
  end)

  it("gives the same for the same packages, in whatever order they came", function()
    local again <close> = worlds.new {}
    local paths = {}
    for path in pairs(FILES) do
      paths[#paths + 1] = path
    end
    table.sort(paths, function(a, b)
      return a:reverse() > b:reverse()
    end)
    for _, path in ipairs(paths) do
      again:write(path, FILES[path])
    end
    again:shell("chmod 755 opt/tool opt/crab")
    for _, format in ipairs { "cyclonedx", "spdx" } do
      local _, first = document(format)
      assert.are.equal(first, sbom({ "--root=" .. again.root, "--format=" .. format }).out)
    end
    local now = cjson.decode(sbom({ "--root=" .. again.root }, {}).out)
    assert.is_true(now.metadata.timestamp > "2026")
  end)

  it("writes a file whole", function()
    local path = world.root .. "/out.json"
    assert.are.equal("", sbom({ "--root=" .. world.root, "-o", path }).err)
    assert.are.equal(select(2, document("cyclonedx")), read(path))
    local result = sbom { "--root=" .. world.root, "-o", world.root .. "/nowhere/out.json" }
    assert.are.equal(1, result.status)
    assert.is_truthy(result.err:find("cannot write: .*nowhere"))
    os.remove(path)
  end)

  it("says when something is missing", function()
    local broken <close> = worlds.new { ["a.jar"] = "no archive", ["etc/os-release"] = "ID='../x'\n" }
    local result = sbom { "--root=" .. broken.root }
    assert.are.equal(0, result.status)
    assert.is_truthy(result.err:find("warning: java_packages: /a.jar", 1, true))
    local bill = cjson.decode(result.out)
    assert.are.equal("incomplete", bill.compositions[1].aggregate)
    assert.are.equal("linux", bill.components[1].name)
  end)

  it("refuses wrong arguments", function()
    for word, message in pairs {
      ["--format=xml"] = "may be cyclonedx or spdx",
      ["--fromat=spdx"] = "did you mean --format",
      ["-o"] = "needs a value",
      ["--time_limit=soon"] = "number of milliseconds",
      ["word"] = "what is 'word'",
    } do
      local result = sbom { word }
      assert.are.equal(2, result.status, word)
      assert.is_truthy(result.err:find(message, 1, true), result.err)
    end
  end)

  it("is valid by the schemas and tools of the formats", function()
    local python, why = python_of.find()
    if not python then
      return pending(why)
    end
    local names = {}
    for _, format in ipairs { "cyclonedx", "spdx" } do
      names[#names + 1] = ("%s/bill.%s.json"):format(world.root, format == "spdx" and "spdx" or "cdx")
      assert.are.equal("", sbom({ "--root=" .. world.root, "--format=" .. format, "--output=" .. names[#names] }).err)
    end
    local pipe <close> = assert(io.popen(("%s tests/fixtures/sbom/check.py %s 2>&1"):format(python,
      table.concat(names, " "))))
    assert.are.equal("2 documents, 0 findings\n", pipe:read("a"))
  end)
end)

describe("licenses", function()
  it("are expressions when all of their words are known", function()
    for text, expected in pairs {
      ["mit"] = "MIT",
      ["MIT AND (Apache-2.0 OR bsd-3-clause)"] = "MIT AND (Apache-2.0 OR BSD-3-Clause)",
      ["GPL-2.0-only with classpath-exception-2.0"] = "GPL-2.0-only WITH Classpath-exception-2.0",
      ["GPL"] = "none", ["MIT OR"] = "none", ["(MIT"] = "none", ["MIT)"] = "none", [""] = "none", ["OR MIT"] = "none",
      ["MIT MIT"] = "none", ["Classpath-exception-2.0"] = "none",
    } do
      assert.are.equal(expected, licenses.expression(text) or "none", text)
    end
  end)
end)

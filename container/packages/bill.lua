-- The bill of materials of a tree, in both formats, and what a package says of copyrights.
--
-- usage: moonwatch lua container/packages/bill.lua TREE PINS VERSION ARCHITECTURE OUT
--
-- PINS is the list of what is linked in: a line each, "source NAME VERSION" (or "orig …") for a source package of Debian, "deb NAME
-- VERSION" for one of the architecture; "-" for none.  Writes OUT.cdx.json, OUT.spdx.json and OUT.copyright.
local crypto = require "moonwatch.crypto"
local cyclonedx = require "moonwatch.sbom.cyclonedx"
local purl = require "moonwatch.sbom.purl"
local spdx = require "moonwatch.sbom.spdx"
local whole_file = require "moonwatch.whole_file"

local tree, pins, version, architecture, out = table.unpack(arg)
assert(out, "usage: bill.lua TREE PINS VERSION ARCHITECTURE OUT")

local known = dofile(arg[0]:gsub("[^/]*$", "") .. "components.lua")

local DEBIAN <const> = { x86_64 = "amd64", aarch64 = "arm64" }

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

local function quote(word)
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

---@return moonwatch.sbom.File[]
local function files_of(folder)
  local list = {}
  local pipe <close> = assert(io.popen(("cd %s && LC_ALL=C find . -type f | LC_ALL=C sort"):format(quote(folder))))
  for line in pipe:lines() do
    local path = line:gsub("^%./", "")
    local content = read(folder .. "/" .. path)
    list[#list + 1] = { path = path, sha1 = crypto.sha1(content), sha256 = crypto.sha256(content) }
  end
  assert(#list > 0, folder .. " is empty")
  return list
end

---@return moonwatch.sbom.Component[]
local function components_of(list)
  local components = {}
  if list == "-" then
    return components
  end
  for line in read(list):gmatch "[^\n]+" do
    local kind, name, pinned = line:match "^(%l+)%s+(%S+)%s+(%S+)"
    if kind then
      local about = assert(known[name], ("%s: %s is not in container/packages/components.lua"):format(list, name))
      local arch = kind ~= "deb" and "source" or about.is_all and "all" or DEBIAN[architecture]
      components[#components + 1] = {
        type = "library",
        name = about.name,
        version = pinned,
        purl = purl.new("deb", "debian", name, pinned, { arch = arch }),
        license = about.license,
        homepage = about.homepage,
        paths = {},
      }
    end
  end
  table.sort(components, function(a, b)
    return a.purl < b.purl
  end)
  return components
end

local COPYRIGHT <const> = [[
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: moonwatch
Comment: What of others is linked into bin/moonwatch, or lies beside it. The bill of materials beside this file has the versions.
]]

local function copyright_of(components)
  local parts = { COPYRIGHT }
  for _, component in ipairs(components) do
    parts[#parts + 1] = ("\nFiles: opt/moonwatch/bin/moonwatch (%s %s)\nSource: %s\nLicense: %s\n"):format(component.name,
      component.version, component.homepage, component.license)
  end
  return table.concat(parts)
end

local components = components_of(pins)
local bill = {
  name = ("moonwatch-%s-linux-%s"):format(version, architecture),
  subject = {
    type = "application",
    name = "moonwatch",
    version = version,
    purl = purl.new("generic", nil, "moonwatch", version, { arch = architecture, os = "linux" }),
    description = "A security sensor that lives in the container",
    paths = {},
  },
  components = components,
  files = files_of(tree),
  is_incomplete = false,
  timestamp = os.date("!%Y-%m-%dT%H:%M:%SZ", math.tointeger(tonumber(os.getenv "SOURCE_DATE_EPOCH" or ""))),
  tool_version = version,
}
for ending, text in pairs {
  [".cdx.json"] = cyclonedx.write(bill), [".spdx.json"] = spdx.write(bill), [".copyright"] = copyright_of(components),
} do
  assert(whole_file.write(out .. ending, text))
end

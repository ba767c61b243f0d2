-- The documents of an image in an OCI layout, which `docker load` takes as well: what container/Dockerfile says, of one layer.
--
-- usage: moonwatch lua container/packages/image.lua DOCKERFILE LAYOUT NAME VERSION ARCHITECTURE REVISION
--
-- LAYOUT/layer.tar and LAYOUT/layer.tar.gz are there; the latter becomes a blob.  The image is called NAME:VERSION.
local cjson = require "cjson"
local crypto = require "moonwatch.crypto"

local dockerfile, layout, name, version, architecture, revision = table.unpack(arg)
assert(revision, "usage: image.lua DOCKERFILE LAYOUT NAME VERSION ARCHITECTURE REVISION")

local TYPE <const> = "application/vnd.oci.image."

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

local function write(path, text)
  local file <close> = assert(io.open(layout .. "/" .. path, "wb"))
  assert(file:write(text))
end

local epoch = math.tointeger(tonumber(os.getenv "SOURCE_DATE_EPOCH" or ""))
local created = os.date("!%Y-%m-%dT%H:%M:%SZ", epoch) --[[@as string]]
local arguments = { VERSION = version, REVISION = revision, CREATED = created }

local text = "\n" .. read(dockerfile):gsub("\n%s*#[^\n]*", ""):gsub("\\\n%s*", "")

-- What stands behind a word that is there once.
local function instruction(word)
  local rest = text:match("\n" .. word .. " ([^\n]*)")
  assert(rest, ("%s has no %s"):format(dockerfile, word))
  return rest
end

local labels = {}
for key, value in instruction("LABEL"):gmatch '([%w.]+)="([^"]*)"' do
  labels[key] = value:gsub("%${(%u+)}", arguments)
end
local volumes = {}
for _, path in ipairs(cjson.decode(instruction("VOLUME"))) do
  volumes[path] = {}
end

-- cjson takes an empty table for an object, which is right for volumes.  Members in order: the same bytes each time.
local function encode(value)
  if type(value) ~= "table" then
    return cjson.encode(value)
  end
  local parts = {}
  if #value > 0 then
    for i, item in ipairs(value) do
      parts[i] = encode(item)
    end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  for key in pairs(value) do
    parts[#parts + 1] = key
  end
  table.sort(parts)
  for i, key in ipairs(parts) do
    parts[i] = cjson.encode(key) .. ":" .. encode(value[key])
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

local function blob(kind, content)
  local hash = crypto.sha256(content)
  write("blobs/sha256/" .. hash, content)
  return { mediaType = TYPE .. kind, digest = "sha256:" .. hash, size = #content }
end

local layer = blob("layer.v1.tar+gzip", read(layout .. "/layer.tar.gz"))
local config = blob("config.v1+json", encode {
  created = created,
  os = "linux",
  architecture = architecture,
  config = {
    Entrypoint = cjson.decode(instruction("ENTRYPOINT")),
    Cmd = cjson.decode(instruction("CMD")),
    Volumes = volumes,
    WorkingDir = "/",
    Labels = labels,
  },
  rootfs = { type = "layers", diff_ids = { "sha256:" .. crypto.sha256(read(layout .. "/layer.tar")) } },
  history = { { created = created, created_by = "container/packages/make", comment = "the tree, twice" } },
})
local manifest = blob("manifest.v1+json", encode {
  schemaVersion = 2, mediaType = TYPE .. "manifest.v1+json", config = config, layers = { layer },
})
local full_name = name .. ":" .. version
manifest.platform = { os = "linux", architecture = architecture }
manifest.annotations = {
  ["org.opencontainers.image.ref.name"] = version,
  ["io.containerd.image.name"] = "docker.io/library/" .. full_name,
}
write("index.json", encode { schemaVersion = 2, mediaType = TYPE .. "index.v1+json", manifests = { manifest } })
write("oci-layout", encode { imageLayoutVersion = "1.0.0" })
-- What docker goes by that knows of no layouts: before 25.
write("manifest.json", encode { {
  Config = "blobs/sha256/" .. config.digest:match "%x+$",
  RepoTags = { full_name },
  Layers = { "blobs/sha256/" .. layer.digest:match "%x+$" },
} })
os.remove(layout .. "/layer.tar")
os.remove(layout .. "/layer.tar.gz")

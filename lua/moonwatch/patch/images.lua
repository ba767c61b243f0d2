--- What an image runs: its ENTRYPOINT and CMD, from a file that says so, or from the registry it lies in.
local cjson = require "cjson"
local registry = require "moonwatch.patch.registry"
local wrap = require "moonwatch.patch.wrap"

---@class moonwatch.patch.images
local M = {}

local MAX_BYTES = 4 << 20
local MAX_WORDS = 1000

---@class moonwatch.patch.ImageConfig
---@field entrypoint string[]
---@field cmd string[]
---@field architecture string?
---@field names string[]  tags it is known by

local function words(value, what)
  if value == nil or value == cjson.null then
    return {}
  elseif type(value) == "string" then
    return { value }
  elseif type(value) ~= "table" or #value > MAX_WORDS then
    return nil, what .. " is no list of words"
  end
  for _, word in ipairs(value) do
    if type(word) ~= "string" then
      return nil, what .. " is no list of words"
    end
  end
  return value
end

local function member(object, ...)
  for _, name in ipairs { ... } do
    local value = type(object) == "table" and object[name]
    if value and value ~= cjson.null then
      return value
    end
  end
end

--- The configuration that `docker inspect`, `podman inspect` or `skopeo inspect --config` wrote, or an OCI image has.
---@param text string
---@return moonwatch.patch.ImageConfig[]?
---@return string? message
function M.read(text)
  local ok, document = pcall(cjson.decode, text)
  if not ok or type(document) ~= "table" then
    return nil, "no JSON of an image's configuration" .. (ok and "" or ": " .. tostring(document):gsub("\n.*", ""))
  end
  local list = #document > 0 and document or { document }
  local found = {}
  for i, image in ipairs(list) do
    local config = member(image, "Config", "config")
    if type(config) ~= "table" then
      return nil, "it has no member config or Config, as an image has"
    end
    local entrypoint, message = words(member(config, "Entrypoint"), "Entrypoint")
    local cmd
    if entrypoint then
      cmd, message = words(member(config, "Cmd"), "Cmd")
    end
    if not cmd then
      return nil, message
    end
    local system = member(image, "Os", "os")
    if system and system ~= "linux" then
      return nil, ("it is for %s; moonwatch runs on Linux"):format(tostring(system))
    end
    found[i] = {
      entrypoint = entrypoint,
      cmd = cmd,
      architecture = member(image, "Architecture", "architecture"),
      names = member(image, "RepoTags", "NamesHistory") or {},
    }
  end
  return found
end

local function read_file(path)
  local file, message = io.open(path, "rb")
  if not file then
    return nil, message
  end
  local text = file:read(MAX_BYTES + 1) or ""
  file:close()
  if #text > MAX_BYTES then
    return nil, ("%s: larger than %d bytes"):format(path, MAX_BYTES)
  end
  local found
  found, message = M.read(text)
  if not found then
    return nil, ("%s: %s"):format(path, message)
  end
  return found
end

--- `--image-config` as it was given, [NAME=]FILE: NAME is a container or an image.
---@param specs string[]
---@return { name: string?, config: moonwatch.patch.ImageConfig }[]?
---@return string? message
function M.load(specs)
  local all = {}
  for _, spec in ipairs(specs) do
    local name, path = spec:match "^([^=]+)=(.+)$"
    local found, message = read_file(path or spec)
    if not found then
      return nil, message
    end
    for _, config in ipairs(found) do
      all[#all + 1] = { name = name, config = config }
    end
  end
  return all
end

--- "nginx" and "docker.io/library/nginx:latest" are one.
local function full(image)
  image = image:gsub("@sha256:%x+$", "")
  local host = image:match "^([^/]+)/"
  if not host or not host:find "[.:]" and host ~= "localhost" then
    image = "docker.io/" .. (host and "" or "library/") .. image
  end
  return image:match "[^/]*$":find ":" and image or image .. ":latest"
end

local function given(all, container, image)
  for _, entry in ipairs(all) do
    if entry.name == container or entry.name and image and full(entry.name) == full(image) then
      return entry.config
    end
  end
  for _, entry in ipairs(all) do
    for _, name in ipairs(not entry.name and image and entry.config.names or {}) do
      if full(name) == full(image) then
        return entry.config
      end
    end
  end
  -- One configuration without a name is that of the one image it can be of.
  if #all == 1 and not all[1].name and #all[1].config.names == 0 then
    return all[1].config
  end
end

--- What finds the configuration of a container's image, or refuses.
---@param all { name: string?, config: moonwatch.patch.ImageConfig }[]
---@param is_offline boolean
---@return fun(container: string, image: string?, architecture: string): moonwatch.patch.ImageConfig
function M.finder(all, is_offline)
  local unnamed = 0
  return function(container, image, architecture)
    local is_known = image ~= nil and not image:find "%$"
    local config = given(all, container, image)
    if config and #all == 1 and not all[1].name and #config.names == 0 then
      unnamed = unnamed + 1
      if unnamed > 1 then
        wrap.refuse("which image the --image-config is of is not clear: name it, as in --image-config=%s=FILE", container)
      end
    end
    if not config and not is_known then
      wrap.refuse("its image is computed, and it has no %s; say what the image runs: --image-config=%s=FILE (docker inspect)",
        "entrypoint of its own", container)
    elseif not config and is_offline then
      wrap.refuse("it has no entrypoint of its own; say what %s runs: --image-config=FILE (docker inspect %s)", image, image)
    elseif not config then
      local text, message = registry.config(image, architecture)
      local found = text
      if text then
        found, message = M.read(text)
      end
      if not found then
        wrap.refuse("what %s runs is not known: %s; --image-config=FILE can say it (docker inspect %s)", image, message, image)
      end
      config = found[1]
    end
    if config.architecture and config.architecture ~= architecture then
      wrap.refuse("the configuration of its image is for %s, the task for %s", config.architecture, architecture)
    end
    return config
  end
end

return M

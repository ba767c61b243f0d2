--- The configuration of an image from the registry it lies in: OCI Distribution 1.0, with the tokens and passwords that Docker Hub,
--- GitHub, ECR and a registry of one's own want.
local aws = require "moonwatch.aws"
local call = require "moonwatch.aws.call"
local cjson = require "cjson"
local endpoint = require "moonwatch.aws.endpoint"
local loop = require "moonwatch.loop"
local tls = require "moonwatch.tls"

---@class moonwatch.patch.registry
local M = {}

local TIME_MS = 20000
local ANSWER_BYTES = 4 << 20
local MAX_REDIRECTIONS = 3

local MANIFESTS = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, " ..
  "application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json"

---@class moonwatch.patch.registry.Image
---@field host string
---@field path string
---@field reference string  a tag or a digest

---@param image string
---@return moonwatch.patch.registry.Image
function M.parse(image)
  local digest = image:match "@(sha256:%x+)$"
  image = image:gsub("@sha256:%x+$", "")
  local host, path = image:match "^([^/]+)/(.+)$"
  if not host or not host:find "[.:]" and host ~= "localhost" then
    host, path = "registry-1.docker.io", host and image or "library/" .. image
  elseif host == "docker.io" or host == "index.docker.io" then
    host, path = "registry-1.docker.io", path:find "/" and path or "library/" .. path
  end
  local name, tag = path:match "^(.*):([^/:]+)$"
  return { host = host, path = name or path, reference = digest or tag or "latest" }
end

local BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

local function base64(text)
  return (text:gsub("..?.?", function(three)
    local a, b, c = three:byte(1, 3)
    local n = a << 16 | (b or 0) << 8 | (c or 0)
    local out = ""
    for shift = 18, 0, -6 do
      local index = (n >> shift & 63) + 1
      out = out .. BASE64:sub(index, index)
    end
    return out:sub(1, #three + 1) .. ("="):rep(3 - #three)
  end))
end

-- Of ~/.docker/config.json, which podman and skopeo read as well: "user:password", in base64.
local function stored_login(host)
  local folder = os.getenv "DOCKER_CONFIG" or (os.getenv "HOME" or "") .. "/.docker"
  local file = io.open(folder .. "/config.json", "rb")
  local ok, config = pcall(cjson.decode, file and file:read(1 << 20) or "")
  if file then
    file:close()
  end
  local auths = ok and type(config) == "table" and type(config.auths) == "table" and config.auths or {}
  local names = { host, "https://" .. host, "https://" .. host .. "/v2/" }
  if host == "registry-1.docker.io" then
    names = { "https://index.docker.io/v1/", "docker.io", "index.docker.io" }
  end
  for _, name in ipairs(names) do
    local entry = auths[name]
    if type(entry) == "table" and type(entry.auth) == "string" and entry.auth ~= "" then
      return entry.auth
    elseif type(entry) == "table" and type(entry.username) == "string" and type(entry.password) == "string" then
      return base64(entry.username .. ":" .. entry.password)
    end
  end
end

--- The region of a registry of ECR, nil for others: ACCOUNT.dkr.ecr[-fips].REGION.amazonaws.com, or what the partition has in its
--- place; ACCOUNT.dkr-ecr[-fips].REGION.on.aws.  The whole name counts: others that begin like it must not get the token.
---@param host string
---@return string?
function M.ecr_region(host)
  local region, suffix = host:match "^%d+%.dkr%.ecr%.([%l%d-]+)%.([%l%d.-]+)$"
  if not region then
    region, suffix = host:match "^%d+%.dkr%.ecr%-fips%.([%l%d-]+)%.([%l%d.-]+)$"
  end
  if region then
    return suffix == endpoint.partition(region).suffix and region or nil
  end
  return host:match "^%d+%.dkr%-ecr%.([%l%d-]+)%.on%.aws$" or host:match "^%d+%.dkr%-ecr%-fips%.([%l%d-]+)%.on%.aws$"
end

-- A token of 12 hours, for who may ecr:GetAuthorizationToken.
local function ecr_login(host)
  local region = M.ecr_region(host)
  if not region then
    return nil
  end
  aws.credentials.uses_environment = true
  local body, message, code = call.call {
    service = "api.ecr",
    signs_as = "ecr",
    region = region,
    target = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken",
    body = "{}",
    action = "ecr:GetAuthorizationToken",
    resource = host,
    deadline = loop.now() + TIME_MS,
  }
  if code == "NoCredentials" then
    return nil, "it wants credentials of AWS (AWS_ACCESS_KEY_ID, a role), or those that `docker login` stores, and there are neither"
  elseif not body then
    return nil, message
  end
  local ok, answer = pcall(cjson.decode, body:reveal())
  local data = ok and type(answer) == "table" and type(answer.authorizationData) == "table" and answer.authorizationData[1]
  if type(data) ~= "table" or type(data.authorizationToken) ~= "string" then
    return nil, "ecr:GetAuthorizationToken gave no token"
  end
  return data.authorizationToken
end

local function is_loopback(host)
  return host:find "^localhost[:]?%d*$" ~= nil or host:find "^127%.%d+%.%d+%.%d+:?%d*$" ~= nil
end

local function request(url, headers)
  local answer, message
  for _ = 0, MAX_REDIRECTIONS do
    answer, message = tls.request {
      url = url,
      plain = is_loopback(url:match "^http://([^/]*)" or "x"),
      headers = headers,
      total_ms = TIME_MS,
      answer_bytes = ANSWER_BYTES,
      ca_file = os.getenv "SSL_CERT_FILE",
    }
    local location = answer and answer.status >= 301 and answer.status <= 308 and answer.headers.location
    if not location or not location:find "^https://" then
      break
    end
    -- Where blobs lie; the registry's token is not for there.
    url, headers = location, {}
  end
  return answer, message
end

local function challenge(answer)
  local scheme, rest = (answer.headers["www-authenticate"] or ""):match "^(%a+)%s*(.*)$"
  local parts = {}
  for name, value in (rest or ""):gmatch '(%w+)="([^"]*)"' do
    parts[name] = value
  end
  return scheme and scheme:lower(), parts
end

local function encode(text)
  return (text:gsub("[^%w._~-]", function(c)
    return ("%%%02X"):format(c:byte())
  end))
end

-- What to send as Authorization, after the registry said what it wants.
local function authorize(image, answer)
  local scheme, parts = challenge(answer)
  local login = stored_login(image.host)
  if not login then
    local message
    login, message = ecr_login(image.host)
    if message then
      return nil, message
    end
  end
  if scheme == "basic" then
    return login and "Basic " .. login, "it wants a user and a password; `docker login` stores them"
  elseif scheme ~= "bearer" or not (parts.realm or ""):find "^https?://" then
    return nil, "it wants a kind of login that is not known here"
  end
  local url = ("%s?service=%s&scope=%s"):format(parts.realm, encode(parts.service or ""),
    encode(parts.scope or ("repository:%s:pull"):format(image.path)))
  local found, message = request(url, login and { Authorization = "Basic " .. login } or {})
  if not found then
    return nil, message
  end
  local ok, body = pcall(cjson.decode, found.body)
  local token = ok and type(body) == "table" and (body.token or body.access_token)
  if found.status ~= 200 or type(token) ~= "string" then
    return nil, ("%s answers HTTP %d and no token"):format(parts.realm, found.status)
  end
  return "Bearer " .. token
end

---@class moonwatch.patch.registry.Client
---@field image moonwatch.patch.registry.Image
---@field base string
---@field authorization string?

local function get(client, path, accept)
  local url = client.base .. path
  local answer, message = request(url, { Accept = accept, Authorization = client.authorization })
  if answer and answer.status == 401 and not client.authorization then
    client.authorization, message = authorize(client.image, answer)
    if not client.authorization then
      return nil, ("%s: %s"):format(client.image.host, message)
    end
    answer, message = request(url, { Accept = accept, Authorization = client.authorization })
  end
  if not answer then
    return nil, message
  elseif answer.status ~= 200 then
    local reasons = { [401] = "not allowed", [403] = "not allowed", [404] = "there is no such image", [429] = "too many requests" }
    return nil, ("%s answers HTTP %d%s"):format(client.image.host, answer.status,
      reasons[answer.status] and " (" .. reasons[answer.status] .. ")" or "")
  end
  return answer.body
end

local function decode(text)
  local ok, value = pcall(cjson.decode, text)
  return ok and type(value) == "table" and value or nil
end

local function digest_of(entry)
  local digest = type(entry) == "table" and entry.digest
  return type(digest) == "string" and digest:find "^sha256:%x+$" and digest
end

local function pick(manifests, architecture)
  local there = {}
  for _, entry in ipairs(manifests) do
    local platform = type(entry) == "table" and type(entry.platform) == "table" and entry.platform or {}
    if platform.os == "linux" and platform.architecture == architecture and digest_of(entry) then
      return entry.digest
    end
    there[#there + 1] = tostring(platform.os) .. "/" .. tostring(platform.architecture)
  end
  return nil, ("it is there for %s, not for linux/%s"):format(table.concat(there, ", ", 1, math.min(#there, 8)), architecture)
end

local function fetch(image, architecture)
  local client = { image = image, base = ("%s://%s/v2/%s/"):format(is_loopback(image.host) and "http" or "https", image.host,
    image.path) }
  local reference = image.reference
  for _ = 1, 2 do
    local text, message = get(client, "manifests/" .. reference, MANIFESTS)
    local manifest = text and decode(text)
    if not manifest then
      return nil, message or "its manifest is no JSON"
    elseif type(manifest.manifests) == "table" then
      reference, message = pick(manifest.manifests, architecture)
      if not reference then
        return nil, message
      end
    else
      local digest = digest_of(manifest.config)
      if not digest then
        return nil, "its manifest names no configuration"
      end
      return get(client, "blobs/" .. digest, "application/json")
    end
  end
  return nil, "its index leads to another index"
end

--- The configuration of an image, JSON.  Runs the loop.
---@param image string
---@param architecture string  amd64, arm64
---@return string?
---@return string? message
function M.config(image, architecture)
  return loop.run(fetch, M.parse(image), architecture)
end

return M

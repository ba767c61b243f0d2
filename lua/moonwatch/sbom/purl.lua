--- Package URLs: github.com/package-url/purl-spec, with what it says of each type.
local json = require "moonwatch.sbom.json"

---@class moonwatch.sbom.purl
local M = {}

--- What stays as it is: letters, digits, and these.  A colon, too.
local function encode(text)
  return (json.utf8(text):gsub("[^%w%.%-_~:]", function(byte)
    return ("%%%02X"):format(byte:byte())
  end))
end

--- A namespace is several parts, with slashes between.
local function encode_parts(text)
  local parts = {}
  for part in text:gmatch("[^/]+") do
    parts[#parts + 1] = encode(part)
  end
  return table.concat(parts, "/")
end

---@param kind string  "deb"
---@param namespace string?
---@param name string
---@param version string?
---@param qualifiers table<string, string>?
---@return string
function M.new(kind, namespace, name, version, qualifiers)
  local purl = "pkg:" .. kind .. "/"
  if namespace and namespace ~= "" then
    purl = purl .. encode_parts(namespace) .. "/"
  end
  purl = purl .. encode(name)
  if version and version ~= "" then
    purl = purl .. "@" .. encode(version)
  end
  local pairs_of = {}
  for key, value in pairs(qualifiers or {}) do
    if value ~= "" then
      pairs_of[#pairs_of + 1] = key .. "=" .. encode(value)
    end
  end
  table.sort(pairs_of)
  if #pairs_of > 0 then
    purl = purl .. "?" .. table.concat(pairs_of, "&")
  end
  return purl
end

--- "a/b/c" -> "a/b", "c"; "c" -> "", "c".
---@param path string
---@return string namespace
---@return string name
function M.split(path)
  local namespace, name = path:match("^(.*)/([^/]+)/*$")
  return namespace or "", name or path
end

return M

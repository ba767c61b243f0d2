--- CycloneDX 1.6 as JSON: cyclonedx.org/docs/1.6/json, ECMA-424.
local json = require "moonwatch.sbom.json"
local licenses = require "moonwatch.sbom.licenses"

---@class moonwatch.sbom.cyclonedx
local M = {}

--- Of one component; an archive of many modules may be in very many places.
local OCCURRENCES = 1000

local function licenses_of(text)
  if not text then
    return nil
  end
  local expression, is_id = licenses.expression(text)
  if is_id then
    return { { license = { id = expression } } }
  elseif expression then
    return { { expression = expression } }
  end
  return { { license = { name = text } } }
end

local function evidence_of(paths)
  if #paths == 0 then
    return nil
  end
  local occurrences = {}
  for i = 1, math.min(#paths, OCCURRENCES) do
    occurrences[i] = { location = paths[i] }
  end
  return { occurrences = occurrences }
end

---@param component moonwatch.sbom.Component
local function component_of(component)
  local homepage = component.homepage
  return {
    ["bom-ref"] = component.purl,
    type = component.type,
    name = component.name,
    group = component.group,
    version = component.version,
    purl = component.purl,
    description = component.description,
    publisher = component.supplier,
    licenses = licenses_of(component.license),
    scope = component.is_excluded and "excluded" or nil,
    evidence = evidence_of(component.paths),
    externalReferences = homepage and homepage:find("^https?://[%w%.%-]+[%w%-%._~:/?#@!$&'()*+,;=%%]*$") and
      { { type = "website", url = homepage } } or nil,
  }
end

-- Files that are told with what is in them.
local function add_files(components, refs, files)
  for _, file in ipairs(files or {}) do
    local ref = "file:" .. file.path
    components[#components + 1] = {
      ["bom-ref"] = ref,
      type = "file",
      name = file.path,
      hashes = { { alg = "SHA-1", content = file.sha1 }, { alg = "SHA-256", content = file.sha256 } },
    }
    refs[#refs + 1] = ref
  end
end

local function add_system(components, refs, system)
  if system then
    components[#components + 1] = {
      ["bom-ref"] = "operating-system",
      type = "operating-system",
      name = system.id,
      version = system.version,
      description = system.name,
    }
    refs[#refs + 1] = "operating-system"
  end
end

---@param bill moonwatch.sbom.Bill
---@return string
function M.write(bill)
  local components, refs = {}, {}
  add_system(components, refs, bill.system)
  for _, component in ipairs(bill.components) do
    components[#components + 1] = component_of(component)
    refs[#refs + 1] = component.purl
  end
  add_files(components, refs, bill.files)
  local subject = bill.subject and component_of(bill.subject) or { ["bom-ref"] = "container", type = "container", name = bill.name }
  local ref = subject["bom-ref"]
  local document = {
    ["$schema"] = "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat = "CycloneDX",
    specVersion = "1.6",
    version = 1,
    metadata = {
      timestamp = bill.timestamp,
      tools = { components = { { type = "application", name = "moonwatch", version = bill.tool_version } } },
      component = subject,
    },
    components = components,
    dependencies = { { ref = ref, dependsOn = refs } },
    -- What was looked for was found, or not all of it; what else there may be nobody knows.
    compositions = { { aggregate = bill.is_incomplete and "incomplete" or "unknown", assemblies = { ref } } },
  }
  document.serialNumber = "urn:uuid:" .. json.uuid(json.encode(document))
  return json.encode(document)
end

return M

--- SPDX 2.3 as JSON: spdx.github.io/spdx-spec/v2.3.
local json = require "moonwatch.sbom.json"
local licenses = require "moonwatch.sbom.licenses"

---@class moonwatch.sbom.spdx
local M = {}

local NOTHING = "NOASSERTION"

--- An id may have letters, digits, dots and dashes; the hash of the package URL makes it the only one.
local function id_of(component)
  local high = json.hash(component.purl)
  return ("SPDXRef-Package-%s-%016x"):format(component.name:sub(1, 64):gsub("[^%w%.%-]", "-"), high)
end

--- What an application or a distribution put there; a person or a company, that is not known.
local function supplier_of(component)
  if not component.supplier then
    return NOTHING
  end
  local name, mail = component.supplier:match("^([^<%c]-)%s*<([^<>%s]+@[^<>%s]+)>$")
  if not name then
    name = component.supplier:gsub("[%c()]+", " ")
  end
  name = name:gsub("[()]", " ")
  if name:find("^%s*$") then
    return NOTHING
  end
  return "Organization: " .. name .. (mail and " (" .. mail .. ")" or "")
end

---@param component moonwatch.sbom.Component
local function package_of(component)
  local declared = component.license and licenses.expression(component.license)
  local homepage = component.homepage
  return {
    SPDXID = id_of(component),
    name = component.group and component.group .. "/" .. component.name or component.name,
    versionInfo = component.version,
    supplier = supplier_of(component),
    downloadLocation = NOTHING,
    filesAnalyzed = false,
    licenseConcluded = NOTHING,
    licenseDeclared = declared or NOTHING,
    licenseComments = not declared and component.license and "The package says: " .. component.license or nil,
    copyrightText = NOTHING,
    summary = component.description,
    homepage = homepage and homepage:find("^https?://[%w%.%-]+[%w%-%._~:/?#@!$&'()*+,;=%%]*$") and homepage or nil,
    sourceInfo = #component.paths > 0 and "told by " .. table.concat(component.paths, ", ", 1, math.min(#component.paths, 100)) or nil,
    primaryPackagePurpose = component.type == "application" and "APPLICATION" or "LIBRARY",
    externalRefs = {
      { referenceCategory = "PACKAGE-MANAGER", referenceType = "purl", referenceLocator = component.purl },
    },
  }
end

local function plain(id, name, version, purpose, comment)
  return {
    SPDXID = id,
    name = name,
    versionInfo = version,
    downloadLocation = NOTHING,
    filesAnalyzed = false,
    licenseConcluded = NOTHING,
    licenseDeclared = NOTHING,
    copyrightText = NOTHING,
    primaryPackagePurpose = purpose,
    comment = comment,
  }
end

---@param bill moonwatch.sbom.Bill
---@return string
function M.write(bill)
  local container, system = "SPDXRef-Container", "SPDXRef-OperatingSystem"
  local packages = {
    plain(container, bill.name, nil, "CONTAINER", bill.is_incomplete and "Some of it could not be looked at." or nil),
    plain(system, bill.system.id, bill.system.version, "OPERATING-SYSTEM", bill.system.name),
  }
  local relationships = {
    { spdxElementId = "SPDXRef-DOCUMENT", relationshipType = "DESCRIBES", relatedSpdxElement = container },
    { spdxElementId = container, relationshipType = "CONTAINS", relatedSpdxElement = system },
  }
  for _, component in ipairs(bill.components) do
    local package = package_of(component)
    packages[#packages + 1] = package
    relationships[#relationships + 1] = {
      spdxElementId = container,
      relationshipType = "CONTAINS",
      relatedSpdxElement = package.SPDXID,
    }
    if component.is_excluded then
      relationships[#relationships] = {
        spdxElementId = package.SPDXID,
        relationshipType = "BUILD_DEPENDENCY_OF",
        relatedSpdxElement = container,
      }
    end
  end
  local document = {
    spdxVersion = "SPDX-2.3",
    dataLicense = "CC0-1.0",
    SPDXID = "SPDXRef-DOCUMENT",
    name = bill.name,
    creationInfo = { created = bill.timestamp, creators = { "Tool: moonwatch-" .. bill.tool_version } },
    packages = packages,
    relationships = relationships,
  }
  document.documentNamespace = ("https://spdx.org/spdxdocs/moonwatch-%s"):format(json.uuid(json.encode(document)))
  return json.encode(document)
end

return M

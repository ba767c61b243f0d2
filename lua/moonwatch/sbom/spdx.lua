--- SPDX 2.3 as JSON: spdx.github.io/spdx-spec/v2.3.
local crypto = require "moonwatch.crypto"
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

-- "Package verification code", 7.9 of the specification: of the hashes of all files, in order.
local function verification_of(files)
  local hashes = {}
  for i, file in ipairs(files) do
    hashes[i] = file.sha1
  end
  table.sort(hashes)
  return { packageVerificationCodeValue = crypto.sha1(table.concat(hashes)) }
end

local function file_of(file)
  return {
    SPDXID = "SPDXRef-File-" .. file.sha1 .. "-" .. file.path:gsub("[^%w%.%-]", "-"),
    fileName = "./" .. file.path,
    checksums = {
      { algorithm = "SHA1", checksumValue = file.sha1 },
      { algorithm = "SHA256", checksumValue = file.sha256 },
    },
    licenseConcluded = NOTHING,
    licenseInfoInFiles = { NOTHING },
    copyrightText = NOTHING,
  }
end

-- What the bill is of: a container, or a package with its files.
local function subject_of(bill)
  if not bill.subject then
    return plain("SPDXRef-Container", bill.name, nil, "CONTAINER", bill.is_incomplete and "Some of it could not be looked at." or nil)
  end
  local package = package_of(bill.subject)
  if bill.files then
    package.filesAnalyzed = true
    package.packageVerificationCode = verification_of(bill.files)
    package.licenseInfoFromFiles = { NOTHING }
  end
  return package
end

---@param bill moonwatch.sbom.Bill
---@return string
function M.write(bill)
  local packages, relationships = { subject_of(bill) }, {}
  local subject = packages[1].SPDXID
  local function relate(from, kind, to)
    relationships[#relationships + 1] = { spdxElementId = from, relationshipType = kind, relatedSpdxElement = to }
  end
  relate("SPDXRef-DOCUMENT", "DESCRIBES", subject)
  if bill.system then
    packages[2] = plain("SPDXRef-OperatingSystem", bill.system.id, bill.system.version, "OPERATING-SYSTEM", bill.system.name)
    relate(subject, "CONTAINS", packages[2].SPDXID)
  end
  for _, component in ipairs(bill.components) do
    local package = package_of(component)
    packages[#packages + 1] = package
    if component.is_excluded then
      relate(package.SPDXID, "BUILD_DEPENDENCY_OF", subject)
    else
      relate(subject, "CONTAINS", package.SPDXID)
    end
  end
  local files
  for i, file in ipairs(bill.files or {}) do
    files = files or {}
    files[i] = file_of(file)
    relate(subject, "CONTAINS", files[i].SPDXID)
  end
  local document = {
    spdxVersion = "SPDX-2.3",
    dataLicense = "CC0-1.0",
    SPDXID = "SPDXRef-DOCUMENT",
    name = bill.name,
    creationInfo = { created = bill.timestamp, creators = { "Tool: moonwatch-" .. bill.tool_version } },
    packages = packages,
    files = files,
    relationships = relationships,
  }
  document.documentNamespace = ("https://spdx.org/spdxdocs/moonwatch-%s"):format(json.uuid(json.encode(document)))
  return json.encode(document)
end

return M

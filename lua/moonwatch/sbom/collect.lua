--- What a bill of materials lists, from the tables of packages: one component for each package URL.
local purl = require "moonwatch.sbom.purl"
local sql = require "moonwatch.sql"

---@class moonwatch.sbom.collect
local M = {}

---@class moonwatch.sbom.Component
---@field type "library"|"application"
---@field name string
---@field group string?
---@field version string?
---@field purl string
---@field license string?
---@field supplier string?
---@field description string?
---@field homepage string?
---@field is_excluded boolean?  needed to build, not to run
---@field paths string[]  files that tell of it

---@class moonwatch.sbom.System
---@field id string       ID of os-release(5), "linux" without one
---@field version string?
---@field name string

--- Of a system that does not say what it is.
local UNKNOWN = "linux"
local FAMILIES = { deb = "debian", apk = "alpine" }

local function distro(system)
  if system.id == UNKNOWN then
    return ""
  end
  return system.version and system.id .. "-" .. system.version or system.id
end

--- What the package managers of distributions have: the rest of the component is the same for all.
local function of_system(kind)
  return function(row, system)
    local version = row.version
    local qualifiers = { arch = row.arch, distro = distro(system) }
    if kind == "rpm" then
      version = row.release ~= "" and row.version .. "-" .. row.release or row.version
      if row.epoch and row.epoch ~= 0 then
        qualifiers.epoch = tostring(row.epoch)
        row.version = row.epoch .. ":" .. version
      else
        row.version = version
      end
    end
    local namespace = system.id == UNKNOWN and FAMILIES[kind] or system.id
    return purl.new(kind, namespace ~= UNKNOWN and namespace or nil, row.name, version, qualifiers)
  end
end

local function npm(row)
  local namespace, name = purl.split(row.name:lower())
  return purl.new("npm", namespace, name, row.version)
end

local function pypi(row)
  return purl.new("pypi", nil, (row.name:lower():gsub("_", "-")), row.version)
end

local function gem(row)
  local platform = row.platform ~= "ruby" and row.platform or nil
  return purl.new("gem", nil, row.name, row.version, { platform = platform })
end

local function composer(row)
  local namespace, name = purl.split(row.name:lower())
  return purl.new("composer", namespace, name, row.version)
end

local function maven(row)
  if row.group == "" then
    return purl.new("generic", nil, row.name, row.version) -- a maven URL is none without a group
  end
  return purl.new("maven", row.group, row.name, row.version)
end

local function golang(row)
  local namespace, name = purl.split(row.name:lower())
  if row.version == "(devel)" then
    row.version = ""
  end
  return purl.new("golang", namespace, name, row.version)
end

local function cargo(row)
  return purl.new("cargo", nil, row.name, row.version)
end

--- A table each: columns that are wanted, by what they are here; those that the table does not have are passed over.
local SOURCES = {
  { table = "deb_packages", url = of_system("deb"), where = "status LIKE '% installed'", supplier = "maintainer" },
  { table = "rpm_packages", url = of_system("rpm"), supplier = "vendor" },
  { table = "apk_packages", url = of_system("apk"), supplier = "maintainer" },
  { table = "npm_packages", url = npm, supplier = "author" },
  { table = "python_packages", url = pypi, supplier = "author" },
  { table = "ruby_gems", url = gem, supplier = "author" },
  { table = "php_packages", url = composer, supplier = "author" },
  { table = "java_packages", url = maven, group = "group_id", supplier = "vendor" },
  { table = "go_packages", url = golang },
  { table = "rust_packages", url = cargo },
}

local COLUMNS = {
  "name", "version", "release", "epoch", "arch", "platform", "group", "license", "supplier", "description", "summary", "homepage",
  "path", "scope", "kind", "root",
}

local function columns_of(name)
  for _, known in ipairs(sql.tables()) do
    if known.name == name then
      local columns = {}
      for _, column in ipairs(known.columns) do
        columns[column.name] = true
      end
      return columns
    end
  end
  return nil
end

local function query_of(source, columns)
  local select = {}
  for i, name in ipairs(COLUMNS) do
    local column = source[name] or name
    select[i] = columns[column] and '"' .. column .. '"' or "''"
  end
  return ("SELECT %s FROM %s WHERE %s"):format(table.concat(select, ", "), source.table, source.where or "1")
end

local function or_nil(text)
  return text ~= "" and text or nil
end

local function component_of(source, row, system)
  local is_build = source.table == "rust_packages" and row.kind == "build"
  local is_main = (source.table == "go_packages" and row.scope == "main") or (source.table == "rust_packages" and row.root == 1)
  local url = source.url(row, system)
  local namespace, name = "", row.name
  if source.table == "npm_packages" or source.table == "php_packages" then
    namespace, name = purl.split(row.name)
  elseif source.table == "java_packages" then
    namespace = row.group
  end
  return {
    type = is_main and "application" or "library",
    name = name,
    group = or_nil(namespace),
    version = or_nil(row.version),
    purl = url,
    license = or_nil(row.license),
    supplier = or_nil(row.supplier),
    description = or_nil(row.description) or or_nil(row.summary),
    homepage = or_nil(row.homepage),
    is_excluded = is_build or nil,
    paths = {},
  }
end

--- Add the rows of one table.  A message when the query failed; what was had till then is kept.
local function add(database, source, system, by_purl)
  local columns = columns_of(source.table)
  if not columns then
    return nil
  end
  local query <close>, message = database:prepare(query_of(source, columns))
  if not query then
    return message
  end
  while true do
    local values, failure = query:step()
    if not values then
      return values == nil and failure or nil
    end
    local row = {}
    for i, name in ipairs(COLUMNS) do
      row[name] = values[i] or (name ~= "epoch" and "" or nil)
    end
    local component = component_of(source, row, system)
    local known = by_purl[component.purl]
    if known then
      known.is_excluded = known.is_excluded and component.is_excluded
      for key, value in pairs(component) do
        known[key] = known[key] == nil and key ~= "is_excluded" and value or known[key]
      end
      component = known
    end
    by_purl[component.purl] = component
    if row.path ~= "" then
      component.paths[#component.paths + 1] = row.path
    end
  end
end

local function sort_paths(component)
  local seen, paths = {}, {}
  for _, path in ipairs(component.paths) do
    if not seen[path] then
      seen[path] = true
      paths[#paths + 1] = path
    end
  end
  table.sort(paths)
  component.paths = paths
end

--- All components, by package URL, and what went wrong on the way, a line each.
---@param database moonwatch.Database
---@param system moonwatch.sbom.System
---@return moonwatch.sbom.Component[] components
---@return string[] warnings
function M.components(database, system)
  local by_purl, warnings = {}, {}
  for _, source in ipairs(SOURCES) do
    local message = add(database, source, system, by_purl)
    for line in (database:warnings() or ""):gmatch("[^\n]+") do
      warnings[#warnings + 1] = line
    end
    if message then
      warnings[#warnings + 1] = source.table .. ": " .. message
    end
  end
  local components = {}
  for _, component in pairs(by_purl) do
    sort_paths(component)
    components[#components + 1] = component
  end
  table.sort(components, function(a, b)
    return a.purl < b.purl
  end)
  return components, warnings
end

--- A value of os-release(5), which may be quoted as in a shell.
local function unquote(text)
  local quoted = text:match('^"(.*)"%s*$') or text:match("^'(.*)'%s*$")
  return quoted and quoted:gsub("\\(.)", "%1") or (text:gsub("%s+$", ""))
end

--- Which system is below `root`, "" for our own.
---@param root string
---@return moonwatch.sbom.System
function M.system(root)
  local values = {}
  for _, path in ipairs { "/etc/os-release", "/usr/lib/os-release" } do
    local file <close> = io.open(root .. path, "rb")
    for line in ((file and file:read(1 << 16)) or ""):gmatch("[^\n]+") do
      local key, value = line:match("^([A-Z_]+)=(.*)$")
      if key and values[key] == nil then
        values[key] = unquote(value)
      end
    end
  end
  local id = values.ID and values.ID:lower():match("^[%w%._-]+$") or UNKNOWN
  return {
    id = id,
    version = values.VERSION_ID ~= "" and values.VERSION_ID or nil,
    name = values.PRETTY_NAME or values.NAME or id,
  }
end

return M

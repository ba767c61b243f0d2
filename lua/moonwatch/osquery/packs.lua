--- Schedule and packs of a configuration: which queries there are, and which of them are for this host.
local cjson = require "cjson"
local text = require "moonwatch.text"

---@class moonwatch.osquery.packs
local M = {}

--- Whose behaviour this is: what `version` of packs and queries is compared with.
M.VERSION = "5.23.0"

--- The pack that the schedule itself is.
M.MAIN = "main"

local INTERVAL_MAX <const> = 604800
local QUERIES <const> = 4096
local NAME_BYTES <const> = 512
local QUERY_BYTES <const> = 256 << 10
local DISCOVERIES <const> = 64
--- Warnings of one document that are told.
local WARNINGS <const> = 32

---@class moonwatch.osquery.Query
---@field name string        as in result lines
---@field short string       as in the configuration
---@field pack moonwatch.osquery.Pack
---@field query string
---@field interval integer
---@field snapshot boolean
---@field removed boolean
---@field denylist boolean
---@field startup_priority number?

---@class moonwatch.osquery.Pack
---@field name string
---@field queries moonwatch.osquery.Query[]
---@field discovery string[]
---@field platform string
---@field version string
---@field shard integer
---@field fits boolean  by platform, version and shard
---@field why string?   it does not

---@class moonwatch.osquery.Settings
---@field shard integer             of this host, 0 to 100
---@field default_interval integer
---@field delimiter string
---@field read_pack? fun(path: string): table?, string?  a pack in a file of its own; nil: there can be none

--- A member that is null is none.
local function given(value)
  if value ~= cjson.null then
    return value
  end
end

---@param value any
---@param otherwise boolean
---@return boolean
local function boolean(value, otherwise)
  if type(value) == "boolean" then
    return value
  elseif type(value) == "number" then
    return value ~= 0
  elseif type(value) == "string" then
    local word = value:lower()
    return word == "true" or word == "t" or word == "yes" or word == "y" or word == "1"
  end
  return otherwise
end

--- A whole number, or a text of one.
local function whole(value)
  if type(value) == "string" then
    value = value:match "^%s*(%d+)%s*$" and tonumber(value)
  end
  return type(value) == "number" and math.tointeger(value // 1) or nil
end

local function string_of(value)
  return type(value) == "string" and value or ""
end

--- Does a list such as "linux,darwin" name this platform?
---@param platform string
---@return boolean
function M.is_platform(platform)
  if platform == "" or platform == "null" then
    return true
  end
  for _, word in ipairs { "any", "all", "posix", "linux", "ubuntu", "centos" } do
    if platform:find(word, 1, true) then
      return true
    end
  end
  return false
end

--- Is `version`, "5.2.1", at most that of M.VERSION?
---@param version string
---@return boolean
function M.is_version(version)
  local ours = M.VERSION:gmatch "%d+"
  for wanted in version:gmatch "%d+" do
    local here = tonumber(ours() or "0")
    if here ~= tonumber(wanted) then
      return here > tonumber(wanted)
    end
  end
  return true
end

--- Of a host: 0 to 100, the first byte of the SHA-1 of its name.
---@param sha1 string  hex digits
---@return integer
function M.shard_of(sha1)
  return tonumber(sha1:sub(1, 2), 16) * 100 // 255
end

--- Why an entry is not for this host; nil when it is.
local function misfit(entry, settings)
  local platform, version, shard = string_of(entry.platform), string_of(entry.version), whole(entry.shard) or 0
  if not M.is_platform(platform) then
    return "platform " .. text.printable(platform, 60)
  elseif version ~= "" and not M.is_version(version) then
    return "version " .. text.printable(version, 60)
  elseif shard > 0 and shard < settings.shard then
    return ("shard %d"):format(shard)
  end
end

--- Names that osquery keeps for itself in its database.
local function is_reserved(name)
  return name:find "^query%." or name:find "^cache%." or name:find "^config_views%." or name:find "epoch$"
    or name:find "counter$"
end

---@class moonwatch.osquery.Reading
---@field settings moonwatch.osquery.Settings
---@field warnings string[]
---@field more integer  warnings that are left out
---@field count integer
---@field taken table<string, boolean>

local function warn(reading, format, ...)
  if #reading.warnings < WARNINGS then
    reading.warnings[#reading.warnings + 1] = format:format(...)
  else
    reading.more = reading.more + 1
  end
end

local function quoted(name)
  return text.printable(tostring(name), 80)
end

--- nil: it is left out.
local function read_query(short, entry, pack, reading)
  local settings = reading.settings
  if type(short) ~= "string" or short == "" or #short > NAME_BYTES or is_reserved(short) then
    return warn(reading, "query %s: not a name for a query; left out", quoted(short))
  elseif type(entry) ~= "table" or type(entry.query) ~= "string" or entry.query == "" then
    return warn(reading, "query %s: has no text in \"query\"; left out", quoted(short))
  elseif #entry.query > QUERY_BYTES then
    return warn(reading, "query %s: longer than %d KiB; left out", quoted(short), QUERY_BYTES >> 10)
  end
  local interval = settings.default_interval
  if given(entry.interval) ~= nil then
    interval = whole(entry.interval) or 0
  end
  if interval < 1 or interval > INTERVAL_MAX then
    return warn(reading, "query %s: interval goes from 1 to %d s; left out", quoted(short), INTERVAL_MAX)
  elseif misfit(entry, settings) then
    return nil
  end
  local name = short
  if pack.name ~= M.MAIN then
    name = table.concat({ "pack", pack.name, short }, settings.delimiter)
  end
  if reading.taken[name] then
    return warn(reading, "query %s: there is one of that name already; left out", quoted(name))
  elseif reading.count == QUERIES then
    return warn(reading, "query %s: more than %d queries; left out", quoted(name), QUERIES)
  end
  reading.taken[name] = true
  reading.count = reading.count + 1
  return {
    name = name,
    short = short,
    pack = pack,
    query = entry.query,
    interval = interval,
    snapshot = boolean(entry.snapshot, false),
    removed = boolean(entry.removed, true),
    denylist = boolean(entry.denylist, boolean(entry.blacklist, true)),
    startup_priority = type(entry.startup_priority) == "number" and entry.startup_priority or nil,
  }
end

local function sorted_names(object)
  local names = {}
  for name in pairs(object) do
    names[#names + 1] = name
  end
  table.sort(names, function(a, b)
    return tostring(a) < tostring(b)
  end)
  return names
end

--- Texts of a list; what is none is told.
---@param list any
---@param most integer
---@return string[]?
local function texts(list, most)
  if given(list) == nil then
    return {}
  elseif type(list) == "string" then
    return { list }
  elseif type(list) ~= "table" or #list > most then
    return nil
  end
  for i, value in ipairs(list) do
    if type(value) ~= "string" then
      return nil, i
    end
  end
  return list
end

M.texts = texts

local function read_pack(name, object, reading)
  local pack = {
    name = name,
    queries = {},
    discovery = {},
    platform = string_of(object.platform),
    version = string_of(object.version),
    shard = whole(object.shard) or 0,
    why = misfit(object, reading.settings),
  }
  pack.fits = pack.why == nil
  local discovery = texts(object.discovery, DISCOVERIES)
  if not discovery then
    warn(reading, "pack %s: discovery is a list of at most %d queries; the pack is left out", quoted(name), DISCOVERIES)
    return nil
  end
  pack.discovery = discovery
  if type(object.queries) ~= "table" then
    if given(object.queries) ~= nil then
      warn(reading, "pack %s: queries is no object", quoted(name))
    end
    return pack
  end
  for _, short in ipairs(sorted_names(object.queries)) do
    pack.queries[#pack.queries + 1] = read_query(short, object.queries[short], pack, reading)
  end
  return pack
end

local function find_pack(name, object, reading)
  if type(name) ~= "string" or name == "" or #name > NAME_BYTES or name == M.MAIN then
    return warn(reading, "pack %s: not a name for a pack; left out", quoted(name))
  end
  if type(object) == "string" then
    if not reading.settings.read_pack then
      return warn(reading, "pack %s: only a configuration file may name other files; left out", quoted(name))
    end
    local found, message = reading.settings.read_pack(object)
    if not found then
      return warn(reading, "pack %s: %s; left out", quoted(name), tostring(message))
    end
    object = found
  end
  if type(object) ~= "table" then
    return warn(reading, "pack %s: is no object; left out", quoted(name))
  end
  return read_pack(name, object, reading)
end

--- Schedule and packs of a document; what is wrong with one of its queries leaves out that query.
---@param document table
---@param settings moonwatch.osquery.Settings
---@return moonwatch.osquery.Pack[]?
---@return string[]|string warnings  or why it is refused as a whole
function M.read(document, settings)
  local reading = { settings = settings, warnings = {}, more = 0, count = 0, taken = {} }
  for _, member in ipairs { "schedule", "packs" } do
    if document[member] ~= nil and type(document[member]) ~= "table" then
      return nil, member .. " is no object"
    end
  end
  local list = { read_pack(M.MAIN, { queries = document.schedule }, reading) }
  for _, name in ipairs(sorted_names(document.packs or {})) do
    list[#list + 1] = find_pack(name, document.packs[name], reading)
  end
  if reading.more > 0 then
    reading.warnings[#reading.warnings + 1] = ("… and %d more like that"):format(reading.more)
  end
  return list, reading.warnings
end

return M

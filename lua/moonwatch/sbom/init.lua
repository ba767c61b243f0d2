--- `moonwatch sbom`: a bill of materials of this container, from the tables of packages.
local collect = require "moonwatch.sbom.collect"
local cyclonedx = require "moonwatch.sbom.cyclonedx"
local spdx = require "moonwatch.sbom.spdx"
local sql = require "moonwatch.sql"
local text = require "moonwatch.text"
local whole_file = require "moonwatch.whole_file"

---@class moonwatch.sbom
local M = {}

---@class moonwatch.sbom.Bill
---@field name string
---@field subject moonwatch.sbom.Component?  what the bill is of, if it is no container
---@field system moonwatch.sbom.System?
---@field components moonwatch.sbom.Component[]
---@field files moonwatch.sbom.File[]?  in what it is of
---@field is_incomplete boolean
---@field timestamp string     RFC 3339
---@field tool_version string

---@class moonwatch.sbom.File
---@field path string  from the subject's folder on
---@field sha1 string    hex
---@field sha256 string  hex

local FORMATS = { cyclonedx = cyclonedx, spdx = spdx }
local OPTIONS = { "format", "output", "root", "name", "time_limit", "version" }
--- Of one table; the first that looks through all files takes most of it.
local TIME_LIMIT_MS = 60000
local MEMORY_BYTES = 256 << 20

local EXIT_OK, EXIT_NO, EXIT_USAGE = 0, 1, 2

local function complain(message)
  io.stderr:write("moonwatch: sbom: ", message, "\n")
end

local function unknown(name)
  local nearest = text.nearest(name, { "format", "output", "root", "name", "time_limit" })
  return ("unknown option --%s; %s"):format(name, nearest and "did you mean --" .. nearest .. "?"
    or "`moonwatch sbom --help` lists them")
end

--- nil and a message for arguments that are wrong.
local function parse(words)
  local options = { format = "cyclonedx", root = "", name = "container" }
  local is_known = {}
  for _, name in ipairs(OPTIONS) do
    is_known[name] = true
  end
  local i = 1
  while words[i] do
    local word = words[i]
    local name, value = word:match("^%-%-([%w_]+)=(.*)$")
    name = name or word:match("^%-%-([%w_]+)$")
    if word == "-o" then
      name = "output"
    end
    if not name then
      return nil, ("what is '%s'? `moonwatch sbom --help` lists what may be said"):format(word)
    elseif not is_known[name] then
      return nil, unknown(name)
    elseif not value then
      i = i + 1
      value = words[i]
      if not value then
        return nil, word .. " needs a value"
      end
    end
    options[name] = value
    i = i + 1
  end
  if not FORMATS[options.format] then
    return nil, ("--format is '%s', but may be cyclonedx or spdx"):format(options.format)
  end
  options.time_ms = math.tointeger(tonumber(options.time_limit or TIME_LIMIT_MS))
  if not options.time_ms or options.time_ms <= 0 then
    return nil, "--time_limit must be a number of milliseconds"
  end
  options.root = options.root:gsub("/+$", "")
  return options
end

--- The time the document is of: as reproducible-builds.org wants it, or now.
local function timestamp()
  local epoch = math.tointeger(tonumber(os.getenv("SOURCE_DATE_EPOCH") or ""))
  return os.date("!%Y-%m-%dT%H:%M:%SZ", epoch) --[[@as string]]
end

local function write(output, document)
  if output and output ~= "-" then
    local _, message = whole_file.write(output, document)
    return message
  end
  local ok, message = io.stdout:write(document)
  if ok then
    ok, message = io.stdout:flush()
  end
  return not ok and message or nil
end

---@param words string[]
---@return integer status
function M.main(words)
  local options, message = parse(words)
  if not options then
    complain(message)
    return EXIT_USAGE
  end
  local database <close>, failure = sql.open {
    root = options.root,
    time_ms = options.time_ms,
    process_memory_bytes = MEMORY_BYTES,
  }
  if not database then
    complain(failure)
    return EXIT_NO
  end
  local system = collect.system(options.root)
  local components, warnings = collect.components(database, system)
  for _, line in ipairs(warnings) do
    complain("warning: " .. line)
  end
  local document = FORMATS[options.format].write {
    name = options.name,
    system = system,
    components = components,
    is_incomplete = #warnings > 0,
    timestamp = timestamp(),
    tool_version = options.version,
  }
  message = write(options.output, document)
  if message then
    complain("cannot write: " .. message)
    return EXIT_NO
  end
  return EXIT_OK
end

return M

--- `moonwatch patch`: put the sensor in front of the containers of a task definition, a template, a Compose file, a workload.
---
--- All or nothing: when one container that is wanted cannot be wrapped safely, nothing is written, and the reasons are told.
local compose = require "moonwatch.patch.compose"
local diff = require "moonwatch.patch.diff"
local document = require "moonwatch.patch.document"
local ecs = require "moonwatch.patch.ecs"
local images = require "moonwatch.patch.images"
local kubernetes = require "moonwatch.patch.kubernetes"
local text = require "moonwatch.text"
local whole_file = require "moonwatch.whole_file"

---@class moonwatch.patch
local M = {}

local EXIT_OK, EXIT_NO, EXIT_USAGE = 0, 1, 2
local MODES = { build = true, sidecar = true, volume = true }
local MAX_BYTES = 1 << 20

---@class moonwatch.patch.Options
---@field mode "build"|"sidecar"|"volume"
---@field image string        the sensor's own
---@field name string         of the sensor's own container and volume
---@field environment { name: string, value: string }[]
---@field image_config fun(container: string, image: string?, architecture: string): moonwatch.patch.ImageConfig

local function complain(message)
  io.stderr:write("moonwatch: patch: ", message, "\n")
end

--- What became of each container.
---@class moonwatch.patch.Report
---@field include string[]
---@field exclude string[]
---@field lines string[]
---@field changed integer
---@field refused integer
local Report = {}
Report.__index = Report

function Report:line(name, what)
  self.lines[#self.lines + 1] = ("%s: %s"):format(text.printable(name, 100), text.printable(what, 400))
end

function Report:done(name, what)
  self.changed = self.changed + 1
  self:line(name, what)
end

function Report:leave(name, why)
  self:line(name, "left alone: " .. why)
end

function Report:refuse(name, why)
  self.refused = self.refused + 1
  self:line(name, "cannot be wrapped: " .. why)
end

--- False when it was refused, which is told then.
function Report:try(name, task)
  local ok, failure = pcall(task)
  if ok then
    return true
  elseif type(failure) ~= "table" or not failure.refused then
    error(failure, 0)
  end
  self:refuse(name, failure.refused)
  return false
end

-- "*" is anything.
local function matches(patterns, name)
  for _, pattern in ipairs(patterns) do
    local escaped = pattern:gsub("[%^%$%(%)%%%.%[%]%+%-%?]", "%%%0"):gsub("%*", ".*")
    if name:find("^" .. escaped .. "$") then
      return true
    end
  end
  return false
end

--- Is it to be wrapped?  Those of others are when they are named.
---@param name string
---@param other string?  what it is, if it is somebody else's
function Report:wants(name, other)
  if matches(self.exclude, name) then
    self:leave(name, "excluded")
  elseif #self.include > 0 then
    if matches(self.include, name) then
      return true
    end
    self:leave(name, "not included")
  elseif other then
    self:leave(name, ("%s; --include=%s wraps it all the same"):format(other, name))
  else
    return true
  end
  return false
end

-- Names of options, and whether they may be given more than once.
local LISTS = { include = true, exclude = true, env = true, image_config = true }
local VALUES = { mode = true, image = true, name = true, output = true, secret = true }
local SWITCHES = { dry_run = true, undo = true, offline = true }

local function option_names()
  local names = {}
  for _, kind in ipairs { LISTS, VALUES, SWITCHES } do
    for name in pairs(kind) do
      names[#names + 1] = (name:gsub("_", "-"))
    end
  end
  return names
end

local function check(options)
  if not MODES[options.mode] then
    return nil, ("--mode is '%s', but may be sidecar, volume or build"):format(options.mode)
  elseif not options.path then
    return nil, "which file? `moonwatch patch --help` says more"
  elseif not options.undo and options.mode ~= "build" and not options.image then
    return nil, "where does the sensor come from? Name its image: --image=REGISTRY/moonwatch:VERSION (or --mode=build)"
  elseif not options.name:find "^[%w][%w_-]*$" or #options.name > 63 then
    return nil, ("--name is '%s', but a name has letters, digits and dashes"):format(options.name)
  end
  options.environment = {}
  for _, pair in ipairs(options.env) do
    local name, value = pair:match "^([%a_][%w_]*)=(.*)$"
    if not name then
      return nil, ("--env is '%s', but should be NAME=VALUE"):format(pair)
    end
    table.insert(options.environment, { name = name, value = value })
  end
  if options.secret then
    table.insert(options.environment, { name = "MOONWATCH_ENROLL_SECRET", value = options.secret })
  end
  return options
end

---@param words string[]
---@return table?
---@return string? message
local function parse(words)
  local options = { mode = "sidecar", name = "moonwatch", include = {}, exclude = {}, env = {}, image_config = {} }
  local at = 1
  while words[at] do
    local word = words[at]
    local name, value = word:match "^%-%-([%w_-]+)=(.*)$"
    name = (name or word:match "^%-%-([%w_-]+)$" or word == "-o" and "output" or ""):gsub("-", "_")
    if name == "" then
      if word:find "^%-." then
        return nil, ("what is '%s'? `moonwatch patch --help` lists what may be said"):format(word)
      elseif options.path then
        return nil, ("one file at a time, not also '%s'"):format(word)
      end
      options.path = word
    elseif SWITCHES[name] and not value then
      options[name] = true
    elseif LISTS[name] or VALUES[name] then
      if not value then
        at = at + 1
        value = words[at]
      end
      if not value or value == "" then
        return nil, word .. " needs a value"
      elseif LISTS[name] then
        table.insert(options[name], value)
      else
        options[name] = value
      end
    else
      local nearest = text.nearest(name:gsub("_", "-"), option_names())
      return nil, ("unknown option %s; %s"):format(word, nearest and "did you mean --" .. nearest .. "?"
        or "`moonwatch patch --help` lists them")
    end
    at = at + 1
  end
  return check(options)
end

local function read(path)
  if path == "-" then
    return io.stdin:read(MAX_BYTES + 1) or ""
  end
  local file, message = io.open(path, "rb")
  if not file then
    return nil, message
  end
  local content, why = file:read(MAX_BYTES + 1)
  file:close()
  if not content and why then
    return nil, ("%s: %s"):format(path, why)
  end
  return content or ""
end

local function write(path, content)
  if path == "-" then
    local ok, message = io.stdout:write(content)
    if ok then
      ok, message = io.stdout:flush()
    end
    return not ok and message or nil
  end
  local _, message = whole_file.write(path, content)
  return message
end

-- What there is in a document, and who knows it: a list of { handler, part }.
local function parts_of(doc)
  local parts = {}
  for _, task in ipairs(ecs.find(doc)) do
    parts[#parts + 1] = { ecs, task }
  end
  local pods = kubernetes.find(doc)
  if #pods > 0 then
    parts[#parts + 1] = { kubernetes, pods }
  end
  local services = #parts == 0 and compose.find(doc)
  if services then
    parts[#parts + 1] = { compose, services }
  end
  return parts
end

local UNKNOWN = "no task definition of ECS, no template of CloudFormation with one, no Compose file, no workload of Kubernetes"

local function new_report(options)
  return setmetatable({ include = options.include, exclude = options.exclude, lines = {}, changed = 0, refused = 0 }, Report)
end

-- The text with what the handlers put in, or took out.
local function change(doc, options, report)
  local parts = parts_of(doc)
  if #parts == 0 then
    return nil, UNKNOWN
  end
  for _, part in ipairs(parts) do
    if options.undo then
      part[1].undo(doc, part[2], report)
    else
      part[1].wrap(doc, part[2], options, report)
    end
  end
  return report.changed > 0 and doc:result() or doc.mark .. doc.text
end

local function without_end(content)
  return (content:gsub("[\r\n]*$", ""))
end

-- Can what was put in be taken out again, exactly?  A mistake here could take down a service, so it is tried each time.
local function check_undo(doc, result, options)
  local again, message = document.read(result)
  if not again then
    return "what would be written is not well-formed (" .. message .. ")"
  end
  local undone = change(again, { undo = true }, new_report(options))
  if not undone or without_end(undone) ~= without_end(doc.mark .. doc.text) then
    return "what would be written could not be taken out again exactly"
  end
end

--- Patch a text.
---@param content string
---@param options table
---@return string? result
---@return moonwatch.patch.Report|string report  or a message, when it cannot be read
function M.patch(content, options)
  local doc, message = document.read(content)
  if not doc then
    return nil, message
  end
  doc = options.undo and doc or ecs.unwrap(doc)
  local report = new_report(options)
  local result
  result, message = change(doc, options, report)
  if not result then
    return nil, message
  elseif report.refused > 0 then
    return nil, report
  end
  message = not options.undo and report.changed > 0 and check_undo(doc, result, options)
  if message then
    report:refuse("the document", message .. "; is its layout unusual?")
    return nil, report
  end
  return result, report
end

local function deliver(options, content, result)
  if options.dry_run then
    io.stdout:write(diff.unified(content, result, options.path))
    return EXIT_OK
  end
  local target = options.output or options.path
  if target == options.path and target ~= "-" and result == content then
    return EXIT_OK
  end
  local message = write(target, result)
  if message then
    complain("cannot write: " .. message)
    return EXIT_NO
  end
  return EXIT_OK
end

---@param words string[]
---@return integer status
function M.main(words)
  local options, message = parse(words)
  if not options then
    complain(message)
    return EXIT_USAGE
  end
  local configs
  configs, message = images.load(options.image_config)
  local content = configs and ""
  if configs then
    content, message = read(options.path)
  end
  if not content then
    complain(message)
    return EXIT_NO
  end
  options.image_config = images.finder(configs, options.offline)
  local result, report = M.patch(content, options)
  if type(report) == "string" then
    complain(("%s: %s"):format(options.path, report))
    return EXIT_NO
  end
  for _, line in ipairs(report.lines) do
    complain(line)
  end
  if not result then
    complain(("%s: nothing was changed; --exclude leaves a container out"):format(options.path))
    return EXIT_NO
  elseif report.changed == 0 then
    complain(("%s: nothing to do"):format(options.path))
  end
  return deliver(options, content, result)
end

return M

--- Outputs: what a spec such as "alerts/text:stderr,events/json:file=/tmp/e.jsonl" means.
---
--- A spec is a list of STREAM[+STREAM…]/FORMAT:SINK[=TARGET[;OPTION=VALUE…]], separated by commas.  A format is a script in this folder
--- that returns a function, item -> line; a sink is a script in moonwatch/sink/ that opens a writer, or sends over the network what
--- the spool holds (moonwatch.delivery.outputs).

local options = require "moonwatch.sink.options"
local text = require "moonwatch.text"

---@class moonwatch.output
local M = {}

M.streams = { "alerts", "events", "results", "status" }
M.formats = { "cef", "ecs", "falco", "json", "ocsf", "osquery", "rfc5424", "text" }
M.sinks = { "file", "firehose", "forward", "http", "kinesis", "nats", "stderr", "stdout", "syslog" }

local SYNTAX = "STREAM/FORMAT:SINK[=TARGET[;OPTION=VALUE…]]"

--- Longest list and longest part: a flag value may come from a backend.
local MAX_OUTPUTS = 16
local MAX_PART_BYTES = 4096

---@class moonwatch.output.Part
---@field streams moonwatch.spool.Stream[]
---@field format string
---@field sink string
---@field target string?
---@field options table<string, any>
---@field is_network boolean
---@field text string  as it was asked for

-- What stands behind may be secret: an address's query, options.
local function show(part)
  local shown = part:match "^[^?;]*" .. (part:find "[?;]" and "…" or "")
  return (shown:gsub("//[^/]*@", "//…@"))
end

local function unknown(part, what, name, known)
  local near = text.nearest(name, known)
  return nil, ("%q: unknown %s %q%s; known are %s"):format(show(part), what, name,
    near and (", did you mean %q?"):format(near) or "", table.concat(known, ", "))
end

local function contains(list, name)
  for _, known in ipairs(list) do
    if known == name then
      return true
    end
  end
  return false
end

local function parse_streams(part, list, format)
  local streams = {}
  for stream in (list .. "+"):gmatch "([^+]*)%+" do
    if not contains(M.streams, stream) then
      return unknown(part, "stream", stream, M.streams)
    elseif contains(streams, stream) then
      return nil, ("%q: the stream %s is there twice"):format(show(part), stream)
    elseif (stream == "results" or stream == "status") and format ~= "json" and format ~= "osquery" then
      return nil, ("%q: lines of %s are written as they are: the format is json, or osquery"):format(show(part), stream)
    end
    streams[#streams + 1] = stream
  end
  return streams
end

---@param part string
---@return moonwatch.output.Part?
---@return string? message
local function parse_part(part)
  local list, format, rest = part:match("^([^/:=]*)/([^/:=]*):(.*)$")
  if not list then
    return nil, ("%q: not of the form %s"):format(show(part), SYNTAX)
  end
  local name, behind = rest:match "^([^=;]*)(.*)$"
  local target, given = behind:match "^=?([^;]*);?(.*)$"
  local has_target = behind:sub(1, 1) == "="
  if not contains(M.sinks, name) then
    return unknown(part, "sink", name, M.sinks)
  elseif not contains(M.formats, format) then
    return unknown(part, "format", format, M.formats)
  end
  local streams, message = parse_streams(part, list, format)
  if not streams then
    return nil, message
  end
  local sink = require("moonwatch.sink." .. name)
  if sink.wants_target == true and target == "" then
    return nil, ("%q: the sink %s needs a target: %s=%s"):format(show(part), name, name, sink.target or "PATH")
  elseif has_target and sink.wants_target == false then
    return nil, ("%q: the sink %s takes no target"):format(show(part), name)
  end
  local parsed = {
    streams = streams, format = format, sink = name, target = has_target and target or nil, is_network = sink.is_network or false,
    text = part,
  }
  parsed.options, message = options.parse(given, sink.options or {})
  if parsed.options and sink.check then
    local ok, why = sink.check(parsed)
    message = not ok and why or nil
  end
  if message then
    return nil, ("%q: %s: %s"):format(show(part), name, message)
  end
  return parsed
end

--- What `spec` asks for; opens nothing.  An empty spec asks for nothing.
---@param spec string
---@return moonwatch.output.Part[]?
---@return string? message  names the part that is wrong, and what is known
function M.parse(spec)
  local parts = {}
  if spec == "" then
    return parts
  end
  for part in (spec .. ","):gmatch("([^,]*),") do
    if #part > MAX_PART_BYTES then
      return nil, ("an output is longer than %d bytes"):format(MAX_PART_BYTES)
    elseif #parts == MAX_OUTPUTS then
      return nil, ("more than %d outputs"):format(MAX_OUTPUTS)
    end
    local parsed, message = parse_part(part)
    if not parsed then
      return nil, message
    end
    parts[#parts + 1] = parsed
  end
  return parts
end

---@class moonwatch.output.Opened
---@field stream string
---@field format fun(item: table|userdata): string
---@field is_plain boolean  the line is moonwatch.event.json(item), which needs no script to be called
---@field writer moonwatch.Writer

--- Open every sink of `spec` that is here, not on the network; parts with the same sink and target share a writer, so that lines keep
--- their order.  Results and status lines are in the spool alone: moonwatch.delivery.outputs takes them from there.
---@param spec string
---@return moonwatch.output.Opened[]?
---@return string? message
---@return integer? errno  of the sink that refused; nil when the spec is wrong
function M.open(spec)
  local parts, message = M.parse(spec)
  if not parts then
    return nil, message
  end
  local opened, writers = {}, {}
  for _, part in ipairs(parts) do
    local key = part.sink .. "=" .. (part.target or "")
    if not part.is_network and not writers[key] then
      local writer, why, _, errno = require("moonwatch.sink." .. part.sink).open(part.target, part.options)
      if not writer then
        return nil, why, errno
      end
      writers[key] = writer
    end
    for _, stream in ipairs(part.is_network and {} or part.streams) do
      if stream == "alerts" or stream == "events" then
        opened[#opened + 1] = {
          stream = stream,
          format = require("moonwatch.output." .. part.format),
          is_plain = part.format == "json",
          writer = writers[key],
        }
      end
    end
  end
  return opened
end

--- Is anything to be taken from the spool?
---@param spec string
---@return boolean
function M.has_network(spec)
  for _, part in ipairs(M.parse(spec) or {}) do
    for _, stream in ipairs(part.streams) do
      if part.is_network or stream == "results" or stream == "status" then
        return true
      end
    end
  end
  return false
end

return M

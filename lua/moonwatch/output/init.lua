--- Outputs: what a spec such as "alerts/text:stderr,events/json:file=/tmp/e.jsonl" means.
---
--- A spec is a list of STREAM/FORMAT:SINK[=TARGET], separated by commas.  A format is a script in this folder that
--- returns a function, item -> line; a sink is a script in moonwatch/sink/ that opens a writer.

local text = require "moonwatch.text"

---@class moonwatch.output
local M = {}

M.streams = { "alerts", "events" }
M.formats = { "json", "osquery", "text" }
M.sinks = { "file", "stderr", "stdout" }

local SYNTAX = "STREAM/FORMAT:SINK[=TARGET]"

--- Longest list and longest part: a flag value may come from a backend.
local MAX_OUTPUTS = 16
local MAX_PART_BYTES = 4096

---@class moonwatch.output.Part
---@field stream string
---@field format string
---@field sink string
---@field target string?

local function unknown(part, what, name, known)
  local near = text.nearest(name, known)
  return nil, ("%q: unknown %s %q%s; known are %s"):format(part, what, name,
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

---@param part string
---@return moonwatch.output.Part?
---@return string? message
local function parse_part(part)
  local stream, format, sink = part:match("^([^/:=]*)/([^/:=]*):(.*)$")
  if not stream then
    return nil, ("%q: not of the form %s"):format(part, SYNTAX)
  end
  local name, target = sink:match("^([^=]*)=(.*)$")
  sink = name or sink
  if not contains(M.streams, stream) then
    return unknown(part, "stream", stream, M.streams)
  elseif not contains(M.formats, format) then
    return unknown(part, "format", format, M.formats)
  elseif not contains(M.sinks, sink) then
    return unknown(part, "sink", sink, M.sinks)
  end
  local wants_target = require("moonwatch.sink." .. sink).wants_target
  if wants_target and (target or "") == "" then
    return nil, ("%q: the sink %s needs a target: %s=PATH"):format(part, sink, sink)
  elseif target and not wants_target then
    return nil, ("%q: the sink %s takes no target"):format(part, sink)
  end
  return { stream = stream, format = format, sink = sink, target = target }
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
---@field writer moonwatch.Writer

--- Open every sink of `spec`; parts with the same sink and target share a writer, so that lines keep their order.
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
  for i, part in ipairs(parts) do
    local key = part.sink .. "=" .. (part.target or "")
    if not writers[key] then
      local writer, why, _, errno = require("moonwatch.sink." .. part.sink).open(part.target)
      if not writer then
        return nil, why, errno
      end
      writers[key] = writer
    end
    opened[i] = {
      stream = part.stream,
      format = require("moonwatch.output." .. part.format),
      writer = writers[key],
    }
  end
  return opened
end

return M

--- What Kinesis and Firehose have in common: records in base64, a signed call for a batch of them, a fate for each.
local cjson = require "cjson"
local call = require "moonwatch.aws.call"
local reference = require "moonwatch.aws.reference"
local region_of = require "moonwatch.aws.region"
local retry = require "moonwatch.aws.retry"

---@class moonwatch.sink.aws_records
local M = {}

local NAME = "^[%w_.-]+$"

---@class moonwatch.sink.aws_records.Kind
---@field service "kinesis"|"firehose"
---@field target string  X-Amz-Target
---@field action string
---@field arn string  how the resource of an ARN begins
---@field record_bytes integer
---@field record fun(line: string, item: moonwatch.spool.Item): string  JSON
---@field name fun(part: moonwatch.output.Part): string  members of the request that name the stream
---@field answers string  member of the answer
---@field size fun(line: string, item: moonwatch.spool.Item): integer

---@param part moonwatch.output.Part
---@param kind moonwatch.sink.aws_records.Kind
---@return true?
---@return string? message
function M.check(part, kind)
  if part.target:find "^arn:" then
    local arn, message = reference.arn(part.target)
    local name = arn and arn.resource:match("^" .. kind.arn .. "/(.+)$")
    if not arn or arn.service ~= kind.service or not name or not name:find(NAME) then
      return nil, message or ("%s is no ARN of %s"):format(part.target, kind.service)
    end
    part.stream, part.region, part.arn = name, arn.region, part.target
  elseif part.target:find(NAME) and #part.target <= 128 then
    part.stream = part.target
  else
    return nil, "the target is the name of a stream, or its ARN"
  end
  part.region = part.options.region or part.region
  return true
end

-- Of a whole call that failed: what helps.
local function trouble_of(code, class)
  return {
    stop = class == "final" and code ~= "InvalidArgumentException" and code ~= "ValidationException",
    is_poison = code == "InvalidArgumentException" or code == "ValidationException",
  }
end

-- Of each record: nil when it was taken.
local function error_of(result)
  return type(result) == "table" and type(result.ErrorCode) == "string" and result.ErrorCode or nil
end

---@param part moonwatch.output.Part
---@param kind moonwatch.sink.aws_records.Kind
function M.connect(part, kind)
  local function send(lines, items, budget_ms)
    local deadline = retry.deadline(math.min(part.options.timeout_ms, budget_ms or math.huge))
    local region, message = part.region, nil
    if not region then
      local why
      region, message, why = region_of.find(deadline)
      if not region then
        return nil, message, { stop = why == "EINVAL" }
      end
    end
    local records, places, refused = {}, {}, {}
    for i, line in ipairs(lines) do
      if kind.size(line, items[i]) > kind.record_bytes then
        refused[i] = ("larger than the %d bytes that a record may have"):format(kind.record_bytes)
      else
        records[#records + 1], places[#places + 1] = kind.record(line, items[i]), i
      end
    end
    local body = '{"Records":[]}'
    if #records > 0 then
      local code, class
      body, message, code, class = call.call {
        service = kind.service, region = region, target = kind.target, action = kind.action,
        resource = part.arn or part.stream,
        body = ("{%s,\"Records\":[%s]}"):format(kind.name(part), table.concat(records, ",")),
        deadline = deadline, is_open = true, tries = 1,
      }
      if not body then
        return nil, message, trouble_of(code, class)
      end
    end
    local is_json, answer = pcall(cjson.decode, body)
    local results = is_json and type(answer) == "table" and answer[kind.answers] or (#records == 0 and {})
    if type(results) ~= "table" or #results ~= #records then
      return nil, ("the answer of %s has not %d results"):format(kind.action, #records), {}
    end
    local accepted = {}
    for n, i in ipairs(places) do
      local problem = error_of(results[n])
      accepted[i] = not problem or nil
      message = message or problem and ("%s: %s"):format(problem, tostring(results[n].ErrorMessage))
    end
    if not message and not next(refused) then
      return true
    end
    return nil, message or select(2, next(refused)), { accepted = accepted, refused = refused }
  end
  return send
end

return M

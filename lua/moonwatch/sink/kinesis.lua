--- Kinesis Data Streams: PutRecords, with credentials as for all of AWS (docs/aws.md).  The partition key is the item's id, so that a
--- stream's shards share the work; records of one batch may be taken while others are throttled.
local cjson = require "cjson"
local options = require "moonwatch.sink.options"
local records = require "moonwatch.sink.aws_records"
local text = require "moonwatch.text"

local kind = {
  service = "kinesis",
  target = "Kinesis_20131202.PutRecords",
  action = "kinesis:PutRecords",
  arn = "stream",
  record_bytes = 1 << 20,
  answers = "Records",
  size = function(line, item)
    return #line + #item.id
  end,
  record = function(line, item)
    return ('{"Data":"%s","PartitionKey":%s}'):format(text.base64(line), cjson.encode(item.id))
  end,
  name = function(part)
    return part.arn and ('"StreamARN":%s'):format(cjson.encode(part.arn)) or ('"StreamName":%s'):format(cjson.encode(part.stream))
  end,
}

---@class moonwatch.sink.kinesis
local M = {
  is_network = true,
  wants_target = true,
  target = "STREAM or its ARN",
  options = options.join(options.network, { region = { kind = "text" } }),
}

function M.check(part)
  return records.check(part, kind)
end

function M.connect(part)
  -- 500 records, 5 MiB a call; their keys count, too.
  return { max_rows = 500, max_bytes = 3 << 20, send = records.connect(part, kind) }
end

return M
